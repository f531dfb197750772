//! `.ptau`: powers of tau, what phase 1 of a setup gives.
//!
//! ```text
//! version 1, with n = 2^power
//!  1 header          n8 u32 = 32 ‖ q (n8) ‖ power u32 ‖ power of the ceremony u32
//!  2 tauG1           τⁱ·g₁          for 0 ≤ i < 2n − 1
//!  3 tauG2           τⁱ·g₂          for 0 ≤ i < n
//!  4 alphaTauG1      α·τⁱ·g₁        for 0 ≤ i < n
//!  5 betaTauG1       β·τⁱ·g₁        for 0 ≤ i < n
//!  6 betaG2          β·g₂
//!  7 contributions   number u32, then each: tau₁ ‖ tau₂ ‖ alpha₁ ‖ beta₁ ‖ beta₂ ‖ public key (6 in G1 ‖ 3 in G2) ‖ partial hash (216)
//!                    ‖ next challenge (64) ‖ type u32 ‖ size u32 ‖ parameters
//! 12 lagrange tauG1  \
//! 13 … tauG2          | in a file that is prepared for phase 2: for each p from 0 to power (12: to power + 1) the Lagrange
//! 14 … alphaTauG1     | basis of the 2^p-th roots of unity at τ, 2^p points, times 1, 1, α, β
//! 15 … betaTauG1     /
//! ```
//! Points in Montgomery form. The first 2^p of the powers are a smaller file's, so a large ceremony serves small circuits.
//! The last block of section 12 is made of one power too few, and is good for polynomials of degree ≤ 2n − 2 only.
//!
//! Reference: `powersoftau_new.js`, `powersoftau_utils.js` and `powersoftau_preparephase2.js` of snarkjs.

mod powers;

use ark_bn254::{G1Affine, G2Affine};
use ark_ec::AffineRepr;

use crate::{
    container::{Cursor, Layout, Sections},
    elements::{
        BASE_ORDER_NAME, ELEMENT_LEN, G1_LEN, G2_LEN, Point, base_order, no_identity, read_order,
        read_point, read_points,
    },
    error::{Format, InvalidFile},
};

const HEADER: u32 = 1;
const TAU_G1: u32 = 2;
const TAU_G2: u32 = 3;
const ALPHA_TAU_G1: u32 = 4;
const BETA_TAU_G1: u32 = 5;
const BETA_G2: u32 = 6;
const CONTRIBUTIONS: u32 = 7;
const LAGRANGE_TAU_G1: u32 = 12;
const LAGRANGE_TAU_G2: u32 = 13;
const LAGRANGE_ALPHA_TAU_G1: u32 = 14;
const LAGRANGE_BETA_TAU_G1: u32 = 15;

const HEADER_LEN: usize = 4 + ELEMENT_LEN + 4 + 4;
/// The field's largest group of roots of unity.
pub const MAX_POWER: u32 = 28;
/// What stands in a contribution before the length of its parameters.
const CONTRIBUTION_LEN: usize = (3 + 6) * G1_LEN + (2 + 3) * G2_LEN + 216 + 64 + 4;

static LAYOUT: Layout = Layout {
    format: Format::Ptau,
    version: 1,
    sections: &[
        (HEADER, "header"),
        (TAU_G1, "tauG1"),
        (TAU_G2, "tauG2"),
        (ALPHA_TAU_G1, "alphaTauG1"),
        (BETA_TAU_G1, "betaTauG1"),
        (BETA_G2, "betaG2"),
        (CONTRIBUTIONS, "contributions"),
        (LAGRANGE_TAU_G1, "Lagrange tauG1"),
        (LAGRANGE_TAU_G2, "Lagrange tauG2"),
        (LAGRANGE_ALPHA_TAU_G1, "Lagrange alphaTauG1"),
        (LAGRANGE_BETA_TAU_G1, "Lagrange betaTauG1"),
    ],
};

