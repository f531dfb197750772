//! Installing the peers' packages into the cache: `npm ci` on a lock that pins every file by its hash, without running
//! anybody's install scripts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::{machine::output_of, progress::Progress};

/// Of the Node that is wanted.
pub const NODE_MAJOR: u32 = 18;
const PACKAGE: &str = include_str!("../../peers/package.json");
const LOCK: &str = include_str!("../../peers/package-lock.json");
const CIRCUIT: &str = include_str!("../../peers/circuits/claim.circom");
const SEMAPHORE: &str = include_str!("../../peers/semaphore.mjs");
const WARM: &str = include_str!("../../peers/warm.mjs");
// Written when the packages are complete: what they were installed from.
const STAMP: &str = "node_modules/.veilpool-lock.json";

/// The folder with the packages and what is made by them.
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
    /// What rapidsnark's binary calls itself, if one was named.
    pub rapidsnark: Option<String>,
}

impl Install {
    /// Installs what is missing below `folder`.
    ///
    /// # Errors
    /// When Node or npm is missing or too old, a package can't be had, or the folder can't be written.
    pub fn ready(folder: &Path, progress: &mut dyn Progress) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("circuits"))
            .with_context(|| format!("making {}", folder.display()))?;
        let install = Self {
            // npm and node are run in it.
            folder: folder.canonicalize()?,
        };
        for (name, content) in [
            ("package.json", PACKAGE),
            ("package-lock.json", LOCK),
            ("circuits/claim.circom", CIRCUIT),
            ("semaphore.mjs", SEMAPHORE),
            ("warm.mjs", WARM),
        ] {
            fs::write(install.folder.join(name), content)
                .with_context(|| format!("writing {name} into {}", folder.display()))?;
        }
        check_node()?;
        if fs::read_to_string(install.folder.join(STAMP)).is_ok_and(|stamp| stamp == LOCK) {
            return Ok(install);
        }
        progress.begins("installing the peers' packages by npm (130 MB, mostly Semaphore's keys)");
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
        fs::write(install.folder.join(STAMP), LOCK)?;
        Ok(install)
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

    /// Versions of what is installed.
    ///
    /// # Errors
    /// When a package has none.
    pub fn versions(&self, rapidsnark: Option<&Path>) -> anyhow::Result<Versions> {
        let package = |name: &str| -> anyhow::Result<String> {
            let path = self.path(&format!("node_modules/{name}/package.json"));
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let manifest: serde_json::Value = serde_json::from_str(&text)?;
            Ok(manifest["version"]
                .as_str()
                .with_context(|| format!("{name} has no version"))?
                .to_owned())
        };
        // Two lines: the package's version, the compiler's.
        let circom = self.run("node", &["node_modules/circom2/cli.js", "--version"])?;
        let circom = circom.lines().last().unwrap_or_default();
        Ok(Versions {
            node: output_of("node", &["--version"]).context("asking Node for its version")?,
            snarkjs: package("snarkjs")?,
            circom: circom.replace("circom compiler ", "").trim().to_owned(),
            circomlib: package("circomlib")?,
            semaphore_artifacts: package("@zk-kit/semaphore-artifacts")?,
            rapidsnark: rapidsnark.map(|path| path.display().to_string()),
        })
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
