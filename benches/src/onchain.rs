//! Figures of the on-chain program: exact, and the same on every machine. The program's own example measures
//! compute units in the runtime; sizes come from the metadata beside the compiled files.

use std::{fs, process::Command};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

/// What one instruction uses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Instruction {
    /// Its name.
    pub instruction: String,
    /// Of its transaction.
    pub compute_units: u64,
}

/// All figures.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct OnChain {
    /// In the order of a pool's life.
    pub instructions: Vec<Instruction>,
    /// Size of the release build.
    pub program_bytes: u64,
}

const PROGRAM: &str = "verifier-program/sbf/veilpool_program.so";

/// Runs the program's example. To be called in the repository's top folder.
///
/// # Errors
/// When it can't be run, or says something else.
pub fn measure() -> anyhow::Result<OnChain> {
    let output = Command::new("cargo")
        .args([
            "run",
            "-q",
            "--locked",
            "-p",
            "veilpool-program",
            "--example",
            "compute_units",
        ])
        .output()
        .context("running the program's example")?;
    ensure!(
        output.status.success(),
        "the program's example failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let instructions = String::from_utf8(output.stdout)?
        .lines()
        .filter(|line| line.contains("compute_units"))
        .map(|line| serde_json::from_str(line).context("a line of the program's example"))
        .collect::<anyhow::Result<_>>()?;
    let program_bytes = fs::metadata(PROGRAM).context(PROGRAM)?.len();
    Ok(OnChain {
        instructions,
        program_bytes,
    })
}
