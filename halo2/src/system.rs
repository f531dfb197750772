//! Keys, proofs and verification, for any circuit of this crate.
//!
//! halo2's PLONKish arithmetisation with KZG commitments, openings by SHPLONK (Boneh, Drake, Fisch,
//! Gabizon 2020) and a Blake2b transcript. A proof is a fixed number of bytes for each circuit: points
//! (32, compressed) and scalars (32, little-endian, canonical), so that a verifier looks at the length
//! first. From there on points and scalars are read one by one, with an error for each that isn't
//! one or has another encoding too ([`crate::reader`]).

use std::sync::Arc;

use halo2_proofs::{
    SerdeFormat,
    halo2curves::{
        bn256::{Bn256, G1Affine},
        ff::PrimeField,
    },
    plonk::{
        self, ConstraintSystem, ProvingKey, VerifyingKey, create_proof, keygen_pk,
        keygen_vk_custom, verify_proof,
    },
    poly::kzg::{
        commitment::{KZGCommitmentScheme, ParamsKZG},
        multiopen::{ProverSHPLONK, VerifierSHPLONK},
        strategy::SingleStrategy,
    },
    transcript::{Blake2bWrite, Challenge255, TranscriptWriterBuffer},
};
use rand::{CryptoRng, RngCore};
use sha2::{Digest, Sha256};

use crate::{
    field::Fr,
    manifest::Manifest,
    reader::{CanonicalRead, ELEMENT},
    relation::{MAX_DEGREE, Relation, Synthesis},
    universal::UniversalParameters,
};

const CONTEXT: &[u8] = b"veilpool/halo2-key/v1";

/// Why keys could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The universal parameters are too small.
    #[error("the circuit has 2^{needed} rows and the universal parameters are for 2^{found}")]
    TooSmall {
        /// k of the circuit.
        needed: u32,
        /// k of the parameters.
        found: u32,
    },
    /// A gate is above the largest degree: a mistake in the circuit.
    #[error("a gate has the degree {found}, above {MAX_DEGREE}: no proof of it would verify")]
    Degree {
        /// Of the gate.
        found: usize,
    },
    /// The environment changes the degree.
    #[error(
        "the environment variable MAX_DEGREE is set, which changes every key: unset it (halo2 reads it)"
    )]
    Environment,
    /// Not the key of the manifest.
    #[error(
        "the verifying key of {circuit} has the fingerprint {found}, and the manifest says {expected}: the circuit or halo2 has changed; write the manifest again if that was meant"
    )]
    Fingerprint {
        /// Which circuit.
        circuit: String,
        /// Of the key.
        found: String,
        /// By the manifest.
        expected: String,
    },
    /// halo2 refuses the circuit: a mistake in the circuit.
    #[error("the keys can't be made: {0}")]
    Circuit(String),
}

/// Why there is no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError<S> {
    /// A statement does not hold.
    #[error("{0}")]
    Statement(S),
    /// halo2 gave up: a mistake in the circuit.
    #[error("the proof could not be made: {0}")]
    Circuit(String),
    /// The finished proof does not verify: a mistake in the circuit, or a fault of the machine.
    #[error("the finished proof does not verify, and was not given out: {0}")]
    SelfCheck(VerifyError),
}

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not as long as proofs of the circuit are.
    #[error("the proof has {found} bytes, and {expected} are expected")]
    Length {
        /// Of this circuit's proofs.
        expected: usize,
        /// Of this one.
        found: usize,
    },
    /// Not points and scalars.
    #[error(
        "the proof's bytes aren't points of the curve and canonical scalars where they must be"
    )]
    Malformed,
    /// It does not hold.
    #[error("the proof does not hold for these public inputs")]
    Invalid,
}

/// What proving takes.
pub struct ProvingKeys {
    key: ProvingKey<G1Affine>,
    verifying: VerifyingKeys,
}

/// What verifying takes.
#[derive(Clone)]
pub struct VerifyingKeys {
    params: Arc<ParamsKZG<Bn256>>,
    key: VerifyingKey<G1Affine>,
}

/// Shape of a circuit, for the manifest and for tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// 2ᵏ rows.
    pub k: u32,
    /// The highest degree of a gate, a lookup or the permutation, with its selector.
    pub degree: usize,
    /// Witness columns.
    pub advice: usize,
    /// Fixed columns, those of selectors apart.
    pub fixed: usize,
    /// Selectors before they are combined.
    pub selectors: usize,
    /// Columns in the permutation.
    pub permutation: usize,
    /// Lookup arguments.
    pub lookups: usize,
}

/// The shape of a circuit. Its degree is computed here and not by halo2, which caps it.
#[must_use]
pub fn shape<R: Relation>() -> Shape {
    let mut system = ConstraintSystem::<Fr>::default();
    R::configure(&mut system);
    let gates = system.gates().iter().flat_map(|gate| gate.polynomials());
    let gates = gates.map(|constraint| constraint.degree()).max();
    let lookups = system.lookups().iter().map(|lookup| {
        let degree = |side: &[plonk::Expression<Fr>]| {
            let degrees = side.iter().map(plonk::Expression::degree);
            degrees.max().unwrap_or(1).max(1)
        };
        // z(ωX)·(a' + β)·(s' + γ) − z·(a + β)·(s + γ) on the usable rows.
        2 + degree(lookup.input_expressions()) + degree(lookup.table_expressions())
    });
    // z² − z on the last row.
    const PERMUTATION: usize = 3;
    let degree = lookups.chain(gates).chain([PERMUTATION]).max();
    Shape {
        k: R::K,
        degree: degree.unwrap_or(PERMUTATION),
        advice: system.num_advice_columns(),
        fixed: system.num_fixed_columns(),
        selectors: system.num_selectors(),
        permutation: system.permutation().get_columns().len(),
        lookups: system.lookups().len(),
    }
}

