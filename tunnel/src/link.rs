//! One peer's end of a tunnel: a noise implementation with what it lacks in front of it.
//!
//! Every handshake message leaves with a sender index drawn at random, so that nobody sees that two sessions belong
//! together, as they would by an index of the peer's (attack: a guest that roams is followed). Inside, sessions are
//! numbered by the low byte that [`Noise`] counts up; [`Link`] knows which is which.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use boringtun::x25519::{PublicKey, StaticSecret};

use crate::{
    mac::{self, Macs},
    noise::{Boringtun, Noise, Output},
    wire::{self, Kind},
};

/// Handshakes and sessions that a peer can have at a time: eight of each at most.
const LIVE: usize = 16;

/// Where a link's random indices come from. They lead datagrams to it.
pub trait Indices {
    /// An index that nobody else here has.
    fn draw(&mut self) -> u32;
    /// It is used no longer.
    fn retire(&mut self, index: u32);
}

/// Indices of an end with a single peer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Indices for Alone {
    fn draw(&mut self) -> u32 {
        rand::random()
    }

    fn retire(&mut self, _: u32) {}
}

/// What comes of a datagram or a packet.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Nothing to do.
    Nothing,
    /// A datagram for the peer. After a handshake more may wait: ask [`Link::queued`].
    Network(&'a mut [u8]),
    /// An inner packet from the peer.
    Inner(&'a mut [u8]),
    /// An authentic datagram without a packet: a keepalive.
    Keepalive,
    /// Dropped.
    Refused,
    /// The peer has been silent for so long that all keys are gone.
    Expired,
}

/// A tunnel to one peer.
pub struct Link<N = Boringtun> {
    noise: N,
    macs: Macs,
    own_mac1_key: [u8; 32],
    // (low byte inside, index on the wire), oldest first
    names: VecDeque<(u8, u32)>,
    // Of the session that sent last: beyond the limit it is used no more.
    exhausted: bool,
}

impl Link {
    /// With boringtun. `keepalive` in seconds.
    #[must_use]
    pub fn new(
        secret: StaticSecret,
        peer: PublicKey,
        preshared: Option<[u8; 32]>,
        keepalive: Option<u16>,
    ) -> Self {
        let own = PublicKey::from(&secret);
        let noise = Boringtun::new(secret, peer, preshared, keepalive);
        Self::with_noise(noise, &own, &peer)
    }
}

impl<N: Noise> Link<N> {
    /// With another implementation.
    #[must_use]
    pub fn with_noise(noise: N, own: &PublicKey, peer: &PublicKey) -> Self {
        Self {
            noise,
            macs: Macs::new(peer),
            own_mac1_key: mac::mac1_key(own),
            names: VecDeque::with_capacity(LIVE),
            exhausted: false,
        }
    }

    /// Seals the first `len` bytes of a buffer that has 15 bytes more, which are overwritten with padding.
    /// `out` has 32 bytes more than `buffer`, and 148 at least.
    pub fn seal<'a>(
        &mut self,
        buffer: &mut [u8],
        len: usize,
        out: &'a mut [u8],
        now: Instant,
        indices: &mut impl Indices,
    ) -> Event<'a> {
        let padded = padded(len).min(buffer.len());
        let Some(packet) = buffer.get_mut(..padded) else {
            return Event::Refused;
        };
        if let Some(padding) = packet.get_mut(len..) {
            padding.fill(0);
        }
        if self.exhausted {
            return self.initiate(out, now, indices);
        }
        match self.noise.seal(packet, out) {
            Output::Network(datagram) => self.send(datagram, now, indices),
            other => without_datagram(other),
        }
    }

    /// Takes a datagram. Whether a handshake message's first MAC is right must have been checked. `out` is as long as the
    /// datagram, and 148 bytes at least.
    pub fn open<'a>(
        &mut self,
        kind: Kind,
        datagram: &mut [u8],
        out: &'a mut [u8],
        now: Instant,
        indices: &mut impl Indices,
    ) -> Event<'a> {
        match kind {
            Kind::Initiation => {}
            Kind::CookieReply => {
                return match self.macs.accept_cookie(datagram, now) {
                    true => Event::Nothing,
                    false => Event::Refused,
                };
            }
            Kind::Response => {
                let Some(inside) = self.inside(kind, datagram) else {
                    return Event::Refused;
                };
                wire::write_number(datagram, wire::RESPONSE_RECEIVER, inside);
                mac::write_mac1(&self.own_mac1_key, datagram);
            }
            Kind::Data => {
                let Some(inside) = self.inside(kind, datagram) else {
                    return Event::Refused;
                };
                if wire::counter(datagram).is_none_or(|n| n >= wire::REJECT_AFTER_MESSAGES) {
                    return Event::Refused;
                }
                wire::write_number(datagram, wire::RECEIVER, inside);
            }
        }
        match self.noise.open(datagram, out) {
            Output::Network(datagram) => {
                // A new session: its nonces begin at zero.
                self.exhausted = false;
                self.send(datagram, now, indices)
            }
            Output::Nothing => Event::Keepalive,
            other => without_datagram(other),
        }
    }

    /// The next packet that waited for a session.
    pub fn queued<'a>(
        &mut self,
        out: &'a mut [u8],
        now: Instant,
        indices: &mut impl Indices,
    ) -> Event<'a> {
        match self.noise.queued(out) {
            Output::Network(datagram) => self.send(datagram, now, indices),
            other => without_datagram(other),
        }
    }

    /// Keepalives, retries and new handshakes; call four times a second.
    pub fn tick<'a>(
        &mut self,
        out: &'a mut [u8],
        now: Instant,
        indices: &mut impl Indices,
    ) -> Event<'a> {
        match self.noise.tick(out) {
            Output::Network(datagram) => self.send(datagram, now, indices),
            other => without_datagram(other),
        }
    }

    /// Starts a handshake, whatever the state: the peer may have forgotten the session.
    pub fn initiate<'a>(
        &mut self,
        out: &'a mut [u8],
        now: Instant,
        indices: &mut impl Indices,
    ) -> Event<'a> {
        match self.noise.initiate(out) {
            Output::Network(datagram) => self.send(datagram, now, indices),
            other => without_datagram(other),
        }
    }

    /// Since the last completed handshake; `None` without a session.
    #[must_use]
    pub fn since_handshake(&self) -> Option<Duration> {
        self.noise.since_handshake()
    }

    /// All indices that lead here.
    pub fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        self.names.iter().map(|(_, index)| *index)
    }

    // The index that the noise implementation knows.
    fn inside(&self, kind: Kind, datagram: &[u8]) -> Option<u32> {
        let index = wire::receiver(kind, datagram)?;
        let (inside, _) = self.names.iter().rfind(|(_, name)| *name == index)?;
        Some(u32::from(*inside))
    }

    fn send<'a>(
        &mut self,
        datagram: &'a mut [u8],
        now: Instant,
        indices: &mut impl Indices,
    ) -> Event<'a> {
        match wire::kind(datagram) {
            Some(Kind::Initiation | Kind::Response) => {
                let index = match wire::number(datagram, wire::SENDER) {
                    Some(inside) => self.name(inside as u8, indices),
                    None => return Event::Refused,
                };
                wire::write_number(datagram, wire::SENDER, index);
                self.macs.sign(datagram, now);
            }
            _ => {
                if wire::counter(datagram).is_none_or(|n| n >= wire::REJECT_AFTER_MESSAGES) {
                    self.exhausted = true;
                    return Event::Refused;
                }
            }
        }
        Event::Network(datagram)
    }

    fn name(&mut self, inside: u8, indices: &mut impl Indices) -> u32 {
        let index = indices.draw();
        let replaced = match self.names.iter().position(|(known, _)| *known == inside) {
            Some(at) => self.names.remove(at),
            None if self.names.len() >= LIVE => self.names.pop_front(),
            None => None,
        };
        if let Some((_, old)) = replaced {
            indices.retire(old);
        }
        self.names.push_back((inside, index));
        index
    }
}

