//! Measured child processes.
//!
//! *A measured command runs below a process of its own*, which is this program again: that process starts the command,
//! waits, and reports `getrusage(RUSAGE_CHILDREN)`. So nothing but the command is counted, and its peak memory is its
//! own (a child's `ru_maxrss` begins at the size of whoever started it, and the process in between is small).
//!
//! ```text
//! cpu  = user + system time of the command and whatever it waited for
//! wall = from its start to its end
//! peak = the largest resident size of one process among them
//! ```

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What a process used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// User and system time, in microseconds.
    pub cpu_us: u64,
    /// From start to end, in microseconds.
    pub wall_us: u64,
    /// Largest resident size, in bytes.
    pub peak_bytes: u64,
}

impl Usage {
    /// One after the other: times add up, memory doesn't.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self {
            cpu_us: self.cpu_us + next.cpu_us,
            wall_us: self.wall_us + next.wall_us,
            peak_bytes: self.peak_bytes.max(next.peak_bytes),
        }
    }
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its working folder.
    pub folder: PathBuf,
    /// Added to its environment.
    pub environment: BTreeMap<String, String>,
}

/// What the process in between reports.
#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    usage: Usage,
    success: bool,
    output: String,
    errors: String,
}

/// How this program is started as a child: the executable, and the arguments before the task.
#[derive(Clone, Debug)]
pub struct Host {
    executable: PathBuf,
    arguments: Vec<OsString>,
}

impl Host {
    /// This program; `arguments` lead to [`crate::task::run`] with the argument after them.
    ///
    /// # Errors
    /// When the system doesn't say where this program is.
    pub fn this(arguments: &[&str]) -> anyhow::Result<Self> {
        Ok(Self {
            executable: env::current_exe().context("finding this program")?,
            arguments: arguments.iter().map(OsString::from).collect(),
        })
    }

    /// Another program that takes tasks, for tests.
    #[must_use]
    pub fn at(executable: PathBuf, arguments: &[&str]) -> Self {
        Self {
            executable,
            arguments: arguments.iter().map(OsString::from).collect(),
        }
    }

    /// The command that runs a task.
    ///
    /// # Errors
    /// None that is known: tasks are JSON.
    pub fn command(&self, task: &impl Serialize) -> anyhow::Result<Command> {
        let mut command = Command::new(&self.executable);
        command
            .args(&self.arguments)
            .arg(serde_json::to_string(task)?);
        Ok(command)
    }

    /// The same as something to measure.
    ///
    /// # Errors
    /// Arguments that aren't UTF-8.
    pub fn measured(&self, task: &impl Serialize) -> anyhow::Result<Measured> {
        let mut arguments = self
            .arguments
            .iter()
            .map(|argument| argument.to_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .context("an argument isn't UTF-8")?;
        arguments.push(serde_json::to_string(task)?);
        Ok(Measured {
            program: self.executable.clone(),
            arguments,
            folder: env::current_dir()?,
            environment: BTreeMap::new(),
        })
    }

    /// Runs a task in a process of its own, and takes its answer, one JSON value.
    ///
    /// # Errors
    /// When the process can't be started or fails; with what it said.
    pub fn ask<T: DeserializeOwned>(
        &self,
        task: &impl Serialize,
        environment: &[(&str, String)],
    ) -> anyhow::Result<T> {
        let mut command = self.command(task)?;
        for (name, value) in environment {
            command.env(name, value);
        }
        let output = command
            .stdin(Stdio::null())
            .output()
            .context("starting a process to measure in")?;
        ensure!(
            output.status.success(),
            "a measuring process failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).context("the answer of a measuring process")
    }

    /// Runs a command and says what it used and printed.
    ///
    /// # Errors
    /// When it can't be started, or fails; with what it said.
    pub fn measure(&self, command: &Measured) -> anyhow::Result<(Usage, String)> {
        let outcome: Outcome = self.ask(&crate::task::Task::Measure(command.clone()), &[])?;
        if !outcome.success {
            bail!(
                "{} {} failed: {}{}",
                command.program.display(),
                command.arguments.join(" "),
                outcome.output,
                outcome.errors
            );
        }
        Ok((outcome.usage, outcome.output))
    }
}

// In the process in between.
pub(crate) fn measure_here(command: &Measured) -> anyhow::Result<impl Serialize + use<>> {
    let start = Instant::now();
    let output = Command::new(&command.program)
        .args(&command.arguments)
        .envs(&command.environment)
        .current_dir(&command.folder)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {}", command.program.display()))?;
    let wall = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("asking for the child's usage")?;
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Outcome {
        usage: Usage {
            cpu_us: u64::try_from(cpu).unwrap_or(0),
            wall_us: micros(wall),
            peak_bytes: kibibytes(usage.max_rss()),
        },
        success: output.status.success(),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

// Linux counts in KiB.
fn kibibytes(max_rss: i64) -> u64 {
    u64::try_from(max_rss).unwrap_or(0) * 1024
}

/// Whole microseconds.
#[must_use]
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
