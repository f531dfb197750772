//! Files: what is taken, what is refused and how it is said, and back.

use std::fs;

use proptest::prelude::*;
use veilpool_policy::{Denied, Policy, Protocol};

use crate::common::{arb_policy, home, tcp, udp};

fn error(text: &str) -> String {
    Policy::parse(text).unwrap_err().to_string()
}

#[test]
fn an_empty_file_is_the_default_and_so_is_the_example() {
    let default = Policy::default();
    assert!(Policy::parse("").unwrap() == default);
    assert!(
        Policy::parse("mode = \"exit\"\n[ports]\n[protocols]\n[destinations]\n").unwrap()
            == default
    );
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policy.example.toml");
    let example = fs::read_to_string(example).unwrap();
    assert!(
        Policy::parse(&example).unwrap() == default,
        "docs/policy.example.toml isn't the default any more"
    );
    assert!(Policy::parse(&default.to_toml()).unwrap() == default);
}

#[test]
fn n6_every_part_of_a_file_is_enforced() {
    let policy = Policy::parse(
        r#"
        [protocols]
        icmp_echo = false
        [ports.tcp]
        refuse = [22, "8000-8100"]
        [ports.udp]
        allow = [53, "1000-2000"]
        refuse = [1500]
        [destinations]
        refuse = ["198.7.6.0/24", "2a00:9::/32", "198.8.8.8"]
        allow = ["10.0.5.3:4000", "[fd00:1::/64]:443", "198.7.6.64/26:22-23"]
        "#,
    )
    .unwrap();
    let ping = policy.check(Protocol::IcmpEcho, "1.1.1.1:0".parse().unwrap());
    assert_eq!(ping, Err(Denied::Protocol));
    for (destination, verdict) in [
        ("1.1.1.1:22", Err(Denied::Port)),
        ("1.1.1.1:8050", Err(Denied::Port)),
        // The list in the file replaces the default's.
        ("1.1.1.1:25", Ok(())),
        ("198.7.6.5:443", Err(Denied::Destination)),
        ("198.8.8.8:443", Err(Denied::Destination)),
        ("[64:ff9b::198.7.6.5]:443", Err(Denied::Destination)),
        ("[2a00:9::1]:443", Err(Denied::Destination)),
        ("10.0.5.3:4000", Ok(())),
        ("10.0.5.3:4001", Err(Denied::Private)),
        ("[fd00:1::7]:443", Ok(())),
        ("[fd00:1:0:1::7]:443", Err(Denied::Private)),
        ("198.7.6.100:22", Ok(())),
        ("198.7.6.100:24", Err(Denied::Destination)),
    ] {
        assert_eq!(tcp(&policy, destination), verdict, "{destination}");
    }
    for (destination, verdict) in [
        ("1.1.1.1:53", Ok(())),
        ("1.1.1.1:1499", Ok(())),
        ("1.1.1.1:1500", Err(Denied::Port)),
        ("1.1.1.1:443", Err(Denied::Port)),
    ] {
        assert_eq!(udp(&policy, destination), verdict, "{destination}");
    }
    let off =
        Policy::parse("[protocols]\ntcp = false\n[destinations]\nallow = [\"10.0.5.3:4000\"]")
            .unwrap();
    assert_eq!(tcp(&off, "10.0.5.3:4000"), Err(Denied::Protocol));
    assert_eq!(udp(&off, "10.0.5.3:4000"), Ok(()));
}

