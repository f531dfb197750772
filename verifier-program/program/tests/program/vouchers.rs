//! P10: which vouchers are settled, and which never are.

use std::slice;

use proptest::prelude::*;
use solana_instruction::Instruction;
use solana_signer::Signer;
use solana_system_interface::instruction as system;
use veilpool_interface::{
    PoolError, PoolEvent, address, builder,
    voucher::{ED25519_PROGRAM, INSTRUCTION_LEN, VOUCHER_LEN, Voucher},
};
use veilpool_program_harness::{
    PoolOnChain, Receipt, Refusal,
    caller::{self, calling},
    chain::PROGRAM,
    honest::{CHANNEL_DEPOSIT, SigningKey, signed, voucher_key},
    pool::CHALLENGE_SECONDS,
};
use veilpool_protocol::{AddressBytes, DomainBytes, FieldBytes, MeasurerCount};

use crate::channels::{FEE_BPS, Start, is, opened};

const SUM: u64 = CHANNEL_DEPOSIT / 2;

impl Start {
    fn voucher(&self, sum: u64) -> Voucher {
        Voucher {
            domain: self.pool.record().rules.domain,
            channel: address::bytes(&self.address()),
            generation: self.channel().generation,
            sum,
        }
    }

    fn settle_instruction(&self, sum: u64) -> Instruction {
        let (own, hub) = (self.consumer.key.pubkey(), self.hub.key.pubkey());
        builder::settle_channel(&PROGRAM, &self.pool.pool, &own, &hub, &self.hub.tokens, sum)
    }

    /// Settles a sum with whatever stands before.
    fn settle_after(&mut self, before: &[Instruction], sum: u64) -> Result<Receipt, Refusal> {
        let mut all = before.to_vec();
        all.push(self.settle_instruction(sum));
        self.pool.chain.send(&all, &[])
    }

    fn settle(&mut self, sum: u64) -> Result<Receipt, Refusal> {
        let voucher = signed(&voucher_key(), &self.voucher(sum));
        self.settle_after(&[voucher], sum)
    }

    fn refuses(&self, before: &[Instruction], sum: u64, expected: PoolError) {
        let mut start = self.clone();
        let everything = start.pool.chain.everything();
        assert_eq!(start.settle_after(before, sum), Err(expected.into()));
        assert!(start.pool.chain.everything() == everything);
    }
}

#[test]
fn a_voucher_pays_the_hub_its_fee_and_the_pool_the_rest() {
    let mut start = opened();
    let provider = start.pool.new_holder(1_000);
    start.pool.deposit_as(&provider, 1_000).unwrap();
    let fee = SUM * u64::from(FEE_BPS) / 10_000;
    let receipt = start.settle(SUM).unwrap();
    assert_eq!(
        receipt.events(),
        [PoolEvent::ChannelSettled {
            pool: address::bytes(&start.pool.pool),
            generation: 0,
            to_pool: SUM - fee,
            hub_fee: fee
        }]
    );
    assert_eq!(start.pool.chain.tokens(&start.hub.tokens), fee);
    assert_eq!(
        start.pool.chain.tokens(&start.pool.vault()),
        1_000 + SUM - fee
    );
    let books = start.pool.record().books;
    // Revenue raises what shares are worth, and counts as demand; the hub's fee does not.
    assert_eq!((books.assets, books.shares), (1_000 + SUM - fee, 1_000_000));
    assert_eq!(books.settled, SUM - fee);
    assert_eq!(books.escrowed, CHANNEL_DEPOSIT - SUM);
    assert_eq!(start.channel().settled, SUM);
}

#[test]
fn p10_sums_are_cumulative_and_only_go_up() {
    let mut start = opened();
    start.settle(SUM).unwrap();
    for sum in [0, 1, SUM - 1, SUM] {
        is(start.settle(sum), PoolError::VoucherNotNewer);
    }
    start.settle(SUM + 1).unwrap();
    let books = start.pool.record().books;
    let fee = SUM * u64::from(FEE_BPS) / 10_000;
    assert_eq!(books.settled, SUM + 1 - fee);
    assert_eq!(books.escrowed, CHANNEL_DEPOSIT - SUM - 1);
    for sum in [CHANNEL_DEPOSIT + 1, u64::MAX] {
        is(start.settle(sum), PoolError::VoucherExceedsDeposit);
    }
    start.settle(CHANNEL_DEPOSIT).unwrap();
    assert_eq!(start.pool.record().books.escrowed, 0);
    is(start.settle(CHANNEL_DEPOSIT), PoolError::VoucherNotNewer);
    start.pool.chain.advance(100_000);
    start.finish().unwrap();
    assert_eq!(
        start.pool.chain.tokens(&start.consumer.tokens),
        9 * CHANNEL_DEPOSIT
    );
}

