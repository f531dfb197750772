//! Installing the peers' packages into the cache: `npm ci` on a lock that pins every file by its hash, without running
//! anybody's install scripts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{machine::output_of, progress::Progress};

/// Of the Node that is wanted.
pub const NODE_MAJOR: u32 = 18;
/// What can be installed, each in a folder of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Package {
    /// circom, circomlib and snarkjs.
    Circom,
    /// Semaphore's circuit and keys.
    Semaphore,
}

struct Files {
    // Below the folder of peers.
    folder: &'static str,
    what: &'static str,
    files: &'static [(&'static str, &'static str)],
    lock: &'static str,
}

const LOCK_FILE: &str = "package-lock.json";
// Written when a package is complete: what it was installed from.
const STAMP: &str = "node_modules/.veilpool-lock.json";

impl Package {
    const fn files(self) -> Files {
        match self {
            Self::Circom => Files {
                folder: "circom",
                what: "circom, circomlib and snarkjs (70 MB unpacked)",
                files: &[
                    ("package.json", include_str!("../../peers/package.json")),
                    (
                        "circuits/claim.circom",
                        include_str!("../../peers/circuits/claim.circom"),
                    ),
                    ("warm.mjs", include_str!("../../peers/warm.mjs")),
                ],
                lock: include_str!("../../peers/package-lock.json"),
            },
            Self::Semaphore => Files {
                folder: "semaphore",
                what: "Semaphore's circuits and keys (a download of 110 MB)",
                files: &[
                    (
                        "package.json",
                        include_str!("../../peers/semaphore/package.json"),
                    ),
                    ("input.mjs", include_str!("../../peers/semaphore/input.mjs")),
                ],
                lock: include_str!("../../peers/semaphore/package-lock.json"),
            },
        }
    }
}

/// A folder with a package and what is made by it.
#[derive(Clone, Debug)]
pub struct Install {
    folder: PathBuf,
}

/// Of the packages that are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The JavaScript runtime.
    pub node: String,
    /// Prover in JavaScript and WebAssembly.
    pub snarkjs: String,
    /// The compiler inside of the package `circom2`.
    pub circom: String,
    /// Its library.
    pub circomlib: String,
    /// Semaphore's circuit and keys.
    pub semaphore_artifacts: String,
    /// The binary that was named, and its SHA-256: rapidsnark has no version to ask for.
    pub rapidsnark: Option<String>,
}

impl Install {
    /// Installs a package below the folder of peers, if it isn't there.
    ///
    /// # Errors
    /// When Node or npm is missing or too old, a package can't be had, or the folder can't be written.
    pub fn ready(
        package: Package,
        peers: &Path,
        progress: &mut dyn Progress,
    ) -> anyhow::Result<Self> {
        check_node()?;
        let Files {
            folder,
            what,
            files,
            lock,
        } = package.files();
        let folder = peers.join(folder);
        fs::create_dir_all(folder.join("circuits"))
            .with_context(|| format!("making {}", folder.display()))?;
        // npm and node are run in it.
        let install = Self {
            folder: folder.canonicalize()?,
        };
        let _turn = install.turn()?;
        for (name, content) in files.iter().chain(&[(LOCK_FILE, lock)]) {
            fs::write(install.folder.join(name), content)
                .with_context(|| format!("writing {name} into {}", install.folder.display()))?;
        }
        if fs::read_to_string(install.path(STAMP)).is_ok_and(|stamp| stamp == lock) {
            return Ok(install);
        }
        progress.begins(&format!("installing {what} by npm, once"));
        install.run(
            "npm",
            &[
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
            ],
        )?;
        fs::write(install.path(STAMP), lock)?;
        Ok(install)
    }

    /// Waits until no other process makes anything in this folder; others wait until the result is dropped.
    ///
    /// # Errors
    /// When the lock's file can't be made.
    pub fn turn(&self) -> anyhow::Result<fs::File> {
        let file = fs::File::create(self.path(".turn")).context("making the folder's lock")?;
        file.lock().context("waiting for the folder's lock")?;
        Ok(file)
    }

    /// Where everything is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Version of one of its packages.
    ///
    /// # Errors
    /// When there is none.
    pub fn version(&self, name: &str) -> anyhow::Result<String> {
        let path = self.path(&format!("node_modules/{name}/package.json"));
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let manifest: serde_json::Value = serde_json::from_str(&text)?;
        let version = manifest["version"].as_str();
        Ok(version
            .with_context(|| format!("{name} has no version"))?
            .to_owned())
    }

    /// Runs a program in the folder, and gives back what it printed.
    ///
    /// # Errors
    /// When it can't be started, or fails; with what it said.
    pub fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("starting {program}"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "{program} {} failed: {said}{}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(said)
    }

    /// Runs snarkjs.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn snarkjs(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut all = vec![SNARKJS];
        all.extend(arguments);
        self.run("node", &all)
    }
}

/// Versions of everything that is compared.
///
/// # Errors
/// When something has none.
pub fn versions(
    circom: &Install,
    semaphore: &Install,
    rapidsnark: Option<&Path>,
) -> anyhow::Result<Versions> {
    // Two lines: the package's version, the compiler's.
    let said = circom.run("node", &["node_modules/circom2/cli.js", "--version"])?;
    let compiler = said.lines().last().unwrap_or_default();
    Ok(Versions {
        node: output_of("node", &["--version"]).context("asking Node for its version")?,
        snarkjs: circom.version("snarkjs")?,
        circom: compiler
            .trim()
            .trim_start_matches("circom compiler ")
            .to_owned(),
        circomlib: circom.version("circomlib")?,
        semaphore_artifacts: semaphore.version("@zk-kit/semaphore-artifacts")?,
        rapidsnark: rapidsnark.map(named).transpose()?,
    })
}

fn named(binary: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(binary).with_context(|| binary.display().to_string())?;
    let name = binary.file_name().unwrap_or_default().to_string_lossy();
    let hash = Sha256::digest(bytes);
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{name}, SHA-256 {hash}"))
}

/// snarkjs' command line, below the folder.
pub const SNARKJS: &str = "node_modules/snarkjs/build/cli.cjs";

fn check_node() -> anyhow::Result<()> {
    let how = "the peers run in Node 18 or later with npm: `make bench` installs them on Debian, or leave the peers out \
               with `--only`";
    let Some(version) = output_of("node", &["--version"]) else {
        bail!("Node is missing; {how}");
    };
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    ensure!(
        major.is_some_and(|major| major >= NODE_MAJOR),
        "Node is {version}; {how}"
    );
    ensure!(
        output_of("npm", &["--version"]).is_some(),
        "npm is missing; {how}"
    );
    Ok(())
}
