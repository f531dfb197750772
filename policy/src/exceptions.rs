//! What a file allows although it would be refused: areas of addresses and ports.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::range::{AddressSet, Point, Range, RangeSet};

/// Addresses, and the ports that all of them may be reached at.
type Area<T> = (Range<T>, RangeSet<u16>);

/// Areas, sorted and disjoint, neighbours with different ports: equal exceptions are equal values.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Exceptions {
    v4: Vec<Area<u32>>,
    v6: Vec<Area<u128>>,
}

impl Exceptions {
    pub(crate) fn new(entries: impl IntoIterator<Item = (IpNet, Range<u16>)>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (network, ports) in entries {
            let set = AddressSet::new([network]);
            v4.extend(set.v4.ranges().iter().map(|range| (*range, ports)));
            v6.extend(set.v6.ranges().iter().map(|range| (*range, ports)));
        }
        Self {
            v4: canonical(&v4),
            v6: canonical(&v6),
        }
    }

    pub(crate) fn contains(&self, address: IpAddr, port: u16) -> bool {
        let ports = match address {
            IpAddr::V4(address) => find(&self.v4, address.to_bits()),
            IpAddr::V6(address) => find(&self.v6, address.to_bits()),
        };
        ports.is_some_and(|ports| ports.contains(port))
    }

    pub(crate) fn v4(&self) -> &[Area<u32>] {
        &self.v4
    }

    pub(crate) fn v6(&self) -> &[Area<u128>] {
        &self.v6
    }

    /// As networks and ranges of ports.
    pub(crate) fn entries(&self) -> Vec<(IpNet, Range<u16>)> {
        let sets_v4 = self.v4.iter().map(|(range, ports)| {
            let v4 = RangeSet::new([*range]);
            (
                AddressSet {
                    v4,
                    ..AddressSet::default()
                },
                ports,
            )
        });
        let sets_v6 = self.v6.iter().map(|(range, ports)| {
            let v6 = RangeSet::new([*range]);
            (
                AddressSet {
                    v6,
                    ..AddressSet::default()
                },
                ports,
            )
        });
        let mut out = Vec::new();
        for (set, ports) in sets_v4.chain(sets_v6) {
            for network in set.networks() {
                out.extend(ports.ranges().iter().map(|range| (network, *range)));
            }
        }
        out
    }

    /// As single addresses and ranges of ports: only for what was made of single addresses.
    pub(crate) fn single_entries(&self) -> Vec<(IpAddr, Range<u16>)> {
        let mut out = Vec::new();
        for ((from, to), ports) in &self.v4 {
            for address in *from..=*to {
                let address = Ipv4Addr::from_bits(address).into();
                out.extend(ports.ranges().iter().map(|range| (address, *range)));
            }
        }
        for ((from, to), ports) in &self.v6 {
            for address in *from..=*to {
                let address = Ipv6Addr::from_bits(address).into();
                out.extend(ports.ranges().iter().map(|range| (address, *range)));
            }
        }
        out
    }
}

fn find<T: Point>(areas: &[Area<T>], address: T) -> Option<&RangeSet<u16>> {
    let after = areas.partition_point(|((from, _), _)| *from <= address);
    let ((_, to), ports) = after.checked_sub(1).and_then(|at| areas.get(at))?;
    (address <= *to).then_some(ports)
}

fn canonical<T: Point>(entries: &[(Range<T>, Range<u16>)]) -> Vec<Area<T>> {
    // Between two neighbouring bounds all addresses have the same ports.
    let ends = entries.iter().filter_map(|((_, to), _)| to.next());
    let mut bounds: Vec<T> = entries
        .iter()
        .map(|((from, _), _)| *from)
        .chain(ends)
        .collect();
    bounds.sort_unstable();
    bounds.dedup();
    let mut areas: Vec<Area<T>> = Vec::new();
    for (at, from) in bounds.iter().enumerate() {
        let next = bounds.get(at + 1).and_then(|next| next.previous());
        let to = next.unwrap_or(T::MAX);
        let here = entries
            .iter()
            .filter(|(range, _)| range.0 <= *from && *from <= range.1);
        let ports = RangeSet::new(here.map(|(_, ports)| *ports));
        match areas.last_mut() {
            Some((last, same)) if last.1.next() == Some(*from) && *same == ports => last.1 = to,
            _ if ports.is_empty() => {}
            _ => areas.push(((*from, to), ports)),
        }
    }
    areas
}
