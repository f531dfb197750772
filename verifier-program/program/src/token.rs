//! SPL Token: its accounts as bytes, and the two instructions that the pool gives it. The layout and the
//! encodings are frozen with that program; the tests hold them to its published crate.
//!
//! Instructions are passed all `accounts` of the present one: the runtime picks what it needs, and nothing is cloned.

use core::ops::Range;

use solana_program::{
    account_info::AccountInfo,
    entrypoint::ProgramResult,
    instruction::{AccountMeta, Instruction},
    program::{invoke_signed_unchecked, invoke_unchecked},
    pubkey::Pubkey,
};
use veilpool_interface::{PoolError, address::TOKEN_PROGRAM};
use veilpool_protocol::AddressBytes;

use crate::derive;

const ADDRESS: usize = AddressBytes::LEN;
const AMOUNT: usize = 8;
/// A flag of four bytes and an address.
const OPTIONAL_ADDRESS: usize = 4 + ADDRESS;

/// Of a token account.
const HOLDING_MINT: Range<usize> = 0..ADDRESS;
const HOLDING_HOLDER: Range<usize> = HOLDING_MINT.end..HOLDING_MINT.end + ADDRESS;
const HOLDING_STATE: usize = HOLDING_HOLDER.end + AMOUNT + OPTIONAL_ADDRESS;
/// Length of a token account.
pub(crate) const HOLDING_LEN: usize = HOLDING_STATE + 1 + (4 + AMOUNT) + AMOUNT + OPTIONAL_ADDRESS;
/// Usable: neither uninitialised (0) nor frozen (2).
const INITIALISED: u8 = 1;

/// Of a mint: authority, supply, decimals, then whether it is initialised.
const MINT_DECIMALS: usize = OPTIONAL_ADDRESS + AMOUNT;
const MINT_INITIALISED: usize = MINT_DECIMALS + 1;
/// Length of a mint.
pub(crate) const MINT_LEN: usize = MINT_INITIALISED + 1 + OPTIONAL_ADDRESS;

/// The program whose mints are refused.
const TOKEN_2022: Pubkey = Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// The program whose addresses associated accounts have.
const ASSOCIATED_TOKEN_PROGRAM: Pubkey =
    Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

// First bytes of the token program's instructions.
const TRANSFER: u8 = 3;
const MINT_TO: u8 = 7;
const BURN: u8 = 8;
const INITIALISE_HOLDING: u8 = 18;
const INITIALISE_MINT: u8 = 20;

/// Whether this is an initialised mint of SPL Token; its decimals.
pub(crate) fn check_mint(account: &AccountInfo<'_>) -> Result<u8, PoolError> {
    if *account.owner == TOKEN_2022 {
        return Err(PoolError::Token2022Unsupported);
    }
    if *account.owner != TOKEN_PROGRAM {
        return Err(PoolError::WrongOwner);
    }
    let data = account
        .try_borrow_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    if data.len() != MINT_LEN || data.get(MINT_INITIALISED) != Some(&1) {
        return Err(PoolError::WrongMint);
    }
    data.get(MINT_DECIMALS).copied().ok_or(PoolError::WrongMint)
}

/// Whether this is a usable token account of a mint that belongs to a holder.
pub(crate) fn check_holding(
    account: &AccountInfo<'_>,
    mint: &AddressBytes,
    holder: &AddressBytes,
) -> Result<(), PoolError> {
    if *account.owner != TOKEN_PROGRAM {
        return Err(PoolError::WrongOwner);
    }
    let data = account
        .try_borrow_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    if data.len() != HOLDING_LEN || data.get(HOLDING_STATE) != Some(&INITIALISED) {
        return Err(PoolError::WrongTokenAccount);
    }
    if data.get(HOLDING_MINT) != Some(mint.as_bytes()) {
        return Err(PoolError::WrongMint);
    }
    if data.get(HOLDING_HOLDER) != Some(holder.as_bytes()) {
        return Err(PoolError::WrongTokenAccount);
    }
    Ok(())
}

/// Whether this is where a holder is paid by whoever asks for it: the holder's associated account. Holders who sign
/// may name any account of theirs; others can't send a program's money to an account that it doesn't look at.
pub(crate) fn check_payout(
    account: &AccountInfo<'_>,
    mint: &AddressBytes,
    holder: &AddressBytes,
    signs: bool,
) -> Result<(), PoolError> {
    check_holding(account, mint, holder)?;
    if signs {
        return Ok(());
    }
    let seeds: [&[u8]; 3] = [holder.as_bytes(), TOKEN_PROGRAM.as_ref(), mint.as_bytes()];
    derive::check_new(&ASSOCIATED_TOKEN_PROGRAM, account, &seeds).map(|_| ())
}

