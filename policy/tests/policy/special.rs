//! Special addresses and ports, refused whatever a file says.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use proptest::prelude::*;
use veilpool_policy::{Denied, Policy, Protocol, defaults::SMTP};

use crate::common::{arb_address, arb_policy, arb_port, embeddings, home, tcp, udp, web};

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
        ("169.254.1.1", Denied::LinkLocal),
        ("224.0.0.1", Denied::Multicast),
        ("239.255.255.250", Denied::Multicast),
        ("255.255.255.255", Denied::Broadcast),
        ("192.0.0.1", Denied::Reserved),
        ("192.0.2.1", Denied::Reserved),
        ("192.88.99.1", Denied::Reserved),
        ("198.18.0.1", Denied::Reserved),
        ("198.51.100.1", Denied::Reserved),
        ("203.0.113.9", Denied::Reserved),
        ("240.0.0.1", Denied::Reserved),
        ("255.255.255.254", Denied::Reserved),
    ] {
        assert_eq!(web(&Policy::default(), address), Err(reason), "{address}");
    }
    for address in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.17",
        "192.0.1.0",
        "223.255.255.1",
    ] {
        assert_eq!(web(&Policy::default(), address), Ok(()), "{address}");
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
        ("2001:2::1", Denied::Reserved),
        ("2001:20::1", Denied::Reserved),
        ("2001:1ff:ffff::", Denied::Reserved),
        ("2001:db8::1", Denied::Reserved),
        ("3ffe::1", Denied::Reserved),
        ("3fff::1", Denied::Reserved),
        ("4000::1", Denied::Reserved),
        ("5f00::1", Denied::Reserved),
        ("100::1", Denied::Reserved),
        ("::1:0:0:1", Denied::Reserved),
        ("64:ff9b:1::1", Denied::Transition),
        ("64:ff9b:1:a00:0:100::", Denied::Transition),
        ("64:ff9b:2::1", Denied::Transition),
        ("2a00:9::5efe:10.0.0.1", Denied::Transition),
        ("2a00:9::5efe:8.8.8.8", Denied::Transition),
        ("2a00:9::200:5efe:8.8.8.8", Denied::Transition),
    ] {
        assert_eq!(web(&Policy::default(), address), Err(reason), "{address}");
    }
    for address in [
        "2606:4700:4700::1111",
        "2001:200::1",
        "2a00:9::300:5efe:8.8.8.8",
    ] {
        assert_eq!(web(&Policy::default(), address), Ok(()), "{address}");
    }
}

#[test]
fn n1_metadata_services_are_refused_public_or_not_in_any_form() {
    for address in [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
    ] {
        let plain: Ipv4Addr = address.parse().unwrap();
        assert_eq!(
            web(&Policy::default(), address),
            Err(Denied::Metadata),
            "{address}"
        );
        for embedded in embeddings(plain) {
            let text = embedded.to_string();
            assert_eq!(
                web(&Policy::default(), &text),
                Err(Denied::Metadata),
                "{text}"
            );
        }
    }
    for address in ["fd00:ec2::254", "fd20:ce::254"] {
        assert_eq!(
            web(&Policy::default(), address),
            Err(Denied::Metadata),
            "{address}"
        );
    }
}

#[test]
fn n1_an_embedded_ipv4_address_is_judged_by_what_it_embeds() {
    for (address, reason) in [
        ("::ffff:127.0.0.1", Denied::Loopback),
        ("::ffff:169.254.1.1", Denied::LinkLocal),
        ("::ffff:0:10.0.0.1", Denied::Private),
        ("::192.168.0.1", Denied::Private),
        ("64:ff9b::10.0.0.1", Denied::Private),
        ("2002:7f00:1::", Denied::Loopback),
        ("2002:a9fe:101::1", Denied::LinkLocal),
    ] {
        assert_eq!(web(&Policy::default(), address), Err(reason), "{address}");
    }
    for address in ["::ffff:1.1.1.1", "2002:101:101::1", "64:ff9b::1.1.1.1"] {
        assert_eq!(web(&Policy::default(), address), Ok(()), "{address}");
    }
}

#[test]
fn n1_smtp_and_port_zero_are_refused_by_default() {
    let policy = Policy::default();
    for port in [0, SMTP] {
        let address = format!("1.1.1.1:{port}");
        assert_eq!(tcp(&policy, &address), Err(Denied::Port));
    }
    assert_eq!(udp(&policy, "1.1.1.1:0"), Err(Denied::Port));
    // Submission, which asks for a password.
    assert_eq!(tcp(&policy, "1.1.1.1:465"), Ok(()));
    assert_eq!(tcp(&policy, "1.1.1.1:587"), Ok(()));
}

