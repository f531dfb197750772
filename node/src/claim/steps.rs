//! The steps of a claim.

use futures_util::future::join_all;
use rand::Rng;
use solana_pubkey::Pubkey;
use veilpool_interface::{Epoch, address, reward};
use veilpool_primitives::{MeasurerSet, OperatorSecret};
use veilpool_protocol::{AddressBytes, ClassId, DomainBytes, api::RelayerInfo};

use super::{
    class::best_class_within,
    effects::{ChainView, Measurers, NoProof, Proving, Relayers, Trouble, World},
    inputs::{self, PrepareError},
    record::{Action, Answer, Choice, ClaimRecord, Event, Readied},
};
use crate::{measurers, sensitive::Sensitive};

/// A measurer's code for: this subject was never listed here. It won't sign, ever.
const UNKNOWN_SUBJECT: &str = "unknown_subject";

/// How claims are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The pool program.
    pub program: Pubkey,
    /// The pool.
    pub pool: Pubkey,
    /// The pool's token.
    pub mint: AddressBytes,
    /// Of the pool.
    pub domain: DomainBytes,
    /// URLs.
    pub measurers: Vec<String>,
    /// URLs.
    pub relayers: Vec<String>,
    /// See [`crate::NodeConfig::max_fee`].
    pub max_fee: u64,
    /// See [`crate::NodeConfig::max_class`].
    pub max_class: Option<ClassId>,
    /// See [`crate::NodeConfig::claim_delay`].
    pub claim_delay: std::ops::Range<f32>,
    /// See [`crate::NodeConfig::grace`].
    pub grace: f32,
    /// See [`crate::NodeConfig::auto_claim`].
    pub auto_claim: bool,
}

/// Who claims.
pub struct Claimant<C, M, R, P> {
    /// How.
    pub settings: Settings,
    /// Whose secret.
    pub secret: OperatorSecret,
    /// In which world.
    pub world: World<C, M, R, P>,
}

/// What came of an action: events, and what hinders going on.
pub type Outcome = (Vec<Event>, Vec<Trouble>);

pub(super) fn one(event: Event) -> Result<Outcome, Trouble> {
    Ok((vec![event], Vec::new()))
}

pub(super) fn never(reason: impl Into<String>) -> Result<Outcome, Trouble> {
    one(Event::Unclaimable {
        reason: reason.into(),
    })
}

impl<C: ChainView, M: Measurers, R: Relayers, P: Proving> Claimant<C, M, R, P> {
    /// What to do for a claim at a time, in Unix milliseconds.
    #[must_use]
    pub fn next(&self, record: &ClaimRecord, now: i64) -> Action {
        let settings = &self.settings;
        record.next(
            now,
            settings.measurers.len(),
            settings.grace,
            settings.auto_claim,
        )
    }

    /// Does it. Doing it again is always allowed.
    ///
    /// # Errors
    /// [`Trouble`]: nothing came of it, and it should be done again later.
    pub async fn perform(
        &self,
        action: Action,
        record: &ClaimRecord,
        now: i64,
    ) -> Result<Outcome, Trouble> {
        match action {
            Action::Wait(_) | Action::Hold | Action::Done => Ok((Vec::new(), Vec::new())),
            Action::End => one(Event::Ended),
            Action::Collect => self.collect(record).await,
            Action::Choose => self.choose(record, now).await,
            Action::Prove => self.prove(record).await,
            Action::Leave => one(Event::Leaving),
            Action::Submit => self.submit(record).await,
            Action::LookBack => self.look_back(record).await,
        }
    }

    pub(super) fn pool(&self) -> AddressBytes {
        address::bytes(&self.settings.pool)
    }

    pub(super) async fn epoch(&self, record: &ClaimRecord) -> Result<Option<Epoch>, Trouble> {
        self.world.chain.epoch(record.epoch).await
    }

    async fn collect(&self, record: &ClaimRecord) -> Result<Outcome, Trouble> {
        let set = match MeasurerSet::from_bytes(&record.measurers) {
            Ok(set) => set,
            Err(error) => return never(format!("the pool's measurers: {error}")),
        };
        let subject = self.secret.subject(record.epoch).to_bytes();
        let (mut answers, mut troubles) = (Vec::new(), Vec::new());
        let absent = self.settings.measurers.iter().filter(|measurer| {
            let mut answers = record.answers.iter();
            !answers.any(|answer| answer.measurer == **measurer)
        });
        // All at once: one that doesn't answer holds nobody up.
        let fetched = join_all(absent.map(async |measurer| {
            let world = &self.world.measurers;
            (
                measurer,
                world.attestation(measurer, record.epoch, &subject).await,
            )
        }))
        .await;
        for (measurer, fetched) in fetched {
            let signed = match fetched {
                Ok(signed) => signed,
                Err(error) if error.code() == Some(UNKNOWN_SUBJECT) && !error.is_temporary() => {
                    answers.push(Answer {
                        measurer: measurer.clone(),
                        outcome: Err(
                            "it doesn't know this node in this epoch: no listing reached it"
                                .to_owned(),
                        ),
                    });
                    continue;
                }
                Err(error) => {
                    troubles.push(error.into());
                    continue;
                }
            };
            let domain = &self.settings.domain;
            match measurers::check(&signed, &set, domain, record.epoch, &subject) {
                Ok(slot) => answers.push(Answer {
                    measurer: measurer.clone(),
                    outcome: Ok((u8::try_from(slot).unwrap_or(u8::MAX), signed.attestation)),
                }),
                // Perhaps it was damaged on the way. It is asked again until its time is over.
                Err(fault) => {
                    let what = format!("{measurer} gave an attestation that isn't taken: {fault}");
                    troubles.push(Trouble::new(measurer, what));
                }
            }
        }
        let events = if answers.is_empty() {
            Vec::new()
        } else {
            vec![Event::Answered(answers)]
        };
        Ok((events, troubles))
    }

