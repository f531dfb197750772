//! veilpool-node
