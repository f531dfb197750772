//! `.zkey`: a Groth16 proving key, with the matrices that a prover needs beside it.
//!
//! ```text
//! version 1
//!  1 header         protocol u32 = 1 (Groth16)
//!  2 Groth16 header n8 u32 = 32 ‖ q (n8) ‖ n8 u32 = 32 ‖ r (n8) ‖ columns u32 ‖ public u32 ‖ domain u32
//!                   ‖ alpha₁ ‖ beta₁ ‖ beta₂ ‖ gamma₂ ‖ delta₁ ‖ delta₂
//!  3 IC             G1 for the constant 1 and each public column
//!  4 coefficients   number u32, then each: matrix u32 (0 = A, 1 = B) ‖ row u32 ‖ column u32 ‖ coefficient (32, double Montgomery)
//!  5 A              G1 for each column
//!  6 B1             G1 for each column
//!  7 B2             G2 for each column
//!  8 C              G1 for each column that isn't public
//!  9 H              G1 for each point of the odd coset
//! 10 contributions  see [`contributions`]
//! ```
//! Points in Montgomery form. `public` doesn't count the constant, which is column 0; the public columns follow it.
//! `domain` is the least power of two ≥ rows + public + 1. After the circuit's own rows section 4 has one row for the
//! constant and each public column, with that column alone in A and coefficient 1 (see [`veilpool_params::reduction`],
//! where what H holds is explained too). C isn't there: the prover takes `⟨Aᵢ,z⟩·⟨Bᵢ,z⟩` for `⟨Cᵢ,z⟩`.
//!
//! What is refused beyond wrong bytes, because files that were mixed up get that far: a column whose points in A, B1 and
//! B2 aren't the identity exactly where the matrices have nothing in it; beta or delta not the same scalar in G1 and G2; a
//! last contribution that ends in another delta; and keys with which proofs can be forged (gamma = delta, or delta the
//! generator: no phase 2 has taken place). [`Zkey::check_queries`] goes further, at the price of two multi-scalar
//! multiplications. Whether A, C and H belong to this circuit at all nobody can tell from the file: verify a proof.
//!
//! Reference: `zkey_utils.js`, `zkey_new.js` and `groth16_prove.js` of snarkjs.

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM, pairing::Pairing};
use ark_ff::{AdditiveGroup, PrimeField};
use ark_groth16::{ProvingKey, VerifyingKey};
use ark_relations::gr1cs::Matrix;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

use crate::{
    container::{Cursor, Layout, Sections},
    elements::{
        BASE_ORDER_NAME, ELEMENT_LEN, G1_LEN, G2_LEN, SCALAR_ORDER_NAME, base_order, no_identity,
        read_order, read_point, read_points, scalar_order,
    },
    error::{Format, InvalidFile, Place},
};

mod coefficients;
pub mod contributions;
mod write;

use coefficients::{COEFFICIENT_LEN, Rows};
pub use contributions::{Contribution, Contributions};
pub use write::{ExportError, write};

const PROTOCOL: u32 = 1;
const HEADER: u32 = 2;
const IC: u32 = 3;
const COEFFICIENTS: u32 = 4;
const A: u32 = 5;
const B1: u32 = 6;
const B2: u32 = 7;
const C: u32 = 8;
const H: u32 = 9;
const CONTRIBUTIONS: u32 = 10;

const GROTH16: u32 = 1;
const PROTOCOL_LEN: usize = 4;
const HEADER_LEN: usize = 2 * (4 + ELEMENT_LEN) + 3 * 4 + 3 * G1_LEN + 3 * G2_LEN;
/// The odd coset of a larger domain isn't in the field.
const MAX_DOMAIN: u32 = 1 << 27;

static LAYOUT: Layout = Layout {
    format: Format::Zkey,
    version: 1,
    sections: &[
        (PROTOCOL, "header"),
        (HEADER, "Groth16 header"),
        (IC, "IC"),
        (COEFFICIENTS, "coefficients"),
        (A, "A"),
        (B1, "B1"),
        (B2, "B2"),
        (C, "C"),
        (H, "H"),
        (CONTRIBUTIONS, "contributions"),
    ],
};

/// What a header counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Columns, the constant 1 included.
    pub columns: u32,
    /// Public columns, the constant 1 not included.
    pub public: u32,
    /// A power of two.
    pub domain: u32,
}

impl Counts {
    /// Columns of the instance, the constant 1 included.
    #[must_use]
    pub const fn public_columns(&self) -> usize {
        self.public as usize + 1
    }
}

/// A file whose sizes fit; nothing is known of its elements.
#[derive(Clone)]
pub struct RawZkey<'a> {
    counts: Counts,
    key_points: Cursor<'a>,
    ic: &'a [u8],
    coefficients: &'a [u8],
    queries: Queries<&'a [u8], &'a [u8]>,
    contributions: Cursor<'a>,
}

#[derive(Clone)]
struct Queries<G1, G2> {
    a: G1,
    b1: G1,
    b2: G2,
    c: G1,
    h: G1,
}

