//! What is known of one epoch's claim, what to do next, and what may become of it.

use veilpool_protocol::{
    AddressBytes, AttestationBytes, ClassId, EpochId, MeasurerCount, MeasurerKeyBytes, Metrics,
    ProofBytes, Weight,
};

use crate::sensitive::Sensitive;

/// How far a claim is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The epoch is announced or running.
    Listed,
    /// The epoch has ended; attestations are being collected.
    Measured,
    /// Attestations are complete and the class is chosen.
    Collected,
    /// A proof is stored and waits for its time.
    Proven,
    /// The claim may have reached a relayer.
    Submitted,
    /// The chain has paid it.
    Paid,
    /// It will never be paid; the reason is recorded.
    Unclaimable,
}

impl Phase {
    /// Whether nothing more can happen.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Paid | Self::Unclaimable)
    }

    /// As stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Measured => "measured",
            Self::Collected => "collected",
            Self::Proven => "proven",
            Self::Submitted => "submitted",
            Self::Paid => "paid",
            Self::Unclaimable => "unclaimable",
        }
    }

    /// From [`Self::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        const ALL: [Phase; 7] = [
            Phase::Listed,
            Phase::Measured,
            Phase::Collected,
            Phase::Proven,
            Phase::Submitted,
            Phase::Paid,
            Phase::Unclaimable,
        ];
        ALL.into_iter().find(|phase| phase.name() == name)
    }
}

/// A measurer's final answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its URL.
    pub measurer: String,
    /// Its slot and what it signed, or why nothing of it is used.
    pub outcome: Result<(u8, AttestationBytes), String>,
}

/// What is claimed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The class.
    pub class: ClassId,
    /// Its weight.
    pub weight: Weight,
    /// What it earns before the fee.
    pub reward: u64,
    /// Not before, in Unix milliseconds.
    pub submit_at: i64,
}

/// A proof and what it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readied {
    /// URL of the relayer.
    pub relayer: String,
    /// The most it may keep.
    pub max_fee: u64,
    /// Who is paid.
    pub payout: Sensitive<AddressBytes>,
    /// The proof.
    pub proof: ProofBytes,
    /// How long it took.
    pub proving_ms: u64,
}

/// What the chain paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// To the payout address.
    pub amount: u64,
    /// To the relayer.
    pub fee: u64,
    /// To whom; `None` when that was forgotten.
    pub payout: Option<Sensitive<AddressBytes>>,
    /// Of the transaction, when this run learned it.
    pub signature: Option<Sensitive<String>>,
    /// Of the transaction.
    pub compute_units: Option<u64>,
}

/// One epoch's claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRecord {
    /// The epoch.
    pub epoch: EpochId,
    /// Unix seconds.
    pub starts_at: i64,
    /// Unix seconds; claims are accepted from here.
    pub ends_at: i64,
    /// Unix seconds; claims are accepted until before here, as far as it is known: pauses make it later.
    pub claim_until: i64,
    /// The measurers when the epoch opened.
    pub measurers: Vec<MeasurerKeyBytes>,
    /// How far it is.
    pub phase: Phase,
    /// Of measurers.
    pub answers: Vec<Answer>,
    /// From [`Phase::Collected`] on.
    pub choice: Option<Choice>,
    /// From [`Phase::Proven`] on.
    pub readied: Option<Readied>,
    /// How long the last proof took.
    pub proving_ms: Option<u64>,
    /// How many proofs were made for relayers that then refused.
    pub rebinds: u32,
    /// In [`Phase::Paid`].
    pub payment: Option<Payment>,
    /// Why it is unclaimable, or what is being waited for.
    pub reason: Option<String>,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing before this time, in Unix milliseconds.
    Wait(i64),
    /// Nothing without the operator.
    Hold,
    /// Note that the epoch has ended.
    End,
    /// Ask the measurers that have not answered.
    Collect,
    /// Choose class and time.
    Choose,
    /// Prove.
    Prove,
    /// Note that the claim is about to leave.
    Leave,
    /// Look whether it is paid, and hand it to the relayer if not.
    Submit,
    /// The window has shut: look whether it was paid.
    LookBack,
    /// Nothing any more.
    Done,
}

