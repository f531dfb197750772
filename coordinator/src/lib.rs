//! veilpool-coordinator
