//! The configuration file of WireGuard's tools: what is read, what is refused, what is written, and its QR code.

#![allow(clippy::unwrap_used, missing_docs)]

use std::num::NonZeroU16;

use proptest::{collection::vec, option, prelude::*};
use veilpool_tunnel::{
    PublicKey, StaticSecret,
    conf::{
        Conf, ConfError, Dns, Endpoint, Fault, HostName, Interface, Mtu, PeerSection, PresharedKey,
        QrError, qr,
    },
};
use zeroize::Zeroizing;

const SECRET: &str = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const PEER: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const SHARED: &str = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=";

fn written(conf: &Conf) -> String {
    let mut out = Zeroizing::new(String::new());
    conf.write(&mut out);
    out.to_string()
}

fn refused(file: &str) -> ConfError {
    match Conf::parse(file.as_bytes()) {
        Ok(_) => panic!("taken: {file}"),
        Err(error) => error,
    }
}

fn same(a: &Conf, b: &Conf) -> bool {
    let (i, j) = (&a.interface, &b.interface);
    i.private_key.to_bytes() == j.private_key.to_bytes()
        && (&i.addresses, &i.dns, i.mtu, i.listen_port)
            == (&j.addresses, &j.dns, j.mtu, j.listen_port)
        && a.peers.len() == b.peers.len()
        && a.peers.iter().zip(&b.peers).all(|(p, q)| {
            let shared = |peer: &PeerSection| {
                let key = peer.preshared_key.as_ref();
                key.map(|key| *key.expose_bytes())
            };
            p.public_key == q.public_key
                && shared(p) == shared(q)
                && (&p.endpoint, &p.allowed_ips, p.persistent_keepalive)
                    == (&q.endpoint, &q.allowed_ips, q.persistent_keepalive)
        })
}

fn everything() -> String {
    format!(
        "[Interface]\nPrivateKey = {SECRET}\nListenPort = 51820\nAddress = 10.77.0.2/32, fd77::2/128\n\
         DNS = 9.9.9.9, 2620:fe::fe, home.example\nMTU = 1420\n\n\
         [Peer]\nPublicKey = {PEER}\nPresharedKey = {SHARED}\nEndpoint = node.example:51820\n\
         AllowedIPs = 0.0.0.0/0, ::/0\nPersistentKeepalive = 25\n\n\
         [Peer]\nPublicKey = {SECRET}\nEndpoint = [2a00::1]:7\n"
    )
}

#[test]
fn what_is_written_is_the_tools_own_form() {
    let file = everything();
    let conf = Conf::parse(file.as_bytes()).ok().unwrap();
    assert_eq!(written(&conf), file);
}

