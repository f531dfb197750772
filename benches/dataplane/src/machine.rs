//! Where and with what a measurement was made.

use std::{fs, process::Command, thread, time::Duration};

use serde::{Deserialize, Serialize};

use crate::process::succeed;

/// Printed below every table: figures without it mean nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Model name of the first processor.
    pub(crate) processor: String,
    /// Hardware threads that the process may use; client, node and server share them.
    pub(crate) threads: usize,
    /// Kernel and architecture.
    pub(crate) system: String,
    /// Of the repository, abbreviated.
    pub(crate) commit: String,
    /// iperf3's.
    pub(crate) iperf3: String,
    /// Of TCP, at the senders.
    pub(crate) congestion: String,
    /// Processes that wanted to run when it began: on an idle machine about 0.
    pub(crate) load: String,
}

impl Machine {
    /// This one.
    pub(crate) fn this() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = cpuinfo
            .lines()
            .find(|line| line.starts_with("model name"))
            .and_then(|line| line.split_once(':'))
            .map_or("unknown", |(_, name)| name.trim());
        let congestion = fs::read_to_string("/proc/sys/net/ipv4/tcp_congestion_control");
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            processor: processor.to_owned(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            system: first_line("uname", &["-srm"]),
            commit: first_line("git", &["rev-parse", "--short=12", "HEAD"]),
            iperf3: first_line("iperf3", &["--version"]),
            congestion: congestion.unwrap_or_default().trim().to_owned(),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

/// The first line that a program prints.
pub(crate) fn first_line(program: &str, arguments: &[&str]) -> String {
    let text = succeed(
        Command::new(program).args(arguments),
        None,
        Duration::from_secs(10),
    );
    text.ok()
        .and_then(|text| text.lines().next().map(|line| line.trim().to_owned()))
        .unwrap_or_else(|| "unknown".to_owned())
}
