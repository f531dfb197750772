//! Rules of the whole workspace that no compiler checks: dependency directions, a test for every
//! attack, no skipped test, documents that say what the code says, and no path of anybody's machine.
//!
//! Blocks of documents between `<!-- generated:NAME -->` and `<!-- /generated -->` are compared with
//! the code here. To write them: `VEILPOOL_WRITE=1 cargo test -p veilpool-protocol --test workspace`.

#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

/// Which crates of ours each crate may use, apart from its tests. `docs/design.md` shows this list.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("sensitive", &[]),
    ("keyfile", &[]),
    ("policy", &[]),
    ("ed25519-program", &[]),
    ("localnet", &["ed25519-program"]),
    ("sbf-builtins", &[]),
    ("primitives", &["protocol"]),
    ("tunnel", &["protocol"]),
    ("dataplane", &["tunnel", "policy", "protocol"]),
    ("reach", &["sensitive"]),
    ("interface", &["protocol"]),
    ("groth16", &["protocol"]),
    ("idl", &["interface", "protocol"]),
    ("chain", &["interface", "protocol"]),
    ("arithmetic", &[]),
    ("circuits", &["primitives", "protocol"]),
    ("params", &["circuits", "protocol"]),
    ("iden3", &["params", "circuits"]),
    ("halo2", &["primitives", "protocol"]),
    (
        "prover",
        &[
            "iden3",
            "params",
            "circuits",
            "arithmetic",
            "primitives",
            "protocol",
        ],
    ),
    (
        "program",
        &["interface", "groth16", "protocol", "sbf-builtins"],
    ),
    (
        "program-harness",
        &[
            "params",
            "prover",
            "interface",
            "ed25519-program",
            "primitives",
            "protocol",
        ],
    ),
    (
        "node",
        &[
            "prover",
            "interface",
            "chain",
            "keyfile",
            "dataplane",
            "tunnel",
            "policy",
            "primitives",
            "protocol",
            "sensitive",
        ],
    ),
    (
        "coordinator",
        &[
            "interface",
            "groth16",
            "chain",
            "keyfile",
            "tunnel",
            "primitives",
            "protocol",
        ],
    ),
    ("benches", EVERYTHING),
    (
        "dataplane-bench",
        &["dataplane", "tunnel", "policy", "protocol"],
    ),
    // And `benches`, whose command it carries.
    ("cli", EVERYTHING),
    (
        "fuzz-targets",
        &[
            "prover",
            "iden3",
            "params",
            "circuits",
            "policy",
            "primitives",
            "protocol",
        ],
    ),
];
/// All libraries: everything but the on-chain program, which nobody may use, and what only it or its
/// tests need.
const EVERYTHING: &[&str] = &[
    "protocol",
    "sensitive",
    "keyfile",
    "policy",
    "localnet",
    "primitives",
    "tunnel",
    "dataplane",
    "reach",
    "interface",
    "groth16",
    "chain",
    "arithmetic",
    "circuits",
    "params",
    "iden3",
    "halo2",
    "prover",
    "node",
    "coordinator",
];
/// What the on-chain program is compiled from.
const ON_CHAIN: [&str; 5] = [
    "protocol",
    "interface",
    "groth16",
    "sbf-builtins",
    "program",
];
/// Attacks that have to be tested.
const TESTED_ATTACKS: &[&str] = &[
    "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "C1", "C2", "C3", "C4", "C5", "C6", "C7",
    "C8", "C9", "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11", "P12", "P13",
    "M1", "M2", "M3", "L2", "L7", "N1", "N2", "N3", "N4", "N5", "N6",
];

