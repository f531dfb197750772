//! Publishes a verifying key. Anyone may: an address holds the hash of what it holds.
//!
//! 1. Accounts: flags, program, key's address.
//! 2. Key: layout, points on their curves and in the subgroup, no identity, gamma ≠ delta ≠ generator (attacks
//!    C2, C3); a development key is refused, or announced where the build takes them.
//! 3. The key's account, made once and never changed or closed.

use solana_program::{account_info::AccountInfo, entrypoint::ProgramResult, msg, pubkey::Pubkey};
use veilpool_interface::{Key, PoolError, accounts::PUBLISH_KEY, accounts::flags, address::seed};
use veilpool_protocol::verifying_key::LEN;

use crate::{accounts, derive, key, record::New};

pub(crate) fn process(
    program: &Pubkey,
    accounts: &[AccountInfo<'_>],
    file: &[u8; LEN],
) -> ProgramResult {
    // 1. Accounts.
    let [payer, account, system_program] = accounts::take(accounts, const { flags(&PUBLISH_KEY) })?;
    accounts::check_system_program(system_program)?;
    let digest = key::digest(file);
    let seeds: [&[u8]; 2] = [seed::KEY, &digest];
    let bump = derive::check_new(program, account, &seeds)?;

    // 2. Key.
    if key::is_development(&key::accept_validated(file)?) {
        msg!("DEVELOPMENT verifying key: anybody can forge claims for it");
    }

    // 3. The key's account.
    New {
        accounts,
        payer,
        account,
        seeds: &seeds,
        bump,
        rent_for: 0,
    }
    .run(
        program,
        &Key { bump, file: *file },
        PoolError::AlreadyExists,
    )
}