#[test]
fn p10_the_hub_settles_its_last_voucher_during_the_challenge() {
    let mut start = opened();
    start.close_by_consumer().unwrap();
    start.pool.chain.advance(i64::from(CHALLENGE_SECONDS) - 1);
    start.settle(SUM).unwrap();
    start.pool.chain.advance(1);
    // Also later, as long as nobody has finished it.
    start.settle(SUM + 1).unwrap();
    start.finish().unwrap();
    assert_eq!(
        start.pool.chain.tokens(&start.consumer.tokens),
        10 * CHANNEL_DEPOSIT - SUM - 1
    );
    let settle = start.settle_instruction(SUM + 2);
    is(start.pool.chain.send(&[settle], &[]), PoolError::WrongOwner);
}

#[test]
fn p10_a_voucher_of_something_else_is_refused() {
    let start = opened();
    let own = start.voucher(SUM);
    let mut elsewhere = start.clone();
    elsewhere.hub = elsewhere.pool.new_holder(0);
    let terms = elsewhere.terms();
    elsewhere.open(terms).unwrap();
    let other_pool = PoolOnChain::on(start.pool.chain.clone(), MeasurerCount::Three);
    let wrong = [
        ("another channel", elsewhere.voucher(SUM)),
        (
            "another pool",
            Voucher {
                domain: other_pool.record().rules.domain,
                ..own
            },
        ),
        (
            "no domain",
            Voucher {
                domain: DomainBytes::from_field(FieldBytes::ZERO),
                ..own
            },
        ),
        (
            "an earlier generation",
            Voucher {
                generation: u64::MAX,
                ..own
            },
        ),
        (
            "a later generation",
            Voucher {
                generation: 1,
                ..own
            },
        ),
        (
            "a lower sum",
            Voucher {
                sum: SUM - 1,
                ..own
            },
        ),
        (
            "a higher sum",
            Voucher {
                sum: SUM + 1,
                ..own
            },
        ),
        (
            "the hub as channel",
            Voucher {
                channel: AddressBytes::new(start.hub.key.pubkey().to_bytes()),
                ..own
            },
        ),
    ];
    for (what, voucher) in wrong {
        let before = [signed(&voucher_key(), &voucher)];
        let mut start = start.clone();
        let answer = start.settle_after(&before, SUM);
        assert_eq!(answer, Err(PoolError::WrongVoucher.into()), "{what}");
    }
    // Another key, however good its signature.
    let key = SigningKey::from_bytes(&[0x45; 32]);
    start.refuses(&[signed(&key, &own)], SUM, PoolError::WrongVoucher);
}

#[test]
fn p10_a_voucher_of_a_channel_that_was_closed_is_none_of_its_successor() {
    let mut start = opened();
    let old = signed(&voucher_key(), &start.voucher(SUM));
    let hub = start.hub.clone();
    start.close_by(&hub).unwrap();
    start.finish().unwrap();
    let terms = start.terms();
    start.open(terms).unwrap();
    start.refuses(&[old], SUM, PoolError::WrongVoucher);
    start.settle(SUM).unwrap();
}

#[test]
fn p10_a_signature_that_is_not_verified_right_before_is_none() {
    let start = opened();
    let voucher = signed(&voucher_key(), &start.voucher(SUM));
    let person = start.pool.chain.new_key();
    let mut start = start;
    let donor = start.pool.chain.new_person();
    let transfer = system::transfer(&donor.pubkey(), &person.pubkey(), 1_000_000_000 / 2);
    let missing = Err(PoolError::VoucherMissing.into());
    let settle = start.settle_instruction(SUM);
    // None at all: the first instruction of a transaction.
    assert_eq!(start.settle_after(&[], SUM), missing);
    // After it.
    let all = [settle.clone(), voucher.clone()];
    assert_eq!(start.pool.chain.send(&all, &[]), missing);
    // Something in between.
    let all = [voucher.clone(), transfer.clone(), settle.clone()];
    assert_eq!(start.pool.chain.send(&all, &[&donor]), missing);
    // Used twice: by two settlements of one voucher.
    let all = [voucher.clone(), settle.clone(), settle.clone()];
    assert_eq!(start.pool.chain.send(&all, &[]), missing);
    let all = [
        voucher.clone(),
        settle.clone(),
        voucher.clone(),
        settle.clone(),
    ];
    assert_eq!(
        start.pool.chain.send(&all, &[]),
        Err(PoolError::VoucherNotNewer.into())
    );
    // Another program's instruction with the same bytes.
    for program in [PROGRAM, address::TOKEN_PROGRAM, builder::SYSTEM_PROGRAM] {
        let other = Instruction {
            program_id: program,
            ..voucher.clone()
        };
        assert!(start.settle_after(&[other], SUM).is_err());
    }
    assert_eq!(start.channel().settled, 0);
    // Further back there may be anything.
    let all = [transfer, voucher, settle];
    start.pool.chain.send(&all, &[&donor]).unwrap();
}

