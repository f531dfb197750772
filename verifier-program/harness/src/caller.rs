//! Another program: it carries out the instructions that it is given, one after the other, by calling their programs.
//!
//! ```text
//! data      for each call: number of accounts (u8) ‖ length (u16 LE) ‖ data
//! accounts  for each call: program ‖ accounts
//! ```

use solana_instruction::{AccountMeta, Instruction, error::InstructionError};
use solana_pubkey::Pubkey;
use solana_sbpf::program::BuiltinFunctionDefinition;

use crate::Chain;

/// Where a chain has it.
pub const CALLER: Pubkey = Pubkey::new_from_array([0x43; 32]);

/// Adds the program to a chain.
pub fn install(chain: &mut Chain) {
    chain.svm.add_builtin(CALLER, builtin::Entrypoint::register);
}

/// Its instruction that carries out `calls`.
///
/// # Panics
/// When a call has more accounts or data than fit.
#[must_use]
pub fn calling(calls: &[Instruction]) -> Instruction {
    let mut data = Vec::new();
    let mut accounts = Vec::new();
    for call in calls {
        data.push(u8::try_from(call.accounts.len()).unwrap());
        data.extend(u16::try_from(call.data.len()).unwrap().to_le_bytes());
        data.extend(&call.data);
        accounts.push(AccountMeta::new_readonly(call.program_id, false));
        accounts.extend(call.accounts.iter().cloned());
    }
    Instruction {
        program_id: CALLER,
        accounts,
        data,
    }
}

mod builtin {
    // The runtime's macro makes a public type without a word.
    #![allow(missing_docs)]

    use solana_program_runtime::declare_process_instruction;

    // A builtin must take something.
    declare_process_instruction!(Entrypoint, 1, |context| {
        let instruction = context
            .transaction_context
            .get_current_instruction_context()?;
        let metas = (0..instruction.get_number_of_instruction_accounts())
            .map(|index| {
                Ok(super::AccountMeta {
                    pubkey: *instruction.get_key_of_instruction_account(index)?,
                    is_signer: instruction.is_instruction_account_signer(index)?,
                    is_writable: instruction.is_instruction_account_writable(index)?,
                })
            })
            .collect::<Result<Vec<_>, super::InstructionError>>()?;
        let calls = super::calls(instruction.get_instruction_data(), &metas)
            .ok_or(super::InstructionError::InvalidInstructionData)?;
        for call in calls {
            context.native_invoke_signed(call, &[])?;
        }
        Ok(())
    });
}

/// What [`calling`] was given.
fn calls(mut data: &[u8], mut metas: &[AccountMeta]) -> Option<Vec<Instruction>> {
    let mut calls = Vec::new();
    while !data.is_empty() {
        let ([count, low, high], rest) = data.split_first_chunk()?;
        let len = usize::from(u16::from_le_bytes([*low, *high]));
        let (own, rest) = rest.split_at_checked(len)?;
        let (program, others) = metas.split_first()?;
        let (accounts, others) = others.split_at_checked(usize::from(*count))?;
        calls.push(Instruction {
            program_id: program.pubkey,
            accounts: accounts.to_vec(),
            data: own.to_vec(),
        });
        (data, metas) = (rest, others);
    }
    Some(calls)
}
