//! The registry tree: 4-ary, depth 10, inner node `P(c₀, c₁, c₂, c₃)`, filled from the left, empty
//! leaf 0. A node keeps the whole tree, so that it can make its own path without asking anybody for it (asking would tell
//! whose path it is).

use ark_bn254::Fr;
use ark_ff::Zero;
use veilpool_protocol::{
    CommitmentBytes, FieldBytes, RegistryNodeBytes, RegistryRootBytes,
    registry::{ARITY, CAPACITY, DEPTH, SIBLINGS, empty_subtree, position},
};

use crate::{field, poseidon};

/// All 2²⁰ leaves are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the registry is full: it holds {CAPACITY} operators")]
pub struct RegistryFull;

/// The tree over the leaves so far. Holds only the occupied left part of each level.
#[derive(Clone, Debug)]
pub struct RegistryTree {
    // levels[0] are the leaves, levels[DEPTH] the root.
    levels: Vec<Vec<Fr>>,
}

/// Siblings of the nodes on the way from a leaf to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerklePath {
    /// Of the leaf, from 0.
    pub index: u32,
    /// The three others at each level, in order, from the leaf's level upwards.
    pub siblings: [[Fr; SIBLINGS]; DEPTH],
}

impl Default for RegistryTree {
    fn default() -> Self {
        Self {
            levels: vec![Vec::new(); DEPTH + 1],
        }
    }
}

// A tree of 2²⁰ leaves takes a minute to make, so that this is tested by itself.
fn check_room(leaves: usize) -> Result<(), RegistryFull> {
    if leaves > CAPACITY as usize {
        return Err(RegistryFull);
    }
    Ok(())
}

impl RegistryTree {
    /// The tree over these leaves, in the order of their indices.
    ///
    /// # Errors
    /// [`RegistryFull`] for more than 2²⁰.
    pub fn from_leaves(
        leaves: impl IntoIterator<Item = CommitmentBytes>,
    ) -> Result<Self, RegistryFull> {
        let mut tree = Self::default();
        tree.levels[0] = leaves
            .into_iter()
            .map(|leaf| field::from_bytes(leaf.to_field()))
            .collect();
        check_room(tree.levels[0].len())?;
        for level in 0..DEPTH {
            tree.levels[level + 1] = (0..tree.levels[level].len().div_ceil(ARITY))
                .map(|parent| poseidon::hash(tree.children(level, parent)))
                .collect();
        }
        Ok(tree)
    }

    /// Adds a leaf at the right and returns its index.
    ///
    /// # Errors
    /// [`RegistryFull`] for more than 2²⁰.
    pub fn append(&mut self, leaf: CommitmentBytes) -> Result<u32, RegistryFull> {
        let index = self.len();
        check_room(index as usize + 1)?;
        self.levels[0].push(field::from_bytes(leaf.to_field()));
        let mut parent = index as usize;
        for level in 0..DEPTH {
            parent /= ARITY;
            let node = poseidon::hash(self.children(level, parent));
            match self.levels[level + 1].get_mut(parent) {
                Some(slot) => *slot = node,
                None => self.levels[level + 1].push(node),
            }
        }
        Ok(index)
    }

    /// Number of leaves.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.levels[0].len() as u32
    }

    /// Whether nobody has joined.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.levels[0].is_empty()
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> RegistryRootBytes {
        RegistryRootBytes::from_field(field::to_bytes(&self.node(DEPTH, 0)))
    }

    /// Index of the first leaf with this commitment.
    #[must_use]
    pub fn find(&self, leaf: CommitmentBytes) -> Option<u32> {
        let leaf = field::from_bytes(leaf.to_field());
        self.levels[0]
            .iter()
            .position(|candidate| *candidate == leaf)
            .map(|index| index as u32)
    }

    /// The path of a leaf; `None` when there is no such leaf.
    #[must_use]
    pub fn path(&self, index: u32) -> Option<MerklePath> {
        if index >= self.len() {
            return None;
        }
        let siblings = core::array::from_fn(|level| {
            let children = self.children(level, (index >> (2 * (level + 1))) as usize);
            let own = position(index, level);
            core::array::from_fn(|i| children[if i < own { i } else { i + 1 }])
        });
        Some(MerklePath { index, siblings })
    }

    fn node(&self, level: usize, index: usize) -> Fr {
        self.levels[level]
            .get(index)
            .copied()
            .unwrap_or_else(|| empty(level))
    }

    fn children(&self, level: usize, parent: usize) -> [Fr; ARITY] {
        core::array::from_fn(|child| self.node(level, parent * ARITY + child))
    }
}