/// Makes a token account of what has been created for it.
pub(crate) fn initialise_holding(
    accounts: &[AccountInfo<'_>],
    account: &AccountInfo<'_>,
    mint: &AccountInfo<'_>,
    holder: &Pubkey,
) -> ProgramResult {
    let mut data = Vec::with_capacity(1 + ADDRESS);
    data.push(INITIALISE_HOLDING);
    data.extend_from_slice(holder.as_ref());
    let instruction = Instruction {
        program_id: TOKEN_PROGRAM,
        accounts: vec![
            AccountMeta::new(*account.key, false),
            AccountMeta::new_readonly(*mint.key, false),
        ],
        data,
    };
    invoke_unchecked(&instruction, accounts)
}

/// Makes a mint of what has been created for it, without anybody who can freeze.
pub(crate) fn initialise_mint(
    accounts: &[AccountInfo<'_>],
    account: &AccountInfo<'_>,
    decimals: u8,
    authority: &Pubkey,
) -> ProgramResult {
    let mut data = Vec::with_capacity(2 + ADDRESS + 1);
    data.extend_from_slice(&[INITIALISE_MINT, decimals]);
    data.extend_from_slice(authority.as_ref());
    data.push(0);
    let instruction = Instruction {
        program_id: TOKEN_PROGRAM,
        accounts: vec![AccountMeta::new(*account.key, false)],
        data,
    };
    invoke_unchecked(&instruction, accounts)
}

/// Moves tokens. `seeds` sign for the holder when it is an address of this program.
pub(crate) fn transfer(
    accounts: &[AccountInfo<'_>],
    from: &AccountInfo<'_>,
    to: &AccountInfo<'_>,
    holder: &AccountInfo<'_>,
    amount: u64,
    seeds: &[&[&[u8]]],
) -> ProgramResult {
    by_amount(
        accounts,
        TRANSFER,
        [from.key, to.key, holder.key],
        amount,
        seeds,
    )
}

/// Makes shares, for which the pool's address signs by `seeds`.
pub(crate) fn mint_to(
    accounts: &[AccountInfo<'_>],
    mint: &AccountInfo<'_>,
    to: &AccountInfo<'_>,
    authority: &AccountInfo<'_>,
    amount: u64,
    seeds: &[&[&[u8]]],
) -> ProgramResult {
    by_amount(
        accounts,
        MINT_TO,
        [mint.key, to.key, authority.key],
        amount,
        seeds,
    )
}

/// Destroys shares, for which their holder signs.
pub(crate) fn burn(
    accounts: &[AccountInfo<'_>],
    from: &AccountInfo<'_>,
    mint: &AccountInfo<'_>,
    holder: &AccountInfo<'_>,
    amount: u64,
) -> ProgramResult {
    by_amount(
        accounts,
        BURN,
        [from.key, mint.key, holder.key],
        amount,
        &[],
    )
}

/// An instruction on two accounts that change, and who signs for it.
#[inline(never)]
fn by_amount(
    accounts: &[AccountInfo<'_>],
    instruction: u8,
    [first, second, signer]: [&Pubkey; 3],
    amount: u64,
    seeds: &[&[&[u8]]],
) -> ProgramResult {
    let mut data = Vec::with_capacity(1 + AMOUNT);
    data.push(instruction);
    data.extend_from_slice(&amount.to_le_bytes());
    let instruction = Instruction {
        program_id: TOKEN_PROGRAM,
        accounts: vec![
            AccountMeta::new(*first, false),
            AccountMeta::new(*second, false),
            AccountMeta::new_readonly(*signer, true),
        ],
        data,
    };
    invoke_signed_unchecked(&instruction, accounts, seeds)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use solana_program_pack::Pack;
    use spl_token_interface::{
        instruction::TokenInstruction,
        state::{Account, AccountState, Mint},
    };

    use super::*;

    #[test]
    fn the_layout_is_that_of_the_token_programs_crate() {
        let mint = [7; 32];
        let holder = [9; 32];
        let account = Account {
            mint: mint.into(),
            owner: holder.into(),
            state: AccountState::Initialized,
            ..Account::default()
        };
        let mut data = [0; Account::LEN];
        account.pack_into_slice(&mut data);
        assert_eq!(HOLDING_LEN, Account::LEN);
        assert_eq!(data[HOLDING_MINT], mint);
        assert_eq!(data[HOLDING_HOLDER], holder);
        assert_eq!(data[HOLDING_STATE], INITIALISED);

        let mut data = [0; Mint::LEN];
        Mint {
            is_initialized: true,
            ..Mint::default()
        }
        .pack_into_slice(&mut data);
        assert_eq!(MINT_LEN, Mint::LEN);
        assert_eq!(
            data.iter().position(|byte| *byte == 1),
            Some(MINT_INITIALISED)
        );
    }

    #[test]
    fn the_instructions_are_those_of_the_token_programs_crate() {
        let transfer = TokenInstruction::Transfer { amount: 5 }.pack();
        assert_eq!(transfer, [&[TRANSFER], &5u64.to_le_bytes()[..]].concat());
        let owner = [3; 32];
        let mint = TokenInstruction::MintTo { amount: 5 }.pack();
        assert_eq!(mint, [&[MINT_TO], &5u64.to_le_bytes()[..]].concat());
        let burn = TokenInstruction::Burn { amount: 5 }.pack();
        assert_eq!(burn, [&[BURN], &5u64.to_le_bytes()[..]].concat());
        let make = TokenInstruction::InitializeMint2 {
            decimals: 9,
            mint_authority: [3; 32].into(),
            freeze_authority: None.into(),
        }
        .pack();
        assert_eq!(make, [&[INITIALISE_MINT, 9], &[3; 32][..], &[0]].concat());
        let initialise = TokenInstruction::InitializeAccount3 {
            owner: owner.into(),
        }
        .pack();
        assert_eq!(initialise, [&[INITIALISE_HOLDING], &owner[..]].concat());
        assert_eq!(TOKEN_PROGRAM.to_bytes(), spl_token_interface::ID.to_bytes());
    }
}
