//! `docs/benchmarks.md` describes every field of `benchmarks.json`, and no other; its blocks and the README's are those
//! that the command fills.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use serde_json::Value;
use veilpool_benches::{
    circuits::matrices,
    peers::Depth,
    report::{Report, SCHEMA, fill},
    table,
};
use veilpool_protocol::MeasurerCount;

const DOCUMENT: &str = include_str!("../../docs/benchmarks.md");
const README: &str = include_str!("../../README.md");
const FIGURES: &str = include_str!("../../docs/benchmarks.json");

fn report() -> Report {
    serde_json::from_str(FIGURES).unwrap()
}

/// Fields of parts as the document writes them; what is named there once for all parts is a leaf.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    let is_leaf = |object: &serde_json::Map<String, Value>| {
        ["median", "cpu_us"]
            .iter()
            .any(|name| object.contains_key(*name))
    };
    match value {
        Value::Object(object) if !is_leaf(object) => {
            for (name, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                fields(value, &format!("{path}{dot}{name}"), found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for item in items {
                fields(item, &format!("{path}[]"), found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn the_document_describes_every_field_of_the_json_and_no_other() {
    let value = serde_json::to_value(report()).unwrap();
    let mut written = BTreeSet::new();
    for (part, content) in value.as_object().unwrap() {
        if part == "schema" {
            continue;
        }
        let content = content
            .as_object()
            .unwrap_or_else(|| panic!("{part} isn't measured"));
        let names: Vec<&String> = content.keys().collect();
        assert_eq!(names, ["data", "machine", "quick"], "{part}");
        for (name, prefix) in [("data", part.as_str()), ("machine", "machine")] {
            let mut found = BTreeSet::new();
            fields(&content[name], "", &mut found);
            written.extend(found.into_iter().map(|field| format!("{prefix} {field}")));
        }
    }
    let (_, table) = DOCUMENT.split_once("| part | field | what |").unwrap();
    let described: BTreeSet<String> = table
        .lines()
        .skip(2)
        .filter_map(|line| line.strip_prefix("| "))
        .flat_map(|line| {
            let mut cells = line.split(" | ");
            let part = cells.next().unwrap();
            let fields = cells.next().unwrap();
            fields
                .split(", ")
                .map(|field| format!("{part} {}", field.trim_matches('`')))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(described, written);
    assert!(DOCUMENT.contains(&format!("`schema` is {SCHEMA} ")));
}

#[test]
fn the_tables_are_those_of_the_json() {
    let report = report();
    for (block, text) in table::blocks(&report) {
        assert_eq!(fill(DOCUMENT, block, &text).unwrap(), DOCUMENT, "{block}");
    }
    let filled = fill(README, "benchmarks", &table::short(&report)).unwrap();
    assert_eq!(filled, README);
}

#[test]
fn the_counts_are_those_of_the_circuits() {
    let rows = report().circuits.unwrap().data.rows;
    for n in MeasurerCount::ALL {
        for depth in Depth::ALL {
            let matrices = matrices(n, depth).unwrap();
            let row = rows
                .iter()
                .find(|row| row.n == n.get() && row.log2_leaves == depth.log2_leaves())
                .unwrap();
            assert_eq!(
                row.constraints,
                matrices.rows(),
                "{row:?}: run `make tables`"
            );
            assert_eq!(row.witnesses, matrices.witness_columns, "{row:?}");
            assert_eq!(row.b_columns, matrices.b_columns(), "{row:?}");
            assert_eq!(row.non_zeros, matrices.non_zeros(), "{row:?}");
        }
    }
}
