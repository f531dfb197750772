//! Messages between daemons, as JSON over HTTP. Byte values are lower-case hexadecimal.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{
    AddressBytes, AttestationBytes, Bandwidth, ClassId, DomainBytes, EpochId, MeasurerKeyBytes,
    NullifierBytes, ProofBytes, SubjectBytes,
};

/// Why text is not the hexadecimal form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HexError {
    /// Wrong length or other characters.
    Malformed {
        /// How many digits were expected.
        expected_digits: usize,
    },
    /// A field element that is not less than the field's order.
    NotCanonical,
}

impl core::fmt::Display for HexError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Malformed { expected_digits } => {
                write!(f, "expected exactly {expected_digits} hexadecimal digits")
            }
            Self::NotCanonical => core::fmt::Display::fmt(&crate::NonCanonical, f),
        }
    }
}

impl std::error::Error for HexError {}

byte_array! {
    /// A WireGuard (X25519) public key.
    WireGuardKeyBytes, 32
}
byte_array! {
    /// An Ed25519 public key.
    EdKeyBytes, 32
}

/// A node's entry for one epoch, posted to each measurer: `POST /v1/listings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingRequest {
    /// The epoch in which to measure.
    pub epoch: EpochId,
    /// Whom the attestation will be about.
    pub subject: SubjectBytes,
    /// The node's WireGuard key of this epoch.
    pub wireguard_key: WireGuardKeyBytes,
    /// Where the node listens.
    pub endpoint: SocketAddr,
}

/// Answer to a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingReceipt {
    /// The epoch.
    pub epoch: EpochId,
    /// Heartbeat slots of the epoch that have already passed and cannot be answered any more.
    pub slots_missed: u16,
}

/// What a measurer says of itself: `GET /v1/info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasurerInfo {
    /// Version of the software.
    pub version: String,
    /// Key of the Schnorr signatures.
    pub attestation_key: MeasurerKeyBytes,
    /// Key of the Ed25519 signatures.
    pub ed25519_key: EdKeyBytes,
    /// What its signatures are tied to.
    pub domain: DomainBytes,
}

/// A signed attestation: `GET /v1/attestations/{epoch}/{subject}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedAttestation {
    /// The epoch.
    pub epoch: EpochId,
    /// Whom it is about.
    pub subject: SubjectBytes,
    /// Key of the Schnorr signature.
    pub attestation_key: MeasurerKeyBytes,
    /// Key of the Ed25519 signature.
    pub ed25519_key: EdKeyBytes,
    /// Values and signatures.
    pub attestation: AttestationBytes,
}

/// What a measurer saw of a subject so far, with the reason of every failure:
/// `GET /v1/results/{epoch}/{subject}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultsReport {
    /// The epoch.
    pub epoch: EpochId,
    /// Whom it is about.
    pub subject: SubjectBytes,
    /// Heartbeat slots that are over, in order.
    pub slots: Vec<SlotResult>,
    /// Bandwidth rounds that are over, in order.
    pub rounds: Vec<RoundResult>,
    /// Whether the attestation has been signed.
    pub signed: bool,
}

/// What came of one heartbeat slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotResult {
    /// From 0.
    pub slot: u16,
    /// With its reason.
    #[serde(flatten)]
    pub outcome: SlotOutcome,
}

/// Why a heartbeat slot counts, or doesn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SlotOutcome {
    /// Counts.
    Answered {
        /// Round trip in microseconds.
        rtt_us: u32,
    },
    /// Counts, but only after several retransmissions.
    Lossy {
        /// Round trip of the attempt that was answered, in microseconds.
        rtt_us: u32,
    },
    /// The network said that the endpoint can't be reached.
    NoRoute,
    /// The endpoint doesn't answer WireGuard's handshake.
    NoHandshake,
    /// The node answers handshakes, but nothing came back from the reflector through it.
    Asymmetric,
    /// Something came back that the reflector has never said.
    Forged,
    /// The measurer was not running: no fault of the node, but not seen either.
    MeasurerDown,
    /// The node's listing came after this slot's heartbeat.
    NotListed,
}

