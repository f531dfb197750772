//! The registry on chain: root, number of leaves, and the frontier from which the next leaf is
//! appended without the tree.
//!
//! Level `l` keeps up to three finished or growing siblings, to the left of where the tree grows:
//! ```text
//! node₀ = leaf;  nodeₗ₊₁ = P(frontier[l][..p], nodeₗ, zₗ, …),  p = position(index, l);  root = node₁₀
//! ```
//! A leaf is taken out with the path to it, which is checked against the root; where a node on the path is in the
//! frontier, it changes there too.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::{
    CommitmentBytes, RegistryNodeBytes, RegistryRootBytes,
    registry::{ARITY, CAPACITY, DEPTH, SIBLINGS, empty_subtree, position},
};

use crate::hashing::poseidon;

/// Nodes in the frontier.
pub const FRONTIER: usize = DEPTH * SIBLINGS;

/// Why a leaf can't be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// All leaves are taken.
    #[error("the registry is full: it holds 4^10 leaves")]
    Full,
    /// Zero stands for an empty leaf.
    #[error("a leaf of zero is an empty leaf")]
    Zero,
    /// The frontier is not of its length, or a hash failed.
    #[error("the registry's frontier is broken or Poseidon is not available")]
    Broken,
}

/// Why a leaf can't be taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// The path leads elsewhere.
    #[error("the path does not lead from this leaf to the registry's root")]
    WrongPath,
    /// A hash failed.
    #[error("Poseidon is not available")]
    Broken,
}

/// The siblings of a leaf and its ancestors, three for each level, leaves first. Those that are empty subtrees
/// are left out, which keeps an exit within a transaction.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RegistryPath {
    /// Bit 3l + i: the i-th sibling of level l is among `nodes`.
    pub given: u32,
    /// In order.
    pub nodes: Vec<RegistryNodeBytes>,
}

impl RegistryPath {
    /// Leaves out what is empty.
    #[must_use]
    pub fn new(siblings: &[[RegistryNodeBytes; SIBLINGS]; DEPTH]) -> Self {
        let mut path = Self {
            given: 0,
            nodes: Vec::new(),
        };
        for (level, siblings) in siblings.iter().enumerate() {
            for (place, node) in siblings.iter().enumerate() {
                if Some(*node) != empty_subtree(level) {
                    path.given |= 1 << (level * SIBLINGS + place);
                    path.nodes.push(*node);
                }
            }
        }
        path
    }
}

/// Root, leaf count and frontier.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Registry {
    /// Number of leaves; the next leaf's index.
    pub leaf_count: u32,
    /// Root with all later leaves empty.
    pub root: RegistryRootBytes,
    /// Three nodes for each level, leaves first. On the heap, since the chain's stack frames are small.
    pub frontier: Vec<RegistryNodeBytes>,
}

impl Registry {
    /// Without leaves. `None` only if the protocol's table of empty subtrees were too short.
    #[must_use]
    pub fn empty() -> Option<Self> {
        Some(Self {
            leaf_count: 0,
            root: RegistryRootBytes::from_field(empty_subtree(DEPTH)?.to_field()),
            frontier: vec![empty_subtree(0)?; FRONTIER],
        })
    }

    /// Appends a leaf and returns its index. On an error nothing has changed.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn append(&mut self, leaf: &CommitmentBytes) -> Result<u32, AppendError> {
        let index = self.leaf_count;
        if index >= CAPACITY {
            return Err(AppendError::Full);
        }
        if leaf.as_bytes() == &[0; 32] {
            return Err(AppendError::Zero);
        }
        if self.frontier.len() != FRONTIER {
            return Err(AppendError::Broken);
        }
        let mut node = RegistryNodeBytes::from_field(leaf.to_field());
        let mut writes = Vec::with_capacity(DEPTH);
        for level in 0..DEPTH {
            let place = position(index, level);
            let start = level * SIBLINGS;
            let empty = empty_subtree(level).ok_or(AppendError::Broken)?;
            let siblings = self.frontier.get(start..).ok_or(AppendError::Broken)?;
            let mut children: [&[u8]; ARITY] = [empty.as_bytes(); ARITY];
            for (child, sibling) in children.iter_mut().zip(siblings).take(place) {
                *child = sibling.as_bytes();
            }
            if let Some(child) = children.get_mut(place) {
                *child = node.as_bytes();
            }
            let parent = poseidon(&children).map_err(|_| AppendError::Broken)?;
            if place < SIBLINGS {
                writes.push((start + place, node));
            }
            node = RegistryNodeBytes::from_field(parent);
        }
        for (at, value) in writes {
            if let Some(slot) = self.frontier.get_mut(at) {
                *slot = value;
            }
        }
        self.root = RegistryRootBytes::from_field(node.to_field());
        self.leaf_count = index.checked_add(1).ok_or(AppendError::Full)?;
        Ok(index)
    }

    /// Makes a leaf empty. On an error nothing has changed.
    ///
    /// # Errors
    /// [`RemoveError`].
    pub fn remove(
        &mut self,
        index: u32,
        leaf: &CommitmentBytes,
        path: &RegistryPath,
    ) -> Result<(), RemoveError> {
        let mut nodes = path.nodes.iter();
        let mut before = leaf.to_leaf();
        let mut after = RegistryNodeBytes::EMPTY_LEAF;
        let mut writes = Vec::with_capacity(DEPTH);
        for level in 0..DEPTH {
            let place = position(index, level);
            let empty = empty_subtree(level).ok_or(RemoveError::Broken)?;
            let start = level * SIBLINGS;
            let mut siblings = [empty; SIBLINGS];
            for (i, sibling) in siblings.iter_mut().enumerate() {
                if path.given >> (start + i) & 1 == 1 {
                    *sibling = *nodes.next().ok_or(RemoveError::WrongPath)?;
                }
            }
            let parent = |node: &RegistryNodeBytes| {
                let (left, right) = siblings.split_at_checked(place)?;
                let mut children: [&[u8]; ARITY] = [node.as_bytes(); ARITY];
                for (child, sibling) in children.iter_mut().zip(left) {
                    *child = sibling.as_bytes();
                }
                for (child, sibling) in children.iter_mut().skip(place + 1).zip(right) {
                    *child = sibling.as_bytes();
                }
                poseidon(&children).ok().map(RegistryNodeBytes::from_field)
            };
            // The frontier has the siblings to the left of where the tree grows.
            let grows_here = (index >> (2 * level)) >> 2 == (self.leaf_count >> (2 * level)) >> 2;
            if grows_here && place < SIBLINGS {
                writes.push((start + place, after));
            }
            before = parent(&before).ok_or(RemoveError::Broken)?;
            after = parent(&after).ok_or(RemoveError::Broken)?;
        }
        if nodes.next().is_some()
            || path.given >> (DEPTH * SIBLINGS) != 0
            || before.to_root() != self.root
        {
            return Err(RemoveError::WrongPath);
        }
        for (at, value) in writes {
            if let Some(slot) = self.frontier.get_mut(at) {
                *slot = value;
            }
        }
        self.root = after.to_root();
        Ok(())
    }
}
