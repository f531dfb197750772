//! What a claim is proven from: as a typed value, and as a JSON document without the secret.
//!
//! ```json
//! { "claimed": { "registry_root": "…", "set_hash": "…", "epoch": 7, "thresholds": {…}, "nullifier": "…", "binding": "…" },
//!   "domain": "…", "path": { "index": 2, "siblings": [["…", "…", "…"], …] },
//!   "measurers": [{ "u": "…", "shifted_u": "…" }, …], "attestations": [{ "metrics": {…}, "schnorr": "…" }, null, …] }
//! ```
//! Field elements are 64 lower-case hexadecimal digits, big-endian. The operator's secret isn't in
//! the document: it stays in the identity file, and is joined to the rest in memory.

use serde::{Deserialize, Serialize};
use veilpool_circuits::claim::{Attestation, PublicInputs, Witness};
use veilpool_primitives::{
    MeasurerSet, MeasurerSetError, MerklePath, OperatorSecret, SchnorrSignature, field,
};
use veilpool_protocol::{
    AttestationBytes, DomainBytes, FieldBytes, MeasurerCount, MeasurerKeyBytes, Metrics,
    SchnorrSignatureBytes, claim,
    registry::{CAPACITY, DEPTH, SIBLINGS},
};

/// Everything that a proof of a claim needs. Zeroized on drop; no `Debug`, no `Serialize`.
pub struct ClaimInputs {
    claimed: claim::PublicInputs,
    domain: DomainBytes,
    path: MerklePath,
    measurers: MeasurerSet,
    attestations: Vec<Option<Attestation>>,
    secret: OperatorSecret,
}

/// Why values are no inputs of a claim. (That they are inputs doesn't mean that the claim holds.)
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// Not JSON of this form.
    #[error("the claim's document isn't of the expected form: {0}")]
    Malformed(String),
    /// The measurers make no set.
    #[error("the claim's measurers: {0}")]
    Measurers(#[from] MeasurerSetError),
    /// Another number of slots than of measurers.
    #[error(
        "the claim has {attestations} attestation slots for {measurers} measurers; absent ones must be null"
    )]
    SlotCount {
        /// Slots.
        attestations: usize,
        /// Measurers.
        measurers: usize,
    },
    /// A response that is no scalar.
    #[error(
        "the signature in slot {slot} is malformed: its response isn't less than the subgroup's order"
    )]
    Signature {
        /// From 0.
        slot: usize,
    },
    /// An index beyond the tree.
    #[error("the path's index {0} is beyond the registry's last leaf")]
    PathIndex(u32),
    /// A path of another depth.
    #[error("the path has {0} levels, the registry has {DEPTH}")]
    PathDepth(usize),
    /// The secret is zero.
    #[error("the operator's secret is zero")]
    ZeroSecret,
}

/// A claim's inputs without the secret, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimDocument {
    /// What the public input folds.
    pub claimed: claim::PublicInputs,
    /// Cluster, program and pool.
    pub domain: DomainBytes,
    /// From the leaf to the root.
    pub path: PathDocument,
    /// Keys in order.
    pub measurers: Vec<MeasurerKeyBytes>,
    /// One for each measurer, `null` where there is none.
    pub attestations: Vec<Option<AttestationDocument>>,
}

/// A path, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathDocument {
    /// Of the leaf, from 0.
    pub index: u32,
    /// The three others at each level, from the leaf's level upwards.
    pub siblings: Vec<[FieldBytes; SIBLINGS]>,
}

/// An attestation's part that the circuit takes, as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestationDocument {
    /// What was measured.
    pub metrics: Metrics,
    /// The Schnorr signature.
    pub schnorr: SchnorrSignatureBytes,
}

impl From<&AttestationBytes> for AttestationDocument {
    fn from(attestation: &AttestationBytes) -> Self {
        Self {
            metrics: attestation.metrics,
            schnorr: attestation.schnorr,
        }
    }
}

