//! Hosts of a test: network namespaces that it makes, joined by virtual cables, and gone when it ends.

use std::{
    fs::File,
    net::IpAddr,
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use nix::sched::{CloneFlags, setns};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A host.
pub(crate) struct Host(String);

impl Host {
    pub(crate) fn new() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("vp{}x{number}", std::process::id());
        ip(&["netns", "add", &name]);
        let host = Self(name);
        host.ip(&["link", "set", "lo", "up"]);
        // Without a second of waiting whether somebody else has a link's own address.
        host.run("sysctl", &["-qw", "net.ipv6.conf.default.accept_dad=0"]);
        host
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// `ip …` here.
    pub(crate) fn ip(&self, arguments: &[&str]) {
        let mut all = vec!["-n", &self.0];
        all.extend_from_slice(arguments);
        ip(&all);
    }

    /// A command that is going to run here.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]);
        command
    }

    /// Runs a command here to its end.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let output = self.command(program).args(arguments).output();
        checked(program, output)
    }

    /// Addresses of an interface where the calling thread is, but for link-local ones.
    pub(crate) fn addresses(device: &str) -> Vec<IpAddr> {
        let output = Command::new("ip")
            .args(["-o", "addr", "show", "dev", device])
            .output();
        let output = checked("ip", output);
        let text = String::from_utf8(output.stdout).unwrap();
        let words = text
            .split_whitespace()
            .filter_map(|word| word.split_once('/'));
        let addresses = words.filter_map(|(address, _)| address.parse().ok());
        addresses
            .filter(|address: &IpAddr| !address.to_string().starts_with("fe80"))
            .collect()
    }

    /// Runs `work` in a thread of this host; threads that it starts are of this host too.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let file = File::open(format!("/run/netns/{}", self.0)).unwrap();
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&file, CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            inside.join().unwrap()
        })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// A cable between two hosts; both ends are called `device`, and have these addresses.
pub(crate) fn cable(device: &str, a: (&Host, &[&str]), b: (&Host, &[&str])) {
    let far = ["peer", "name", device, "netns", b.0.name()];
    let mut arguments = vec!["link", "add", device, "netns", a.0.name(), "type", "veth"];
    arguments.extend_from_slice(&far);
    ip(&arguments);
    for (host, addresses) in [a, b] {
        for address in addresses {
            // Without duplicate address detection, which takes a second.
            let flag: &[&str] = if address.contains(':') {
                &["nodad"]
            } else {
                &[]
            };
            let mut arguments = vec!["addr", "add", address, "dev", device];
            arguments.extend_from_slice(flag);
            host.ip(&arguments);
        }
        host.ip(&["link", "set", device, "up"]);
    }
}

fn ip(arguments: &[&str]) {
    checked("ip", Command::new("ip").args(arguments).output());
}

fn checked(program: &str, output: std::io::Result<Output>) -> Output {
    let output = output.unwrap_or_else(|error| {
        panic!("'{program}' can't be run ({error}): this test needs iproute2, nftables, wireguard-tools and wireguard-go, which `make test` installs")
    });
    assert!(
        output.status.success(),
        "'{program}' failed; this test needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN): {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
