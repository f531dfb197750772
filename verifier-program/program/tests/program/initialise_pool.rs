//! Making a pool.

use solana_account::Account;
use solana_keypair::Keypair;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::state::{Account as TokenAccount, AccountState};
use veilpool_interface::{
    Pool, PoolError, Registry, address, address::TOKEN_PROGRAM, builder, builder::SYSTEM_PROGRAM,
    hashing, instruction::InitialisePool,
};
use veilpool_program_harness::{
    Chain, Receipt, Refusal,
    binary::Build,
    chain::PROGRAM,
    people,
    pool::{GENESIS_HASH, rules},
};
use veilpool_protocol::{CoordinateBytes, EpochId, FieldBytes, MeasurerCount, MeasurerKeyBytes};

use crate::accounts::{Honest, Wrong, row};

struct Start {
    chain: Chain,
    authority: Keypair,
    mint: Pubkey,
}

fn start() -> Start {
    start_with(Build::Development)
}

fn start_with(build: Build) -> Start {
    let mut chain = Chain::new(build);
    let mint = chain.new_mint();
    let authority = chain.new_person();
    Start {
        chain,
        authority,
        mint,
    }
}

impl Start {
    fn pool(&self) -> Pubkey {
        address::pool(&PROGRAM, &self.mint, &self.authority.pubkey()).0
    }

    fn make(&mut self, rules: InitialisePool) -> Result<Receipt, Refusal> {
        let make = builder::initialise_pool(&PROGRAM, &self.authority.pubkey(), &self.mint, rules);
        self.chain.send(&[make], &[&self.authority])
    }

    fn honest(&self) -> Honest {
        Honest {
            chain: self.chain.clone(),
            instruction: builder::initialise_pool(
                &PROGRAM,
                &self.authority.pubkey(),
                &self.mint,
                rules(MeasurerCount::Three),
            ),
            signers: vec![self.authority.insecure_clone()],
        }
    }
}

#[test]
fn a_pool_is_made_with_its_rules_and_empty_vaults_for_every_number_of_measurers() {
    for count in MeasurerCount::ALL {
        let mut start = start();
        let rules = rules(count);
        start.make(rules.clone()).unwrap();
        let pool = start.pool();
        let record: Pool = start.chain.read(&pool).unwrap();
        let (vault, bonds) = (
            address::vault(&PROGRAM, &pool).0,
            address::bonds(&PROGRAM, &pool).0,
        );
        let domain = hashing::domain(
            &GENESIS_HASH,
            &address::bytes(&PROGRAM),
            &address::bytes(&pool),
        );
        let file = std::fs::read(
            veilpool_program_harness::binary::root()
                .join(format!("params/claim-n{}-v2.vk", count.get())),
        )
        .unwrap();
        assert_eq!(
            record,
            Pool {
                bump: address::pool(&PROGRAM, &start.mint, &start.authority.pubkey()).1,
                authority: address::bytes(&start.authority.pubkey()),
                mint: address::bytes(&start.mint),
                vault: address::bytes(&vault),
                bond_vault: address::bytes(&bonds),
                genesis_hash: GENESIS_HASH,
                domain,
                set_hash: people::measurer_set(count).hash(domain),
                verifying_key: veilpool_program::key::digest(&file),
                bond_amount: rules.bond_amount,
                epoch_seconds: rules.epoch_seconds,
                claim_window_seconds: rules.claim_window_seconds,
                rate_cap: rules.rate_cap,
                outflow_bps: rules.outflow_bps,
                assets: 0,
                reserved: 0,
                shares: 0,
                next_epoch: EpochId::new(0),
                latest_ends_at: 0,
                measurers: rules.measurers,
                classes: rules.classes,
                registry: Registry::empty().unwrap(),
            }
        );
        for address in [vault, bonds] {
            let account = TokenAccount::unpack(&start.chain.account(&address).data).unwrap();
            assert_eq!((account.mint, account.owner), (start.mint, pool));
            assert_eq!(account.state, AccountState::Initialized);
            assert_eq!(account.amount, 0);
        }
    }
}

#[test]
fn a_development_key_is_announced_in_the_log() {
    let receipt = start().make(rules(MeasurerCount::Five)).unwrap();
    assert!(receipt.logs.iter().any(|line| {
        line == "Program log: DEVELOPMENT verifying key: anybody can forge claims on this pool"
    }));
}

#[test]
fn c3_the_release_build_makes_no_pool_with_a_development_key() {
    for count in MeasurerCount::ALL {
        let mut start = start_with(Build::Release);
        assert_eq!(
            start.make(rules(count)),
            Err(PoolError::DevelopmentKey.into())
        );
        assert_eq!(start.chain.read::<Pool>(&start.pool()), None);
    }
}

