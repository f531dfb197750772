//! veilpool-protocol
