//! This machine and its networks, which may be public.

use std::net::SocketAddr;

use veilpool_policy::{Denied, HostNetworks, Policy, Protocol};

use crate::common::{home, ip, tcp, web};

#[test]
fn n1_own_addresses_are_refused_public_or_not() {
    let policy = Policy::default().with_host(home());
    for (address, reason) in [
        ("192.168.1.5", Denied::Private),
        ("81.2.3.4", Denied::ThisHost),
        ("2a00:1:2:3::5", Denied::ThisHost),
        ("::ffff:81.2.3.4", Denied::ThisHost),
        ("64:ff9b::81.2.3.4", Denied::ThisHost),
        ("2002:5102:304::1", Denied::ThisHost),
    ] {
        assert_eq!(web(&policy, address), Err(reason), "{address}");
    }
    // Before it is known where the machine is, nothing of it is.
    assert_eq!(web(&Policy::default(), "81.2.3.4"), Ok(()));
}

#[test]
fn n1_other_hosts_on_a_link_are_refused_although_their_addresses_are_public() {
    let policy = Policy::default().with_host(home());
    for address in [
        "81.2.3.1",
        "81.2.3.15",
        "2a00:1:2:3::1",
        "2a00:1:2:3:ffff::",
        "2a00:1:2:fff0::1",
        "::ffff:81.2.3.1",
        "2002:5102:301::1",
    ] {
        assert_eq!(web(&policy, address), Err(Denied::HomeNetwork), "{address}");
    }
    for address in ["81.2.3.16", "81.2.2.255", "2a00:1:3::1", "2a00:1:1:ffff::1"] {
        assert_eq!(web(&policy, address), Ok(()), "{address}");
    }
}

#[test]
fn n1_an_ipv6_address_alone_stands_for_the_lan_around_it() {
    // DHCPv6 gives a /128.
    let host = HostNetworks::new(
        [ip("2a00:1:2:3::5")],
        ["2a00:1:2:3::5/128".parse().unwrap()],
    );
    let policy = Policy::default().with_host(host);
    assert_eq!(web(&policy, "2a00:1:2:3::5"), Err(Denied::ThisHost));
    assert_eq!(web(&policy, "2a00:1:2:3::6"), Err(Denied::HomeNetwork));
    assert_eq!(web(&policy, "2a00:1:2:4::6"), Ok(()));
}

#[test]
fn point_to_point_links_and_default_routes_do_not_shut_the_internet_out() {
    let on_link = ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "2000::/3"];
    let links = ["81.2.3.4/31", "81.9.9.9/32"];
    let host = HostNetworks::new(
        [ip("81.2.3.4"), ip("81.2.3.8")],
        on_link
            .into_iter()
            .chain(links)
            .map(|net| net.parse().unwrap()),
    );
    let policy = Policy::default().with_host(host);
    assert_eq!(web(&policy, "81.2.3.4"), Err(Denied::ThisHost));
    assert_eq!(web(&policy, "81.2.3.5"), Err(Denied::HomeNetwork));
    assert_eq!(web(&policy, "81.2.3.8"), Err(Denied::ThisHost));
    assert_eq!(web(&policy, "81.9.9.9"), Err(Denied::HomeNetwork));
    for address in ["81.2.3.6", "81.2.3.9", "1.1.1.1", "2606:4700::1"] {
        assert_eq!(web(&policy, address), Ok(()), "{address}");
    }
}

#[test]
fn n1_the_routers_public_address_is_the_operators_too() {
    let host = HostNetworks::default().with_address(ip("81.2.3.4"));
    let policy = Policy::default().with_host(host);
    assert_eq!(tcp(&policy, "81.2.3.4:443"), Err(Denied::ThisHost));
    assert_eq!(tcp(&policy, "81.2.3.5:443"), Ok(()));
}

#[test]
fn n1_an_exception_for_a_prefix_never_reaches_this_machine_and_an_exact_one_does() {
    let file = "[destinations]\nallow = [\"192.168.1.0/24:80\", \"81.2.3.0/24:80-90\", \"169.254.0.0/16:80\",\
                \"127.0.0.0/8:80\", \"192.168.1.5:81\"]";
    let policy = Policy::parse(file).unwrap().with_host(home());
    assert_eq!(tcp(&policy, "192.168.1.9:80"), Ok(()));
    assert_eq!(tcp(&policy, "81.2.3.1:85"), Ok(()));
    assert_eq!(tcp(&policy, "192.168.1.5:80"), Err(Denied::Private));
    assert_eq!(tcp(&policy, "81.2.3.4:85"), Err(Denied::ThisHost));
    assert_eq!(tcp(&policy, "127.0.0.1:80"), Err(Denied::Loopback));
    assert_eq!(tcp(&policy, "169.254.169.254:80"), Err(Denied::Metadata));
    assert_eq!(tcp(&policy, "169.254.1.1:80"), Ok(()));
    assert_eq!(tcp(&policy, "192.168.1.5:81"), Ok(()));
}

#[test]
fn n1_what_the_system_says_of_this_machine_is_refused() {
    let host = HostNetworks::of_this_machine().unwrap();
    assert!(
        host.is_own(ip("127.0.0.1")),
        "loopback is an interface of every machine"
    );
    assert!(host.is_on_link(ip("127.9.9.9")));
    let policy = Policy::default().with_host(host.clone());
    for interface in if_addrs::get_if_addrs().unwrap() {
        assert!(host.is_own(interface.ip()));
        let at = SocketAddr::new(interface.ip(), 443);
        assert!(policy.check(Protocol::Tcp, at).is_err());
    }
}

#[test]
fn n1_a_name_that_changes_its_address_is_judged_by_the_address_connected_to() {
    // DNS rebinding: the first answer is public, the next one is the home's. Nothing of the first
    // verdict is kept, since a policy has no state.
    let policy = Policy::default().with_host(home());
    for (answer, verdict) in [
        ("1.1.1.1", Ok(())),
        ("192.168.1.1", Err(Denied::Private)),
        ("2a00:1:2:3::1", Err(Denied::HomeNetwork)),
        ("1.1.1.1", Ok(())),
    ] {
        assert_eq!(web(&policy, answer), verdict);
    }
}

#[test]
fn l7_neither_debug_nor_display_names_the_operators_addresses_or_destinations() {
    let file = "[destinations]\nrefuse = [\"198.7.6.0/24\"]\nallow = [\"10.0.5.3:4000\"]";
    let policy = Policy::parse(file).unwrap().with_host(home());
    for text in [
        format!("{policy:?}"),
        policy.to_string(),
        format!("{:?}", policy.host()),
    ] {
        for secret in ["81.2.3", "2a00", "192.168", "198.7", "10.0.5"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert!(
        policy
            .to_string()
            .starts_with("exit: TCP, UDP, ping\nrefused TCP ports: 23, 25, 119,")
    );
}
