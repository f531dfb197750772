//! Verifies a proof and pays.
//!
//! 1. Accounts: flags, programs, pool, epoch, claim's address, vault, both token accounts.
//! 2. Window: from the epoch's end until its claim window shuts, neither frozen nor paused.
//! 3. Once: no claim with this nullifier (I1).
//! 4. Reward and fee.
//! 5. Proof: the public input is rebuilt from the epoch, the accounts and the arguments (I3, I4, I6), and the
//!    key is the one that the epoch froze.
//! 6. More valid claims than operators would mean that proofs can be forged: nothing is paid, and claims are frozen
//!    (P9).
//! 7. The claim's account. Nothing is keyed on the proof's bytes, which anybody can re-randomise (I5).
//! 8. Books.
//! 9. Tokens, vault to payee and relayer.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_groth16::{VerifyError, verify};
use veilpool_interface::{
    Claim, Epoch, PoolError, PoolEvent,
    accounts::{CLAIM, flags},
    address,
    address::seed,
    instruction::ClaimArguments,
    price, reward,
};
use veilpool_protocol::{MeasurerCount, claim::Binding};

use crate::{accounts, derive, epoch, event, key, pool, record::New, sysvar, token};

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
        key_account,
        vault,
        payee_tokens,
        relayer_tokens,
        token_program,
        system_program,
    ] = accounts::take(accounts, const { flags(&CLAIM) })?;
    accounts::check_token_program(token_program)?;
    accounts::check_system_program(system_program)?;
    let (rules, mut books) = pool::load_books(program, pool_account)?;
    let mut epoch = epoch::load(program, epoch_account, pool_account.key)?;
    if epoch.number != arguments.epoch {
        return Err(PoolError::WrongAddress.into());
    }
    let number = arguments.epoch.get().to_le_bytes();
    let claim_seeds: [&[u8]; 4] = [
        seed::CLAIM,
        pool_account.key.as_ref(),
        &number,
        arguments.nullifier.as_bytes(),
    ];
    let bump = derive::check_new(program, claim, &claim_seeds)?;
    accounts::check_address(vault, &rules.vault)?;
    token::check_holding(payee_tokens, &rules.mint, &arguments.payout)?;
    token::check_holding(relayer_tokens, &rules.mint, &address::bytes(relayer.key))?;

    // 2. Window.
    if books.frozen {
        return Err(PoolError::ClaimsFrozen.into());
    }
    let now = sysvar::now()?;
    if now < epoch.ends_at {
        return Err(PoolError::EpochNotEnded.into());
    }
    if epoch.deadline().has_passed(now, books.paused(now)) {
        return Err(PoolError::ClaimWindowShut.into());
    }
    if now < books.paused_until {
        return Err(PoolError::ClaimsPaused.into());
    }

    // 3. Once.
    if claim.owner == program {
        return Err(PoolError::AlreadyClaimed.into());
    }

    // 4. Reward and fee.
    let class = *epoch
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
    let pool = address::bytes(pool_account.key);
    let binding = Binding {
        program: address::bytes(program),
        pool,
        epoch: epoch.number,
        class: arguments.class,
        payout: arguments.payout,
        mint: rules.mint,
        relayer: address::bytes(relayer.key),
        max_fee: arguments.max_fee,
    };
    check_proof(program, key_account, &epoch, &binding, arguments)?;

    // 6. More valid claims than operators.
    if epoch.claims >= epoch.operators {
        books.frozen = true;
        books.frozen_at = now;
        pool::store_books(pool_account, &books)?;
        event::emit(&PoolEvent::Frozen {
            pool,
            epoch: epoch.number,
        });
        return Ok(());
    }

    // 7. The claim's account.
    let record = Claim {
        bump,
        pool,
        epoch: epoch.number,
        nullifier: arguments.nullifier,
        claim_until: epoch.deadline(),
        rent_payer: address::bytes(relayer.key),
    };
    New {
        accounts,
        payer: relayer,
        account: claim,
        seeds: &claim_seeds,
        bump,
        rent_for: 0,
    }
    .run(program, &record, PoolError::AlreadyClaimed)?;

    // 8. Books.
    let minus = |sum: u64| sum.checked_sub(reward).ok_or(PoolError::Arithmetic);
    epoch.claims = epoch.claims.checked_add(1).ok_or(PoolError::Arithmetic)?;
    epoch.reserved = minus(epoch.reserved)?;
    books.reserved = minus(books.reserved)?;
    books.assets = minus(books.assets)?;
    books.attested = books
        .attested
        .saturating_add(price::shown(&class.thresholds));
    epoch::store_books(epoch_account, &epoch)?;
    pool::store_books(pool_account, &books)?;
    event::emit(&PoolEvent::Claimed {
        pool,
        epoch: epoch.number,
        class: arguments.class,
        reward,
        fee: arguments.fee,
    });

    // 9. Tokens.
    pool::pay(accounts, pool_account, &rules, vault, payee_tokens, paid)?;
    pool::pay(
        accounts,
        pool_account,
        &rules,
        vault,
        relayer_tokens,
        arguments.fee,
    )
}

/// Whether the proof holds for what this program knows.
#[inline(never)]
fn check_proof(
    program: &Pubkey,
    key_account: &AccountInfo<'_>,
    epoch: &Epoch,
    binding: &Binding,
    arguments: &ClaimArguments,
) -> Result<(), PoolError> {
    let count = MeasurerCount::try_from(usize::from(epoch.measurers))
        .map_err(|_| PoolError::WrongAccountType)?;
    let input = epoch
        .public_input(arguments.nullifier, binding)
        .map_err(|_| PoolError::CouldNotVerify)?
        .ok_or(PoolError::UnknownClass)?;
    let expected = Some(&epoch.verifying_key);
    key::with_published(program, key_account, expected, count, |key, _| {
        verify(key, &input, &arguments.proof).map_err(|error| match error {
            VerifyError::ScalarNotCanonical => PoolError::ScalarNotCanonical,
            VerifyError::MalformedProof => PoolError::MalformedProof,
            VerifyError::PairingFalse => PoolError::InvalidProof,
            _ => PoolError::CouldNotVerify,
        })
    })
}
