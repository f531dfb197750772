//! The hashes that program and clients both compute: Poseidon and SHA-256, by syscall on the chain
//! and in software elsewhere. What is hashed is laid out in `protocol`.

use solana_poseidon::{Endianness, Parameters};
use solana_program::hash::hashv;
use veilpool_protocol::{
    AddressBytes, BindingBytes, DomainBytes, FieldBytes, MeasurerCount, MeasurerKeyBytes,
    PublicInputBytes, SetHashBytes,
    claim::{self, Binding, PublicInputs},
    measurer_set::SPLIT,
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
pub fn poseidon(inputs: &[&[u8]]) -> Result<FieldBytes, PoseidonUnavailable> {
    let hash = solana_poseidon::hashv(Parameters::Bn254X5, Endianness::BigEndian, inputs)
        .map_err(|_| PoseidonUnavailable)?;
    FieldBytes::new(hash.to_bytes()).map_err(|_| PoseidonUnavailable)
}

/// First 31 bytes of SHA-256 as a field element.
fn sha_field(preimage: &[u8]) -> FieldBytes {
    let hash = hashv(&[preimage]).to_bytes();
    let mut bytes = [0u8; 32];
    for (slot, byte) in bytes.iter_mut().skip(1).zip(hash) {
        *slot = byte;
    }
    // 248 bits are always less than the order.
    FieldBytes::new(bytes).unwrap_or(FieldBytes::from_u128(0))
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
    let coordinates = || {
        keys.iter().flat_map(|key| {
            [
                key.u.as_bytes().as_slice(),
                key.shifted_u.as_bytes().as_slice(),
            ]
        })
    };
    let set = FieldBytes::from_u128(u128::from(tag::MEASURER_SET));
    let head = [set.as_bytes().as_slice(), domain.as_bytes().as_slice()];
    let first: Vec<&[u8]> = match count {
        MeasurerCount::Seven => head.into_iter().chain(coordinates().take(SPLIT)).collect(),
        _ => head.into_iter().chain(coordinates()).collect(),
    };
    let hash = poseidon(&first)?;
    if count != MeasurerCount::Seven {
        return Ok(SetHashBytes::from_field(hash));
    }
    let tail = FieldBytes::from_u128(u128::from(tag::MEASURER_SET_TAIL));
    let second: Vec<&[u8]> = [tail.as_bytes().as_slice(), hash.as_bytes().as_slice()]
        .into_iter()
        .chain(coordinates().skip(SPLIT))
        .collect();
    poseidon(&second).map(SetHashBytes::from_field)
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
