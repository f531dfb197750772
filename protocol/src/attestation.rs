//! What a measurer signs of one subject in one epoch, twice: with Schnorr over BabyJubJub, which
//! the claim circuit checks, and with Ed25519, which makes equivocation cheap to prove to anyone.
//!
//! ```text
//! v = SCHNORR + epoch·2⁸ + bandwidth·2⁴⁰ + uptime·2⁶⁰ + latency·2⁸⁰ + zone·2¹⁰⁰
//! R = k·B,  h = P(v, u(R), u(K) + domain, subject) < 2²⁵³,  c = h mod 2¹²⁸,  s = k + (2⁶⁴ + 1 + 2c)·x
//! ```
//! The metrics are 16 bits wide but stand 20 bits apart, so that in the circuit one range check
//! serves range and comparison (`docs/design.md`).

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{DomainBytes, EpochId, FieldBytes, Metrics, SubjectBytes, tag};

/// Bit offsets of the fields of the packed message.
pub mod offset {
    /// Of the tag.
    pub const TAG: u32 = 0;
    /// Of the epoch (32 bits).
    pub const EPOCH: u32 = 8;
    /// Of bandwidth (16 bits in a field of 20).
    pub const BANDWIDTH: u32 = 40;
    /// Of uptime (16 bits in a field of 20).
    pub const UPTIME: u32 = 60;
    /// Of latency (16 bits in a field of 20).
    pub const LATENCY: u32 = 80;
    /// Of zone (8 bits).
    pub const ZONE: u32 = 100;
}

/// Bits of a challenge.
pub const CHALLENGE_BITS: u32 = 128;
/// A signer draws a new nonce until the hash has fewer bits than this plus one: `h < 2^253`.
pub const HASH_BITS: u32 = 253;

/// The packed message `v`.
#[must_use]
pub const fn pack(epoch: EpochId, metrics: &Metrics) -> FieldBytes {
    FieldBytes::from_u128(
        (tag::SCHNORR as u128) << offset::TAG
            | (epoch.get() as u128) << offset::EPOCH
            | (metrics.bandwidth.get() as u128) << offset::BANDWIDTH
            | (metrics.uptime.get() as u128) << offset::UPTIME
            | (metrics.latency.get() as u128) << offset::LATENCY
            | (metrics.zone.get() as u128) << offset::ZONE,
    )
}

/// Prefix of the message that Ed25519 signs.
pub const ED25519_CONTEXT: &[u8; 23] = b"veilpool/attestation/v1";
/// Length of the message that Ed25519 signs: context ‖ domain ‖ subject ‖ v.
pub const ED25519_MESSAGE_LEN: usize = ED25519_CONTEXT.len() + 3 * FieldBytes::LEN;

/// The message that Ed25519 signs beside the Schnorr signature.
#[must_use]
pub fn ed25519_message(
    domain: &DomainBytes,
    subject: &SubjectBytes,
    epoch: EpochId,
    metrics: &Metrics,
) -> [u8; ED25519_MESSAGE_LEN] {
    concat(&[
        ED25519_CONTEXT,
        domain.as_bytes(),
        subject.as_bytes(),
        pack(epoch, metrics).as_bytes(),
    ])
}

/// Joins parts whose lengths sum to `N`; used for fixed layouts only.
pub(crate) fn concat<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut out = [0u8; N];
    debug_assert_eq!(parts.iter().map(|part| part.len()).sum::<usize>(), N);
    fill(&mut out, parts);
    out
}

/// Writes parts one after the other, as many as there is room for.
#[inline(never)]
pub fn fill(mut out: &mut [u8], parts: &[&[u8]]) {
    for part in parts {
        let Some((slot, rest)) = out.split_at_mut_checked(part.len()) else {
            return;
        };
        slot.copy_from_slice(part);
        out = rest;
    }
}

byte_array! {
    /// Schnorr signature `c (16, big-endian) ‖ s (32, big-endian, less than the subgroup's order)`.
    SchnorrSignatureBytes, 48
}
byte_array! {
    /// Ed25519 signature (RFC 8032).
    EdSignatureBytes, 64
}

/// An attestation: values and both signatures. Epoch and subject travel beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[cfg_attr(feature = "api", derive(serde::Serialize, serde::Deserialize))]
pub struct AttestationBytes {
    /// What was measured.
    pub metrics: Metrics,
    /// For the circuit.
    pub schnorr: SchnorrSignatureBytes,
    /// For evidence of equivocation.
    pub ed25519: EdSignatureBytes,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bandwidth, Latency, Uptime, Zone};

    #[test]
    fn the_packed_message_has_every_field_in_its_place() {
        let metrics = Metrics {
            bandwidth: Bandwidth::new(0xffff),
            uptime: Uptime::new(144),
            latency: Latency::new(7),
            zone: Zone::new(3),
        };
        let expected = 7u128
            + (5u128 << 8)
            + (0xffffu128 << 40)
            + (144u128 << 60)
            + (7u128 << 80)
            + (3u128 << 100);
        assert_eq!(
            pack(EpochId::new(5), &metrics),
            FieldBytes::from_u128(expected)
        );
    }
}
