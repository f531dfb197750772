//! Membership in the registry: 4-ary, depth 10, inner node `P(c₀, c₁, c₂, c₃)`. The native twin is
//! `primitives::registry`.
//!
//! ```text
//! (node − c₀)(node − c₁)(node − c₂)(node − c₃) = 0          next node = P(c₀, c₁, c₂, c₃)
//! ```
//! A field has no zero divisors, so the node is one of the children; its position is used by
//! nothing and has no cell. The gate looks from a hash's output row to the next hash's first row,
//! which follows it, so that no level needs a copy. Degree 5 with its selector.

use halo2_proofs::{
    plonk::{Advice, Column, ConstraintSystem, Constraints, Error, Selector},
    poly::Rotation,
};
use veilpool_protocol::registry::{ARITY, DEPTH};

use super::poseidon::PoseidonChip;
use crate::{
    field::Fr,
    sheet::{Cell, Input, Sheet},
};

/// The gate and the hash of four inputs.
#[derive(Clone, Debug)]
pub struct RegistryChip {
    node: PoseidonChip,
    child: Selector,
}

impl RegistryChip {
    /// Makes the gate. `columns` are those of the hash.
    pub fn configure(
        meta: &mut ConstraintSystem<Fr>,
        node: &PoseidonChip,
        columns: &[Column<Advice>],
    ) -> Self {
        let child = meta.selector();
        meta.create_gate("registry: node is a child", |meta| {
            let selector = meta.query_selector(child);
            let current = meta.query_advice(columns[0], Rotation::cur());
            let product = (1..=ARITY)
                .map(|i| current.clone() - meta.query_advice(columns[i], Rotation::next()))
                .reduce(|product, factor| product * factor);
            Constraints::with_selector(selector, product)
        });
        Self {
            node: node.clone(),
            child,
        }
    }

    /// The root above a leaf. The leaf must be the output of the hash just above in the sheet.
    ///
    /// # Errors
    /// halo2's.
    pub fn root(
        &self,
        sheet: &mut Sheet<'_>,
        leaf: Cell,
        children: &[[Fr; ARITY]; DEPTH],
    ) -> Result<Cell, Error> {
        let mut node = leaf;
        for children in children {
            assert_eq!(
                node.place.row + 1,
                sheet.row(),
                "the node stands just above"
            );
            sheet.enable(self.child, node.place.row)?;
            node = self.node.hash(sheet, &children.map(Input::Free))?.output;
        }
        Ok(node)
    }
}
