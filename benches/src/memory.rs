//! Memory of this process, from `/proc/self/status` (Linux).

use std::fs;

/// Peak resident memory since the start, in bytes; `None` where the system doesn't say.
#[must_use]
pub fn peak_resident() -> Option<u64> {
    field("VmHWM:")
}

/// Resident memory now, in bytes; `None` where the system doesn't say.
#[must_use]
pub fn resident() -> Option<u64> {
    field("VmRSS:")
}

fn field(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
