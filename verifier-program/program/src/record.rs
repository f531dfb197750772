//! Records of this program: made at their derived address, and read from it.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, pubkey::Pubkey};
use veilpool_interface::{
    Channel, Operator, PoolError, Proposal, Record, Wire, Withdrawal, address::seed,
};

use crate::{accounts, derive, system::Creation};

/// What is to be made, for whom, by whom.
pub(crate) struct New<'a, 'info> {
    /// All that the instruction was passed.
    pub(crate) accounts: &'a [AccountInfo<'info>],
    /// Pays the rent.
    pub(crate) payer: &'a AccountInfo<'info>,
    /// Stands at its derived address.
    pub(crate) account: &'a AccountInfo<'info>,
    /// Of its address, without the bump.
    pub(crate) seeds: &'a [&'a [u8]],
    /// Of its address.
    pub(crate) bump: u8,
    /// Length whose rent is paid, if above that of the record.
    pub(crate) rent_for: usize,
}

impl New<'_, '_> {
    /// Makes the account and writes the record into it.
    pub(crate) fn run<T: Record + Wire>(
        &self,
        program: &Pubkey,
        record: &T,
        exists: PoolError,
    ) -> ProgramResult {
        self.create(program, accounts::size(record), exists)?;
        accounts::store(self.account, record)?;
        Ok(())
    }

    /// Makes the account alone.
    #[inline(never)]
    pub(crate) fn create(&self, program: &Pubkey, size: usize, exists: PoolError) -> ProgramResult {
        let bump = [self.bump];
        let mut seeds = self.seeds.to_vec();
        seeds.push(&bump);
        Creation {
            accounts: self.accounts,
            payer: self.payer,
            account: self.account,
            owner: program,
            size,
            rent_for: size.max(self.rent_for),
            seeds: &seeds,
        }
        .run(exists)
    }
}

/// An operator of a pool.
pub(crate) fn operator(
    program: &Pubkey,
    account: &AccountInfo<'_>,
    pool: &Pubkey,
) -> Result<Operator, PoolError> {
    let record: Operator = accounts::load(program, account)?;
    let seeds: [&[u8]; 3] = [seed::OPERATOR, pool.as_ref(), record.commitment.as_bytes()];
    derive::check(program, account, &seeds, record.bump)?;
    Ok(record)
}

/// A withdrawal from a pool.
pub(crate) fn withdrawal(
    program: &Pubkey,
    account: &AccountInfo<'_>,
    pool: &Pubkey,
) -> Result<Withdrawal, PoolError> {
    let record: Withdrawal = accounts::load(program, account)?;
    let number = record.number.to_le_bytes();
    let seeds: [&[u8]; 4] = [
        seed::WITHDRAWAL,
        pool.as_ref(),
        record.owner.as_bytes(),
        &number,
    ];
    derive::check(program, account, &seeds, record.bump)?;
    Ok(record)
}

/// A channel of a pool.
pub(crate) fn channel(
    program: &Pubkey,
    account: &AccountInfo<'_>,
    pool: &Pubkey,
) -> Result<Channel, PoolError> {
    let record: Channel = accounts::load(program, account)?;
    let seeds: [&[u8]; 4] = [
        seed::CHANNEL,
        pool.as_ref(),
        record.consumer.as_bytes(),
        record.hub.as_bytes(),
    ];
    derive::check(program, account, &seeds, record.bump)?;
    Ok(record)
}

/// A proposal to a pool.
pub(crate) fn proposal(
    program: &Pubkey,
    account: &AccountInfo<'_>,
    pool: &Pubkey,
) -> Result<Proposal, PoolError> {
    let record: Proposal = accounts::load(program, account)?;
    let number = record.number.to_le_bytes();
    let seeds: [&[u8]; 3] = [seed::PROPOSAL, pool.as_ref(), &number];
    derive::check(program, account, &seeds, record.bump)?;
    Ok(record)
}
