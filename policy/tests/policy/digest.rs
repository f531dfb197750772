//! What the digest depends on, and what not.

use proptest::prelude::*;
use veilpool_policy::Policy;

use crate::common::{arb_lists, arb_policy, file, home};

/// Computed apart, by docs/vectors/exit_policy.py.
#[test]
fn digests_are_those_of_another_implementation() {
    let full = "[protocols]\nicmp_echo = false\n[ports.tcp]\nrefuse = [\"20-30\"]\n[ports.udp]\nallow = [53]\n\
                [destinations]\nrefuse = [\"198.7.6.0/24\"]\n\
                allow = [\"[fd00:1::/64]:443\", \"10.0.5.3:4000\", \"10.0.5.3:1-9\"]";
    let entry = "mode = \"entry\"\n\
                 exits = [\"[2a00:9::7]:51820\", \"198.7.6.5:51820\", \"198.7.6.5:51820\"]";
    for (file, expected) in [
        (
            "",
            "002ef98618a60cba6915ae4ee7a6d820ed841638150de4754789c2b05c9a30e2",
        ),
        (
            entry,
            "d23126a7ab7bfca97700884e5d3f967a4feead49e22eabb1ccbdbaceb6c268dd",
        ),
        (
            full,
            "32ff7c0d5bc2a6d45632fa54fe5cefba12c177e64753d0e35103b1e8df2d19c7",
        ),
    ] {
        let digest = Policy::parse(file).unwrap().digest();
        assert_eq!(digest.to_string(), expected, "{file}");
    }
}

#[test]
fn every_part_of_a_file_changes_the_digest() {
    let files = [
        "",
        "[protocols]\ntcp = false",
        "[protocols]\nudp = false",
        "[protocols]\nicmp_echo = false",
        "[ports.tcp]\nrefuse = []",
        "[ports.udp]\nrefuse = []",
        "[ports.tcp]\nrefuse = [25]",
        "[ports.udp]\nrefuse = [25]",
        "[destinations]\nrefuse = [\"198.7.6.0/24\"]",
        "[destinations]\nrefuse = [\"2a00:9::/32\"]",
        "[destinations]\nallow = [\"10.0.5.3:4000\"]",
        "[destinations]\nallow = [\"10.0.5.3/32:4000\"]",
        "[destinations]\nallow = [\"10.0.5.3:4000-4001\"]",
        "[destinations]\nallow = [\"[fd00::3]:4000\"]",
        "mode = \"entry\"\nexits = [\"198.7.6.5:1\"]",
        "mode = \"entry\"\nexits = [\"198.7.6.5:1\", \"198.7.6.5:2\"]",
        "mode = \"entry\"\nexits = [\"[2a00:9::1]:1\"]",
    ];
    let digests: std::collections::BTreeSet<_> = files
        .iter()
        .map(|file| Policy::parse(file).unwrap().digest())
        .collect();
    assert_eq!(digests.len(), files.len());
}

proptest! {
    #[test]
    fn order_repetition_and_overlap_do_not_change_the_digest(lists in arb_lists(), seed: u64) {
        let policy = Policy::parse(&file(&lists, true)).unwrap();
        let mut other = lists;
        for list in &mut other {
            if let Some(first) = list.first().cloned() {
                let by = usize::try_from(seed % 7).unwrap() % list.len();
                list.rotate_left(by);
                if seed % 2 == 0 {
                    list.reverse();
                }
                // The first list's length is the ping's switch.
                list.push(first.clone());
                list.push(first);
            }
        }
        let again = Policy::parse(&file(&other, true)).unwrap();
        prop_assert_eq!(policy.digest(), again.digest());
        prop_assert!(policy == again);
    }

    #[test]
    fn the_operators_own_networks_are_not_in_the_digest(policy in arb_policy()) {
        prop_assert_eq!(policy.digest(), policy.clone().with_host(home()).digest());
        prop_assert_eq!(policy.to_toml(), policy.with_host(home()).to_toml());
    }
}

#[test]
fn ranges_that_meet_or_overlap_are_one() {
    let one = Policy::parse(
        "[ports.tcp]\nrefuse = [\"20-30\"]\n[destinations]\nrefuse = [\"198.7.6.0/24\"]",
    );
    let parts = Policy::parse(
        "[ports.tcp]\nrefuse = [\"25-30\", 24, \"20-26\"]\n[destinations]\n\
         refuse = [\"198.7.6.128/25\", \"198.7.6.7\", \"198.7.6.0/25\"]",
    );
    assert_eq!(one.unwrap().digest(), parts.unwrap().digest());
}
