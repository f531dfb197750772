//! Sets of ports and addresses as sorted ranges, and tables that say of each range why it is refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// A value that ranges are made of: a port or an address as a number.
pub(crate) trait Point: Copy + Ord {
    const MIN: Self;
    const MAX: Self;
    /// The next value, none after the last.
    fn next(self) -> Option<Self>;
    /// The value before, none before the first.
    fn previous(self) -> Option<Self>;
}

macro_rules! point {
    ($($integer:ty),*) => {$(
        impl Point for $integer {
            const MIN: Self = <$integer>::MIN;
            const MAX: Self = <$integer>::MAX;
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            fn previous(self) -> Option<Self> {
                self.checked_sub(1)
            }
        }
    )*};
}
point!(u16, u32, u128);

/// From the first to the last value, both included.
pub(crate) type Range<T> = (T, T);

/// A set as ranges that are sorted, disjoint and not adjacent: equal sets are equal values.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RangeSet<T>(Vec<Range<T>>);

impl<T> Default for RangeSet<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Point> RangeSet<T> {
    pub(crate) fn new(ranges: impl IntoIterator<Item = Range<T>>) -> Self {
        let mut all: Vec<_> = ranges.into_iter().filter(|(from, to)| from <= to).collect();
        all.sort_unstable();
        let mut merged: Vec<Range<T>> = Vec::with_capacity(all.len());
        for (from, to) in all {
            match merged.last_mut() {
                // The last one reaches to here, or to right before.
                Some(last) if last.1.next().is_none_or(|after| from <= after) => {
                    last.1 = last.1.max(to);
                }
                _ => merged.push((from, to)),
            }
        }
        Self(merged)
    }

    pub(crate) fn contains(&self, value: T) -> bool {
        let after = self.0.partition_point(|(from, _)| *from <= value);
        after
            .checked_sub(1)
            .and_then(|at| self.0.get(at))
            .is_some_and(|(_, to)| value <= *to)
    }

    pub(crate) fn complement(&self) -> Self {
        let mut gaps = Vec::with_capacity(self.0.len() + 1);
        let mut next = Some(T::MIN);
        for (from, to) in &self.0 {
            if let (Some(start), Some(before)) = (next, from.previous()) {
                gaps.push((start, before));
            }
            next = to.next();
        }
        gaps.extend(next.map(|start| (start, T::MAX)));
        Self::new(gaps)
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        Self::new(self.0.iter().chain(&other.0).copied())
    }

    pub(crate) fn minus(&self, other: &Self) -> Self {
        self.complement().union(other).complement()
    }

    pub(crate) fn ranges(&self) -> &[Range<T>] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Disjoint ranges, each with a value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Table<T, V>(Vec<(T, T, V)>);

impl<T: Point, V: Copy> Table<T, V> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a value for the set, where there is none yet: what is added first wins.
    pub(crate) fn fill(&mut self, set: &RangeSet<T>, value: V) {
        self.fill_from(set.0.iter().map(|(from, to)| (*from, *to, value)));
    }

    /// [`Self::fill`], with disjoint sorted ranges that have values of their own.
    pub(crate) fn fill_from(&mut self, more: impl IntoIterator<Item = (T, T, V)>) {
        let taken = std::mem::take(&mut self.0);
        let mut out = Vec::with_capacity(taken.len());
        let mut at = 0;
        for (from, to, value) in more {
            let mut start = Some(from);
            // What lies before, then what overlaps, of which only the gaps are new.
            while let Some(old) = taken.get(at) {
                let Some(first) = start else { break };
                if old.0 > to {
                    break;
                }
                if old.1 >= first {
                    if let Some(before) = old.0.previous().filter(|before| first <= *before) {
                        out.push((first, before, value));
                    }
                    start = old.1.next().filter(|after| *after <= to);
                    if old.1 > to {
                        // It may reach into the next one of the new.
                        start = None;
                        break;
                    }
                }
                out.push(*old);
                at += 1;
            }
            out.extend(start.map(|first| (first, to, value)));
        }
        out.extend(taken.into_iter().skip(at));
        self.0 = out;
    }

