//! `serde` as lower-case hexadecimal text for fixed-size byte types, compiled with feature `api`.

/// Implements `Serialize` and `Deserialize` as hex for a type that has `as_bytes` and a checked
/// `TryFrom<[u8; $len]>`.
macro_rules! hex_serde {
    ($name:ident, $len:expr) => {
        #[cfg(feature = "api")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&hex::encode(self.as_bytes()))
            }
        }

        #[cfg(feature = "api")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text =
                    <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "api")]
        impl core::str::FromStr for $name {
            type Err = crate::api::HexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0u8; $len];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| {
                    crate::api::HexError::Malformed {
                        expected_digits: 2 * $len,
                    }
                })?;
                Self::try_from(bytes).map_err(|_| crate::api::HexError::NotCanonical)
            }
        }
    };
}
