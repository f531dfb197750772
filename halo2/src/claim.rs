//! The claim circuit in halo2: the statement of `circuits::claim`, written a second time with other
//! gadgets, to be compared with it. Not used on chain.
//!
//! ```text
//! public:  x
//! witness: registry_root, set_hash, epoch, thresholds, nullifier, binding        (what x folds)
//!          sk, path, domain, K₁…Kₙ, and for each slot: present, values, signature
//! ```
//!
//! | statement | equation |
//! | --- | --- |
//! | Public-input integrity | x = P(CLAIM, registry_root, set_hash, epoch, thresholds, nullifier, binding); each threshold in its range |
//! | Membership | P(ID, sk) is a leaf of the tree with root registry_root |
//! | Nullifier integrity | nullifier = P(NULLIFIER, sk, epoch) |
//! | Measurer-set integrity | set_hash is the hash of K₁…Kₙ in order, with the domain |
//! | Attestation validity (slot j) | present_j ⇒ the signature of slot j is valid for K_j on (S, epoch, values_j, domain), S = P(SUBJECT, sk, epoch) |
//! | Thresholds (metric m) | #{ j : present_j and value_{j,m} passes } ≥ f + 1 |
//!
//! What differs from the R1CS circuit, besides the gadgets: that circuit can't compute with s·B = −m·K
//! either (whoever finds such an s knows the measurer's secret), and it squares the binding, which in
//! PLONK has no purpose: a public input can't be changed without the proof.

mod chip;
mod curve;
#[cfg(test)]
mod forgeries;
mod lane;
mod slot;
mod statement;

use halo2_proofs::plonk::{Column, ConstraintSystem, Error, Fixed};
use rand::{CryptoRng, RngCore};
use veilpool_primitives::{
    MeasurerKey, MeasurerSet, MerklePath, OperatorSecret, SchnorrSignature, attestation::message,
    field,
};
use veilpool_protocol::{DomainBytes, Metrics, PublicInputBytes, claim};

pub use chip::Config;
pub use statement::{Metric, Statement};

use crate::{
    field::{Fr, from_bytes},
    relation::{Layout, Relation},
    sheet::Sheet,
    system::{KeyError, ProveError, ProvingKeys, VerifyError, VerifyingKeys},
    universal::UniversalParameters,
};

/// What the verifier sees: one field element, as on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicInputs {
    folded: PublicInputBytes,
}

/// What the circuit is about: what x folds, and what only the prover knows.
pub struct Witness<const N: usize> {
    /// What x folds. The chain knows it too.
    pub claimed: claim::PublicInputs,
    /// The operator's secret.
    pub secret: OperatorSecret,
    /// From the commitment to the root.
    pub path: MerklePath,
    /// Cluster, program and pool.
    pub domain: DomainBytes,
    /// The epoch's measurers, in order.
    pub measurers: [MeasurerKey; N],
    /// What they attested, by slot; `None` is absent.
    pub attestations: [Option<Attestation>; N],
}

/// A measurer's attestation as the circuit takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// What was measured.
    pub metrics: Metrics,
    /// The Schnorr signature.
    pub signature: SchnorrSignature,
}

/// The circuit, with or without an assignment.
pub struct Circuit<'a, const N: usize> {
    assignment: Option<(PublicInputs, &'a Witness<N>)>,
}

impl PublicInputs {
    /// Folds what the chain knows.
    #[must_use]
    pub fn of(claimed: &claim::PublicInputs) -> Self {
        Self {
            folded: veilpool_primitives::claim::fold_bytes(claimed),
        }
    }

    /// From the one element.
    #[must_use]
    pub const fn from_bytes(folded: PublicInputBytes) -> Self {
        Self { folded }
    }

    /// The one public input.
    #[must_use]
    pub fn to_elements(&self) -> [Fr; 1] {
        [from_bytes(self.folded.to_field())]
    }
}

impl<const N: usize> Circuit<'static, N> {
    /// The shape only.
    #[must_use]
    pub const fn blank() -> Self {
        Self { assignment: None }
    }
}

impl<'a, const N: usize> Circuit<'a, N> {
    /// f + 1.
    pub const MAJORITY: usize = {
        assert!(matches!(N, 3 | 5 | 7), "3, 5 or 7 measurers");
        N / 2 + 1
    };

    /// With an assignment, whether or not it satisfies the circuit.
    #[must_use]
    pub const fn new(public: PublicInputs, witness: &'a Witness<N>) -> Self {
        Self {
            assignment: Some((public, witness)),
        }
    }
}

