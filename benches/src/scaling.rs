//! Proving time by the size of the registry: every n with 2²⁰, 2²⁶ and 2³² leaves, with keys made on the spot.

use anyhow::Context;
use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::Groth16;
use ark_relations::gr1cs::{ConstraintSystem, SynthesisMode};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use veilpool_circuits::claim::{Circuit, PublicInputs, sample::Sample};
use veilpool_params::reduction::OddCoset;
use veilpool_protocol::{MeasurerCount, registry::DEPTH};
use veilpool_prover::{Backend, Constraints, Fast, Options, QuotientBasis, Token};
use zeroize::Zeroizing;

use crate::{
    child::Host,
    circuits::{self, Deeper},
    clock::{Times, time},
    peers::Depth,
    progress::Progress,
    proving::THREADS_VARIABLE,
    task::Task,
};

/// One circuit, one thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Number of measurers.
    pub n: usize,
    /// Binary logarithm of the registry's leaves.
    pub log2_leaves: usize,
    /// Rows.
    pub constraints: usize,
    /// The assignment.
    pub witness: Times,
    /// Proof from the assignment.
    pub proof: Times,
}

/// Measures these sizes, each in a process of one thread.
///
/// # Errors
/// Whatever keeps it from proving.
pub fn measure(
    host: &Host,
    sizes: &[(MeasurerCount, Depth)],
    runs: usize,
    progress: &mut dyn Progress,
) -> anyhow::Result<Vec<Row>> {
    let one = |(n, depth): &(MeasurerCount, Depth)| {
        progress.begins(&format!(
            "setup and {runs} proofs, n = {}, 2^{} leaves, one thread",
            n.get(),
            depth.log2_leaves()
        ));
        let task = Task::Scale {
            n: n.get(),
            depth: *depth,
            runs,
        };
        host.ask(&task, &[(THREADS_VARIABLE, "1".to_owned())])
    };
    sizes.iter().map(one).collect()
}

pub(crate) fn scale_here(n: usize, depth: Depth, runs: usize) -> anyhow::Result<Row> {
    match MeasurerCount::try_from(n)? {
        MeasurerCount::Three => scale::<3>(depth, runs),
        MeasurerCount::Five => scale::<5>(depth, runs),
        MeasurerCount::Seven => scale::<7>(depth, runs),
    }
}

fn scale<const N: usize>(depth: Depth, runs: usize) -> anyhow::Result<Row> {
    let levels = depth
        .0
        .checked_sub(DEPTH)
        .context("a registry less deep than the protocol's")?;
    let rng = &mut ChaCha20Rng::seed_from_u64(depth.0 as u64);
    let matrices = circuits::matrices(MeasurerCount::try_from(N)?, depth)?;
    let blank = Deeper {
        claim: Circuit::<N>::blank(),
        levels,
    };
    let key = Groth16::<Bn254, OddCoset>::generate_random_parameters_with_reduction(blank, rng)?;
    let [a, b, _] = &matrices.abc;
    let constraints = Constraints {
        a,
        b,
        public_columns: matrices.public_columns,
        witness_columns: matrices.witness_columns,
    };
    let backend = Fast::new(
        &key,
        constraints,
        QuotientBasis::OddCoset,
        &Options::default(),
        &Token::new(),
    )?;
    let sample = Sample::<N>::generate(rng);
    let public = PublicInputs::of(&sample.witness.claimed);
    let assign = || -> anyhow::Result<Zeroizing<Vec<Fr>>> {
        let cs = ConstraintSystem::<Fr>::new_ref();
        cs.set_mode(SynthesisMode::Prove {
            construct_matrices: false,
            generate_lc_assignments: false,
        });
        let claim = Circuit::new(public, &sample.witness);
        ark_relations::gr1cs::ConstraintSynthesizer::generate_constraints(
            Deeper { claim, levels },
            cs.clone(),
        )?;
        let assignments = cs
            .into_inner()
            .context("the constraint system")?
            .assignments;
        let mut all = Zeroizing::new(assignments.instance_assignment);
        all.extend(assignments.witness_assignment);
        Ok(all)
    };
    let (mut witness, mut proof) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        let (assignment, spent) = time(assign);
        let assignment = assignment?;
        if run > 0 {
            witness.push(spent);
        } else {
            anyhow::ensure!(
                matrices.failing_rows(&assignment).is_empty(),
                "the sample doesn't satisfy the deeper circuit"
            );
        }
        let (r, s) = (Fr::rand(rng), Fr::rand(rng));
        let (made, spent) = time(|| backend.prove(&assignment, r, s, &Token::new()));
        made?;
        if run > 0 {
            proof.push(spent);
        }
    }
    Ok(Row {
        n: N,
        log2_leaves: depth.log2_leaves(),
        constraints: matrices.rows(),
        witness: Times::of(&witness),
        proof: Times::of(&proof),
    })
}
