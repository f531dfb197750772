//! Whether powers are powers, and writing them.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM, pairing::Pairing};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use sha2::{Digest, Sha256};

use super::*;
use crate::{
    container::Writer,
    elements::point_to_bytes,
    zkey::{challenges, same_scalar},
};

impl PowersOfTau {
    /// Reads, for domains of up to 2^log points, validates, and checks the ratios.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn from_bytes(bytes: &[u8], log: u32) -> Result<Self, InvalidFile> {
        let powers = RawPtau::parse(bytes)?.powers(log)?;
        powers.check_ratios()?;
        Ok(powers)
    }

    /// That each list is one of successive powers of the same τ, and that β is the same in G1 and G2:
    ///
    /// ```text
    /// e(Σ ρᵢ·Pᵢ, τ·g₂) = e(Σ ρᵢ·Pᵢ₊₁, g₂)
    /// ```
    /// for each list P in G1, and the same in G2, with 128-bit ρᵢ drawn from a hash of all points. What the file doesn't
    /// prove is that τ is known to nobody.
    ///
    /// # Errors
    /// [`InvalidFile::Contradiction`].
    pub fn check_ratios(&self) -> Result<(), InvalidFile> {
        if !self
            .beta_tau_g1
            .first()
            .is_none_or(|beta| same_scalar(beta, &self.beta_g2))
        {
            return Err(contradiction(
                BETA_G2,
                "beta isn't the same scalar as in section 5 (betaTauG1)",
            ));
        }
        let (Some(tau_g1), Some(tau_g2)) = (self.tau_g1.get(1), self.tau_g2.get(1)) else {
            return Ok(());
        };
        let seed = self.hash();
        for (id, list) in [
            (TAU_G1, &self.tau_g1),
            (ALPHA_TAU_G1, &self.alpha_tau_g1),
            (BETA_TAU_G1, &self.beta_tau_g1),
        ] {
            let scalars = challenges(seed, list.len().saturating_sub(1));
            let low = G1Projective::msm_bigint(list, &scalars).into_affine();
            let high = G1Projective::msm_bigint(&list[1..], &scalars).into_affine();
            if Bn254::pairing(low, tau_g2) != Bn254::pairing(high, G2Affine::generator()) {
                return Err(contradiction(id, NOT_POWERS));
            }
        }
        let scalars = challenges(seed, self.tau_g2.len().saturating_sub(1));
        let low = G2Projective::msm_bigint(&self.tau_g2, &scalars).into_affine();
        let high = G2Projective::msm_bigint(&self.tau_g2[1..], &scalars).into_affine();
        if Bn254::pairing(tau_g1, low) != Bn254::pairing(G1Affine::generator(), high) {
            return Err(contradiction(TAU_G2, NOT_POWERS));
        }
        Ok(())
    }

    /// That a Lagrange basis is that of these powers: with random values ρᵢ and the coefficients σⱼ of the polynomial that
    /// has them on the roots of unity, `Σ ρᵢ·ℓᵢ(τ) = Σ σⱼ·τʲ` in each list.
    ///
    /// # Errors
    /// [`InvalidFile`].
    pub fn check_lagrange(&self, basis: &Lagrange) -> Result<(), InvalidFile> {
        let n = basis.tau_g1.len();
        let wrong = |id| contradiction(id, "its points aren't the Lagrange basis of the powers");
        let domain = GeneralEvaluationDomain::<Fr>::new(n)
            .filter(|domain| domain.size() == n && n <= self.tau_g2.len())
            .ok_or_else(|| wrong(LAGRANGE_TAU_G1))?;
        let values = challenges(self.hash(), n);
        let values: Vec<Fr> = values.into_iter().map(Fr::from).collect();
        let coefficients = domain.ifft(&values);
        for (id, points, powers) in [
            (LAGRANGE_TAU_G1, &basis.tau_g1, &self.tau_g1),
            (
                LAGRANGE_ALPHA_TAU_G1,
                &basis.alpha_tau_g1,
                &self.alpha_tau_g1,
            ),
            (LAGRANGE_BETA_TAU_G1, &basis.beta_tau_g1, &self.beta_tau_g1),
        ] {
            let by_values = G1Projective::msm(points, &values);
            let by_powers = G1Projective::msm(&powers[..n], &coefficients);
            if by_values.is_err() || by_values != by_powers {
                return Err(wrong(id));
            }
        }
        let by_values = G2Projective::msm(&basis.tau_g2, &values);
        let by_powers = G2Projective::msm(&self.tau_g2[..n], &coefficients);
        if by_values.is_err() || by_values != by_powers {
            return Err(wrong(LAGRANGE_TAU_G2));
        }
        Ok(())
    }

    fn hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(b"veilpool/ptau/ratios");
        for list in [&self.tau_g1, &self.alpha_tau_g1, &self.beta_tau_g1] {
            for point in list {
                hasher.update(point_to_bytes(point));
            }
        }
        for point in &self.tau_g2 {
            hasher.update(point_to_bytes(point));
        }
        hasher.update(point_to_bytes(&self.beta_g2));
        hasher.finalize().into()
    }

    /// As a file without contributions, not prepared for phase 2. None unless the lists have 2n − 1 and n points for a
    /// power of two n.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let n = self.tau_g2.len();
        let fits = n.is_power_of_two()
            && n.ilog2() <= MAX_POWER
            && self.tau_g1.len() == 2 * n - 1
            && self.alpha_tau_g1.len() == n
            && self.beta_tau_g1.len() == n;
        if !fits {
            return None;
        }
        let sizes = [
            HEADER_LEN,
            self.tau_g1.len() * G1_LEN,
            n * G2_LEN,
            n * G1_LEN,
            n * G1_LEN,
            G2_LEN,
            4,
        ];
        let mut file = Writer::new(&LAYOUT, &sizes);
        let writer = &mut file;
        writer.section(HEADER, HEADER_LEN);
        writer.u32(ELEMENT_LEN as u32);
        writer.bytes(&base_order());
        writer.u32(n.ilog2());
        writer.u32(n.ilog2());
        write_points(writer, TAU_G1, &self.tau_g1);
        write_points(writer, TAU_G2, &self.tau_g2);
        write_points(writer, ALPHA_TAU_G1, &self.alpha_tau_g1);
        write_points(writer, BETA_TAU_G1, &self.beta_tau_g1);
        write_points(writer, BETA_G2, &[self.beta_g2]);
        writer.section(CONTRIBUTIONS, 4);
        writer.u32(0);
        Some(file.finish())
    }
}

const NOT_POWERS: &str = "its points aren't successive powers of the file's tau";

fn write_points<P: Point>(writer: &mut Writer, id: u32, points: &[P]) {
    writer.section(id, points.len() * P::LEN);
    for point in points {
        writer.bytes(&point_to_bytes(point));
    }
}
