//! Proving.
//!
//! The matrices are made once when the prover is loaded; a proof then computes only the assignment
//! and the multi-scalar multiplications.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::PreparedVerifyingKey;
use ark_relations::gr1cs::{ConstraintSystem, SynthesisError, SynthesisMode};
use rand::{CryptoRng, RngCore};
use veilpool_arithmetic::progress::Token;
use veilpool_circuits::{
    PublicInputs, Statement,
    claim::{Circuit, Witness, check_native},
};
use veilpool_params::{LoadError, Parameters, Progress, Record, VerifyingKey};
use veilpool_protocol::{CompressedProofBytes, MeasurerCount, ProofBytes, PublicInputBytes, claim};
use zeroize::Zeroizing;

use crate::{
    backend::{
        Backend, BackendError, Constraints, Fast, Options, PhaseTimings, PrepareError,
        QuotientBasis,
    },
    inputs::{ClaimInputs, InputError},
    proof::Proof,
    verify::{VerifyError, verify_prepared},
};

/// Proves claims for one number of measurers.
pub struct Prover {
    record: Record,
    verifying_key: VerifyingKey,
    prepared: PreparedVerifyingKey<Bn254>,
    backend: Box<dyn Backend>,
}

/// Why there is no prover.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadProverError {
    /// The parameters could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// They could not be prepared.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The claim isn't true, and this statement of it is the first that fails.
    #[error("the claim can't be proven. {0}")]
    Statement(#[from] Statement),
    /// Another circuit.
    #[error(
        "the claim is for {inputs} measurers, this prover is for {prover}; load the prover for {inputs}"
    )]
    MeasurerCount {
        /// Of the claim.
        inputs: usize,
        /// Of the prover.
        prover: usize,
    },
    /// The inputs can't be used.
    #[error(transparent)]
    Inputs(#[from] InputError),
    /// The circuit could not be synthesised.
    #[error("the assignment could not be computed: {0}")]
    Synthesis(#[from] SynthesisError),
    /// The proof could not be computed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A proof came out that does not verify.
    #[error(
        "the proof doesn't verify, although every statement holds; this is a fault of the software or the machine: please report it ({0})"
    )]
    SelfVerification(VerifyError),
}

/// How long each step took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// All statements in plain Rust.
    pub native_check: Duration,
    /// The assignment.
    pub witness: Duration,
    /// The proof from the assignment.
    pub proof: Duration,
    /// Of the proof.
    pub verification: Duration,
    /// Parts of [`Timings::proof`]; they overlap where there are several threads.
    pub phases: PhaseTimings,
}

/// A proof that has been verified.
#[derive(Clone, Debug)]
pub struct VerifiedProof {
    proof: Proof,
    claimed: claim::PublicInputs,
    count: MeasurerCount,
    timings: Timings,
}

/// A proof that nobody has verified, for showing that verifiers refuse it.
#[derive(Clone, Debug)]
pub struct UncheckedProof {
    /// The points.
    pub proof: Proof,
    /// What it claims to be about.
    pub public_input: PublicInputBytes,
}

impl Timings {
    /// Of all steps.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.native_check + self.witness + self.proof + self.verification
    }
}

impl VerifiedProof {
    /// For the chain: 256 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> ProofBytes {
        self.proof.to_bytes()
    }

    /// For everywhere else: 128 bytes.
    #[must_use]
    pub fn to_compressed(&self) -> CompressedProofBytes {
        self.proof.to_compressed()
    }

    /// The one public input.
    #[must_use]
    pub fn public_input(&self) -> PublicInputBytes {
        PublicInputs::of(&self.claimed).to_bytes()
    }

    /// What the public input folds.
    #[must_use]
    pub const fn claimed(&self) -> &claim::PublicInputs {
        &self.claimed
    }

    /// Of which circuit.
    #[must_use]
    pub const fn count(&self) -> MeasurerCount {
        self.count
    }

    /// How long it took.
    #[must_use]
    pub const fn timings(&self) -> &Timings {
        &self.timings
    }

    /// The points.
    #[must_use]
    pub const fn proof(&self) -> &Proof {
        &self.proof
    }
}

