//! Multi-scalar multiplication over bases that never change.
//!
//! ```text
//! Σ sᵢPᵢ,  sᵢ = Σ_w d_{i,w} 2^(cw),  −2^(c−1) ≤ d < 2^(c−1)
//!        = Σ_g 2^(cg) Σ_b b · B_{g,b},   B_{g,b} = Σ ± 2^(cGt) Pᵢ over all i, t with |d_{i, g + Gt}| = b
//! ```
//! Windows are dealt to G *groups*; with tables of the multiples `2^(cGt) Pᵢ` all windows of a group
//! share their buckets B. G = 1 has one set of buckets and needs `⌈254/c⌉` copies of the bases; without
//! tables each window is a group. [`Plan`] chooses c and G by counting additions, within the
//! caller's bound on memory.
//!
//! Buckets are filled by [`tree`]: references to points are sorted by bucket and each bucket is added
//! up in pairs. `Σ b · B_b` is split as `b = h·2^k + l` into sums over equal l and equal h, which the
//! same tree makes, so that only about `2·2^(c/2)` points are left for a serial sum. A scalar that is
//! zero costs nothing, a small one (±1, a byte) one addition; a group of any size, all in one
//! bucket, is a tree too.
//!
//! References: Pippenger, *On the evaluation of powers and monomials* (1980); Brickell, Gordon,
//! McCurley and Wilson, *Fast exponentiation with precomputation* (1992), for the tables; Montgomery,
//! *Speeding the Pollard and elliptic curve methods of factorization* (1987), for shared inversions.

use ark_ff::Zero;
use rayon::prelude::*;
use zeroize::Zeroize;

use crate::{
    curve::{Curve, double_times, weighted_sum},
    engine::Engine,
    progress::{Cancelled, Token},
    scalars::Exponents,
    secret::Secret,
};

mod plan;
mod recode;
mod scratch;
mod table;
mod tree;

pub use plan::Plan;
use recode::Recoded;
pub use scratch::Workspace;
use tree::{Chunk, Group, MAX_POINTS, NEGATIVE, Sum};

/// References that are added up as one task: enough that an inversion is nothing, few enough that
/// points and denominators stay in a core's cache.
const CHUNK: usize = 1 << 14;

/// Bases prepared for one engine.
pub struct Bases<E: Engine, C: Curve> {
    engine: E,
    plan: Plan,
    /// Copy t of all points, then copy t + 1.
    table: Vec<C::Row>,
    /// Which scalar belongs to a point. Bases that are the identity have none.
    columns: Vec<u32>,
    columns_of_input: usize,
}

/// Why bases cannot be prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BasesError {
    /// References have 30 bits.
    #[error("{0} bases are more than can be multiplied at once")]
    TooMany(usize),
    /// Cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Sorted references: those of key k are `references[starts[k]..starts[k + 1]]`.
struct Sorted {
    starts: Vec<u32>,
    references: Vec<u32>,
}

impl Drop for Sorted {
    fn drop(&mut self) {
        self.starts.zeroize();
        self.references.zeroize();
    }
}

/// Points that are zeroized.
struct Sums<C: Curve>(Vec<Sum<C>>);

impl<C: Curve> Drop for Sums<C> {
    fn drop(&mut self) {
        for (key, row) in &mut self.0 {
            key.zeroize();
            row.zeroize();
        }
    }
}

