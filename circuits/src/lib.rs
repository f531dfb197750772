//! veilpool-circuits