impl ProvingKeys {
    /// Makes the keys of a circuit. `blank` has no assignment.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new<R: Relation>(universal: &UniversalParameters, blank: &R) -> Result<Self, KeyError> {
        let verifying = VerifyingKeys::new(universal, blank)?;
        let (params, key) = (verifying.params.as_ref(), verifying.key.clone());
        let key = keygen_pk(params, key, &Synthesis(blank))
            .map_err(|error| KeyError::Circuit(error.to_string()))?;
        Ok(Self { key, verifying })
    }

    /// The half of it that verifies.
    #[must_use]
    pub fn verifying(&self) -> VerifyingKeys {
        self.verifying.clone()
    }

    /// Proves, and verifies the proof. The caller has checked that the relation holds.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn prove<R: Relation, S>(
        &self,
        relation: &R,
        public: &[Fr],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<u8>, ProveError<S>> {
        let mut transcript = Blake2bWrite::<_, _, Challenge255<_>>::init(Vec::new());
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
            &self.verifying.params,
            &self.key,
            &[Synthesis(relation)],
            &[&[public]],
            rng,
            &mut transcript,
        )
        .map_err(|error| ProveError::Circuit(error.to_string()))?;
        let proof = transcript.finalize();
        self.verifying
            .verify(public, &proof)
            .map_err(ProveError::SelfCheck)?;
        Ok(proof)
    }
}

impl VerifyingKeys {
    /// Makes the keys of a circuit. `blank` has no assignment. Under the manifest's universal
    /// parameters they must be the manifest's; under others the caller pins them by
    /// [`Self::fingerprint`].
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new<R: Relation>(universal: &UniversalParameters, blank: &R) -> Result<Self, KeyError> {
        let keys = Self::new_unpinned(universal, blank)?;
        let manifest =
            Manifest::embedded().map_err(|error| KeyError::Circuit(error.to_string()))?;
        if universal.is(&manifest.universal) {
            let circuit = R::name();
            let expected = manifest.find(&circuit).map(|key| key.fingerprint.clone());
            let (found, expected) = (
                hex::encode(keys.fingerprint()),
                expected.unwrap_or_default(),
            );
            if found != expected {
                return Err(KeyError::Fingerprint {
                    circuit,
                    found,
                    expected,
                });
            }
        }
        Ok(keys)
    }

    /// The same without a look at the manifest: for whoever writes it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new_unpinned<R: Relation>(
        universal: &UniversalParameters,
        blank: &R,
    ) -> Result<Self, KeyError> {
        // Its mere presence: a value that is no number makes halo2 panic.
        if std::env::var_os("MAX_DEGREE").is_some() {
            return Err(KeyError::Environment);
        }
        let found = shape::<R>().degree;
        if found > MAX_DEGREE {
            return Err(KeyError::Degree { found });
        }
        let params = universal.at(R::K).ok_or(KeyError::TooSmall {
            needed: R::K,
            found: universal.k(),
        })?;
        let key = keygen_vk_custom(params.as_ref(), &Synthesis(blank), true)
            .map_err(|error| KeyError::Circuit(error.to_string()))?;
        Ok(Self { params, key })
    }

    /// SHA-256 of `"veilpool/halo2-key/v1" ‖ the verifying key in halo2's processed form ‖ its
    /// representative in transcripts`. The representative covers the gates too.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(CONTEXT);
        hasher.update(self.key.to_bytes(SerdeFormat::Processed));
        hasher.update(self.key.transcript_repr().to_repr());
        hasher.finalize().into()
    }

    /// Bytes of a proof.
    ///
    /// ```text
    /// points:   witness columns + 3·lookups + products + 1 + (degree − 1) + 2
    /// scalars:  queries of witness and fixed columns + 1 + copied columns + (3·products − 1) + 5·lookups
    /// products = ⌈copied columns / (degree − 2)⌉
    /// ```
    #[must_use]
    pub fn proof_len(&self) -> usize {
        let system = self.key.cs();
        let (degree, lookups) = (system.degree(), system.lookups().len());
        let copied = system.permutation().get_columns().len();
        let products = copied.div_ceil(degree - 2);
        let points = system.num_advice_columns() + 3 * lookups + products + degree + 2;
        let queries = system.advice_queries().len() + system.fixed_queries().len();
        let scalars = queries + copied + 3 * products + 5 * lookups;
        ELEMENT * (points + scalars)
    }

    /// Verifies a proof.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(&self, public: &[Fr], proof: &[u8]) -> Result<(), VerifyError> {
        let (expected, found) = (self.proof_len(), proof.len());
        if found != expected {
            return Err(VerifyError::Length { expected, found });
        }
        let mut transcript = CanonicalRead::new(proof);
        let verdict = verify_proof::<_, VerifierSHPLONK<'_, Bn256>, _, _, _>(
            self.params.as_ref(),
            &self.key,
            SingleStrategy::new(&self.params),
            &[&[public]],
            &mut transcript,
        );
        if transcript.malformed() {
            return Err(VerifyError::Malformed);
        }
        match verdict {
            Ok(()) if transcript.is_finished() => Ok(()),
            _ => Err(VerifyError::Invalid),
        }
    }
}

/// halo2's mock prover, run: for tests.
///
/// # Panics
/// When the circuit writes outside of its rows.
#[must_use]
pub fn mock<R: Relation>(relation: &R, public: &[Fr]) -> halo2_proofs::dev::MockProver<Fr> {
    let instance = vec![public.to_vec()];
    match halo2_proofs::dev::MockProver::run(R::K, &Synthesis(relation), instance) {
        Ok(mock) => mock,
        Err(error) => unreachable!("the mock prover refuses the circuit: {error}"),
    }
}
