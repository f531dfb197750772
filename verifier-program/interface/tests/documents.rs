//! `docs/protocol.md` says of accounts and instructions what the code says: its tables are made from the account
//! table, the record types and the program's own descriptions of its steps.
//!
//! To write them: `VEILPOOL_WRITE=1 cargo test -p veilpool-interface --test documents`.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use std::{env, fmt::Write as _, fs, path::PathBuf};

use veilpool_interface::accounts::{self, AccountSpec};

const DOCUMENT: &str = "docs/protocol.md";
/// File, type, and how its encoding begins.
const RECORDS: [(&str, &str); 8] = [
    ("pool", "Pool"),
    ("epoch", "Epoch"),
    ("operator", "Operator"),
    ("claim", "Claim"),
    ("key", "Key"),
    ("withdrawal", "Withdrawal"),
    ("channel", "Channel"),
    ("proposal", "Proposal"),
];
/// Types inside of records.
const PARTS: [(&str, &str); 5] = [
    ("state/pool", "Rules"),
    ("state/pool", "Parameters"),
    ("state/pool", "Books"),
    ("state/operator", "Exit"),
    ("registry", "Registry"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Name, type and description of each field of a struct.
fn fields(source: &str, open: &str) -> Vec<(String, String, String)> {
    let (_, body) = source
        .split_once(open)
        .unwrap_or_else(|| panic!("there is no {open}"));
    let mut found = Vec::new();
    let mut doc = String::new();
    let mut depth = 0;
    for line in body.lines().map(str::trim) {
        if depth == 0 && line.starts_with('}') {
            break;
        }
        depth += line.matches('{').count();
        depth -= line.matches('}').count();
        if let Some(text) = line.strip_prefix("///") {
            doc += text;
        } else if let Some((name, kind)) = line.trim_start_matches("pub ").split_once(": ") {
            let kind = kind.trim_end_matches(',').to_owned();
            found.push((name.to_owned(), kind, doc.trim().to_owned()));
            doc.clear();
        }
    }
    found
}

/// A type as documents say it.
fn kind(text: &str) -> String {
    match text {
        "AddressBytes" | "[u8; 32]" => "32".into(),
        "[u8; LEN]" | "[u8; verifying_key::LEN]" => "616".into(),
        "ProofBytes" => "256".into(),
        "EpochId" => "u32".into(),
        "ClassId" => "u8".into(),
        "MeasurerKeyBytes" => "64".into(),
        "Class" => "9".into(),
        _ if text.ends_with("Bytes") => "field".into(),
        _ => match (text.strip_prefix("Vec<"), text.strip_prefix("Option<")) {
            (Some(inner), _) => format!("list of {}", kind(inner.trim_end_matches('>'))),
            (_, Some(inner)) => format!("option of {}", kind(inner.trim_end_matches('>'))),
            _ => text.to_owned(),
        },
    }
}

fn field_table(fields: &[(String, String, String)]) -> String {
    let mut out = String::from("| field | type | meaning |\n| --- | --- | --- |\n");
    for (name, text, doc) in fields {
        let doc = doc.replace('|', "\\|");
        let doc = doc.replace("[`", "`").replace("`]", "`");
        let doc = doc.trim_end_matches('.');
        writeln!(out, "| {name} | {} | {doc} |", kind(text)).unwrap();
    }
    out
}

fn records() -> String {
    let interface = |path: &str| read(&format!("verifier-program/interface/src/{path}.rs"));
    let discriminators = interface("state");
    let mut out = String::new();
    for (file, name) in RECORDS {
        let constant = format!("pub const {}: u8 = ", file.to_uppercase());
        let (_, rest) = discriminators.split_once(&constant).unwrap();
        let (number, _) = rest.split_once(';').unwrap();
        let source = interface(&format!("state/{file}"));
        let all = fields(&source, &format!("pub struct {name} {{"));
        writeln!(
            out,
            "**{name}**, discriminator {number}:\n\n{}",
            field_table(&all)
        )
        .unwrap();
    }
    for (file, name) in PARTS {
        let all = fields(&interface(file), &format!("pub struct {name} {{"));
        writeln!(out, "{name}:\n\n{}", field_table(&all)).unwrap();
    }
    out
}

/// `InitialisePool` to `initialise_pool`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

fn account_table(specs: &[AccountSpec]) -> String {
    let mut out = String::from("| # | flags | name | account |\n| --- | --- | --- | --- |\n");
    for (index, spec) in specs.iter().enumerate() {
        let flags = match spec.flag.text() {
            "" => String::new(),
            text => format!("`{text}`"),
        };
        writeln!(out, "| {index} | {flags} | {} | {} |", spec.name, spec.doc).unwrap();
    }
    out
}

/// What an instruction takes, from the interface.
fn arguments(source: &str, name: &str) -> Vec<(String, String, String)> {
    let open = format!("    {name} {{");
    if source.contains(&open) {
        return fields(source, &open);
    }
    let (_, rest) = source.split_once(&format!("    {name}")).unwrap();
    match rest.strip_prefix('(') {
        Some(inner) => {
            let (kind, _) = inner.split_once(')').unwrap();
            fields(source, &format!("pub struct {kind} {{"))
        }
        None => Vec::new(),
    }
}

/// Refusals that a text names, in its order. Where it calls a function of the governance module, that function's are
/// among them: what a pool's rules must be is written there, for all instructions.
fn add_refusals<'a>(
    text: &'a str,
    prefix: &str,
    checks: &[(&str, &'a str)],
    found: &mut Vec<&'a str>,
) {
    let code = |line: &&str| !line.trim_start().starts_with("//");
    for line in text.lines().filter(code) {
        for (name, body) in checks {
            let call = format!("{prefix}{name}(");
            let begins = |at: usize| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
            };
            if line.match_indices(&call).any(|(at, _)| begins(at)) {
                add_refusals(body, "", checks, found);
            }
        }
        for word in line.split("PoolError::").skip(1) {
            let end = word.find(|c: char| !c.is_alphanumeric());
            let name = &word[..end.unwrap_or(word.len())];
            if !name.is_empty() && !found.contains(&name) {
                found.push(name);
            }
        }
    }
}

fn instructions() -> String {
    let source = read("verifier-program/interface/src/instruction.rs");
    let enumeration = source.find("pub enum PoolInstruction").unwrap();
    let governance = read("verifier-program/program/src/governance.rs");
    let checks: Vec<(&str, &str)> = governance
        .split("pub(crate) fn ")
        .skip(1)
        .map(|function| function.split_once('(').unwrap())
        .collect();
    let mut out = String::new();
    for (tag, (name, specs)) in accounts::ALL.into_iter().enumerate() {
        let file = format!(
            "verifier-program/program/src/instruction/{}.rs",
            snake(name)
        );
        let program = read(&file);
        let steps: Vec<&str> = program
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        writeln!(out, "#### {tag} {name}\n\n{}\n", steps.join("\n")).unwrap();
        writeln!(out, "{}", account_table(specs)).unwrap();
        let all = if source[enumeration..].contains(&format!("    {name} {{")) {
            fields(&source[enumeration..], &format!("    {name} {{"))
        } else {
            arguments(&source, name)
        };
        if !all.is_empty() {
            let table = field_table(&all).replacen("| field |", "| argument |", 1);
            writeln!(out, "{table}").unwrap();
        }
        let mut refusals = Vec::new();
        add_refusals(&program, "governance::", &checks, &mut refusals);
        if !refusals.is_empty() {
            let named: Vec<String> = refusals.iter().map(|name| format!("`{name}`")).collect();
            writeln!(
                out,
                "Refusals besides those of accounts: {}.\n",
                named.join(", ")
            )
            .unwrap();
        }
    }
    out
}

#[test]
fn the_protocols_tables_are_those_of_the_code() {
    for (block, expected) in [("accounts", records()), ("instructions", instructions())] {
        let text = read(DOCUMENT);
        let open = format!("<!-- generated:{block} -->\n");
        let (before, rest) = text.split_once(&open).unwrap();
        let (old, after) = rest.split_once("<!-- /generated -->").unwrap();
        if env::var_os("VEILPOOL_WRITE").is_some_and(|value| value == "1") {
            let new = format!("{before}{open}{expected}<!-- /generated -->{after}");
            let beside = root().join(format!("{DOCUMENT}.new"));
            fs::write(&beside, new).unwrap();
            fs::rename(&beside, root().join(DOCUMENT)).unwrap();
        } else {
            assert!(
                old == expected,
                "the block {block} of {DOCUMENT} is out of date; write it with \
                 VEILPOOL_WRITE=1 cargo test -p veilpool-interface --test documents"
            );
        }
    }
}
