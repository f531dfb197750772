//! P10 and P11: channels between consumers and hubs: money in, and the rest of it back.

use solana_signer::Signer;
use veilpool_interface::{
    Channel, PoolError, PoolEvent, address, builder, instruction::OpenChannel,
};
use veilpool_program_harness::{
    Holder, PoolOnChain, Receipt, Refusal,
    chain::PROGRAM,
    honest::{CHANNEL_DEPOSIT, voucher_key},
    pool::CHALLENGE_SECONDS,
};
use veilpool_protocol::{AddressBytes, MeasurerCount};

pub(crate) const FEE_BPS: u16 = 500;
const CHALLENGE: i64 = CHALLENGE_SECONDS as i64;

/// A pool, and a consumer with a channel to a hub.
pub(crate) struct Start {
    pub(crate) pool: PoolOnChain,
    pub(crate) consumer: Holder,
    pub(crate) hub: Holder,
}

impl Clone for Start {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            consumer: self.consumer.clone(),
            hub: self.hub.clone(),
        }
    }
}

pub(crate) fn unopened() -> Start {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let consumer = pool.new_holder(10 * CHANNEL_DEPOSIT);
    let hub = pool.new_holder(0);
    Start {
        pool,
        consumer,
        hub,
    }
}

pub(crate) fn opened() -> Start {
    let mut start = unopened();
    let terms = start.terms();
    start.open(terms).unwrap();
    start
}

pub(crate) fn is(answer: Result<impl Sized, Refusal>, expected: PoolError) {
    assert_eq!(answer.map(|_| ()), Err(expected.into()));
}

impl Start {
    pub(crate) fn terms(&self) -> OpenChannel {
        OpenChannel {
            hub: address::bytes(&self.hub.key.pubkey()),
            voucher_key: AddressBytes::new(voucher_key().verifying_key().to_bytes()),
            amount: CHANNEL_DEPOSIT,
            hub_fee_bps: FEE_BPS,
            expires_at: self.pool.chain.time() + 100_000,
        }
    }

    pub(crate) fn open(&mut self, terms: OpenChannel) -> Result<Receipt, Refusal> {
        let Holder { key, tokens, .. } = &self.consumer;
        let open = builder::open_channel(&PROGRAM, &self.pool.pool, &key.pubkey(), tokens, terms);
        self.pool.chain.send(&[open], &[key])
    }

    fn top_up(&mut self, amount: u64, expires_at: i64) -> Result<Receipt, Refusal> {
        let Holder { key, tokens, .. } = &self.consumer;
        let (own, hub) = (key.pubkey(), self.hub.key.pubkey());
        let pool = self.pool.pool;
        let top_up =
            builder::top_up_channel(&PROGRAM, &pool, &own, &hub, tokens, amount, expires_at);
        self.pool.chain.send(&[top_up], &[key])
    }

    pub(crate) fn close_by(&mut self, party: &Holder) -> Result<Receipt, Refusal> {
        let (own, hub) = (self.consumer.key.pubkey(), self.hub.key.pubkey());
        let by = party.key.pubkey();
        let close = builder::close_channel(&PROGRAM, &self.pool.pool, &by, &own, &hub);
        self.pool.chain.send(&[close], &[&party.key])
    }

    pub(crate) fn close_by_consumer(&mut self) -> Result<Receipt, Refusal> {
        let consumer = self.consumer.clone();
        self.close_by(&consumer)
    }

    pub(crate) fn finish(&mut self) -> Result<Receipt, Refusal> {
        let (own, hub) = (self.consumer.key.pubkey(), self.hub.key.pubkey());
        let tokens = &self.consumer.tokens;
        let finish = builder::finish_channel(&PROGRAM, &self.pool.pool, &own, &hub, tokens);
        self.pool.chain.send(&[finish], &[])
    }

    pub(crate) fn address(&self) -> solana_pubkey::Pubkey {
        let (own, hub) = (self.consumer.key.pubkey(), self.hub.key.pubkey());
        address::channel(&PROGRAM, &self.pool.pool, &own, &hub).0
    }

    pub(crate) fn channel(&self) -> Channel {
        self.pool.chain.read(&self.address()).unwrap()
    }
}

#[test]
fn a_channel_opens_with_what_is_paid_in_and_says_for_whom() {
    let mut start = unopened();
    let terms = start.terms();
    let receipt = start.open(terms).unwrap();
    let pool = address::bytes(&start.pool.pool);
    assert_eq!(
        receipt.events(),
        [PoolEvent::ChannelFunded {
            pool,
            generation: 0,
            amount: CHANNEL_DEPOSIT
        }]
    );
    let (own, hub) = (start.consumer.key.pubkey(), start.hub.key.pubkey());
    assert_eq!(
        start.channel(),
        Channel {
            bump: address::channel(&PROGRAM, &start.pool.pool, &own, &hub).1,
            pool,
            consumer: address::bytes(&own),
            hub: address::bytes(&hub),
            voucher_key: terms.voucher_key,
            generation: 0,
            deposited: CHANNEL_DEPOSIT,
            settled: 0,
            hub_fee_bps: FEE_BPS,
            challenge_seconds: CHALLENGE_SECONDS,
            expires_at: terms.expires_at,
            closes_at: None,
        }
    );
    let books = start.pool.record().books;
    assert_eq!((books.escrowed, books.next_channel), (CHANNEL_DEPOSIT, 1));
    assert_eq!(books.assets, 0, "what is in channels isn't the pool's");
    assert_eq!(
        start.pool.chain.tokens(&start.pool.escrow()),
        CHANNEL_DEPOSIT
    );
}