impl ClaimInputs {
    /// From typed values; `attestations` by slot.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn new(
        claimed: claim::PublicInputs,
        domain: DomainBytes,
        path: MerklePath,
        measurers: MeasurerSet,
        attestations: &[Option<AttestationDocument>],
        secret: OperatorSecret,
    ) -> Result<Self, InputError> {
        if attestations.len() != measurers.keys().len() {
            return Err(InputError::SlotCount {
                attestations: attestations.len(),
                measurers: measurers.keys().len(),
            });
        }
        if path.index >= CAPACITY {
            return Err(InputError::PathIndex(path.index));
        }
        let attestations = attestations
            .iter()
            .enumerate()
            .map(|(slot, attestation)| {
                attestation
                    .map(|attestation| {
                        let signature = SchnorrSignature::from_bytes(&attestation.schnorr)
                            .map_err(|_| InputError::Signature { slot })?;
                        Ok(Attestation {
                            metrics: attestation.metrics,
                            signature,
                        })
                    })
                    .transpose()
            })
            .collect::<Result<_, InputError>>()?;
        Ok(Self {
            claimed,
            domain,
            path,
            measurers,
            attestations,
            secret,
        })
    }

    /// How many measurers, i.e. which circuit.
    #[must_use]
    pub const fn count(&self) -> MeasurerCount {
        self.measurers.count()
    }

    /// What the public input folds.
    #[must_use]
    pub const fn claimed(&self) -> &claim::PublicInputs {
        &self.claimed
    }

    /// The public input.
    #[must_use]
    pub fn public_inputs(&self) -> PublicInputs {
        PublicInputs::of(&self.claimed)
    }

    /// Without the secret, for writing to a file.
    #[must_use]
    pub fn to_document(&self) -> ClaimDocument {
        ClaimDocument {
            claimed: self.claimed,
            domain: self.domain,
            path: PathDocument {
                index: self.path.index,
                siblings: self
                    .path
                    .siblings
                    .iter()
                    .map(|level| level.each_ref().map(field::to_bytes))
                    .collect(),
            },
            measurers: self
                .measurers
                .keys()
                .iter()
                .map(veilpool_primitives::MeasurerKey::to_bytes)
                .collect(),
            attestations: self
                .attestations
                .iter()
                .map(|attestation| {
                    attestation.map(|attestation| AttestationDocument {
                        metrics: attestation.metrics,
                        schnorr: attestation.signature.to_bytes(),
                    })
                })
                .collect(),
        }
    }

    /// As the circuit takes it; `None` when N isn't the number of measurers.
    pub(crate) fn to_witness<const N: usize>(&self) -> Result<Option<Witness<N>>, InputError> {
        let measurers = <[_; N]>::try_from(self.measurers.keys()).ok();
        let attestations = <[_; N]>::try_from(self.attestations.as_slice()).ok();
        let Some((measurers, attestations)) = measurers.zip(attestations) else {
            return Ok(None);
        };
        let sk = field::to_bytes(&self.secret.expose_scalar());
        let secret = OperatorSecret::from_field(sk).ok_or(InputError::ZeroSecret)?;
        Ok(Some(Witness {
            claimed: self.claimed,
            secret,
            path: self.path.clone(),
            domain: self.domain,
            measurers,
            attestations,
        }))
    }
}

impl ClaimDocument {
    /// From JSON.
    ///
    /// # Errors
    /// [`InputError::Malformed`].
    pub fn parse(json: &str) -> Result<Self, InputError> {
        serde_json::from_str(json).map_err(|error| InputError::Malformed(error.to_string()))
    }

    /// To JSON.
    ///
    /// # Panics
    /// Never: all keys are strings.
    #[must_use]
    pub fn to_json(&self) -> String {
        match serde_json::to_string_pretty(self) {
            Ok(json) => json,
            Err(error) => unreachable!("all keys are strings: {error}"),
        }
    }

    /// Checks every value, and joins the secret to them.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn validate(&self, secret: OperatorSecret) -> Result<ClaimInputs, InputError> {
        let siblings = self
            .path
            .siblings
            .iter()
            .map(|level| level.map(field::from_bytes))
            .collect::<Vec<_>>();
        let path = MerklePath {
            index: self.path.index,
            siblings: siblings
                .try_into()
                .map_err(|levels: Vec<_>| InputError::PathDepth(levels.len()))?,
        };
        ClaimInputs::new(
            self.claimed,
            self.domain,
            path,
            MeasurerSet::from_bytes(&self.measurers)?,
            &self.attestations,
            secret,
        )
    }
}
