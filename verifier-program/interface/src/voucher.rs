//! Vouchers: what a consumer signs to a hub, off chain, and how the chain is shown one.
//!
//! ```text
//! voucher      "veilpool/voucher/v1" ‖ domain (32) ‖ channel (32) ‖ generation (u64, LE) ‖ sum (u64, LE)
//! instruction  1 ‖ 0 ‖ signature's offset ‖ FFFF ‖ key's offset ‖ FFFF ‖ message's offset ‖ length ‖ FFFF
//!              ‖ key (32) ‖ signature (64) ‖ voucher                             (numbers u16, LE)
//! ```
//! The sum is cumulative: a later voucher replaces an earlier one. Domain, channel and generation say which
//! channel is meant, on which cluster, in which pool, and which of its lives (attack P10). The signature is
//! Ed25519, verified by the chain's own program in the instruction right before; `FFFF` means that key, signature
//! and message lie in that same instruction, and no other offsets are accepted.

use solana_program::{instruction::Instruction, pubkey::Pubkey};
use veilpool_protocol::{AddressBytes, DomainBytes, attestation::fill};

/// The chain's own verifier of Ed25519 signatures.
pub const ED25519_PROGRAM: Pubkey =
    Pubkey::from_str_const("Ed25519SigVerify111111111111111111111111111");
/// Where a program sees the transaction's other instructions.
pub const INSTRUCTIONS_SYSVAR: Pubkey =
    Pubkey::from_str_const("Sysvar1nstructions1111111111111111111111111");

/// First bytes of a voucher.
pub const CONTEXT: &[u8; 19] = b"veilpool/voucher/v1";
/// Length of a voucher.
pub const VOUCHER_LEN: usize = CONTEXT.len() + 32 + 32 + 8 + 8;

const HEADER: usize = 16;
const KEY_AT: usize = HEADER;
const SIGNATURE_AT: usize = KEY_AT + 32;
const MESSAGE_AT: usize = SIGNATURE_AT + 64;
/// Length of the Ed25519 program's instruction.
pub const INSTRUCTION_LEN: usize = MESSAGE_AT + VOUCHER_LEN;

/// Says which channel, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voucher {
    /// Of the pool.
    pub domain: DomainBytes,
    /// Address of the channel.
    pub channel: AddressBytes,
    /// Of the channel.
    pub generation: u64,
    /// All that the hub may settle, earlier vouchers included.
    pub sum: u64,
}

impl Voucher {
    /// What is signed.
    #[must_use]
    pub fn message(&self) -> [u8; VOUCHER_LEN] {
        let mut out = [0u8; VOUCHER_LEN];
        fill(
            &mut out,
            &[
                CONTEXT,
                self.domain.as_bytes(),
                self.channel.as_bytes(),
                &self.generation.to_le_bytes(),
                &self.sum.to_le_bytes(),
            ],
        );
        out
    }
}

/// First bytes of the Ed25519 program's instruction: one signature, and where everything lies.
#[must_use]
pub fn header() -> [u8; HEADER] {
    const OWN: [u8; 2] = u16::MAX.to_le_bytes();
    let number = |value: usize| (value as u16).to_le_bytes();
    let mut out = [0u8; HEADER];
    fill(
        &mut out,
        &[
            &[1, 0],
            &number(SIGNATURE_AT),
            &OWN,
            &number(KEY_AT),
            &OWN,
            &number(MESSAGE_AT),
            &number(VOUCHER_LEN),
            &OWN,
        ],
    );
    out
}

/// The key and the voucher of an instruction of the Ed25519 program; `None` when it is laid out otherwise.
#[must_use]
pub fn parse(data: &[u8]) -> Option<(&[u8; 32], &[u8; VOUCHER_LEN])> {
    let data: &[u8; INSTRUCTION_LEN] = data.try_into().ok()?;
    let (head, rest) = data.split_first_chunk::<HEADER>()?;
    let (key, rest) = rest.split_first_chunk::<32>()?;
    let (_, message) = rest.split_first_chunk::<64>()?;
    (*head == header()).then_some((key, message.try_into().ok()?))
}

/// The instruction with which the chain verifies a voucher: it stands right before that which settles it.
#[must_use]
pub fn verify(key: &AddressBytes, signature: &[u8; 64], voucher: &Voucher) -> Instruction {
    let mut data = vec![0; INSTRUCTION_LEN];
    fill(
        &mut data,
        &[&header(), key.as_bytes(), signature, &voucher.message()],
    );
    Instruction {
        program_id: ED25519_PROGRAM,
        accounts: Vec::new(),
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use veilpool_protocol::FieldBytes;

    #[test]
    fn the_instruction_is_laid_out_as_the_ed25519_program_reads_it() {
        let voucher = Voucher {
            domain: DomainBytes::from_field(FieldBytes::from_u128(7)),
            channel: AddressBytes::new([8; 32]),
            generation: 9,
            sum: 10,
        };
        let key = AddressBytes::new([1; 32]);
        let data = verify(&key, &[2; 64], &voucher).data;
        let number = |at: usize| usize::from(u16::from_le_bytes([data[at], data[at + 1]]));
        assert_eq!(data[..2], [1, 0]);
        // Signature, key, message; each in this instruction.
        assert_eq!(data[number(2)..][..64], [2; 64]);
        assert_eq!(data[number(6)..][..32], [1; 32]);
        assert_eq!(data[number(10)..][..number(12)], voucher.message());
        assert_eq!([number(4), number(8), number(14)], [0xffff; 3]);
        assert_eq!(parse(&data), Some((key.as_bytes(), &voucher.message())));
        for at in 0..HEADER {
            let mut other = data.clone();
            other[at] ^= 1;
            assert_eq!(parse(&other), None, "byte {at}");
        }
        assert_eq!(parse(&data[1..]), None);
    }
}
