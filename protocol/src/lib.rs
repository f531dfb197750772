//! What every part of Veilpool agrees on, as bytes: field-element types, units, message layouts,
//! domain tags and *the* order of public inputs. No cryptography and no allocation, so that the
//! on-chain program, the circuit and the daemons can all depend on it.
//!
//! Normative text: `docs/protocol.md`. One encoding everywhere: field elements are 32 bytes,
//! big-endian, canonical (less than the BN254 scalar field's order).

#![forbid(unsafe_code)]
#![cfg_attr(not(any(test, feature = "api")), no_std)]

#[macro_use]
mod hex_serde;
#[macro_use]
mod bytes;

pub mod address;
#[cfg(feature = "api")]
pub mod api;
pub mod attestation;
pub mod claim;
pub mod field;
pub mod measurer_set;
pub mod proof;
pub mod registry;
pub mod tag;
pub mod units;
pub mod verifying_key;

pub use address::AddressBytes;
pub use attestation::{AttestationBytes, EdSignatureBytes, SchnorrSignatureBytes};
pub use field::{
    BindingBytes, CommitmentBytes, CoordinateBytes, DomainBytes, FieldBytes, NonCanonical,
    NullifierBytes, PublicInputBytes, RegistryNodeBytes, RegistryRootBytes, SetHashBytes,
    SubjectBytes,
};
pub use measurer_set::{MeasurerCount, MeasurerKeyBytes};
pub use proof::{CompressedProofBytes, ProofBytes};
pub use units::{
    Bandwidth, Class, ClassId, EpochId, Latency, Metrics, Thresholds, Uptime, Weight, Zone,
};