/// Whether the statements hold, in order. The same relation as the circuit's, except that it also
/// refuses sets with a key twice, which no set on chain has.
///
/// # Errors
/// The first [`Statement`] that doesn't hold.
pub fn check_native<const N: usize>(
    public: &PublicInputs,
    witness: &Witness<N>,
) -> Result<(), Statement> {
    let claimed = &witness.claimed;
    require(
        *public == PublicInputs::of(claimed),
        Statement::PublicInputIntegrity,
    )?;
    let root = witness.path.root(witness.secret.commitment().to_field());
    require(
        field::to_bytes(&root) == claimed.registry_root.to_field(),
        Statement::Membership,
    )?;
    require(
        witness.secret.nullifier(claimed.epoch).to_bytes() == claimed.nullifier,
        Statement::NullifierIntegrity,
    )?;
    let set = MeasurerSet::new(witness.measurers.to_vec());
    require(
        set.is_ok_and(|set| set.hash(witness.domain) == claimed.set_hash),
        Statement::MeasurerSetIntegrity,
    )?;
    let subject = witness.secret.subject(claimed.epoch).to_bytes();
    let slots = witness.measurers.iter().zip(&witness.attestations);
    for (slot, (key, attestation)) in slots.enumerate() {
        let Some(attestation) = attestation else {
            continue;
        };
        let metrics = &attestation.metrics;
        let message = message(&witness.domain, &subject, claimed.epoch, metrics);
        require(
            key.verify(&message, &attestation.signature).is_ok(),
            Statement::AttestationValidity { slot },
        )?;
    }
    for metric in Metric::ALL {
        let passing =
            witness.attestations.iter().flatten().filter(|attestation| {
                claimed.thresholds.passes(&attestation.metrics)[metric as usize]
            });
        require(
            passing.count() >= Circuit::<'_, N>::MAJORITY,
            Statement::Thresholds { metric },
        )?;
    }
    Ok(())
}

fn require(holds: bool, statement: Statement) -> Result<(), Statement> {
    if holds { Ok(()) } else { Err(statement) }
}

impl<const N: usize> Relation for Circuit<'_, N> {
    type Statement = Statement;
    type Config = Config;

    const K: u32 = chip::K;
    const PUBLIC: usize = 1;

    fn name() -> String {
        format!("claim-n{N}")
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> Config {
        Config::new::<N>(meta)
    }

    fn constants(config: &Config) -> Column<Fixed> {
        config.constants
    }

    fn assign(&self, config: &Config, sheet: &mut Sheet<'_>) -> Result<Layout<Statement>, Error> {
        let values = match &self.assignment {
            Some((_, witness)) => chip::Values::of(witness),
            None => chip::Values::blank(N),
        };
        config.assign(sheet, &values)
    }
}

/// Makes proofs of claims of `N` measurers.
pub struct ClaimProver<const N: usize>(ProvingKeys);

/// Verifies proofs of claims of `N` measurers.
pub struct ClaimVerifier<const N: usize>(VerifyingKeys);

impl<const N: usize> ClaimProver<N> {
    /// Makes the keys.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(universal: &UniversalParameters) -> Result<Self, KeyError> {
        ProvingKeys::new(universal, &Circuit::<N>::blank()).map(Self)
    }

    /// Checks the statements, proves, and verifies the proof, which has [`ClaimVerifier::proof_len`] bytes.
    ///
    /// halo2 keeps the witness in its own columns and wipes none of them.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn prove(
        &self,
        public: &PublicInputs,
        witness: &Witness<N>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<u8>, ProveError<Statement>> {
        check_native(public, witness).map_err(ProveError::Statement)?;
        let circuit = Circuit::new(*public, witness);
        self.0.prove(&circuit, &public.to_elements(), rng)
    }

    /// The verifier of these proofs.
    #[must_use]
    pub fn verifier(&self) -> ClaimVerifier<N> {
        ClaimVerifier(self.0.verifying())
    }
}

impl<const N: usize> ClaimVerifier<N> {
    /// Makes the keys.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(universal: &UniversalParameters) -> Result<Self, KeyError> {
        VerifyingKeys::new(universal, &Circuit::<N>::blank()).map(Self)
    }

    /// Names circuit and universal parameters: pin it.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.0.fingerprint()
    }

    /// Bytes of a proof.
    #[must_use]
    pub fn proof_len(&self) -> usize {
        self.0.proof_len()
    }

    /// Verifies.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(&self, public: &PublicInputs, proof: &[u8]) -> Result<(), VerifyError> {
        self.0.verify(&public.to_elements(), proof)
    }
}
