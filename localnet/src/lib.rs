//! veilpool-localnet
