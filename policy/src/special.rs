//! Addresses that nobody's guest has business with, whatever a file says: RFC 6890, IANA's
//! special-purpose registries (IPv4, IPv6) and clouds' metadata services; and the IPv6 forms that
//! embed an IPv4 address, which are judged by what they embed.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{
    Denied,
    range::{AddressSet, Range, RangeSet, Table},
};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u32) -> Range<u32> {
    let from = Ipv4Addr::new(a, b, c, d).to_bits();
    (from, from | u32::MAX.unbounded_shr(length))
}

const fn v6(first: [u16; 8], length: u32) -> Range<u128> {
    let [a, b, c, d, e, f, g, h] = first;
    let from = Ipv6Addr::new(a, b, c, d, e, f, g, h).to_bits();
    (from, from | u128::MAX.unbounded_shr(length))
}

const fn short(a: u16, b: u16, c: u16, length: u32) -> Range<u128> {
    v6([a, b, c, 0, 0, 0, 0, 0], length)
}

/// What wins stands first.
const V4: &[(Range<u32>, Denied)] = &[
    // AWS, Google, Azure, Oracle, DigitalOcean, Hetzner and others.
    (v4(169, 254, 169, 254, 32), Denied::Metadata),
    // AWS, credentials of containers.
    (v4(169, 254, 170, 2, 32), Denied::Metadata),
    // Alibaba, inside of the carriers' shared space.
    (v4(100, 100, 100, 200, 32), Denied::Metadata),
    // Azure's wire server: a public address, routed to the host of every virtual machine.
    (v4(168, 63, 129, 16, 32), Denied::Metadata),
    // Oracle's classic cloud.
    (v4(192, 0, 0, 192, 32), Denied::Metadata),
    (v4(0, 0, 0, 0, 8), Denied::Unspecified),
    (v4(127, 0, 0, 0, 8), Denied::Loopback),
    (v4(10, 0, 0, 0, 8), Denied::Private),
    (v4(172, 16, 0, 0, 12), Denied::Private),
    (v4(192, 168, 0, 0, 16), Denied::Private),
    (v4(100, 64, 0, 0, 10), Denied::SharedAddressSpace),
    (v4(169, 254, 0, 0, 16), Denied::LinkLocal),
    (v4(224, 0, 0, 0, 4), Denied::Multicast),
    (v4(255, 255, 255, 255, 32), Denied::Broadcast),
    // IETF protocols, documentation, 6to4's relays (RFC 7526), benchmarking, future use.
    (v4(192, 0, 0, 0, 24), Denied::Reserved),
    (v4(192, 0, 2, 0, 24), Denied::Reserved),
    (v4(192, 88, 99, 0, 24), Denied::Reserved),
    (v4(198, 18, 0, 0, 15), Denied::Reserved),
    (v4(198, 51, 100, 0, 24), Denied::Reserved),
    (v4(203, 0, 113, 0, 24), Denied::Reserved),
    (v4(240, 0, 0, 0, 4), Denied::Reserved),
];

const V6_FIRST: &[(Range<u128>, Denied)] = &[
    // AWS and Google.
    (
        v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128),
        Denied::Metadata,
    ),
    (
        v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128),
        Denied::Metadata,
    ),
    (short(0, 0, 0, 128), Denied::Unspecified),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Denied::Loopback),
];

/// After the embedded IPv4 addresses.
const V6: &[(Range<u128>, Denied)] = &[
    // NAT64: RFC 8215's prefix may have the address anywhere, and the rest is nobody's.
    (short(0x64, 0xff9b, 0, 32), Denied::Transition),
    // Teredo, RFC 4380.
    (short(0x2001, 0, 0, 32), Denied::Transition),
    // IETF protocols, ORCHIDs and benchmarking among them; documentation (RFC 3849, RFC 9637).
    (short(0x2001, 0, 0, 23), Denied::Reserved),
    (short(0x2001, 0xdb8, 0, 32), Denied::Reserved),
    (short(0x3fff, 0, 0, 20), Denied::Reserved),
    // The 6bone's, given back (RFC 3701).
    (short(0x3ffe, 0, 0, 16), Denied::Reserved),
    (short(0xfc00, 0, 0, 7), Denied::Private),
    (short(0xfec0, 0, 0, 10), Denied::Private),
    (short(0xfe80, 0, 0, 10), Denied::LinkLocal),
    (short(0xff00, 0, 0, 8), Denied::Multicast),
];

