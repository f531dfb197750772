//! The claim's hashes.
//!
//! | hash | inputs |
//! | --- | --- |
//! | commitment | 2 |
//! | nullifier, subject | 3 |
//! | registry's nodes, attestation | 4 |
//! | x | 7 |
//! | set, n = 3; 7 (twice); 5 | 8; 9; 12 |
//!
//! Inputs from the sixth on stand in columns that take no part in copies: they are put in by a gate
//! from the copied columns of the row above the hash.

use halo2_proofs::{
    plonk::{Advice, Column, ConstraintSystem, Constraints, Error, Selector},
    poly::Rotation,
};
use veilpool_protocol::{measurer_set::SPLIT, tag};

use super::{
    super::{lane::Lane, slot::SlotCells},
    COPIED, Values,
};
use crate::{
    field::Fr,
    gadget::{
        poseidon::{Hashed, PoseidonChip},
        registry::RegistryChip,
    },
    sheet::{Cell, Input, Sheet},
};

/// Gates of all hashes of one number of measurers.
#[derive(Clone, Debug)]
pub(super) struct Hashes {
    two: PoseidonChip,
    three: PoseidonChip,
    four: PoseidonChip,
    fold: WideChip,
    set: WideChip,
    registry: RegistryChip,
}

/// A hash of more inputs than there are copied columns.
#[derive(Clone, Debug)]
struct WideChip {
    hash: PoseidonChip,
    /// Columns above the hash that its last inputs come from.
    above: Vec<Column<Advice>>,
    load: Selector,
}

/// What x folds.
pub(super) struct ClaimedCells {
    pub(super) registry_root: Cell,
    pub(super) set_hash: Cell,
    pub(super) epoch: Cell,
    pub(super) nullifier: Cell,
    pub(super) x: Cell,
}

/// Inputs of the set's hash (one level of it), and how many partial rounds a block has.
const fn set_shape(n: usize) -> (usize, usize) {
    match n {
        3 => (8, 3),
        5 => (12, 13),
        _ => (SPLIT + 2, 5),
    }
}

/// Columns that the hashes want: a full round of the widest hash in one row, or in two for the widest
/// of all.
pub(super) const fn columns(n: usize) -> usize {
    let width = set_shape(n).0 + 1;
    if n == 5 { width } else { 2 * width }
}

impl WideChip {
    fn configure(
        meta: &mut ConstraintSystem<Fr>,
        hash: PoseidonChip,
        inputs: usize,
        columns: &[Column<Advice>],
        lane: &Lane,
    ) -> Self {
        let beyond = inputs + 1 - COPIED;
        let copied = columns[..COPIED].iter().copied().chain([lane.sum]);
        let above: Vec<Column<Advice>> = copied.take(beyond).collect();
        assert_eq!(above.len(), beyond, "one row above is enough");
        let load = meta.selector();
        meta.create_gate(format!("inputs of a hash of {inputs}"), |meta| {
            let selector = meta.query_selector(load);
            let constraints: Vec<_> = above
                .iter()
                .zip(&columns[COPIED..])
                .map(|(from, to)| {
                    meta.query_advice(*to, Rotation::next())
                        - meta.query_advice(*from, Rotation::cur())
                })
                .collect();
            Constraints::with_selector(selector, constraints)
        });
        Self { hash, above, load }
    }

    fn hash(&self, sheet: &mut Sheet<'_>, inputs: &[Input]) -> Result<Hashed, Error> {
        let row = sheet.take(1);
        sheet.enable(self.load, row)?;
        // Column i holds input i − 1.
        let (near, far) = inputs.split_at(COPIED - 1);
        let mut loaded = near.to_vec();
        for (column, input) in self.above.iter().zip(far) {
            let cell = sheet.input(*column, row, *input);
            loaded.push(Input::Free(cell.value));
        }
        self.hash.hash(sheet, &loaded)
    }
}

impl Hashes {
    pub(super) fn configure(
        meta: &mut ConstraintSystem<Fr>,
        n: usize,
        columns: &[Column<Advice>],
        lane: &Lane,
    ) -> Self {
        let (set_inputs, set_rounds) = set_shape(n);
        let width = set_inputs + 1;
        let constants = if n == 5 { width.div_ceil(2) + 1 } else { width };
        let constants: Vec<_> = (0..constants).map(|_| meta.fixed_column()).collect();
        let mut hash =
            |inputs, rounds| PoseidonChip::configure(meta, inputs, rounds, columns, &constants);
        let (two, three, four) = (hash(2, 3), hash(3, 7), hash(4, 6));
        let (fold, set) = (hash(7, 4), hash(set_inputs, set_rounds));
        let registry = RegistryChip::configure(meta, &four, columns);
        Self {
            two,
            three,
            four,
            fold: WideChip::configure(meta, fold, 7, columns, lane),
            set: WideChip::configure(meta, set, set_inputs, columns, lane),
            registry,
        }
    }

