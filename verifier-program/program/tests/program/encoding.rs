//! Instruction bytes from outside: whatever they are, the answer is exact and nothing panics.

use proptest::prelude::*;
use solana_instruction::Instruction;
use veilpool_interface::{
    Change, PoolError, PoolInstruction, accounts,
    instruction::{ClaimArguments, OpenChannel},
    registry::RegistryPath,
};
use veilpool_program_harness::{
    Chain, Refusal,
    chain::PROGRAM,
    people::Person,
    pool::{parameters, rules, verifying_key},
};
use veilpool_protocol::{
    AddressBytes, ClassId, EpochId, FieldBytes, MeasurerCount, ProofBytes, RegistryNodeBytes,
    field::SCALAR_FIELD_ORDER,
};

fn answer(chain: &mut Chain, data: &[u8]) -> Refusal {
    let instruction = Instruction {
        program_id: PROGRAM,
        accounts: Vec::new(),
        data: data.to_vec(),
    };
    chain.send(&[instruction], &[]).unwrap_err()
}

/// One of each, in the order of their tags.
fn all() -> Vec<PoolInstruction> {
    let epoch = EpochId::new(0x0102_0304);
    let nullifier = Person(0).nullifier(epoch);
    let authority = AddressBytes::new([7; 32]);
    let path = RegistryPath {
        given: 5,
        nodes: vec![RegistryNodeBytes::from_field(FieldBytes::from_u128(4)); 2],
    };
    vec![
        PoolInstruction::InitialisePool(rules(MeasurerCount::Three)),
        PoolInstruction::Deposit {
            amount: 5,
            min_shares: 6,
        },
        PoolInstruction::RegisterOperator {
            commitment: Person(0).commitment(),
        },
        PoolInstruction::OpenEpoch { epoch },
        PoolInstruction::Claim(ClaimArguments {
            epoch,
            class: ClassId::new(1),
            nullifier,
            payout: AddressBytes::new([7; 32]),
            max_fee: 9,
            fee: 8,
            proof: ProofBytes::new([3; 256]),
        }),
        PoolInstruction::CloseClaim,
        PoolInstruction::CloseEpoch,
        PoolInstruction::PublishKey {
            file: verifying_key(MeasurerCount::Three),
        },
        PoolInstruction::RequestWithdrawal {
            number: 1,
            shares: 2,
        },
        PoolInstruction::Withdraw,
        PoolInstruction::ExitOperator { path: path.clone() },
        PoolInstruction::SlashOperator {
            secret: Person(0).revealed(),
            path: Some(path),
        },
        PoolInstruction::ReleaseBond,
        PoolInstruction::OpenChannel(OpenChannel {
            hub: authority,
            voucher_key: authority,
            amount: 1,
            hub_fee_bps: 2,
            expires_at: 3,
        }),
        PoolInstruction::TopUpChannel {
            amount: 1,
            expires_at: 2,
        },
        PoolInstruction::SettleChannel { sum: 1 },
        PoolInstruction::CloseChannel,
        PoolInstruction::FinishChannel,
        PoolInstruction::Propose {
            number: 1,
            change: Change::Parameters(parameters()),
        },
        PoolInstruction::CancelProposal,
        PoolInstruction::ExecuteProposal,
        PoolInstruction::PauseClaims { seconds: 1 },
        PoolInstruction::ResumeClaims,
        PoolInstruction::ProposeAuthority { authority },
        PoolInstruction::AcceptAuthority,
    ]
}

#[test]
fn every_prefix_and_every_trailing_byte_is_an_invalid_instruction() {
    let mut chain = Chain::default();
    let invalid = Refusal::Pool(PoolError::InvalidInstruction);
    assert_eq!(all().len(), accounts::ALL.len());
    for (tag, instruction) in all().into_iter().enumerate() {
        let bytes = instruction.encode();
        assert_eq!(PoolInstruction::decode(&bytes), Ok(instruction));
        assert_eq!(usize::from(bytes[0]), tag);
        for len in 0..bytes.len() {
            assert_eq!(
                answer(&mut chain, &bytes[..len]),
                invalid,
                "tag {tag}, {len} bytes"
            );
        }
        let trailing = [bytes.as_slice(), &[0]].concat();
        assert_eq!(answer(&mut chain, &trailing), invalid, "tag {tag}");
        let enough = Refusal::Pool(PoolError::NotEnoughAccounts);
        assert_eq!(answer(&mut chain, &bytes), enough, "tag {tag}");
    }
}

#[test]
fn a_tag_that_does_not_exist_and_oversized_vectors_are_invalid_instructions() {
    let mut chain = Chain::default();
    let invalid = Refusal::Pool(PoolError::InvalidInstruction);
    for tag in 25..=u8::MAX {
        assert_eq!(answer(&mut chain, &[tag; 64]), invalid, "tag {tag}");
    }
    // A vector that says it has four thousand million measurers, and one of a thousand bytes of nothing.
    for data in [
        [&[0u8][..], &u32::MAX.to_le_bytes(), &[1; 128]].concat(),
        vec![0; 1_000],
        vec![0xff; 1_000],
    ] {
        assert_eq!(answer(&mut chain, &data), invalid);
    }
}

#[test]
fn i3_a_nullifier_commitment_node_or_secret_of_the_order_or_more_is_an_invalid_instruction() {
    let mut chain = Chain::default();
    let invalid = Refusal::Pool(PoolError::InvalidInstruction);
    let mut aliased = *Person(0).commitment().as_bytes();
    let mut carry = 0u16;
    for (byte, order) in aliased.iter_mut().zip(SCALAR_FIELD_ORDER).rev() {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    for value in [aliased, SCALAR_FIELD_ORDER, [0xff; 32]] {
        let register = [&[2u8][..], &value].concat();
        assert_eq!(answer(&mut chain, &register), invalid);
        // The nullifier of a claim, a node of a path, a secret, and a node of its path.
        for (tag, at) in [(4, 6), (10, 9), (10, 41), (11, 1), (11, 42)] {
            let mut bytes = all()[tag].encode();
            bytes[at..at + 32].copy_from_slice(&value);
            assert_eq!(answer(&mut chain, &bytes), invalid, "tag {tag}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn random_bytes_are_answered_as_the_interface_decodes_them(
        tag in 0u8..27, bytes in proptest::collection::vec(any::<u8>(), 0..600), small: bool,
    ) {
        let mut data = vec![tag];
        data.extend(bytes.iter().map(|byte| if small { byte & 0x1f } else { *byte }));
        let expected = match PoolInstruction::decode(&data) {
            Ok(_) => PoolError::NotEnoughAccounts,
            Err(error) => error,
        };
        prop_assert_eq!(answer(&mut Chain::default(), &data), Refusal::Pool(expected));
    }
}
