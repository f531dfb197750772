//! Why a destination is refused.

/// Why a destination is refused. The texts name no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// 0.0.0.0/8 or `::`.
    #[error("the unspecified address or 'this network'")]
    Unspecified,
    /// 127.0.0.0/8 or `::1`.
    #[error("loopback")]
    Loopback,
    /// RFC 1918 or fc00::/7 or fec0::/10.
    #[error("a private network")]
    Private,
    /// 100.64.0.0/10, RFC 6598.
    #[error("a carrier's shared address space")]
    SharedAddressSpace,
    /// 169.254.0.0/16 or fe80::/10.
    #[error("link-local")]
    LinkLocal,
    /// A cloud's metadata service.
    #[error("a cloud's metadata service")]
    Metadata,
    /// Multicast.
    #[error("multicast")]
    Multicast,
    /// 255.255.255.255.
    #[error("broadcast")]
    Broadcast,
    /// Documentation, benchmarking, future use, not yet assigned.
    #[error("a reserved range")]
    Reserved,
    /// An IPv6 form whose embedded address cannot be judged.
    #[error("an IPv6 transition address")]
    Transition,
    /// An address of this machine, or of the router that it is reached by.
    #[error("this machine")]
    ThisHost,
    /// An address on a link that this machine has.
    #[error("a network that this machine is in")]
    HomeNetwork,
    /// An address that the policy's file refuses.
    #[error("a destination that this node doesn't serve")]
    Destination,
    /// Port 0, or one that the policy refuses.
    #[error("a port that this node doesn't serve")]
    Port,
    /// A protocol that the policy turns off.
    #[error("a protocol that this node doesn't serve")]
    Protocol,
    /// The node is an entry, and this is none of its exits.
    #[error("not one of the exits that this node leads to")]
    NotAnExit,
}

impl Denied {
    /// All reasons, in the order of [`Self::index`].
    pub const ALL: [Self; 16] = [
        Self::Unspecified,
        Self::Loopback,
        Self::Private,
        Self::SharedAddressSpace,
        Self::LinkLocal,
        Self::Metadata,
        Self::Multicast,
        Self::Broadcast,
        Self::Reserved,
        Self::Transition,
        Self::ThisHost,
        Self::HomeNetwork,
        Self::Destination,
        Self::Port,
        Self::Protocol,
        Self::NotAnExit,
    ];

    /// Place in [`Self::ALL`], for an array of counters.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_the_place_in_the_list_of_all() {
        for (at, reason) in Denied::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), at);
        }
    }
}