#[test]
fn a_fault_is_named_with_its_line_and_with_what_to_do() {
    for (text, expected) in [
        (
            "\nprots = 1",
            "line 2: unknown field `prots`, expected one of `mode`, `exits`, `protocols`, `ports`, `destinations`; correct its name or take it out",
        ),
        (
            "[ports]\nrefuse = [25]",
            "line 2: unknown field `refuse`, expected `tcp` or `udp`; correct its name or take it out",
        ),
        (
            "[ports.tcp]\nrefuse = [25, 0]",
            "line 2: `0` is no port; write 1 to 65535, or a range, as \"6881-6999\"",
        ),
        (
            "[ports.tcp]\nrefuse = [\n  25,\n  65536]",
            "line 4: `65536` is no port; write 1 to 65535, or a range, as \"6881-6999\"",
        ),
        (
            "[ports.tcp]\nrefuse = [\"+25\"]",
            "line 2: `+25` is no port; write 1 to 65535, or a range, as \"6881-6999\"",
        ),
        (
            "[ports.tcp]\nrefuse = [\"30-20\"]",
            "line 2: `30-20` ends before it starts; swap the two ports",
        ),
        (
            "[ports.tcp]\nrefuse = [true]",
            "line 2: invalid type: boolean `true`, expected a port, as 25, or a range, as \"6881-6999\"; docs/policy.example.toml shows how every key is written",
        ),
        (
            "[ports.udp]\nallow = []",
            "line 2: an empty `allow` lets nothing out; turn the protocol off in [protocols], or take `allow` out",
        ),
        (
            "[protocols]\ntcp = 1",
            "line 2: invalid type: integer `1`, expected a boolean; docs/policy.example.toml shows how every key is written",
        ),
        (
            "[destinations]\nrefuse = [\"198.7.6.5/24\"]",
            "line 2: `198.7.6.5/24` has bits behind its prefix; write 198.7.6.0/24",
        ),
        (
            "[destinations]\nrefuse = [\"example.org\"]",
            "line 2: `example.org` is no address or network (names aren't looked up); write it as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32",
        ),
        (
            "[destinations]\nallow = [\"10.0.5.3\"]",
            "line 2: `10.0.5.3` is no exception; write address:port, network:port or network:first-last, IPv6 in brackets, as 10.0.5.3:4000 or [fd00:1::/64]:443",
        ),
        (
            "[destinations]\nallow = [\"fd00::1:443\"]",
            "line 2: `fd00::1:443` is no exception; write address:port, network:port or network:first-last, IPv6 in brackets, as 10.0.5.3:4000 or [fd00:1::/64]:443",
        ),
        (
            "[destinations]\nallow = [\"0.0.0.0/0:443\"]",
            "line 2: `0.0.0.0/0:443` opens too much; write prefixes of /8 or longer",
        ),
        (
            "[destinations]\nallow = [\"[::/0]:443\"]",
            "line 2: `[::/0]:443` opens too much; write prefixes of /16 or longer",
        ),
        (
            "[destinations]\nallow = [\"[::ffff:10.0.0.1]:443\"]",
            "line 2: `[::ffff:10.0.0.1]:443` can't be a destination; write a unicast address, IPv4 as IPv4",
        ),
        (
            "[destinations]\nallow = [\"224.0.0.1:443\"]",
            "line 2: `224.0.0.1:443` can't be a destination; write a unicast address, IPv4 as IPv4",
        ),
        (
            "mode = \"both\"",
            "line 1: unknown variant `both`, expected `exit` or `entry`; docs/policy.example.toml shows how every key is written",
        ),
        (
            "exits = [\"198.7.6.5:1\"]",
            "line 1: `exits` is for an entry; take it out, or set mode = \"entry\"",
        ),
        (
            "mode = \"entry\"",
            "line 1: an entry needs `exits`; add exits = [\"address:port\", …] above the first section",
        ),
        (
            "mode = \"entry\"\nexits = []",
            "line 2: an entry needs `exits`; add exits = [\"address:port\", …] above the first section",
        ),
        (
            "mode = \"entry\"\nexits = [\"198.7.6.5\"]",
            "line 2: `198.7.6.5` is no exit (names aren't looked up); write address:port, as 203.0.113.7:51820 or [2001:db8::7]:51820",
        ),
        (
            "mode = \"entry\"\nexits = [\"198.7.6.5:0\"]",
            "line 2: `198.7.6.5:0` can't be an exit; write a unicast address with a port, IPv4 as IPv4",
        ),
        (
            "mode = \"entry\"\nexits = [\"198.7.6.5:1\"]\n\n[ports.tcp]\n",
            "line 4: an entry leads to `exits` and nowhere else; take [ports] out, or set mode = \"exit\"",
        ),
    ] {
        assert_eq!(error(text), expected, "{text}");
    }
    // TOML's own faults; a duplicate is one of them, and what is quoted has no control characters.
    assert!(error("mode = \"exit\"\nmode = \"exit\"").starts_with("line 2: duplicate key"));
    assert!(error("[ports.tcp]\nrefuse = [25").starts_with("line 2: "));
    assert!(!error("\"\\u001b[2J\" = 1").contains('\u{1b}'));
    let long = "#".repeat(veilpool_policy::MAX_FILE + 1);
    assert_eq!(
        error(&long),
        "line 1: the policy is longer than 262144 bytes; merge its ranges"
    );
    let many = "\"10.0.5.3:4000\", ".repeat(1025);
    let many = format!("[destinations]\nallow = [{many}]");
    assert_eq!(
        error(&many),
        "line 2: 1025 entries, and 1024 at most; merge them"
    );
}

