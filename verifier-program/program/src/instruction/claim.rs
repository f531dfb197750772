//! Verifies a proof and pays.
//!
//! | # | flags | account |
//! | --- | --- | --- |
//! | 0 | `sw` | relayer: pays the transaction's fee and the claim's rent |
//! | 1 | `w` | pool |
//! | 2 | `w` | epoch |
//! | 3 | `w` | claim, to be created: the nullifier |
//! | 4 | `w` | vault |
//! | 5 | `w` | payee's token account |
//! | 6 | `w` | relayer's token account |
//! | 7 | | token program |
//! | 8 | | system program |
//!
//! 1. Accounts: flags, programs, pool, epoch, claim's address, vault, both token accounts.
//! 2. Window: from the epoch's end until its claim window shuts.
//! 3. Once: no claim with this nullifier (I1), no more claims than leaves (P9).
//! 4. Reward and fee.
//! 5. Proof: the public input is rebuilt from the epoch, the accounts and the arguments (I3, I4, I6), and the
//!    key is the one that the epoch froze.
//! 6. The claim's account. Nothing is keyed on the proof's bytes, which anybody can re-randomise (I5).
//! 7. Books.
//! 8. Tokens, vault to payee and relayer.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_groth16::{VerifyError, verify};
use veilpool_interface::{
    Claim, Epoch, PoolError, Record, address, address::seed, instruction::ClaimArguments, reward,
};
use veilpool_protocol::{MeasurerCount, claim::Binding};

use crate::{
    accounts::{self, Flag},
    derive, epoch, key, pool,
    system::Creation,
    sysvar, token,
};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    arguments: &ClaimArguments,
) -> ProgramResult {
    // 1. Accounts.
    let [
        relayer,
        pool_account,
        epoch_account,
        claim,
        vault,
        payee_tokens,
        relayer_tokens,
        token_program,
        system_program,
    ] = accounts::take(
        accounts,
        [
            Flag::Sign,
            Flag::Write,
            Flag::Write,
            Flag::Write,
            Flag::Write,
            Flag::Write,
            Flag::Write,
            Flag::Read,
            Flag::Read,
        ],
    )?;
    accounts::check_token_program(token_program)?;
    accounts::check_system_program(system_program)?;
    let (rules, mut books) = pool::load_books(program, pool_account)?;
    let number = arguments.epoch.get().to_le_bytes();
    let pool_seed = pool_account.key.as_ref();
    let mut epoch = epoch::load(program, epoch_account, pool_account.key, arguments.epoch)?;
    let nullifier = arguments.nullifier.as_bytes();
    let claim_seeds = [seed::CLAIM, pool_seed, &number, nullifier];
    let bump = derive::check_new(program, claim, &claim_seeds)?;
    accounts::check_address(vault, rules.vault.as_bytes())?;
    let mint = rules.mint.as_bytes();
    token::check_holding(payee_tokens, mint, arguments.payout.as_bytes())?;
    token::check_holding(relayer_tokens, mint, relayer.key.as_array())?;

    // 2. Window.
    let now = sysvar::now()?;
    if now < epoch.ends_at {
        return Err(PoolError::EpochNotEnded.into());
    }
    if now >= epoch.claim_until {
        return Err(PoolError::ClaimWindowShut.into());
    }

    // 3. Once.
    if claim.owner == program {
        return Err(PoolError::AlreadyClaimed.into());
    }
    if epoch.claims >= epoch.leaf_count {
        return Err(PoolError::ClaimsExceedLeaves.into());
    }

    // 4. Reward and fee.
    let class = epoch
        .class(arguments.class)
        .ok_or(PoolError::UnknownClass)?;
    let reward = reward::reward(class.weight, epoch.rate).ok_or(PoolError::Arithmetic)?;
    if arguments.fee > arguments.max_fee {
        return Err(PoolError::FeeTooHigh.into());
    }
    let paid = reward
        .checked_sub(arguments.fee)
        .ok_or(PoolError::FeeTooHigh)?;

    // 5. Proof.
    let binding = Binding {
        program: address::bytes(program),
        pool: address::bytes(pool_account.key),
        epoch: epoch.number,
        class: arguments.class,
        payout: arguments.payout,
        mint: rules.mint,
        relayer: address::bytes(relayer.key),
        max_fee: arguments.max_fee,
    };
    check_proof(&epoch, &binding, arguments)?;

    // 6. The claim's account.
    let record = Claim {
        bump,
        pool: address::bytes(pool_account.key),
        epoch: epoch.number,
        claim_until: epoch.claim_until,
        rent_payer: address::bytes(relayer.key),
    };
    let [prefix, first, second, third] = claim_seeds;
    Creation {
        payer: relayer,
        account: claim,
        owner: program,
        size: record.encode().len(),
        seeds: &[prefix, first, second, third, &[bump]],
    }
    .run(PoolError::AlreadyClaimed)?;
    accounts::store(claim, &record)?;

    // 7. Books.
    let minus = |sum: u64| sum.checked_sub(reward).ok_or(PoolError::Arithmetic);
    epoch.claims = epoch.claims.checked_add(1).ok_or(PoolError::Arithmetic)?;
    epoch.reserved = minus(epoch.reserved)?;
    books.reserved = minus(books.reserved)?;
    books.assets = minus(books.assets)?;
    epoch::store_books(epoch_account, &epoch)?;
    pool::store_books(pool_account, &books)?;

    // 8. Tokens.
    let bump = [rules.bump];
    let seeds: [&[u8]; 4] = [
        seed::POOL,
        rules.mint.as_bytes(),
        rules.authority.as_bytes(),
        &bump,
    ];
    for (tokens, amount) in [(payee_tokens, paid), (relayer_tokens, arguments.fee)] {
        if amount > 0 {
            token::transfer(vault, tokens, pool_account, amount, &[&seeds])?;
        }
    }
    Ok(())
}

/// Whether the proof holds for what this program knows.
#[inline(never)]
fn check_proof(
    epoch: &Epoch,
    binding: &Binding,
    arguments: &ClaimArguments,
) -> Result<(), PoolError> {
    let count = MeasurerCount::try_from(usize::from(epoch.measurers))
        .map_err(|_| PoolError::WrongAccountType)?;
    let file = key::embedded(count);
    if key::digest(file) != epoch.verifying_key {
        return Err(PoolError::VerifyingKeyChanged);
    }
    let key = key::accept(file, count)?;
    let input = epoch
        .public_input(arguments.nullifier, binding)
        .map_err(|_| PoolError::CouldNotVerify)?
        .ok_or(PoolError::UnknownClass)?;
    verify(&key, &input, &arguments.proof).map_err(|error| match error {
        VerifyError::ScalarNotCanonical => PoolError::ScalarNotCanonical,
        VerifyError::MalformedProof => PoolError::MalformedProof,
        VerifyError::PairingFalse => PoolError::InvalidProof,
        _ => PoolError::CouldNotVerify,
    })
}
