//! Three network namespaces in a row, and how they go away again.
//!
//! ```text
//! client 192.0.2.1 ─ outer ─ 192.0.2.2 node 11.7.0.1 ─ uplink ─ 11.7.0.2 server
//! ```
//!
//! Names begin with [`PREFIX`] and this process' number. Whatever runs in such a namespace was started there by this
//! program, so that clean-up ends it, then deletes the namespace, and with it devices, routes and firewall. It happens
//! when a [`Lab`] is dropped (failures and panics too) and on SIGINT, SIGTERM and SIGHUP; what a killed run left behind,
//! the next one removes.

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{SigSet, Signal, kill},
    unistd::Pid,
};

use crate::process::{finish, succeed};

/// What names of namespaces begin with.
const PREFIX: &str = "vpbench";
/// A command that sets something up takes milliseconds.
const WITHIN: Duration = Duration::from_secs(10);
/// Bound of the clean-up of a namespace.
const CLEAN_WITHIN: Duration = Duration::from_secs(5);

/// The client's outer address.
pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The node's outer address.
pub(crate) const NODE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Whence handshakes flood.
pub(crate) const STRANGER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 3);
/// The server. A public address, since an exit's policy refuses all others; it exists in the namespaces only.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(11, 7, 0, 2);

static COUNT: AtomicU32 = AtomicU32::new(0);
// Whoever ends the process keeps it locked, so that nothing new is made meanwhile.
static OPEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn open() -> MutexGuard<'static, Vec<String>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cleans up and ends the process on SIGINT, SIGTERM and SIGHUP. To be called before there are other threads.
pub(crate) fn clean_up_on_signals() -> anyhow::Result<()> {
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
    signals.thread_block()?;
    thread::spawn(move || {
        let signal = signals.wait();
        eprintln!("removing what was made …");
        let open = open();
        for name in open.iter() {
            remove(name);
        }
        process::exit(128 + signal.map_or(0, |signal| signal as i32));
    });
    Ok(())
}

/// Removes namespaces of runs that were killed.
pub(crate) fn sweep() {
    for name in names() {
        let rest = name.strip_prefix(PREFIX).unwrap_or_default();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        if !digits.is_empty() && !Path::new("/proc").join(digits).exists() {
            remove(&name);
        }
    }
}

/// Namespaces that there are.
fn names() -> Vec<String> {
    let entries = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

fn remove(name: &str) {
    let deadline = Instant::now() + CLEAN_WITHIN;
    while Path::new("/run/netns").join(name).exists() && Instant::now() < deadline {
        let pids = finish(
            Command::new("ip").args(["netns", "pids", name]),
            None,
            CLEAN_WITHIN,
        );
        let pids = pids.map(|output| output.stdout).unwrap_or_default();
        for pid in pids.lines().filter_map(|line| line.trim().parse().ok()) {
            // Not this process, whatever ip(8) says.
            if pid > 1 && u32::try_from(pid) != Ok(process::id()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        let _ = finish(
            Command::new("ip").args(["netns", "del", name]),
            None,
            CLEAN_WITHIN,
        );
    }
    // What programs of WireGuard leave when they are killed.
    let mut tag = name.trim_start_matches(PREFIX).to_owned();
    tag.pop();
    for role in ["c", "n"] {
        let _ = fs::remove_file(control(&format!("{role}{tag}")));
    }
}

/// Where a program of WireGuard listens for wg(8); devices' names are made of a letter and a lab's.
pub(crate) fn control(device: &str) -> PathBuf {
    Path::new("/var/run/wireguard").join(format!("{device}.sock"))
}

/// A host.
pub(crate) struct Namespace(String);

impl Namespace {
    fn new(lab: &str, role: &str) -> anyhow::Result<Self> {
        let host = Self(format!("{lab}{role}"));
        let mut open = open();
        open.push(host.0.clone());
        succeed(
            Command::new("ip").args(["netns", "add", &host.0]),
            None,
            WITHIN,
        )?;
        drop(open);
        host.ip(&["link", "set", "lo", "up"])?;
        Ok(host)
    }

    /// A command that is going to run here.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.0])
            .arg(program.as_ref());
        command
    }

    /// This program once more, here.
    pub(crate) fn ourselves(&self, task: &str) -> Command {
        // Not by its path: a build may have replaced it.
        let mut command = self.command(format!("/proc/{}/exe", process::id()));
        command.arg(task);
        command
    }

    /// Runs a command here that has to succeed.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        succeed(self.command(program).args(arguments), None, WITHIN)
    }

    /// The same, and gives it something to read.
    pub(crate) fn feed(
        &self,
        program: &str,
        arguments: &[&str],
        input: &str,
    ) -> anyhow::Result<String> {
        succeed(self.command(program).args(arguments), Some(input), WITHIN)
    }

    /// `ip …` here.
    pub(crate) fn ip(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let command = &mut Command::new("ip");
        command.args(["-n", &self.0]).args(arguments);
        succeed(command, None, WITHIN).map(drop)
    }

    fn set(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let script = format!("echo '{value}' > /proc/sys/net/ipv4/{name}");
        self.run("sh", &["-c", &script]).map(drop)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let mut open = open();
        remove(&self.0);
        open.retain(|name| *name != self.0);
    }
}

/// Three hosts.
pub(crate) struct Lab {
    pub(crate) client: Namespace,
    pub(crate) node: Namespace,
    pub(crate) server: Namespace,
    /// Name of this lab, short enough for devices.
    pub(crate) tag: String,
}

impl Lab {
    /// Makes them.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let count = COUNT.fetch_add(1, Ordering::Relaxed) % 1000;
        let tag = format!("{}x{count}", process::id());
        let name = format!("{PREFIX}{tag}");
        let lab = Self {
            client: Namespace::new(&name, "c")?,
            node: Namespace::new(&name, "n")?,
            server: Namespace::new(&name, "s")?,
            tag,
        };
        cable("outer", (&lab.client, CLIENT), (&lab.node, NODE))?;
        lab.client
            .ip(&["addr", "add", &format!("{STRANGER}/24"), "dev", "outer"])?;
        let gateway = Ipv4Addr::new(11, 7, 0, 1);
        cable("uplink", (&lab.node, gateway), (&lab.server, SERVER))?;
        lab.node.set("ip_forward", "1")?;
        // Echoes of the mode without privileges.
        lab.node.set("ping_group_range", "0 2147483647")?;
        lab.node.feed(
            "nft",
            &["-f", "-"],
            "table ip bench { chain out { type nat hook postrouting priority 100; oifname \"uplink\" masquerade; }\n}",
        )?;
        Ok(lab)
    }
}

