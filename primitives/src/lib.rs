//! veilpool-primitives
