//! The claim's folded public input, its binding and its domain (layouts in `protocol::claim`).

use ark_bn254::Fr;
use sha2::{Digest, Sha256};
use veilpool_protocol::{
    AddressBytes, BindingBytes, DomainBytes, FieldBytes, PublicInputBytes,
    claim::{Binding, PublicInputs, domain_preimage},
};

use crate::{field, poseidon};

/// `x = P(CLAIM, registry_root, set_hash, epoch, thresholds, nullifier, binding)`.
#[must_use]
pub fn fold(inputs: &PublicInputs) -> Fr {
    poseidon::hash(inputs.fold_inputs().map(field::from_bytes))
}

/// [`fold`] in bytes.
#[must_use]
pub fn fold_bytes(inputs: &PublicInputs) -> PublicInputBytes {
    PublicInputBytes::from_field(field::to_bytes(&fold(inputs)))
}

/// First 31 bytes of the preimage's SHA-256.
#[must_use]
pub fn binding(binding: &Binding) -> BindingBytes {
    BindingBytes::from_field(digest(&binding.preimage()))
}

/// First 31 bytes of the preimage's SHA-256.
#[must_use]
pub fn domain(genesis_hash: &[u8; 32], program: &AddressBytes, pool: &AddressBytes) -> DomainBytes {
    DomainBytes::from_field(digest(&domain_preimage(genesis_hash, program, pool)))
}

fn digest(preimage: &[u8]) -> FieldBytes {
    FieldBytes::from_digest(&Sha256::digest(preimage).into())
}