/// A file whose sizes fit; nothing is known of its points.
#[derive(Clone)]
pub struct RawPtau<'a> {
    power: u32,
    ceremony_power: u32,
    contributions: u32,
    tau_g1: Cursor<'a>,
    tau_g2: Cursor<'a>,
    alpha_tau_g1: Cursor<'a>,
    beta_tau_g1: Cursor<'a>,
    beta_g2: Cursor<'a>,
    lagrange: Option<[Cursor<'a>; 4]>,
}

/// Powers whose points are in their groups, for domains of up to n = 2^log points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowersOfTau {
    /// `τⁱ·g₁`, 2n − 1 of them.
    pub tau_g1: Vec<G1Affine>,
    /// `τⁱ·g₂`, n of them.
    pub tau_g2: Vec<G2Affine>,
    /// `α·τⁱ·g₁`, n of them.
    pub alpha_tau_g1: Vec<G1Affine>,
    /// `β·τⁱ·g₁`, n of them.
    pub beta_tau_g1: Vec<G1Affine>,
    /// `β·g₂`.
    pub beta_g2: G2Affine,
}

/// A Lagrange basis at τ, of the n-th roots of unity in arkworks' order; n points each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lagrange {
    /// `ℓᵢ(τ)·g₁`.
    pub tau_g1: Vec<G1Affine>,
    /// `ℓᵢ(τ)·g₂`.
    pub tau_g2: Vec<G2Affine>,
    /// `α·ℓᵢ(τ)·g₁`.
    pub alpha_tau_g1: Vec<G1Affine>,
    /// `β·ℓᵢ(τ)·g₁`.
    pub beta_tau_g1: Vec<G1Affine>,
}

impl<'a> RawPtau<'a> {
    /// Of a file's bytes.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, InvalidFile> {
        let sections = Sections::parse(bytes, &LAYOUT)?;
        let mut header = sections.required(HEADER)?;
        read_order(&mut header, base_order(), BASE_ORDER_NAME)?;
        let power = header.u32()?;
        if power > MAX_POWER {
            let expected = format!("up to {MAX_POWER}");
            return Err(header.number("power", expected, power));
        }
        let ceremony_power = header.u32()?;
        if ceremony_power < power || ceremony_power > MAX_POWER {
            let expected = format!("from {power} to {MAX_POWER}");
            return Err(header.number("power of the ceremony", expected, ceremony_power));
        }
        header.finish()?;

