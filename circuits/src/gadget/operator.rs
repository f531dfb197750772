//! What is derived from an operator's secret: twins of `primitives::operator`.

use ark_bn254::Fr;
use ark_relations::gr1cs::SynthesisError;
use veilpool_protocol::tag;

use crate::{gadget::poseidon, num::Num, synthesizer::Synthesizer};

/// `C = P(ID, sk)`, twin of [`veilpool_primitives::Commitment`]. 237 constraints.
pub struct CommitmentVar(Num);
/// `S = P(SUBJECT, sk, epoch)`, twin of [`veilpool_primitives::Subject`]. 259 constraints: it is a column of
/// its own, since every slot hashes it.
pub struct SubjectVar(Num);
/// `nf = P(NULLIFIER, sk, epoch)`, twin of [`veilpool_primitives::Nullifier`]. 258 constraints.
pub struct NullifierVar(Num);

impl CommitmentVar {
    /// From the secret.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn derive(cs: &mut Synthesizer, sk: &Num) -> Result<Self, SynthesisError> {
        poseidon::hash(cs, &[tagged(tag::ID), sk.clone()]).map(Self)
    }

    /// The field element.
    #[must_use]
    pub const fn num(&self) -> &Num {
        &self.0
    }
}

impl SubjectVar {
    /// From the secret and the epoch.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn derive(cs: &mut Synthesizer, sk: &Num, epoch: &Num) -> Result<Self, SynthesisError> {
        let subject = poseidon::hash(cs, &[tagged(tag::SUBJECT), sk.clone(), epoch.clone()])?;
        cs.column("subject", &subject).map(Self)
    }

    /// The field element.
    #[must_use]
    pub const fn num(&self) -> &Num {
        &self.0
    }
}

impl NullifierVar {
    /// From the secret and the epoch.
    ///
    /// # Errors
    /// Those of the constraint system.
    pub fn derive(cs: &mut Synthesizer, sk: &Num, epoch: &Num) -> Result<Self, SynthesisError> {
        poseidon::hash(cs, &[tagged(tag::NULLIFIER), sk.clone(), epoch.clone()]).map(Self)
    }

    /// The field element.
    #[must_use]
    pub const fn num(&self) -> &Num {
        &self.0
    }
}

/// A domain tag as a constant.
#[must_use]
pub fn tagged(tag: u8) -> Num {
    Num::constant(Fr::from(tag))
}