#[test]
fn a_policy_is_written_with_nothing_left_to_defaults() {
    let policy = Policy::parse(
        "[protocols]\nudp = false\n[ports.tcp]\nallow = [80, 443]\n[destinations]\n\
         refuse = [\"198.7.6.0/25\", \"198.7.6.128/25\"]\nallow = [\"[fd00:1::1]:1-9\", \"10.0.5.0/24:80\", \"10.0.5.3:1\"]",
    )
    .unwrap();
    let text = policy.with_host(home()).to_toml();
    // Of the ports the shorter list, and what the default refuses is gone into it.
    let expected = "mode = \"exit\"\n\n[protocols]\ntcp = true\nudp = false\nicmp_echo = true\n\n\
        [ports.tcp]\nrefuse = []\nallow = [80, 443]\n";
    let (head, rest) = text.split_once("\n[ports.udp]").unwrap();
    assert_eq!(head, expected);
    assert!(rest.ends_with(
        "[destinations]\nrefuse = [\"198.7.6.0/24\"]\nallow = [\"10.0.5.3:1\", \"[fd00:1::1]:1-9\", \"10.0.5.0/24:80\"]\n"
    ), "{rest}");
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(policy in arb_policy()) {
        let text = policy.to_toml();
        let read = Policy::parse(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert!(read == policy, "{}", text);
        prop_assert_eq!(read.digest(), policy.digest());
    }

    #[test]
    fn n6_no_text_makes_the_parser_panic(text in ".{0,200}") {
        let _ = Policy::parse(&text);
    }

    #[test]
    fn n6_no_edit_of_a_file_makes_the_parser_panic(at in 0usize..900, byte: u8, cut: bool) {
        let mut text = include_bytes!("../../../docs/policy.example.toml").to_vec();
        let at = at % text.len();
        text[at] = byte;
        if cut {
            text.truncate(at + 1);
        }
        let _ = Policy::parse(&String::from_utf8_lossy(&text));
    }

    #[test]
    fn n6_no_value_makes_the_parser_panic(value in "[\\[\\]0-9a-f:./,\"-]{0,40}", key in 0usize..6) {
        let keys = [
            "exits", "mode = \"entry\"\nexits", "[ports.tcp]\nallow", "[ports.udp]\nrefuse",
            "[destinations]\nrefuse", "[destinations]\nallow",
        ];
        let _ = Policy::parse(&format!("{} = [{value}]", keys[key]));
        let _ = Policy::parse(&format!("{} = [\"{value}\"]", keys[key]));
    }
}