#[test]
fn keys_have_any_case_comments_end_lines_and_lists_have_several() {
    let file = format!(
        "# of a friend\r\n[INTERFACE] # this end\r\n  privatekey={SECRET}\r\n\taddress = 10.0.0.2\nAddress=\n\
         LISTENPORT = 0\nmtu=576\n[peer]\nPUBLICKEY = {PEER} # theirs\nallowedips = 10.1.2.3/8\n\
         AllowedIPs = fd00::/8 , 1.2.3.4\npersistentkeepalive = OFF\nEndpoint = 1.2.3.4:5"
    );
    let conf = Conf::parse(file.as_bytes()).ok().unwrap();
    assert_eq!(
        written(&conf),
        format!(
            "[Interface]\nPrivateKey = {SECRET}\nAddress = 10.0.0.2/32\nMTU = 576\n\n\
             [Peer]\nPublicKey = {PEER}\nEndpoint = 1.2.3.4:5\nAllowedIPs = 10.0.0.0/8, fd00::/8, 1.2.3.4/32\n"
        )
    );
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_without_its_value() {
    let interface = format!("[Interface]\nPrivateKey = {SECRET}\n");
    let peer = format!("{interface}[Peer]\nPublicKey = {PEER}\n");
    let value = |key, expected| Fault::Value { key, expected };
    let wrong_key = |key| value(key, "a key of 32 bytes in base64, as `wg genkey` writes it");
    let wrong_nets = |key| value(key, "a list of IP addresses, each with or without /prefix");
    let wrong_endpoint = value("Endpoint", "host:port, with an IPv6 address in brackets");
    let wrong_keepalive = value(
        "PersistentKeepalive",
        "a number of seconds from 0 to 65535, or off",
    );
    let unknown = |key: &str| Fault::UnknownKey(Some(key.into()));
    for (file, line, fault) in [
        (String::new(), 1, Fault::NoInterface),
        (format!("[Peer]\nPublicKey = {PEER}"), 2, Fault::NoInterface),
        ("PrivateKey = x".into(), 1, Fault::OutsideSection),
        (
            "\n[Interface]\nMTU = 1420".into(),
            2,
            Fault::Missing("PrivateKey"),
        ),
        (format!("{interface}[Interface]"), 3, Fault::SecondInterface),
        (format!("{interface}[Peers]"), 3, Fault::UnknownSection),
        (format!("{interface}[Peer"), 3, Fault::UnknownSection),
        (
            format!("{interface}[Peer]\n\n[Peer]"),
            3,
            Fault::Missing("PublicKey"),
        ),
        (
            format!("{peer}[Peer]\npublickey={PEER}"),
            5,
            Fault::RepeatedPeer,
        ),
        (format!("{interface}hello"), 3, Fault::NotALine),
        (
            format!("{interface}PostUp = rm -rf /"),
            3,
            unknown("PostUp"),
        ),
        (format!("{interface}FwMark = 1"), 3, unknown("FwMark")),
        (
            format!("{interface}Endpoint = 1.2.3.4:5"),
            3,
            unknown("Endpoint"),
        ),
        (format!("{peer}Address = 10.0.0.1"), 5, unknown("Address")),
        // A secret alone on its line is a key without a value.
        (format!("{interface}{SECRET}"), 3, Fault::UnknownKey(None)),
        (
            format!("{interface}PrivateKey = {SECRET}"),
            3,
            Fault::Repeated("PrivateKey"),
        ),
        (
            format!("{interface}ListenPort = 0\nListenPort = 1"),
            4,
            Fault::Repeated("ListenPort"),
        ),
        (
            format!("{interface}MTU = 1420\nmtu = 1420"),
            4,
            Fault::Repeated("MTU"),
        ),
        (
            format!("{peer}PublicKey = {PEER}"),
            5,
            Fault::Repeated("PublicKey"),
        ),
        (
            format!("{interface}MTU = 575"),
            3,
            value("MTU", "a number from 576 to 65535"),
        ),
        (
            format!("{interface}ListenPort = 65536"),
            3,
            value("ListenPort", "a number from 0 to 65535"),
        ),
        (
            format!("{interface}ListenPort = +1"),
            3,
            value("ListenPort", "a number from 0 to 65535"),
        ),
        (
            format!("{interface}ListenPort ="),
            3,
            value("ListenPort", "a number from 0 to 65535"),
        ),
        (
            format!("{interface}Address = 10.0.0.1/33"),
            3,
            wrong_nets("Address"),
        ),
        (
            format!("{peer}AllowedIPs = 1.2.3.4,,"),
            5,
            wrong_nets("AllowedIPs"),
        ),
        (
            format!("{peer}AllowedIPs = +1.2.3.4"),
            5,
            wrong_nets("AllowedIPs"),
        ),
        (
            format!("{interface}DNS = a b"),
            3,
            value("DNS", "a list of IP addresses and domains"),
        ),
        (
            format!("{interface}DNS = 1.2.3.400"),
            3,
            value("DNS", "a list of IP addresses and domains"),
        ),
        (format!("{peer}Endpoint = node"), 5, wrong_endpoint.clone()),
        (
            format!("{peer}Endpoint = node:0"),
            5,
            wrong_endpoint.clone(),
        ),
        (
            format!("{peer}Endpoint = 1.2.3.4:0"),
            5,
            wrong_endpoint.clone(),
        ),
        (
            format!("{peer}Endpoint = 2a00::1:7"),
            5,
            wrong_endpoint.clone(),
        ),
        (format!("{peer}Endpoint = $(reboot):1"), 5, wrong_endpoint),
        (
            format!("{peer}PersistentKeepalive = 70000"),
            5,
            wrong_keepalive,
        ),
        // No padding, 31 and 33 bytes, bits that mean nothing, another alphabet.
        (
            format!("{peer}PresharedKey = {}", &SHARED[..43]),
            5,
            wrong_key("PresharedKey"),
        ),
        (
            format!("{peer}PresharedKey = {}==", &SHARED[..42]),
            5,
            wrong_key("PresharedKey"),
        ),
        (
            format!("{peer}PresharedKey = {}A", &SHARED[..43]),
            5,
            wrong_key("PresharedKey"),
        ),
        (
            format!("{peer}PresharedKey = {}1=", &SHARED[..42]),
            5,
            wrong_key("PresharedKey"),
        ),
        (
            format!("{peer}PresharedKey = {}", SHARED.replace('+', "-")),
            5,
            wrong_key("PresharedKey"),
        ),
        (
            format!("{peer}PresharedKey = {SHARED}="),
            5,
            wrong_key("PresharedKey"),
        ),
    ] {
        let error = refused(&file);
        assert_eq!(error, ConfError { line, fault }, "{file}");
        let said = error.to_string();
        assert!(said.starts_with(&format!("line {line} of")), "{said}");
        for secret in [SECRET, SHARED] {
            assert!(!said.contains(&secret[..40]), "{said}");
        }
    }
    let error = Conf::parse(b"[Interface]\n\xff\xfe").err().unwrap();
    let not_text = Fault::NotText;
    assert_eq!(
        error,
        ConfError {
            line: 2,
            fault: not_text
        }
    );
}

#[test]
fn a_name_can_not_be_another_line_or_a_command() {
    for name in [
        "",
        "a..b",
        "-a",
        "a\nPostUp = x",
        "a b",
        "a;b",
        "1.2.3.4",
        "a#b",
        "é",
    ] {
        assert_eq!(HostName::new(name), None, "{name}");
    }
    assert_eq!(HostName::new(&"a".repeat(64)), None);
    assert_eq!(
        HostName::new("node-1.example_x").unwrap().as_str(),
        "node-1.example_x"
    );
}

fn arb_name() -> impl Strategy<Value = HostName> {
    "[a-z][a-z0-9_]{0,9}(\\.[a-z]{1,6}){0,3}".prop_map(|name| HostName::new(&name).unwrap())
}

fn arb_port() -> impl Strategy<Value = NonZeroU16> {
    any::<NonZeroU16>()
}

fn arb_net() -> impl Strategy<Value = ipnet::IpNet> {
    prop_oneof![
        (any::<[u8; 4]>(), 0..=32u8)
            .prop_map(|(ip, prefix)| ipnet::IpNet::new(ip.into(), prefix).unwrap()),
        (any::<[u8; 16]>(), 0..=128u8).prop_map(|(ip, prefix)| ipnet::IpNet::new(
            ip.into(),
            prefix
        )
        .unwrap()),
    ]
}

fn arb_dns() -> impl Strategy<Value = Dns> {
    prop_oneof![
        any::<std::net::IpAddr>().prop_map(Dns::Server),
        arb_name().prop_map(Dns::Search)
    ]
}

fn arb_endpoint() -> impl Strategy<Value = Endpoint> {
    prop_oneof![
        (any::<std::net::IpAddr>(), arb_port())
            .prop_map(|(ip, port)| Endpoint::Address((ip, port.get()).into())),
        (arb_name(), arb_port()).prop_map(|(host, port)| Endpoint::Name { host, port }),
    ]
}

prop_compose! {
    // As parts that have a Debug, which keys don't.
    fn arb_peer()(
        key in any::<[u8; 32]>(),
        shared in option::of(any::<[u8; 32]>()),
        endpoint in option::of(arb_endpoint()),
        allowed in vec(arb_net(), 0..5),
        keepalive in option::of(arb_port()),
    ) -> ([u8; 32], Option<[u8; 32]>, Option<Endpoint>, Vec<ipnet::IpNet>, Option<NonZeroU16>) {
        (key, shared, endpoint, allowed, keepalive)
    }
}

proptest! {
    #[test]
    fn a_file_that_is_written_reads_the_same(
        secret in any::<[u8; 32]>(),
        addresses in vec(arb_net(), 0..4),
        dns in vec(arb_dns(), 0..4),
        mtu in option::of(Mtu::SMALLEST..),
        listen_port in option::of(arb_port()),
        peers in vec(arb_peer(), 0..4),
    ) {
        let conf = Conf {
            interface: Interface {
                private_key: StaticSecret::from(secret),
                addresses,
                dns,
                mtu: mtu.and_then(Mtu::new),
                listen_port,
            },
            peers: peers
                .into_iter()
                .map(|(key, shared, endpoint, allowed, persistent_keepalive)| PeerSection {
                    public_key: PublicKey::from(key),
                    preshared_key: shared.map(PresharedKey::new),
                    endpoint,
                    allowed_ips: allowed.iter().map(ipnet::IpNet::trunc).collect(),
                    persistent_keepalive,
                })
                .collect(),
        };
        let file = written(&conf);
        let again = Conf::parse(file.as_bytes());
        prop_assert!(again.as_ref().is_ok_and(|again| same(again, &conf)), "{}", file);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..400)) {
        let _ = Conf::parse(&bytes);
    }

    #[test]
    fn no_change_of_a_file_makes_it_panic(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = everything().into_bytes();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len() + 1));
        if let Ok(conf) = Conf::parse(&file) {
            let again = Conf::parse(written(&conf).as_bytes());
            prop_assert!(again.is_ok_and(|again| same(&again, &conf)));
        }
    }
}

