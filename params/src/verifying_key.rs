//! Verifying keys: parsed, then validated, then typed.
//!
//! Attack C3: a key whose phase 2 nobody contributed to has gamma = delta, or delta = the generator
//! of G2, and accepts forged proofs; that mistake cost Veil Cash and FoomCash some $2.3 M in 2026.
//! Such a key is no [`VerifyingKey`] here. Nor is one with an identity point: an IC point at
//! infinity would drop its public input (C2).

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::{
    AffineRepr,
    short_weierstrass::{Affine, SWCurveConfig},
};
use ark_groth16::PreparedVerifyingKey;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use sha2::{Digest, Sha256};
use veilpool_protocol::{
    MeasurerCount,
    verifying_key::{self as layout, LayoutError, Status, VerifyingKeyLayout},
};

use crate::encoding::{InvalidPoint, g1_from_bytes, g1_to_bytes, g2_from_bytes, g2_to_bytes};

/// A point of a verifying key by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPoint {
    /// In G1.
    Alpha,
    /// In G2.
    Beta,
    /// In G2.
    Gamma,
    /// In G2.
    Delta,
    /// In G1: the constant (0) or a public input (from 1).
    Ic(usize),
}

impl core::fmt::Display for KeyPoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Alpha => f.write_str("alpha"),
            Self::Beta => f.write_str("beta"),
            Self::Gamma => f.write_str("gamma"),
            Self::Delta => f.write_str("delta"),
            Self::Ic(index) => write!(f, "IC[{index}]"),
        }
    }
}

/// Why a verifying key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidVerifyingKey {
    /// The bytes are no such file.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The bytes are no key as arkworks writes it, or there are some too many.
    #[error("the bytes aren't a verifying key as arkworks writes it")]
    Malformed,
    /// A point is none.
    #[error("{point}: {source}")]
    Point {
        /// Which.
        point: KeyPoint,
        /// Why.
        source: InvalidPoint,
    },
    /// A point is the identity.
    #[error("{0} is the identity: a proof could be forged, or a public input would not count")]
    Identity(KeyPoint),
    /// Phase 2 never took place.
    #[error(
        "gamma and delta are the same point: nobody contributed to phase 2 of the setup, and proofs can be forged"
    )]
    GammaIsDelta,
    /// Phase 2 never took place.
    #[error(
        "delta is the generator of G2: nobody contributed to phase 2 of the setup, and proofs can be forged"
    )]
    DeltaIsGenerator,
    /// Another number of public inputs.
    #[error("the key has {found} IC points, the circuit wants {expected}")]
    IcCount {
        /// In the key.
        found: usize,
        /// In the circuit.
        expected: usize,
    },
}

/// A verifying key as it was read: nothing is known of its points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawVerifyingKey {
    /// In G1.
    pub alpha: G1Affine,
    /// In G2.
    pub beta: G2Affine,
    /// In G2.
    pub gamma: G2Affine,
    /// In G2.
    pub delta: G2Affine,
    /// In G1: the constant and the public input.
    pub ic: Vec<G1Affine>,
}

/// A verifying key that passed [`RawVerifyingKey::validate`], with what it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifyingKey {
    inner: ark_groth16::VerifyingKey<Bn254>,
    n: MeasurerCount,
    status: Status,
    fingerprint: [u8; 32],
}

impl RawVerifyingKey {
    /// From arkworks' type.
    #[must_use]
    pub fn from_ark(key: &ark_groth16::VerifyingKey<Bn254>) -> Self {
        Self {
            alpha: key.alpha_g1,
            beta: key.beta_g2,
            gamma: key.gamma_g2,
            delta: key.delta_g2,
            ic: key.gamma_abc_g1.clone(),
        }
    }

    /// Checks every point: on the curve, in the subgroup, not the identity; and that phase 2 took
    /// place.
    ///
    /// # Errors
    /// [`InvalidVerifyingKey`], with the first thing that is wrong.
    pub fn validate(
        self,
        n: MeasurerCount,
        status: Status,
        fingerprint: [u8; 32],
    ) -> Result<VerifyingKey, InvalidVerifyingKey> {
        let expected = usize::from(layout::IC_POINTS);
        if self.ic.len() != expected {
            return Err(InvalidVerifyingKey::IcCount {
                found: self.ic.len(),
                expected,
            });
        }
        check_point(KeyPoint::Alpha, &self.alpha)?;
        check_point(KeyPoint::Beta, &self.beta)?;
        check_point(KeyPoint::Gamma, &self.gamma)?;
        check_point(KeyPoint::Delta, &self.delta)?;
        for (index, point) in self.ic.iter().enumerate() {
            check_point(KeyPoint::Ic(index), point)?;
        }
        if self.gamma == self.delta {
            return Err(InvalidVerifyingKey::GammaIsDelta);
        }
        if self.delta == G2Affine::generator() {
            return Err(InvalidVerifyingKey::DeltaIsGenerator);
        }
        Ok(VerifyingKey {
            inner: ark_groth16::VerifyingKey {
                alpha_g1: self.alpha,
                beta_g2: self.beta,
                gamma_g2: self.gamma,
                delta_g2: self.delta,
                gamma_abc_g1: self.ic,
            },
            n,
            status,
            fingerprint,
        })
    }
}

