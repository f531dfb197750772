//! Builders of instructions, with the accounts each takes (`s` signs, `w` is changed).

use solana_program::{
    instruction::{AccountMeta, Instruction},
    pubkey::Pubkey,
};
use veilpool_protocol::{CommitmentBytes, EpochId, NullifierBytes, claim::Binding};

use crate::{
    address::{self, TOKEN_PROGRAM},
    instruction::{ClaimArguments, InitialisePool, PoolInstruction},
};

/// The system program.
pub const SYSTEM_PROGRAM: Pubkey = solana_system_interface::program::ID;

fn build(
    program: &Pubkey,
    accounts: Vec<AccountMeta>,
    instruction: &PoolInstruction,
) -> Instruction {
    Instruction {
        program_id: *program,
        accounts,
        data: instruction.encode(),
    }
}

const fn read(address: Pubkey) -> AccountMeta {
    AccountMeta {
        pubkey: address,
        is_signer: false,
        is_writable: false,
    }
}

const fn write(address: Pubkey) -> AccountMeta {
    AccountMeta {
        pubkey: address,
        is_signer: false,
        is_writable: true,
    }
}

const fn sign(address: Pubkey) -> AccountMeta {
    AccountMeta {
        pubkey: address,
        is_signer: true,
        is_writable: true,
    }
}

/// Makes a pool. Accounts: 0 `sw` authority, pays rent · 1 `w` pool · 2 mint · 3 `w` vault ·
/// 4 `w` vault of bonds · 5 token program · 6 system program.
#[must_use]
pub fn initialise_pool(
    program: &Pubkey,
    authority: &Pubkey,
    mint: &Pubkey,
    rules: InitialisePool,
) -> Instruction {
    let pool = address::pool(program, mint, authority).0;
    build(
        program,
        vec![
            sign(*authority),
            write(pool),
            read(*mint),
            write(address::vault(program, &pool).0),
            write(address::bonds(program, &pool).0),
            read(TOKEN_PROGRAM),
            read(SYSTEM_PROGRAM),
        ],
        &PoolInstruction::InitialisePool(rules),
    )
}

/// Gives tokens for shares. Accounts: 0 `sw` depositor · 1 `w` pool · 2 `w` position ·
/// 3 `w` depositor's token account · 4 `w` vault · 5 token program · 6 system program.
#[must_use]
pub fn deposit(
    program: &Pubkey,
    pool: &Pubkey,
    depositor: &Pubkey,
    tokens: &Pubkey,
    amount: u64,
) -> Instruction {
    build(
        program,
        vec![
            sign(*depositor),
            write(*pool),
            write(address::position(program, pool, depositor).0),
            write(*tokens),
            write(address::vault(program, pool).0),
            read(TOKEN_PROGRAM),
            read(SYSTEM_PROGRAM),
        ],
        &PoolInstruction::Deposit { amount },
    )
}

/// Bonds an operator. Accounts: 0 `sw` bonder · 1 `w` pool · 2 `w` operator · 3 `w` bonder's token
/// account · 4 `w` vault of bonds · 5 token program · 6 system program.
#[must_use]
pub fn register_operator(
    program: &Pubkey,
    pool: &Pubkey,
    bonder: &Pubkey,
    tokens: &Pubkey,
    commitment: CommitmentBytes,
) -> Instruction {
    build(
        program,
        vec![
            sign(*bonder),
            write(*pool),
            write(address::operator(program, pool, &commitment).0),
            write(*tokens),
            write(address::bonds(program, pool).0),
            read(TOKEN_PROGRAM),
            read(SYSTEM_PROGRAM),
        ],
        &PoolInstruction::RegisterOperator { commitment },
    )
}

/// Opens an epoch, from a quarter of its length before the latest one ends. Accounts: 0 `sw` payer of
/// the rent · 1 `w` pool · 2 `w` epoch · 3 system program.
#[must_use]
pub fn open_epoch(program: &Pubkey, pool: &Pubkey, payer: &Pubkey, epoch: EpochId) -> Instruction {
    build(
        program,
        vec![
            sign(*payer),
            write(*pool),
            write(address::epoch(program, pool, epoch).0),
            read(SYSTEM_PROGRAM),
        ],
        &PoolInstruction::OpenEpoch { epoch },
    )
}

/// Claims. Accounts: 0 `sw` relayer, pays fee and rent · 1 `w` pool · 2 `w` epoch · 3 `w` claim ·
/// 4 `w` vault · 5 `w` payee's token account · 6 `w` relayer's token account · 7 token program ·
/// 8 system program. The payee's account must exist: create it in the same transaction.
#[must_use]
pub fn claim(
    program: &Pubkey,
    pool: &Pubkey,
    relayer: &Pubkey,
    payee_tokens: &Pubkey,
    relayer_tokens: &Pubkey,
    arguments: ClaimArguments,
) -> Instruction {
    build(
        program,
        vec![
            sign(*relayer),
            write(*pool),
            write(address::epoch(program, pool, arguments.epoch).0),
            write(address::claim(program, pool, arguments.epoch, &arguments.nullifier).0),
            write(address::vault(program, pool).0),
            write(*payee_tokens),
            write(*relayer_tokens),
            read(TOKEN_PROGRAM),
            read(SYSTEM_PROGRAM),
        ],
        &PoolInstruction::Claim(arguments),
    )
}

/// What the proof of a claim must be bound to, as the program rebuilds it.
#[must_use]
pub fn claim_binding(
    program: &Pubkey,
    pool: &Pubkey,
    mint: &Pubkey,
    relayer: &Pubkey,
    arguments: &ClaimArguments,
) -> Binding {
    Binding {
        program: address::bytes(program),
        pool: address::bytes(pool),
        epoch: arguments.epoch,
        class: arguments.class,
        payout: arguments.payout,
        mint: address::bytes(mint),
        relayer: address::bytes(relayer),
        max_fee: arguments.max_fee,
    }
}

/// Closes a claim's account. Accounts: 0 `w` claim · 1 `w` recorded payer of its rent.
#[must_use]
pub fn close_claim(
    program: &Pubkey,
    pool: &Pubkey,
    rent_payer: &Pubkey,
    epoch: EpochId,
    nullifier: NullifierBytes,
) -> Instruction {
    build(
        program,
        vec![
            write(address::claim(program, pool, epoch, &nullifier).0),
            write(*rent_payer),
        ],
        &PoolInstruction::CloseClaim { epoch, nullifier },
    )
}

/// Closes an epoch. Accounts: 0 `w` pool · 1 `w` epoch · 2 `w` recorded payer of its rent.
#[must_use]
pub fn close_epoch(
    program: &Pubkey,
    pool: &Pubkey,
    rent_payer: &Pubkey,
    epoch: EpochId,
) -> Instruction {
    build(
        program,
        vec![
            write(*pool),
            write(address::epoch(program, pool, epoch).0),
            write(*rent_payer),
        ],
        &PoolInstruction::CloseEpoch { epoch },
    )
}
