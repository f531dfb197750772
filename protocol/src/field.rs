//! Elements of the BN254 scalar field as 32 big-endian canonical bytes.
//!
//! Every constructor refuses a value that is not less than the order
//! r = 21888242871839275222246405745257275088548364400416034343698204186575808495617, so that one
//! element has one encoding (attack I3: `value + r` must never be a second name for `value`).

/// The order r of the BN254 scalar field, big-endian.
pub const SCALAR_FIELD_ORDER: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d,
    0x28, 0x33, 0xe8, 0x48, 0x79, 0xb9, 0x70, 0x91, 0x43, 0xe1, 0xf5, 0x93, 0xf0, 0x00, 0x00, 0x01,
];

/// The bytes are not less than the field's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonCanonical;

impl core::fmt::Display for NonCanonical {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the 32 bytes are not a canonical element of the BN254 scalar field: the value must be less than the field's order")
    }
}

impl core::error::Error for NonCanonical {}

/// Whether `bytes` (big-endian) is less than the field's order.
#[inline]
#[must_use]
pub fn is_canonical(bytes: &[u8; 32]) -> bool {
    // Nearly always the first byte decides.
    bytes[0] < SCALAR_FIELD_ORDER[0] || is_below_order(bytes)
}

#[cold]
#[inline(never)]
fn is_below_order(bytes: &[u8; 32]) -> bool {
    bytes.as_slice() < SCALAR_FIELD_ORDER.as_slice()
}

macro_rules! field_bytes {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Length of the encoding in bytes.
            pub const LEN: usize = 32;

            /// Wraps 32 big-endian bytes.
            ///
            /// # Errors
            /// [`NonCanonical`] when the value is not less than the field's order.
            pub fn new(bytes: [u8; 32]) -> Result<Self, NonCanonical> {
                if is_canonical(&bytes) { Ok(Self(bytes)) } else { Err(NonCanonical) }
            }

            /// The 32 big-endian bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The same element without its meaning.
            #[must_use]
            pub const fn to_field(self) -> FieldBytes {
                FieldBytes(self.0)
            }

            /// Gives an element this meaning.
            #[must_use]
            pub const fn from_field(field: FieldBytes) -> Self {
                Self(field.0)
            }
        }

        impl TryFrom<[u8; 32]> for $name {
            type Error = NonCanonical;

            fn try_from(bytes: [u8; 32]) -> Result<Self, NonCanonical> {
                Self::new(bytes)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "("))?;
                for byte in self.0.iter().take(8) {
                    write!(f, "{byte:02x}")?;
                }
                write!(f, "…)")
            }
        }

        impl borsh::BorshSerialize for $name {
            fn serialize<W: borsh::io::Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
                writer.write_all(&self.0)
            }
        }

        impl borsh::BorshDeserialize for $name {
            fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
                let mut bytes = [0u8; 32];
                reader.read_exact(&mut bytes)?;
                Self::new(bytes).map_err(|NonCanonical| {
                    borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "non-canonical field element")
                })
            }
        }

        hex_serde!($name, 32);
    };
}

field_bytes! {
    /// Any field element.
    FieldBytes
}
field_bytes! {
    /// `C = P(ID, sk)`: an operator's commitment, the leaf that the program appends to the registry.
    CommitmentBytes
}
field_bytes! {
    /// `S = P(SUBJECT, sk, epoch)`: an operator's pseudonym of one epoch, which measurers see.
    SubjectBytes
}
field_bytes! {
    /// `nf = P(NULLIFIER, sk, epoch)`: the one-per-(operator, epoch) tag that the chain sees.
    NullifierBytes
}
field_bytes! {
    /// Root of the registry tree.
    RegistryRootBytes
}
field_bytes! {
    /// An inner node or leaf of the registry tree.
    RegistryNodeBytes
}
field_bytes! {
    /// Hash of a measurer set with its domain.
    SetHashBytes
}
field_bytes! {
    /// What ties signatures to one cluster, program and pool.
    DomainBytes
}
field_bytes! {
    /// What ties a proof to its payee, class, relayer and fee.
    BindingBytes
}
field_bytes! {
    /// The claim circuit's one public input.
    PublicInputBytes
}
field_bytes! {
    /// The coordinate u of a BabyJubJub point in Montgomery form.
    CoordinateBytes
}

impl FieldBytes {
    /// Zero.
    pub const ZERO: Self = Self([0; 32]);

    /// An integer as a field element.
    #[must_use]
    pub const fn from_u128(value: u128) -> Self {
        let mut bytes = [0u8; 32];
        if let Some(low) = bytes.last_chunk_mut() {
            *low = value.to_be_bytes();
        }
        Self(bytes)
    }

    /// The first 31 bytes of a SHA-256 digest, as a field element (248 bits, always canonical).
    #[must_use]
    pub const fn from_digest(digest: &[u8; 32]) -> Self {
        let mut bytes = [0u8; 32];
        if let (Some(low), Some(first)) = (bytes.last_chunk_mut::<31>(), digest.first_chunk()) {
            *low = *first;
        }
        Self(bytes)
    }
}

impl CommitmentBytes {
    /// The commitment as a leaf of the registry.
    #[must_use]
    pub const fn to_leaf(self) -> RegistryNodeBytes {
        RegistryNodeBytes(self.0)
    }
}

impl RegistryNodeBytes {
    /// An empty leaf.
    pub const EMPTY_LEAF: Self = Self([0; 32]);

    /// The node at the top as the root.
    #[must_use]
    pub const fn to_root(self) -> RegistryRootBytes {
        RegistryRootBytes(self.0)
    }
}

#[cfg(test)]
mod tests {
    use borsh::BorshDeserialize;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn i3_the_order_itself_and_everything_above_is_refused() {
        assert_eq!(FieldBytes::new(SCALAR_FIELD_ORDER), Err(NonCanonical));
        assert_eq!(FieldBytes::new([0xff; 32]), Err(NonCanonical));
        let mut below = SCALAR_FIELD_ORDER;
        below[31] = 0;
        assert!(FieldBytes::new(below).is_ok());
        assert!(NullifierBytes::try_from_slice(&SCALAR_FIELD_ORDER).is_err());
    }

    #[test]
    fn a_digest_loses_its_last_byte() {
        let mut digest = [0xabu8; 32];
        digest[31] = 0x17;
        let field = FieldBytes::from_digest(&digest);
        assert_eq!(field.as_bytes()[0], 0);
        assert_eq!(field.as_bytes()[1..], [0xab; 31]);
    }

    proptest! {
        #[test]
        fn borsh_accepts_exactly_the_canonical_values(bytes in any::<[u8; 32]>()) {
            prop_assert_eq!(SubjectBytes::try_from_slice(&bytes).is_ok(), is_canonical(&bytes));
        }

        #[test]
        fn borsh_refuses_every_other_length(bytes in proptest::collection::vec(0u8..0x30, 0..80)) {
            prop_assert_eq!(SubjectBytes::try_from_slice(&bytes).is_ok(), bytes.len() == 32);
        }
    }
}
