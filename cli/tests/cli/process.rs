//! Running `veilpool`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

/// The command, without anything of this machine's environment that it would read.
pub(crate) fn veilpool<S: AsRef<str>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilpool"));
    command.args(arguments.iter().map(AsRef::as_ref));
    for variable in [
        "VEILPOOL_RPC",
        "VEILPOOL_PROGRAM",
        "VEILPOOL_POOL",
        "VEILPOOL_PASSPHRASE",
        "VEILPOOL_LOG",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Runs it to its end.
pub(crate) fn run<S: AsRef<str>>(arguments: &[S]) -> Output {
    veilpool(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Runs it to its end, which must be a success, and gives what it says as JSON.
pub(crate) fn json<S: AsRef<str>>(arguments: &[S]) -> Value {
    let mut all: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    all.push("--json");
    let output = run(&all);
    assert!(
        output.status.success(),
        "veilpool {}: {}",
        all.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What it says on stderr when it fails.
pub(crate) fn failure<S: AsRef<str>>(arguments: &[S]) -> String {
    let output = run(arguments);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// A daemon. Ended as by `kill -9` when dropped.
pub(crate) struct Daemon {
    arguments: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
    /// What it said when it was running, as JSON.
    pub(crate) said: Value,
}

impl Daemon {
    /// Starts it and waits until it says that it is running. Its stderr goes to a file.
    pub(crate) fn start<S: AsRef<str>>(log: &Path, arguments: &[S]) -> Self {
        let mut arguments: Vec<String> = arguments
            .iter()
            .map(|part| part.as_ref().to_owned())
            .collect();
        arguments.push("--json".into());
        let mut daemon = Self {
            arguments,
            log: log.to_owned(),
            child: None,
            said: Value::Null,
        };
        daemon.restart();
        daemon
    }

    /// Starts it again with the same arguments.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .unwrap();
        let mut child = veilpool(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut values = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>();
        let said = values.next();
        self.child = Some(child);
        let Some(Ok(said)) = said else {
            self.kill();
            panic!(
                "{:?} did not start: {}",
                self.arguments,
                fs::read_to_string(&self.log).unwrap()
            );
        };
        self.said = said;
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// A value of what it said.
    pub(crate) fn text(&self, name: &str) -> String {
        self.said[name].as_str().unwrap().to_owned()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}
