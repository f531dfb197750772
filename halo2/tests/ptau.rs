//! Universal parameters from a `.ptau` file, as the perpetual powers of tau come in one.

#![allow(clippy::unwrap_used)]

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{Field, UniformRand};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_halo2::{
    ListingProver, ListingVerifier, UniversalParameters,
    listing::{Circuit, sample},
    relation::Relation,
    system::VerifyError,
    universal::{InvalidPowers, Origin},
};
use veilpool_iden3::ptau::PowersOfTau;

const K: u32 = <Circuit<'static> as Relation>::K;

fn powers_of(base: G1Projective, tau: Fr, count: usize) -> Vec<G1Affine> {
    (0..count as u64)
        .map(|i| (base * tau.pow([i])).into_affine())
        .collect()
}

/// A file's bytes, of a τ that the test knows.
fn file(tau: Fr) -> Vec<u8> {
    let n = 1usize << K;
    let (g1, g2) = (G1Projective::generator(), G2Projective::generator());
    let [alpha, beta] = [2u64, 3].map(Fr::from);
    let tau_g2: Vec<G2Affine> = (0..n as u64)
        .map(|i| (g2 * tau.pow([i])).into_affine())
        .collect();
    let powers = PowersOfTau {
        tau_g1: powers_of(g1, tau, 2 * n - 1),
        tau_g2,
        alpha_tau_g1: powers_of(g1 * alpha, tau, n),
        beta_tau_g1: powers_of(g1 * beta, tau, n),
        beta_g2: (g2 * beta).into_affine(),
    };
    powers.to_bytes().unwrap()
}

#[test]
fn a_ptau_file_gives_parameters_that_prove_and_verify() {
    let tau = Fr::rand(&mut ChaCha20Rng::seed_from_u64(1));
    let bytes = file(tau);
    let powers = PowersOfTau::from_bytes(&bytes, K).unwrap();
    let [one_g2, tau_g2] = [powers.tau_g2[0], powers.tau_g2[1]];
    let universal = UniversalParameters::from_powers(K, &powers.tau_g1, &one_g2, &tau_g2).unwrap();
    assert_eq!(universal.origin(), Origin::Powers);

    let prover = ListingProver::new(&universal).unwrap();
    let rng = &mut ChaCha20Rng::seed_from_u64(2);
    let (public, witness) = sample::generate(rng);
    let proof = prover.prove(&public, &witness, rng).unwrap();
    let verifier = ListingVerifier::new(&universal).unwrap();
    assert_eq!(verifier.verify(&public, &proof), Ok(()));

    // Parameters of another τ are another system.
    let development = UniversalParameters::development(K).unwrap();
    assert_ne!(development.fingerprint(), universal.fingerprint());
    let elsewhere = ListingVerifier::new(&development).unwrap();
    assert_ne!(elsewhere.fingerprint(), verifier.fingerprint());
    assert_eq!(elsewhere.verify(&public, &proof), Err(VerifyError::Invalid));

    // Points that the file's parser has not compared with each other.
    let other_g2 = (tau_g2 + one_g2).into_affine();
    assert_eq!(
        UniversalParameters::from_powers(K, &powers.tau_g1, &one_g2, &other_g2).err(),
        Some(InvalidPowers::NotPowers)
    );
}