    async fn choose(&self, record: &ClaimRecord, now: i64) -> Result<Outcome, Trouble> {
        let Some(epoch) = self.epoch(record).await? else {
            return never("the epoch's account is closed");
        };
        let Some(n) = record.count() else {
            return never("the pool has a number of measurers that this software doesn't know");
        };
        let most = match self.settings.max_class {
            None => None,
            Some(id) => match epoch.class(id) {
                Some(class) => Some(class.weight),
                None => return never(format!("the epoch has no class {id}; correct `max_class`")),
            },
        };
        let metrics = record.metrics();
        let present = metrics.iter().flatten().count();
        if present < n.majority() {
            let why: Vec<String> = record
                .answers
                .iter()
                .filter_map(|answer| {
                    let fault = answer.outcome.as_ref().err()?;
                    Some(format!("{}: {fault}", answer.measurer))
                })
                .collect();
            return never(format!(
                "only {present} of {} measurers attested, {} are needed. {}",
                n.get(),
                n.majority(),
                why.join("; ")
            ));
        }
        let Some((class, weight)) = best_class_within(&epoch.classes, &metrics, n, most) else {
            return never(
                "what a majority of measurers saw is below every class; their results say why (`veilpool node results`)",
            );
        };
        let Some(reward) = reward::reward(weight, epoch.rate) else {
            return never("the epoch's reward is beyond the largest number");
        };
        one(Event::Chosen(Choice {
            class,
            weight,
            reward,
            submit_at: self.draw_time(record, now),
        }))
    }

    // Uniform in what is left of the part of the window that the operator allows.
    fn draw_time(&self, record: &ClaimRecord, now: i64) -> i64 {
        let delay = &self.settings.claim_delay;
        let from = record.window_at(delay.start).max(now);
        let until = record.window_at(delay.end).max(from);
        rand::rngs::OsRng.gen_range(from..=until)
    }

    async fn prove(&self, record: &ClaimRecord) -> Result<Outcome, Trouble> {
        let Some(choice) = record.choice else {
            return never("no class was chosen; this is a fault of the software: please report it");
        };
        let Some(epoch) = self.epoch(record).await? else {
            return never("the epoch's account is closed");
        };
        // A claim of an earlier life of this node, whose state was lost.
        if let Some(payment) = self.find_payment(record).await? {
            return one(Event::Paid(payment));
        }
        // After a first attempt, the address was told to a relayer, who could give it a history.
        if record.rebinds == 0 && self.held(record).await?.is_some() {
            return never(
                "the payout address of this epoch has a token account already, so that a payment to it would tell whose \
                 it is; addresses are fresh each epoch: don't use them for anything else",
            );
        }
        let (relayer, info) = self.find_relayer(record, choice.reward).await?;
        let leaves = self.world.chain.leaves(&epoch).await?;
        let ids = (
            address::bytes(&self.settings.program),
            self.pool(),
            self.settings.mint,
        );
        let bound_to = (info.relayer, info.fee);
        let binding = inputs::binding(ids, record, choice.class, bound_to, &self.secret);
        let domain = self.settings.domain;
        let inputs = match inputs::prepare(record, &epoch, leaves, domain, &binding, &self.secret) {
            Ok(inputs) => inputs,
            Err(error @ PrepareError::NotRegistered) => return never(error.to_string()),
            Err(error) if error.is_temporary() => {
                return Err(Trouble::new("the chain", error.to_string()));
            }
            Err(error) => return never(error.to_string()),
        };
        match self.world.prover.prove(inputs).await {
            Ok(proven) => one(Event::Proven(Readied {
                relayer,
                max_fee: info.fee,
                payout: Sensitive::new(binding.payout),
                proof: proven.proof,
                proving_ms: proven.proving_ms,
            })),
            Err(NoProof::Slot(slot, reason)) => one(Event::SlotUnusable { slot, reason }),
            Err(NoProof::Never(reason)) => never(reason),
            Err(NoProof::Trouble(trouble)) => Err(trouble),
        }
    }

    // The next in a random order that answers and isn't too dear; of several, not the one that refused.
    async fn find_relayer(
        &self,
        record: &ClaimRecord,
        reward: u64,
    ) -> Result<(String, RelayerInfo), Trouble> {
        let mut relayers = self.settings.relayers.clone();
        rand::seq::SliceRandom::shuffle(relayers.as_mut_slice(), &mut rand::rngs::OsRng);
        let mut trouble = Trouble::new(
            "the relayers",
            "no relayer is configured; give one with `relayers`",
        );
        for relayer in relayers {
            match self.world.relayers.info(&relayer, &self.pool()).await {
                Ok(info) if info.fee > self.settings.max_fee => {
                    let what = format!(
                        "{relayer} asks for {}, more than `max_fee` ({}); raise it or choose another relayer",
                        info.fee, self.settings.max_fee
                    );
                    trouble = Trouble::new(&relayer, what);
                }
                Ok(info) if info.fee >= reward => {
                    let what = format!(
                        "{relayer} asks for {}, which is all of the reward of {reward}",
                        info.fee
                    );
                    trouble = Trouble::new(&relayer, what);
                }
                Ok(info) => return Ok((relayer, info)),
                Err(error) => trouble = error.into(),
            }
        }
        tracing::debug!(epoch = %record.epoch, "no relayer");
        Err(trouble)
    }
}