#[test]
fn a_channel_with_nothing_in_it_a_fee_above_the_cap_or_an_expiry_too_early_is_refused() {
    let start = unopened();
    let now = start.pool.chain.time();
    let open = |change: &dyn Fn(&mut OpenChannel)| {
        let mut start = start.clone();
        let mut terms = start.terms();
        change(&mut terms);
        start.open(terms).map(|_| ())
    };
    is(open(&|terms| terms.amount = 0), PoolError::ZeroAmount);
    for bps in [1_001, 10_000, u16::MAX] {
        is(
            open(&|terms| terms.hub_fee_bps = bps),
            PoolError::FeeTooHigh,
        );
    }
    for at in [i64::MIN, 0, now, now + CHALLENGE] {
        is(
            open(&|terms| terms.expires_at = at),
            PoolError::InvalidExpiry,
        );
    }
    for amount in [10 * CHANNEL_DEPOSIT + 1, u64::MAX] {
        assert_eq!(
            open(&|terms| terms.amount = amount),
            Err(Refusal::Custom(1))
        );
    }
    open(&|terms| terms.hub_fee_bps = 1_000).unwrap();
    open(&|terms| terms.expires_at = now + CHALLENGE + 1).unwrap();
    open(&|terms| terms.expires_at = i64::MAX).unwrap();
    open(&|terms| terms.amount = 1).unwrap();
}

#[test]
fn p11_a_consumer_has_one_channel_to_one_hub_and_others_to_others() {
    let mut start = opened();
    let terms = start.terms();
    is(start.open(terms), PoolError::AlreadyExists);
    let other = start.pool.new_holder(0);
    let terms = OpenChannel {
        hub: address::bytes(&other.key.pubkey()),
        ..terms
    };
    start.open(terms).unwrap();
    start.hub = other;
    assert_eq!(start.channel().generation, 1);
}

#[test]
fn a_top_up_adds_to_what_is_paid_in_and_never_moves_the_expiry_back() {
    let mut start = opened();
    let at = start.channel().expires_at;
    let receipt = start.top_up(5, at + 7).unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::ChannelFunded {
            pool: address::bytes(&start.pool.pool),
            generation: 0,
            amount: 5
        }]
    );
    let channel = start.channel();
    assert_eq!(
        (channel.deposited, channel.expires_at),
        (CHANNEL_DEPOSIT + 5, at + 7)
    );
    assert_eq!(start.pool.record().books.escrowed, CHANNEL_DEPOSIT + 5);
    // Only the expiry, or only the amount.
    start.top_up(0, at + 8).unwrap();
    start.top_up(1, at + 8).unwrap();
    is(start.top_up(0, at + 8), PoolError::ZeroAmount);
    for earlier in [i64::MIN, 0, at + 7] {
        is(start.top_up(5, earlier), PoolError::InvalidExpiry);
    }
    is(start.top_up(u64::MAX, i64::MAX), PoolError::Arithmetic);
    assert_eq!(
        start.top_up(u64::MAX / 2, i64::MAX),
        Err(Refusal::Custom(1))
    );
}

#[test]
fn a_closing_channel_takes_nothing_more() {
    let mut start = opened();
    let at = start.channel().expires_at;
    start.close_by_consumer().unwrap();
    for (amount, expires_at) in [(5, at), (5, at + 1), (0, at + 1)] {
        is(start.top_up(amount, expires_at), PoolError::ChannelClosing);
    }
}