#[test]
fn dependencies_between_crates_point_down() {
    let mut found = BTreeMap::new();
    for (name, manifest) in members() {
        let mut ours = BTreeSet::new();
        for dependency in dependencies(&manifest, false) {
            if let Some(crate_) = dependency.strip_prefix("veilpool-") {
                ours.insert(crate_.to_owned());
            }
            assert!(
                !(ON_CHAIN.contains(&name.as_str()) && dependency.starts_with("ark-")),
                "{name} is compiled into the on-chain program and must not depend on {dependency}"
            );
        }
        found.insert(name, ours);
    }
    for (name, used) in &found {
        let (_, allowed) = DIRECTIONS
            .iter()
            .find(|(crate_, _)| crate_ == name)
            .unwrap_or_else(|| panic!("{name} is a new crate: say in DIRECTIONS what it may use"));
        for crate_ in used {
            assert!(
                allowed.contains(&crate_.as_str()) || (name == "cli" && crate_ == "benches"),
                "{name} must not depend on {crate_} (docs/design.md, dependencies)"
            );
        }
    }
    assert_eq!(found.len(), DIRECTIONS.len(), "a crate is gone: {found:?}");
}

#[test]
fn nobody_depends_on_the_program_not_even_a_test() {
    for (name, manifest) in members() {
        assert!(
            !dependencies(&manifest, true).contains("veilpool-program"),
            "{name} depends on the on-chain program; use its interface, or the compiled file"
        );
    }
}

#[test]
fn the_list_of_directions_has_no_cycle() {
    for (at, (name, used)) in DIRECTIONS.iter().enumerate() {
        for crate_ in *used {
            let place = DIRECTIONS.iter().position(|(other, _)| other == crate_);
            assert!(place.unwrap() < at, "{crate_} must stand before {name}");
        }
    }
}

#[test]
fn every_attack_that_has_to_be_tested_has_a_test_of_its_name() {
    let tests = attack_tests();
    let missing: Vec<_> = TESTED_ATTACKS
        .iter()
        .filter(|row| !tests.contains_key(&sort_key(row)))
        .collect();
    assert!(
        missing.is_empty(),
        "no test begins with the id of these attacks: {missing:?}"
    );
}

#[test]
fn every_test_of_an_attack_names_a_row_of_the_threat_model() {
    let model = read("docs/threat-model.md");
    for (letter, number) in attack_tests().keys() {
        assert!(
            model.contains(&format!("| {letter}{number} |")),
            "a test is named after the attack {letter}{number}, which docs/threat-model.md doesn't list"
        );
    }
}

