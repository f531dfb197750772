//! veilpool-benches
