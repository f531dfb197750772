//! Who may cost a handshake's work (attack N3). A message's first MAC shows that its sender knows this end's key; under
//! load the second shows that it gets mail at its address; and no address gets more than a few a second.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::{Duration, Instant},
};

use boringtun::{
    noise::{TunnResult, rate_limiter::RateLimiter},
    x25519::PublicKey,
};

use crate::wire::MAX_DATAGRAM;

/// Handshake messages of one address in a second, and at once (as the kernel's).
const PER_SECOND: f32 = 20.0;
const BURST: f32 = 5.0;
/// Addresses that are remembered. Beyond, newcomers wait until somebody is forgotten.
const MAX_SOURCES: usize = 8192;
const FORGET_AFTER: Duration = Duration::from_secs(1);

/// What to do with a handshake message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    /// Send this back instead.
    Cookie(Vec<u8>),
    /// Wrong MAC.
    Forged,
    /// Too many from there.
    TooMany,
}

struct Bucket {
    tokens: f32,
    filled: Instant,
}

pub(crate) struct Doorkeeper {
    macs: RateLimiter,
    sources: HashMap<IpAddr, Bucket>,
    swept: Option<Instant>,
}

impl Doorkeeper {
    /// `load`: messages a second, of everybody, from which on cookies are asked for.
    pub(crate) fn new(public: &PublicKey, load: u64) -> Self {
        Self {
            macs: RateLimiter::new(public, load),
            sources: HashMap::new(),
            swept: None,
        }
    }

    pub(crate) fn admit(&mut self, from: SocketAddr, message: &[u8], now: Instant) -> Verdict {
        let mut reply = [0; MAX_DATAGRAM];
        match self
            .macs
            .verify_packet(Some(from.ip()), message, &mut reply)
        {
            Ok(_) => {}
            Err(TunnResult::WriteToNetwork(cookie)) => return Verdict::Cookie(cookie.to_vec()),
            Err(_) => return Verdict::Forged,
        }
        match self.take(network(from.ip()), now) {
            true => Verdict::Pass,
            false => Verdict::TooMany,
        }
    }

    /// Call about once a second, or more often.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.macs.reset_count();
        let due = self
            .swept
            .is_none_or(|at| now.saturating_duration_since(at) >= FORGET_AFTER);
        if due {
            self.swept = Some(now);
            // By then a bucket is full again.
            self.sources
                .retain(|_, bucket| now.saturating_duration_since(bucket.filled) < FORGET_AFTER);
        }
    }

    fn take(&mut self, source: IpAddr, now: Instant) -> bool {
        if self.sources.len() >= MAX_SOURCES && !self.sources.contains_key(&source) {
            return false;
        }
        let bucket = self.sources.entry(source).or_insert(Bucket {
            tokens: BURST,
            filled: now,
        });
        let elapsed = now.saturating_duration_since(bucket.filled).as_secs_f32();
        bucket.tokens = (bucket.tokens + elapsed * PER_SECOND).min(BURST);
        bucket.filled = now;
        let granted = bucket.tokens >= 1.0;
        if granted {
            bucket.tokens -= 1.0;
        }
        granted
    }
}

/// Whoever has an IPv6 address has the 2⁶⁴ beside it.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use boringtun::x25519::StaticSecret;

    use super::*;
    use crate::{Event, Link, link::Alone};

    fn initiation(to: &PublicKey) -> Vec<u8> {
        let mut client = Link::new(StaticSecret::from([5; 32]), *to, None, None);
        let mut out = [0; MAX_DATAGRAM];
        match client.initiate(&mut out, Instant::now(), &mut Alone) {
            Event::Network(message) => message.to_vec(),
            other => unreachable!("{other:?}"),
        }
    }

    fn at(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 1)
    }

    #[test]
    fn n3_an_address_has_five_at_once_and_twenty_a_second_and_others_have_theirs() {
        let public = PublicKey::from(&StaticSecret::from([6; 32]));
        let message = initiation(&public);
        let start = Instant::now();
        let mut door = Doorkeeper::new(&public, u64::MAX);
        let mut granted = |from: &str, at_ms: u64| {
            let now = start + Duration::from_millis(at_ms);
            door.admit(at(from), &message, now) == Verdict::Pass
        };
        assert_eq!((0..20).filter(|_| granted("192.0.2.1", 0)).count(), 5);
        assert!(granted("192.0.2.2", 0));
        assert_eq!((0..20).filter(|_| granted("192.0.2.1", 100)).count(), 2);
        // A whole /64 is one, and a mapped address is the plain one.
        assert_eq!(
            (0..20)
                .filter(|i| granted(&format!("2001:db8::{i}"), 0))
                .count(),
            5
        );
        assert!(granted("2001:db8:0:1::1", 0));
        assert!(!granted("::ffff:192.0.2.1", 100));
    }

    #[test]
    fn n3_under_load_a_cookie_comes_first_and_whoever_shows_it_passes() {
        let public = PublicKey::from(&StaticSecret::from([6; 32]));
        let mut client = Link::new(StaticSecret::from([5; 32]), public, None, None);
        let now = Instant::now();
        let mut door = Doorkeeper::new(&public, 0);
        let mut out = [0; MAX_DATAGRAM];
        let Event::Network(first) = client.initiate(&mut out, now, &mut Alone) else {
            unreachable!("an initiation is always made");
        };
        let Verdict::Cookie(mut reply) = door.admit(at("192.0.2.1"), first, now) else {
            unreachable!("there is load");
        };
        let mut scratch = [0; MAX_DATAGRAM];
        let taken = client.open(
            crate::wire::Kind::CookieReply,
            &mut reply,
            &mut scratch,
            now,
            &mut Alone,
        );
        assert_eq!(taken, Event::Nothing);
        let Event::Network(second) = client.initiate(&mut out, now, &mut Alone) else {
            unreachable!("an initiation is always made");
        };
        assert_eq!(door.admit(at("192.0.2.1"), second, now), Verdict::Pass);
        // Of no use to anybody else.
        assert!(matches!(
            door.admit(at("192.0.2.9"), second, now),
            Verdict::Cookie(_)
        ));
        second[140] ^= 1;
        assert!(matches!(
            door.admit(at("192.0.2.1"), second, now),
            Verdict::Cookie(_)
        ));
        second[120] ^= 1;
        assert_eq!(door.admit(at("192.0.2.1"), second, now), Verdict::Forged);
    }

    #[test]
    fn n3_a_flood_from_many_addresses_takes_bounded_memory() {
        let public = PublicKey::from(&StaticSecret::from([6; 32]));
        let start = Instant::now();
        let mut door = Doorkeeper::new(&public, u64::MAX);
        for i in 0..20_000u32 {
            door.take(std::net::Ipv4Addr::from(i).into(), start);
        }
        assert_eq!(door.sources.len(), MAX_SOURCES);
        door.tick(start + FORGET_AFTER);
        assert!(door.sources.is_empty());
    }
}
