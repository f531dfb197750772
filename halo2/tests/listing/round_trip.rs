//! T9: keys, proof, verification, and everything that is refused.

use std::sync::OnceLock;

use proptest::prelude::*;
use veilpool_halo2::{
    ListingHash, ListingProof, ListingProver, ListingVerifier, Share, UniversalParameters,
    listing::{PROOF_LEN, PublicInputs, Statement},
    system::{KeyError, ProveError, VerifyError},
};
use veilpool_protocol::{DomainBytes, EpochId, FieldBytes, RegistryRootBytes, SubjectBytes};

use super::common::{K, rng, sample};

/// Bytes of a point or scalar.
const ELEMENT: usize = 32;

struct Proven {
    verifier: ListingVerifier,
    prover: ListingProver,
    public: PublicInputs,
    proof: ListingProof,
}

fn proven() -> &'static Proven {
    static PROVEN: OnceLock<Proven> = OnceLock::new();
    PROVEN.get_or_init(|| {
        let universal = UniversalParameters::development(K).unwrap();
        let prover = ListingProver::new(&universal).unwrap();
        let (public, witness) = sample(1);
        let proof = prover.prove(&public, &witness, &mut rng(2)).unwrap();
        Proven {
            verifier: ListingVerifier::new(&universal).unwrap(),
            prover,
            public,
            proof,
        }
    })
}

fn verify(proof: &[u8]) -> Result<(), VerifyError> {
    let proven = proven();
    let proof = ListingProof::from_bytes(proof)?;
    proven.verifier.verify(&proven.public, &proof)
}

#[test]
fn a_proof_verifies_with_a_verifier_made_apart_from_the_prover() {
    let proven = proven();
    assert_eq!(proven.proof.as_bytes().len(), PROOF_LEN);
    assert_eq!(verify(proven.proof.as_bytes()), Ok(()));
    assert_eq!(
        proven.prover.verifier().fingerprint(),
        proven.verifier.fingerprint()
    );
}

#[test]
fn two_proofs_of_one_listing_differ() {
    let (public, witness) = sample(1);
    let proven = proven();
    let other = proven.prover.prove(&public, &witness, &mut rng(3)).unwrap();
    assert_ne!(other, proven.proof);
    assert_eq!(verify(other.as_bytes()), Ok(()));
}

#[test]
fn what_does_not_hold_is_not_proven() {
    let (public, mut witness) = sample(1);
    witness.path.index ^= 1;
    assert_eq!(
        proven().prover.prove(&public, &witness, &mut rng(4)),
        Err(ProveError::Statement(Statement::Membership))
    );
}

#[test]
fn other_public_inputs_are_refused() {
    let proven = proven();
    let one = FieldBytes::from_u128(1);
    let edits: [fn(&mut PublicInputs, FieldBytes); 6] = [
        |p, one| p.registry_root = RegistryRootBytes::from_field(one),
        |p, one| p.domain = DomainBytes::from_field(one),
        |p, _| p.epoch = EpochId::new(p.epoch.get().wrapping_add(1)),
        |p, one| p.subject = SubjectBytes::from_field(one),
        |p, one| p.share.x = ListingHash::new(one).unwrap(),
        |p, one| p.share.y = one,
    ];
    for edit in edits {
        let mut public = proven.public;
        edit(&mut public, one);
        assert_eq!(
            proven.verifier.verify(&public, &proven.proof),
            Err(VerifyError::Invalid)
        );
    }
    // Root and subject, x and y in each other's place.
    let PublicInputs {
        registry_root,
        subject,
        share,
        ..
    } = proven.public;
    let swapped = PublicInputs {
        registry_root: RegistryRootBytes::from_field(subject.to_field()),
        subject: SubjectBytes::from_field(registry_root.to_field()),
        ..proven.public
    };
    let turned = PublicInputs {
        share: Share {
            x: ListingHash::new(share.y).unwrap(),
            y: share.x.to_field(),
        },
        ..proven.public
    };
    for public in [swapped, turned] {
        assert_eq!(
            proven.verifier.verify(&public, &proven.proof),
            Err(VerifyError::Invalid)
        );
    }
}

