//! veilpool-program
