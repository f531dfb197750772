//! Where guests may go (attack N1): public unicast addresses, not this host, not SMTP.
//!
//! Asked twice, of each inner packet and again of the address that is about to be connected to. An
//! IPv6 address that embeds an IPv4 address (v4-mapped, v4-compatible, NAT64, 6to4) is judged by what
//! it embeds, Teredo is refused. Special ranges: RFC 6890 and IANA's special-purpose registries.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

/// Why a destination is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// 0.0.0.0/8 or `::`.
    #[error("the unspecified address or 'this network'")]
    Unspecified,
    /// 127.0.0.0/8 or `::1`.
    #[error("loopback")]
    Loopback,
    /// RFC 1918 or fc00::/7 or fec0::/10.
    #[error("a private network")]
    Private,
    /// 100.64.0.0/10.
    #[error("a carrier's shared address space")]
    SharedAddressSpace,
    /// 169.254.0.0/16 or fe80::/10, metadata services among them.
    #[error("link-local")]
    LinkLocal,
    /// Multicast.
    #[error("multicast")]
    Multicast,
    /// 255.255.255.255.
    #[error("broadcast")]
    Broadcast,
    /// Documentation, benchmarking, future use, not yet assigned.
    #[error("a reserved range")]
    Reserved,
    /// An IPv6 form whose embedded address cannot be judged.
    #[error("an IPv6 transition address")]
    Transition,
    /// An address of this machine.
    #[error("this machine")]
    ThisHost,
    /// Port 0, or one that the policy refuses.
    #[error("a port that this node doesn't serve")]
    Port,
}

/// Where guests may go.
#[derive(Clone, Debug)]
pub struct Policy {
    allowed: BTreeSet<SocketAddr>,
    denied_ports: BTreeSet<u16>,
}

/// SMTP.
pub const SMTP: u16 = 25;

impl Default for Policy {
    fn default() -> Self {
        Self::new([], [SMTP])
    }
}

impl Policy {
    /// With addresses that are allowed although they would be refused, for a measurer's reflector on
    /// the same machine in tests and in the demo; and ports refused everywhere else.
    pub fn new(
        allowed: impl IntoIterator<Item = SocketAddr>,
        denied_ports: impl IntoIterator<Item = u16>,
    ) -> Self {
        Self {
            allowed: allowed.into_iter().collect(),
            denied_ports: denied_ports.into_iter().collect(),
        }
    }

    /// By address and port alone: for each packet.
    ///
    /// # Errors
    /// [`Denied`] with the reason.
    pub fn check(&self, destination: SocketAddr) -> Result<(), Denied> {
        if self.allowed.contains(&destination) {
            return Ok(());
        }
        if destination.port() == 0 || self.denied_ports.contains(&destination.port()) {
            return Err(Denied::Port);
        }
        match destination.ip() {
            IpAddr::V4(address) => check_v4(address),
            IpAddr::V6(address) => check_v6(address),
        }
    }

    /// [`Self::check`], and that the address isn't this machine's: for each connection. The system
    /// routes to one of its own addresses from that very address, which a socket that sends nothing
    /// shows.
    ///
    /// # Errors
    /// [`Denied`] with the reason.
    pub fn check_connect(&self, destination: SocketAddr) -> Result<(), Denied> {
        self.check(destination)?;
        if self.allowed.contains(&destination) {
            return Ok(());
        }
        let any: SocketAddr = match destination {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let source = UdpSocket::bind(any)
            .and_then(|probe| probe.connect(destination).and_then(|()| probe.local_addr()));
        match source {
            Ok(source) if source.ip() == destination.ip() => Err(Denied::ThisHost),
            // No route: connecting will fail and say so.
            _ => Ok(()),
        }
    }
}

fn check_v4(address: Ipv4Addr) -> Result<(), Denied> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (0, ..) => Err(Denied::Unspecified),
        (127, ..) => Err(Denied::Loopback),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Err(Denied::Private),
        (100, 64..=127, _) => Err(Denied::SharedAddressSpace),
        (169, 254, _) => Err(Denied::LinkLocal),
        (224..=239, ..) => Err(Denied::Multicast),
        _ if address.is_broadcast() => Err(Denied::Broadcast),
        (192, 0, 0) | (192, 0, 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) => {
            Err(Denied::Reserved)
        }
        (203, 0, 113) | (240..=255, ..) => Err(Denied::Reserved),
        _ => Ok(()),
    }
}