#[test]
fn p10_a_consumers_closing_waits_for_the_challenge_period() {
    let mut start = opened();
    let now = start.pool.chain.time();
    is(start.finish(), PoolError::ChannelOpen);
    let receipt = start.close_by_consumer().unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::ChannelClosing {
            pool: address::bytes(&start.pool.pool),
            generation: 0,
            closes_at: now + CHALLENGE
        }]
    );
    assert_eq!(start.channel().closes_at, Some(now + CHALLENGE));
    // Who closes again moves nothing, in either direction.
    start.pool.chain.advance(100);
    is(start.close_by_consumer(), PoolError::ChannelClosing);
    assert_eq!(start.channel().closes_at, Some(now + CHALLENGE));
    start.pool.chain.set_time(now + CHALLENGE - 1);
    is(start.finish(), PoolError::ChannelOpen);
    start.pool.chain.set_time(now + CHALLENGE);
    let own = start.consumer.key.pubkey();
    let (rent, lamports) = (
        start.pool.chain.lamports(&start.address()),
        start.pool.chain.lamports(&own),
    );
    let receipt = start.finish().unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::ChannelFinished {
            pool: address::bytes(&start.pool.pool),
            generation: 0,
            rest: CHANNEL_DEPOSIT
        }]
    );
    assert_eq!(
        start.pool.chain.tokens(&start.consumer.tokens),
        10 * CHANNEL_DEPOSIT
    );
    assert_eq!(start.pool.chain.lamports(&own), lamports + rent);
    assert_eq!(start.pool.record().books.escrowed, 0);
    is(start.finish(), PoolError::WrongOwner);
}

#[test]
fn a_hubs_closing_waits_for_nothing() {
    for consumer_first in [false, true] {
        let mut start = opened();
        if consumer_first {
            start.close_by_consumer().unwrap();
            start.pool.chain.advance(10);
        }
        let hub = start.hub.clone();
        start.close_by(&hub).unwrap();
        // Twice does no harm.
        start.close_by(&hub).unwrap();
        is(start.close_by_consumer(), PoolError::ChannelClosing);
        start.finish().unwrap();
        assert_eq!(start.pool.record().books.escrowed, 0);
    }
}

#[test]
fn nobody_but_its_consumer_and_its_hub_closes_a_channel() {
    let mut start = opened();
    let thief = start.pool.new_holder(0);
    is(start.close_by(&thief), PoolError::WrongAuthority);
    assert_eq!(start.channel().closes_at, None);
}

#[test]
fn a_channel_that_has_expired_is_finished_whether_it_was_closed_or_not() {
    let mut start = opened();
    let at = start.channel().expires_at;
    start.pool.chain.set_time(at - 1);
    is(start.finish(), PoolError::ChannelOpen);
    // A challenge never lasts longer than the channel.
    start.close_by_consumer().unwrap();
    is(start.finish(), PoolError::ChannelOpen);
    start.pool.chain.set_time(at);
    start.finish().unwrap();

    let mut start = opened();
    start.pool.chain.set_time(at);
    start.finish().unwrap();
}

#[test]
fn the_rest_goes_to_nobody_but_the_consumer() {
    let mut start = opened();
    start.pool.chain.advance(100_000);
    let thief = start.pool.new_holder(0);
    let (own, hub) = (start.consumer.key.pubkey(), start.hub.key.pubkey());
    for tokens in [thief.tokens, start.hub.tokens] {
        let finish = builder::finish_channel(&PROGRAM, &start.pool.pool, &own, &hub, &tokens);
        is(
            start.pool.chain.send(&[finish], &[]),
            PoolError::WrongTokenAccount,
        );
    }
    // Another account of the consumer's only where the consumer signs.
    let other = start.pool.chain.new_tokens(&start.pool.mint, &own, 0);
    let mut finish = builder::finish_channel(&PROGRAM, &start.pool.pool, &own, &hub, &other);
    is(
        start.pool.chain.send(std::slice::from_ref(&finish), &[]),
        PoolError::WrongAddress,
    );
    finish.accounts[2].is_signer = true;
    let mut signed = start.clone();
    let key = &start.consumer.key;
    signed.pool.chain.send(&[finish], &[key]).unwrap();
    assert_eq!(signed.pool.chain.tokens(&other), CHANNEL_DEPOSIT);
    // Only a top-up by the consumer itself.
    let tokens = thief.tokens;
    let mut top_up = builder::top_up_channel(&PROGRAM, &start.pool.pool, &own, &hub, &tokens, 1, 0);
    top_up.accounts[0].pubkey = thief.key.pubkey();
    is(
        start.pool.chain.send(&[top_up], &[&thief.key]),
        PoolError::WrongAuthority,
    );
}

#[test]
fn p10_a_channel_keeps_the_challenge_period_that_it_was_opened_with() {
    let mut start = opened();
    start
        .pool
        .edit(|pool| pool.rules.parameters.challenge_seconds = 1);
    let now = start.pool.chain.time();
    start.close_by_consumer().unwrap();
    assert_eq!(start.channel().closes_at, Some(now + CHALLENGE));
}

#[test]
fn p10_no_two_channels_of_a_pool_ever_have_the_same_generation() {
    let mut start = opened();
    let hub = start.hub.clone();
    for generation in 0..4 {
        assert_eq!(start.channel().generation, generation);
        start.close_by(&hub).unwrap();
        start.finish().unwrap();
        let terms = start.terms();
        start.open(terms).unwrap();
    }
    start.close_by(&hub).unwrap();
    start.finish().unwrap();
    start.pool.edit(|pool| pool.books.next_channel = u64::MAX);
    let terms = start.terms();
    is(start.open(terms), PoolError::Arithmetic);
}
