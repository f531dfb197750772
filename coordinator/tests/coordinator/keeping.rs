//! When a keeper does what.

use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_chain::SendError;
use veilpool_coordinator::{
    Keeper, KeeperConfig,
    keeper::{Action, Snapshot, due_to_close, due_to_open},
    relayer::submit,
};
use veilpool_interface::{
    Claim, Deadline, Exit, Operator, PoolError, Withdrawal, address, builder,
};
use veilpool_protocol::{AddressBytes, CommitmentBytes, EpochId, NullifierBytes};

use super::common::*;

const MINT: Pubkey = Pubkey::new_from_array([2; 32]);

fn nullifier(i: u128) -> NullifierBytes {
    NullifierBytes::from_field(field(i))
}

fn person(byte: u8) -> Pubkey {
    Pubkey::new_from_array([byte; 32])
}

fn claim(epoch: u32, nf: u128, at: i64) -> Claim {
    Claim {
        bump: 1,
        pool: address::bytes(&pool_address()),
        epoch: EpochId::new(epoch),
        nullifier: nullifier(nf),
        claim_until: Deadline {
            at,
            paused_before: 0,
        },
        rent_payer: AddressBytes::new([8; 32]),
    }
}

fn withdrawal(owner: u8, number: u32, ready_at: i64) -> Withdrawal {
    Withdrawal {
        bump: 1,
        pool: address::bytes(&pool_address()),
        owner: AddressBytes::new([owner; 32]),
        number,
        shares: 5,
        worth: u64::MAX,
        ready_at,
    }
}

fn operator(index: u32, bonder: u8, release: Option<i64>) -> Operator {
    Operator {
        bump: 1,
        pool: address::bytes(&pool_address()),
        commitment: CommitmentBytes::from_field(field(u128::from(index) + 50)),
        leaf_index: index,
        bond: 1,
        bonder: AddressBytes::new([bonder; 32]),
        exit: release.map(|at| Exit {
            epoch: EpochId::new(1),
            release: Deadline {
                at,
                paused_before: 0,
            },
        }),
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        pool: pool(Vec::new(), 100),
        epochs: Vec::new(),
        claims: Vec::new(),
        withdrawals: Vec::new(),
        operators: Vec::new(),
    }
}

#[test]
fn an_epoch_is_opened_a_quarter_of_its_length_before_the_latest_ends() {
    let mut pool = pool(Vec::new(), 400);
    let open = Some(Action::Open(pool.books.next_epoch));
    for (latest_ends_at, now, expected) in [
        (0, 5, &open),
        (1_000, 899, &None),
        (1_000, 900, &open),
        (1_000, 1_000, &open),
        (1_000, 50_000, &open),
        (i64::MAX, i64::MAX, &open),
        (1_000, i64::MIN, &None),
    ] {
        pool.books.latest_ends_at = latest_ends_at;
        assert_eq!(&due_to_open(&pool, now), expected, "{latest_ends_at} {now}");
    }
    pool.books.frozen = true;
    assert_eq!(due_to_open(&pool, 50_000), None, "frozen");
    pool.books.frozen = false;
    pool.books.operators = 0;
    assert_eq!(due_to_open(&pool, 50_000), None, "all operators have left");
}

#[test]
fn claims_are_closed_before_epochs_and_the_oldest_first_and_none_within_its_window() {
    // Windows shut at 300, 400 and 500.
    let mut snapshot = snapshot();
    snapshot.epochs = [2, 1, 3]
        .map(|i| epoch(EpochId::new(i), i64::from(i) * 100 - 100, 100))
        .to_vec();
    snapshot.claims = vec![
        claim(2, 5, 400),
        claim(1, 4, 300),
        claim(3, 6, 500),
        claim(1, 3, 300),
    ];
    let close_claim = |nf, epoch| Action::CloseClaim {
        epoch: EpochId::new(epoch),
        nullifier: nullifier(nf),
        rent_payer: person(8),
    };
    let close_epoch = |epoch| Action::CloseEpoch {
        epoch: EpochId::new(epoch),
        rent_payer: person(9),
    };
    assert_eq!(due_to_close(&snapshot, 299), []);
    assert_eq!(
        due_to_close(&snapshot, 300),
        [close_claim(3, 1), close_claim(4, 1), close_epoch(1)]
    );
    assert_eq!(
        due_to_close(&snapshot, 499),
        [
            close_claim(3, 1),
            close_claim(4, 1),
            close_claim(5, 2),
            close_epoch(1),
            close_epoch(2)
        ]
    );
    // A pause of 50 that has run for 30 at 310: every window is open for as much longer.
    snapshot.pool.books.paused_seconds = 50;
    snapshot.pool.books.paused_until = 330;
    assert_eq!(due_to_close(&snapshot, 310), []);
    assert_eq!(due_to_close(&snapshot, 349), []);
    assert_eq!(due_to_close(&snapshot, 350).len(), 3);
}

