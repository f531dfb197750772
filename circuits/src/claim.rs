//! The claim circuit: "I am some bonded operator, a majority of the epoch's measurers saw me reach
//! this class, and this is my one nullifier of the epoch." For n = 3, 5 or 7 measurers, n = 2f + 1.
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
//! | Binding | binding is squared: it takes part in the relation |
//!
//! `epoch < 2³²` and the packing of thresholds are the program's: it builds x from a `u32` and from
//! its own table. Order of synthesis: public input, witnesses, one block of rows for each statement
//! in the order above.

mod native;
pub mod sample;
mod shape;
mod statement;

use ark_bn254::Fr;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};
use veilpool_primitives::{MeasurerKey, MerklePath, OperatorSecret, SchnorrSignature, field};
use veilpool_protocol::{BindingBytes, DomainBytes, FieldBytes, Metrics, PublicInputBytes, claim};

pub use native::check_native;
pub use shape::{Info, Layout, UnsupportedSize, info, matrices};
pub use statement::Statement;

use crate::{
    gadget::{
        bits::alloc_bit,
        measurer_set::{self, MeasurerKeyVar},
        operator::{CommitmentVar, NullifierVar, SubjectVar, tagged},
        poseidon,
        registry::MerklePathVar,
        schnorr::{self, MessageVar},
        threshold::{self, Metric, MetricsVar, SlotVar, ThresholdsVar},
    },
    num::Num,
    synthesizer::Synthesizer,
};

/// Version of the circuit: part of the names of parameter files.
pub const VERSION: u32 = 2;

/// What the verifier sees: one field element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicInputs {
    folded: Fr,
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
    /// How many field elements.
    pub const COUNT: usize = 1;

    /// Folds what the chain knows.
    #[must_use]
    pub fn of(claimed: &claim::PublicInputs) -> Self {
        Self {
            folded: veilpool_primitives::claim::fold(claimed),
        }
    }

    /// From the one element.
    #[must_use]
    pub fn from_bytes(folded: PublicInputBytes) -> Self {
        Self {
            folded: field::from_bytes(folded.to_field()),
        }
    }

    /// In the order of the circuit's public columns.
    #[must_use]
    pub const fn to_fields(self) -> [Fr; Self::COUNT] {
        [self.folded]
    }

    /// In the order of the circuit's public columns, as bytes.
    #[must_use]
    pub fn to_bytes(self) -> PublicInputBytes {
        PublicInputBytes::from_field(field::to_bytes(&self.folded))
    }
}

impl<const N: usize> Circuit<'static, N> {
    /// The shape only, for setup and fingerprint.
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

    /// Synthesises, and says which rows belong to which statement.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn synthesize(&self, cs: ConstraintSystemRef<Fr>) -> Result<Layout, SynthesisError> {
        let cs = &mut Synthesizer::new(cs);
        let witness = self.assignment.map(|(_, witness)| witness);
        let mut layout = Layout::default();

        let folded = cs.input(self.assignment.map(|(public, _)| public.folded))?;
        let claimed = ClaimedVar::alloc(cs, witness.map(|w| &w.claimed))?;
        let sk = cs.witness("sk", witness.map(|w| w.secret.expose_scalar()))?;
        let children = witness.map(|w| {
            let leaf = w.secret.commitment().to_field();
            w.path.children(leaf).0
        });
        let path = MerklePathVar::alloc(cs, children.as_ref())?;
        let domain = cs.witness("domain", witness.map(|w| field_of(w.domain.to_field())))?;
        let measurers = alloc_measurers::<N>(cs, witness.map(|w| &w.measurers))?;
        let attested = alloc_metrics::<N>(cs, witness.map(|w| &w.attestations))?;

        // Public-input integrity: x = P(CLAIM, …), each threshold in its range.
        layout.record(cs, [Statement::PublicInputIntegrity], |cs| {
            claimed.thresholds.enforce_ranges(cs)?;
            let expected = claimed.fold(cs)?;
            cs.enforce_equal(&expected, &folded)
        })?;

        // Membership: P(ID, sk) is a leaf of the tree with root registry_root.
        layout.record(cs, [Statement::Membership], |cs| {
            let commitment = CommitmentVar::derive(cs, &sk)?;
            let root = path.root(cs, commitment.num())?;
            cs.enforce_equal(&root, &claimed.registry_root)
        })?;

        // Nullifier integrity: nullifier = P(NULLIFIER, sk, epoch).
        layout.record(cs, [Statement::NullifierIntegrity], |cs| {
            let nullifier = NullifierVar::derive(cs, &sk, &claimed.epoch)?;
            cs.enforce_equal(nullifier.num(), &claimed.nullifier)
        })?;

        // Measurer-set integrity: set_hash is the hash of the keys in order, with the domain.
        layout.record(cs, [Statement::MeasurerSetIntegrity], |cs| {
            let set_hash = measurer_set::hash(cs, &domain, &measurers)?;
            cs.enforce_equal(&set_hash, &claimed.set_hash)
        })?;

        // Attestation validity: S once, then each slot's signature if the slot is present.
        let every_slot: [Statement; N] =
            core::array::from_fn(|slot| Statement::AttestationValidity { slot });
        let subject = layout.record(cs, every_slot, |cs| {
            SubjectVar::derive(cs, &sk, &claimed.epoch)
        })?;
        let mut slots = Vec::with_capacity(N);
        for (slot, metrics) in attested.into_iter().enumerate() {
            let present = layout.record(cs, [Statement::AttestationValidity { slot }], |cs| {
                let attestation = witness.map(|w| &w.attestations[slot]);
                let present = alloc_bit(cs, "present", attestation.map(Option::is_some))?;
                let signature = witness.map(|w| match &w.attestations[slot] {
                    Some(attestation) => attestation.signature,
                    None => schnorr::placeholder(&w.measurers[slot]),
                });
                let message = MessageVar {
                    packed: &metrics.pack(&claimed.epoch),
                    domain: &domain,
                    subject: subject.num(),
                };
                let key = &measurers[slot];
                schnorr::enforce_valid_if(cs, &present, key, &message, signature.as_ref())?;
                Ok(present)
            })?;
            slots.push(SlotVar { present, metrics });
        }

        // Thresholds: for each metric, f + 1 of all slots are present and pass.
        for metric in Metric::ALL {
            layout.record(cs, [Statement::Thresholds { metric }], |cs| {
                let thresholds = &claimed.thresholds;
                threshold::enforce_majority(cs, metric, &slots, thresholds, Self::MAJORITY)
            })?;
        }

        // Binding: squared, so that a column of its own depends on it.
        layout.record(cs, [Statement::Binding], |cs| {
            cs.multiply("binding²", &claimed.binding, &claimed.binding)
        })?;
        layout.name_columns(cs);
        Ok(layout)
    }
}

