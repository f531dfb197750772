//! veilpool-groth16
