//! The first of two hops.

use proptest::prelude::*;
use veilpool_policy::{Denied, Mode, NftNames, Policy, Protocol};

use crate::common::{arb_address, arb_port, home, tcp, udp};

fn entry() -> Policy {
    Policy::parse("mode = \"entry\"\nexits = [\"198.7.6.5:51820\", \"[2a00:9::7]:51820\"]").unwrap()
}

#[test]
fn n6_an_entry_lets_udp_to_its_exits_out_and_nothing_else() {
    let policy = entry();
    assert_eq!(policy.mode(), Mode::Entry);
    for exit in ["198.7.6.5:51820", "[2a00:9::7]:51820"] {
        assert_eq!(udp(&policy, exit), Ok(()));
        assert_eq!(tcp(&policy, exit), Err(Denied::Protocol));
        let ping = policy.check(Protocol::IcmpEcho, exit.parse().unwrap());
        assert_eq!(ping, Err(Denied::Protocol));
    }
    for other in [
        "198.7.6.5:51821",
        "198.7.6.6:51820",
        "1.1.1.1:53",
        "[::ffff:198.7.6.5]:51820",
    ] {
        assert_eq!(udp(&policy, other), Err(Denied::NotAnExit), "{other}");
    }
    // What an exit may be allowed, an entry isn't.
    let more = policy
        .clone()
        .with_allowed(["10.0.0.1:53".parse().unwrap()]);
    assert_eq!(udp(&more, "10.0.0.1:53"), Err(Denied::NotAnExit));
}

#[test]
fn n6_an_entrys_ruleset_answers_neither_names_nor_pings() {
    let names = NftNames::new("t", "tun0", "up0").unwrap();
    let names = names
        .with_dns("10.64.0.1".parse().unwrap())
        .with_echo("10.64.0.1".parse().unwrap());
    let ruleset = entry().nftables(&names);
    assert!(
        !ruleset.contains("10.64.0.1") && !ruleset.contains("echo-request"),
        "{ruleset}"
    );
    let accepts: Vec<_> = ruleset
        .lines()
        .filter(|line| line.contains("accept"))
        .collect();
    assert_eq!(accepts.len(), 6, "{accepts:?}");
    assert!(ruleset.contains("198.7.6.5 . 51820") && ruleset.contains("2a00:9::7 . 51820"));
}

proptest! {
    #[test]
    fn n6_whatever_it_is_an_entry_does_not_let_it_out(address in arb_address(), port in arb_port()) {
        let at = std::net::SocketAddr::new(address, port);
        let policy = entry().with_host(home());
        prop_assert_eq!(policy.check(Protocol::Tcp, at), Err(Denied::Protocol));
        prop_assert_eq!(policy.check(Protocol::IcmpEcho, at), Err(Denied::Protocol));
        prop_assert_eq!(policy.check(Protocol::Udp, at), Err(Denied::NotAnExit));
    }
}
