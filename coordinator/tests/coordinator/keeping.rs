//! When a keeper does what.

use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_chain::SendError;
use veilpool_coordinator::{
    Keeper, KeeperConfig,
    keeper::{Action, due_to_close, due_to_open},
};
use veilpool_interface::{Claim, PoolError, Registry, address, builder};
use veilpool_protocol::{AddressBytes, EpochId, NullifierBytes};

use super::common::*;

fn claim(epoch: u32, claim_until: i64) -> Claim {
    Claim {
        bump: 1,
        pool: address::bytes(&pool_address()),
        epoch: EpochId::new(epoch),
        claim_until,
        rent_payer: AddressBytes::new([8; 32]),
    }
}

#[test]
fn an_epoch_is_opened_a_quarter_of_its_length_before_the_latest_ends() {
    let mut pool = pool(Vec::new(), 400);
    let open = Some(Action::Open(pool.next_epoch));
    for (latest_ends_at, now, expected) in [
        (0, 5, &open),
        (1_000, 899, &None),
        (1_000, 900, &open),
        (1_000, 1_000, &open),
        (1_000, 50_000, &open),
        (i64::MAX, i64::MAX, &open),
        (1_000, i64::MIN, &None),
    ] {
        pool.latest_ends_at = latest_ends_at;
        assert_eq!(&due_to_open(&pool, now), expected, "{latest_ends_at} {now}");
    }
    pool.registry = Registry::empty().unwrap();
    assert_eq!(due_to_open(&pool, 50_000), None, "without operators");
}

#[test]
fn claims_are_closed_before_epochs_and_the_oldest_first_and_none_within_its_window() {
    // Windows shut at 300, 400 and 500.
    let epochs = [2, 1, 3].map(|i| epoch(EpochId::new(i), i64::from(i) * 100 - 100, 100));
    let at = |byte| Pubkey::new_from_array([byte; 32]);
    let claims = [
        (at(5), claim(2, 400)),
        (at(4), claim(1, 300)),
        (at(6), claim(3, 500)),
        (at(3), claim(1, 300)),
    ];
    let payer = |byte| Pubkey::new_from_array([byte; 32]);
    let close_claim = |byte, epoch| Action::CloseClaim {
        address: at(byte),
        epoch: EpochId::new(epoch),
        rent_payer: payer(8),
    };
    let close_epoch = |epoch| Action::CloseEpoch {
        epoch: EpochId::new(epoch),
        rent_payer: payer(9),
    };
    assert_eq!(due_to_close(&epochs, &claims, 299), []);
    assert_eq!(
        due_to_close(&epochs, &claims, 300),
        [close_claim(3, 1), close_claim(4, 1), close_epoch(1)]
    );
    assert_eq!(
        due_to_close(&epochs, &claims, 499),
        [
            close_claim(3, 1),
            close_claim(4, 1),
            close_claim(5, 2),
            close_epoch(1),
            close_epoch(2)
        ]
    );
}

#[tokio::test]
async fn a_keeper_opens_and_closes_and_survives_an_outage_and_being_second() {
    let ledger = TestLedger::new(pool(Vec::new(), 12), vec![epoch(EpochId::new(1), 0, 100)]);
    let nullifier = NullifierBytes::from_field(field(3));
    let account = address::claim(&program(), &pool_address(), EpochId::new(1), &nullifier).0;
    {
        let mut book = ledger.book();
        book.claims.push((account, claim(1, 300)));
        book.nullifiers.push((account, nullifier));
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
    keeper.shutdown().await;
    let sent = ledger.book().sent.clone();
    let rent = |byte| Pubkey::new_from_array([byte; 32]);
    let (program, pool, first) = (program(), pool_address(), EpochId::new(1));
    assert_eq!(
        sent[0],
        [builder::close_claim(
            &program,
            &pool,
            &rent(8),
            first,
            nullifier
        )]
    );
    assert_eq!(
        sent[1],
        [builder::close_epoch(&program, &pool, &rent(9), first)]
    );
    assert_eq!(sent[2], [opening(&payer, EpochId::new(8))]);
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