#[test]
fn the_buffer_grows_once_so_that_no_copy_stays_behind() {
    let conf = Conf::parse(everything().as_bytes()).ok().unwrap();
    let length = written(&conf).len();
    let mut out = Zeroizing::new(String::with_capacity(length));
    let before = out.as_ptr();
    conf.write(&mut out);
    assert_eq!((out.as_ptr(), out.len()), (before, length));
}

/// The terminal's picture: dark modules, several pixels each, on light.
fn photograph(code: &str) -> (usize, Vec<bool>) {
    let rows: Vec<Vec<(bool, bool)>> = code
        .lines()
        .map(|line| {
            let line = line.strip_prefix("\x1b[38;5;16;48;5;231m").unwrap();
            let line = line.strip_suffix("\x1b[0m").unwrap();
            line.chars()
                .map(|half| match half {
                    '█' => (true, true),
                    '▀' => (true, false),
                    '▄' => (false, true),
                    ' ' => (false, false),
                    other => panic!("{other}"),
                })
                .collect()
        })
        .collect();
    let width = rows[0].len();
    let mut modules = Vec::new();
    for row in rows {
        assert_eq!(row.len(), width);
        modules.extend(row.iter().map(|half| half.0));
        modules.extend(row.iter().map(|half| half.1));
    }
    (width, modules)
}

#[test]
fn the_qr_code_holds_the_file_within_a_quiet_zone() {
    const SCALE: usize = 4;
    let conf = Conf::parse(everything().as_bytes()).ok().unwrap();
    let code = qr(&conf).unwrap();
    let (width, modules) = photograph(&code);
    for at in 0..width {
        for edge in 0..4 {
            let dark = modules[edge * width + at] || modules[at * width + edge];
            assert!(!dark, "the quiet zone is four modules wide");
        }
    }
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width * SCALE, width * SCALE, |x, y| {
            if modules[y / SCALE * width + x / SCALE] {
                0
            } else {
                255
            }
        });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    let (_, text) = grids[0].decode().unwrap();
    assert_eq!(text, everything());
}

#[test]
fn a_file_that_is_too_long_for_a_code_is_said_to_be() {
    let mut conf = Conf::parse(everything().as_bytes()).ok().unwrap();
    conf.interface.addresses = vec!["10.0.0.1/32".parse().unwrap(); 300];
    let bytes = written(&conf).len();
    assert_eq!(qr(&conf).err(), Some(QrError::TooLong { bytes }));
}
