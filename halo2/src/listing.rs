//! The listing circuit: "I am some bonded operator, this is my subject of this epoch, and this is my
//! share of the epoch for this listing." Verified off chain, by whoever keeps a directory.
//!
//! | statement | equation |
//! | --- | --- |
//! | Membership | node₀ = P(ID, sk); nodeₗ ∈ {cₗ₀, cₗ₁, cₗ₂, cₗ₃}, nodeₗ₊₁ = P(cₗ₀, cₗ₁, cₗ₂, cₗ₃); node₁₀ = registry_root |
//! | Subject integrity | subject = P(SUBJECT, sk, epoch) |
//! | Share integrity | y = sk + P(RLN, sk, epoch, domain)·x |
//!
//! | index | public input |
//! | --- | --- |
//! | 0 | registry root |
//! | 1 | domain |
//! | 2 | epoch |
//! | 3 | subject |
//! | 4 | x, the listing's hash |
//! | 5 | y |
//!
//! The public inputs are not folded into one as the claim's are: a verifier of this system pays for
//! each a multiplication and nothing on a curve, while a fold would be one more hash to prove.
//!
//! `epoch < 2³²` and `x ≠ 0` are the verifier's: the types that it takes hold nothing else.

mod chip;
pub mod sample;

use halo2_proofs::plonk::{Column, ConstraintSystem, Error, Fixed};
use rand::{CryptoRng, RngCore};
use veilpool_primitives::{MerklePath, OperatorSecret, field};
use veilpool_protocol::{DomainBytes, EpochId, FieldBytes, RegistryRootBytes, SubjectBytes};

pub use chip::Config;

use crate::{
    field::{Fr, from_ark, from_bytes},
    relation::{Layout, Relation},
    share::Share,
    sheet::Sheet,
    system::{KeyError, ProveError, ProvingKeys, VerifyError, VerifyingKeys},
    universal::UniversalParameters,
};

/// Bytes of a proof.
pub const PROOF_LEN: usize = 1_984;

/// What the verifier sees. **The one place where the order of public inputs is written** is
/// [`PublicInputs::to_fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicInputs {
    /// Root frozen when the epoch opened.
    pub registry_root: RegistryRootBytes,
    /// Cluster, program and pool.
    pub domain: DomainBytes,
    /// The epoch.
    pub epoch: EpochId,
    /// The operator's pseudonym in it.
    pub subject: SubjectBytes,
    /// For this listing.
    pub share: Share,
}

/// What only the prover knows.
pub struct Witness {
    /// The operator's secret.
    pub secret: OperatorSecret,
    /// From the commitment to the root.
    pub path: MerklePath,
}

/// One named part of the relation. As an error, it is the first part that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Statement {
    /// The commitment is a leaf of the registry.
    #[error(
        "membership: the operator's commitment isn't a leaf under this registry root; rebuild the path from the leaves that the registry had when the epoch opened"
    )]
    Membership,
    /// The subject is this operator's, of this epoch.
    #[error(
        "subject integrity: the subject isn't derived from this operator's secret and this epoch; derive it again"
    )]
    SubjectIntegrity,
    /// The share is on this operator's line of this epoch.
    #[error(
        "share integrity: the share isn't this operator's for this epoch and listing; derive it again from the listing's hash"
    )]
    ShareIntegrity,
}

impl Statement {
    /// All of them, in the order of the circuit.
    pub const ALL: [Self; 3] = [
        Self::Membership,
        Self::SubjectIntegrity,
        Self::ShareIntegrity,
    ];
}

/// The circuit, with or without an assignment.
pub struct Circuit<'a> {
    assignment: Option<(PublicInputs, &'a Witness)>,
}

impl PublicInputs {
    /// How many field elements.
    pub const COUNT: usize = 6;

    /// In the order of the circuit's public inputs.
    #[must_use]
    pub fn to_fields(&self) -> [FieldBytes; Self::COUNT] {
        [
            self.registry_root.to_field(),
            self.domain.to_field(),
            FieldBytes::from_u128(u128::from(self.epoch.get())),
            self.subject.to_field(),
            self.share.x.to_field(),
            self.share.y,
        ]
    }

    /// The same, as the circuit takes them.
    #[must_use]
    pub fn to_elements(&self) -> [Fr; Self::COUNT] {
        self.to_fields().map(from_bytes)
    }
}

impl Circuit<'static> {
    /// The shape only.
    #[must_use]
    pub const fn blank() -> Self {
        Self { assignment: None }
    }
}

