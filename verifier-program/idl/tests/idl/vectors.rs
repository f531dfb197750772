//! Vectors for clients in other languages: bytes as the interface crate makes them, and what they mean.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use veilpool_idl::Node;

use super::{
    committed::compare,
    samples::{EVENTS, INSTRUCTIONS, RECORDS, Sampler},
    truth::{account_name, default_address, event, record},
    walk::{Program, arguments},
};

/// Samples of each kind.
const SEEDS: u64 = 4;

fn instruction(program: &Program, tag: u8, seed: u64) -> Json {
    let node = &program.instructions[usize::from(tag)];
    let Node::InstructionNode { name, accounts, .. } = node else {
        panic!("{node:?}")
    };
    let instruction = Sampler::new(seed).instruction(tag, &program.address);
    let node = arguments(node);
    let value = program.decode_all(&node, &instruction.data);
    let mut given = BTreeMap::new();
    let mut metas = Vec::new();
    for (account, meta) in accounts.iter().zip(&instruction.accounts) {
        if default_address(program, account, accounts, &instruction, &value).is_none() {
            given.insert(account_name(account), meta.pubkey.to_string());
        }
        metas.push(json!({
            "name": account_name(account),
            "address": meta.pubkey.to_string(),
            "signer": meta.is_signer,
            "writable": meta.is_writable,
        }));
    }
    json!({
        "name": name,
        "given": given,
        "accounts": metas,
        "data": hex::encode(&instruction.data),
        "value": value.json(program, &node),
    })
}

#[test]
fn the_committed_vectors_are_what_the_interface_encodes() {
    let program = Program::read();
    let seeds = 0..SEEDS;
    let mut instructions = Vec::new();
    for tag in 0..INSTRUCTIONS {
        instructions.extend(seeds.clone().map(|seed| instruction(&program, tag, seed)));
    }
    let mut accounts = Vec::new();
    for name in RECORDS {
        let (node, _) = record(&program, name);
        accounts.extend(seeds.clone().map(|seed| {
            let bytes = Sampler::new(seed).record(name);
            let value = program.decode_all(node, &bytes);
            json!({ "name": name, "data": hex::encode(&bytes), "value": value.json(&program, node) })
        }));
    }
    let mut events = Vec::new();
    for tag in 0..EVENTS {
        let (name, node) = event(&program, tag);
        let bytes = Sampler::new(0).event(tag);
        let value = program.decode_all(node, &bytes);
        events.push(json!({
            "name": name,
            "data": hex::encode(&bytes),
            "value": value.json(&program, node),
        }));
    }
    let errors: BTreeMap<&str, u32> = program
        .errors
        .iter()
        .map(|error| match error {
            Node::ErrorNode { name, code, .. } => (name.as_str(), *code),
            other => panic!("{other:?}"),
        })
        .collect();
    // Through text of its own order: whether objects keep theirs depends on who else is compiled.
    let mut text = String::from("{\n");
    text += &format!("\"program\": \"{}\",\n", program.address);
    for (name, list) in [
        ("instructions", &instructions),
        ("accounts", &accounts),
        ("events", &events),
    ] {
        let lines: Vec<String> = list.iter().map(sorted).collect();
        text += &format!("\"{name}\": [\n{}\n],\n", lines.join(",\n"));
    }
    text += &format!("\"errors\": {}\n}}\n", sorted(&json!(errors)));
    compare("../../clients/ts/test/vectors.json", &text);
}

/// JSON with keys in order.
fn sorted(value: &Json) -> String {
    match value {
        Json::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().collect();
            let fields: Vec<String> = fields
                .into_iter()
                .map(|(name, value)| format!("{}:{}", json!(name), sorted(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(sorted).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}
