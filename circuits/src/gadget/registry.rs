//! A path in the registry's 4-ary tree, twin of [`veilpool_primitives::MerklePath`]. 301 constraints
//! a level (297 for the hash, 1 for the node as a column of its own), 3,010 in all.
//!
//! ```text
//! at each level:  (cur − c₀)(cur − c₁) = p    p·(cur − c₂) = q    q·(cur − c₃) = 0    cur' = P(c₀, c₁, c₂, c₃)
//! ```
//! A field has no zero divisors, so the last product says that the current node is one of the four
//! children, which is all that membership means. There are no position bits: no statement uses the position
//! (the nullifier comes from sk). Should siblings be equal to the current node, the position is
//! ambiguous and harmless.

use ark_bn254::Fr;
use ark_relations::gr1cs::SynthesisError;
use veilpool_protocol::registry::{ARITY, DEPTH};

use crate::{gadget::poseidon, num::Num, synthesizer::Synthesizer};

/// The children of every node on the way from a leaf to the root.
pub struct MerklePathVar {
    children: [[Num; ARITY]; DEPTH],
}

impl MerklePathVar {
    /// Allocates the children (`primitives::MerklePath::children`).
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn alloc(
        cs: &mut Synthesizer,
        children: Option<&[[Fr; ARITY]; DEPTH]>,
    ) -> Result<Self, SynthesisError> {
        let mut allocated = [const { [const { None }; ARITY] }; DEPTH];
        for (level, row) in allocated.iter_mut().enumerate() {
            for (i, child) in row.iter_mut().enumerate() {
                let value = children.map(|children| children[level][i]);
                *child = Some(cs.witness("path child", value)?);
            }
        }
        Ok(Self {
            children: allocated.map(|row| row.map(|child| child.unwrap_or_else(Num::zero))),
        })
    }

    /// The root to which `leaf` leads; unsatisfiable when it is not among the first children.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn root(&self, cs: &mut Synthesizer, leaf: &Num) -> Result<Num, SynthesisError> {
        let mut current = leaf.clone();
        for children in &self.children {
            let node = cs.column("path node", &current)?;
            let [d0, d1, d2, d3] = children.each_ref().map(|child| &node - child);
            let pair = cs.multiply("path pair", &d0, &d1)?;
            let triple = cs.multiply("path triple", &pair, &d2)?;
            cs.enforce(&triple, &d3, &Num::zero())?;
            current = poseidon::hash(cs, children)?;
        }
        Ok(current)
    }
}
