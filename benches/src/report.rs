//! What a run found: one JSON value, written beside the tables that are made from it.
//!
//! `docs/benchmarks.md` describes the fields; a test holds the description to this file. Each part says on which machine
//! and at which commit it was measured, since `--only` measures some parts and keeps the others.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    circuits, halo2,
    machine::Machine,
    onchain::OnChain,
    peers::{Versions, contest},
    proving, scaling,
};

/// Version of the JSON's form. Raised when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;
/// Name of the file.
pub const FILE: &str = "benchmarks.json";

/// Everything. A part that was never measured is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Counts of circuits.
    pub circuits: Option<Part<Circuits>>,
    /// Witness, proof and verification by n and threads.
    pub proving: Option<Part<Vec<proving::Row>>>,
    /// Memory of a process that proves once.
    pub memory: Option<Part<Vec<proving::Memory>>>,
    /// Proving by the size of the registry.
    pub scaling: Option<Part<Vec<scaling::Row>>>,
    /// The second proof system.
    pub halo2: Option<Part<Vec<halo2::Row>>>,
    /// Other provers beside ours.
    pub peers: Option<Part<Peers>>,
    /// The program on chain.
    pub chain: Option<Part<OnChain>>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part<T> {
    /// Where it was measured.
    pub machine: Machine,
    /// Whether `--quick` was given: fewer circuits.
    pub quick: bool,
    /// What was found.
    pub data: T,
}

/// Counts and sizes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuits {
    /// By depth, then by n.
    pub rows: Vec<circuits::Row>,
    /// Of proofs and keys.
    pub sizes: circuits::Sizes,
}

/// Contests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peers {
    /// Of the others.
    pub versions: Versions,
    /// What came out.
    pub contests: Vec<contest::Outcome>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            circuits: None,
            proving: None,
            memory: None,
            scaling: None,
            halo2: None,
            peers: None,
            chain: None,
        }
    }
}

impl Report {
    /// Of an earlier run, or an empty one when there was none. A file of another schema counts as none, and a part that
    /// lacks a field of today's isn't there: it wants to be measured again.
    ///
    /// # Errors
    /// When the file can't be read, or isn't JSON.
    pub fn earlier(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let value: Value =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(Self::of_parts(&value))
    }

    fn of_parts(value: &Value) -> Self {
        fn part<T: DeserializeOwned>(value: &Value) -> Option<Part<T>> {
            serde_json::from_value(value.clone()).ok()
        }
        if value["schema"] != SCHEMA {
            return Self::default();
        }
        Self {
            schema: SCHEMA,
            circuits: part(&value["circuits"]),
            proving: part(&value["proving"]),
            memory: part(&value["memory"]),
            scaling: part(&value["scaling"]),
            halo2: part(&value["halo2"]),
            peers: part(&value["peers"]),
            chain: part(&value["chain"]),
        }
    }

    /// As JSON.
    ///
    /// # Errors
    /// None that is known.
    pub fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// Puts a text between `<!-- generated:NAME -->` and `<!-- /generated -->` of a document.
///
/// # Errors
/// When the document has no such block, or more than one.
pub fn fill(document: &str, block: &str, text: &str) -> anyhow::Result<String> {
    let begin = format!("<!-- generated:{block} -->");
    let end = "<!-- /generated -->";
    let (head, rest) = document
        .split_once(&begin)
        .with_context(|| format!("the document has no {begin}"))?;
    let (_, tail) = rest
        .split_once(end)
        .with_context(|| format!("{begin} has no {end}"))?;
    ensure!(!tail.contains(&begin), "the document has {begin} twice");
    Ok(format!("{head}{begin}\n{text}{end}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_earlier_run_are_kept_if_they_are_whole_and_of_this_schema() {
        let memory = |n: usize| {
            Some(Part {
                machine: Machine::this(),
                quick: false,
                data: vec![proving::Memory {
                    n,
                    peak_bytes: None,
                    loaded_bytes: Some(1),
                    low_peak_bytes: None,
                }],
            })
        };
        let report = Report {
            memory: memory(5),
            ..Report::default()
        };
        let mut value = serde_json::to_value(&report).unwrap_or_default();
        assert_eq!(Report::of_parts(&value), report);
        value["scaling"] = serde_json::json!({ "quick": true });
        assert_eq!(Report::of_parts(&value), report);
        value["schema"] = serde_json::json!(SCHEMA + 1);
        assert_eq!(Report::of_parts(&value), Report::default());
    }

    #[test]
    fn a_block_is_replaced_and_nothing_else() {
        let document = "a\n<!-- generated:x -->\nold\n<!-- /generated -->\nb\n";
        let filled = fill(document, "x", "new\n").unwrap_or_default();
        assert_eq!(
            filled,
            "a\n<!-- generated:x -->\nnew\n<!-- /generated -->\nb\n"
        );
        assert_eq!(fill(&filled, "x", "new\n").unwrap_or_default(), filled);
        let missing = fill(document, "y", "").map_err(|error| error.to_string());
        assert_eq!(
            missing,
            Err("the document has no <!-- generated:y -->".to_owned())
        );
        let twice =
            fill(&format!("{document}{document}"), "x", "").map_err(|error| error.to_string());
        assert_eq!(
            twice,
            Err("the document has <!-- generated:x --> twice".to_owned())
        );
    }
}