    /// x = P(CLAIM, registry_root, set_hash, epoch, thresholds, nullifier, binding).
    pub(super) fn fold(
        &self,
        sheet: &mut Sheet<'_>,
        values: &Values,
        thresholds: &Cell,
    ) -> Result<ClaimedCells, Error> {
        let free = |value| Input::Free(value);
        // The last two are loaded from the row above: the cells there are those that are copied.
        let row = sheet.row();
        let hashed = self.fold.hash(
            sheet,
            &[
                constant(tag::CLAIM),
                free(values.registry_root),
                free(values.set_hash),
                free(values.epoch),
                Input::Copy(*thresholds),
                free(values.nullifier),
                free(values.binding),
            ],
        )?;
        let loaded = |index: usize| Cell {
            place: crate::sheet::Place {
                column: self.fold.above[index].into(),
                row,
            },
            value: hashed.inputs[COPIED - 1 + index].value,
        };
        Ok(ClaimedCells {
            registry_root: hashed.inputs[1],
            set_hash: hashed.inputs[2],
            epoch: hashed.inputs[3],
            nullifier: loaded(0),
            x: hashed.output,
        })
    }

    /// sk and the root above P(ID, sk).
    pub(super) fn membership(
        &self,
        sheet: &mut Sheet<'_>,
        values: &Values,
    ) -> Result<(Cell, Cell), Error> {
        let inputs = [constant(tag::ID), Input::Free(values.sk)];
        let leaf = self.two.hash(sheet, &inputs)?;
        let root = self.registry.root(sheet, leaf.output, &values.children)?;
        Ok((leaf.inputs[1], root))
    }

    /// P(NULLIFIER, sk, epoch).
    pub(super) fn nullifier(
        &self,
        sheet: &mut Sheet<'_>,
        sk: &Cell,
        epoch: &Cell,
    ) -> Result<Cell, Error> {
        self.of_secret(sheet, tag::NULLIFIER, sk, epoch)
    }

    /// P(SUBJECT, sk, epoch).
    pub(super) fn subject(
        &self,
        sheet: &mut Sheet<'_>,
        sk: &Cell,
        epoch: &Cell,
    ) -> Result<Cell, Error> {
        self.of_secret(sheet, tag::SUBJECT, sk, epoch)
    }

    fn of_secret(
        &self,
        sheet: &mut Sheet<'_>,
        tag: u8,
        sk: &Cell,
        epoch: &Cell,
    ) -> Result<Cell, Error> {
        let inputs = [constant(tag), Input::Copy(*sk), Input::Copy(*epoch)];
        Ok(self.three.hash(sheet, &inputs)?.output)
    }

    /// The hash of the keys in order, with the domain.
    pub(super) fn measurer_set(
        &self,
        sheet: &mut Sheet<'_>,
        domain: Input,
        slots: &[SlotCells],
    ) -> Result<Cell, Error> {
        let coordinates: Vec<Input> = slots
            .iter()
            .flat_map(|slot| [slot.key_u.into(), slot.shifted_u.into()])
            .collect();
        let level = |sheet: &mut Sheet<'_>, tag, first, coordinates: &[Input]| {
            let inputs = [&[constant(tag), first], coordinates].concat();
            Ok(self.set.hash(sheet, &inputs)?.output)
        };
        if slots.len() < 7 {
            return level(sheet, tag::MEASURER_SET, domain, &coordinates);
        }
        let (head, tail) = coordinates.split_at(SPLIT);
        let first = level(sheet, tag::MEASURER_SET, domain, head)?;
        level(sheet, tag::MEASURER_SET_TAIL, first.into(), tail)
    }

    /// h = P(v, u(R), u(K) + domain, S).
    pub(super) fn attestation(
        &self,
        sheet: &mut Sheet<'_>,
        message: &Cell,
        slot: &SlotCells,
        subject: &Cell,
    ) -> Result<Cell, Error> {
        let inputs = [
            Input::Copy(*message),
            slot.nonce_u.into(),
            slot.key_and_domain.into(),
            Input::Copy(*subject),
        ];
        Ok(self.four.hash(sheet, &inputs)?.output)
    }
}

fn constant(tag: u8) -> Input {
    Input::Constant(Fr::from(u64::from(tag)))
}
