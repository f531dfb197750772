//! veilpool-prover
