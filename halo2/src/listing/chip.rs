//! Columns and rows of the listing circuit.
//!
//! From the top: P(ID, sk), the path (each level's hash follows the one below, see
//! [`RegistryChip`]), P(SUBJECT, sk, epoch), P(RLN, sk, epoch, domain), and a row for the share:
//!
//! ```text
//! | a | sk | x | y |     y = sk + a·x
//! ```

use halo2_proofs::{
    halo2curves::ff::Field,
    plonk::{Advice, Column, ConstraintSystem, Constraints, Error, Fixed, Instance, Selector},
    poly::Rotation,
};
use veilpool_protocol::{
    registry::{ARITY, DEPTH},
    tag,
};

use super::{PublicInputs, Statement};
use crate::{
    field::Fr,
    gadget::{poseidon::PoseidonChip, registry::RegistryChip},
    relation::Layout,
    share::RLN,
    sheet::{Cell, Input, Sheet},
};

/// 2⁹ rows.
pub(super) const K: u32 = 9;
/// Witness columns: state and squares of the widest hash beside each other.
const COLUMNS: usize = 10;
/// Columns that take part in copies: the widest state.
const STATE: usize = 5;
/// Columns of round constants.
const ROUND_CONSTANTS: usize = 5;

/// Index of each public input, in the order of [`PublicInputs::to_fields`].
mod index {
    pub(super) const REGISTRY_ROOT: usize = 0;
    pub(super) const DOMAIN: usize = 1;
    pub(super) const EPOCH: usize = 2;
    pub(super) const SUBJECT: usize = 3;
    pub(super) const X: usize = 4;
    pub(super) const Y: usize = 5;
}

/// Columns and gates.
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) constants: Column<Fixed>,
    columns: Vec<Column<Advice>>,
    public: Column<Instance>,
    hash_2: PoseidonChip,
    hash_3: PoseidonChip,
    hash_4: PoseidonChip,
    registry: RegistryChip,
    share: Selector,
}

/// What goes into the cells. Zeros for the shape only.
pub(super) struct Values {
    pub(super) public: [Fr; PublicInputs::COUNT],
    pub(super) sk: Fr,
    pub(super) children: [[Fr; ARITY]; DEPTH],
}

impl Default for Values {
    fn default() -> Self {
        Self {
            public: [Fr::ZERO; PublicInputs::COUNT],
            sk: Fr::ZERO,
            children: [[Fr::ZERO; ARITY]; DEPTH],
        }
    }
}

impl Config {
    pub(super) fn new(meta: &mut ConstraintSystem<Fr>) -> Self {
        let columns: Vec<_> = (0..COLUMNS).map(|_| meta.advice_column()).collect();
        let round_constants: Vec<_> = (0..ROUND_CONSTANTS).map(|_| meta.fixed_column()).collect();
        let constants = meta.fixed_column();
        let public = meta.instance_column();
        for column in &columns[..STATE] {
            meta.enable_equality(*column);
        }
        meta.enable_equality(constants);
        meta.enable_equality(public);

        let mut hash = |inputs, rounds| {
            PoseidonChip::configure(meta, inputs, rounds, &columns, &round_constants)
        };
        let (hash_2, hash_3, hash_4) = (hash(2, 3), hash(3, 2), hash(4, 3));
        let registry = RegistryChip::configure(meta, &hash_4, &columns);
        let share = meta.selector();
        meta.create_gate("share", |meta| {
            let selector = meta.query_selector(share);
            let [slope, sk, x, y] =
                core::array::from_fn(|i| meta.query_advice(columns[i], Rotation::cur()));
            Constraints::with_selector(selector, [y - sk - slope * x])
        });
        Self {
            constants,
            columns,
            public,
            hash_2,
            hash_3,
            hash_4,
            registry,
            share,
        }
    }

    pub(super) fn assign(
        &self,
        sheet: &mut Sheet<'_>,
        values: &Values,
    ) -> Result<Layout<Statement>, Error> {
        let mut layout = Layout::default();
        let constant = |tag: u8| Input::Constant(Fr::from(u64::from(tag)));
        let public = |sheet: &mut Sheet<'_>, cell: &Cell, index| {
            sheet.equal_public(cell, self.public, index);
        };

        // Membership: P(ID, sk) is a leaf of the tree with root registry_root.
        let start = sheet.row();
        let leaf = self
            .hash_2
            .hash(sheet, &[constant(tag::ID), Input::Free(values.sk)])?;
        let sk = leaf.inputs[1];
        let root = self.registry.root(sheet, leaf.output, &values.children)?;
        public(sheet, &root, index::REGISTRY_ROOT);
        layout.record(Statement::Membership, start..sheet.row());

        // Subject integrity: subject = P(SUBJECT, sk, epoch).
        let start = sheet.row();
        let epoch = values.public[index::EPOCH];
        let subject = self.hash_3.hash(
            sheet,
            &[constant(tag::SUBJECT), sk.into(), Input::Free(epoch)],
        )?;
        let epoch = subject.inputs[2];
        public(sheet, &epoch, index::EPOCH);
        public(sheet, &subject.output, index::SUBJECT);
        layout.record(Statement::SubjectIntegrity, start..sheet.row());

        // Share integrity: y = sk + P(RLN, sk, epoch, domain)·x.
        let start = sheet.row();
        let domain = Input::Free(values.public[index::DOMAIN]);
        let slope = self
            .hash_4
            .hash(sheet, &[constant(RLN), sk.into(), epoch.into(), domain])?;
        public(sheet, &slope.inputs[3], index::DOMAIN);
        let row = sheet.take(1);
        sheet.enable(self.share, row)?;
        sheet.input(self.columns[0], row, slope.output.into());
        sheet.input(self.columns[1], row, sk.into());
        let x = sheet.advice(self.columns[2], row, values.public[index::X]);
        let y = sheet.advice(self.columns[3], row, values.public[index::Y]);
        public(sheet, &x, index::X);
        public(sheet, &y, index::Y);
        layout.record(Statement::ShareIntegrity, start..sheet.row());
        Ok(layout)
    }
}
