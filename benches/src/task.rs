//! What this program does when it is its own child: one task, given as JSON, answered on stdout.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    child::{self, Measured},
    entrants, foreign, halo2,
    peers::Depth,
    proving, scaling,
};

/// A child's task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Run a command and say what it used.
    Measure(Measured),
    /// Prove claims repeatedly.
    Prove {
        /// Number of measurers.
        n: usize,
        /// That the environment sets; for the answer.
        threads: usize,
        /// How often.
        runs: usize,
        /// Folder of the proving key.
        cache: PathBuf,
    },
    /// Prove one claim, and say how much memory that took.
    Memory {
        /// Number of measurers.
        n: usize,
        /// Folder of the proving key.
        cache: PathBuf,
        /// With the options for little memory.
        low: bool,
    },
    /// Prove a claim with a deeper registry repeatedly.
    Scale {
        /// Number of measurers.
        n: usize,
        /// Of the registry.
        depth: Depth,
        /// How often.
        runs: usize,
    },
    /// Prove in halo2 repeatedly.
    Halo2 {
        /// Number of measurers of a claim; `None` is the listing.
        n: Option<usize>,
        /// How often.
        runs: usize,
    },
    /// Check a key that isn't ours, keep it, and say how many rows its circuit has.
    Import {
        /// The key.
        zkey: PathBuf,
        /// Where it is kept.
        out: PathBuf,
    },
    /// Take part in a contest.
    Enter {
        /// As who.
        entrant: entrants::Entrant,
        /// Stay, and prove once for each line on stdin.
        stay: bool,
    },
}

/// Does what the task says.
///
/// # Errors
/// Whatever keeps it from that.
pub fn run(task: &str) -> anyhow::Result<()> {
    let answer = match serde_json::from_str(task)? {
        Task::Measure(command) => serde_json::to_string(&child::measure_here(&command)?)?,
        Task::Prove {
            n,
            threads,
            runs,
            cache,
        } => serde_json::to_string(&proving::prove_here(n, threads, runs, &cache)?)?,
        Task::Memory { n, cache, low } => {
            serde_json::to_string(&proving::memory_here(n, &cache, low)?)?
        }
        Task::Scale { n, depth, runs } => {
            serde_json::to_string(&scaling::scale_here(n, depth, runs)?)?
        }
        Task::Halo2 { n, runs } => serde_json::to_string(&halo2::prove_here(n, runs)?)?,
        Task::Import { zkey, out } => serde_json::to_string(&foreign::import(&zkey, &out)?)?,
        Task::Enter { entrant, stay } => return entrants::run(&entrant, stay),
    };
    println!("{answer}");
    Ok(())
}
