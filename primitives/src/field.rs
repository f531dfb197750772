//! The one place where field elements become bytes and bytes field elements: 32 bytes, big-endian,
//! canonical.

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};
use veilpool_protocol::FieldBytes;

/// The canonical encoding.
#[must_use]
pub fn to_bytes(element: &Fr) -> FieldBytes {
    let mut bytes = [0u8; 32];
    bytes.copy_from_slice(&element.into_bigint().to_bytes_be());
    match FieldBytes::new(bytes) {
        Ok(field) => field,
        Err(_) => unreachable!("a reduced element is canonical"),
    }
}

/// The element. Never fails: [`FieldBytes`] are canonical.
#[must_use]
pub fn from_bytes(bytes: FieldBytes) -> Fr {
    Fr::from_be_bytes_mod_order(bytes.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use veilpool_protocol::field::SCALAR_FIELD_ORDER;

    use super::*;

    #[test]
    fn the_protocols_order_is_the_fields_modulus() {
        assert_eq!(Fr::MODULUS.to_bytes_be(), SCALAR_FIELD_ORDER);
    }

    proptest! {
        #[test]
        fn encoding_round_trips(bytes in any::<[u8; 64]>()) {
            let element = Fr::from_be_bytes_mod_order(&bytes);
            prop_assert_eq!(from_bytes(to_bytes(&element)), element);
        }
    }
}
