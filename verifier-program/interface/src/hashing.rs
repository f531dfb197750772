//! The hashes that program and clients both compute: Poseidon and SHA-256, by syscall on the chain
//! and in software elsewhere. What is hashed is laid out in `protocol`.

use solana_poseidon::{Endianness, Parameters};
use solana_program::hash::hashv;
use veilpool_protocol::{
    AddressBytes, BindingBytes, DomainBytes, FieldBytes, MeasurerCount, MeasurerKeyBytes,
    PublicInputBytes, SetHashBytes,
    claim::{self, Binding, PublicInputs},
    measurer_set::{MAX_MEASURERS, SPLIT},
    tag,
};

/// Poseidon could not be computed: too many inputs, or a runtime without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Poseidon could not be computed: the runtime lacks it, or there are too many inputs")]
pub struct PoseidonUnavailable;

/// `P(inputs)` with circomlib's parameters.
///
/// # Errors
/// [`PoseidonUnavailable`].
#[inline(never)]
pub fn poseidon(inputs: &[&[u8]]) -> Result<FieldBytes, PoseidonUnavailable> {
    let hash = solana_poseidon::hashv(Parameters::Bn254X5, Endianness::BigEndian, inputs)
        .map_err(|_| PoseidonUnavailable)?;
    FieldBytes::new(hash.to_bytes()).map_err(|_| PoseidonUnavailable)
}

/// First 31 bytes of SHA-256 as a field element.
fn sha_field(preimage: &[u8]) -> FieldBytes {
    FieldBytes::from_digest(&hashv(&[preimage]).to_bytes())
}

/// What ties a pool's signatures to its cluster and program.
#[must_use]
pub fn domain(genesis_hash: &[u8; 32], program: &AddressBytes, pool: &AddressBytes) -> DomainBytes {
    DomainBytes::from_field(sha_field(&claim::domain_preimage(
        genesis_hash,
        program,
        pool,
    )))
}

/// What ties a proof to its payee, class, relayer and fee.
#[must_use]
pub fn binding(binding: &Binding) -> BindingBytes {
    BindingBytes::from_field(sha_field(&binding.preimage()))
}

/// Hash of a measurer set with its domain.
///
/// # Errors
/// [`PoseidonUnavailable`].
pub fn set_hash(
    domain: &DomainBytes,
    count: MeasurerCount,
    keys: &[MeasurerKeyBytes],
) -> Result<SetHashBytes, PoseidonUnavailable> {
    let mut coordinates: [&[u8]; 2 * MAX_MEASURERS] = [&[]; 2 * MAX_MEASURERS];
    for (pair, key) in coordinates.as_chunks_mut().0.iter_mut().zip(keys) {
        *pair = [key.u.as_bytes().as_slice(), key.shifted_u.as_bytes()];
    }
    let coordinates = coordinates
        .get(..2 * keys.len())
        .ok_or(PoseidonUnavailable)?;
    let split = match count {
        MeasurerCount::Seven => SPLIT,
        _ => coordinates.len(),
    };
    let (first, second) = coordinates
        .split_at_checked(split)
        .ok_or(PoseidonUnavailable)?;
    let mut hash = set_level(tag::MEASURER_SET, domain.to_field(), first)?;
    if !second.is_empty() {
        hash = set_level(tag::MEASURER_SET_TAIL, hash, second)?;
    }
    Ok(SetHashBytes::from_field(hash))
}

/// One level of [`set_hash`].
#[inline(never)]
fn set_level(
    tag: u8,
    first: FieldBytes,
    rest: &[&[u8]],
) -> Result<FieldBytes, PoseidonUnavailable> {
    let tag = FieldBytes::from_u128(u128::from(tag));
    let mut inputs: Vec<&[u8]> = Vec::with_capacity(2 + 2 * MAX_MEASURERS);
    inputs.extend([tag.as_bytes().as_slice(), first.as_bytes()]);
    inputs.extend_from_slice(rest);
    poseidon(&inputs)
}

/// The claim's one public input.
///
/// # Errors
/// [`PoseidonUnavailable`].
pub fn public_input(inputs: &PublicInputs) -> Result<PublicInputBytes, PoseidonUnavailable> {
    let folded = inputs.fold_inputs();
    let slices: [&[u8]; claim::FOLDED + 1] =
        core::array::from_fn(|i| folded[i].as_bytes().as_slice());
    poseidon(&slices).map(PublicInputBytes::from_field)
}