    pub(crate) fn get(&self, key: T) -> Option<V> {
        let after = self.0.partition_point(|(from, ..)| *from <= key);
        let (_, to, value) = after.checked_sub(1).and_then(|at| self.0.get(at))?;
        (key <= *to).then_some(*value)
    }

    pub(crate) fn entries(&self) -> &[(T, T, V)] {
        &self.0
    }

    /// All that has a value.
    pub(crate) fn keys(&self) -> RangeSet<T> {
        RangeSet::new(self.0.iter().map(|(from, to, _)| (*from, *to)))
    }
}

/// An address set of both families.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct AddressSet {
    pub(crate) v4: RangeSet<u32>,
    pub(crate) v6: RangeSet<u128>,
}

impl AddressSet {
    pub(crate) fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            match network {
                IpNet::V4(net) => v4.push((net.network().to_bits(), net.broadcast().to_bits())),
                IpNet::V6(net) => v6.push((net.network().to_bits(), net.broadcast().to_bits())),
            }
        }
        Self {
            v4: RangeSet::new(v4),
            v6: RangeSet::new(v6),
        }
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.v4.contains(address.to_bits()),
            IpAddr::V6(address) => self.v6.contains(address.to_bits()),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        Self {
            v4: self.v4.union(&other.v4),
            v6: self.v6.union(&other.v6),
        }
    }

    /// As the fewest networks.
    pub(crate) fn networks(&self) -> Vec<IpNet> {
        let v4 = self.v4.ranges().iter().flat_map(|(from, to)| {
            let (from, to) = (Ipv4Addr::from_bits(*from), Ipv4Addr::from_bits(*to));
            ipnet::Ipv4Subnets::new(from, to, 0).map(IpNet::V4)
        });
        let v6 = self.v6.ranges().iter().flat_map(|(from, to)| {
            let (from, to) = (Ipv6Addr::from_bits(*from), Ipv6Addr::from_bits(*to));
            ipnet::Ipv6Subnets::new(from, to, 0).map(IpNet::V6)
        });
        v4.chain(v6).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arb_ranges() -> impl Strategy<Value = Vec<Range<u16>>> {
        let range = (0u16..60, 0u16..12).prop_map(|(from, len)| (from, from + len));
        let high = (0u16..4).prop_map(|back| (u16::MAX - back, u16::MAX));
        prop::collection::vec(prop_oneof![4 => range, 1 => high], 0..12)
    }

    proptest! {
        #[test]
        fn a_set_holds_what_one_of_its_ranges_holds(ranges in arb_ranges()) {
            let set = RangeSet::new(ranges.clone());
            for value in (0..90).chain(u16::MAX - 6..=u16::MAX) {
                let expected = ranges.iter().any(|(from, to)| (from..=to).contains(&&value));
                prop_assert_eq!(set.contains(value), expected);
                prop_assert_eq!(set.complement().contains(value), !expected);
            }
            prop_assert!(set.complement().complement() == set);
        }

        #[test]
        fn in_a_table_the_first_value_stays(layers in prop::collection::vec(arb_ranges(), 0..5)) {
            let mut table = Table::new();
            let sets: Vec<_> = layers.into_iter().map(RangeSet::new).collect();
            for (at, set) in sets.iter().enumerate() {
                table.fill(set, at);
            }
            for value in (0..90).chain(u16::MAX - 6..=u16::MAX) {
                let expected = sets.iter().position(|set| set.contains(value));
                prop_assert_eq!(table.get(value), expected);
            }
            let sorted = table.entries().windows(2).all(|two| two[0].1 < two[1].0);
            prop_assert!(sorted);
        }

        #[test]
        fn networks_of_a_set_make_the_same_set(v4 in any::<(u32, u32)>(), v6 in any::<(u128, u128)>()) {
            let set = AddressSet {
                v4: RangeSet::new([(v4.0.min(v4.1), v4.0.max(v4.1))]),
                v6: RangeSet::new([(v6.0.min(v6.1), v6.0.max(v6.1))]),
            };
            prop_assert!(AddressSet::new(set.networks()) == set);
        }
    }
}
