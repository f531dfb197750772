//! Where and with what a measurement was made.

use std::{fs, process::Command, thread};

use serde::{Deserialize, Serialize};

/// Printed beside every table: figures without it mean nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Model name of the first processor.
    pub processor: String,
    /// Those extensions that a prover may use and this processor has.
    pub extensions: Vec<String>,
    /// Hardware threads that the process may use.
    pub threads: usize,
    /// Main memory, in bytes; 0 when unknown.
    pub memory_bytes: u64,
    /// Kernel and architecture.
    pub system: String,
    /// Compiler of this program.
    pub compiler: String,
    /// Of the repository, abbreviated; "unknown" outside of one.
    pub commit: String,
    /// Whether debug assertions were compiled in.
    pub debug_assertions: bool,
}

/// Names in `/proc/cpuinfo` that matter here (x86-64; arm64).
const EXTENSIONS: [&str; 7] = [
    "bmi2",
    "adx",
    "avx2",
    "avx512f",
    "avx512ifma",
    "asimd",
    "sve",
];

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let unknown = || "unknown".to_owned();
        Self {
            processor: field(&cpuinfo, "model name").unwrap_or_else(unknown),
            extensions: extensions(&cpuinfo),
            threads: thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory(&fs::read_to_string("/proc/meminfo").unwrap_or_default()),
            system: output_of("uname", &["-srm"]).unwrap_or_else(unknown),
            compiler: output_of("rustc", &["--version"]).unwrap_or_else(unknown),
            commit: output_of("git", &["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(unknown),
            debug_assertions: cfg!(debug_assertions),
        }
    }
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn extensions(cpuinfo: &str) -> Vec<String> {
    let flags = field(cpuinfo, "flags").or_else(|| field(cpuinfo, "Features"));
    let flags = flags.unwrap_or_default();
    let has = |name: &&&str| flags.split_whitespace().any(|flag| flag == **name);
    EXTENSIONS
        .iter()
        .filter(has)
        .map(|name| (*name).to_owned())
        .collect()
}

fn memory(meminfo: &str) -> u64 {
    field(meminfo, "MemTotal")
        .and_then(|text| text.strip_suffix("kB")?.trim().parse::<u64>().ok())
        .map_or(0, |kibibytes| kibibytes * 1024)
}

/// The first line that a program prints; `None` when it can't be run or fails.
#[must_use]
pub fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim().to_owned();
    output.status.success().then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_whole_words_of_the_flags() {
        let cpuinfo = "model name\t: Some CPU @ 2 GHz\nflags\t\t: fpu avx512f avx512ifma_no bmi2\n";
        assert_eq!(extensions(cpuinfo), ["bmi2", "avx512f"]);
        assert_eq!(
            field(cpuinfo, "model name").unwrap_or_default(),
            "Some CPU @ 2 GHz"
        );
        assert_eq!(extensions(""), Vec::<String>::new());
    }

    #[test]
    fn memory_is_counted_in_bytes() {
        assert_eq!(memory("MemTotal:       16 kB\nMemFree: 1 kB\n"), 16_384);
        assert_eq!(memory("MemTotal: lots\n"), 0);
    }
}
