//! P3 and P4 for claims.

use solana_signer::Signer;
use spl_token_interface::state::AccountState;
use veilpool_interface::{Epoch, PoolError, Record, address, address::TOKEN_PROGRAM};
use veilpool_program_harness::{PoolOnChain, chain::PROGRAM, people::Person, pool::PreparedClaim};
use veilpool_protocol::{EpochId, MeasurerCount};

use crate::{
    accounts::{Honest, Wrong, row},
    initialise_pool::token_2022,
};

fn start() -> (PoolOnChain, PreparedClaim) {
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    let epoch = pool.run_epoch();
    let claim = pool.prepare(Person(1), epoch, 7, 1_000);
    (pool, claim)
}

fn honest(pool: &PoolOnChain, claim: &PreparedClaim) -> Honest {
    Honest {
        chain: pool.chain.clone(),
        instruction: pool.claim_instruction(claim),
        signers: vec![claim.relayer.insecure_clone()],
    }
}

#[test]
fn p3_each_wrong_account_of_claim_has_its_code() {
    let (mut pool, claim) = start();
    let epoch = claim.arguments.epoch;
    // A second pool with an epoch of the same number.
    let mut other = PoolOnChain::on(pool.chain.clone(), MeasurerCount::Three);
    other.register(Person(1)).unwrap();
    other.open_next().unwrap();
    pool.chain = other.chain.clone();
    pool.chain.set_time(pool.epoch(epoch).ends_at);
    let next = pool.open_next().unwrap();
    assert_eq!(next, EpochId::new(1));

    let (mint, payout) = (pool.mint, address::pubkey(&claim.arguments.payout));
    let relayer = claim.relayer.pubkey();
    let chain = &mut pool.chain;
    let stranger = chain.new_person().pubkey();
    let strangers_tokens = chain.new_tokens(&mint, &stranger, 0);
    let payees_other_mint = chain.new_tokens(&other.mint, &payout, 0);
    let relayers_other_mint = chain.new_tokens(&other.mint, &relayer, 0);
    let (frozen, uninitialised) = (chain.new_key().pubkey(), chain.new_key().pubkey());
    chain.set_tokens(&frozen, &mint, &payout, 0, AccountState::Frozen);
    chain.set_tokens(
        &uninitialised,
        &mint,
        &payout,
        0,
        AccountState::Uninitialized,
    );
    let relayers_frozen = chain.new_key().pubkey();
    chain.set_tokens(&relayers_frozen, &mint, &relayer, 0, AccountState::Frozen);
    let pool_bytes = chain.account(&pool.pool).data;
    let record: Epoch = pool.epoch(epoch);
    let epoch_bytes = record.encode();
    let forged = Epoch {
        bump: record.bump.wrapping_sub(1),
        ..record
    };
    let nullifier = claim.arguments.nullifier;
    let others_claim = address::claim(&PROGRAM, &other.pool, epoch, &nullifier).0;
    let next_claim = address::claim(&PROGRAM, &pool.pool, next, &nullifier).0;
    let strangers_claim =
        address::claim(&PROGRAM, &pool.pool, epoch, &Person(2).nullifier(epoch)).0;

    honest(&pool, &claim).refuses(vec![
        row(
            1,
            "another pool",
            Wrong::Other(other.pool),
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
            "epoch as pool",
            Wrong::Data(epoch_bytes.clone()),
            PoolError::WrongAccountType,
        ),
        row(
            1,
            "truncated pool",
            Wrong::Data(pool_bytes[..200].to_vec()),
            PoolError::WrongAccountType,
        ),
        row(1, "no pool", Wrong::Absent, PoolError::WrongOwner),
        row(
            2,
            "another epoch",
            Wrong::Other(pool.epoch_address(next)),
            PoolError::WrongAddress,
        ),
        row(
            2,
            "the epoch of another pool",
            Wrong::Other(other.epoch_address(epoch)),
            PoolError::WrongAddress,
        ),
        row(
            2,
            "copy of the epoch",
            Wrong::Elsewhere,
            PoolError::WrongAddress,
        ),
        row(
            2,
            "epoch of another program",
            Wrong::Owner(TOKEN_PROGRAM),
            PoolError::WrongOwner,
        ),
        row(
            2,
            "pool as epoch",
            Wrong::Data(pool_bytes),
            PoolError::WrongAccountType,
        ),
        row(
            2,
            "truncated epoch",
            Wrong::Data(epoch_bytes[..epoch_bytes.len() - 1].to_vec()),
            PoolError::WrongAccountType,
        ),
        row(
            2,
            "epoch with a trailing byte",
            Wrong::Data([&epoch_bytes[..], &[0]].concat()),
            PoolError::WrongAccountType,
        ),
        row(
            2,
            "epoch with another bump",
            Wrong::Data(forged.encode()),
            PoolError::WrongAddress,
        ),
        row(2, "no epoch", Wrong::Absent, PoolError::WrongOwner),
        row(
            3,
            "the claim of another pool",
            Wrong::Other(others_claim),
            PoolError::WrongAddress,
        ),
        row(
            3,
            "the claim of another epoch",
            Wrong::Other(next_claim),
            PoolError::WrongAddress,
        ),
        row(
            3,
            "the claim of another nullifier",
            Wrong::Other(strangers_claim),
            PoolError::WrongAddress,
        ),
        row(
            3,
            "any address as claim",
            Wrong::Other(stranger),
            PoolError::WrongAddress,
        ),
        row(
            3,
            "claim of another program",
            Wrong::Owner(TOKEN_PROGRAM),
            PoolError::WrongOwner,
        ),
        row(
            3,
            "claim that exists",
            Wrong::Owner(PROGRAM),
            PoolError::AlreadyClaimed,
        ),
        row(
            4,
            "vault of bonds as vault",
            Wrong::Other(pool.bonds()),
            PoolError::WrongAddress,
        ),
        row(
            4,
            "vault of another pool",
            Wrong::Other(other.vault()),
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
            "somebody else's tokens",
            Wrong::Other(strangers_tokens),
            PoolError::WrongTokenAccount,
        ),
        row(
            5,
            "payee's tokens of another mint",
            Wrong::Other(payees_other_mint),
            PoolError::WrongMint,
        ),
        row(
            5,
            "frozen tokens",
            Wrong::Other(frozen),
            PoolError::WrongTokenAccount,
        ),
        row(
            5,
            "uninitialised tokens",
            Wrong::Other(uninitialised),
            PoolError::WrongTokenAccount,
        ),
        row(
            5,
            "payee's tokens of another program",
            Wrong::Owner(token_2022()),
            PoolError::WrongOwner,
        ),
        row(5, "no token account", Wrong::Absent, PoolError::WrongOwner),
        row(
            6,
            "somebody else's tokens",
            Wrong::Other(strangers_tokens),
            PoolError::WrongTokenAccount,
        ),
        row(
            6,
            "relayer's tokens of another mint",
            Wrong::Other(relayers_other_mint),
            PoolError::WrongMint,
        ),
        row(
            6,
            "relayer's frozen tokens",
            Wrong::Other(relayers_frozen),
            PoolError::WrongTokenAccount,
        ),
        row(
            6,
            "relayer's tokens of another program",
            Wrong::Owner(token_2022()),
            PoolError::WrongOwner,
        ),
        row(6, "no token account", Wrong::Absent, PoolError::WrongOwner),
        row(
            7,
            "another token program",
            Wrong::Other(token_2022()),
            PoolError::WrongProgram,
        ),
        row(
            8,
            "another system program",
            Wrong::Other(PROGRAM),
            PoolError::WrongProgram,
        ),
    ]);
}

#[test]
fn p4_claim_refuses_missing_signatures_read_only_accounts_duplicates_and_other_numbers() {
    let (pool, claim) = start();
    let honest = honest(&pool, &claim);
    honest.refuses_other_flags_and_duplicates();
    honest.refuses_other_numbers_of_accounts();
}
