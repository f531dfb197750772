//! Universal parameters: powers of a secret τ in G1, and τ in G2, which serve every circuit up to a
//! size (Kate, Zaverucha, Goldberg 2010).
//!
//! ```text
//! [1]₁, [τ]₁, [τ²]₁, … [τ^(2ᵏ − 1)]₁,   [1]₂, [τ]₂
//! ```
//! They come from a public ceremony (the perpetual powers of tau; [`UniversalParameters::from_powers`]
//! takes what a `.ptau` file holds), or, **for development only**, from a public string. Who knows τ
//! proves anything.

use std::sync::Arc;

use ark_bn254::{G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::PrimeField;
use halo2_proofs::{
    halo2curves::{
        bn256::{self, Bn256},
        ff::Field,
        group::Curve,
        pairing::Engine,
        serde::SerdeObject,
    },
    poly::{
        commitment::{Params, ParamsProver},
        kzg::commitment::ParamsKZG,
    },
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

use crate::{field::Fr, manifest};

/// The largest k that is accepted: more rows than any circuit here could want, and 128 MB.
pub const MAX_K: u32 = 20;
const CONTEXT: &[u8] = b"veilpool/kzg/v1";
const DEVELOPMENT_CONTEXT: &[u8] =
    b"veilpool/kzg/development: ANYBODY CAN FORGE PROOFS with these parameters";

/// Where τ came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A public string: **anybody can forge**.
    Development,
    /// Powers that somebody gave; trusted as far as their ceremony is.
    Powers,
}

/// Powers of τ for circuits of up to 2ᵏ rows.
#[derive(Clone)]
pub struct UniversalParameters {
    params: Arc<ParamsKZG<Bn256>>,
    origin: Origin,
}

/// Why points are not universal parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPowers {
    /// Too large a k.
    #[error("k = {0} is above {MAX_K}, more than any circuit here needs")]
    TooLarge(u32),
    /// Too few powers.
    #[error("2^{k} powers of tau are needed and there are {found}: take a larger .ptau file")]
    TooFew {
        /// Asked for.
        k: u32,
        /// Number of powers.
        found: usize,
    },
    /// The first points are not the generators.
    #[error("the powers do not begin with the generator of {0}")]
    Generator(&'static str),
    /// A point that isn't one of its group, or is the point at infinity.
    #[error("{0} is off its curve, outside its subgroup, or the point at infinity")]
    Point(&'static str),
    /// τ is 1.
    #[error("tau is 1: nobody contributed to these powers, and proofs can be forged")]
    TrivialTau,
    /// The points are not powers of one τ.
    #[error("the points in G1 are not the powers of the tau that the point in G2 names")]
    NotPowers,
}

impl UniversalParameters {
    /// **For development only**: τ comes from a public string.
    ///
    /// # Errors
    /// [`InvalidPowers::TooLarge`].
    pub fn development(k: u32) -> Result<Self, InvalidPowers> {
        if k > MAX_K {
            return Err(InvalidPowers::TooLarge(k));
        }
        let seed: [u8; 32] = Sha256::digest(DEVELOPMENT_CONTEXT).into();
        let params = ParamsKZG::setup(k, ChaCha20Rng::from_seed(seed));
        Ok(Self {
            params: Arc::new(params),
            origin: Origin::Development,
        })
    }

    /// From the powers in G1 (at least 2ᵏ of them, from `[1]₁`), `[1]₂` and `[τ]₂`, as a `.ptau` file
    /// has them. Everything is checked: the points, and with one pairing equation that they are
    /// powers of one τ.
    ///
    /// ```text
    /// e(Σ ρⁱ·[τⁱ⁺¹]₁, [1]₂) = e(Σ ρⁱ·[τⁱ]₁, [τ]₂)        ρ = SHA-256 of all points
    /// ```
    ///
    /// # Errors
    /// [`InvalidPowers`].
    pub fn from_powers(
        k: u32,
        powers: &[G1Affine],
        one_g2: &G2Affine,
        tau_g2: &G2Affine,
    ) -> Result<Self, InvalidPowers> {
        if k > MAX_K {
            return Err(InvalidPowers::TooLarge(k));
        }
        let powers = powers.get(..1 << k).ok_or(InvalidPowers::TooFew {
            k,
            found: powers.len(),
        })?;
        if powers[0] != G1Affine::generator() {
            return Err(InvalidPowers::Generator("G1"));
        }
        if *one_g2 != G2Affine::generator() {
            return Err(InvalidPowers::Generator("G2"));
        }
        if powers.get(1) == Some(&G1Affine::generator()) {
            return Err(InvalidPowers::TrivialTau);
        }
        // All of G1's curve is its subgroup; G2's isn't.
        if powers
            .iter()
            .any(|point| !point.is_on_curve() || point.is_zero())
        {
            return Err(InvalidPowers::Point("a power of tau in G1"));
        }
        let in_group = tau_g2.is_on_curve() && tau_g2.is_in_correct_subgroup_assuming_on_curve();
        if !in_group || tau_g2.is_zero() {
            return Err(InvalidPowers::Point("tau in G2"));
        }
        let g: Vec<bn256::G1Affine> = powers.iter().map(g1).collect();
        let (one_g2, tau_g2) = (g2(one_g2), g2(tau_g2));
        if !are_powers(&g, &one_g2, &tau_g2) {
            return Err(InvalidPowers::NotPowers);
        }
        // `from_parts` wants parameters to be called on, and takes nothing from them.
        let any = ParamsKZG::<Bn256>::setup(1, ChaCha20Rng::from_seed([0; 32]));
        Ok(Self {
            params: Arc::new(any.from_parts(k, g, None, one_g2, tau_g2)),
            origin: Origin::Powers,
        })
    }

    /// 2ᵏ rows at most.
    #[must_use]
    pub fn k(&self) -> u32 {
        self.params.k()
    }

    /// Where τ came from.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// SHA-256 of `"veilpool/kzg/v1" ‖ k u32 LE ‖ the powers ‖ [τ]₂`, points uncompressed in halo2's raw
    /// form. Names the parameters: two of one hash are the same.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(CONTEXT);
        hasher.update(self.k().to_le_bytes());
        for point in self.params.get_g() {
            hasher.update(point.to_raw_bytes());
        }
        hasher.update(self.params.s_g2().to_raw_bytes());
        hasher.finalize().into()
    }

    /// Whether these are the manifest's, or more powers of the same τ.
    pub(crate) fn is(&self, pinned: &manifest::Universal) -> bool {
        self.at(pinned.k).is_some_and(|params| {
            let at_k = Self {
                params,
                origin: self.origin,
            };
            hex::encode(at_k.fingerprint()) == pinned.fingerprint
        })
    }

    /// For a circuit of exactly 2ᵏ rows.
    pub(crate) fn at(&self, k: u32) -> Option<Arc<ParamsKZG<Bn256>>> {
        match k.cmp(&self.k()) {
            core::cmp::Ordering::Equal => Some(self.params.clone()),
            core::cmp::Ordering::Less => {
                let mut params = (*self.params).clone();
                params.downsize(k);
                Some(Arc::new(params))
            }
            core::cmp::Ordering::Greater => None,
        }
    }
}

// With probability at most 2ᵏ/r over ρ it says yes to points that are not powers of τ.
fn are_powers(g: &[bn256::G1Affine], one_g2: &bn256::G2Affine, tau_g2: &bn256::G2Affine) -> bool {
    let mut hasher = Sha256::new();
    for point in g {
        hasher.update(point.to_raw_bytes());
    }
    hasher.update(tau_g2.to_raw_bytes());
    let mut wide = [0u8; 64];
    wide[..32].copy_from_slice(&hasher.finalize());
    let rho =
        <Fr as halo2_proofs::halo2curves::ff::FromUniformBytes<64>>::from_uniform_bytes(&wide);

    let mut weights = Vec::with_capacity(g.len() - 1);
    let mut weight = Fr::ONE;
    for _ in 1..g.len() {
        weights.push(weight);
        weight *= rho;
    }
    let sum = |points: &[bn256::G1Affine]| {
        halo2_proofs::arithmetic::best_multiexp(&weights, points).to_affine()
    };
    let (shifted, unshifted) = (sum(&g[1..]), sum(&g[..g.len() - 1]));
    Bn256::pairing(&shifted, one_g2) == Bn256::pairing(&unshifted, tau_g2)
}

fn fq(element: &ark_bn254::Fq) -> bn256::Fq {
    bn256::Fq::from_raw(element.into_bigint().0)
}

fn g1(point: &G1Affine) -> bn256::G1Affine {
    bn256::G1Affine {
        x: fq(&point.x),
        y: fq(&point.y),
    }
}

fn g2(point: &G2Affine) -> bn256::G2Affine {
    let coordinate = |c: &ark_bn254::Fq2| bn256::Fq2::new(fq(&c.c0), fq(&c.c1));
    bn256::G2Affine {
        x: coordinate(&point.x),
        y: coordinate(&point.y),
    }
}

#[cfg(test)]
mod tests {
    use ark_ec::{CurveGroup, PrimeGroup};
    use ark_ff::UniformRand;

    use super::*;

    fn powers(k: u32, tau: ark_bn254::Fr) -> (Vec<G1Affine>, G2Affine) {
        let mut power = ark_bn254::Fr::from(1u8);
        let g1 = (0..1usize << k)
            .map(|_| {
                let point = (ark_bn254::G1Projective::generator() * power).into_affine();
                power *= tau;
                point
            })
            .collect();
        let g2 = (ark_bn254::G2Projective::generator() * tau).into_affine();
        (g1, g2)
    }

    fn tau() -> ark_bn254::Fr {
        ark_bn254::Fr::rand(&mut ChaCha20Rng::seed_from_u64(1))
    }

    #[test]
    fn powers_of_a_given_tau_give_the_parameters_of_that_tau() {
        // The same τ as the development parameters, which their public string fixes.
        let seed: [u8; 32] = Sha256::digest(DEVELOPMENT_CONTEXT).into();
        let tau = Fr::random(ChaCha20Rng::from_seed(seed));
        let (g1, g2) = powers(5, crate::field::to_ark(&tau));
        let given = UniversalParameters::from_powers(4, &g1, &G2Affine::generator(), &g2).unwrap();
        let made = UniversalParameters::development(4).unwrap();
        assert_eq!(given.fingerprint(), made.fingerprint());
        assert_eq!(given.origin(), Origin::Powers);
        assert_eq!(made.origin(), Origin::Development);
        // Also in Lagrange form, which each makes in its own way, and after shrinking.
        let form = |parameters: &UniversalParameters, k| {
            let mut bytes = Vec::new();
            parameters.at(k).unwrap().write(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(form(&given, 4), form(&made, 4));
        let smaller = UniversalParameters::development(3).unwrap();
        assert_eq!(form(&given, 3), form(&smaller, 3));
        assert!(given.at(5).is_none());
    }

    #[test]
    fn points_that_are_no_powers_are_refused_with_the_reason() {
        let generator = G2Affine::generator();
        let (g1, g2) = powers(3, tau());
        let check = |g1: &[G1Affine], one: &G2Affine, tau: &G2Affine| {
            UniversalParameters::from_powers(3, g1, one, tau).map(|_| ())
        };
        assert_eq!(check(&g1, &generator, &g2), Ok(()));

        let few = InvalidPowers::TooFew { k: 3, found: 7 };
        assert_eq!(check(&g1[..7], &generator, &g2), Err(few));
        assert_eq!(
            check(&g1[..0], &generator, &g2),
            Err(InvalidPowers::TooFew { k: 3, found: 0 })
        );
        let from_second = [&g1[1..], &g1[..1]].concat();
        assert_eq!(
            check(&from_second, &generator, &g2),
            Err(InvalidPowers::Generator("G1"))
        );
        assert_eq!(check(&g1, &g2, &g2), Err(InvalidPowers::Generator("G2")));

        for at in 1..8 {
            let mut other = g1.clone();
            other[at] = (other[at] + G1Affine::generator()).into_affine();
            assert_eq!(
                check(&other, &generator, &g2),
                Err(InvalidPowers::NotPowers)
            );
            other[at] = G1Affine::identity();
            let point = Err(InvalidPowers::Point("a power of tau in G1"));
            assert_eq!(check(&other, &generator, &g2), point);
            other[at] = G1Affine::new_unchecked(g1[at].x, g1[at].x);
            assert_eq!(check(&other, &generator, &g2), point);
        }
        let one = ark_bn254::Fr::from(1u8);
        let (ones, one_g2) = powers(3, one);
        assert_eq!(
            check(&ones, &generator, &one_g2),
            Err(InvalidPowers::TrivialTau)
        );
        let other_tau = (g2 + generator).into_affine();
        assert_eq!(
            check(&g1, &generator, &other_tau),
            Err(InvalidPowers::NotPowers)
        );
        for wrong in [G2Affine::identity(), G2Affine::new_unchecked(g2.x, g2.x)] {
            assert_eq!(
                check(&g1, &generator, &wrong),
                Err(InvalidPowers::Point("tau in G2"))
            );
        }
        assert_eq!(
            UniversalParameters::from_powers(MAX_K + 1, &g1, &generator, &g2).err(),
            Some(InvalidPowers::TooLarge(MAX_K + 1))
        );
        assert_eq!(
            UniversalParameters::development(u32::MAX).err(),
            Some(InvalidPowers::TooLarge(u32::MAX))
        );
    }
}
