//! veilpool-params
