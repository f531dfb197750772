//! The client of measurers, and the judge of what they sign.

use ed25519_dalek::VerifyingKey;
use veilpool_primitives::{InvalidAttestation, MeasurerKey, MeasurerSet, attestation};
use veilpool_protocol::{
    DomainBytes, EpochId, SubjectBytes,
    api::{ListingReceipt, ListingRequest, MeasurerInfo, ResultsReport, SignedAttestation},
};

use crate::http::{FetchError, Http};

/// A measurer's API.
#[derive(Clone, Debug)]
pub struct Measurer {
    http: Http,
    url: String,
}

impl Measurer {
    /// At a URL.
    #[must_use]
    pub const fn new(http: Http, url: String) -> Self {
        Self { http, url }
    }

    /// Where.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn info(&self) -> Result<MeasurerInfo, FetchError> {
        self.http.get(&self.url, "v1/info").await
    }

    /// Asks to be measured. Asking again changes nothing.
    ///
    /// # Errors
    /// [`FetchError`]; [`FetchError::Malformed`] for a receipt of another epoch.
    pub async fn list(&self, listing: &ListingRequest) -> Result<ListingReceipt, FetchError> {
        let receipt: ListingReceipt = self
            .http
            .post(&self.url, "v1/listings", listing, None)
            .await?;
        if receipt.epoch == listing.epoch {
            Ok(receipt)
        } else {
            Err(FetchError::Malformed {
                url: self.url.clone(),
                reason: "a receipt of another epoch".to_owned(),
            })
        }
    }

    /// What it has signed. To be judged with [`check`].
    ///
    /// # Errors
    /// [`FetchError`]; before the epoch has ended with the code `not_ready`.
    pub async fn attestation(
        &self,
        epoch: EpochId,
        subject: &SubjectBytes,
    ) -> Result<SignedAttestation, FetchError> {
        let path = format!(
            "v1/attestations/{epoch}/{}",
            hex::encode(subject.as_bytes())
        );
        self.http.get(&self.url, &path).await
    }

    /// What it saw, slot by slot.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn results(
        &self,
        epoch: EpochId,
        subject: &SubjectBytes,
    ) -> Result<ResultsReport, FetchError> {
        let path = format!("v1/results/{epoch}/{}", hex::encode(subject.as_bytes()));
        self.http.get(&self.url, &path).await
    }
}

/// Why an attestation is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttestationFault {
    /// Of another epoch.
    #[error("it is of epoch {found}, not {expected}")]
    Epoch {
        /// Of the attestation.
        found: EpochId,
        /// Asked for.
        expected: EpochId,
    },
    /// About somebody else.
    #[error("it is about another subject")]
    Subject,
    /// Not one of the pool's measurers.
    #[error("its key isn't one of the pool's measurers")]
    UnknownMeasurer,
    /// Ed25519 bytes that are no key.
    #[error("its Ed25519 key is no key")]
    MalformedEd25519Key,
    /// A signature doesn't hold.
    #[error(transparent)]
    Signature(#[from] InvalidAttestation),
}

/// Judges an attestation; gives the measurer's slot in the set.
///
/// # Errors
/// [`AttestationFault`].
pub fn check(
    signed: &SignedAttestation,
    set: &MeasurerSet,
    domain: &DomainBytes,
    epoch: EpochId,
    subject: &SubjectBytes,
) -> Result<usize, AttestationFault> {
    if signed.epoch != epoch {
        return Err(AttestationFault::Epoch {
            found: signed.epoch,
            expected: epoch,
        });
    }
    if signed.subject != *subject {
        return Err(AttestationFault::Subject);
    }
    let key = MeasurerKey::from_bytes(&signed.attestation_key)
        .map_err(|_| AttestationFault::UnknownMeasurer)?;
    let slot = set.slot(&key).ok_or(AttestationFault::UnknownMeasurer)?;
    let ed25519 = VerifyingKey::from_bytes(signed.ed25519_key.as_bytes())
        .map_err(|_| AttestationFault::MalformedEd25519Key)?;
    attestation::verify(&key, &ed25519, domain, subject, epoch, &signed.attestation)?;
    Ok(slot)
}
