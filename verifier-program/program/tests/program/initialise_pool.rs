//! Making a pool.

use solana_account::Account;
use solana_keypair::Keypair;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::state::Mint;
use spl_token_interface::state::{Account as TokenAccount, AccountState};
use veilpool_interface::{
    Books, Pool, PoolError, Registry, Rules, address, builder, hashing,
    instruction::InitialisePool, state::MAX_LEN,
};
use veilpool_program_harness::{
    Chain, Receipt, Refusal,
    binary::Build,
    chain::PROGRAM,
    people,
    pool::{
        CLAIM_WINDOW_SECONDS, COOLDOWN_SECONDS, GENESIS_HASH, PRICE, TIMELOCK_SECONDS, rules,
        verifying_key_digest,
    },
};
use veilpool_protocol::{
    AddressBytes, CoordinateBytes, EpochId, FieldBytes, MeasurerCount, MeasurerKeyBytes,
};

struct Start {
    chain: Chain,
    founder: Keypair,
    mint: Pubkey,
}

fn start() -> Start {
    let mut start = start_with(Build::Development);
    for count in MeasurerCount::ALL {
        start.chain.publish_key(count);
    }
    start
}

fn start_with(build: Build) -> Start {
    let mut chain = Chain::new(build);
    let mint = chain.new_mint();
    let founder = chain.new_person();
    Start {
        chain,
        founder,
        mint,
    }
}

impl Start {
    fn pool(&self) -> Pubkey {
        address::pool(&PROGRAM, &self.mint, &self.founder.pubkey()).0
    }

    /// With the key for so many measurers, or where the set is wrong, for three.
    fn make(&mut self, rules: InitialisePool) -> Result<Receipt, Refusal> {
        let count = MeasurerCount::try_from(rules.measurers.len()).unwrap_or(MeasurerCount::Three);
        self.make_with(&verifying_key_digest(count), rules)
    }

    fn make_with(&mut self, key: &[u8; 32], rules: InitialisePool) -> Result<Receipt, Refusal> {
        let founder = self.founder.pubkey();
        let make = builder::initialise_pool(&PROGRAM, &founder, &self.mint, key, rules);
        self.chain.send(&[make], &[&self.founder])
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
        let [vault, bonds, escrow, shares] = [
            address::vault(&PROGRAM, &pool).0,
            address::bonds(&PROGRAM, &pool).0,
            address::escrow(&PROGRAM, &pool).0,
            address::shares(&PROGRAM, &pool).0,
        ];
        let domain = hashing::domain(
            &GENESIS_HASH,
            &address::bytes(&PROGRAM),
            &address::bytes(&pool),
        );
        assert_eq!(
            record,
            Pool {
                rules: Rules {
                    bump: address::pool(&PROGRAM, &start.mint, &start.founder.pubkey()).1,
                    founder: address::bytes(&start.founder.pubkey()),
                    mint: address::bytes(&start.mint),
                    vault: address::bytes(&vault),
                    bond_vault: address::bytes(&bonds),
                    escrow_vault: address::bytes(&escrow),
                    share_mint: address::bytes(&shares),
                    genesis_hash: GENESIS_HASH,
                    domain,
                    timelock_seconds: TIMELOCK_SECONDS,
                    authority: rules.authority,
                    next_authority: AddressBytes::new([0; 32]),
                    set_hash: people::measurer_set(count).hash(domain),
                    verifying_key: verifying_key_digest(count),
                    parameters: rules.parameters,
                },
                books: Books {
                    assets: 0,
                    reserved: 0,
                    shares: 0,
                    queued: 0,
                    bonded: 0,
                    escrowed: 0,
                    operators: 0,
                    next_epoch: EpochId::new(0),
                    latest_ends_at: 0,
                    last_window: 0,
                    price: PRICE,
                    settled: 0,
                    attested: 0,
                    next_channel: 0,
                    paused_until: 0,
                    paused_seconds: 0,
                    frozen: false,
                    frozen_at: 0,
                },
                measurers: rules.measurers,
                classes: rules.classes,
                registry: Registry::empty().unwrap(),
            }
        );
        for address in [vault, bonds, escrow] {
            let account = TokenAccount::unpack(&start.chain.account(&address).data).unwrap();
            assert_eq!((account.mint, account.owner), (start.mint, pool));
            assert_eq!(account.state, AccountState::Initialized);
            assert_eq!(account.amount, 0);
        }
        let mint = Mint::unpack(&start.chain.account(&shares).data).unwrap();
        // There are a thousand times as many shares.
        assert_eq!((mint.supply, mint.decimals), (0, 9));
        assert_eq!(mint.mint_authority, Some(pool).into());
        assert_eq!(mint.freeze_authority, None.into());
        let rent = start.chain.svm.minimum_balance_for_rent_exemption(MAX_LEN);
        assert_eq!(
            start.chain.lamports(&pool),
            rent,
            "whatever governance changes, the rent suffices"
        );
    }
}

#[test]
fn c3_the_release_build_makes_no_pool_with_a_development_key() {
    for count in MeasurerCount::ALL {
        let mut release = start_with(Build::Release);
        // Not even where one has been published, by whatever means.
        let address = address::key(&PROGRAM, &verifying_key_digest(count)).0;
        let mut development = start();
        development.chain.publish_key(count);
        release
            .chain
            .set(&address, development.chain.account(&address));
        assert_eq!(
            release.make(rules(count)),
            Err(PoolError::DevelopmentKey.into())
        );
        assert_eq!(release.chain.read::<Pool>(&release.pool()), None);
    }
}