/// Global unicast, RFC 4291.
const GLOBAL: Range<u128> = short(0x2000, 0, 0, 3);

/// Prefix, and how many bits stand to the right of the embedded address.
const EMBEDDINGS: [(Range<u128>, u32); 5] = [
    // v4-mapped ::ffff:a.b.c.d, RFC 4291
    (v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), 0),
    // v4-translated ::ffff:0:a.b.c.d, RFC 2765
    (v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96), 0),
    // v4-compatible ::a.b.c.d, RFC 4291
    (short(0, 0, 0, 96), 0),
    // NAT64, RFC 6052
    (short(0x64, 0xff9b, 0, 96), 0),
    // 6to4, RFC 3056
    (short(0x2002, 0, 0, 16), 80),
];

/// Interface identifiers of ISATAP, RFC 5214: 0000:5efe or 0200:5efe, then an IPv4 address, in any /64.
/// No range of addresses, so it is looked at by a mask.
pub(crate) const ISATAP_MASK: u128 = 0xfdff_ffff << 32;
pub(crate) const ISATAP: u128 = 0x5efe << 32;

/// Whether the interface identifier is one of ISATAP's.
pub(crate) const fn is_isatap(address: u128) -> bool {
    address & ISATAP_MASK == ISATAP
}

/// Whether an exception for this set would be another notation of IPv4 addresses.
pub(crate) fn embeds_v4(range: Range<u128>) -> bool {
    let overlaps = |prefix: &Range<u128>| prefix.0 <= range.1 && range.0 <= prefix.1;
    // `::` and `::1` lie in the v4-compatible prefix and are no IPv4 addresses.
    range.1 > 1
        && (EMBEDDINGS.iter().any(|(prefix, _)| overlaps(prefix))
            || overlaps(&short(0x2001, 0, 0, 32))
            || overlaps(&short(0x64, 0xff9b, 0, 32)))
}

pub(crate) fn table_v4() -> Table<u32, Denied> {
    let mut table = Table::new();
    for (range, reason) in V4 {
        table.fill(&RangeSet::new([*range]), *reason);
    }
    table
}

/// With what is refused of IPv4, embedded in all forms. More can be added; [`reserve_v6`] closes it.
pub(crate) fn table_v6(v4: &Table<u32, Denied>) -> Table<u128, Denied> {
    let mut table = Table::new();
    for (range, reason) in V6_FIRST {
        table.fill(&RangeSet::new([*range]), *reason);
    }
    for ((base, _), shift) in EMBEDDINGS {
        let embed = |address: u32| base | u128::from(address) << shift;
        let low_bits = !(u128::MAX << shift);
        let ranges = v4.entries().iter();
        table.fill_from(
            ranges.map(|(from, to, reason)| (embed(*from), embed(*to) | low_bits, *reason)),
        );
    }
    for (range, reason) in V6 {
        // The well-known prefix of NAT64 lies in one of them, and was judged.
        let judged = RangeSet::new(EMBEDDINGS.map(|(prefix, _)| prefix));
        let rest = RangeSet::new([*range]).minus(&judged);
        table.fill(&rest, *reason);
    }
    table
}

/// Everything that is neither global unicast nor a form of an IPv4 address.
pub(crate) fn reserve_v6(table: &mut Table<u128, Denied>) {
    let open = EMBEDDINGS.into_iter().map(|(prefix, _)| prefix);
    let open = RangeSet::new(open.chain([GLOBAL]));
    table.fill(&open.complement(), Denied::Reserved);
}

/// Loopback and metadata services.
pub(crate) fn guarded() -> AddressSet {
    let guards = |reason: &Denied| matches!(reason, Denied::Loopback | Denied::Metadata);
    let v4 = V4.iter().filter(|(_, reason)| guards(reason));
    let v6 = V6_FIRST.iter().filter(|(_, reason)| guards(reason));
    AddressSet {
        v4: RangeSet::new(v4.map(|(range, _)| *range)),
        v6: RangeSet::new(v6.map(|(range, _)| *range)),
    }
}
