//! Creating and closing accounts. The system program's instructions are written by hand: four of its
//! encodings, which tests hold to its published crate, in place of that crate's serialiser.

use solana_program::{
    account_info::AccountInfo,
    entrypoint::ProgramResult,
    instruction::{AccountMeta, Instruction},
    program::{invoke_signed_unchecked, invoke_unchecked},
    pubkey::Pubkey,
};
use veilpool_interface::{PoolError, builder::SYSTEM_PROGRAM};

use crate::sysvar;

/// Numbers of the system program's instructions.
const CREATE_ACCOUNT: u32 = 0;
const ASSIGN: u32 = 1;
const TRANSFER: u32 = 2;
const ALLOCATE: u32 = 8;

#[inline(never)]
fn build(number: u32, fields: &[&[u8]], accounts: &[(&Pubkey, bool)]) -> Instruction {
    let mut data = Vec::with_capacity(4 + 8 + 8 + 32);
    data.extend_from_slice(&number.to_le_bytes());
    for field in fields {
        data.extend_from_slice(field);
    }
    Instruction {
        program_id: SYSTEM_PROGRAM,
        accounts: accounts
            .iter()
            .map(|(address, signs)| AccountMeta::new(**address, *signs))
            .collect(),
        data,
    }
}

fn create_account(
    payer: &Pubkey,
    account: &Pubkey,
    lamports: u64,
    space: u64,
    owner: &Pubkey,
) -> Instruction {
    build(
        CREATE_ACCOUNT,
        &[
            &lamports.to_le_bytes(),
            &space.to_le_bytes(),
            owner.as_ref(),
        ],
        &[(payer, true), (account, true)],
    )
}

fn transfer(from: &Pubkey, to: &Pubkey, lamports: u64) -> Instruction {
    build(
        TRANSFER,
        &[&lamports.to_le_bytes()],
        &[(from, true), (to, false)],
    )
}

fn allocate(account: &Pubkey, space: u64) -> Instruction {
    build(ALLOCATE, &[&space.to_le_bytes()], &[(account, true)])
}

fn assign(account: &Pubkey, owner: &Pubkey) -> Instruction {
    build(ASSIGN, &[owner.as_ref()], &[(account, true)])
}

/// What is to be created, for whom, by whom.
pub(crate) struct Creation<'a, 'info> {
    /// All that the instruction was passed.
    pub(crate) accounts: &'a [AccountInfo<'info>],
    /// Pays what the rent is short of.
    pub(crate) payer: &'a AccountInfo<'info>,
    /// Stands at its derived address.
    pub(crate) account: &'a AccountInfo<'info>,
    /// Who owns it then.
    pub(crate) owner: &'a Pubkey,
    /// Its length.
    pub(crate) size: usize,
    /// The length whose rent it is given.
    pub(crate) rent_for: usize,
    /// Of its address, bump last.
    pub(crate) seeds: &'a [&'a [u8]],
}

impl Creation<'_, '_> {
    /// Creates the account, also where somebody has sent lamports to its address before: those would make
    /// the system program's own `create_account` fail for ever (attack P1).
    ///
    /// # Errors
    /// `exists` when it has been created before; [`PoolError::WrongOwner`] when it is somebody else's.
    pub(crate) fn run(&self, exists: PoolError) -> ProgramResult {
        let Self {
            accounts,
            payer,
            account,
            owner,
            size,
            rent_for,
            seeds,
        } = self;
        if account.owner == *owner {
            return Err(exists.into());
        }
        if *account.owner != SYSTEM_PROGRAM || !account.data_is_empty() {
            return Err(PoolError::WrongOwner.into());
        }
        let space = u64::try_from(*size).map_err(|_| PoolError::Arithmetic)?;
        let rent = sysvar::minimum_balance(*rent_for)?;
        if account.lamports() == 0 {
            let create = create_account(payer.key, account.key, rent, space, owner);
            return invoke_signed_unchecked(&create, accounts, &[seeds]);
        }
        let shortfall = rent.saturating_sub(account.lamports());
        if shortfall > 0 {
            let top_up = transfer(payer.key, account.key, shortfall);
            invoke_unchecked(&top_up, accounts)?;
        }
        let allocate = allocate(account.key, space);
        invoke_signed_unchecked(&allocate, accounts, &[seeds])?;
        invoke_signed_unchecked(&assign(account.key, owner), accounts, &[seeds])
    }
}

/// Closes an account of this program: all lamports to the receiver, data zeroed, given back to the system
/// program. Whoever sends lamports to the address in the same transaction revives nothing (attack P2): what
/// is left holds no record.
pub(crate) fn close(account: &AccountInfo<'_>, receiver: &AccountInfo<'_>) -> ProgramResult {
    let sum = receiver
        .lamports()
        .checked_add(account.lamports())
        .ok_or(PoolError::Arithmetic)?;
    **receiver.try_borrow_mut_lamports()? = sum;
    **account.try_borrow_mut_lamports()? = 0;
    account.try_borrow_mut_data()?.fill(0);
    account.resize(0)?;
    account.assign(&SYSTEM_PROGRAM);
    Ok(())
}

#[cfg(test)]
mod tests {
    use solana_system_interface::instruction as published;

    use super::*;

    #[test]
    fn the_instructions_are_those_of_the_system_programs_crate() {
        let [payer, account, owner] = [1, 2, 3].map(|byte| Pubkey::new_from_array([byte; 32]));
        assert_eq!(
            create_account(&payer, &account, 5, 7, &owner),
            published::create_account(&payer, &account, 5, 7, &owner)
        );
        assert_eq!(
            transfer(&payer, &account, 5),
            published::transfer(&payer, &account, 5)
        );
        assert_eq!(allocate(&account, 7), published::allocate(&account, 7));
        assert_eq!(
            assign(&account, &owner),
            published::assign(&account, &owner)
        );
    }
}