impl Prover {
    /// With parameters that are already loaded.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub fn new(parameters: Parameters, options: &Options) -> Result<Self, PrepareError> {
        let Parameters {
            record,
            proving_key,
            verifying_key,
            matrices,
        } = parameters;
        // C is only for the fingerprint, which has been compared.
        let [a, b, _] = matrices.abc;
        let constraints = Constraints {
            a: &a,
            b: &b,
            public_columns: matrices.public_columns,
            witness_columns: matrices.witness_columns,
        };
        let backend = Fast::new(
            &proving_key,
            constraints,
            QuotientBasis::OddCoset,
            options,
            &Token::new(),
        )?;
        Ok(Self {
            prepared: verifying_key.prepare(),
            record,
            verifying_key,
            backend: Box::new(backend),
        })
    }

    /// For `n` measurers, with the parameters in the cache folder, made there first if need be.
    ///
    /// # Errors
    /// [`LoadProverError`].
    pub fn load(
        n: MeasurerCount,
        cache: &Path,
        progress: &mut Progress<'_>,
    ) -> Result<Self, LoadProverError> {
        Self::load_with(n, cache, &Options::default(), progress)
    }

    /// The same with other options than the default ones.
    ///
    /// # Errors
    /// [`LoadProverError`].
    pub fn load_with(
        n: MeasurerCount,
        cache: &Path,
        options: &Options,
        progress: &mut Progress<'_>,
    ) -> Result<Self, LoadProverError> {
        let parameters = Parameters::load_or_make(n, cache, progress)?;
        Ok(Self::new(parameters, options)?)
    }

    /// How many measurers.
    #[must_use]
    pub const fn count(&self) -> MeasurerCount {
        self.record.n
    }

    /// What proofs are verified with.
    #[must_use]
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    /// What the manifest says of the parameters.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// What proofs are made with.
    #[must_use]
    pub fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Checks the claim, proves it, and verifies the proof.
    ///
    /// # Errors
    /// [`ProveError`]; a claim that doesn't hold gives the statement that fails.
    pub fn prove<R: RngCore + CryptoRng>(
        &self,
        inputs: &ClaimInputs,
        rng: &mut R,
    ) -> Result<VerifiedProof, ProveError> {
        self.prove_watched(inputs, &Token::new(), rng)
    }

    /// The same, to be watched and cancelled through the token.
    ///
    /// # Errors
    /// [`ProveError`]; [`BackendError::Cancelled`] in it once the token is cancelled.
    pub fn prove_watched<R: RngCore + CryptoRng>(
        &self,
        inputs: &ClaimInputs,
        token: &Token,
        rng: &mut R,
    ) -> Result<VerifiedProof, ProveError> {
        match self.count() {
            MeasurerCount::Three => self.prove_sized::<3, R>(inputs, token, rng),
            MeasurerCount::Five => self.prove_sized::<5, R>(inputs, token, rng),
            MeasurerCount::Seven => self.prove_sized::<7, R>(inputs, token, rng),
        }
    }

    /// Makes a proof of whatever the inputs say, true or not, and verifies nothing.
    ///
    /// Exists for one purpose: tests and the demo's cheat show with it that verifiers refuse a
    /// false claim. No honest program calls it.
    ///
    /// # Errors
    /// [`ProveError`], but never for a statement.
    pub fn prove_without_checks<R: RngCore + CryptoRng>(
        &self,
        inputs: &ClaimInputs,
        rng: &mut R,
    ) -> Result<UncheckedProof, ProveError> {
        let public = inputs.public_inputs();
        let timings = &mut Timings::default();
        let token = &Token::new();
        let proof = match self.count() {
            MeasurerCount::Three => {
                self.make_proof(public, &self.witness_of::<3>(inputs)?, timings, token, rng)
            }
            MeasurerCount::Five => {
                self.make_proof(public, &self.witness_of::<5>(inputs)?, timings, token, rng)
            }
            MeasurerCount::Seven => {
                self.make_proof(public, &self.witness_of::<7>(inputs)?, timings, token, rng)
            }
        }?;
        Ok(UncheckedProof {
            proof,
            public_input: public.to_bytes(),
        })
    }

    fn prove_sized<const N: usize, R: RngCore + CryptoRng>(
        &self,
        inputs: &ClaimInputs,
        token: &Token,
        rng: &mut R,
    ) -> Result<VerifiedProof, ProveError> {
        let public = inputs.public_inputs();
        let witness = self.witness_of::<N>(inputs)?;
        let mut timings = Timings::default();

        let start = Instant::now();
        check_native(&public, &witness)?;
        timings.native_check = start.elapsed();

        let proof = self.make_proof(public, &witness, &mut timings, token, rng)?;

        let start = Instant::now();
        verify_prepared(&self.prepared, public, &proof).map_err(ProveError::SelfVerification)?;
        timings.verification = start.elapsed();

        Ok(VerifiedProof {
            proof,
            claimed: *inputs.claimed(),
            count: self.count(),
            timings,
        })
    }

    fn witness_of<const N: usize>(&self, inputs: &ClaimInputs) -> Result<Witness<N>, ProveError> {
        inputs.to_witness()?.ok_or(ProveError::MeasurerCount {
            inputs: inputs.count().get(),
            prover: self.count().get(),
        })
    }

    fn make_proof<const N: usize, R: RngCore + CryptoRng>(
        &self,
        public: PublicInputs,
        witness: &Witness<N>,
        timings: &mut Timings,
        token: &Token,
        rng: &mut R,
    ) -> Result<Proof, ProveError> {
        let start = Instant::now();
        let assignment = assign(&Circuit::new(public, witness))?;
        timings.witness = start.elapsed();

        let start = Instant::now();
        let (r, s) = (Fr::rand(rng), Fr::rand(rng));
        let (proof, phases) = self.backend.prove(&assignment, r, s, token)?;
        timings.phases = phases;
        timings.proof = start.elapsed();
        Ok(Proof::new(proof))
    }
}

