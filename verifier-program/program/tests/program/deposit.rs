//! Deposits.

use solana_account::Account;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::state::AccountState;
use veilpool_interface::{
    Pool, PoolError, Position, Record, address, address::TOKEN_PROGRAM, builder,
};
use veilpool_program_harness::{PoolOnChain, Receipt, Refusal, chain::PROGRAM};
use veilpool_protocol::MeasurerCount;

use crate::{
    accounts::{Honest, Wrong, row},
    initialise_pool::token_2022,
};

struct Start {
    pool: PoolOnChain,
    depositor: Keypair,
    tokens: Pubkey,
}

fn start() -> Start {
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let (depositor, tokens) = pool.new_holder(1_000);
    Start {
        pool,
        depositor,
        tokens,
    }
}

impl Start {
    fn position(&self) -> Pubkey {
        address::position(&PROGRAM, &self.pool.pool, &self.depositor.pubkey()).0
    }

    fn deposit(&mut self, amount: u64) -> Result<Receipt, Refusal> {
        let key = self.depositor.pubkey();
        let deposit = builder::deposit(&PROGRAM, &self.pool.pool, &key, &self.tokens, amount);
        self.pool.chain.send(&[deposit], &[&self.depositor])
    }

    fn honest(&self) -> Honest {
        let key = self.depositor.pubkey();
        Honest {
            chain: self.pool.chain.clone(),
            instruction: builder::deposit(&PROGRAM, &self.pool.pool, &key, &self.tokens, 100),
            signers: vec![self.depositor.insecure_clone()],
        }
    }
}

#[test]
fn a_deposit_moves_tokens_and_gives_shares() {
    let mut start = start();
    start.deposit(100).unwrap();
    start.deposit(50).unwrap();
    let pool = start.pool.record();
    assert_eq!((pool.assets, pool.reserved), (150, 0));
    // 100 · 1000 / 1, then 50 · (100000 + 1000) / (100 + 1).
    assert_eq!(pool.shares, 150_000);
    let position: Position = start.pool.chain.read(&start.position()).unwrap();
    assert_eq!(position.shares, 150_000);
    assert_eq!(position.owner, address::bytes(&start.depositor.pubkey()));
    assert_eq!(position.pool, address::bytes(&start.pool.pool));
    assert_eq!(start.pool.chain.tokens(&start.pool.vault()), 150);
    assert_eq!(start.pool.chain.tokens(&start.tokens), 850);
}

#[test]
fn a_deposit_of_nothing_and_one_too_small_for_a_share_are_refused() {
    let mut start = start();
    assert_eq!(start.deposit(0), Err(PoolError::ZeroAmount.into()));
    let record = Pool {
        assets: 2_000_000,
        ..start.pool.record()
    };
    start.pool.chain.write(&start.pool.pool, &record);
    assert_eq!(start.deposit(5), Err(PoolError::ZeroAmount.into()));
}

#[test]
fn more_than_the_depositor_has_is_the_token_programs_refusal() {
    let mut start = start();
    // SPL Token's own number for insufficient funds.
    assert_eq!(start.deposit(1_001), Err(Refusal::Custom(1)));
    assert_eq!(start.pool.record().assets, 0);
}

#[test]
fn p6_a_donation_to_the_vault_moves_no_share_price() {
    let mut start = start();
    start.deposit(100).unwrap();
    let (vault, mint, pool) = (start.pool.vault(), start.pool.mint, start.pool.pool);
    let chain = &mut start.pool.chain;
    chain.set_tokens(&vault, &mint, &pool, 1_000_100, AccountState::Initialized);
    start.deposit(100).unwrap();
    let record = start.pool.record();
    assert_eq!((record.assets, record.shares), (200, 200_000));
}

#[test]
fn p1_lamports_sent_ahead_do_not_stop_a_position_from_being_made() {
    for lamports in [1, 100_000_000] {
        let mut start = start();
        let account = Account {
            lamports,
            ..Account::default()
        };
        start.pool.chain.set(&start.position(), account);
        start.deposit(100).unwrap();
        let position: Position = start.pool.chain.read(&start.position()).unwrap();
        assert_eq!(position.shares, 100_000);
    }
}

