//! A development `.ptau` file: powers of a τ that everybody can compute, in snarkjs' form and prepared for phase 2.
//!
//! ```text
//! section  2  τⁱ·G₁, i < 2^(p+1) − 1        3  τⁱ·G₂      4  ατⁱ·G₁      5  βτⁱ·G₁      i < 2^p      6  β·G₂
//! section 12  Lᵏᵢ(τ)·G₁, k ≤ p + 1          13 Lᵏᵢ(τ)·G₂  14 αLᵏᵢ(τ)·G₁  15 βLᵏᵢ(τ)·G₁  k ≤ p, i < 2ᵏ
//! Lᵏᵢ(τ) = ωⁱ(τ^m − 1) / (m(τ − ωⁱ)),  m = 2ᵏ, ω a primitive m-th root of unity
//! ```
//! snarkjs computes the same from unknown powers (`powersoftau new`, `contribute`, `prepare phase2`) in a quarter of an
//! hour of processor time; who knows τ needs seconds. Coordinates are little-endian in Montgomery form. The file is for
//! measuring: whoever reads [`LABEL`] can forge proofs under every key made from it.

use std::io::{self, Write};

use ark_bn254::{Fq, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, PrimeGroup, scalar_mul::BatchMulPreprocessing};
use ark_ff::{BigInteger, FftField, Field, One, PrimeField, UniformRand, batch_inversion};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

/// What τ, α and β are drawn from.
pub const LABEL: &str = "veilpool insecure development powers of tau: anybody can forge";

/// Writes the file for circuits of up to `2^power` rows.
///
/// # Errors
/// Those of the writer.
pub fn write(power: u32, mut out: impl Write) -> io::Result<()> {
    let rng = &mut ChaCha20Rng::from_seed(Sha256::digest(LABEL).into());
    let [tau, alpha, beta] = [(); 3].map(|()| Fr::rand(rng));
    let size = 1usize << power;
    let powers: Vec<Fr> = std::iter::successors(Some(Fr::one()), |last| Some(*last * tau))
        .take(2 * size - 1)
        .collect();
    let lagrange: Vec<Fr> = (0..=power + 1).flat_map(|k| lagrange(k, tau)).collect();
    let (powers_low, lagrange_low) = (&powers[..size], &lagrange[..2 * size - 1]);
    let times =
        |scalars: &[Fr], factor: Fr| scalars.iter().map(|s| *s * factor).collect::<Vec<_>>();

    let g1 = BatchMulPreprocessing::new(G1Projective::generator(), lagrange.len());
    let g2 = BatchMulPreprocessing::new(G2Projective::generator(), lagrange_low.len());
    out.write_all(b"ptau")?;
    out.write_all(&1u32.to_le_bytes())?;
    out.write_all(&11u32.to_le_bytes())?;

    let mut header = 32u32.to_le_bytes().to_vec();
    header.extend(Fq::MODULUS.to_bytes_le());
    header.extend(power.to_le_bytes());
    header.extend(power.to_le_bytes());
    section(&mut out, 1, &header)?;
    section(&mut out, 2, &g1_bytes(&g1.batch_mul(&powers)))?;
    section(&mut out, 3, &g2_bytes(&g2.batch_mul(powers_low)))?;
    section(
        &mut out,
        4,
        &g1_bytes(&g1.batch_mul(&times(powers_low, alpha))),
    )?;
    section(
        &mut out,
        5,
        &g1_bytes(&g1.batch_mul(&times(powers_low, beta))),
    )?;
    section(&mut out, 6, &g2_bytes(&g2.batch_mul(&[beta])))?;
    // No contributions.
    section(&mut out, 7, &0u32.to_le_bytes())?;
    section(&mut out, 12, &g1_bytes(&g1.batch_mul(&lagrange)))?;
    section(&mut out, 13, &g2_bytes(&g2.batch_mul(lagrange_low)))?;
    section(
        &mut out,
        14,
        &g1_bytes(&g1.batch_mul(&times(lagrange_low, alpha))),
    )?;
    section(
        &mut out,
        15,
        &g1_bytes(&g1.batch_mul(&times(lagrange_low, beta))),
    )?;
    out.flush()
}

// The values at τ of the Lagrange basis of the 2ᵏ-th roots of unity.
fn lagrange(k: u32, tau: Fr) -> Vec<Fr> {
    let size = 1u64 << k;
    let Some(root) = Fr::get_root_of_unity(size) else {
        unreachable!("2^28 divides r − 1")
    };
    let roots: Vec<Fr> = std::iter::successors(Some(Fr::one()), |last| Some(*last * root))
        .take(size as usize)
        .collect();
    let size = Fr::from(size);
    let vanishing = tau.pow(size.into_bigint()) - Fr::one();
    // τ is no root of unity: it was drawn from 2^254 elements, and a zero here would stay one and be seen.
    let mut inverses: Vec<Fr> = roots.iter().map(|root| size * (tau - root)).collect();
    batch_inversion(&mut inverses);
    let terms = roots.iter().zip(inverses);
    terms
        .map(|(root, inverse)| *root * vanishing * inverse)
        .collect()
}