impl MerklePath {
    /// All four children at each level when `leaf` stands at the path's position, leaf's level first, and the root.
    #[must_use]
    pub fn children(&self, leaf: Fr) -> ([[Fr; ARITY]; DEPTH], Fr) {
        let mut current = leaf;
        let mut levels = [[Fr::zero(); ARITY]; DEPTH];
        for (level, (children, siblings)) in levels.iter_mut().zip(&self.siblings).enumerate() {
            let own = position(self.index, level);
            *children = core::array::from_fn(|i| match i.cmp(&own) {
                core::cmp::Ordering::Less => siblings[i],
                core::cmp::Ordering::Equal => current,
                core::cmp::Ordering::Greater => siblings[i - 1],
            });
            current = poseidon::hash(*children);
        }
        (levels, current)
    }

    /// The siblings as bytes, as the program takes them.
    #[must_use]
    pub fn siblings_to_bytes(&self) -> [[RegistryNodeBytes; SIBLINGS]; DEPTH] {
        self.siblings
            .map(|level| level.map(|node| RegistryNodeBytes::from_field(field::to_bytes(&node))))
    }

    /// The root that the path gives for a leaf.
    #[must_use]
    pub fn root(&self, leaf: Fr) -> Fr {
        self.children(leaf).1
    }
}

fn empty(height: usize) -> Fr {
    empty_subtree(height)
        .map(RegistryNodeBytes::to_field)
        .map_or_else(
            || unreachable!("heights go up to the tree's depth"),
            field::from_bytes,
        )
}

/// Recomputes the protocol's table of empty subtrees.
#[must_use]
pub fn compute_empty_subtrees() -> [FieldBytes; DEPTH + 1] {
    let mut node = Fr::zero();
    core::array::from_fn(|height| {
        if height > 0 {
            node = poseidon::hash([node; ARITY]);
        }
        field::to_bytes(&node)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaf(i: u32) -> CommitmentBytes {
        CommitmentBytes::from_field(FieldBytes::from_u128(u128::from(i) + 1))
    }

    #[test]
    fn a_tree_has_room_for_its_capacity_and_no_more() {
        assert_eq!(check_room(CAPACITY as usize), Ok(()));
        assert_eq!(check_room(CAPACITY as usize + 1), Err(RegistryFull));
        let leaf = CommitmentBytes::from_field(FieldBytes::ZERO);
        let too_many = core::iter::repeat_n(leaf, CAPACITY as usize + 1);
        assert_eq!(
            RegistryTree::from_leaves(too_many).err(),
            Some(RegistryFull)
        );
    }

    #[test]
    fn a_tree_is_empty_until_somebody_joins() {
        let mut tree = RegistryTree::default();
        assert!(tree.is_empty());
        tree.append(CommitmentBytes::from_field(FieldBytes::from_u128(5)))
            .unwrap();
        assert!(!tree.is_empty());
    }

    #[test]
    fn the_protocols_table_of_empty_subtrees_is_right() {
        for (height, expected) in compute_empty_subtrees().into_iter().enumerate() {
            assert_eq!(
                empty_subtree(height).unwrap().to_field(),
                expected,
                "{expected:?}"
            );
        }
        assert!(empty_subtree(DEPTH + 1).is_none());
        assert_eq!(
            RegistryTree::default().root().to_field(),
            empty_subtree(DEPTH).unwrap().to_field()
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn every_leafs_path_leads_to_the_root(count in 1u32..90) {
            let tree = RegistryTree::from_leaves((0..count).map(leaf)).unwrap();
            let mut appended = RegistryTree::default();
            for i in 0..count {
                prop_assert_eq!(appended.append(leaf(i)).unwrap(), i);
            }
            prop_assert_eq!(appended.root(), tree.root());
            for i in 0..count {
                let path = tree.path(i).unwrap();
                let root = path.root(field::from_bytes(leaf(i).to_field()));
                prop_assert_eq!(field::to_bytes(&root), tree.root().to_field());
                prop_assert_eq!(tree.find(leaf(i)), Some(i));
            }
            prop_assert!(tree.path(count).is_none());
        }
    }
}