/// What came of it.
// One at a time exists, for a moment.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The epoch has ended.
    Ended,
    /// Claims were paused, and the window is open for longer.
    Prolonged {
        /// Unix seconds.
        claim_until: i64,
    },
    /// Final answers of measurers.
    Answered(Vec<Answer>),
    /// Class and time.
    Chosen(Choice),
    /// The attestation in this slot can't be used in a proof.
    SlotUnusable {
        /// From 0.
        slot: u8,
        /// Why.
        reason: String,
    },
    /// A proof.
    Proven(Readied),
    /// The claim is about to leave.
    Leaving,
    /// The relayer won't take this claim: another proof is needed, for another relayer or fee.
    Rebound {
        /// Why.
        reason: String,
    },
    /// The chain has paid.
    Paid(Payment),
    /// It never will.
    Unclaimable {
        /// Why.
        reason: String,
    },
}

/// An event that can't follow what is recorded. A mistake in this software, not in what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{event}' can't follow '{}'; this is a fault of the software: please report it", phase.name())]
pub struct Unexpected {
    /// What was recorded.
    pub phase: Phase,
    /// What came.
    pub event: &'static str,
}

const MILLIS: i64 = 1_000;
/// How long after its window's end a claim that was handed in may still turn out to be paid, in milliseconds.
const LAST_MOMENT: i64 = 10_000;

impl ClaimRecord {
    /// Of an epoch that nothing has been done for yet.
    #[must_use]
    pub const fn new(
        epoch: EpochId,
        (starts_at, ends_at, claim_until): (i64, i64, i64),
        measurers: Vec<MeasurerKeyBytes>,
    ) -> Self {
        Self {
            epoch,
            starts_at,
            ends_at,
            claim_until,
            measurers,
            phase: Phase::Listed,
            answers: Vec::new(),
            choice: None,
            readied: None,
            proving_ms: None,
            rebinds: 0,
            payment: None,
            reason: None,
        }
    }

    /// How many measurers; `None` for a number that no pool has.
    #[must_use]
    pub fn count(&self) -> Option<MeasurerCount> {
        MeasurerCount::try_from(self.measurers.len()).ok()
    }

    /// Attestations by slot.
    #[must_use]
    pub fn slots(&self) -> Vec<Option<AttestationBytes>> {
        let mut slots = vec![None; self.measurers.len()];
        for answer in &self.answers {
            if let Ok((slot, attestation)) = &answer.outcome
                && let Some(place) = slots.get_mut(usize::from(*slot))
            {
                *place = Some(*attestation);
            }
        }
        slots
    }

    /// What was measured, by slot.
    #[must_use]
    pub fn metrics(&self) -> Vec<Option<Metrics>> {
        let slots = self.slots();
        slots.iter().map(|slot| slot.map(|it| it.metrics)).collect()
    }

    /// Unix milliseconds at which so much of the claim window is over.
    #[must_use]
    pub fn window_at(&self, part: f32) -> i64 {
        let length = (self.claim_until - self.ends_at).saturating_mul(MILLIS);
        let within = (length as f64 * f64::from(part.clamp(0.0, 1.0))) as i64;
        self.ends_at.saturating_mul(MILLIS).saturating_add(within)
    }

    /// What to do at a time, in Unix milliseconds. `measurers` is how many are asked.
    #[must_use]
    pub fn next(&self, now: i64, measurers: usize, grace: f32, auto_claim: bool) -> Action {
        if self.phase.is_final() {
            return Action::Done;
        }
        let shut = self.claim_until.saturating_mul(MILLIS);
        if now >= shut {
            // A claim that left in the last moment may still arrive: the chain's clock isn't this one's.
            let known = shut.saturating_add(LAST_MOMENT);
            return if self.phase == Phase::Submitted && now < known {
                Action::Wait(known)
            } else {
                Action::LookBack
            };
        }
        let ended = self.ends_at.saturating_mul(MILLIS);
        match self.phase {
            Phase::Listed if now < ended => Action::Wait(ended),
            Phase::Listed => Action::End,
            Phase::Measured => {
                let present = self.slots().iter().flatten().count();
                let majority = self.count().map_or(usize::MAX, MeasurerCount::majority);
                let everybody = self.answers.len() >= measurers || present == self.measurers.len();
                if everybody || (present >= majority && now >= self.window_at(grace)) {
                    Action::Choose
                } else {
                    Action::Collect
                }
            }
            Phase::Collected if auto_claim => Action::Prove,
            Phase::Proven if auto_claim => match &self.choice {
                Some(choice) if now < choice.submit_at => Action::Wait(choice.submit_at),
                _ => Action::Leave,
            },
            Phase::Collected | Phase::Proven => Action::Hold,
            Phase::Submitted => Action::Submit,
            Phase::Paid | Phase::Unclaimable => Action::Done,
        }
    }