#[test]
fn no_test_is_skipped() {
    // In two parts, so that this file doesn't contain them.
    let forbidden = [
        concat!("#[ig", "nore"),
        concat!(", ig", "nore)]"),
        concat!("println!(\"sk", "ip"),
    ];
    for (path, text) in rust_files() {
        for word in forbidden {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
    for (name, manifest) in members() {
        for test in manifest
            .get("test")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
        {
            assert!(
                test.get("required-features").is_none() && test.get("test").is_none(),
                "a test of {name} would not run by default: {test}"
            );
        }
        let package = manifest["package"].as_table().unwrap();
        assert!(!package.contains_key("autotests"), "{name} hides tests");
    }
}

#[test]
fn documents_say_what_the_code_says() {
    for (document, block, expected) in [
        ("docs/protocol.md", "error-codes", error_codes()),
        ("docs/threat-model.md", "attack-tests", attack_table()),
        ("docs/design.md", "dependencies", directions()),
        ("docs/cu-budget.md", "compute-units", compute_units()),
        ("docs/cu-budget.md", "program-size", program_sizes()),
    ] {
        let text = read(document);
        let open = format!("<!-- generated:{block} -->\n");
        let parts = text.split_once(&open).and_then(|(before, rest)| {
            let (old, after) = rest.split_once("<!-- /generated -->")?;
            Some((before, old, after))
        });
        let (before, old, after) =
            parts.unwrap_or_else(|| panic!("{document} has no generated block {block}"));
        if env::var_os("VEILPOOL_WRITE").is_some_and(|value| value == "1") {
            // Whole or not at all: other tests read it at this moment.
            let new = format!("{before}{open}{expected}<!-- /generated -->{after}");
            let beside = root().join(format!("{document}.new"));
            fs::write(&beside, new).unwrap();
            fs::rename(&beside, root().join(document)).unwrap();
        } else {
            assert!(
                old == expected,
                "the block {block} of {document} is out of date; write it with \
                 VEILPOOL_WRITE=1 cargo test -p veilpool-protocol --test workspace"
            );
        }
    }
}

#[test]
fn no_file_names_a_path_of_somebodys_machine() {
    let mut needles = vec![
        concat!("/ho", "me/").to_owned(),
        concat!("/ro", "ot/").to_owned(),
        concat!("/Us", "ers/").to_owned(),
    ];
    needles.push(format!("{}/", root().canonicalize().unwrap().display()));
    for path in files() {
        let bytes = fs::read(&path).unwrap_or_default();
        for needle in &needles {
            let named = bytes
                .windows(needle.len())
                .enumerate()
                .any(|(at, window)| window == needle.as_bytes() && begins_a_path(&bytes, at));
            assert!(!named, "{} names a path below {needle}", path.display());
        }
    }
}

// Not the middle of a relative path or of a URL.
fn begins_a_path(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| bytes.get(at));
    before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"._-}>*~".contains(byte))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Manifests by the crate's name without its prefix.
fn members() -> Vec<(String, toml::Table)> {
    let workspace: toml::Table = read("Cargo.toml").parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    members
        .iter()
        .map(|member| member.as_str().unwrap())
        .map(|member| {
            let path = format!("{member}/Cargo.toml");
            let manifest: toml::Table = read(&path).parse().unwrap();
            let name = manifest["package"]["name"].as_str().unwrap();
            (name.strip_prefix("veilpool-").unwrap().to_owned(), manifest)
        })
        .collect()
}

/// Names of dependencies, those for one target only among them.
fn dependencies(manifest: &toml::Table, of_tests_too: bool) -> BTreeSet<String> {
    let mut tables = vec![manifest];
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    tables.extend(
        targets
            .into_iter()
            .flat_map(|t| t.values())
            .filter_map(toml::Value::as_table),
    );
    let mut kinds = vec!["dependencies", "build-dependencies"];
    if of_tests_too {
        kinds.push("dev-dependencies");
    }
    tables
        .iter()
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)))
        .filter_map(toml::Value::as_table)
        .flat_map(|dependencies| dependencies.keys().cloned())
        .collect()
}

/// All files of the repository that are not made by a build.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            let made = ["target", ".git", "node_modules", "__pycache__"];
            if made.iter().any(|made| name == *made) {
                continue;
            }
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn rust_files() -> impl Iterator<Item = (PathBuf, String)> {
    let files = files().into_iter();
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
}

/// Tests by the attack that their names begin with: `fn i1_…` below an attribute with `test`.
fn attack_tests() -> BTreeMap<(char, u32), BTreeSet<(String, String)>> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (path, text) in rust_files() {
        let path = path.strip_prefix(root()).unwrap().display().to_string();
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[") {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                continue;
            }
            let declaration = line.strip_prefix("async ").unwrap_or(line);
            if let (true, Some(rest)) = (is_test, declaration.strip_prefix("fn ")) {
                let name = rest.split(['(', '<']).next().unwrap();
                let id = name.split('_').next().unwrap().to_uppercase();
                let is_row = id.split_at_checked(1).is_some_and(|(letter, number)| {
                    "ICPMLN".contains(letter) && number.parse::<u32>().is_ok()
                });
                if is_row {
                    let tests = found.entry(sort_key(&id)).or_default();
                    tests.insert((path.clone(), name.to_owned()));
                }
            }
            is_test &= line.starts_with("//");
        }
    }
    found
}