impl SlotOutcome {
    /// Round trip in microseconds of a slot that counts.
    #[must_use]
    pub const fn round_trip(self) -> Option<u32> {
        match self {
            Self::Answered { rtt_us } | Self::Lossy { rtt_us } => Some(rtt_us),
            _ => None,
        }
    }
}

/// What came of one bandwidth round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundResult {
    /// From 0.
    pub round: u8,
    /// With its reason.
    #[serde(flatten)]
    pub outcome: RoundOutcome,
}

/// Why a bandwidth round counts, or counts as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RoundOutcome {
    /// Counts with the smaller of both.
    Done {
        /// Towards the measurer.
        download: Bandwidth,
        /// From the measurer.
        upload: Bandwidth,
    },
    /// No connection to the reflector came about through the node.
    NoConnection,
    /// A byte arrived that the other end had not sent: made up, replayed or replaced.
    Forged,
    /// The flow was ended before its time.
    Truncated,
    /// The measurer was not running.
    MeasurerDown,
    /// The node's listing came after this round.
    NotListed,
}

impl RoundOutcome {
    /// What the round counts as.
    #[must_use]
    pub fn bandwidth(self) -> Bandwidth {
        match self {
            Self::Done { download, upload } => download.min(upload),
            _ => Bandwidth::default(),
        }
    }
}

/// What a relayer says of itself: `GET /v1/info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayerInfo {
    /// Version of the software.
    pub version: String,
    /// To which the claim must be bound.
    pub relayer: AddressBytes,
    /// The pool it serves.
    pub pool: AddressBytes,
    /// What it asks for, in the token's smallest unit.
    pub fee: u64,
}

/// A claim handed to a relayer: `POST /v1/claims`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// The pool.
    pub pool: AddressBytes,
    /// The epoch.
    pub epoch: EpochId,
    /// The class.
    pub class: ClassId,
    /// The nullifier.
    pub nullifier: NullifierBytes,
    /// Owner of the token account to pay.
    pub payout: AddressBytes,
    /// The most the relayer may keep, in the token's smallest unit.
    pub max_fee: u64,
    /// The proof, 256 bytes.
    pub proof: ProofBytes,
}

/// What came of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimReceipt {
    /// The transaction's signature, base 58. `None` when the claim had been paid before.
    pub signature: Option<String>,
    /// Paid to the payout address, in the token's smallest unit.
    pub amount: u64,
    /// Kept by the relayer.
    pub fee: u64,
    /// Compute units that the whole transaction used, when the chain tells.
    pub compute_units: Option<u64>,
}

/// Body of every refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// For programs: a short name that does not change.
    pub code: String,
    /// For people: what happened, why, and what to do.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retry: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::FieldBytes;

    #[test]
    fn a_claim_survives_json() {
        let request = ClaimRequest {
            pool: AddressBytes::new([1; 32]),
            epoch: EpochId::new(3),
            class: ClassId::new(2),
            nullifier: NullifierBytes::from_field(FieldBytes::from_u128(77)),
            payout: AddressBytes::new([2; 32]),
            max_fee: 5,
            proof: ProofBytes::new([9; 256]),
        };
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(
            serde_json::from_str::<ClaimRequest>(&text).unwrap(),
            request
        );
        let tampered = text.replacen('{', "{\"extra\":1,", 1);
        assert!(serde_json::from_str::<ClaimRequest>(&tampered).is_err());
    }

    #[test]
    fn i3_a_non_canonical_nullifier_is_refused_as_such() {
        let text = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
        assert_eq!(text.parse::<NullifierBytes>(), Err(HexError::NotCanonical));
        assert_eq!(
            "00".parse::<NullifierBytes>(),
            Err(HexError::Malformed {
                expected_digits: 64
            })
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_a_decoder_panic(text in ".{0,300}") {
            let _ = serde_json::from_str::<ClaimRequest>(&text);
            let _ = serde_json::from_str::<ListingRequest>(&text);
            let _ = text.parse::<ProofBytes>();
        }
    }
}
