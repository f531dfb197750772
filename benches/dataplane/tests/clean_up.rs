//! A run that is interrupted leaves nothing behind.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// For namespaces to appear, and for the program to end: generous, on a machine with other work.
const WITHIN: Duration = Duration::from_secs(60);

fn namespaces(pid: u32) -> usize {
    let begin = format!("vpbench{pid}x");
    let entries = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&begin))
        .count()
}

#[test]
fn an_interrupted_run_removes_its_namespaces_and_ends() {
    let out = tempfile::tempdir().unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_dataplane-bench"))
        .args([
            "--only",
            "idle",
            "--rounds",
            "1",
            "--seconds",
            "60",
            "--out",
        ])
        .arg(out.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + WITHIN;
    while namespaces(run.id()) < 3 {
        let status = run.try_wait().unwrap();
        assert_eq!(status, None, "`make test` installs what it needs, as root");
        assert!(Instant::now() < deadline, "no namespace was made");
        thread::sleep(Duration::from_millis(10));
    }
    kill(
        Pid::from_raw(i32::try_from(run.id()).unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    let status = loop {
        if let Some(status) = run.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            run.kill().unwrap();
            panic!("it didn't end");
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(128 + Signal::SIGINT as i32));
    assert_eq!(namespaces(run.id()), 0);
}