    /// Takes what came of an action.
    ///
    /// # Errors
    /// [`Unexpected`]; nothing is changed.
    pub fn apply(&mut self, event: Event) -> Result<(), Unexpected> {
        let phase = self.phase;
        let unexpected = |event| Err(Unexpected { phase, event });
        match event {
            Event::Ended if phase == Phase::Listed => self.phase = Phase::Measured,
            Event::Prolonged { claim_until } if !phase.is_final() => {
                self.claim_until = self.claim_until.max(claim_until);
            }
            Event::Answered(answers) if phase == Phase::Measured => {
                for answer in answers {
                    self.answer(answer);
                }
            }
            Event::Chosen(choice) if phase == Phase::Measured => {
                self.choice = Some(choice);
                self.reason = None;
                self.phase = Phase::Collected;
            }
            Event::SlotUnusable { slot, reason } if phase == Phase::Collected => {
                for answer in &mut self.answers {
                    if matches!(&answer.outcome, Ok((of, _)) if *of == slot) {
                        answer.outcome = Err(reason.clone());
                    }
                }
                self.choice = None;
                self.phase = Phase::Measured;
            }
            Event::Proven(readied) if phase == Phase::Collected => {
                self.proving_ms = Some(readied.proving_ms);
                self.readied = Some(readied);
                self.reason = None;
                self.phase = Phase::Proven;
            }
            Event::Leaving if phase == Phase::Proven => self.phase = Phase::Submitted,
            Event::Rebound { reason } if phase == Phase::Submitted => {
                self.readied = None;
                self.rebinds = self.rebinds.saturating_add(1);
                self.reason = Some(reason);
                self.phase = Phase::Collected;
            }
            Event::Paid(payment) if !phase.is_final() => {
                self.readied = None;
                self.payment = Some(payment);
                self.reason = None;
                self.phase = Phase::Paid;
            }
            Event::Unclaimable { reason } if !phase.is_final() => {
                self.readied = None;
                self.reason = Some(reason);
                self.phase = Phase::Unclaimable;
            }
            Event::Ended => return unexpected("the epoch has ended"),
            Event::Prolonged { .. } => return unexpected("the window is open for longer"),
            Event::Answered(_) => return unexpected("a measurer has answered"),
            Event::Chosen(_) => return unexpected("a class is chosen"),
            Event::SlotUnusable { .. } => return unexpected("a slot is unusable"),
            Event::Proven(_) => return unexpected("a proof is made"),
            Event::Leaving => return unexpected("the claim leaves"),
            Event::Rebound { .. } => return unexpected("the relayer won't take it"),
            Event::Paid(_) => return unexpected("it is paid"),
            Event::Unclaimable { .. } => return unexpected("it is unclaimable"),
        }
        Ok(())
    }

    // One answer for each measurer, one measurer for each slot: the first holds.
    fn answer(&mut self, mut answer: Answer) {
        if self
            .answers
            .iter()
            .any(|other| other.measurer == answer.measurer)
        {
            return;
        }
        if let Ok((slot, _)) = answer.outcome {
            if usize::from(slot) >= self.measurers.len() {
                answer.outcome = Err("its slot isn't one of the set".to_owned());
            } else if let Some(other) = self
                .answers
                .iter()
                .find(|other| matches!(other.outcome, Ok((taken, _)) if taken == slot))
            {
                let same = format!(
                    "it has the key of {}: list each measurer once",
                    other.measurer
                );
                answer.outcome = Err(same);
            }
        }
        self.answers.push(answer);
    }
}