#[test]
fn c2_a_key_that_drops_its_public_input_or_has_infinity_is_not_accepted() {
    // Alpha, beta, gamma, delta, IC0, IC1: where each begins, and its length.
    for (at, len) in [
        (40, 64),
        (104, 128),
        (232, 128),
        (360, 128),
        (488, 64),
        (552, 64),
    ] {
        let mut key = ceremony_key();
        key[at..at + len].fill(0);
        assert_eq!(
            veilpool_program::key::accept_validated(&key, MeasurerCount::Three).map(|_| ()),
            Err(PoolError::InvalidVerifyingKey)
        );
    }
}

#[test]
fn c3_a_key_whose_gamma_is_delta_is_not_accepted() {
    let mut key = ceremony_key();
    assert!(veilpool_program::key::accept_validated(&key, MeasurerCount::Three).is_ok());
    key.copy_within(232..360, 360);
    assert_eq!(
        veilpool_program::key::accept_validated(&key, MeasurerCount::Three).map(|_| ()),
        Err(PoolError::InvalidVerifyingKey)
    );
}

#[test]
fn a_key_for_another_number_of_measurers_is_not_accepted() {
    assert_eq!(
        veilpool_program::key::accept(&ceremony_key(), MeasurerCount::Five).map(|_| ()),
        Err(PoolError::InvalidVerifyingKey)
    );
}

/// The embedded key of three measurers, as if a ceremony had made it.
fn ceremony_key() -> Vec<u8> {
    let mut key = veilpool_program::key::embedded(MeasurerCount::Three).to_vec();
    key[5] = 1;
    key
}

#[test]
fn c9_a_measurer_that_stands_twice_in_a_set_is_refused() {
    for count in MeasurerCount::ALL {
        for second in 1..count.get() {
            let mut same = rules(count);
            same.measurers[second] = same.measurers[0];
            assert_eq!(start().make(same), Err(PoolError::DuplicateMeasurer.into()));
        }
    }
    // K and −K share both coordinates; one is enough.
    let key = rules(MeasurerCount::Three).measurers[0];
    let other = CoordinateBytes::from_field(FieldBytes::from_u128(5));
    for twin in [
        MeasurerKeyBytes { u: other, ..key },
        MeasurerKeyBytes {
            shifted_u: other,
            ..key
        },
    ] {
        let mut rules = rules(MeasurerCount::Three);
        rules.measurers[2] = twin;
        assert_eq!(
            start().make(rules),
            Err(PoolError::DuplicateMeasurer.into())
        );
    }
}

#[test]
fn c5_an_identity_key_and_other_numbers_of_keys_are_refused() {
    let zero = CoordinateBytes::from_field(FieldBytes::ZERO);
    let one = CoordinateBytes::from_field(FieldBytes::from_u128(1));
    // The point of order two, as key or as its multiple.
    for (u, shifted_u) in [(zero, one), (one, zero), (zero, zero)] {
        let mut rules = rules(MeasurerCount::Three);
        rules.measurers[1] = MeasurerKeyBytes { u, shifted_u };
        assert_eq!(
            start().make(rules),
            Err(PoolError::InvalidMeasurerSet.into())
        );
    }
    for len in [0, 1, 2, 4, 6] {
        let mut rules = rules(MeasurerCount::Seven);
        rules.measurers.truncate(len);
        assert_eq!(
            start().make(rules),
            Err(PoolError::InvalidMeasurerSet.into())
        );
    }
}

#[test]
fn parameters_out_of_range_are_refused() {
    type Change = fn(&mut InitialisePool);
    let parameters: [Change; 5] = [
        |rules| rules.bond_amount = 0,
        |rules| rules.epoch_seconds = 0,
        |rules| rules.claim_window_seconds = 0,
        |rules| rules.outflow_bps = 0,
        |rules| rules.outflow_bps = 10_001,
    ];
    let tables: [Change; 4] = [
        |rules| rules.classes.clear(),
        |rules| rules.classes = vec![rules.classes[0]; 17],
        |rules| rules.classes[1].weight = veilpool_protocol::Weight::new(0),
        |rules| rules.classes[1].thresholds.uptime = veilpool_protocol::Uptime::new(145),
    ];
    for (changes, expected) in [
        (&parameters[..], PoolError::InvalidParameters),
        (&tables[..], PoolError::InvalidClassTable),
    ] {
        for change in changes {
            let mut rules = rules(MeasurerCount::Three);
            change(&mut rules);
            assert_eq!(start().make(rules), Err(expected.into()));
        }
    }
}