#[test]
fn p10_two_vouchers_are_settled_in_one_transaction_each_after_its_own_signature() {
    let mut start = opened();
    let mut all = Vec::new();
    for sum in [SUM, SUM + 1] {
        all.push(signed(&voucher_key(), &start.voucher(sum)));
        all.push(start.settle_instruction(sum));
    }
    start.pool.chain.send(&all, &[]).unwrap();
    assert_eq!(start.channel().settled, SUM + 1);
}

/// With another program, which calls this one.
fn with_caller() -> Start {
    let mut start = opened();
    caller::install(&mut start.pool.chain);
    start
}

#[test]
fn p10_a_settlement_that_another_program_calls_is_the_one_that_anybody_could_send() {
    let start = with_caller();
    let voucher = signed(&voucher_key(), &start.voucher(SUM));
    let settle = start.settle_instruction(SUM);
    let mut direct = start.clone();
    let sent = direct.settle_after(slice::from_ref(&voucher), SUM).unwrap();
    let mut called = start.clone();
    let all = [voucher.clone(), calling(slice::from_ref(&settle))];
    let receipt = called.pool.chain.send(&all, &[]).unwrap();
    assert_eq!(receipt.events(), sent.events());
    assert!(called.pool.chain.everything() == direct.pool.chain.everything());
    // The voucher is used up, whichever way it comes again.
    for again in [&all, &[voucher.clone(), settle]] {
        let before = called.pool.chain.everything();
        is(
            called.pool.chain.send(again, &[]),
            PoolError::VoucherNotNewer,
        );
        assert!(called.pool.chain.everything() == before);
    }
}

#[test]
fn p10_a_program_that_calls_settles_nothing_without_its_own_signature_right_before_it() {
    let mut start = with_caller();
    let donor = start.pool.chain.new_person();
    let transfer = system::transfer(&donor.pubkey(), &donor.pubkey(), 1);
    let voucher = signed(&voucher_key(), &start.voucher(SUM));
    let lower = signed(&voucher_key(), &start.voucher(SUM - 1));
    let settle = start.settle_instruction(SUM);
    let call = calling(slice::from_ref(&settle));
    let cases = [
        ("none", vec![call.clone()], PoolError::VoucherMissing),
        (
            "after it",
            vec![call.clone(), voucher.clone()],
            PoolError::VoucherMissing,
        ),
        (
            "something in between",
            vec![voucher.clone(), transfer.clone(), call.clone()],
            PoolError::VoucherMissing,
        ),
        (
            "verified by a call",
            vec![calling(&[voucher.clone(), settle.clone()])],
            PoolError::VoucherMissing,
        ),
        (
            "verified by a call in the instruction before",
            vec![calling(slice::from_ref(&voucher)), call.clone()],
            PoolError::VoucherMissing,
        ),
        (
            "of another sum",
            vec![lower.clone(), call.clone()],
            PoolError::WrongVoucher,
        ),
        (
            "of another sum, with the right one called",
            vec![lower.clone(), calling(&[voucher.clone(), settle.clone()])],
            PoolError::WrongVoucher,
        ),
        (
            "two settlements of one voucher",
            vec![voucher.clone(), calling(&[settle.clone(), settle.clone()])],
            PoolError::VoucherNotNewer,
        ),
        (
            "a second sum by one signature",
            vec![
                voucher.clone(),
                calling(&[settle.clone(), start.settle_instruction(SUM + 1)]),
            ],
            PoolError::WrongVoucher,
        ),
        (
            "one more, sent directly",
            vec![voucher, call, settle],
            PoolError::VoucherMissing,
        ),
    ];
    let before = start.pool.chain.everything();
    for (what, all, expected) in cases {
        let signers: &[_] = if all.contains(&transfer) {
            &[&donor]
        } else {
            &[]
        };
        let answer = start.pool.chain.send(&all, signers);
        assert_eq!(answer, Err(expected.into()), "{what}");
        assert!(start.pool.chain.everything() == before, "{what}");
    }
}

