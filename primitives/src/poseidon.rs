//! Poseidon over the BN254 scalar field with circomlib's parameters: x⁵, width t = inputs + 1,
//! 8 full rounds (Grassi et al., USENIX Security 2021). The same function as Solana's
//! `sol_poseidon` with `Bn254X5` and big-endian encoding.

use std::cell::RefCell;

use ark_bn254::Fr;
use light_poseidon::{Poseidon, PoseidonHasher};

/// The most inputs that the chain's syscall takes.
pub const MAX_INPUTS: usize = 12;

thread_local! {
    // Building the round constants costs as much as tens of hashes.
    static HASHERS: RefCell<[Option<Poseidon<Fr>>; MAX_INPUTS]> = const { RefCell::new([const { None }; MAX_INPUTS]) };
}

/// `P(inputs…)`.
///
/// The number of inputs is a constant of the caller: from 1 to [`MAX_INPUTS`], checked when compiled.
#[must_use]
pub fn hash<const N: usize>(inputs: [Fr; N]) -> Fr {
    const { assert!(N >= 1 && N <= MAX_INPUTS, "Poseidon takes 1 to 12 inputs") };
    HASHERS.with_borrow_mut(|hashers| {
        let hasher = hashers[N - 1].get_or_insert_with(|| match Poseidon::<Fr>::new_circom(N) {
            Ok(hasher) => hasher,
            Err(_) => unreachable!("parameters exist for 1 to 12 inputs"),
        });
        match hasher.hash(&inputs) {
            Ok(digest) => digest,
            Err(_) => unreachable!("the hasher was made for N inputs"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From circomlibjs: `poseidon([1, 2])`.
    #[test]
    fn c7_circomlibs_value_of_one_and_two() {
        let expected =
            "7853200120776062878684798364095072458815029376092732009249414926327459813530";
        assert_eq!(hash([Fr::from(1u8), Fr::from(2u8)]).to_string(), expected);
    }
}
