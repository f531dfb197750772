//! Handshake initiations with right MACs, each of another key, so many a second: made beforehand, since making one takes
//! longer than refusing it.

use std::{
    io::{self, BufRead, Write},
    net::{IpAddr, SocketAddr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use veilpool_tunnel::Initiator;

use crate::load::read_key;

/// How often some are sent.
const STEP: Duration = Duration::from_millis(2);

/// What is sent whither.
#[derive(Clone, Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    from: IpAddr,
    #[arg(long)]
    to: SocketAddr,
    #[arg(long)]
    per_second: u32,
    #[arg(long)]
    seconds: u32,
}

/// Reads the key, makes the messages, says "ready", waits for a line, sends, and says how many.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut lines = io::stdin().lock().lines();
    let key = read_key(&mut lines)?;
    let count = arguments.per_second * arguments.seconds;
    let mut out = Vec::new();
    for _ in 0..count {
        Initiator::new(&key, &mut rand::thread_rng()).start_handshake(&mut out);
    }
    let socket = UdpSocket::bind((arguments.from, 0))?;
    socket.connect(arguments.to)?;
    println!("ready");
    io::stdout().flush()?;
    lines.next().context("nobody wants it")??;
    let begun = Instant::now();
    let mut sent = 0;
    for (number, (_, message)) in out.iter().enumerate() {
        let due = begun + Duration::from_secs_f64(number as f64 / f64::from(arguments.per_second));
        if due > Instant::now() {
            thread::sleep(STEP);
        }
        sent += u32::from(socket.send(message).is_ok());
    }
    println!("{sent}");
    Ok(())
}
