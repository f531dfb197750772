//! ip(8), nft(8) and `/proc/sys/net`. What is missing or fails is reported with what it said.

use std::{
    env, fs, io,
    io::Write as _,
    process::{Command, Stdio},
};

/// Where they are; a service's path often lacks these.
const PLACES: &str = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";

/// Why the system's network isn't as it was asked to be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// A program isn't there.
    #[error("'{program}' is missing; install the package {package}")]
    Missing {
        /// Which.
        program: &'static str,
        /// What has it, in most distributions.
        package: &'static str,
    },
    /// A program doesn't run.
    #[error("cannot run '{program}': {source}")]
    Run {
        /// Which.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A program refused.
    #[error("'{command}' failed; it needs root or CAP_NET_ADMIN. It said: {said}")]
    Failed {
        /// With its arguments.
        command: String,
        /// What it wrote.
        said: String,
    },
    /// A setting of the kernel can't be read or written.
    #[error("cannot set {path} to {value}: {source}")]
    Setting {
        /// Which, in `/proc/sys/net`.
        path: String,
        /// To what.
        value: String,
        /// Why.
        source: io::Error,
    },
    /// Other nodes of this machine can't be waited for.
    #[error("cannot lock this network namespace against other nodes' changes: {0}")]
    Turn(#[source] io::Error),
    /// The namespace can't be entered.
    #[error("cannot enter a network namespace: {0}; it needs root or CAP_SYS_ADMIN")]
    Enter(#[source] io::Error),
}

/// `ip …`. No argument comes from outside but names that were checked.
pub(crate) fn ip(arguments: &[&str]) -> Result<String, ToolError> {
    run("ip", "iproute2", arguments, "")
}

/// Gives the kernel a ruleset, all of it or nothing.
pub(crate) fn load(ruleset: &str) -> Result<(), ToolError> {
    run("nft", "nftables", &["-f", "-"], ruleset).map(drop)
}

/// `nft …`.
pub(crate) fn nft(arguments: &[&str]) -> Result<String, ToolError> {
    run("nft", "nftables", arguments, "")
}

fn run(
    program: &'static str,
    package: &'static str,
    arguments: &[&str],
    input: &str,
) -> Result<String, ToolError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ToolError::Missing { program, package },
        _ => ToolError::Run { program, source },
    };
    let path = env::var("PATH").unwrap_or_default();
    let mut child = Command::new(program)
        .args(arguments)
        .env("PATH", format!("{path}:{PLACES}"))
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends without reading says why.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(ToolError::Failed {
        command: [&[program], arguments].concat().join(" "),
        said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// Where the calling thread's namespace has its settings.
pub(crate) const SETTINGS: &str = "/proc/sys/net";

/// A setting of the calling thread's namespace; `None` where it has none of that name.
pub(crate) fn setting(path: &str) -> Option<String> {
    let text = fs::read_to_string(format!("{SETTINGS}/{path}")).ok()?;
    Some(text.trim().to_owned())
}

/// Changes a setting of the calling thread's namespace.
pub(crate) fn set(path: &str, value: &str) -> Result<(), ToolError> {
    fs::write(format!("{SETTINGS}/{path}"), value).map_err(|source| ToolError::Setting {
        path: path.to_owned(),
        value: value.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_missing_and_one_that_refuses_are_told_apart() {
        let missing = run("veilpool-has-no-such-program", "none", &[], "");
        assert!(matches!(
            missing,
            Err(ToolError::Missing {
                package: "none",
                ..
            })
        ));
        let refused = ip(&["link", "show", "dev", "veil_nobodys"]);
        assert!(
            matches!(&refused, Err(ToolError::Failed { command, said })
                if command == "ip link show dev veil_nobodys" && said.contains("does not exist")),
            "{refused:?}"
        );
    }
}
