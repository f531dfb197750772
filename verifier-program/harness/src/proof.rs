//! Proofs by the real prover. Each is made once in a process: a test that only needs some proof waits for one.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock},
};

use veilpool_interface::hashing;
use veilpool_primitives::{RegistryTree, attestation::message};
use veilpool_protocol::{
    CommitmentBytes, DomainBytes, MeasurerCount, ProofBytes, PublicInputBytes, claim::PublicInputs,
};
use veilpool_prover::{AttestationDocument, ClaimInputs, Prover};

use crate::people::{self, Person};

/// The prover for a number of measurers, with keys in the default cache.
///
/// # Panics
/// When keys can't be made or read.
pub fn prover(count: MeasurerCount) -> &'static Prover {
    static PROVERS: [OnceLock<Prover>; 3] = [const { OnceLock::new() }; 3];
    PROVERS[(count.get() - 3) / 2].get_or_init(|| {
        let cache = veilpool_params::default_cache_dir();
        Prover::load(count, &cache, &mut |_, _| {}).unwrap()
    })
}

/// What a claim is proven from.
pub struct Facts<'a> {
    /// Who claims.
    pub person: Person,
    /// How many measurers.
    pub measurers: MeasurerCount,
    /// What the chain will fold.
    pub claimed: PublicInputs,
    /// Of the pool.
    pub domain: DomainBytes,
    /// As frozen when the epoch opened.
    pub leaves: &'a [CommitmentBytes],
}

impl Facts<'_> {
    /// The proof, checked and self-verified by the prover. `salt` makes another proof of the same claim.
    ///
    /// # Panics
    /// When the claim isn't true.
    #[must_use]
    pub fn prove(&self, salt: u64) -> ProofBytes {
        static MADE: Mutex<Option<HashMap<(PublicInputBytes, u64), ProofBytes>>> = Mutex::new(None);
        let key = (hashing::public_input(&self.claimed).unwrap(), salt);
        let mut made = MADE.lock().unwrap();
        let made = made.get_or_insert_default();
        if let Some(proof) = made.get(&key) {
            return *proof;
        }
        let proof = self.make(salt);
        made.insert(key, proof);
        proof
    }

    fn make(&self, salt: u64) -> ProofBytes {
        let rng = &mut people::rng(salt);
        let secret = self.person.secret();
        let tree = RegistryTree::from_leaves(self.leaves.iter().copied()).unwrap();
        let index = tree.find(self.person.commitment()).unwrap();
        let epoch = self.claimed.epoch;
        let subject = secret.subject(epoch).to_bytes();
        let metrics = people::best_metrics();
        let attestations: Vec<_> = people::measurers(self.measurers)
            .iter()
            .map(|measurer| {
                let message = message(&self.domain, &subject, epoch, &metrics);
                Some(AttestationDocument {
                    metrics,
                    schnorr: measurer.sign(&message, rng).to_bytes(),
                })
            })
            .collect();
        let inputs = ClaimInputs::new(
            self.claimed,
            self.domain,
            tree.path(index).unwrap(),
            people::measurer_set(self.measurers),
            &attestations,
            secret,
        )
        .unwrap();
        prover(self.measurers)
            .prove(&inputs, rng)
            .unwrap()
            .to_bytes()
    }
}
