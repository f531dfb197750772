//! Provers side by side on one task.
//!
//! Runs are **paired and interleaved**: each round runs every contestant once, beginning with another one each time, so
//! that whatever else the machine does meets all of them alike. Ratios are medians of the ratios within rounds. A first
//! round isn't counted, and every contestant's proof from it is verified by snarkjs.
//!
//! *Cold* is a process for each proof, with all it loads: what a command line tool costs. *Warm* is a process that
//! keeps its key loaded, proving alone: what a daemon costs.

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use super::install::Install;
use crate::{
    child::{Host, Measured, Usage},
    clock::{Spent, Times},
    progress::Progress,
    stats::Stat,
};

/// Who proves, and how.
pub struct Contestant {
    /// For tables.
    pub name: String,
    /// Commands of one proof, one after the other.
    pub cold: Vec<Measured>,
    /// A process that proves once for each line on its stdin and answers with a [`Spent`].
    pub warm: Option<Measured>,
    /// Where a cold run leaves its proof, in snarkjs' form.
    pub output: ProofFiles,
}

/// A proof in snarkjs' form.
pub struct ProofFiles {
    /// The points.
    pub proof: PathBuf,
    /// Public inputs.
    pub public: PathBuf,
    /// What it is verified with.
    pub verification_key: PathBuf,
}

/// One task.
pub struct Contest {
    /// For tables and plots: a word without spaces.
    pub id: String,
    /// For tables.
    pub title: String,
    /// Ours last.
    pub contestants: Vec<Contestant>,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// As of the contest.
    pub id: String,
    /// As of the contest.
    pub title: String,
    /// In the contest's order, ours last.
    pub rows: Vec<Row>,
}

/// One contestant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its name.
    pub prover: String,
    /// A process for each proof.
    pub cold: Times,
    /// Largest resident size of a cold run, in bytes.
    pub peak_bytes: Stat,
    /// A process that stays.
    pub warm: Option<Times>,
    /// How many times as much CPU as ours: median of the ratios within rounds.
    pub cold_cpu_ratio: f64,
    /// The same of the process that stays.
    pub warm_cpu_ratio: Option<f64>,
}

impl Contest {
    /// Runs it.
    ///
    /// # Errors
    /// When a contestant can't be run, or makes a proof that doesn't verify.
    pub fn run(
        &self,
        host: &Host,
        install: &Install,
        runs: usize,
        progress: &mut dyn Progress,
    ) -> anyhow::Result<Outcome> {
        progress.begins(&format!(
            "{}: each prover once, and snarkjs verifies",
            self.title
        ));
        for contestant in &self.contestants {
            contestant.prove_cold(host)?;
            contestant.verify(install)?;
        }
        progress.begins(&format!(
            "{}: {runs} rounds, a process for each proof",
            self.title
        ));
        let cold = self.rounds(runs, |contestant| contestant.prove_cold(host).map(Some))?;
        progress.begins(&format!(
            "{}: {runs} rounds, processes that stay",
            self.title
        ));
        let mut servers = self
            .contestants
            .iter()
            .map(|contestant| contestant.warm.as_ref().map(Server::start).transpose())
            .collect::<anyhow::Result<Vec<_>>>()?;
        for server in servers.iter_mut().flatten() {
            server.prove()?;
        }
        let mut warm = vec![Vec::new(); servers.len()];
        for round in 0..runs {
            for place in 0..servers.len() {
                let index = (round + place) % servers.len();
                if let Some(server) = &mut servers[index] {
                    warm[index].push(server.prove()?);
                }
            }
        }
        for server in servers.into_iter().flatten() {
            server.stop()?;
        }
        Ok(self.outcome(&cold, &warm))
    }

    fn rounds(
        &self,
        runs: usize,
        mut run: impl FnMut(&Contestant) -> anyhow::Result<Option<Usage>>,
    ) -> anyhow::Result<Vec<Vec<Usage>>> {
        let count = self.contestants.len();
        let mut all = vec![Vec::with_capacity(runs); count];
        for round in 0..runs {
            for place in 0..count {
                let index = (round + place) % count;
                all[index].extend(run(&self.contestants[index])?);
            }
        }
        Ok(all)
    }

