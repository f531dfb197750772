//! A measurer's signed statement on one subject in one epoch: Schnorr for the circuit, Ed25519 for
//! evidence (layouts in `protocol::attestation`).

use ed25519_dalek::Signer;
use rand::{CryptoRng, RngCore};
use veilpool_protocol::{
    AttestationBytes, DomainBytes, EdSignatureBytes, EpochId, Metrics, SubjectBytes,
    attestation::{ed25519_message, pack},
};

use crate::{
    field,
    measurer_key::MeasurerKey,
    schnorr::{MeasurerSecret, Message, SchnorrSignature},
};

/// Both signing keys of a measurer. Zeroized on drop.
pub struct AttestationSigner {
    schnorr: MeasurerSecret,
    ed25519: ed25519_dalek::SigningKey,
}

/// Which part of an attestation does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAttestation {
    /// Bytes that are no signature.
    #[error("the Schnorr signature is malformed: its response is not canonical")]
    MalformedSchnorr,
    /// A signature of something else, or one whose response isn't short.
    #[error(
        "the Schnorr signature does not verify for this key, epoch, subject, values and domain"
    )]
    Schnorr,
    /// A signature of something else.
    #[error(
        "the Ed25519 signature does not verify for this key, epoch, subject, values and domain"
    )]
    Ed25519,
}

impl AttestationSigner {
    /// From both keys.
    #[must_use]
    pub const fn new(schnorr: MeasurerSecret, ed25519: ed25519_dalek::SigningKey) -> Self {
        Self { schnorr, ed25519 }
    }

    /// The Schnorr key.
    #[must_use]
    pub fn measurer_key(&self) -> MeasurerKey {
        self.schnorr.key()
    }

    /// The Ed25519 key.
    #[must_use]
    pub fn ed25519_key(&self) -> ed25519_dalek::VerifyingKey {
        self.ed25519.verifying_key()
    }

    /// Signs what was measured of a subject. Signing two different values for one (subject, epoch)
    /// is equivocation: whoever calls this must have made sure that it happens once.
    pub fn sign<R: RngCore + CryptoRng>(
        &self,
        domain: &DomainBytes,
        subject: &SubjectBytes,
        epoch: EpochId,
        metrics: Metrics,
        rng: &mut R,
    ) -> AttestationBytes {
        let schnorr = self
            .schnorr
            .sign(&message(domain, subject, epoch, &metrics), rng)
            .to_bytes();
        let signature = self
            .ed25519
            .sign(&ed25519_message(domain, subject, epoch, &metrics));
        AttestationBytes {
            metrics,
            schnorr,
            ed25519: EdSignatureBytes::new(signature.to_bytes()),
        }
    }
}

/// What the Schnorr signature is over.
#[must_use]
pub fn message(
    domain: &DomainBytes,
    subject: &SubjectBytes,
    epoch: EpochId,
    metrics: &Metrics,
) -> Message {
    Message {
        packed: field::from_bytes(pack(epoch, metrics)),
        domain: field::from_bytes(domain.to_field()),
        subject: field::from_bytes(subject.to_field()),
    }
}

/// Verifies both signatures of an attestation.
///
/// # Errors
/// [`InvalidAttestation`] with the part that does not hold.
pub fn verify(
    key: &MeasurerKey,
    ed25519_key: &ed25519_dalek::VerifyingKey,
    domain: &DomainBytes,
    subject: &SubjectBytes,
    epoch: EpochId,
    attestation: &AttestationBytes,
) -> Result<(), InvalidAttestation> {
    verify_schnorr(key, domain, subject, epoch, attestation)?;
    let signature = ed25519_dalek::Signature::from_bytes(attestation.ed25519.as_bytes());
    ed25519_key
        .verify_strict(
            &ed25519_message(domain, subject, epoch, &attestation.metrics),
            &signature,
        )
        .map_err(|_| InvalidAttestation::Ed25519)
}

/// Verifies the Schnorr signature only, as the circuit does.
///
/// # Errors
/// [`InvalidAttestation`].
pub fn verify_schnorr(
    key: &MeasurerKey,
    domain: &DomainBytes,
    subject: &SubjectBytes,
    epoch: EpochId,
    attestation: &AttestationBytes,
) -> Result<(), InvalidAttestation> {
    let signature = SchnorrSignature::from_bytes(&attestation.schnorr)
        .map_err(|_| InvalidAttestation::MalformedSchnorr)?;
    key.verify(
        &message(domain, subject, epoch, &attestation.metrics),
        &signature,
    )
    .map_err(|_| InvalidAttestation::Schnorr)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;
    use veilpool_protocol::{Bandwidth, FieldBytes};

    use super::*;

    #[test]
    fn m1_an_attestation_holds_for_exactly_what_was_signed() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let signer = AttestationSigner::new(
            MeasurerSecret::generate(&mut rng),
            ed25519_dalek::SigningKey::from_bytes(&[7; 32]),
        );
        let domain = DomainBytes::from_field(FieldBytes::from_u128(1));
        let subject = SubjectBytes::from_field(FieldBytes::from_u128(2));
        let epoch = EpochId::new(3);
        let attestation = signer.sign(&domain, &subject, epoch, Metrics::default(), &mut rng);
        let (key, ed) = (signer.measurer_key(), signer.ed25519_key());
        let check = |domain: &_, subject: &_, epoch, attestation: &_| {
            verify(&key, &ed, domain, subject, epoch, attestation)
        };
        assert_eq!(check(&domain, &subject, epoch, &attestation), Ok(()));

        let mut better = attestation;
        better.metrics.bandwidth = Bandwidth::new(1000);
        let other = SubjectBytes::from_field(FieldBytes::from_u128(5));
        let elsewhere = DomainBytes::from_field(FieldBytes::from_u128(6));
        let refused = Err(InvalidAttestation::Schnorr);
        assert_eq!(check(&domain, &subject, epoch, &better), refused);
        assert_eq!(check(&domain, &other, epoch, &attestation), refused);
        assert_eq!(check(&elsewhere, &subject, epoch, &attestation), refused);
        assert_eq!(
            check(&domain, &subject, EpochId::new(4), &attestation),
            refused
        );

        let mut unsigned = attestation;
        unsigned.ed25519 = EdSignatureBytes::new([0; 64]);
        assert_eq!(
            check(&domain, &subject, epoch, &unsigned),
            Err(InvalidAttestation::Ed25519)
        );
    }
}