/// A proving key with the matrices A and B.
#[derive(Clone, PartialEq)]
pub struct Zkey {
    /// For arkworks' prover with [`veilpool_params::OddCoset`].
    pub proving_key: ProvingKey<Bn254>,
    /// A and B, without the rows for public columns.
    pub matrices: [Matrix<Fr>; 2],
    /// Columns of the instance, the constant 1 included.
    pub public_columns: usize,
    /// Phase 2.
    pub contributions: Contributions,
}

impl<'a> RawZkey<'a> {
    /// Of a file's bytes.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, InvalidFile> {
        let sections = Sections::parse(bytes, &LAYOUT)?;
        let mut protocol = sections.required(PROTOCOL)?;
        let found = protocol.u32()?;
        if found != GROTH16 {
            return Err(protocol.number("protocol", "1 (Groth16)", found));
        }
        protocol.finish()?;

        let mut header = sections.required(HEADER)?;
        read_order(&mut header, base_order(), BASE_ORDER_NAME)?;
        read_order(&mut header, scalar_order(), SCALAR_ORDER_NAME)?;
        let counts = Counts {
            columns: header.u32()?,
            public: header.u32()?,
            domain: header.u32()?,
        };
        let Some(private) = counts
            .columns
            .checked_sub(counts.public)
            .and_then(|rest| rest.checked_sub(1))
        else {
            let expected = format!("more than the {} public ones", counts.public);
            return Err(header.number("columns", expected, counts.columns));
        };
        if !counts.domain.is_power_of_two() || counts.domain > MAX_DOMAIN {
            let expected = format!("a power of two up to {MAX_DOMAIN}");
            return Err(header.number("size of the domain", expected, counts.domain));
        }
        let key_points = header.clone();
        header.take((3 * G1_LEN + 3 * G2_LEN) as u64)?;
        header.finish()?;

        let points = |id, items: u64, len: usize| sections.required(id)?.exactly(items, len as u64);
        let columns = u64::from(counts.columns);
        let mut coefficients = sections.required(COEFFICIENTS)?;
        let number = coefficients.u32()?;
        Ok(Self {
            counts,
            key_points,
            ic: points(IC, u64::from(counts.public) + 1, G1_LEN)?,
            coefficients: coefficients.exactly(number.into(), COEFFICIENT_LEN as u64)?,
            queries: Queries {
                a: points(A, columns, G1_LEN)?,
                b1: points(B1, columns, G1_LEN)?,
                b2: points(B2, columns, G2_LEN)?,
                c: points(C, private.into(), G1_LEN)?,
                h: points(H, counts.domain.into(), G1_LEN)?,
            },
            contributions: sections.required(CONTRIBUTIONS)?,
        })
    }

    /// What the header counts.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Checks every element and point, and what can be seen of whether they belong together.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn validate(&self) -> Result<Zkey, InvalidFile> {
        let zkey = self.validate_initial()?;
        let key = &zkey.proving_key.vk;
        let contradiction = |reason| Err(contradiction(HEADER, reason));
        if key.delta_g2 == G2Affine::generator() {
            return contradiction(
                "delta is the generator: nobody contributed to phase 2 of the setup, and proofs can be forged",
            );
        }
        if key.gamma_g2 == key.delta_g2 {
            return contradiction(
                "gamma and delta are the same point: nobody contributed to phase 2 of the setup, and proofs can be forged",
            );
        }
        Ok(zkey)
    }

    /// The same, but accepts the key with which phase 2 of a setup begins: with it **anybody can
    /// forge proofs**.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn validate_initial(&self) -> Result<Zkey, InvalidFile> {
        // The small sections first, so that a wrong file is refused early.
        let (mut vk, beta_g1, delta_g1) = self.key_points()?;
        let ic = LAYOUT.place(IC);
        vk.gamma_abc_g1 = read_points(self.ic, ic)?;
        no_identity(&vk.gamma_abc_g1, ic)?;
        let contributions = Contributions::read(self.contributions.clone())?;
        if let Some(last) = contributions.list.last()
            && last.delta_after != delta_g1
        {
            return Err(contradiction(
                CONTRIBUTIONS,
                "the last contribution ends in another delta than the header's",
            ));
        }
        let rows = Rows::read(self.coefficients, self.counts)?;
        let queries = Queries {
            a: read_points::<G1Affine>(self.queries.a, LAYOUT.place(A))?,
            b1: read_points::<G1Affine>(self.queries.b1, LAYOUT.place(B1))?,
            b2: read_points::<G2Affine>(self.queries.b2, LAYOUT.place(B2))?,
            c: read_points::<G1Affine>(self.queries.c, LAYOUT.place(C))?,
            h: read_points::<G1Affine>(self.queries.h, LAYOUT.place(H))?,
        };
        check_pattern(&queries.a, &rows.used[0], A)?;
        check_pattern(&queries.b1, &rows.used[1], B1)?;
        check_pattern(&queries.b2, &rows.used[1], B2)?;
        no_identity(&queries.h, LAYOUT.place(H))?;
        Ok(Zkey {
            proving_key: ProvingKey {
                vk,
                beta_g1,
                delta_g1,
                a_query: queries.a,
                b_g1_query: queries.b1,
                b_g2_query: queries.b2,
                h_query: queries.h,
                l_query: queries.c,
            },
            matrices: rows.ab,
            public_columns: self.counts.public_columns(),
            contributions,
        })
    }

    fn key_points(&self) -> Result<(VerifyingKey<Bn254>, G1Affine, G1Affine), InvalidFile> {
        let cursor = &mut self.key_points.clone();
        let alpha_g1: G1Affine = read_point(cursor, 0)?;
        let beta_g1: G1Affine = read_point(cursor, 1)?;
        let beta_g2: G2Affine = read_point(cursor, 2)?;
        let gamma_g2: G2Affine = read_point(cursor, 3)?;
        let delta_g1: G1Affine = read_point(cursor, 4)?;
        let delta_g2: G2Affine = read_point(cursor, 5)?;
        let identities = [
            alpha_g1.is_zero(),
            beta_g1.is_zero(),
            beta_g2.is_zero(),
            gamma_g2.is_zero(),
            delta_g1.is_zero(),
            delta_g2.is_zero(),
        ];
        if let Some(index) = identities.iter().position(|is_identity| *is_identity) {
            return Err(InvalidFile::Identity {
                place: LAYOUT.place(HEADER),
                index: index as u64,
            });
        }
        if !same_scalar(&beta_g1, &beta_g2) {
            return Err(contradiction(
                HEADER,
                "beta isn't the same scalar in G1 and G2",
            ));
        }
        if !same_scalar(&delta_g1, &delta_g2) {
            return Err(contradiction(
                HEADER,
                "delta isn't the same scalar in G1 and G2",
            ));
        }
        let vk = VerifyingKey {
            alpha_g1,
            beta_g2,
            gamma_g2,
            delta_g2,
            gamma_abc_g1: Vec::new(),
        };
        Ok((vk, beta_g1, delta_g1))
    }
}