/// A cable between two hosts; both ends are called `device`.
fn cable(device: &str, a: (&Namespace, Ipv4Addr), b: (&Namespace, Ipv4Addr)) -> anyhow::Result<()> {
    let far = ["peer", "name", device, "netns", &b.0.0];
    let near = ["link", "add", device, "netns", &a.0.0, "type", "veth"];
    succeed(Command::new("ip").args(near).args(far), None, WITHIN)?;
    for (host, address) in [a, b] {
        host.ip(&["addr", "add", &format!("{address}/24"), "dev", device])?;
        host.ip(&["link", "set", device, "up"])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    fn of_this_test(lab: &str) -> Vec<String> {
        let mine = format!("{PREFIX}{lab}");
        names()
            .into_iter()
            .filter(|name| name.starts_with(&mine))
            .collect()
    }

    #[test]
    fn namespaces_and_what_runs_in_them_are_gone_after_a_failure() {
        let (tag, mut child) = {
            let lab = Lab::new().unwrap();
            assert_eq!(of_this_test(&lab.tag).len(), 3);
            let child = lab
                .server
                .command("sleep")
                .arg("600")
                .stdin(Stdio::null())
                .spawn()
                .unwrap();
            // Until `ip` is there.
            while lab
                .server
                .run("true", &[])
                .and_then(|_| {
                    succeed(
                        Command::new("ip").args(["netns", "pids", &lab.server.0]),
                        None,
                        WITHIN,
                    )
                })
                .unwrap()
                .is_empty()
            {
                thread::sleep(Duration::from_millis(5));
            }
            let tag = lab.tag.clone();
            let failed = move || -> anyhow::Result<()> {
                lab.client.run("false", &[])?;
                Ok(())
            };
            assert!(failed().is_err());
            (tag, child)
        };
        assert_eq!(of_this_test(&tag), Vec::<String>::new());
        assert!(!child.wait().unwrap().success());
        assert!(open().iter().all(|name| !name.contains(&tag)));
    }

    #[test]
    fn namespaces_are_gone_after_a_panic() {
        let (send, tag) = std::sync::mpsc::channel();
        let panicked = thread::spawn(move || {
            let lab = Lab::new().unwrap();
            send.send(lab.tag.clone()).unwrap();
            assert_eq!(lab.tag, "", "on purpose");
        })
        .join();
        assert!(panicked.is_err());
        assert_eq!(of_this_test(&tag.recv().unwrap()), Vec::<String>::new());
    }

    #[test]
    fn what_a_killed_run_left_is_swept_and_nothing_else() {
        // Beyond the largest process number of Linux, 2^22.
        let left = format!("{PREFIX}99999999x0c");
        let living = format!("{PREFIX}{}x999c", process::id());
        for name in [&left, &living] {
            succeed(
                Command::new("ip").args(["netns", "add", name]),
                None,
                WITHIN,
            )
            .unwrap();
        }
        sweep();
        let names = names();
        remove(&living);
        assert!(!names.contains(&left));
        assert!(names.contains(&living));
    }
}
