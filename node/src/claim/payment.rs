//! The steps from a proof to a payment: handing it in, and finding out what the chain has paid.

use veilpool_interface::address;
use veilpool_protocol::api::{ClaimReceipt, ClaimRequest};

use super::{
    effects::{ChainView, Measurers, Proving, Relayers, Trouble},
    inputs,
    record::{Choice, ClaimRecord, Event, Payment, Phase, Readied},
    steps::{Claimant, Outcome, never, one},
};
use crate::{http::FetchError, sensitive::Sensitive};

/// Proofs for other relayers or fees after the first; then only asking again is left.
const MAX_REBINDS: u32 = 8;

impl<C: ChainView, M: Measurers, R: Relayers, P: Proving> Claimant<C, M, R, P> {
    /// Whether the chain has paid this epoch already, and what.
    pub(super) async fn find_payment(
        &self,
        record: &ClaimRecord,
    ) -> Result<Option<Payment>, Trouble> {
        let nullifier = self.secret.nullifier(record.epoch).to_bytes();
        let settings = &self.settings;
        let claim = address::claim(&settings.program, &settings.pool, record.epoch, &nullifier).0;
        if !self.world.chain.claims().await?.contains(&claim) {
            return Ok(None);
        }
        let held = self.held(record).await?;
        Ok(Some(self.payment(record, held.unwrap_or(0))))
    }

    /// What the payout address holds; `None` when it has no token account.
    pub(super) async fn held(&self, record: &ClaimRecord) -> Result<Option<u64>, Trouble> {
        let payout = inputs::payout(&self.secret, &self.pool(), record.epoch);
        let holders = self.world.chain.holders(&self.settings.mint).await?;
        let own = holders.iter().filter(|(holder, _)| *holder == payout);
        Ok(own.map(|(_, amount)| *amount).reduce(u64::saturating_add))
    }

    fn payment(&self, record: &ClaimRecord, amount: u64) -> Payment {
        let reward = record.choice.map_or(amount, |choice| choice.reward);
        Payment {
            amount,
            fee: reward.saturating_sub(amount),
            payout: Some(Sensitive::new(inputs::payout(
                &self.secret,
                &self.pool(),
                record.epoch,
            ))),
            signature: None,
            compute_units: None,
        }
    }

    /// What the relayer is told.
    #[must_use]
    pub fn request(
        &self,
        record: &ClaimRecord,
        choice: &Choice,
        readied: &Readied,
    ) -> ClaimRequest {
        ClaimRequest {
            pool: self.pool(),
            epoch: record.epoch,
            class: choice.class,
            nullifier: self.secret.nullifier(record.epoch).to_bytes(),
            payout: inputs::payout(&self.secret, &self.pool(), record.epoch),
            max_fee: readied.max_fee,
            proof: readied.proof,
        }
    }

    pub(super) async fn submit(&self, record: &ClaimRecord) -> Result<Outcome, Trouble> {
        let (Some(choice), Some(readied)) = (&record.choice, &record.readied) else {
            return never(
                "there is no proof to submit; this is a fault of the software: please report it",
            );
        };
        if let Some(payment) = self.find_payment(record).await? {
            return one(Event::Paid(payment));
        }
        let request = self.request(record, choice, readied);
        let relayer = &readied.relayer;
        match self.world.relayers.submit(relayer, &request).await {
            Ok(receipt) => self.confirm(record, choice, readied, receipt).await,
            Err(error) if error.is_temporary() => Err(error.into()),
            Err(error) => self.refused(record, relayer, &error),
        }
    }

    // The relayer's word isn't taken for it: the chain must have the claim.
    async fn confirm(
        &self,
        record: &ClaimRecord,
        choice: &Choice,
        readied: &Readied,
        receipt: ClaimReceipt,
    ) -> Result<Outcome, Trouble> {
        let Some(found) = self.find_payment(record).await? else {
            let what = format!(
                "{} says that the claim is paid, but the chain doesn't have it yet",
                readied.relayer
            );
            return Err(Trouble::new(&readied.relayer, what));
        };
        let consistent = receipt.fee <= readied.max_fee
            && receipt.amount.checked_add(receipt.fee) == Some(choice.reward);
        if !consistent {
            return one(Event::Paid(found));
        }
        one(Event::Paid(Payment {
            amount: receipt.amount,
            fee: receipt.fee,
            signature: receipt
                .signature
                .filter(|it| is_signature(it))
                .map(Sensitive::new),
            compute_units: receipt.compute_units,
            ..found
        }))
    }

    // For ever, says the relayer. That may be its fault: with another one, or another fee, a new proof may do.
    fn refused(
        &self,
        record: &ClaimRecord,
        relayer: &str,
        error: &FetchError,
    ) -> Result<Outcome, Trouble> {
        let about_fee = error
            .code()
            .is_some_and(|code| code.to_ascii_lowercase().contains("fee"));
        let may_help = about_fee || self.settings.relayers.len() > 1;
        if may_help && record.rebinds < MAX_REBINDS {
            return one(Event::Rebound {
                reason: error.brief(),
            });
        }
        let what = format!(
            "{}; it is asked again until the window shuts, but look into it",
            error.brief()
        );
        Err(Trouble::new(relayer, what))
    }

    pub(super) async fn look_back(&self, record: &ClaimRecord) -> Result<Outcome, Trouble> {
        if let Some(payment) = self.find_payment(record).await? {
            return one(Event::Paid(payment));
        }
        if let Some(epoch) = self.epoch(record).await? {
            let claim_until = self.world.chain.window_end(&epoch).await?;
            if claim_until > record.claim_until {
                return one(Event::Prolonged { claim_until });
            }
        }
        // The claim's account may be closed by now; what it paid is still where it was paid to.
        if matches!(record.phase, Phase::Submitted)
            && let Some(amount) = self.held(record).await?.filter(|amount| *amount > 0)
        {
            return one(Event::Paid(self.payment(record, amount)));
        }
        let waited_for = record.reason.as_deref().unwrap_or(match record.phase {
            Phase::Listed | Phase::Measured => "attestations of a majority",
            Phase::Collected => "a proof",
            Phase::Proven => "its time, while this node wasn't running",
            _ => "a relayer that takes it",
        });
        never(format!(
            "the claim window shut while the claim was waiting for: {waited_for}"
        ))
    }
}

/// What a transaction's signature looks like; anything else from a relayer isn't shown to anyone.
fn is_signature(text: &str) -> bool {
    (64..=88).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
