//! What has to be there, said before anything is made.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

/// Programs, and Debian's packages that have them.
const PROGRAMS: [(&str, &str); 5] = [
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("iperf3", "iperf3"),
    ("wg", "wireguard-tools"),
    ("ping", "iputils-ping"),
];
/// Bits of capabilities(7).
const CAPABILITIES: [(u32, &str); 2] = [(12, "CAP_NET_ADMIN"), (21, "CAP_SYS_ADMIN")];

/// Whether a run can begin.
pub(crate) fn check() -> anyhow::Result<()> {
    let missing: Vec<_> = PROGRAMS
        .iter()
        .filter(|(program, _)| on_path(program).is_none())
        .map(|(program, package)| format!("{program} (Debian: {package})"))
        .collect();
    ensure!(
        missing.is_empty(),
        "these programs are missing: {}; `make bench-dataplane` installs them",
        missing.join(", ")
    );
    let status = fs::read_to_string("/proc/self/status").context("this program needs Linux")?;
    if let Some(lacking) = lacking(&status) {
        bail!(
            "{lacking} is missing, without which there are no network namespaces: run this as root, in a container with `--privileged`"
        );
    }
    ensure!(
        Path::new("/dev/net/tun").exists(),
        "/dev/net/tun is missing: `modprobe tun`, or in a container `--device /dev/net/tun`"
    );
    Ok(())
}

fn lacking(status: &str) -> Option<&'static str> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = line.and_then(|line| u64::from_str_radix(line.trim(), 16).ok());
    let held = held.unwrap_or_default();
    CAPABILITIES
        .iter()
        .find(|(bit, _)| held & (1 << bit) == 0)
        .map(|(_, name)| *name)
}

/// Where a program is.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        // Where Debian keeps what only root uses.
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_capability_that_is_missing_is_named() {
        assert_eq!(lacking("CapEff:\t000001fffeffffff\n"), None);
        assert_eq!(
            lacking("CapEff:\t0000000000200000\n"),
            Some("CAP_NET_ADMIN")
        );
        assert_eq!(
            lacking("CapEff:\t0000000000001000\n"),
            Some("CAP_SYS_ADMIN")
        );
        assert_eq!(lacking(""), Some("CAP_NET_ADMIN"));
    }
}
