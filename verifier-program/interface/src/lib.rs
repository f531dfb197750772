//! veilpool-interface
