//! Columns and rows of the claim circuit.
//!
//! From the top: the slots' signature equations (66 rows each), and below them, with the lane of ranges
//! beside: x's hash, the path, the nullifier, the subject, the set's hash, each slot's hash, and the
//! thresholds. Only the first six columns and the lane's sums take part in copies; a hash of more
//! inputs than that gets the rest from the row above it by a gate.

mod hashes;
mod thresholds;
mod values;

use halo2_proofs::plonk::{Advice, Column, ConstraintSystem, Error, Fixed, Instance};

use super::{
    Statement,
    lane::{Lane, Range},
    slot::{self, SlotCells, SlotChip},
};
use crate::{
    field::Fr,
    relation::Layout,
    sheet::{Cell, Input, Sheet},
};
use hashes::Hashes;
use thresholds::Thresholds;
pub(super) use values::Values;

/// 2¹⁰ rows.
pub(super) const K: u32 = 10;
/// Columns that take part in copies.
const COPIED: usize = 6;

/// Columns and gates.
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) constants: Column<Fixed>,
    public: Column<Instance>,
    lane: Lane,
    slots: SlotChip,
    hashes: Hashes,
    thresholds: Thresholds,
}

/// A range to be enforced, and the statement that wants it.
struct Ranged {
    statement: Statement,
    cell: Cell,
    range: Range,
}

impl Config {
    pub(super) fn new<const N: usize>(meta: &mut ConstraintSystem<Fr>) -> Self {
        let columns = hashes::columns(N).max(slot::COLUMNS);
        let columns: Vec<Column<Advice>> = (0..columns).map(|_| meta.advice_column()).collect();
        let lane = Lane::configure(meta);
        let constants = meta.fixed_column();
        let public = meta.instance_column();
        for column in &columns[..COPIED] {
            meta.enable_equality(*column);
        }
        meta.enable_equality(lane.sum);
        meta.enable_equality(constants);
        meta.enable_equality(public);
        Self {
            constants,
            public,
            slots: SlotChip::configure(meta, &columns, &lane),
            hashes: Hashes::configure(meta, N, &columns, &lane),
            thresholds: Thresholds::configure(meta, N, &columns),
            lane,
        }
    }

    pub(super) fn assign(
        &self,
        sheet: &mut Sheet<'_>,
        values: &Values,
    ) -> Result<Layout<Statement>, Error> {
        let mut layout = Layout::default();
        self.lane.write_table(sheet);
        let mut ranged = Vec::new();

        // Each slot's signature equation. The first holds the domain.
        let mut domain = Input::Free(values.domain);
        let mut slots: Vec<SlotCells> = Vec::new();
        for (slot, values) in values.slots.iter().enumerate() {
            let start = sheet.row();
            let cells = self.slots.assign(sheet, &values.signature, domain)?;
            domain = cells.domain.into();
            slots.push(cells);
            layout.record(Statement::AttestationValidity { slot }, start..sheet.row());
        }
        let lane_start = sheet.row();

        // Public-input integrity: x is the hash of what it folds; each threshold in its range.
        let start = sheet.row();
        let packed = self.thresholds.pack(sheet, &values.thresholds)?;
        for (cell, range) in packed.thresholds.iter().zip(thresholds::RANGES) {
            ranged.push(Ranged {
                statement: Statement::PublicInputIntegrity,
                cell: *cell,
                range,
            });
        }
        let claimed = self.hashes.fold(sheet, values, &packed.packed)?;
        sheet.equal_public(&claimed.x, self.public, 0);
        layout.record(Statement::PublicInputIntegrity, start..sheet.row());

        // Membership: P(ID, sk) is a leaf of the tree with root registry_root.
        let start = sheet.row();
        let (sk, root) = self.hashes.membership(sheet, values)?;
        sheet.equal(&root, &claimed.registry_root);
        layout.record(Statement::Membership, start..sheet.row());

        // Nullifier integrity: nullifier = P(NULLIFIER, sk, epoch).
        let start = sheet.row();
        let nullifier = self.hashes.nullifier(sheet, &sk, &claimed.epoch)?;
        sheet.equal(&nullifier, &claimed.nullifier);
        layout.record(Statement::NullifierIntegrity, start..sheet.row());

        // Measurer-set integrity: set_hash is the hash of the keys in order, with the domain.
        let start = sheet.row();
        // The row above the widest hash has an input in the lane's sums.
        let taken = start;
        let set_hash = self.hashes.measurer_set(sheet, domain, &slots)?;
        sheet.equal(&set_hash, &claimed.set_hash);
        layout.record(Statement::MeasurerSetIntegrity, start..sheet.row());

        // Attestation validity: S once, then what each slot's signature is of.
        let start = sheet.row();
        let subject = self.hashes.subject(sheet, &sk, &claimed.epoch)?;
        for slot in 0..slots.len() {
            layout.record(Statement::AttestationValidity { slot }, start..sheet.row());
        }
        let mut attested = Vec::with_capacity(slots.len());
        for (slot, (cells, values)) in slots.iter().zip(&values.slots).enumerate() {
            let statement = Statement::AttestationValidity { slot };
            let start = sheet.row();
            let metrics = self
                .thresholds
                .metrics(sheet, &values.metrics, &claimed.epoch)?;
            let hash = self
                .hashes
                .attestation(sheet, &metrics.packed, cells, &subject)?;
            let (present, high) = self.thresholds.enforce_challenge(
                sheet,
                values.present,
                &hash,
                &cells.challenge,
            )?;
            ranged.push(Ranged {
                statement,
                cell: high,
                range: Range::High,
            });
            for (cell, range) in metrics.values.iter().zip(thresholds::RANGES) {
                ranged.push(Ranged {
                    statement,
                    cell: *cell,
                    range,
                });
            }
            layout.record(statement, start..sheet.row());
            attested.push((present, metrics.values));
        }

        // Thresholds: for each metric, a majority of all slots is present and passes.
        for metric in super::Metric::ALL {
            let statement = Statement::Thresholds { metric };
            let start = sheet.row();
            let threshold = &packed.thresholds[metric as usize];
            let differences = self
                .thresholds
                .majority(sheet, metric, threshold, &attested)?;
            ranged.extend(differences.into_iter().map(|cell| Ranged {
                statement,
                cell,
                range: Range::Word,
            }));
            layout.record(statement, start..sheet.row());
        }

        // The ranges, beside all that.
        let mut row = lane_start;
        for Ranged {
            statement,
            cell,
            range,
        } in &ranged
        {
            if (row..row + range.rows()).contains(&taken) {
                row = taken + 1;
            }
            let next = self.lane.enforce(sheet, row, cell, *range)?;
            layout.record_beside(*statement, row..next);
            row = next;
        }
        Ok(layout)
    }
}