#[test]
fn withdrawals_and_bonds_are_due_when_their_time_has_come_and_bonds_wait_for_pauses() {
    let mut snapshot = snapshot();
    snapshot.withdrawals = vec![
        withdrawal(20, 0, 200),
        withdrawal(21, 7, 100),
        withdrawal(20, 1, 301),
    ];
    snapshot.operators = vec![
        operator(2, 30, Some(300)),
        operator(0, 31, None),
        operator(1, 32, Some(250)),
    ];
    let withdraw = |owner, number| Action::Withdraw {
        owner: person(owner),
        number,
    };
    let release = |index: u128, bonder| Action::ReleaseBond {
        commitment: CommitmentBytes::from_field(field(index + 50)),
        bonder: person(bonder),
    };
    assert_eq!(due_to_close(&snapshot, 99), []);
    assert_eq!(due_to_close(&snapshot, 100), [withdraw(21, 7)]);
    assert_eq!(
        due_to_close(&snapshot, 300),
        [
            release(1, 32),
            release(2, 30),
            withdraw(21, 7),
            withdraw(20, 0)
        ]
    );
    snapshot.pool.books.paused_seconds = 60;
    assert_eq!(
        due_to_close(&snapshot, 300),
        [withdraw(21, 7), withdraw(20, 0)]
    );
}

#[tokio::test]
async fn a_keeper_opens_and_closes_and_survives_an_outage_and_being_second() {
    let ledger = TestLedger::new(pool(Vec::new(), 12), vec![epoch(EpochId::new(1), 0, 100)]);
    {
        let mut book = ledger.book();
        book.claims.push(claim(1, 3, 300));
        book.withdrawals = vec![withdrawal(20, 4, 900), withdrawal(21, 0, 800)];
        book.operators = vec![operator(0, 22, Some(700))];
        // 21 has no token account: nothing is sent for it.
        book.accounts = [20, 22]
            .map(|byte| submit::token_account(&person(byte), &MINT))
            .to_vec();
        book.now = Some(1_000);
        book.down = true;
        // The first attempt to open finds that another keeper was there.
        book.refusals.push(SendError::Refused {
            reason: PoolError::WrongEpoch,
            logs: Vec::new(),
        });
    }
    let keypair = Keypair::new();
    let payer = keypair.pubkey();
    let config = KeeperConfig::new("", program(), pool_address());
    let keeper = Keeper::start_with(config, keypair, ledger.clone())
        .await
        .unwrap();
    assert!(!keeper.status().chain_works);
    ledger.book().down = false;
    until(|| keeper.status().opened > 0).await;
    let status = keeper.status();
    assert!(status.chain_works);
    assert_eq!((status.closed_claims, status.closed_epochs), (1, 1));
    assert_eq!((status.withdrawals, status.bonds), (1, 1));
    keeper.shutdown().await;
    let sent = ledger.book().sent.clone();
    let (program, pool, first) = (program(), pool_address(), EpochId::new(1));
    let tokens = |byte| submit::token_account(&person(byte), &MINT);
    let commitment = CommitmentBytes::from_field(field(50));
    for (sent, expected) in sent.iter().zip([
        builder::close_claim(&program, &pool, &person(8), first, &nullifier(3)),
        builder::close_epoch(&program, &pool, &person(9), first),
        builder::release_bond(&program, &pool, &person(22), &tokens(22), &commitment),
        builder::withdraw(&program, &pool, &person(20), 4, &tokens(20)),
        opening(&payer, EpochId::new(8)),
    ]) {
        assert_eq!(*sent, [expected]);
    }
}

#[tokio::test]
async fn a_keeper_asks_for_the_token_accounts_of_many_payees_at_once() {
    let mut pool = pool(Vec::new(), 12);
    pool.books.operators = 0;
    let ledger = TestLedger::new(pool, Vec::new());
    {
        let mut book = ledger.book();
        // Two of each owner; only the last two owners have a token account.
        book.withdrawals = (0..120)
            .flat_map(|owner| [withdrawal(owner, 0, 800), withdrawal(owner, 1, 800)])
            .collect();
        book.accounts = [118, 119]
            .map(|byte| submit::token_account(&person(byte), &MINT))
            .to_vec();
        book.now = Some(1_000);
    }
    let config = KeeperConfig::new("", program(), pool_address());
    let keeper = Keeper::start_with(config, Keypair::new(), ledger.clone())
        .await
        .unwrap();
    until(|| keeper.status().withdrawals >= 4).await;
    keeper.shutdown().await;
    let book = ledger.book();
    assert_eq!(book.asked[..3], [50, 50, 20]);
    let expected = [(118, 0), (118, 1), (119, 0), (119, 1)].map(|(owner, number)| {
        let tokens = submit::token_account(&person(owner), &MINT);
        let owner = person(owner);
        vec![builder::withdraw(
            &program(),
            &pool_address(),
            &owner,
            number,
            &tokens,
        )]
    });
    assert_eq!(book.sent[..4], expected);
}

#[tokio::test]
async fn a_keeper_does_only_what_it_was_told_to() {
    let ledger = TestLedger::new(pool(Vec::new(), 12), vec![epoch(EpochId::new(1), 0, 100)]);
    ledger.book().now = Some(1_000);
    let mut config = KeeperConfig::new("", program(), pool_address());
    config.close = false;
    let keypair = Keypair::new();
    let payer = keypair.pubkey();
    let keeper = Keeper::start_with(config, keypair, ledger.clone())
        .await
        .unwrap();
    until(|| keeper.status().opened > 1).await;
    keeper.shutdown().await;
    for sent in &ledger.book().sent {
        assert_eq!(*sent, [opening(&payer, EpochId::new(8))]);
    }
}