impl<E: Engine, C: Curve> Bases<E, C> {
    /// Prepares bases, with tables of at most `memory` bytes (more than the bases themselves need
    /// is spent on multiples; 0 for none).
    ///
    /// # Errors
    /// [`BasesError`].
    pub fn new(
        engine: E,
        points: &[C::Affine],
        memory: usize,
        token: &Token,
    ) -> Result<Self, BasesError> {
        let mut columns = Vec::with_capacity(points.len());
        let mut table = Vec::with_capacity(points.len());
        for (column, point) in points.iter().enumerate() {
            if let Some(row) = C::encode::<E>(point) {
                columns.push(column as u32);
                table.push(row);
            }
        }
        let plan = Plan::choose(table.len(), memory / size_of::<C::Row>());
        if points.len().max(table.len() * plan.copies()) > MAX_POINTS {
            return Err(BasesError::TooMany(points.len()));
        }
        table::extend::<E, C>(engine, &mut table, &plan, token)?;
        Ok(Self {
            engine,
            plan,
            table,
            columns,
            columns_of_input: points.len(),
        })
    }

    /// How windows are laid out.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Bases, those that are the identity included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.columns_of_input
    }

    /// Whether there is no base.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.columns_of_input == 0
    }

    /// Bases that are not the identity.
    #[must_use]
    pub const fn points(&self) -> usize {
        self.columns.len()
    }

    /// Bytes of points and tables.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.table.len() * size_of::<C::Row>() + self.columns.len() * size_of::<u32>()
    }

    /// `Σ scalarᵢ · baseᵢ`; scalars that are missing count as zero, those beyond the bases are not
    /// looked at. Uses the rayon pool that it is called in.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn multiply(
        &self,
        exponents: &Exponents,
        workspace: &Workspace<E, C>,
        token: &Token,
    ) -> Result<C::Projective, Cancelled> {
        let recoded = Recoded::new(&self.plan, &self.columns, exponents);
        let groups: Vec<C::Projective> = (0..self.plan.groups())
            .into_par_iter()
            .map(|group| self.group(group, &recoded, workspace, token))
            .collect::<Result<_, _>>()?;
        let mut total = C::Projective::zero();
        for sum in groups.into_iter().rev() {
            total = double_times::<C>(total, self.plan.bits()) + sum;
        }
        Ok(total)
    }

    fn group(
        &self,
        group: usize,
        recoded: &Recoded,
        workspace: &Workspace<E, C>,
        token: &Token,
    ) -> Result<C::Projective, Cancelled> {
        token.check()?;
        let sorted = self.sort(group, recoded);
        token.check()?;
        let buckets = bucket_sums(self.engine, &self.table, &sorted, workspace, token)?;
        drop(sorted);
        weigh(
            self.engine,
            &buckets,
            self.plan.bits() - 1,
            workspace,
            token,
        )
    }

    // Counting sort of the references of one group by |digit|.
    fn sort(&self, group: usize, recoded: &Recoded) -> Sorted {
        let points = self.columns.len();
        // Key 0 is for the digit 0, and dropped.
        let mut starts = vec![0u32; self.plan.buckets() + 2];
        let windows = || {
            (0..self.plan.copies())
                .map(move |copy| (copy, group + copy * self.plan.groups()))
                .filter(|(_, window)| *window < self.plan.windows())
        };
        for (_, window) in windows() {
            let digits = self.plan.digits(window);
            for (words, _) in &recoded.long {
                let (key, _) = digits.of(words);
                starts[key as usize + 1] += 1;
            }
        }
        let short: &[_] = if group == 0 { &recoded.short } else { &[] };
        for (key, _) in short {
            starts[*key as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let total = starts.last().copied().unwrap_or(0) as usize;
        let mut references = vec![0u32; total];
        // starts[k] is where key k goes on; afterwards it is where key k + 1 begins.
        let mut put = |key: u32, reference: u32| {
            let at = &mut starts[key as usize];
            references[*at as usize] = reference;
            *at += 1;
        };
        for (copy, window) in windows() {
            let digits = self.plan.digits(window);
            let first = (copy * points) as u32;
            for (words, reference) in &recoded.long {
                let (key, negative) = digits.of(words);
                put(key, (reference + first) ^ negative);
            }
        }
        for (key, reference) in short {
            put(*key, *reference);
        }
        // As they are now: key k ends at starts[k]; the first is the zeros' end.
        Sorted { starts, references }
    }
}

/// Sum of the points of each key; a key may come several times, or not at all.
fn bucket_sums<E: Engine, C: Curve>(
    engine: E,
    table: &[C::Row],
    sorted: &Sorted,
    workspace: &Workspace<E, C>,
    token: &Token,
) -> Result<Sums<C>, Cancelled> {
    let chunks = chunks(&sorted.starts);
    let parts: Vec<Sums<C>> = chunks
        .into_par_iter()
        .map(|groups| {
            token.check()?;
            let mut sums = Sums(Vec::with_capacity(groups.len()));
            workspace.with(|scratch| {
                engine.run(Chunk {
                    table,
                    references: &sorted.references,
                    groups: &groups,
                    scratch,
                    sums: &mut sums.0,
                });
            });
            Ok(sums)
        })
        .collect::<Result<_, Cancelled>>()?;
    let mut all = Sums(Vec::with_capacity(
        parts.iter().map(|part| part.0.len()).sum(),
    ));
    for part in &parts {
        all.0.extend_from_slice(&part.0);
    }
    Ok(all)
}

// Keys 1, 2, …; a key with many references is dealt to several chunks.
fn chunks(ends: &[u32]) -> Vec<Vec<Group>> {
    let mut chunks = Vec::new();
    let mut current = Vec::new();
    let mut filled = 0;
    for (key, range) in ends.windows(2).enumerate() {
        let &[mut start, end] = range else { continue };
        while start < end {
            let part = (end - start).min(CHUNK as u32 - filled);
            current.push(Group {
                key: key as u32 + 1,
                start,
                end: start + part,
            });
            start += part;
            filled += part;
            if filled == CHUNK as u32 {
                chunks.push(core::mem::take(&mut current));
                filled = 0;
            }
        }
    }
    if !current.is_empty() {
        chunks.push(current);
    }
    chunks
}

/// `Σ key · point` of keys up to `2^bits`.
fn weigh<E: Engine, C: Curve>(
    engine: E,
    buckets: &Sums<C>,
    bits: usize,
    workspace: &Workspace<E, C>,
    token: &Token,
) -> Result<C::Projective, Cancelled> {
    let low_bits = bits / 2;
    let lows = 1usize << low_bits;
    let highs = (1usize << (bits - low_bits)) + 1;
    // Keys: low parts 1 … lows − 1, then high parts 1 … highs − 1 from `lows` on; 0 for what has weight 0.
    let keys = |key: u32| {
        let weight = (key & !NEGATIVE) as usize;
        let (low, high) = (weight % lows, weight / lows);
        [low, if high == 0 { 0 } else { lows + high - 1 }]
    };
    let rows: Vec<C::Row> = buckets.0.iter().map(|(_, row)| *row).collect();
    let rows = Secret::from(rows);
    let mut starts = vec![0u32; lows + highs];
    for (key, _) in &buckets.0 {
        for key in keys(*key) {
            starts[key + 1] += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut references = vec![0u32; sum as usize];
    for (index, (key, _)) in buckets.0.iter().enumerate() {
        for place in keys(*key) {
            let at = &mut starts[place];
            references[*at as usize] = index as u32 | key & NEGATIVE;
            *at += 1;
        }
    }
    let sorted = Sorted { starts, references };
    let sums = bucket_sums::<E, C>(engine, &rows, &sorted, workspace, token)?;
    let mut points = vec![C::Projective::zero(); lows + highs - 1];
    for (key, row) in &sums.0 {
        let point = C::decode::<E>(row);
        let at = &mut points[(key & !NEGATIVE) as usize];
        if key & NEGATIVE == 0 {
            *at += point;
        } else {
            *at -= point;
        }
    }
    let low = weighted_sum::<C>(points[1..lows].iter().rev().copied());
    let high = weighted_sum::<C>(points[lows..].iter().rev().copied());
    Ok(low + double_times::<C>(high, low_bits))
}
