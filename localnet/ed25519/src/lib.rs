//! The chain's Ed25519 program for the embedded runtime, as a builtin. The runtime's own comes with OpenSSL and a
//! version of dalek of 2020, which this project doesn't want for one signature.
//!
//! ```text
//! instruction  number of signatures (u8) ‖ 0 ‖ for each: offsets and instructions of signature, key and message
//! ```
//! It verifies what the chain's does, strictly (RFC 8032, no small orders), with one difference: key, signature and
//! message must lie in the instruction itself (index `FFFF`), which is all that the pool program accepts. Source of
//! the layout: Solana's documentation, "Ed25519 Program".

use ed25519_dalek::{Signature, VerifyingKey};
use litesvm::LiteSVM;
use solana_instruction::error::InstructionError;
use solana_pubkey::Pubkey;
use solana_sbpf::program::BuiltinFunctionDefinition;

/// Where the chain has it.
pub const ADDRESS: Pubkey = Pubkey::from_str_const("Ed25519SigVerify111111111111111111111111111");

const HEAD: usize = 2;
const OFFSETS: usize = 14;
/// In the instruction itself.
const OWN: u16 = u16::MAX;

/// Adds the program to a runtime.
pub fn install(svm: &mut LiteSVM) {
    svm.add_builtin(ADDRESS, builtin::Entrypoint::register);
}

mod builtin {
    // The runtime's macro makes a public type without a word.
    #![allow(missing_docs)]

    use solana_program_runtime::declare_process_instruction;

    // A builtin must take something; the chain's own takes nothing.
    declare_process_instruction!(Entrypoint, 1, |context| {
        let instruction = context
            .transaction_context
            .get_current_instruction_context()?;
        super::verify(instruction.get_instruction_data())
    });
}

/// Verifies every signature of an instruction's data.
///
/// # Errors
/// `Custom(0)` for a key and `Custom(2)` for a signature that is none, `Custom(3)` for offsets that lead
/// elsewhere, `Custom(4)` for data of another length: the chain's own numbers.
pub fn verify(data: &[u8]) -> Result<(), InstructionError> {
    let [count, _] = *data.first_chunk::<HEAD>().ok_or(LENGTH)?;
    let offsets = data.get(HEAD..).ok_or(LENGTH)?;
    let (offsets, _) = offsets.as_chunks::<OFFSETS>();
    // One instruction without signatures says nothing, and is accepted only when it is empty.
    if (count == 0 && data.len() > HEAD) || offsets.len() < usize::from(count) {
        return Err(LENGTH);
    }
    for one in offsets.iter().take(usize::from(count)) {
        let [s, s_in, k, k_in, m, m_len, m_in] =
            std::array::from_fn(|i| u16::from_le_bytes([one[2 * i], one[2 * i + 1]]));
        if [s_in, k_in, m_in] != [OWN; 3] {
            return Err(OFFSET);
        }
        let slice = |at: u16, len: usize| {
            let at = usize::from(at);
            data.get(at..at + len).ok_or(OFFSET)
        };
        let signature = Signature::from_slice(slice(s, 64)?).map_err(|_| SIGNATURE)?;
        let key: [u8; 32] = slice(k, 32)?.try_into().map_err(|_| OFFSET)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| KEY)?;
        let message = slice(m, usize::from(m_len))?;
        key.verify_strict(message, &signature)
            .map_err(|_| SIGNATURE)?;
    }
    Ok(())
}

const KEY: InstructionError = InstructionError::Custom(0);
const SIGNATURE: InstructionError = InstructionError::Custom(2);
const OFFSET: InstructionError = InstructionError::Custom(3);
const LENGTH: InstructionError = InstructionError::Custom(4);

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn signed(message: &[u8]) -> Vec<u8> {
        let key = SigningKey::from_bytes(&[7; 32]);
        let numbers = [48, OWN, 16, OWN, 112, message.len() as u16, OWN];
        let mut data = vec![1, 0];
        data.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        data.extend_from_slice(key.verifying_key().as_bytes());
        data.extend_from_slice(&key.sign(message).to_bytes());
        data.extend_from_slice(message);
        data
    }

    #[test]
    fn a_signature_over_the_message_is_accepted_and_no_other() {
        let data = signed(b"hello");
        assert_eq!(verify(&data), Ok(()));
        for (at, expected) in [(112, SIGNATURE), (60, SIGNATURE), (4, OFFSET), (8, OFFSET)] {
            let mut other = data.clone();
            other[at] ^= 1;
            assert_eq!(verify(&other), Err(expected), "byte {at}");
        }
        assert_eq!(verify(&data[..100]), Err(OFFSET));
        assert_eq!(verify(&data[..10]), Err(LENGTH));
        assert_eq!(verify(&[]), Err(LENGTH));
        assert_eq!(verify(&[0, 0, 0]), Err(LENGTH));
    }

    #[test]
    fn any_bytes_are_answered() {
        let mut data = signed(b"hello");
        for at in 0..data.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let before = std::mem::replace(&mut data[at], value);
                let _ = verify(&data);
                data[at] = before;
            }
        }
    }
}
