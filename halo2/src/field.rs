//! Between the workspace's field elements (`ark-bn254`) and halo2's (`halo2curves`). Both are the
//! scalar field of BN254; only the types differ.

use ark_ff::PrimeField as _;
use halo2_proofs::halo2curves::ff::PrimeField as _;
use veilpool_primitives::field;
use veilpool_protocol::FieldBytes;

/// An element in halo2's type.
pub type Fr = halo2_proofs::halo2curves::bn256::Fr;

/// From arkworks' type.
#[must_use]
pub fn from_ark(element: &ark_bn254::Fr) -> Fr {
    Fr::from_raw(element.into_bigint().0)
}

/// To arkworks' type.
#[must_use]
pub fn to_ark(element: &Fr) -> ark_bn254::Fr {
    ark_bn254::Fr::from_le_bytes_mod_order(element.to_repr().as_ref())
}

/// From the canonical encoding.
#[must_use]
pub fn from_bytes(bytes: FieldBytes) -> Fr {
    from_ark(&field::from_bytes(bytes))
}

/// To the canonical encoding.
#[must_use]
pub fn to_bytes(element: &Fr) -> FieldBytes {
    field::to_bytes(&to_ark(element))
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr as ArkFr;
    use ark_ff::BigInteger;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_types_say_the_same_of_sums_products_and_encodings(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
            let (a, b) = (ArkFr::from_be_bytes_mod_order(&a), ArkFr::from_be_bytes_mod_order(&b));
            let (c, d) = (from_ark(&a), from_ark(&b));
            prop_assert_eq!(to_ark(&(c * d + c)), a * b + a);
            prop_assert_eq!(to_bytes(&c), field::to_bytes(&a));
            prop_assert_eq!(from_bytes(field::to_bytes(&a)), c);
        }
    }

    #[test]
    fn both_fields_have_the_same_order() {
        let minus_one = to_bytes(&-Fr::from(1));
        let mut order = *minus_one.as_bytes();
        order[31] += 1;
        assert_eq!(ArkFr::MODULUS.to_bytes_be(), order);
    }
}
