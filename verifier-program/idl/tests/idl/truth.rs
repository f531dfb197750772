//! What the description says is what the interface crate does.

use std::collections::BTreeSet;

use proptest::prelude::*;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use veilpool_idl::{Node, node::camel};
use veilpool_interface::{PoolError, PoolEvent, PoolInstruction, accounts, state::discriminator};

use super::{
    samples::{EVENTS, INSTRUCTIONS, RECORDS, Sampler},
    walk::{Program, Value, arguments},
};

/// Decodes with the description alone, encodes again, and compares.
fn round_trip(program: &Program, node: &Node, bytes: &[u8]) -> Value {
    let value = program.decode_all(node, bytes);
    let mut again = Vec::new();
    program.encode(node, &value, &mut again);
    assert_eq!(again, bytes);
    value
}

/// Where the description says that an account is; `None` when it has to be given.
pub(crate) fn default_address(
    program: &Program,
    account: &Node,
    accounts: &[Node],
    instruction: &Instruction,
    arguments: &Value,
) -> Option<Pubkey> {
    let Node::InstructionAccountNode { default_value, .. } = account else {
        panic!("{account:?}")
    };
    match default_value.as_deref()? {
        Node::PublicKeyValueNode { public_key, .. } => Some(public_key.parse().unwrap()),
        Node::PdaValueNode { pda, seeds } => {
            let Node::PdaLinkNode { name } = &**pda else {
                panic!("{pda:?}")
            };
            let value = |seed: &str| {
                let value = seeds.iter().find_map(|given| match given {
                    Node::PdaSeedValueNode { name, value } if name == seed => Some(&**value),
                    _ => None,
                });
                match value.unwrap_or_else(|| panic!("{name}: no seed {seed}")) {
                    Node::AccountValueNode { name } => {
                        let place = accounts
                            .iter()
                            .position(|other| account_name(other) == name);
                        Value::Address(instruction.accounts[place.unwrap()].pubkey)
                    }
                    Node::ArgumentValueNode { name } => arguments.get(name).unwrap().clone(),
                    other => panic!("{other:?}"),
                }
            };
            Some(program.derive(name, value).0)
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn account_name(account: &Node) -> &str {
    match account {
        Node::InstructionAccountNode { name, .. } => name,
        other => panic!("{other:?}"),
    }
}

fn check_instruction(program: &Program, tag: u8, seed: u64) {
    let node = &program.instructions[usize::from(tag)];
    let Node::InstructionNode { accounts, .. } = node else {
        panic!("{node:?}")
    };
    let instruction = Sampler::new(seed).instruction(tag, &program.address);
    let value = round_trip(program, &arguments(node), &instruction.data);
    assert_eq!(value.get("tag"), Some(&Value::Number(tag.into())));
    assert_eq!(Sampler::decoded(&instruction).encode(), instruction.data);
    assert_eq!(accounts.len(), instruction.accounts.len());
    for (account, meta) in accounts.iter().zip(&instruction.accounts) {
        let Node::InstructionAccountNode {
            name,
            is_writable,
            is_signer,
            is_optional,
            ..
        } = account
        else {
            panic!("{account:?}")
        };
        assert_eq!(
            (*is_signer, *is_writable, *is_optional),
            (meta.is_signer, meta.is_writable, false),
            "{name}"
        );
        if let Some(address) = default_address(program, account, accounts, &instruction, &value) {
            assert_eq!(address, meta.pubkey, "{name} of instruction {tag}");
        }
    }
}

fn check_record(program: &Program, name: &str, seed: u64) {
    let (node, size) = record(program, name);
    let bytes = Sampler::new(seed).record(name);
    round_trip(program, node, &bytes);
    assert!(size.is_none_or(|size| size == bytes.len()), "{name}");
}

pub(crate) fn record<'a>(program: &'a Program, wanted: &str) -> (&'a Node, Option<usize>) {
    program
        .accounts
        .iter()
        .find_map(|account| match account {
            Node::AccountNode {
                name, data, size, ..
            } if name == wanted => Some((&**data, *size)),
            _ => None,
        })
        .unwrap()
}

pub(crate) fn event(program: &Program, tag: u8) -> (&str, &Node) {
    match &program.events[usize::from(tag)] {
        Node::EventNode { name, data, .. } => (name, data),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_instruction_decodes_and_encodes_by_its_description(seed: u64) {
        let program = Program::read();
        for tag in 0..INSTRUCTIONS {
            check_instruction(&program, tag, seed);
        }
    }

    #[test]
    fn every_account_decodes_and_encodes_by_its_description(seed: u64) {
        let program = Program::read();
        for name in RECORDS {
            check_record(&program, name, seed);
        }
    }

    #[test]
    fn every_event_decodes_and_encodes_by_its_description(seed: u64) {
        let program = Program::read();
        for tag in 0..EVENTS {
            let bytes = Sampler::new(seed).event(tag);
            let value = round_trip(&program, event(&program, tag).1, &bytes);
            assert_eq!(value.get("tag"), Some(&Value::Number(tag.into())));
        }
    }

    #[test]
    fn every_derived_address_is_the_interfaces(seed: u64) {
        let program = Program::read();
        for pda in &program.pdas {
            let Node::PdaNode { name, seeds, .. } = pda else { panic!("{pda:?}") };
            let (values, expected) = Sampler::new(seed).derived(name, &program.address);
            let variable: Vec<(&str, &Node)> = seeds.iter().filter_map(|seed| match seed {
                Node::VariablePdaSeedNode { name, r#type, .. } => Some((name.as_str(), &**r#type)),
                _ => None,
            }).collect();
            assert_eq!(variable.len(), values.len());
            let value = |wanted: &str| {
                let place = variable.iter().position(|(name, _)| *name == wanted).unwrap();
                program.decode_all(variable[place].1, &values[place])
            };
            assert_eq!(program.derive(name, value), expected, "{name}");
        }
    }
}

#[test]
fn instructions_are_those_of_the_interface_in_order_with_their_accounts() {
    let program = Program::read();
    assert_eq!(program.instructions.len(), accounts::ALL.len());
    assert_eq!(usize::from(INSTRUCTIONS), accounts::ALL.len());
    for (node, (name, specs)) in program.instructions.iter().zip(accounts::ALL) {
        let Node::InstructionNode {
            name: described,
            accounts,
            ..
        } = node
        else {
            panic!("{node:?}")
        };
        assert_eq!(*described, camel(name));
        let names: Vec<_> = accounts.iter().map(account_name).collect();
        let expected: Vec<_> = specs.iter().map(|spec| camel(spec.name)).collect();
        assert_eq!(names, expected);
    }
    // Whatever follows the last tag: there is no further instruction or event.
    for length in 0..1_500 {
        let mut bytes = vec![0; length];
        bytes.insert(0, INSTRUCTIONS);
        assert!(PoolInstruction::decode(&bytes).is_err());
        bytes[0] = EVENTS;
        assert_eq!(PoolEvent::decode(&bytes), None);
    }
    assert_eq!(program.events.len(), usize::from(EVENTS));
}

#[test]
fn accounts_are_those_of_the_interface_with_their_first_bytes() {
    let program = Program::read();
    let found: Vec<(&str, Option<u8>)> = program
        .accounts
        .iter()
        .map(|account| {
            let Node::AccountNode { name, .. } = account else {
                panic!("{account:?}")
            };
            (name.as_str(), Sampler::new(0).record(name).first().copied())
        })
        .collect();
    let expected = [
        ("pool", discriminator::POOL),
        ("epoch", discriminator::EPOCH),
        ("operator", discriminator::OPERATOR),
        ("claim", discriminator::CLAIM),
        ("key", discriminator::KEY),
        ("withdrawal", discriminator::WITHDRAWAL),
        ("channel", discriminator::CHANNEL),
        ("proposal", discriminator::PROPOSAL),
    ];
    assert_eq!(found, expected.map(|(name, byte)| (name, Some(byte))));
}

#[test]
fn the_address_is_that_of_the_commands_local_chain() {
    let command = include_str!("../../../../cli/src/cluster.rs");
    let address = Program::read().address.to_bytes();
    assert!(command.contains(&format!("b\"{}\"", address.escape_ascii())));
}

#[test]
fn refusals_are_those_of_the_interface() {
    let program = Program::read();
    assert_eq!(program.errors.len(), PoolError::ALL.len());
    for (node, error) in program.errors.iter().zip(PoolError::ALL) {
        let Node::ErrorNode {
            name,
            code,
            message,
            ..
        } = node
        else {
            panic!("{node:?}")
        };
        assert_eq!(
            (name, *code, message),
            (&camel(error.name()), error.code(), &error.to_string())
        );
    }
}

#[test]
fn names_are_unique_and_everything_has_a_doc() {
    let program = Program::read();
    let all = [
        &program.accounts,
        &program.instructions,
        &program.defined_types,
        &program.pdas,
        &program.events,
        &program.errors,
    ];
    for nodes in all {
        let mut names = BTreeSet::new();
        for node in nodes {
            let (Node::AccountNode { name, docs, .. }
            | Node::InstructionNode { name, docs, .. }
            | Node::DefinedTypeNode { name, docs, .. }
            | Node::PdaNode { name, docs, .. }
            | Node::EventNode { name, docs, .. }
            | Node::ErrorNode { name, docs, .. }) = node
            else {
                panic!("{node:?}")
            };
            assert!(names.insert(name), "{name} twice");
            assert!(docs.iter().any(|line| !line.is_empty()), "{name}");
        }
    }
}
