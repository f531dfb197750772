//! Network namespaces for tests. What is missing on a machine fails them.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// A network namespace of its own, taken away at the end, also of a test that fails.
pub(crate) struct Namespace(String);

impl Namespace {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("veilpool-policy-{}-{number}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        let made = made.expect("`ip` is missing: install the package iproute2");
        assert!(
            made.status.success(),
            "this test needs a network namespace, that is root or CAP_NET_ADMIN and CAP_SYS_ADMIN: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        Self(name)
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Runs nft(8) here.
    pub(crate) fn nft(&self, arguments: &[&str], input: &str) -> Output {
        let found = Command::new("nft").arg("--version").output();
        found.expect("`nft` is missing: install the package nftables");
        let command: Vec<_> = ["nft"].iter().chain(arguments).copied().collect();
        self.run(&command, input)
    }

    /// Runs a script of bash here, which has to succeed.
    pub(crate) fn shell(&self, script: &str) {
        let output = self.try_shell(&format!("set -e\n{script}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{script}");
    }

    /// Runs a script of bash here.
    pub(crate) fn try_shell(&self, script: &str) -> Output {
        self.run(&["bash"], script)
    }

    fn run(&self, command: &[&str], input: &str) -> Output {
        let mut child = Command::new("ip")
            .args(["netns", "exec", &self.0])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    pub(crate) fn takes(&self, arguments: &[&str], ruleset: &str) {
        let output = self.nft(arguments, ruleset);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "nft refused it:\n{said}\n{ruleset}"
        );
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "delete", &self.0])
            .status();
    }
}