impl Zkey {
    /// Reads and validates.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidFile> {
        RawZkey::parse(bytes)?.validate()
    }

    /// Columns of the witness.
    #[must_use]
    pub fn witness_columns(&self) -> usize {
        self.proving_key.l_query.len()
    }

    /// Rows of the circuit.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.matrices[0].len()
    }

    /// That B1 and B2 hold the same scalars: `e(Σ ρⱼ·B1ⱼ, g₂) = e(g₁, Σ ρⱼ·B2ⱼ)` for 128-bit ρⱼ drawn from a hash of both,
    /// so that no difference goes unseen but with a probability of 2⁻¹²⁸ for each hash that somebody tries.
    ///
    /// # Errors
    /// [`InvalidFile::Contradiction`].
    pub fn check_queries(&self) -> Result<(), InvalidFile> {
        let key = &self.proving_key;
        let mut hasher = Sha256::new();
        hasher.update(b"veilpool/zkey/b-queries");
        for point in &key.b_g1_query {
            hasher.update(crate::elements::point_to_bytes(point));
        }
        for point in &key.b_g2_query {
            hasher.update(crate::elements::point_to_bytes(point));
        }
        let scalars = challenges(hasher.finalize().into(), key.b_g1_query.len());
        let in_g1 = ark_bn254::G1Projective::msm_bigint(&key.b_g1_query, &scalars);
        let in_g2 = ark_bn254::G2Projective::msm_bigint(&key.b_g2_query, &scalars);
        if same_scalar(&in_g1.into_affine(), &in_g2.into_affine()) {
            Ok(())
        } else {
            Err(contradiction(
                B2,
                "its points aren't of the same scalars as those of section 6 (B1)",
            ))
        }
    }
}

/// Whether the discrete logarithms are equal, by a pairing.
pub(crate) fn same_scalar(in_g1: &G1Affine, in_g2: &G2Affine) -> bool {
    Bn254::pairing(in_g1, G2Affine::generator()) == Bn254::pairing(G1Affine::generator(), in_g2)
}

/// 128-bit scalars from a seed.
pub(crate) fn challenges(seed: [u8; 32], count: usize) -> Vec<<Fr as PrimeField>::BigInt> {
    let mut rng = ChaCha20Rng::from_seed(seed);
    (0..count)
        .map(|_| {
            let mut integer = Fr::ZERO.into_bigint();
            integer.0[0] = rng.next_u64();
            integer.0[1] = rng.next_u64();
            integer
        })
        .collect()
}

// A sum of the basis' points with coefficients that aren't all zero is the identity only for a τ
// that nobody finds.
fn check_pattern<P: AffineRepr>(points: &[P], used: &[bool], id: u32) -> Result<(), InvalidFile> {
    let differs = |(point, used): (&P, &bool)| point.is_zero() == *used;
    match points.iter().zip(used).position(differs) {
        None => Ok(()),
        Some(_) => Err(contradiction(
            id,
            "its identity points aren't those of the columns without coefficients",
        )),
    }
}

fn contradiction(id: u32, reason: &'static str) -> InvalidFile {
    let place: Place = LAYOUT.place(id);
    InvalidFile::Contradiction { place, reason }
}
