//! Proofs that were made once and are kept: hexadecimal lines, the public inputs and then the proof.

use std::{env, fs, path::PathBuf};

use veilpool_halo2::{
    UniversalParameters,
    field::{Fr, from_bytes},
    relation::Relation,
    system::{VerifyError, VerifyingKeys},
};
use veilpool_protocol::FieldBytes;

/// Verifies the proof that is kept, and that it is good for nothing else. With `VEILPOOL_WRITE` set, makes it anew
/// first, which is right only for a new version of the circuit.
pub(crate) fn verifies<R: Relation>(
    universal: &UniversalParameters,
    blank: &R,
    make: impl FnOnce() -> (Vec<FieldBytes>, Vec<u8>),
) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/frozen")
        .join(format!("{}.txt", R::name()));
    if env::var_os("VEILPOOL_WRITE").is_some() {
        let (public, proof) = make();
        let public = public.iter().map(|field| hex::encode(field.as_bytes()));
        let lines: Vec<String> = public.chain([hex::encode(proof)]).collect();
        fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
    let text = fs::read_to_string(path).unwrap();
    let mut lines: Vec<Vec<u8>> = text
        .lines()
        .map(|line| hex::decode(line).unwrap())
        .collect();
    let mut proof = lines.pop().unwrap();
    let public: Vec<Fr> = lines
        .into_iter()
        .map(|line| from_bytes(FieldBytes::new(line.try_into().unwrap()).unwrap()))
        .collect();

    let keys = VerifyingKeys::new(universal, blank).unwrap();
    assert_eq!(keys.verify(&public, &proof), Ok(()));
    for index in 0..public.len() {
        let mut other = public.clone();
        other[index] += Fr::from(1);
        assert_eq!(keys.verify(&other, &proof), Err(VerifyError::Invalid));
    }
    let last = proof.len() - 40;
    proof[last] ^= 1;
    assert!(keys.verify(&public, &proof).is_err());
}
