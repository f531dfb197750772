//! The registry of bonded operators: a 4-ary Poseidon tree of depth 10 (2²⁰ leaves), filled from
//! the left. Inner node: `P(c₀, c₁, c₂, c₃)`. An empty leaf is 0.

use crate::RegistryNodeBytes;

/// Children of an inner node.
pub const ARITY: usize = 4;
/// Levels of inner nodes.
pub const DEPTH: usize = 10;
/// Leaves that fit: 4¹⁰.
pub const CAPACITY: u32 = 1 << (2 * DEPTH);
/// Siblings on a path at one level.
pub const SIBLINGS: usize = ARITY - 1;

const _: () = assert!(CAPACITY as usize == ARITY.pow(DEPTH as u32));

/// Position of leaf `index`'s ancestor among its siblings at `level` (0 = the leaf itself).
#[must_use]
pub const fn position(index: u32, level: usize) -> usize {
    ((index >> (2 * level)) & 3) as usize
}

/// Roots of the empty subtrees by height, big-endian.
const EMPTY_SUBTREES: [[u8; 32]; DEPTH + 1] = [[0; 32]; DEPTH + 1];

/// Root of the subtree of the given height without any leaf: `z₀ = 0`, `zᵢ₊₁ = P(zᵢ, zᵢ, zᵢ, zᵢ)`.
/// `None` above [`DEPTH`]. The table is recomputed by a test of `primitives`.
#[must_use]
pub fn empty_subtree(height: usize) -> Option<RegistryNodeBytes> {
    let bytes = *EMPTY_SUBTREES.get(height)?;
    RegistryNodeBytes::new(bytes).ok()
}