#[test]
fn p4_a_pool_is_made_once() {
    let mut start = start();
    start.make(rules(MeasurerCount::Three)).unwrap();
    let before = start.chain.account(&start.pool());
    for count in MeasurerCount::ALL {
        assert_eq!(
            start.make(rules(count)),
            Err(PoolError::AlreadyExists.into())
        );
    }
    assert_eq!(start.chain.account(&start.pool()), before);
}

#[test]
fn p1_lamports_sent_ahead_do_not_stop_a_pool_from_being_made() {
    let mut start = start();
    let pool = start.pool();
    let vault = address::vault(&PROGRAM, &pool).0;
    let bonds = address::bonds(&PROGRAM, &pool).0;
    // Less than the rent, more than the rent, and one lamport.
    for (address, lamports) in [(pool, 1_000_000), (vault, 100_000_000), (bonds, 1)] {
        let account = Account {
            lamports,
            ..Account::default()
        };
        start.chain.set(&address, account);
    }
    start.make(rules(MeasurerCount::Three)).unwrap();
    assert!(start.chain.read::<Pool>(&pool).is_some());
    assert_eq!(start.chain.lamports(&vault), 100_000_000);
    let rent = start
        .chain
        .svm
        .minimum_balance_for_rent_exemption(TokenAccount::LEN);
    assert_eq!(start.chain.lamports(&bonds), rent);
    let account = TokenAccount::unpack(&start.chain.account(&bonds).data).unwrap();
    assert_eq!(account.owner, pool);
}

#[test]
fn p3_each_wrong_account_of_initialise_pool_has_its_code() {
    let mut start = start();
    let other_mint = start.chain.new_mint();
    let stranger = start.chain.new_person().pubkey();
    let tokens = start.chain.new_tokens(&start.mint, &stranger, 5);
    let token_bytes = start.chain.account(&tokens).data;
    let other_pool = address::pool(&PROGRAM, &other_mint, &start.authority.pubkey()).0;
    start.honest().refuses(vec![
        row(
            1,
            "pool of another mint",
            Wrong::Other(other_pool),
            PoolError::WrongAddress,
        ),
        row(
            1,
            "any address",
            Wrong::Other(stranger),
            PoolError::WrongAddress,
        ),
        row(
            1,
            "pool held by another program",
            Wrong::Owner(TOKEN_PROGRAM),
            PoolError::WrongOwner,
        ),
        row(
            1,
            "pool that exists",
            Wrong::Owner(PROGRAM),
            PoolError::AlreadyExists,
        ),
        row(
            2,
            "another mint",
            Wrong::Other(other_mint),
            PoolError::WrongAddress,
        ),
        row(
            2,
            "mint that is a token account",
            Wrong::Data(token_bytes),
            PoolError::WrongMint,
        ),
        row(
            2,
            "uninitialised mint",
            Wrong::Data(vec![0; 82]),
            PoolError::WrongMint,
        ),
        row(
            2,
            "mint of another program",
            Wrong::Owner(PROGRAM),
            PoolError::WrongOwner,
        ),
        row(2, "no mint", Wrong::Absent, PoolError::WrongOwner),
        row(
            3,
            "any address as vault",
            Wrong::Other(stranger),
            PoolError::WrongAddress,
        ),
        row(
            3,
            "vault of another pool",
            Wrong::Other(address::vault(&PROGRAM, &other_pool).0),
            PoolError::WrongAddress,
        ),
        row(
            3,
            "vault that exists",
            Wrong::Owner(TOKEN_PROGRAM),
            PoolError::AlreadyExists,
        ),
        row(
            3,
            "vault held by another program",
            Wrong::Owner(PROGRAM),
            PoolError::WrongOwner,
        ),
        row(
            4,
            "any address as vault of bonds",
            Wrong::Other(stranger),
            PoolError::WrongAddress,
        ),
        row(
            4,
            "bonds of another pool",
            Wrong::Other(address::bonds(&PROGRAM, &other_pool).0),
            PoolError::WrongAddress,
        ),
        row(
            4,
            "vault of bonds that exists",
            Wrong::Owner(TOKEN_PROGRAM),
            PoolError::AlreadyExists,
        ),
        row(
            5,
            "another token program",
            Wrong::Other(token_2022()),
            PoolError::WrongProgram,
        ),
        row(
            6,
            "another system program",
            Wrong::Other(PROGRAM),
            PoolError::WrongProgram,
        ),
    ]);
}

/// The token program that is not accepted.
pub(crate) fn token_2022() -> Pubkey {
    Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
}

#[test]
fn p4_initialise_pool_refuses_missing_signatures_read_only_accounts_duplicates_and_other_numbers() {
    let honest = start().honest();
    honest.refuses_other_flags_and_duplicates();
    honest.refuses_other_numbers_of_accounts();
    assert_eq!(honest.instruction.accounts[6].pubkey, SYSTEM_PROGRAM);
}