#[test]
fn p10_a_signature_laid_out_in_any_other_way_is_refused() {
    let start = opened();
    let honest = signed(&voucher_key(), &start.voucher(SUM));
    assert_eq!(honest.data.len(), INSTRUCTION_LEN);
    let with = |data: Vec<u8>| Instruction {
        program_id: ED25519_PROGRAM,
        accounts: Vec::new(),
        data,
    };
    // Each byte of the head: number of signatures, padding, offsets, lengths, indices.
    for at in 0..16 {
        for bit in 0..8 {
            let mut start = start.clone();
            let mut data = honest.data.clone();
            data[at] ^= 1 << bit;
            let before = start.pool.chain.everything();
            let answer = start.settle_after(&[with(data)], SUM);
            assert!(answer.is_err(), "byte {at}, bit {bit}");
            assert!(start.pool.chain.everything() == before);
        }
    }
    // What the chain's program takes, and this one does not. The padding:
    let mut padded = honest.data.clone();
    padded[1] = 1;
    // A byte more at the end:
    let longer = [honest.data.as_slice(), &[0]].concat();
    // The same signature twice:
    let mut twice = vec![2, 0];
    for _ in 0..2 {
        // By fourteen bytes further back.
        let offsets = [62u16, 0xffff, 30, 0xffff, 126, VOUCHER_LEN as u16, 0xffff];
        twice.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
    }
    twice.extend_from_slice(&honest.data[16..]);
    // Key and signature in the other order:
    let mut moved = vec![1, 0];
    let offsets = [16u16, 0xffff, 80, 0xffff, 112, VOUCHER_LEN as u16, 0xffff];
    moved.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
    moved.extend_from_slice(&honest.data[48..112]);
    moved.extend_from_slice(&honest.data[16..48]);
    moved.extend_from_slice(&honest.data[112..]);
    for data in [padded, longer, twice, moved] {
        start.refuses(&[with(data)], SUM, PoolError::VoucherMissing);
    }
    // No signature at all, which the chain's program takes as well.
    start.refuses(&[with(vec![0, 0])], SUM, PoolError::VoucherMissing);
    // Truncated, or with a signature that does not hold: the chain's program refuses it.
    let mut start = start;
    for len in [1, 15, 16, 48, 112, INSTRUCTION_LEN - 1] {
        assert!(
            start
                .settle_after(&[with(honest.data[..len].to_vec())], SUM)
                .is_err()
        );
    }
    for at in 16..INSTRUCTION_LEN {
        let mut data = honest.data.clone();
        data[at] ^= 1;
        assert!(start.settle_after(&[with(data)], SUM).is_err(), "byte {at}");
    }
    assert_eq!(start.channel().settled, 0);
}

#[test]
fn p10_fees_are_rounded_down() {
    for (bps, sum, fee) in [
        (0, SUM, 0),
        (1_000, 9, 0),
        (1_000, 10, 1),
        (999, 10_009, 999),
    ] {
        let mut start = crate::channels::unopened();
        let terms = veilpool_interface::instruction::OpenChannel {
            hub_fee_bps: bps,
            ..start.terms()
        };
        start.open(terms).unwrap();
        start.settle(sum).unwrap();
        assert_eq!(start.pool.chain.tokens(&start.hub.tokens), fee);
        assert_eq!(start.pool.chain.tokens(&start.pool.vault()), sum - fee);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn p10_whatever_is_settled_in_whatever_order_escrow_and_books_agree(
        sums in proptest::collection::vec(0..=CHANNEL_DEPOSIT + 10, 1..12),
    ) {
        let mut start = opened();
        let mut settled = 0;
        for sum in sums {
            let expected = if sum <= settled {
                Err(PoolError::VoucherNotNewer)
            } else if sum > CHANNEL_DEPOSIT {
                Err(PoolError::VoucherExceedsDeposit)
            } else {
                settled = sum;
                Ok(())
            };
            let answer = start.settle(sum).map(|_| ());
            prop_assert_eq!(answer, expected.map_err(Refusal::Pool));
            let books = start.pool.record().books;
            prop_assert_eq!(books.escrowed, CHANNEL_DEPOSIT - settled);
            prop_assert_eq!(start.pool.chain.tokens(&start.pool.escrow()), books.escrowed);
            prop_assert_eq!(start.pool.chain.tokens(&start.pool.vault()), books.assets);
            prop_assert_eq!(books.assets + start.pool.chain.tokens(&start.hub.tokens), settled);
        }
    }
}
