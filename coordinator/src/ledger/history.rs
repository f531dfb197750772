//! Finding a claim's nullifier: its account's address is derived from it, so that the instruction that
//! made the account is asked. What the RPC node says is checked by deriving the address again.

use solana_commitment_config::CommitmentConfig;
use solana_message::{VersionedMessage, compiled_instruction::CompiledInstruction};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_transaction_status_client_types::UiTransactionEncoding;
use veilpool_chain::{Chain, ReadError};
use veilpool_interface::{PoolInstruction, address};
use veilpool_protocol::{EpochId, NullifierBytes};

pub(super) async fn nullifier(
    chain: &Chain,
    pool: &Pubkey,
    claim: &Pubkey,
    epoch: EpochId,
) -> Result<Option<NullifierBytes>, ReadError> {
    let unreachable = |source| ReadError::Unreachable {
        url: chain.url(),
        source: Box::new(source),
    };
    let rpc = chain.rpc();
    let signatures = rpc
        .get_signatures_for_address(claim)
        .await
        .map_err(unreachable)?;
    // The oldest made it; somebody may have sent lamports there before (attack P1).
    for status in signatures
        .iter()
        .rev()
        .filter(|status| status.err.is_none())
    {
        let Ok(signature) = status.signature.parse() else {
            continue;
        };
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            max_supported_transaction_version: Some(0),
        };
        let transaction = rpc
            .get_transaction_with_config(&signature, config)
            .await
            .map_err(unreachable)?;
        let Some(transaction) = transaction.transaction.transaction.decode() else {
            continue;
        };
        if let Some(found) = find(&transaction.message, chain.program(), pool, claim, epoch) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The nullifier in a transaction's claim instruction, if the account is that claim's.
fn find(
    message: &VersionedMessage,
    program: &Pubkey,
    pool: &Pubkey,
    claim: &Pubkey,
    epoch: EpochId,
) -> Option<NullifierBytes> {
    let keys = message.static_account_keys();
    let of_program = |instruction: &&CompiledInstruction| {
        keys.get(usize::from(instruction.program_id_index)) == Some(program)
    };
    message
        .instructions()
        .iter()
        .filter(of_program)
        .filter_map(
            |instruction| match PoolInstruction::decode(&instruction.data) {
                Ok(PoolInstruction::Claim(arguments)) => Some(arguments.nullifier),
                _ => None,
            },
        )
        .find(|nullifier| address::claim(program, pool, epoch, nullifier).0 == *claim)
}

#[cfg(test)]
mod tests {
    use solana_message::Message;
    use veilpool_interface::{builder, instruction::ClaimArguments};
    use veilpool_protocol::{AddressBytes, ClassId, FieldBytes, ProofBytes};

    use super::*;

    #[test]
    fn a_nullifier_is_taken_from_the_instruction_that_made_its_account_only() {
        let (program, pool) = (
            Pubkey::new_from_array([1; 32]),
            Pubkey::new_from_array([2; 32]),
        );
        let relayer = Pubkey::new_from_array([3; 32]);
        let nullifier = NullifierBytes::from_field(FieldBytes::from_u128(9));
        let epoch = EpochId::new(4);
        let instruction = builder::claim(
            &program,
            &pool,
            &relayer,
            &Pubkey::new_from_array([4; 32]),
            &Pubkey::new_from_array([5; 32]),
            ClaimArguments {
                epoch,
                class: ClassId::new(0),
                nullifier,
                payout: AddressBytes::new([6; 32]),
                max_fee: 0,
                fee: 0,
                proof: ProofBytes::new([7; 256]),
            },
        );
        let message = VersionedMessage::Legacy(Message::new(&[instruction], Some(&relayer)));
        let claim = address::claim(&program, &pool, epoch, &nullifier).0;
        let found = find(&message, &program, &pool, &claim, epoch);
        assert_eq!(found, Some(nullifier));
        assert_eq!(find(&message, &program, &pool, &relayer, epoch), None);
        assert_eq!(find(&message, &relayer, &pool, &claim, epoch), None);
        assert_eq!(
            find(&message, &program, &pool, &claim, EpochId::new(5)),
            None
        );
    }
}
