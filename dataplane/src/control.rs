//! Handshakes and timers, in a thread of their own: a flood of handshakes costs the packets nothing.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use veilpool_tunnel::{Outbox, Peers};

use crate::{Udp, counters::Counters, inbound::Handshake};

/// How often timers are looked at, and how soon a thread sees that it is to end.
pub(crate) const TICK: Duration = Duration::from_millis(250);
/// Handshake messages that wait.
const HANDSHAKES: usize = 512;
/// How often the limit of all peers is shared anew.
const SHARE: Duration = Duration::from_millis(100);

pub(crate) struct Control {
    udp: Arc<Udp>,
    peers: Arc<Peers>,
    counters: Arc<Counters>,
    handshakes: Receiver<Handshake>,
    ticked: Instant,
}

impl Control {
    /// And where handshake messages are handed in.
    pub(crate) fn new(
        udp: Arc<Udp>,
        peers: Arc<Peers>,
        counters: Arc<Counters>,
    ) -> (Self, SyncSender<Handshake>) {
        let (send, handshakes) = sync_channel(HANDSHAKES);
        let control = Self {
            udp,
            peers,
            counters,
            handshakes,
            ticked: Instant::now(),
        };
        (control, send)
    }

    /// Until the next tick; `false` when nobody hands in any more.
    pub(crate) fn step(&mut self) -> bool {
        let mut out = Outbox::new();
        let turn = if self.peers.is_shared() { SHARE } else { TICK };
        let due = Instant::now() + turn;
        loop {
            let now = Instant::now();
            match self
                .handshakes
                .recv_timeout(due.saturating_duration_since(now))
            {
                Ok((from, mut message)) => {
                    let now = Instant::now();
                    if self
                        .peers
                        .handshake(from, &mut message, now, &mut out)
                        .is_err()
                    {
                        self.counters.handshakes_refused.add(1);
                    }
                    self.send(&mut out);
                    if now < due {
                        continue;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
            break;
        }
        let now = Instant::now();
        self.peers.share(now);
        if turn == TICK || now.saturating_duration_since(self.ticked) >= TICK {
            self.ticked = now;
            self.peers.tick(now, &mut out);
            self.send(&mut out);
        }
        true
    }

    fn send(&self, out: &mut Outbox) {
        for (to, datagram) in out.drain(..) {
            if let Some(to) = to {
                self.udp.send(to, &datagram, datagram.len());
            }
        }
    }
}