fn check_v6(address: Ipv6Addr) -> Result<(), Denied> {
    if address.is_unspecified() {
        return Err(Denied::Unspecified);
    }
    if address.is_loopback() {
        return Err(Denied::Loopback);
    }
    let s = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        check_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        // v4-mapped ::ffff:a.b.c.d, v4-translated ::ffff:0:a.b.c.d, v4-compatible ::a.b.c.d
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0, 0, 0, 0, 0, 0, high, low] => embedded(high, low),
        // NAT64, RFC 6052; the local-use prefix of RFC 8215 may put it anywhere.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x64, 0xff9b, ..] => Err(Denied::Transition),
        // 6to4, RFC 3056
        [0x2002, high, low, ..] => embedded(high, low),
        // Teredo, RFC 4380
        [0x2001, 0, ..] => Err(Denied::Transition),
        // ORCHIDs and benchmarking in 2001::/23, documentation
        [0x2001, 1..=0x1ff, ..] | [0x2001, 0xdb8, ..] => Err(Denied::Reserved),
        [first, ..] if first & 0xfe00 == 0xfc00 => Err(Denied::Private),
        [first, ..] if first & 0xffc0 == 0xfec0 => Err(Denied::Private),
        [first, ..] if first & 0xffc0 == 0xfe80 => Err(Denied::LinkLocal),
        [first, ..] if first & 0xff00 == 0xff00 => Err(Denied::Multicast),
        // Only 2000::/3 is global unicast.
        [first, ..] if first & 0xe000 != 0x2000 => Err(Denied::Reserved),
        _ if s[0] == 0x3fff => Err(Denied::Reserved),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(address: &str) -> Result<(), Denied> {
        let ip: IpAddr = address.parse().unwrap();
        Policy::default().check(SocketAddr::new(ip, 443))
    }

    #[test]
    fn n1_every_special_ipv4_range_is_refused_with_its_reason() {
        for (address, reason) in [
            ("0.0.0.0", Denied::Unspecified),
            ("0.1.2.3", Denied::Unspecified),
            ("127.0.0.1", Denied::Loopback),
            ("127.255.255.254", Denied::Loopback),
            ("10.0.0.1", Denied::Private),
            ("10.64.0.1", Denied::Private),
            ("172.16.0.1", Denied::Private),
            ("172.31.255.255", Denied::Private),
            ("192.168.1.1", Denied::Private),
            ("100.64.0.1", Denied::SharedAddressSpace),
            ("100.127.255.255", Denied::SharedAddressSpace),
            ("169.254.169.254", Denied::LinkLocal),
            ("224.0.0.1", Denied::Multicast),
            ("239.255.255.250", Denied::Multicast),
            ("255.255.255.255", Denied::Broadcast),
            ("192.0.0.192", Denied::Reserved),
            ("192.0.2.1", Denied::Reserved),
            ("198.18.0.1", Denied::Reserved),
            ("203.0.113.9", Denied::Reserved),
            ("240.0.0.1", Denied::Reserved),
        ] {
            assert_eq!(check(address), Err(reason), "{address}");
        }
        for address in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "11.0.0.1",
            "223.255.255.1",
        ] {
            assert_eq!(check(address), Ok(()), "{address}");
        }
    }

    #[test]
    fn n1_every_special_ipv6_form_is_refused_with_its_reason() {
        for (address, reason) in [
            ("::", Denied::Unspecified),
            ("::1", Denied::Loopback),
            ("fc00::1", Denied::Private),
            ("fd12:3456::1", Denied::Private),
            ("fec0::1", Denied::Private),
            ("fe80::1", Denied::LinkLocal),
            ("ff02::1", Denied::Multicast),
            ("2001::1", Denied::Transition),
            ("2001:db8::1", Denied::Reserved),
            ("4000::1", Denied::Reserved),
            ("3fff::1", Denied::Reserved),
            ("64:ff9b:1::1", Denied::Transition),
        ] {
            assert_eq!(check(address), Err(reason), "{address}");
        }
        assert_eq!(check("2606:4700:4700::1111"), Ok(()));
    }

    #[test]
    fn n1_an_embedded_ipv4_address_is_judged_by_what_it_embeds() {
        for (address, reason) in [
            ("::ffff:127.0.0.1", Denied::Loopback),
            ("::ffff:169.254.169.254", Denied::LinkLocal),
            ("::ffff:0:10.0.0.1", Denied::Private),
            ("::192.168.0.1", Denied::Private),
            ("64:ff9b::10.0.0.1", Denied::Private),
            ("2002:7f00:1::", Denied::Loopback),
            ("2002:a9fe:a9fe::1", Denied::LinkLocal),
        ] {
            assert_eq!(check(address), Err(reason), "{address}");
        }
        assert_eq!(check("::ffff:1.1.1.1"), Ok(()));
        assert_eq!(check("2002:101:101::1"), Ok(()));
    }

    #[test]
    fn n1_smtp_and_port_zero_are_refused_by_default() {
        let policy = Policy::default();
        let at = |port| SocketAddr::from(([1, 1, 1, 1], port));
        assert_eq!(policy.check(at(SMTP)), Err(Denied::Port));
        assert_eq!(policy.check(at(0)), Err(Denied::Port));
        assert_eq!(policy.check(at(587)), Ok(()));
    }

    #[test]
    fn n1_only_the_very_socket_that_is_allowed_is_let_through() {
        let reflector = SocketAddr::from(([127, 0, 0, 1], 4000));
        let policy = Policy::new([reflector], [SMTP]);
        assert_eq!(policy.check_connect(reflector), Ok(()));
        let neighbour = SocketAddr::from(([127, 0, 0, 1], 4001));
        assert_eq!(policy.check_connect(neighbour), Err(Denied::Loopback));
        let mapped = "[::ffff:127.0.0.1]:4000".parse().unwrap();
        assert_eq!(policy.check(mapped), Err(Denied::Loopback));
    }

    #[test]
    fn n1_a_public_address_of_this_machine_is_refused_when_connecting() {
        // Loopback stands for "an address of this machine": every machine has it.
        let own = SocketAddr::from(([127, 0, 0, 2], 22));
        let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
        probe.connect(own).unwrap();
        // The system's rule that check_connect relies on.
        assert!(probe.local_addr().unwrap().ip().is_loopback());
        assert_eq!(Policy::default().check_connect(own), Err(Denied::Loopback));
    }

    proptest! {
        #[test]
        fn n1_a_mapped_address_never_gets_further_than_the_plain_one(bits: u32, port: u16) {
            let plain = Ipv4Addr::from(bits);
            let policy = Policy::default();
            prop_assert_eq!(
                policy.check(SocketAddr::new(plain.into(), port)),
                policy.check(SocketAddr::new(plain.to_ipv6_mapped().into(), port))
            );
        }
    }
}
