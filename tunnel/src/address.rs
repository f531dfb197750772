//! Inner addresses, derived by both ends from the client's static key, so that nobody assigns them.
//!
//! ```text
//! h = SHA-256("veilpool/inner-address/v1" ‖ public key),  address = 10.(64 + (h₀ & 63)).h₁.h₂ /32
//!                                                         and fd76:7064:6e01::(h₈…h₁₅) /128
//! ```

use std::net::{Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};
use veilpool_protocol::api::WireGuardKeyBytes;

/// The node's own inner address.
pub const NODE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 1);
/// The node's own inner address of the other version.
pub const NODE_ADDRESS_V6: Ipv6Addr = Ipv6Addr::new(0xfd76, 0x7064, 0x6e01, 0, 0, 0, 0, 1);
const CONTEXT: &[u8] = b"veilpool/inner-address/v1";

/// The inner address of a client; `None` for the few keys (about 1 in 128) whose address would be a
/// network's, a broadcast's or the node's. Such a client draws another key.
#[must_use]
pub fn inner_address(key: &WireGuardKeyBytes) -> Option<Ipv4Addr> {
    let hash = hash(key);
    let address = Ipv4Addr::new(10, 64 + (hash[0] & 63), hash[1], hash[2]);
    (!matches!(hash[2], 0 | 255) && address != NODE_ADDRESS).then_some(address)
}

/// The inner IPv6 address of a client that has an IPv4 one.
#[must_use]
pub fn inner_address_v6(key: &WireGuardKeyBytes) -> Ipv6Addr {
    let hash = hash(key);
    let mut octets = NODE_ADDRESS_V6.octets();
    octets[8..].copy_from_slice(&hash[8..16]);
    Ipv6Addr::from(octets)
}

fn hash(key: &WireGuardKeyBytes) -> [u8; 32] {
    Sha256::new()
        .chain_update(CONTEXT)
        .chain_update(key.as_bytes())
        .finalize()
        .into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_inner_address_is_derived_from_the_key_alone() {
        let key = WireGuardKeyBytes::new([7; 32]);
        let hash = Sha256::digest([CONTEXT, &[7; 32]].concat());
        let octets = inner_address(&key).unwrap().octets();
        assert_eq!(octets, [10, 64 + (hash[0] & 63), hash[1], hash[2]]);
    }

    #[test]
    fn network_and_broadcast_addresses_are_refused() {
        let addresses: Vec<_> = (0..2000u32)
            .map(|i| {
                let mut key = [0; 32];
                key[..4].copy_from_slice(&i.to_le_bytes());
                inner_address(&WireGuardKeyBytes::new(key))
            })
            .collect();
        assert!(addresses.iter().any(Option::is_none));
        for address in addresses.into_iter().flatten() {
            assert!((64..128).contains(&address.octets()[1]));
            assert!(!matches!(address.octets()[3], 0 | 255));
        }
    }
}