impl<'a> Circuit<'a> {
    /// With an assignment, whether or not it satisfies the circuit.
    #[must_use]
    pub const fn new(public: PublicInputs, witness: &'a Witness) -> Self {
        Self {
            assignment: Some((public, witness)),
        }
    }
}

/// Whether the statements hold, in order.
///
/// # Errors
/// The first [`Statement`] that doesn't.
pub fn check_native(public: &PublicInputs, witness: &Witness) -> Result<(), Statement> {
    let secret = &witness.secret;
    let leaf = secret.commitment().to_field();
    let root = field::to_bytes(&witness.path.root(leaf));
    require(
        root == public.registry_root.to_field(),
        Statement::Membership,
    )?;
    require(
        secret.subject(public.epoch).to_bytes() == public.subject,
        Statement::SubjectIntegrity,
    )?;
    require(
        Share::derive(secret, public.epoch, &public.domain, public.share.x) == public.share,
        Statement::ShareIntegrity,
    )
}

fn require(holds: bool, statement: Statement) -> Result<(), Statement> {
    if holds { Ok(()) } else { Err(statement) }
}

impl Relation for Circuit<'_> {
    type Statement = Statement;
    type Config = Config;

    const K: u32 = chip::K;
    const PUBLIC: usize = PublicInputs::COUNT;

    fn name() -> String {
        "listing".to_owned()
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> Config {
        Config::new(meta)
    }

    fn constants(config: &Config) -> Column<Fixed> {
        config.constants
    }

    fn assign(&self, config: &Config, sheet: &mut Sheet<'_>) -> Result<Layout<Statement>, Error> {
        let cells = match &self.assignment {
            Some((public, witness)) => {
                let leaf = witness.secret.commitment().to_field();
                let children = witness.path.children(leaf).0;
                chip::Values {
                    public: public.to_elements(),
                    sk: from_ark(&witness.secret.expose_scalar()),
                    children: children.map(|level| level.each_ref().map(from_ark)),
                }
            }
            None => chip::Values::default(),
        };
        config.assign(sheet, &cells)
    }
}

/// A proof, of the right length.
#[derive(Clone, PartialEq, Eq)]
pub struct ListingProof(Box<[u8]>);

impl ListingProof {
    /// From the bytes of [`Self::as_bytes`].
    ///
    /// # Errors
    /// [`VerifyError::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VerifyError> {
        if bytes.len() != PROOF_LEN {
            return Err(VerifyError::Length {
                expected: PROOF_LEN,
                found: bytes.len(),
            });
        }
        Ok(Self(bytes.into()))
    }

    /// [`PROOF_LEN`] bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for ListingProof {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ListingProof({} bytes)", self.0.len())
    }
}

/// Makes proofs of listings.
pub struct ListingProver(ProvingKeys);

/// Verifies proofs of listings.
pub struct ListingVerifier(VerifyingKeys);

impl ListingProver {
    /// Makes the keys: a few tens of milliseconds.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(universal: &UniversalParameters) -> Result<Self, KeyError> {
        ProvingKeys::new(universal, &Circuit::blank()).map(Self)
    }

    /// Checks the statements, proves, and verifies the proof.
    ///
    /// halo2 keeps the witness in its own columns and wipes none of them.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn prove(
        &self,
        public: &PublicInputs,
        witness: &Witness,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<ListingProof, ProveError<Statement>> {
        check_native(public, witness).map_err(ProveError::Statement)?;
        let circuit = Circuit::new(*public, witness);
        let proof = self.0.prove(&circuit, &public.to_elements(), rng)?;
        Ok(ListingProof(proof.into()))
    }

    /// The verifier of these proofs.
    #[must_use]
    pub fn verifier(&self) -> ListingVerifier {
        ListingVerifier(self.0.verifying())
    }
}

impl ListingVerifier {
    /// Makes the keys.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn new(universal: &UniversalParameters) -> Result<Self, KeyError> {
        VerifyingKeys::new(universal, &Circuit::blank()).map(Self)
    }

    /// Names circuit and universal parameters: pin it.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.0.fingerprint()
    }

    /// Bytes of a proof, by the circuit's columns and queries.
    #[must_use]
    pub fn proof_len(&self) -> usize {
        self.0.proof_len()
    }

    /// Verifies. Whose epoch, root and listing hash the public inputs are, the caller knows.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn verify(&self, public: &PublicInputs, proof: &ListingProof) -> Result<(), VerifyError> {
        self.0.verify(&public.to_elements(), &proof.0)
    }
}