        let n = 1u64 << power;
        let points = |id, items: u64, len: usize| -> Result<Cursor<'a>, InvalidFile> {
            let section = sections.required(id)?;
            section.clone().exactly(items, len as u64)?;
            Ok(section)
        };
        let is_prepared = [
            LAGRANGE_TAU_G1,
            LAGRANGE_TAU_G2,
            LAGRANGE_ALPHA_TAU_G1,
            LAGRANGE_BETA_TAU_G1,
        ]
        .into_iter()
        .any(|id| sections.optional(id).is_some());
        let lagrange = if is_prepared {
            Some([
                points(LAGRANGE_TAU_G1, 4 * n - 1, G1_LEN)?,
                points(LAGRANGE_TAU_G2, 2 * n - 1, G2_LEN)?,
                points(LAGRANGE_ALPHA_TAU_G1, 2 * n - 1, G1_LEN)?,
                points(LAGRANGE_BETA_TAU_G1, 2 * n - 1, G1_LEN)?,
            ])
        } else {
            None
        };
        Ok(Self {
            power,
            ceremony_power,
            tau_g1: points(TAU_G1, 2 * n - 1, G1_LEN)?,
            tau_g2: points(TAU_G2, n, G2_LEN)?,
            alpha_tau_g1: points(ALPHA_TAU_G1, n, G1_LEN)?,
            beta_tau_g1: points(BETA_TAU_G1, n, G1_LEN)?,
            beta_g2: points(BETA_G2, 1, G2_LEN)?,
            contributions: count_contributions(sections.required(CONTRIBUTIONS)?)?,
            lagrange,
        })
    }

    /// The largest domain has 2^power points.
    #[must_use]
    pub const fn power(&self) -> u32 {
        self.power
    }

    /// Of the ceremony that this file was cut from.
    #[must_use]
    pub const fn ceremony_power(&self) -> u32 {
        self.ceremony_power
    }

    /// How many people and beacons took part. What they contributed isn't checked here.
    #[must_use]
    pub const fn contributions(&self) -> u32 {
        self.contributions
    }

    /// Whether it has the sections that phase 2 begins with.
    #[must_use]
    pub const fn is_prepared(&self) -> bool {
        self.lagrange.is_some()
    }

    /// The powers for domains of up to 2^log points: reads and checks only those.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn powers(&self, log: u32) -> Result<PowersOfTau, InvalidFile> {
        let n = self.size(log)?;
        let powers = PowersOfTau {
            tau_g1: read_range(&self.tau_g1, 0, 2 * n - 1)?,
            tau_g2: read_range(&self.tau_g2, 0, n)?,
            alpha_tau_g1: read_range(&self.alpha_tau_g1, 0, n)?,
            beta_tau_g1: read_range(&self.beta_tau_g1, 0, n)?,
            beta_g2: read_point(&mut self.beta_g2.clone(), 0)?,
        };
        no_identity(&powers.tau_g1, LAYOUT.place(TAU_G1))?;
        no_identity(&powers.tau_g2, LAYOUT.place(TAU_G2))?;
        no_identity(&powers.alpha_tau_g1, LAYOUT.place(ALPHA_TAU_G1))?;
        no_identity(&powers.beta_tau_g1, LAYOUT.place(BETA_TAU_G1))?;
        no_identity(&[powers.beta_g2], LAYOUT.place(BETA_G2))?;
        if powers.tau_g1.first() != Some(&G1Affine::generator()) {
            return Err(contradiction(TAU_G1, "its first point isn't the generator"));
        }
        if powers.tau_g2.first() != Some(&G2Affine::generator()) {
            return Err(contradiction(TAU_G2, "its first point isn't the generator"));
        }
        if powers.tau_g1.get(1) == Some(&G1Affine::generator()) {
            return Err(contradiction(
                TAU_G1,
                "tau is 1: nobody contributed, and proofs can be forged",
            ));
        }
        Ok(powers)
    }

    /// The Lagrange basis of the 2^log-th roots of unity; none when the file isn't prepared for phase 2.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn lagrange(&self, log: u32) -> Result<Option<Lagrange>, InvalidFile> {
        let n = self.size(log)?;
        let Some([tau_g1, tau_g2, alpha_tau_g1, beta_tau_g1]) = &self.lagrange else {
            return Ok(None);
        };
        // The blocks before have 1 + 2 + … + n/2 points.
        Ok(Some(Lagrange {
            tau_g1: read_range(tau_g1, n - 1, n)?,
            tau_g2: read_range(tau_g2, n - 1, n)?,
            alpha_tau_g1: read_range(alpha_tau_g1, n - 1, n)?,
            beta_tau_g1: read_range(beta_tau_g1, n - 1, n)?,
        }))
    }

    fn size(&self, log: u32) -> Result<u64, InvalidFile> {
        if log > self.power {
            return Err(InvalidFile::Number {
                place: LAYOUT.place(HEADER),
                what: "power",
                expected: format!("at least {log}, by what is asked for"),
                found: self.power.into(),
            });
        }
        Ok(1 << log)
    }
}

fn read_range<P: Point>(
    section: &Cursor<'_>,
    from: u64,
    count: u64,
) -> Result<Vec<P>, InvalidFile> {
    let mut cursor = section.clone();
    cursor.take(from * P::LEN as u64)?;
    read_points(cursor.take(count * P::LEN as u64)?, section.place)
}

fn count_contributions(mut cursor: Cursor<'_>) -> Result<u32, InvalidFile> {
    let count = cursor.u32()?;
    for _ in 0..count {
        cursor.take(CONTRIBUTION_LEN as u64)?;
        let len = cursor.u32()?;
        cursor.take(len.into())?;
    }
    cursor.finish()?;
    Ok(count)
}

fn contradiction(id: u32, reason: &'static str) -> InvalidFile {
    InvalidFile::Contradiction {
        place: LAYOUT.place(id),
        reason,
    }
}
