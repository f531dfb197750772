//! SPL Token: its accounts as bytes, and the two instructions that the pool gives it. The layout and the
//! encodings are frozen with that program; the tests hold them to its published crate.

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
const MINT_INITIALISED: usize = OPTIONAL_ADDRESS + AMOUNT + 1;
/// Length of a mint.
const MINT_LEN: usize = MINT_INITIALISED + 1 + OPTIONAL_ADDRESS;

/// First byte of the token program's instruction.
const TRANSFER: u8 = 3;
/// First byte of the token program's instruction.
const INITIALISE_HOLDING: u8 = 18;

/// Whether this is an initialised mint of SPL Token.
pub(crate) fn check_mint(account: &AccountInfo<'_>) -> Result<(), PoolError> {
    if *account.owner != TOKEN_PROGRAM {
        return Err(PoolError::WrongOwner);
    }
    let data = account
        .try_borrow_data()
        .map_err(|_| PoolError::DuplicateAccount)?;
    if data.len() == MINT_LEN && data.get(MINT_INITIALISED) == Some(&1) {
        Ok(())
    } else {
        Err(PoolError::WrongMint)
    }
}

/// Whether this is a usable token account of a mint that belongs to a holder.
pub(crate) fn check_holding(
    account: &AccountInfo<'_>,
    mint: &[u8; 32],
    holder: &[u8; 32],
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
    if data.get(HOLDING_MINT) != Some(mint) {
        return Err(PoolError::WrongMint);
    }
    if data.get(HOLDING_HOLDER) != Some(holder) {
        return Err(PoolError::WrongTokenAccount);
    }
    Ok(())
}

/// Makes a token account of what has been created for it.
pub(crate) fn initialise_holding<'info>(
    account: &AccountInfo<'info>,
    mint: &AccountInfo<'info>,
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
    invoke_unchecked(&instruction, &[account.clone(), mint.clone()])
}

/// Moves tokens. `seeds` sign for the holder when it is an address of this program.
pub(crate) fn transfer<'info>(
    from: &AccountInfo<'info>,
    to: &AccountInfo<'info>,
    holder: &AccountInfo<'info>,
    amount: u64,
    seeds: &[&[&[u8]]],
) -> ProgramResult {
    let mut data = Vec::with_capacity(1 + AMOUNT);
    data.push(TRANSFER);
    data.extend_from_slice(&amount.to_le_bytes());
    let instruction = Instruction {
        program_id: TOKEN_PROGRAM,
        accounts: vec![
            AccountMeta::new(*from.key, false),
            AccountMeta::new(*to.key, false),
            AccountMeta::new_readonly(*holder.key, true),
        ],
        data,
    };
    let infos = [from.clone(), to.clone(), holder.clone()];
    invoke_signed_unchecked(&instruction, &infos, seeds)
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
        let initialise = TokenInstruction::InitializeAccount3 {
            owner: owner.into(),
        }
        .pack();
        assert_eq!(initialise, [&[INITIALISE_HOLDING], &owner[..]].concat());
        assert_eq!(TOKEN_PROGRAM.to_bytes(), spl_token_interface::ID.to_bytes());
    }
}
