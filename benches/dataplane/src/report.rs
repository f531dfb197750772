//! What a run found: one JSON value, written beside the tables that are made from it.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::{machine::Machine, measure::Sample, stats::median};

/// Version of the JSON's form. Raised when a field changes its meaning or goes.
const SCHEMA: u32 = 1;
/// Name of the file.
const FILE: &str = "dataplane.json";

/// Everything. A part that was never measured is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    schema: u32,
    /// By the name of `--only`.
    pub(crate) parts: BTreeMap<String, Part>,
}

/// One part. `--only` measures some and keeps the others, so each says where and how often it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) machine: Machine,
    pub(crate) rounds: u32,
    /// Of each transfer.
    pub(crate) seconds: u32,
    /// Programs that were looked for in vain.
    pub(crate) absent: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// A pair of ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) client: String,
    pub(crate) exit: String,
    /// What else is particular.
    pub(crate) variant: String,
    /// Of what there is in `rounds`.
    pub(crate) medians: Sample,
    /// Round for round. What failed is absent.
    pub(crate) rounds: Vec<Sample>,
}

impl Row {
    pub(crate) fn new(client: String, exit: String, variant: &str) -> Self {
        Self {
            client,
            exit,
            variant: variant.to_owned(),
            medians: Sample::new(),
            rounds: Vec::new(),
        }
    }

    /// Adds a round.
    pub(crate) fn push(&mut self, sample: Sample) {
        self.rounds.push(sample);
        let names: Vec<String> = self
            .rounds
            .iter()
            .flat_map(|round| round.keys().cloned())
            .collect();
        for name in names {
            let values: Vec<f64> = self
                .rounds
                .iter()
                .filter_map(|round| round.get(&name).copied())
                .collect();
            if let Some(median) = median(&values) {
                self.medians.insert(name, median);
            }
        }
    }

    /// What a round found.
    pub(crate) fn at(&self, round: usize, name: &str) -> Option<f64> {
        self.rounds.get(round)?.get(name).copied()
    }
}

impl Default for Report {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            parts: BTreeMap::new(),
        }
    }
}

impl Report {
    /// Of an earlier run; an empty one when there was none, or one of another form.
    pub(crate) fn earlier(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join(FILE)).unwrap_or_default();
        serde_json::from_str(&text)
            .ok()
            .filter(|report: &Self| report.schema == SCHEMA)
            .unwrap_or_default()
    }

    /// Writes it.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(FILE);
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(&path, text).with_context(|| path.display().to_string())
    }
}

/// Puts a text between `<!-- generated:NAME -->` and `<!-- /generated -->` of a document.
pub(crate) fn fill(document: &str, block: &str, text: &str) -> anyhow::Result<String> {
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
    fn a_row_has_medians_of_what_its_rounds_have() {
        let mut row = Row::new("a".to_owned(), "b".to_owned(), "");
        for value in [3.0, 1.0, 2.0] {
            row.push(Sample::from([("x".to_owned(), value)]));
        }
        row.push(Sample::new());
        assert_eq!(row.medians, Sample::from([("x".to_owned(), 2.0)]));
        assert_eq!((row.at(1, "x"), row.at(3, "x")), (Some(1.0), None));
    }

    #[test]
    fn a_block_is_replaced_and_nothing_else() {
        let document = "a\n<!-- generated:x -->\nold\n<!-- /generated -->\nb\n";
        assert_eq!(
            fill(document, "x", "new\n").unwrap(),
            "a\n<!-- generated:x -->\nnew\n<!-- /generated -->\nb\n"
        );
        assert!(fill(document, "y", "").is_err());
    }
}
