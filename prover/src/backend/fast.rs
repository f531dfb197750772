//! Our prover: the parts of `veilpool-arithmetic` put together for one key.
//!
//! Prepared once per key: matrices A and B for lanes, twiddles, the five queries in the engine's
//! word form with tables within [`Options::table_memory`]. Per proof: rows, quotient, five
//! multiplications, all in one pool of threads. The blinding multiples of δ, and α and β, are further
//! bases of the same multiplications, so that they cost a few additions each.
//!
//! Whatever depends on the witness (exponents, rows, values on the coset, references sorted by
//! digit, points of buckets) is overwritten before its memory is given back.

mod prepared;

use ark_bn254::{Bn254, Fr};
use ark_groth16::{Proof, ProvingKey};
#[cfg(target_arch = "x86_64")]
use veilpool_arithmetic::engine::Ifma;
use veilpool_arithmetic::{
    engine::{Engine, Portable},
    msm::BasesError,
    progress::Token,
    sparse::NoSuchColumn,
};

use self::prepared::Prepared;
use super::{Backend, BackendError, Constraints, PhaseTimings, PrepareError, QuotientBasis};

/// How to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Instructions.
    pub arithmetic: Arithmetic,
    /// Threads of the prover's own pool; `None` for rayon's global one.
    pub threads: Option<usize>,
    /// Bytes that tables of multiples of the key's points may take, all queries together; 0 for
    /// none. Tables take as long to make as several proofs, and save about a tenth of each.
    pub table_memory: usize,
}

/// Which instructions to compute with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arithmetic {
    /// The fastest that the machine has.
    #[default]
    Best,
    /// What every machine has.
    Portable,
    /// AVX-512 IFMA, or an error.
    Ifma,
}

/// See the module.
pub struct Fast {
    prepared: AnyEngine,
    pool: Option<rayon::ThreadPool>,
}

enum AnyEngine {
    #[cfg(target_arch = "x86_64")]
    Ifma(Box<Prepared<Ifma>>),
    Portable(Box<Prepared<Portable>>),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            arithmetic: Arithmetic::Best,
            threads: None,
            table_memory: 0,
        }
    }
}

impl Options {
    /// For machines with little memory: no tables, and one thread, so that the windows of one
    /// multiplication after the other pass through the same scratch memory.
    #[must_use]
    pub const fn low_memory() -> Self {
        Self {
            arithmetic: Arithmetic::Best,
            threads: Some(1),
            table_memory: 0,
        }
    }
}

impl Fast {
    /// Prepares a key.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub fn new(
        key: &ProvingKey<Bn254>,
        constraints: Constraints<'_>,
        basis: QuotientBasis,
        options: &Options,
        token: &Token,
    ) -> Result<Self, PrepareError> {
        check_key(key, &constraints, basis)?;
        let pool = options
            .threads
            .map(|threads| {
                rayon::ThreadPoolBuilder::new()
                    .num_threads(threads.max(1))
                    .thread_name(|index| format!("prover-{index}"))
                    .build()
                    .map_err(|error| PrepareError::Threads(error.to_string()))
            })
            .transpose()?;
        let prepare = || prepare(key, constraints, basis, options, token);
        let prepared = match &pool {
            Some(pool) => pool.install(prepare),
            None => prepare(),
        }?;
        Ok(Self { prepared, pool })
    }

    /// Bytes that the prepared key takes, tables included.
    #[must_use]
    pub fn memory(&self) -> usize {
        match &self.prepared {
            #[cfg(target_arch = "x86_64")]
            AnyEngine::Ifma(prepared) => prepared.memory(),
            AnyEngine::Portable(prepared) => prepared.memory(),
        }
    }
}

impl Backend for Fast {
    fn name(&self) -> &'static str {
        match &self.prepared {
            #[cfg(target_arch = "x86_64")]
            AnyEngine::Ifma(_) => Ifma::NAME,
            AnyEngine::Portable(_) => Portable::NAME,
        }
    }

    fn prove(
        &self,
        assignment: &[Fr],
        r: Fr,
        s: Fr,
        token: &Token,
    ) -> Result<(Proof<Bn254>, PhaseTimings), BackendError> {
        let prove = || match &self.prepared {
            #[cfg(target_arch = "x86_64")]
            AnyEngine::Ifma(prepared) => prepared.prove(assignment, r, s, token),
            AnyEngine::Portable(prepared) => prepared.prove(assignment, r, s, token),
        };
        match &self.pool {
            Some(pool) => pool.install(prove),
            None => prove(),
        }
    }
}

fn check_key(
    key: &ProvingKey<Bn254>,
    constraints: &Constraints<'_>,
    basis: QuotientBasis,
) -> Result<(), PrepareError> {
    if constraints.a.len() != constraints.b.len() {
        return Err(PrepareError::Rows {
            a: constraints.a.len(),
            b: constraints.b.len(),
        });
    }
    let columns = constraints.columns();
    let domain = constraints.domain()?;
    let h = match basis {
        QuotientBasis::OddCoset => domain,
        QuotientBasis::Coefficients => domain - 1,
    };
    for (part, found, expected) in [
        ("a", key.a_query.len(), columns),
        ("b (G1)", key.b_g1_query.len(), columns),
        ("b (G2)", key.b_g2_query.len(), columns),
        ("l", key.l_query.len(), constraints.witness_columns),
        ("h", key.h_query.len(), h),
        (
            "public",
            key.vk.gamma_abc_g1.len(),
            constraints.public_columns,
        ),
    ] {
        if found != expected {
            return Err(PrepareError::QueryLength {
                part,
                expected,
                found,
            });
        }
    }
    Ok(())
}

fn prepare(
    key: &ProvingKey<Bn254>,
    constraints: Constraints<'_>,
    basis: QuotientBasis,
    options: &Options,
    token: &Token,
) -> Result<AnyEngine, PrepareError> {
    #[cfg(target_arch = "x86_64")]
    if options.arithmetic != Arithmetic::Portable
        && let Some(engine) = Ifma::detect()
    {
        let prepared = Prepared::new(engine, key, constraints, basis, options, token)?;
        return Ok(AnyEngine::Ifma(Box::new(prepared)));
    }
    if options.arithmetic == Arithmetic::Ifma {
        return Err(PrepareError::NoSuchArithmetic);
    }
    let prepared = Prepared::new(Portable, key, constraints, basis, options, token)?;
    Ok(AnyEngine::Portable(Box::new(prepared)))
}

impl From<BasesError> for PrepareError {
    fn from(error: BasesError) -> Self {
        match error {
            BasesError::TooMany(count) => Self::TooLarge(count),
            BasesError::Cancelled(cancelled) => cancelled.into(),
            _ => Self::TooLarge(usize::MAX),
        }
    }
}

impl From<NoSuchColumn> for PrepareError {
    fn from(error: NoSuchColumn) -> Self {
        Self::Column {
            column: error.column,
            columns: error.columns,
        }
    }
}