#[test]
fn p3_each_wrong_account_of_deposit_has_its_code() {
    let mut start = start();
    // So that the position exists, and can be wrong in every way.
    start.deposit(100).unwrap();
    let other_pool = PoolOnChain::on(start.pool.chain.clone(), MeasurerCount::Three);
    start.pool.chain = other_pool.chain.clone();
    let stranger = start.pool.chain.new_person().pubkey();
    let own = start.depositor.pubkey();
    let mint = start.pool.mint;
    let position = start.position();
    let chain = &mut start.pool.chain;
    let strangers_tokens = chain.new_tokens(&mint, &stranger, 500);
    let other_mints_tokens = chain.new_tokens(&other_pool.mint, &own, 500);
    let frozen = chain.new_key().pubkey();
    chain.set_tokens(&frozen, &mint, &own, 500, AccountState::Frozen);
    let position_bytes = chain.account(&position).data;
    let pool_bytes = chain.account(&start.pool.pool).data;
    let strangers_position = address::position(&PROGRAM, &start.pool.pool, &stranger).0;
    let mut forged = Position::decode(&position_bytes).unwrap();
    forged.bump = forged.bump.wrapping_sub(1);
    start.honest().refuses(vec![
        row(
            1,
            "another pool",
            Wrong::Other(other_pool.pool),
            PoolError::WrongAddress,
        ),
        row(
            1,
            "copy of the pool",
            Wrong::Elsewhere,
            PoolError::WrongAddress,
        ),
        row(
            1,
            "pool of another program",
            Wrong::Owner(TOKEN_PROGRAM),
            PoolError::WrongOwner,
        ),
        row(
            1,
            "position as pool",
            Wrong::Data(position_bytes.clone()),
            PoolError::WrongAccountType,
        ),
        row(
            1,
            "truncated pool",
            Wrong::Data(pool_bytes[..100].to_vec()),
            PoolError::WrongAccountType,
        ),
        row(
            1,
            "pool of another version",
            Wrong::Data([&[1, 2], &pool_bytes[2..]].concat()),
            PoolError::WrongAccountType,
        ),
        row(1, "no pool", Wrong::Absent, PoolError::WrongOwner),
        row(
            2,
            "somebody else's position",
            Wrong::Other(strangers_position),
            PoolError::WrongAddress,
        ),
        row(
            2,
            "any address as position",
            Wrong::Other(stranger),
            PoolError::WrongAddress,
        ),
        row(
            2,
            "copy of the position",
            Wrong::Elsewhere,
            PoolError::WrongAddress,
        ),
        row(
            2,
            "position of another program",
            Wrong::Owner(TOKEN_PROGRAM),
            PoolError::WrongOwner,
        ),
        row(
            2,
            "pool as position",
            Wrong::Data(pool_bytes),
            PoolError::WrongAccountType,
        ),
        row(
            2,
            "position with a trailing byte",
            Wrong::Data([&position_bytes[..], &[0]].concat()),
            PoolError::WrongAccountType,
        ),
        row(
            2,
            "position with another bump",
            Wrong::Data(forged.encode()),
            PoolError::WrongAddress,
        ),
        row(
            3,
            "somebody else's tokens",
            Wrong::Other(strangers_tokens),
            PoolError::WrongTokenAccount,
        ),
        row(
            3,
            "tokens of another mint",
            Wrong::Other(other_mints_tokens),
            PoolError::WrongMint,
        ),
        row(
            3,
            "frozen tokens",
            Wrong::Other(frozen),
            PoolError::WrongTokenAccount,
        ),
        row(
            3,
            "mint as tokens",
            Wrong::Other(mint),
            PoolError::WrongTokenAccount,
        ),
        row(
            3,
            "tokens of another program",
            Wrong::Owner(token_2022()),
            PoolError::WrongOwner,
        ),
        row(3, "no tokens", Wrong::Absent, PoolError::WrongOwner),
        row(
            4,
            "vault of bonds as vault",
            Wrong::Other(start.pool.bonds()),
            PoolError::WrongAddress,
        ),
        row(
            4,
            "vault of another pool",
            Wrong::Other(other_pool.vault()),
            PoolError::WrongAddress,
        ),
        row(
            4,
            "somebody's tokens as vault",
            Wrong::Other(strangers_tokens),
            PoolError::WrongAddress,
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

#[test]
fn p4_deposit_refuses_missing_signatures_read_only_accounts_duplicates_and_other_numbers() {
    let honest = start().honest();
    honest.refuses_other_flags_and_duplicates();
    honest.refuses_other_numbers_of_accounts();
}