/// Length of a packet with padding: a multiple of sixteen, but not beyond the MTU.
#[must_use]
pub fn padded(len: usize) -> usize {
    len.next_multiple_of(wire::PADDING)
        .min(wire::INNER_MTU.max(len))
}

fn without_datagram(output: Output<'_>) -> Event<'_> {
    match output {
        Output::Inner(packet) => Event::Inner(packet),
        Output::Nothing | Output::Network(_) => Event::Nothing,
        Output::Refused => Event::Refused,
        Output::Expired => Event::Expired,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::MAX_DATAGRAM;

    /// A session whose nonces are about to end.
    struct NearTheEnd {
        next: u64,
        opened: usize,
    }

    impl Noise for NearTheEnd {
        fn seal<'a>(&mut self, packet: &[u8], out: &'a mut [u8]) -> Output<'a> {
            let datagram = &mut out[..wire::DATA_OVERHEAD + packet.len()];
            datagram.fill(0);
            datagram[0] = 4;
            datagram[wire::COUNTER].copy_from_slice(&self.next.to_le_bytes());
            self.next += 1;
            Output::Network(datagram)
        }

        fn open<'a>(&mut self, datagram: &[u8], out: &'a mut [u8]) -> Output<'a> {
            self.opened += 1;
            if wire::kind(datagram) == Some(Kind::Response) {
                self.next = 0;
                return self.seal(&[], out);
            }
            Output::Nothing
        }

        fn queued<'a>(&mut self, _: &'a mut [u8]) -> Output<'a> {
            Output::Nothing
        }

        fn tick<'a>(&mut self, _: &'a mut [u8]) -> Output<'a> {
            Output::Nothing
        }

        fn initiate<'a>(&mut self, out: &'a mut [u8]) -> Output<'a> {
            let message = &mut out[..wire::INITIATION_LEN];
            message.fill(0);
            message[0] = 1;
            message[4] = 9;
            Output::Network(message)
        }

        fn since_handshake(&self) -> Option<Duration> {
            None
        }
    }

    #[test]
    fn a_session_is_used_up_to_its_last_nonce_and_then_a_new_one_is_made() {
        let key = PublicKey::from([7; 32]);
        let noise = NearTheEnd {
            next: wire::REJECT_AFTER_MESSAGES - 1,
            opened: 0,
        };
        let mut link = Link::with_noise(noise, &key, &key);
        let (mut out, now) = ([0; MAX_DATAGRAM], Instant::now());
        let mut kinds = Vec::new();
        for _ in 0..4 {
            let event = link.seal(&mut [0; 64], 40, &mut out, now, &mut Alone);
            kinds.push(match event {
                Event::Network(datagram) => wire::kind(datagram),
                _ => None,
            });
        }
        let initiation = Some(Kind::Initiation);
        assert_eq!(kinds, [Some(Kind::Data), None, initiation, initiation]);

        // The answer to the last one.
        let index = link.indices().last().unwrap_or_default();
        let mut response = [0; wire::RESPONSE_LEN];
        response[0] = 2;
        wire::write_number(&mut response, wire::RESPONSE_RECEIVER, index);
        let event = link.open(Kind::Response, &mut response, &mut out, now, &mut Alone);
        assert!(matches!(event, Event::Network(_)));
        let event = link.seal(&mut [0; 64], 40, &mut out, now, &mut Alone);
        assert!(
            matches!(event, Event::Network(datagram) if wire::kind(datagram) == Some(Kind::Data))
        );
    }

    #[test]
    fn n4_a_counter_beyond_the_limit_is_not_even_opened() {
        let key = PublicKey::from([7; 32]);
        let mut link = Link::with_noise(NearTheEnd { next: 0, opened: 0 }, &key, &key);
        let (mut out, now) = ([0; MAX_DATAGRAM], Instant::now());
        link.initiate(&mut out, now, &mut Alone);
        let index = link.indices().last().unwrap_or_default();
        for (counter, opened) in [
            (0, 1),
            (wire::REJECT_AFTER_MESSAGES - 1, 2),
            (wire::REJECT_AFTER_MESSAGES, 2),
            (u64::MAX, 2),
        ] {
            let mut datagram = [0; 64];
            datagram[0] = 4;
            wire::write_number(&mut datagram, wire::RECEIVER, index);
            datagram[wire::COUNTER].copy_from_slice(&counter.to_le_bytes());
            link.open(Kind::Data, &mut datagram, &mut out, now, &mut Alone);
            assert_eq!(link.noise.opened, opened);
        }
    }
}