    fn outcome(&self, cold: &[Vec<Usage>], warm: &[Vec<Spent>]) -> Outcome {
        let cpu_of = |usages: &[Usage]| usages.iter().map(|usage| usage.cpu_us).collect::<Vec<_>>();
        let warm_cpu_of =
            |spent: &[Spent]| spent.iter().map(|spent| spent.cpu_us).collect::<Vec<_>>();
        let ours = cold.last().map(|usages| cpu_of(usages)).unwrap_or_default();
        let ours_warm = warm
            .last()
            .map(|spent| warm_cpu_of(spent))
            .unwrap_or_default();
        let rows = self.contestants.iter().zip(cold).zip(warm);
        Outcome {
            id: self.id.clone(),
            title: self.title.clone(),
            rows: rows
                .map(|((contestant, cold), warm)| Row {
                    prover: contestant.name.clone(),
                    cold: Times {
                        cpu_us: Stat::of(cold.iter().map(|usage| usage.cpu_us)),
                        wall_us: Stat::of(cold.iter().map(|usage| usage.wall_us)),
                    },
                    peak_bytes: Stat::of(cold.iter().map(|usage| usage.peak_bytes)),
                    warm: (!warm.is_empty()).then(|| Times::of(warm)),
                    cold_cpu_ratio: median_ratio(&cpu_of(cold), &ours),
                    warm_cpu_ratio: (!warm.is_empty())
                        .then(|| median_ratio(&warm_cpu_of(warm), &ours_warm)),
                })
                .collect(),
        }
    }
}

/// Median of the ratios of pairs; 0 without any.
#[must_use]
pub fn median_ratio(theirs: &[u64], ours: &[u64]) -> f64 {
    let mut ratios: Vec<f64> = theirs
        .iter()
        .zip(ours)
        .map(|(theirs, ours)| *theirs as f64 / (*ours).max(1) as f64)
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(0.0)
}

impl Contestant {
    fn prove_cold(&self, host: &Host) -> anyhow::Result<Usage> {
        let mut total = Usage::default();
        for command in &self.cold {
            total = total.then(host.measure(command)?.0);
        }
        Ok(total)
    }

    fn verify(&self, install: &Install) -> anyhow::Result<()> {
        let ProofFiles {
            proof,
            public,
            verification_key,
        } = &self.output;
        let [key, public, proof] =
            [verification_key, public, proof].map(|path| path.display().to_string());
        let said = install
            .snarkjs(&["groth16", "verify", &key, &public, &proof])
            .with_context(|| format!("verifying the proof of {}", self.name))?;
        ensure!(
            said.contains("OK!"),
            "snarkjs refuses the proof of {}: {said}",
            self.name
        );
        Ok(())
    }
}

// A process that stays.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(command: &Measured) -> anyhow::Result<Self> {
        let mut child = Command::new(&command.program)
            .args(&command.arguments)
            .envs(&command.environment)
            .current_dir(&command.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", command.program.display()))?;
        let input = child.stdin.take().context("its stdin")?;
        let output = BufReader::new(child.stdout.take().context("its stdout")?);
        Ok(Self {
            child,
            input,
            output,
        })
    }

    fn prove(&mut self) -> anyhow::Result<Spent> {
        writeln!(self.input).context("asking a prover that stays")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).context("the answer of a prover that stays")
    }

    fn stop(self) -> anyhow::Result<()> {
        let Self {
            mut child,
            input,
            output,
        } = self;
        drop((input, output));
        let status = child.wait()?;
        ensure!(status.success(), "a prover that stays ended with {status}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_median_within_pairs() {
        // Round 2 was slow for both: the ratio doesn't see it.
        assert!((median_ratio(&[20, 200, 22], &[10, 100, 10]) - 2.0).abs() < 1e-9);
        assert!(median_ratio(&[], &[]).abs() < 1e-9);
    }
}