/// The whole assignment of whatever the inputs say, true or not: for exporting a witness, and for
/// measuring backends by themselves.
///
/// # Errors
/// [`ProveError`], but never for a statement.
pub fn assignment_of(inputs: &ClaimInputs) -> Result<Zeroizing<Vec<Fr>>, ProveError> {
    fn sized<const N: usize>(inputs: &ClaimInputs) -> Result<Zeroizing<Vec<Fr>>, ProveError> {
        let count = inputs.count().get();
        let witness = inputs.to_witness::<N>()?.ok_or(ProveError::MeasurerCount {
            inputs: count,
            prover: N,
        })?;
        Ok(assign(&Circuit::new(inputs.public_inputs(), &witness))?)
    }
    match inputs.count() {
        MeasurerCount::Three => sized::<3>(inputs),
        MeasurerCount::Five => sized::<5>(inputs),
        MeasurerCount::Seven => sized::<7>(inputs),
    }
}

/// The whole assignment: the constant 1, public columns, witness columns. Zeroized on drop. (Copies
/// that the constraint system's vectors leave behind while they grow, and those inside arkworks'
/// prover, are out of reach.)
///
/// # Errors
/// Those of the circuit.
pub fn assign<const N: usize>(
    circuit: &Circuit<'_, N>,
) -> Result<Zeroizing<Vec<Fr>>, SynthesisError> {
    let cs = ConstraintSystem::<Fr>::new_ref();
    cs.set_mode(SynthesisMode::Prove {
        construct_matrices: false,
        generate_lc_assignments: false,
    });
    circuit.synthesize(cs.clone())?;
    let assignments = cs
        .into_inner()
        .ok_or(SynthesisError::MissingCS)?
        .assignments;
    let secret = Zeroizing::new(assignments.witness_assignment);
    let mut all = Zeroizing::new(Vec::with_capacity(
        assignments.instance_assignment.len() + secret.len(),
    ));
    all.extend_from_slice(&assignments.instance_assignment);
    all.extend_from_slice(&secret);
    Ok(all)
}
