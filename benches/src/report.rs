//! What a run found: one JSON value, written beside the tables that are made from it.
//!
//! `docs/benchmarks.md` describes the fields; a test holds the description to this file. Each part says on which machine
//! and at which commit it was measured, since `--only` measures some parts and keeps the others.

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

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
    /// Of an earlier run, or an empty one when there was none. A file of another schema counts as none.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn earlier(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let value: serde_json::Value =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        if value["schema"] != SCHEMA {
            return Ok(Self::default());
        }
        serde_json::from_value(value).with_context(|| path.display().to_string())
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