#[test]
fn n6_ports_of_worms_bots_and_copyright_notices_are_refused_by_default() {
    let policy = Policy::default();
    for port in [
        23, 119, 135, 137, 139, 445, 563, 2323, 5555, 6660, 6667, 6669, 6881, 6999, 7547,
    ] {
        assert_eq!(
            tcp(&policy, &format!("1.1.1.1:{port}")),
            Err(Denied::Port),
            "{port}"
        );
        assert_eq!(
            tcp(&policy, &format!("[2606:4700::1]:{port}")),
            Err(Denied::Port),
            "{port}"
        );
    }
    for port in [137, 445, 1900, 5351, 6881, 11_211] {
        assert_eq!(
            udp(&policy, &format!("1.1.1.1:{port}")),
            Err(Denied::Port),
            "{port}"
        );
    }
    for port in [
        22, 53, 80, 134, 140, 443, 853, 993, 3389, 6659, 6670, 6697, 6880, 7000,
    ] {
        assert_eq!(tcp(&policy, &format!("1.1.1.1:{port}")), Ok(()), "{port}");
    }
    for port in [53, 123, 443, 3478, 51_820] {
        assert_eq!(udp(&policy, &format!("1.1.1.1:{port}")), Ok(()), "{port}");
    }
}

#[test]
fn a_ping_has_no_port_and_is_judged_by_its_address() {
    let ping = |address: &str| {
        Policy::default().check(Protocol::IcmpEcho, format!("{address}:0").parse().unwrap())
    };
    assert_eq!(ping("1.1.1.1"), Ok(()));
    assert_eq!(ping("192.168.1.1"), Err(Denied::Private));
}

#[test]
fn n1_only_the_very_socket_that_is_allowed_is_let_through() {
    let reflector = SocketAddr::from(([127, 0, 0, 1], 4000));
    let policy = Policy::new([reflector], [SMTP]);
    assert_eq!(policy.check_connect(Protocol::Tcp, reflector), Ok(()));
    let neighbour = SocketAddr::from(([127, 0, 0, 1], 4001));
    assert_eq!(
        policy.check_connect(Protocol::Tcp, neighbour),
        Err(Denied::Loopback)
    );
    assert_eq!(
        tcp(&policy, "[::ffff:127.0.0.1]:4000"),
        Err(Denied::Loopback)
    );
    assert_eq!(
        Policy::default()
            .with_allowed([reflector])
            .check(Protocol::Udp, reflector),
        Ok(())
    );
}

#[test]
fn what_is_no_destination_cannot_be_allowed() {
    let odd = [
        "0.0.0.0:1",
        "224.0.0.1:1",
        "255.255.255.255:1",
        "10.0.0.1:0",
        "[::ffff:10.0.0.1]:1",
    ];
    let policy = Policy::new(odd.map(|address| address.parse().unwrap()), [SMTP]);
    assert_eq!(policy.digest(), Policy::new([], [SMTP]).digest());
}

#[test]
fn n1_a_public_address_of_this_machine_is_refused_when_connecting() {
    // Loopback stands for "an address of this machine": every machine has it.
    let own = SocketAddr::from(([127, 0, 0, 1], 22));
    let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
    probe.connect(own).unwrap();
    // The system's rule that check_connect relies on.
    assert_eq!(probe.local_addr().unwrap().ip(), own.ip());
    assert_eq!(
        Policy::default().check_connect(Protocol::Tcp, own),
        Err(Denied::Loopback)
    );
}

proptest! {
    #[test]
    fn n1_an_embedded_address_never_gets_further_than_the_plain_one(
        policy in arb_policy(), known: bool, plain in arb_address(), port in arb_port()
    ) {
        let policy = if known { policy.with_host(home()) } else { policy };
        let plain = match plain {
            std::net::IpAddr::V4(plain) => plain,
            std::net::IpAddr::V6(plain) => Ipv4Addr::from_bits(plain.to_bits() as u32),
        };
        // `::` and `::1` embed nothing.
        prop_assume!(plain.to_bits() > 1);
        for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::IcmpEcho] {
            let judged = policy.check(protocol, SocketAddr::new(plain.into(), port));
            for embedded in embeddings(plain) {
                let other = policy.check(protocol, SocketAddr::new(embedded.into(), port));
                prop_assert!(other.is_err() || judged.is_ok(), "{embedded} {other:?} {judged:?}");
            }
        }
    }

    #[test]
    fn n1_without_exceptions_only_public_unicast_is_let_out(address in arb_address(), port in arb_port()) {
        if Policy::default().check(Protocol::Tcp, SocketAddr::new(address, port)).is_ok() {
            let public = match address {
                std::net::IpAddr::V4(v4) => !(v4.is_private() || v4.is_loopback() || v4.is_link_local()
                    || v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified() || v4.is_documentation()),
                std::net::IpAddr::V6(v6) => !(v6.is_unique_local() || v6.is_loopback()
                    || v6.is_unicast_link_local() || v6.is_multicast() || v6.is_unspecified()),
            };
            prop_assert!(public, "{address}");
        }
    }
}