impl VerifyingKey {
    /// From the 616 bytes that the program embeds.
    ///
    /// # Errors
    /// [`InvalidVerifyingKey`].
    pub fn from_on_chain_bytes(bytes: &[u8]) -> Result<Self, InvalidVerifyingKey> {
        let parts = VerifyingKeyLayout::parse(bytes)?;
        let g1 = |point, bytes| {
            g1_from_bytes(bytes).map_err(|source| InvalidVerifyingKey::Point { point, source })
        };
        let g2 = |point, bytes| {
            g2_from_bytes(bytes).map_err(|source| InvalidVerifyingKey::Point { point, source })
        };
        RawVerifyingKey {
            alpha: g1(KeyPoint::Alpha, parts.alpha)?,
            beta: g2(KeyPoint::Beta, parts.beta)?,
            gamma: g2(KeyPoint::Gamma, parts.gamma)?,
            delta: g2(KeyPoint::Delta, parts.delta)?,
            ic: vec![
                g1(KeyPoint::Ic(0), parts.ic[0])?,
                g1(KeyPoint::Ic(1), parts.ic[1])?,
            ],
        }
        .validate(parts.n, parts.status, *parts.fingerprint)
    }

    /// From arkworks' compressed form, which doesn't say what it is for.
    ///
    /// # Errors
    /// [`InvalidVerifyingKey`].
    pub fn from_ark_bytes(
        mut bytes: &[u8],
        n: MeasurerCount,
        status: Status,
        fingerprint: [u8; 32],
    ) -> Result<Self, InvalidVerifyingKey> {
        // A length prefix of a hostile file must not reserve memory: a key has a known size.
        if bytes.len() != ARK_LEN {
            return Err(InvalidVerifyingKey::Malformed);
        }
        let key = ark_groth16::VerifyingKey::<Bn254>::deserialize_compressed(&mut bytes)
            .map_err(|_| InvalidVerifyingKey::Malformed)?;
        if !bytes.is_empty() {
            return Err(InvalidVerifyingKey::Malformed);
        }
        RawVerifyingKey::from_ark(&key).validate(n, status, fingerprint)
    }

    /// The 616 bytes that the program embeds.
    #[must_use]
    pub fn to_on_chain_bytes(&self) -> [u8; layout::LEN] {
        let key = &self.inner;
        VerifyingKeyLayout {
            status: self.status,
            n: self.n,
            fingerprint: &self.fingerprint,
            alpha: &g1_to_bytes(&key.alpha_g1),
            beta: &g2_to_bytes(&key.beta_g2),
            gamma: &g2_to_bytes(&key.gamma_g2),
            delta: &g2_to_bytes(&key.delta_g2),
            ic: [
                &g1_to_bytes(&key.gamma_abc_g1[0]),
                &g1_to_bytes(&key.gamma_abc_g1[1]),
            ],
        }
        .to_bytes()
    }

    /// arkworks' compressed form.
    #[must_use]
    pub fn to_ark_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.inner.compressed_size());
        match self.inner.serialize_compressed(&mut bytes) {
            Ok(()) => bytes,
            Err(error) => unreachable!("writing to memory doesn't fail: {error}"),
        }
    }

    /// SHA-256 of the on-chain form: how the chain names a key.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        Sha256::digest(self.to_on_chain_bytes()).into()
    }

    /// With the pairing of alpha and beta computed.
    #[must_use]
    pub fn prepare(&self) -> PreparedVerifyingKey<Bn254> {
        ark_groth16::prepare_verifying_key(&self.inner)
    }

    /// arkworks' type.
    #[must_use]
    pub const fn as_ark(&self) -> &ark_groth16::VerifyingKey<Bn254> {
        &self.inner
    }

    /// Number of measurers of the circuit.
    #[must_use]
    pub const fn n(&self) -> MeasurerCount {
        self.n
    }

    /// Development or ceremony.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// SHA-256 of the circuit's matrices.
    #[must_use]
    pub const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}

/// Bytes of arkworks' compressed form: alpha, beta, gamma, delta, a length, two IC points.
pub const ARK_LEN: usize = 32 + 3 * 64 + 8 + layout::IC_POINTS as usize * 32;

fn check_point<C: SWCurveConfig>(
    point: KeyPoint,
    value: &Affine<C>,
) -> Result<(), InvalidVerifyingKey> {
    if value.is_zero() {
        return Err(InvalidVerifyingKey::Identity(point));
    }
    if !value.is_on_curve() {
        return Err(InvalidVerifyingKey::Point {
            point,
            source: InvalidPoint::NotOnCurve,
        });
    }
    if !value.is_in_correct_subgroup_assuming_on_curve() {
        return Err(InvalidVerifyingKey::Point {
            point,
            source: InvalidPoint::NotInSubgroup,
        });
    }
    Ok(())
}