#[test]
fn a_proof_of_any_other_length_is_refused() {
    let bytes = proven().proof.as_bytes();
    let lengths = [0, 1, 31, 32, PROOF_LEN / 2, PROOF_LEN - 32, PROOF_LEN - 1];
    for found in lengths {
        let expected = PROOF_LEN;
        let refused = Err(VerifyError::Length { expected, found });
        assert_eq!(verify(&bytes[..found]), refused);
    }
    for more in [1, 32, 1_000] {
        let mut longer = bytes.to_vec();
        longer.resize(PROOF_LEN + more, 0);
        assert_eq!(
            verify(&longer),
            Err(VerifyError::Length {
                expected: PROOF_LEN,
                found: PROOF_LEN + more
            })
        );
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    // Each byte once, another bit in each, and each bit of the bytes that hold a point's flags.
    let honest = proven().proof.as_bytes();
    let mut seen = [0usize; 2];
    let flags = (ELEMENT - 1..PROOF_LEN).step_by(ELEMENT);
    let each = (0..PROOF_LEN).map(|at| (at, at % 8));
    let flips = each.chain(flags.flat_map(|at| (0..8).map(move |bit| (at, bit))));
    for (at, bit) in flips {
        let mut bytes = honest.to_vec();
        bytes[at] ^= 1 << bit;
        match verify(&bytes) {
            Err(VerifyError::Malformed) => seen[0] += 1,
            Err(VerifyError::Invalid) => seen[1] += 1,
            other => panic!("byte {at}: {other:?}"),
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn a_point_or_scalar_that_is_none_is_malformed() {
    // Each 32 bytes replaced by bytes that are neither a point nor a canonical scalar.
    for chunk in 0..PROOF_LEN / 32 {
        let mut bytes = proven().proof.as_bytes().to_vec();
        bytes[32 * chunk..32 * (chunk + 1)].fill(0xff);
        let refused = verify(&bytes);
        assert_eq!(refused, Err(VerifyError::Malformed), "chunk {chunk}");
    }
    // All zeros: the point at infinity and the scalar 0 everywhere.
    assert_eq!(verify(&[0; PROOF_LEN]), Err(VerifyError::Malformed));
}

#[test]
fn a_point_with_a_second_encoding_is_malformed() {
    // halo2's own reader ignores the highest bit of a point.
    let mut bytes = proven().proof.as_bytes().to_vec();
    bytes[31] |= 0x80;
    assert_eq!(verify(&bytes), Err(VerifyError::Malformed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_make_the_verifier_panic(bytes in proptest::collection::vec(any::<u8>(), PROOF_LEN), keep in 0..PROOF_LEN) {
        prop_assert!(verify(&bytes).is_err());
        // With an honest beginning, so that more of it is read.
        let mut mixed = proven().proof.as_bytes().to_vec();
        mixed[keep..].copy_from_slice(&bytes[keep..]);
        prop_assert!(verify(&mixed).is_err() || mixed == proven().proof.as_bytes());
    }
}

#[test]
fn universal_parameters_that_are_too_small_are_refused() {
    let small = UniversalParameters::development(K - 1).unwrap();
    let expected = Some(KeyError::TooSmall {
        needed: K,
        found: K - 1,
    });
    assert_eq!(ListingProver::new(&small).err(), expected);
    assert_eq!(ListingVerifier::new(&small).err(), expected);
}

#[test]
fn larger_universal_parameters_of_the_same_tau_give_the_same_keys() {
    let large = UniversalParameters::development(K + 1).unwrap();
    let verifier = ListingVerifier::new(&large).unwrap();
    let proven = proven();
    assert_eq!(verifier.fingerprint(), proven.verifier.fingerprint());
    assert_eq!(verifier.verify(&proven.public, &proven.proof), Ok(()));
}