impl<const N: usize> ConstraintSynthesizer<Fr> for Circuit<'_, N> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        self.synthesize(cs).map(|_| ())
    }
}

/// What x folds: twin of [`claim::PublicInputs`].
struct ClaimedVar {
    registry_root: Num,
    set_hash: Num,
    epoch: Num,
    thresholds: ThresholdsVar,
    nullifier: Num,
    binding: Num,
}

impl ClaimedVar {
    fn alloc(
        cs: &mut Synthesizer,
        claimed: Option<&claim::PublicInputs>,
    ) -> Result<Self, SynthesisError> {
        let binding = |claimed: &claim::PublicInputs| BindingBytes::to_field(claimed.binding);
        Ok(Self {
            registry_root: cs.witness(
                "registry root",
                claimed.map(|c| field_of(c.registry_root.to_field())),
            )?,
            set_hash: cs.witness("set hash", claimed.map(|c| field_of(c.set_hash.to_field())))?,
            epoch: cs.witness("epoch", claimed.map(|c| Fr::from(c.epoch.get())))?,
            thresholds: ThresholdsVar::alloc(cs, claimed.map(|c| &c.thresholds))?,
            nullifier: cs.witness(
                "nullifier",
                claimed.map(|c| field_of(c.nullifier.to_field())),
            )?,
            binding: cs.witness("binding", claimed.map(|c| field_of(binding(c))))?,
        })
    }

    // Twin of `claim::PublicInputs::fold_inputs`, the one place where the order is written. 378
    // constraints.
    fn fold(&self, cs: &mut Synthesizer) -> Result<Num, SynthesisError> {
        poseidon::hash(
            cs,
            &[
                tagged(veilpool_protocol::tag::CLAIM),
                self.registry_root.clone(),
                self.set_hash.clone(),
                self.epoch.clone(),
                self.thresholds.pack(),
                self.nullifier.clone(),
                self.binding.clone(),
            ],
        )
    }
}

fn alloc_measurers<const N: usize>(
    cs: &mut Synthesizer,
    keys: Option<&[MeasurerKey; N]>,
) -> Result<Vec<MeasurerKeyVar>, SynthesisError> {
    (0..N)
        .map(|slot| MeasurerKeyVar::alloc(cs, keys.map(|keys| &keys[slot])))
        .collect()
}

// Absent slots have metrics too, all zero: nothing depends on them.
fn alloc_metrics<const N: usize>(
    cs: &mut Synthesizer,
    attestations: Option<&[Option<Attestation>; N]>,
) -> Result<Vec<MetricsVar>, SynthesisError> {
    (0..N)
        .map(|slot| {
            let metrics = attestations.map(|attestations| {
                attestations[slot].map_or_else(Metrics::default, |attestation| attestation.metrics)
            });
            MetricsVar::alloc(cs, metrics.as_ref())
        })
        .collect()
}

fn field_of(bytes: FieldBytes) -> Fr {
    field::from_bytes(bytes)
}