/// Letter and number of an id like `P13`; letters in the order of the catalogue.
fn sort_key(id: &str) -> (char, u32) {
    (id.chars().next().unwrap(), id[1..].parse().unwrap())
}

fn attack_table() -> String {
    let mut rows: Vec<_> = attack_tests().into_iter().collect();
    rows.sort_by_key(|((letter, number), _)| ("ICPMLN".find(*letter), *number));
    let mut out = String::from("| row | tests |\n| --- | --- |\n");
    for ((letter, number), tests) in rows {
        let mut by_file: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (path, name) in tests {
            by_file.entry(path).or_default().push(format!("`{name}`"));
        }
        let cells: Vec<String> = by_file
            .into_iter()
            .map(|(path, names)| format!("{path}: {}", names.join(", ")))
            .collect();
        out += &format!("| {letter}{number} | {} |\n", cells.join("<br>"));
    }
    out
}

fn directions() -> String {
    let mut out = String::from("| crate | may use |\n| --- | --- |\n");
    for (name, used) in DIRECTIONS {
        let used = match *used {
            [] => "nothing of ours".to_owned(),
            _ if *name == "cli" => "every library, `benches`".to_owned(),
            all if all.len() == EVERYTHING.len() => "every library".to_owned(),
            some => some
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", "),
        };
        out += &format!("| `{name}` | {used} |\n");
    }
    out
}

/// The refusals of the program, from the source of its enum: `#[error("…")]`, then `Name = 6000,`.
fn error_codes() -> String {
    let source = read("verifier-program/interface/src/error.rs");
    let (_, body) = source.split_once("pub enum PoolError {").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let mut out =
        String::from("| code | name | what happened | what to do |\n| --- | --- | --- | --- |\n");
    let mut message = "";
    let mut next = 6_000u32;
    for line in body.lines().map(str::trim) {
        if let (Some(from), Some(to)) = (line.find('"'), line.rfind('"')) {
            message = &line[from + 1..to];
        } else if let Some((name, code)) = line.trim_end_matches(',').split_once(" = ") {
            assert_eq!(code.parse::<u32>().unwrap(), next, "{name}");
            let (happened, todo) = message.split_once(" What to do: ").unwrap();
            out += &format!("| {code} | `{name}` | {happened} | {} |\n", sentence(todo));
            next += 1;
        }
    }
    assert!(next > 6_000, "no refusal was found");
    out
}

/// What the program's tests assert.
fn compute_units() -> String {
    const DEFAULT_LIMIT: u64 = 200_000;
    let source = read("verifier-program/program/tests/program/compute_units.rs");
    let (_, body) = source.split_once("const COMPUTE_UNITS").unwrap();
    let (_, body) = body.split_once("= [").unwrap();
    let (body, _) = body.split_once("];").unwrap();
    let mut out = String::from("| instruction | CU | of 200,000 |\n| --- | --- | --- |\n");
    for line in body
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('('))
    {
        let (name, units) = line
            .trim_matches(|c| "(),".contains(c))
            .rsplit_once(", ")
            .unwrap();
        let units: u64 = units.replace('_', "").parse().unwrap();
        let name = name.trim_matches('"');
        let share = units * 100 / DEFAULT_LIMIT;
        out += &format!("| {name} | {} | {share} % |\n", thousands(units));
    }
    out
}

fn program_sizes() -> String {
    let metadata: toml::Table = read("verifier-program/sbf/veilpool_program.toml")
        .parse()
        .unwrap();
    let mut out = String::from("| file | bytes | SHA-256 |\n| --- | --- | --- |\n");
    for program in metadata["program"].as_array().unwrap() {
        let size = u64::try_from(program["size"].as_integer().unwrap()).unwrap();
        let (file, hash) = (
            program["file"].as_str().unwrap(),
            program["sha256"].as_str().unwrap(),
        );
        out += &format!("| `{file}` | {} | `{hash}` |\n", thousands(size));
    }
    out
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}
