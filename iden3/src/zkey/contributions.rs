//! Section 10: what took place in phase 2 of the setup.
//!
//! ```text
//! section      = circuit hash (64) ‖ number u32 ‖ contribution…
//! contribution = delta after it (G1) ‖ s₁ (G1) ‖ s₁ˣ (G1) ‖ s₂ˣ (G2) ‖ transcript (64) ‖ type u32 ‖ size u32 ‖ that many bytes of parameters
//! parameters   = in ascending order: 1 ‖ length u8 ‖ name;  2 ‖ exponent u8;  3 ‖ length u8 ‖ hash
//! ```
//! Points in Montgomery form. The circuit hash is Blake2b-512 over what the key was made of, and is what `snarkjs zkey
//! verify` compares; a key that wasn't made from a `.ptau` has none, and zeros in its place. Here the structure is checked
//! and the points are; the proofs of knowledge are not.

use ark_bn254::{G1Affine, G2Affine};

use super::{CONTRIBUTIONS, LAYOUT};
use crate::{
    container::Cursor,
    elements::{G1_LEN, G2_LEN, read_point},
    error::InvalidFile,
};

/// Bytes of the circuit's hash and of a transcript's.
pub const HASH_LEN: usize = 64;
const MIN_LEN: usize = 3 * G1_LEN + G2_LEN + HASH_LEN + 4 + 4;

/// Phase 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contributions {
    /// Of what the key was made of; zeros when it wasn't made from a `.ptau`.
    pub circuit_hash: [u8; HASH_LEN],
    /// In order.
    pub list: Vec<Contribution>,
}

/// One participant's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// delta when it was done.
    pub delta_after: G1Affine,
    /// Proof of knowledge: a point, and its multiple.
    pub s: [G1Affine; 2],
    /// Proof of knowledge: the multiple of the transcript's point.
    pub s_g2: G2Affine,
    /// Hash of what came before.
    pub transcript: [u8; HASH_LEN],
    /// 0 for a person, 1 for a beacon.
    pub kind: u32,
    /// Name, and what a beacon used, as the module says.
    pub parameters: Vec<u8>,
}

impl Default for Contributions {
    fn default() -> Self {
        Self {
            circuit_hash: [0; HASH_LEN],
            list: Vec::new(),
        }
    }
}

impl Contributions {
    pub(super) fn read(mut cursor: Cursor<'_>) -> Result<Self, InvalidFile> {
        let circuit_hash = cursor.array()?;
        let count = cursor.u32()?;
        // Nothing is reserved by this number: the cursor ends before the list does.
        let mut list = Vec::new();
        for index in 0..u64::from(count) {
            list.push(Contribution::read(&mut cursor, index)?);
        }
        cursor.finish()?;
        Ok(Self { circuit_hash, list })
    }

    pub(super) fn len(&self) -> usize {
        let contributions = self
            .list
            .iter()
            .map(|contribution| MIN_LEN + contribution.parameters.len());
        HASH_LEN + 4 + contributions.sum::<usize>()
    }
}

impl Contribution {
    fn read(cursor: &mut Cursor<'_>, index: u64) -> Result<Self, InvalidFile> {
        let contribution = Self {
            delta_after: read_point(cursor, index)?,
            s: [read_point(cursor, index)?, read_point(cursor, index)?],
            s_g2: read_point(cursor, index)?,
            transcript: cursor.array()?,
            kind: cursor.u32()?,
            parameters: {
                let len = cursor.u32()?;
                cursor.take(len.into())?.to_vec()
            },
        };
        check_parameters(&contribution.parameters).ok_or(InvalidFile::Contradiction {
            place: LAYOUT.place(CONTRIBUTIONS),
            reason: "a contribution's parameters aren't of a known kind, in order, and whole",
        })?;
        Ok(contribution)
    }
}

fn check_parameters(mut bytes: &[u8]) -> Option<()> {
    let mut last = 0;
    while let Some((kind, rest)) = bytes.split_first() {
        if *kind <= last {
            return None;
        }
        last = *kind;
        let (value, rest) = rest.split_first()?;
        bytes = match kind {
            1 | 3 => rest.get(usize::from(*value)..)?,
            2 => rest,
            _ => return None,
        };
    }
    Some(())
}
