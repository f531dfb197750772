//! One pair of ends in a lab of its own, for one round.

use std::{
    collections::BTreeMap,
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    ends::{Duties, Ends, PORT},
    entrant::Entrant,
    iperf::Transfer,
    lab::{Lab, NODE, SERVER, STRANGER},
    ping::Latency,
    process::{Running, cpu_seconds, finish},
};

/// What a round found, by name: see the document.
pub(crate) type Sample = BTreeMap<String, f64>;

/// How much longer than its measurement iperf3 may take.
const PATIENCE: Duration = Duration::from_secs(12);
/// Pings begin so long after the stream, and end so long before it.
const MARGIN: f64 = 0.3;
/// iperf3's port, as `/proc/net/tcp` writes it, and a listening socket's state.
const LISTENING: (&str, &str) = (":1451 ", " 0A ");
/// Handshake initiations a second.
pub(crate) const FLOOD: u32 = 5000;
/// Where packets of many peers go.
const SINK: u16 = 4433;

/// A transfer, by its name in a [`Sample`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    arguments: &'static [&'static str],
    pings: bool,
}

const fn kind(name: &'static str, arguments: &'static [&'static str], pings: bool) -> Kind {
    Kind {
        name,
        arguments,
        pings,
    }
}

/// One TCP stream; up is from the client.
pub(crate) const ONE: [Kind; 2] = [kind("tcp1_up", &[], true), kind("tcp1_down", &["-R"], true)];
/// All.
pub(crate) const ALL: [Kind; 6] = [
    ONE[0],
    ONE[1],
    kind("tcp4_up", &["-P", "4"], false),
    kind("tcp4_down", &["-P", "4", "-R"], false),
    kind("udp_up", &["-u", "-b", "0", "-l", "1300"], false),
    kind("udp_down", &["-u", "-b", "0", "-l", "1300", "-R"], false),
];

/// Client and exit.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) client: Entrant,
    pub(crate) exit: Entrant,
}

/// A lab in which everything runs.
struct Rig {
    // Before the lab: they end first.
    ends: Ends,
    server: Running,
    lab: Lab,
}

impl Rig {
    fn new(pair: &Pair, duties: Duties) -> anyhow::Result<Self> {
        let lab = Lab::new()?;
        let ends = Ends::start(&lab, &pair.client, &pair.exit, duties)?;
        let server = Running::start(lab.server.command("iperf3").arg("-s"))?;
        let rig = Self { ends, server, lab };
        rig.wait_for_server()?;
        Ok(rig)
    }