#[test]
fn a_key_for_another_number_of_measurers_is_refused() {
    for (measurers, key) in [
        (MeasurerCount::Three, MeasurerCount::Five),
        (MeasurerCount::Seven, MeasurerCount::Three),
    ] {
        let mut start = start();
        start.chain.publish_key(key);
        assert_eq!(
            start.make_with(&verifying_key_digest(key), rules(measurers)),
            Err(PoolError::InvalidVerifyingKey.into())
        );
    }
}

#[test]
fn a_key_that_was_not_published_is_refused() {
    let mut start = start();
    assert_eq!(
        start.make_with(&[9; 32], rules(MeasurerCount::Three)),
        Err(PoolError::WrongOwner.into())
    );
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
    let parameters: [Change; 27] = [
        |rules| rules.parameters.bond_amount = 0,
        |rules| rules.parameters.epoch_seconds = 0,
        |rules| rules.parameters.claim_window_seconds = 0,
        |rules| rules.parameters.challenge_seconds = 0,
        // A withdrawal waits longer than a claim window, and a change as long as a withdrawal.
        |rules| rules.parameters.cooldown_seconds = 0,
        |rules| rules.parameters.cooldown_seconds = CLAIM_WINDOW_SECONDS,
        |rules| rules.parameters.cooldown_seconds = TIMELOCK_SECONDS + 1,
        |rules| rules.timelock_seconds = COOLDOWN_SECONDS - 1,
        |rules| rules.timelock_seconds = 0,
        // A change waits for two epochs.
        |rules| rules.parameters.epoch_seconds = TIMELOCK_SECONDS / 2 + 1,
        |rules| rules.parameters.epoch_seconds = u32::MAX,
        // And for longer than the last window that was open.
        |rules| rules.parameters.epoch_seconds = 1_441,
        |rules| rules.parameters.outflow_bps = 0,
        |rules| rules.parameters.outflow_bps = 10_001,
        |rules| rules.parameters.hub_fee_cap_bps = 10_001,
        // Who shows a secret never gets all of the bond: operators would slash themselves to leave at once.
        |rules| rules.parameters.slash_reward_bps = 10_000,
        |rules| rules.parameters.slash_reward_bps = u16::MAX,
        |rules| rules.parameters.target_utilisation_bps = 0,
        |rules| rules.parameters.target_utilisation_bps = 10_000,
        |rules| rules.parameters.min_price = 0,
        // An eighth of it would be nothing.
        |rules| rules.parameters.min_price = 7,
        |rules| rules.parameters.min_price = rules.parameters.max_price + 1,
        |rules| rules.parameters.max_price = rules.parameters.min_price - 1,
        |rules| rules.price = rules.parameters.min_price - 1,
        |rules| rules.price = rules.parameters.max_price + 1,
        |rules| rules.price = 0,
        |rules| rules.price = u64::MAX,
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
fn parameters_at_the_edge_of_their_range_are_taken() {
    type Change = fn(&mut InitialisePool);
    let edges: [Change; 12] = [
        |rules| rules.parameters.cooldown_seconds = CLAIM_WINDOW_SECONDS + 1,
        |rules| rules.parameters.cooldown_seconds = TIMELOCK_SECONDS,
        |rules| rules.parameters.epoch_seconds = 1_440,
        |rules| {
            rules.parameters.claim_window_seconds = 1;
            rules.parameters.epoch_seconds = TIMELOCK_SECONDS / 2;
        },
        |rules| rules.parameters.min_price = 8,
        |rules| rules.parameters.outflow_bps = 10_000,
        |rules| rules.parameters.hub_fee_cap_bps = 10_000,
        |rules| rules.parameters.slash_reward_bps = 9_999,
        |rules| rules.parameters.slash_reward_bps = 0,
        |rules| rules.parameters.target_utilisation_bps = 9_999,
        |rules| rules.price = rules.parameters.max_price,
        |rules| rules.timelock_seconds = u32::MAX,
    ];
    for change in edges {
        let mut rules = rules(MeasurerCount::Three);
        change(&mut rules);
        start().make(rules).unwrap();
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
    let shares = address::shares(&PROGRAM, &pool).0;
    // Less than the rent, more than the rent, and one lamport.
    for (address, lamports) in [
        (pool, 1_000_000),
        (vault, 100_000_000),
        (bonds, 1),
        (shares, 2),
    ] {
        let account = Account {
            lamports,
            ..Account::default()
        };
        start.chain.set(&address, account);
    }
    start.make(rules(MeasurerCount::Three)).unwrap();
    assert!(start.chain.read::<Pool>(&pool).is_some());
    let mint = Mint::unpack(&start.chain.account(&shares).data).unwrap();
    assert_eq!(mint.mint_authority, Some(pool).into());
    assert_eq!(start.chain.lamports(&vault), 100_000_000);
    let rent = start
        .chain
        .svm
        .minimum_balance_for_rent_exemption(TokenAccount::LEN);
    assert_eq!(start.chain.lamports(&bonds), rent);
    let account = TokenAccount::unpack(&start.chain.account(&bonds).data).unwrap();
    assert_eq!(account.owner, pool);
}