fn section(out: &mut impl Write, id: u32, content: &[u8]) -> io::Result<()> {
    out.write_all(&id.to_le_bytes())?;
    out.write_all(&(content.len() as u64).to_le_bytes())?;
    out.write_all(content)
}

// Scalars here are never 0, so no point is the one at infinity.
fn g1_bytes(points: &[G1Affine]) -> Vec<u8> {
    let coordinates = points.iter().filter_map(AffineRepr::xy);
    coordinates
        .flat_map(|(x, y)| [x, y])
        .flat_map(montgomery)
        .collect()
}

fn g2_bytes(points: &[G2Affine]) -> Vec<u8> {
    let coordinates = points.iter().filter_map(AffineRepr::xy);
    coordinates
        .flat_map(|(x, y)| [x.c0, x.c1, y.c0, y.c1])
        .flat_map(montgomery)
        .collect()
}

// arkworks keeps elements in Montgomery form, with the same R = 2^256 as snarkjs.
fn montgomery(element: Fq) -> Vec<u8> {
    element.0.to_bytes_le()
}

#[cfg(test)]
mod tests {
    use ark_bn254::Bn254;
    use ark_ec::pairing::Pairing;

    use super::*;

    #[test]
    fn the_lagrange_basis_is_one_and_interpolates() {
        let tau = Fr::from(12_345u64);
        for k in 0..6 {
            let basis = lagrange(k, tau);
            assert_eq!(basis.iter().sum::<Fr>(), Fr::one());
            let root = Fr::get_root_of_unity(1 << k).unwrap_or_default();
            let at_roots = (0..1u64 << k).map(|i| root.pow([i]));
            let identity: Fr = basis.iter().zip(at_roots).map(|(l, x)| *l * x).sum();
            // X has degree 1: one point doesn't determine it.
            assert_eq!(identity, if k == 0 { Fr::one() } else { tau });
        }
    }

    #[test]
    fn sections_are_as_long_as_snarkjs_expects_and_powers_are_powers() {
        let mut file = Vec::new();
        assert!(write(2, &mut file).is_ok());
        let (mut at, mut sections) = (12, Vec::new());
        while at < file.len() {
            let id = u32::from_le_bytes(file[at..at + 4].try_into().unwrap_or_default());
            let length = u64::from_le_bytes(file[at + 4..at + 12].try_into().unwrap_or_default());
            sections.push((id, length, at + 12));
            at += 12 + length as usize;
        }
        let lengths: Vec<(u32, u64)> = sections
            .iter()
            .map(|(id, length, _)| (*id, *length))
            .collect();
        assert_eq!(
            lengths,
            [
                (1, 44),
                (2, 7 * 64),
                (3, 4 * 128),
                (4, 4 * 64),
                (5, 4 * 64),
                (6, 128),
                (7, 4),
                (12, 15 * 64),
                (13, 7 * 128),
                (14, 7 * 64),
                (15, 7 * 64)
            ]
        );
        let g1 = |section: usize, index: usize| {
            let at = sections[section].2 + 64 * index;
            G1Affine::new(coordinate(&file[at..]), coordinate(&file[at + 32..]))
        };
        let g2 = |section: usize, index: usize| {
            let at = sections[section].2 + 128 * index;
            let [a, b, c, d] = [0, 32, 64, 96].map(|offset| coordinate(&file[at + offset..]));
            G2Affine::new(ark_bn254::Fq2::new(a, b), ark_bn254::Fq2::new(c, d))
        };
        assert_eq!(g1(1, 0), G1Affine::generator());
        assert_eq!(g2(2, 0), G2Affine::generator());
        // e(τ²G₁, τ G₂) = e(τ³ G₁, G₂), e(ατG₁, G₂) = e(αG₁, τG₂), e(βG₁, G₂) = e(G₁, βG₂)
        for ([a, c], [b, d]) in [
            ([g1(1, 2), g1(1, 3)], [g2(2, 1), g2(2, 0)]),
            ([g1(3, 0), g1(3, 1)], [g2(2, 1), g2(2, 0)]),
            ([g1(1, 0), g1(4, 0)], [g2(5, 0), g2(2, 0)]),
        ] {
            assert_eq!(Bn254::pairing(a, b), Bn254::pairing(c, d));
        }
    }

    fn coordinate(bytes: &[u8]) -> Fq {
        let mut limbs = [0u64; 4];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
        }
        Fq::new_unchecked(ark_ff::BigInt(limbs))
    }
}
