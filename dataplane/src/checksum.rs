//! The Internet checksum (RFC 1071): the ones' complement of the ones' complement sum of 16-bit words.

/// A sum that has not been folded yet. The order of its parts doesn't matter, as long as each but the last has an even
/// length.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum(u64);

impl Sum {
    /// With another part.
    #[must_use]
    pub(crate) fn add(self, part: &[u8]) -> Self {
        // With AVX2 where there is any.
        Self(tun_rs::checksum_no_fold(part, self.0))
    }

    /// With a 16-bit number.
    #[must_use]
    pub(crate) fn add_number(self, number: u16) -> Self {
        Self(self.0 + u64::from(number))
    }

    /// Folded to 16 bits: what a checksum field holds that somebody else completes.
    #[must_use]
    pub(crate) fn partial(self) -> u16 {
        fold(self.0) as u16
    }

    /// The checksum.
    #[must_use]
    pub(crate) fn checksum(self) -> u16 {
        !self.partial()
    }
}

fn fold(mut sum: u64) -> u64 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let words = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(Sum::default().add(&words).partial(), 0xddf2);
    }

    proptest! {
        #[test]
        fn the_sum_is_what_the_definition_gives(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut plain = 0_u64;
            for word in bytes.chunks(2) {
                plain += u64::from(word[0]) << 8 | u64::from(word.get(1).copied().unwrap_or(0));
            }
            let (even, rest) = bytes.split_at(bytes.len() / 4 * 2);
            prop_assert_eq!(u64::from(Sum::default().add(&bytes).partial()), fold(plain));
            prop_assert_eq!(u64::from(Sum::default().add(rest).add(even).partial()), fold(plain));
        }
    }
}
