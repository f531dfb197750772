//! Where WireGuard's messages keep what this crate reads and writes (whitepaper, section 5.4). All numbers are
//! little-endian.

use std::ops::Range;

/// Largest inner packet. 1,500 less IPv6, UDP and WireGuard headers.
pub const INNER_MTU: usize = 1420;
/// Header and tag of a data message.
pub const DATA_OVERHEAD: usize = 32;
/// Multiple to which inner packets are padded.
pub const PADDING: usize = 16;
/// Largest datagram that an end accepts or makes.
pub const MAX_DATAGRAM: usize = INNER_MTU + PADDING + DATA_OVERHEAD + INITIATION_LEN;

/// Lengths of messages that have one.
pub(crate) const INITIATION_LEN: usize = 148;
pub(crate) const RESPONSE_LEN: usize = 92;
pub(crate) const COOKIE_REPLY_LEN: usize = 64;

/// Who sends an initiation or a response.
pub(crate) const SENDER: Range<usize> = 4..8;
/// Whom a data message or a cookie reply is for.
pub(crate) const RECEIVER: Range<usize> = 4..8;
/// Whom a response is for.
pub(crate) const RESPONSE_RECEIVER: Range<usize> = 8..12;
/// Of a data message.
pub(crate) const COUNTER: Range<usize> = 8..16;
pub(crate) const MAC_LEN: usize = 16;

/// A session isn't used beyond so many messages (section 6.1).
pub(crate) const REJECT_AFTER_MESSAGES: u64 = u64::MAX - (1 << 13);

/// A message's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// First message of a handshake.
    Initiation,
    /// Second message of a handshake.
    Response,
    /// "Show that you get mail at this address."
    CookieReply,
    /// An inner packet or a keepalive.
    Data,
}

/// The kind of a datagram whose type, reserved bytes and length fit together.
#[must_use]
pub fn kind(datagram: &[u8]) -> Option<Kind> {
    match (datagram.first_chunk::<4>()?, datagram.len()) {
        ([1, 0, 0, 0], INITIATION_LEN) => Some(Kind::Initiation),
        ([2, 0, 0, 0], RESPONSE_LEN) => Some(Kind::Response),
        ([3, 0, 0, 0], COOKIE_REPLY_LEN) => Some(Kind::CookieReply),
        ([4, 0, 0, 0], DATA_OVERHEAD..=MAX_DATAGRAM) => Some(Kind::Data),
        _ => None,
    }
}

/// The session that a datagram is for; `None` for initiations, which are for none yet.
#[must_use]
pub fn receiver(kind: Kind, datagram: &[u8]) -> Option<u32> {
    match kind {
        Kind::Initiation => None,
        Kind::Response => number(datagram, RESPONSE_RECEIVER),
        Kind::CookieReply | Kind::Data => number(datagram, RECEIVER),
    }
}

pub(crate) fn number(message: &[u8], at: Range<usize>) -> Option<u32> {
    let bytes = message.get(at)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

pub(crate) fn write_number(message: &mut [u8], at: Range<usize>, number: u32) {
    if let Some(place) = message.get_mut(at) {
        place.copy_from_slice(&number.to_le_bytes());
    }
}

pub(crate) fn counter(message: &[u8]) -> Option<u64> {
    let bytes = message.get(COUNTER)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_kind_is_type_reserved_bytes_and_length_together() {
        let message = |kind: u8, len: usize| {
            let mut message = vec![0; len];
            message[0] = kind;
            message
        };
        assert_eq!(kind(&message(1, 148)), Some(Kind::Initiation));
        assert_eq!(kind(&message(2, 92)), Some(Kind::Response));
        assert_eq!(kind(&message(3, 64)), Some(Kind::CookieReply));
        assert_eq!(kind(&message(4, 32)), Some(Kind::Data));
        for (number, len) in [(1, 147), (2, 93), (3, 63), (4, 31), (4, MAX_DATAGRAM + 1)] {
            assert_eq!(kind(&message(number, len)), None);
        }
        let mut reserved = message(4, 100);
        reserved[2] = 1;
        assert_eq!(kind(&reserved), None);
    }

    proptest! {
        #[test]
        fn n4_no_bytes_make_the_dispatcher_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(kind) = kind(&bytes) {
                let _ = receiver(kind, &bytes);
            }
            let _ = counter(&bytes);
        }
    }
}
