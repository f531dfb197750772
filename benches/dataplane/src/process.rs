//! Other programs: run to their end within a time, or kept running until dropped.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use nix::unistd::{SysconfVar, sysconf};

/// How often a running program is looked at.
const GLANCE: Duration = Duration::from_millis(5);
/// How long a program of ours may take to say that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What a program gave.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a program to its end. One that takes longer is killed, and that is an error.
pub(crate) fn finish(
    command: &mut Command,
    input: Option<&str>,
    within: Duration,
) -> anyhow::Result<Output> {
    let name = describe(command);
    let mut child = command
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("'{name}' can't be run"))?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(input.as_bytes())?;
    }
    let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
    let deadline = Instant::now() + within;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            bail!("'{name}' took longer than {} s", within.as_secs());
        }
        thread::sleep(GLANCE);
    };
    let text = |reader: thread::JoinHandle<String>| reader.join().unwrap_or_default();
    Ok(Output {
        status,
        stdout: text(stdout),
        stderr: text(stderr),
    })
}

/// Runs a program that has to succeed; gives what it printed.
pub(crate) fn succeed(
    command: &mut Command,
    input: Option<&str>,
    within: Duration,
) -> anyhow::Result<String> {
    let output = finish(command, input, within)?;
    ensure!(
        output.status.success(),
        "'{}' failed: {}",
        describe(command),
        output.stderr.trim()
    );
    Ok(output.stdout)
}

fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|argument| argument.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

fn read(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A program that runs until this is dropped.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts a program whose output nobody reads.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("'{}' can't be run", describe(command)))?;
        Ok(Self {
            child,
            stdin: None,
            stdout: None,
        })
    }

    /// Starts a program of ours, which is told a line and answers with one when it is ready.
    pub(crate) fn start_ours(command: &mut Command, line: &str) -> anyhow::Result<Self> {
        let name = describe(command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .with_context(|| format!("'{name}' can't be run"))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().map(BufReader::new);
        let mut running = Self {
            child,
            stdin,
            stdout,
        };
        running.tell(line)?;
        let answer = running.hear()?;
        ensure!(answer == "ready", "'{name}' didn't start: '{answer}'");
        Ok(running)
    }

    /// Says a line to it.
    pub(crate) fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("it doesn't listen")?;
        writeln!(stdin, "{line}")?;
        Ok(stdin.flush()?)
    }

    /// Waits for a line of it.
    pub(crate) fn hear(&mut self) -> anyhow::Result<String> {
        let mut stdout = self.stdout.take().context("it says nothing")?;
        let (send, line) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let result = stdout.read_line(&mut line);
            let _ = send.send((result.map(|_| line), stdout));
        });
        let (line, stdout) = line
            .recv_timeout(READY_WITHIN)
            .context("it didn't answer in time")?;
        self.stdout = Some(stdout);
        Ok(line?.trim().to_owned())
    }

    /// Its number. `ip netns exec` becomes the program, so it is the program's.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time that a process and its threads have taken so far, in seconds.
pub(crate) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("{path}: has it ended?"))?;
    let ticks = ticks(&text).with_context(|| format!("{path} isn't as expected"))?;
    let per_second = sysconf(SysconfVar::CLK_TCK)?.context("no CLK_TCK")?;
    Ok(ticks as f64 / per_second as f64)
}

/// utime + stime of proc_pid_stat(5). The name before them may contain anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_user_and_system_time_whatever_the_name_is() {
        let stat = "7 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 120 34 0 0 20 0 1 0";
        assert_eq!(ticks(stat), Some(154));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let begun = Instant::now();
        let result = finish(
            Command::new("sleep").arg("60"),
            None,
            Duration::from_millis(100),
        );
        let error = result.map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(error, Err("'sleep 60' took longer than 0 s".to_owned()));
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn this_process_has_taken_processor_time() {
        assert!(cpu_seconds(std::process::id()).is_ok_and(|seconds| seconds >= 0.0));
    }
}
