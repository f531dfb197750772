//! Who takes part.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;

use crate::{lab::Namespace, machine::first_line, needs::on_path, process::succeed};

/// Compiling another program takes minutes.
const INSTALL_WITHIN: Duration = Duration::from_secs(3600);

/// A program of somebody else, controlled by wg(8).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) path: PathBuf,
    pub(crate) version: String,
}

/// Which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    WireguardGo,
    Boringtun,
    Gotatun,
}

impl Kind {
    /// Its package on crates.io, the version that is installed, and the program in it.
    const fn package(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::WireguardGo => None,
            Self::Boringtun => Some(("boringtun-cli", "0.7.1")),
            Self::Gotatun => Some(("gotatun-cli", "0.10.2")),
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::WireguardGo => "wireguard-go",
            Self::Boringtun => "boringtun-cli",
            Self::Gotatun => "gotatun",
        }
    }
}

impl Peer {
    fn at(kind: Kind, path: PathBuf) -> anyhow::Result<Self> {
        let shown = path.display().to_string();
        let line = first_line(&shown, &["--version"]);
        let version = line
            .rsplit(' ')
            .next()
            .map(|word| word.trim_start_matches('v').to_owned())
            .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
            .with_context(|| format!("{shown} doesn't say its version: '{line}'"))?;
        Ok(Self {
            kind,
            path,
            version,
        })
    }

    /// How it is started in the foreground, with a device of this name.
    pub(crate) fn command(&self, host: &Namespace, device: &str) -> Command {
        let mut command = host.command(&self.path);
        match self.kind {
            Kind::WireguardGo => command.args(["-f", device]).env("LOG_LEVEL", "error"),
            Kind::Boringtun | Kind::Gotatun => {
                command.args(["-f", "--disable-drop-privileges", "-v", "error", device])
            }
        };
        command
    }
}

/// An end of a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entrant {
    /// No tunnel: what the machine can do.
    Nothing,
    /// Ours with a TUN device.
    Tun,
    /// Ours without privileges. An exit only.
    Userspace,
    /// Somebody else's.
    Peer(Arc<Peer>),
}

impl fmt::Display for Entrant {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => to.write_str("no tunnel"),
            Self::Tun => to.write_str("veilpool, TUN"),
            Self::Userspace => to.write_str("veilpool, user space"),
            Self::Peer(peer) => write!(to, "{} {}", peer.kind.program(), peer.version),
        }
    }
}

/// The others that take part, and what to say of those that don't.
pub(crate) struct Field {
    pub(crate) peers: Vec<Arc<Peer>>,
    pub(crate) absent: Vec<String>,
}

impl Field {
    /// Those on PATH and below `folder`, and the versions of wireguard-go that are named.
    pub(crate) fn gather(named: &[PathBuf], folder: &Path) -> anyhow::Result<Self> {
        let mut field = Self {
            peers: Vec::new(),
            absent: Vec::new(),
        };
        let found = on_path(Kind::WireguardGo.program());
        for path in found.into_iter().chain(named.iter().cloned()) {
            field.add(Peer::at(Kind::WireguardGo, path)?);
        }
        if field.peers.is_empty() {
            anyhow::bail!(
                "wireguard-go is missing (Debian: wireguard-go), with which everything is compared; `make bench-dataplane` installs it, or name one with --wireguard-go"
            );
        }
        for kind in [Kind::Boringtun, Kind::Gotatun] {
            let below = folder.join("bin").join(kind.program());
            match Some(below)
                .filter(|path| path.is_file())
                .or_else(|| on_path(kind.program()))
            {
                Some(path) => field.add(Peer::at(kind, path)?),
                None => field.absent.push(kind.program().to_owned()),
            }
        }
        Ok(field)
    }

    fn add(&mut self, peer: Peer) {
        let known = |other: &Arc<Peer>| other.kind == peer.kind && other.version == peer.version;
        if !self.peers.iter().any(known) {
            self.peers.push(Arc::new(peer));
        }
    }
}

/// Compiles the programs that Debian doesn't have.
pub(crate) fn install(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, version) in [Kind::Boringtun, Kind::Gotatun]
        .iter()
        .filter_map(|kind| kind.package())
    {
        eprintln!("installing {name} {version} below {}", folder.display());
        let package = format!("{name}@{version}");
        let mut command = Command::new("cargo");
        command.args(["install", "--locked", "--quiet", &package, "--root"]);
        succeed(command.arg(folder), None, INSTALL_WITHIN)?;
    }
    Ok(())
}