    fn wait_for_server(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let (port, state) = LISTENING;
        loop {
            let listens = ["tcp", "tcp6"].iter().any(|table| {
                let path = format!("/proc/{}/net/{table}", self.server.pid());
                let text = fs::read_to_string(path).unwrap_or_default();
                text.lines()
                    .any(|line| line.contains(port) && line.contains(state))
            });
            if listens {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "iperf3 doesn't listen");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Adds what one transfer found.
    fn transfer(&self, kind: Kind, seconds: u32, sample: &mut Sample) -> anyhow::Result<()> {
        let cpu = |pid: Option<u32>| pid.map(cpu_seconds).transpose();
        let before = (cpu(self.ends.exit())?, cpu(self.ends.client())?);
        let (transfer, latency) = thread::scope(|scope| {
            let stream = scope.spawn(|| self.iperf(kind, seconds));
            let latency = kind.pings.then(|| self.ping(seconds));
            let transfer = stream.join().ok().context("iperf3's thread is gone")?;
            anyhow::Ok((transfer?, latency.transpose()?))
        })?;
        let after = (cpu(self.ends.exit())?, cpu(self.ends.client())?);
        let mut put = |name: &str, value: Option<f64>| {
            if let Some(value) = value {
                sample.insert(format!("{}{name}", kind.name), value);
            }
        };
        let each = |before: Option<f64>, after: Option<f64>| {
            Some((after? - before?) / transfer.gigabytes())
        };
        put("_gbit", Some(transfer.gbit_per_second()));
        put("_loss", transfer.loss);
        put("_exit_cpu", each(before.0, after.0));
        put("_client_cpu", each(before.1, after.1));
        if let Some(latency) = latency {
            put("_ping_p50", latency.quantile(0.5));
            put("_ping_p99", latency.quantile(0.99));
            put("_ping_loss", Some(latency.loss()));
        }
        Ok(())
    }

    fn iperf(&self, kind: Kind, seconds: u32) -> anyhow::Result<Transfer> {
        let mut command = self.lab.client.command("iperf3");
        let (server, length) = (SERVER.to_string(), seconds.to_string());
        command.args(["-c", &server, "-t", &length, "-J"]);
        command.args(kind.arguments);
        let within = Duration::from_secs(seconds.into()) + PATIENCE;
        Transfer::parse(&finish(&mut command, None, within)?.stdout)
    }

    fn ping(&self, seconds: u32) -> anyhow::Result<Latency> {
        thread::sleep(Duration::from_secs_f64(MARGIN));
        let mut command = self.lab.client.command("ping");
        let count = ((f64::from(seconds) - 2.0 * MARGIN) / 0.01).max(1.0);
        command.args(["-n", "-i", "0.01", "-W", "1", "-c", &format!("{count:.0}")]);
        let within = Duration::from_secs(seconds.into()) + PATIENCE;
        let output = finish(command.arg(SERVER.to_string()), None, within)?;
        Latency::parse(&output.stdout).with_context(|| format!("ping: {}", output.stderr.trim()))
    }

    /// The same, once more if it fails: a server that is still busy with the last one refuses the next.
    fn insist(&self, kind: Kind, seconds: u32, sample: &mut Sample) -> anyhow::Result<()> {
        thread::sleep(Duration::from_millis(100));
        self.transfer(kind, seconds, sample).or_else(|_| {
            thread::sleep(Duration::from_secs(1));
            self.transfer(kind, seconds, sample)
        })
    }
}

/// Several transfers. One that fails is absent, and said.
pub(crate) fn transfers(
    pair: &Pair,
    duties: Duties,
    kinds: &[Kind],
    seconds: u32,
) -> anyhow::Result<Sample> {
    let rig = Rig::new(pair, duties)?;
    let mut sample = Sample::new();
    for kind in kinds {
        if let Err(error) = rig.insist(*kind, seconds, &mut sample) {
            eprintln!("         {} failed: {error:#}", kind.name);
        }
    }
    Ok(sample)
}

/// A TCP stream each way, without and with a flood of handshakes from elsewhere.
pub(crate) fn flooded(pair: &Pair, seconds: u32) -> anyhow::Result<Sample> {
    let rig = Rig::new(pair, Duties::default())?;
    let mut sample = Sample::new();
    for kind in ONE {
        rig.insist(kind, seconds, &mut sample)?;
        let mut command = rig.lab.client.ourselves("flood");
        command.args(["--from", &STRANGER.to_string()]);
        command.args(["--to", &format!("{NODE}:{PORT}")]);
        command.args(["--per-second", &FLOOD.to_string()]);
        command.args(["--seconds", &(seconds + 1).to_string()]);
        let mut flood = Running::start_ours(&mut command, &STANDARD.encode(rig.ends.key))?;
        flood.tell("go")?;
        let mut during = Sample::new();
        rig.transfer(kind, seconds, &mut during)?;
        let sent: f64 = flood
            .hear()?
            .parse()
            .context("the flood doesn't say how much it was")?;
        sample.extend(
            during
                .into_iter()
                .map(|(name, value)| (format!("flood_{name}"), value)),
        );
        sample.insert(format!("flood_{}_sent", kind.name), sent);
    }
    Ok(sample)
}

/// UDP packets of so many peers, all sent by one process.
pub(crate) fn active(pair: &Pair, peers: u8, seconds: u32) -> anyhow::Result<Sample> {
    let rig = Rig::new(pair, Duties::default())?;
    let first = 100u8;
    let addresses: String = (first..first.saturating_add(peers))
        .map(|last| format!("addr add 192.0.2.{last}/24 dev outer\n"))
        .collect();
    rig.lab.client.feed("ip", &["-batch", "-"], &addresses)?;
    // Counted by the device, then dropped: nobody listens.
    rig.lab.server.feed(
        "nft",
        &["-f", "-"],
        &format!("table ip sink {{ chain in {{ type filter hook prerouting priority -300; udp dport {SINK} drop; }}\n}}"),
    )?;
    let mut command = rig.lab.client.ourselves("load");
    command.args(["--from", &format!("192.0.2.{first}")]);
    command.args(["--peers", &peers.to_string()]);
    command.args(["--node", &format!("{NODE}:{PORT}")]);
    command.args(["--sink", &format!("{SERVER}:{SINK}")]);
    let mut load = Running::start_ours(&mut command, &STANDARD.encode(rig.ends.key))?;
    load.tell("go")?;
    thread::sleep(Duration::from_millis(500));
    let exit = rig.ends.exit().context("the exit is no process")?;
    let look = || {
        anyhow::Ok((
            Instant::now(),
            received(rig.server.pid())?,
            cpu_seconds(exit)?,
        ))
    };
    let (began, bytes, cpu) = look()?;
    thread::sleep(Duration::from_secs(seconds.into()));
    let (ended, bytes_then, cpu_then) = look()?;
    let bytes = (bytes_then - bytes) as f64;
    ensure!(bytes > 0.0 && load.is_running(), "nothing arrived");
    let gbit = bytes * 8e-9 / (ended - began).as_secs_f64();
    Ok(Sample::from([
        (format!("active{peers}_gbit"), gbit),
        (
            format!("active{peers}_exit_cpu"),
            (cpu_then - cpu) / (bytes * 1e-9),
        ),
    ]))
}

/// Bytes that have come in by the uplink of the namespace of a process.
fn received(pid: u32) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/net/dev"))?;
    received_of(&text, "uplink").context("there is no uplink")
}

fn received_of(text: &str, device: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(device)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_a_device_are_the_first_number_of_its_line() {
        let text = "Inter-|   Receive\n face |bytes\n    lo: 1 2\nuplink: 77 3 0\n uplink2: 5 6\n";
        assert_eq!(received_of(text, "uplink"), Some(77));
        assert_eq!(received_of(text, "wlan"), None);
    }
}
