//! Domain tags: the first input of every Poseidon hash, except in the registry's inner nodes, which have
//! none, and in the attestation, where it is the lowest eight bits of the first input; both have four
//! inputs. Append-only; a tag is never used again for something else.

/// `C = P(ID, sk)`: commitment of an operator.
pub const ID: u8 = 1;
/// `S = P(SUBJECT, sk, epoch)`: what measurers see.
pub const SUBJECT: u8 = 2;
/// `nf = P(NULLIFIER, sk, epoch)`: what the chain sees.
pub const NULLIFIER: u8 = 3;
/// `x = P(CLAIM, …)`: the folded public input of a claim.
pub const CLAIM: u8 = 4;
/// Hash of the measurer set (its first level when there are seven).
pub const MEASURER_SET: u8 = 5;
/// Second level of the measurer set's hash when there are seven.
pub const MEASURER_SET_TAIL: u8 = 6;
/// Lowest eight bits of an attestation's packed message.
pub const SCHNORR: u8 = 7;

/// Every tag, in order: for the test that none repeats.
pub const ALL: [u8; 7] = [
    ID,
    SUBJECT,
    NULLIFIER,
    CLAIM,
    MEASURER_SET,
    MEASURER_SET_TAIL,
    SCHNORR,
];

#[cfg(test)]
mod tests {
    #[test]
    fn tags_are_distinct_and_not_zero() {
        for (i, tag) in super::ALL.iter().enumerate() {
            assert_eq!(usize::from(*tag), i + 1);
        }
    }
}
