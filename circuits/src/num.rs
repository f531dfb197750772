//! Linear combinations of columns, `Σ cᵢ·zᵢ`, with the value they have in the assignment at hand.
//!
//! Additions and multiplications by constants cost no constraint, so gadgets pass these around
//! instead of allocating a column for every intermediate value. Terms are kept sorted by column and
//! merged, so that the constraint matrices (and with them the fingerprint) have one form.

use std::ops::{Add, Mul, Neg, Sub};

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, Zero};
use ark_relations::gr1cs::{LinearCombination, Variable};

/// A linear combination and its value; the value is absent while only the shape is synthesised.
#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub struct Num {
    // Sorted by variable, without zero coefficients. Empty (but for constants) when only the
    // assignment is wanted.
    terms: Vec<(Variable, Fr)>,
    value: Option<Fr>,
    constant: bool,
}

impl Num {
    /// A constant of the circuit.
    #[must_use]
    pub fn constant(value: Fr) -> Self {
        let terms = if value.is_zero() {
            Vec::new()
        } else {
            vec![(Variable::One, value)]
        };
        Self {
            terms,
            value: Some(value),
            constant: true,
        }
    }

    /// Zero.
    #[must_use]
    pub fn zero() -> Self {
        Self::constant(Fr::ZERO)
    }

    pub(crate) fn variable(variable: Variable, value: Option<Fr>, track_terms: bool) -> Self {
        let terms = if track_terms {
            vec![(variable, Fr::ONE)]
        } else {
            Vec::new()
        };
        Self {
            terms,
            value,
            constant: false,
        }
    }

    /// The value in the assignment; `None` while only the shape is synthesised.
    #[must_use]
    pub const fn value(&self) -> Option<Fr> {
        self.value
    }

    /// Whether no column takes part.
    #[must_use]
    pub const fn is_constant(&self) -> bool {
        self.constant
    }

    /// `Σ numᵢ·2^(shift + i)`: bits, lowest first, as an integer.
    #[must_use]
    pub fn from_bits<'a>(bits: impl IntoIterator<Item = &'a Self>, shift: u32) -> Self {
        let mut weight = power_of_two(shift);
        Self::weighted_sum(bits.into_iter().map(|bit| {
            let term = (bit, weight);
            weight.double_in_place();
            term
        }))
    }

    /// `Σ weightᵢ·numᵢ`.
    #[must_use]
    pub fn weighted_sum<'a>(parts: impl IntoIterator<Item = (&'a Self, Fr)>) -> Self {
        let mut sum = Self::zero();
        for (part, weight) in parts {
            let terms = part.terms.iter().map(|(v, c)| (*v, weight * c));
            sum.terms.extend(terms);
            sum.value = (sum.value.zip(part.value)).map(|(x, y)| x + weight * y);
            sum.constant &= part.constant;
        }
        sum.terms.sort_by_key(|(variable, _)| *variable);
        sum.terms.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        sum.terms.retain(|(_, coefficient)| !coefficient.is_zero());
        sum
    }

    /// `self + weight·other`.
    #[must_use]
    pub fn add_scaled(&self, other: &Self, weight: Fr) -> Self {
        let (a, b) = (&self.terms, &other.terms);
        let mut terms = Vec::with_capacity(a.len() + b.len());
        let (mut i, mut j) = (0, 0);
        loop {
            match (a.get(i), b.get(j)) {
                (Some(left), Some(right)) if left.0 == right.0 => {
                    let coefficient = left.1 + weight * right.1;
                    if !coefficient.is_zero() {
                        terms.push((left.0, coefficient));
                    }
                    i += 1;
                    j += 1;
                }
                (Some(left), right) if right.is_none_or(|right| left.0 < right.0) => {
                    terms.push(*left);
                    i += 1;
                }
                (_, Some(right)) => {
                    let coefficient = weight * right.1;
                    if !coefficient.is_zero() {
                        terms.push((right.0, coefficient));
                    }
                    j += 1;
                }
                (_, None) => break,
            }
        }
        Self {
            terms,
            value: self.value.zip(other.value).map(|(x, y)| x + weight * y),
            constant: self.constant && other.constant,
        }
    }

    pub(crate) fn to_linear_combination(&self) -> LinearCombination<Fr> {
        LinearCombination(self.terms.iter().map(|(v, c)| (*c, *v)).collect())
    }
}

/// `2^exponent`.
#[must_use]
pub fn power_of_two(exponent: u32) -> Fr {
    Fr::from(2u8).pow([u64::from(exponent)])
}

impl Add<&Num> for &Num {
    type Output = Num;

    fn add(self, other: &Num) -> Num {
        self.add_scaled(other, Fr::ONE)
    }
}

impl Sub<&Num> for &Num {
    type Output = Num;

    fn sub(self, other: &Num) -> Num {
        self.add_scaled(other, -Fr::ONE)
    }
}

impl Add<Fr> for &Num {
    type Output = Num;

    fn add(self, constant: Fr) -> Num {
        self + &Num::constant(constant)
    }
}

impl Sub<Fr> for &Num {
    type Output = Num;

    fn sub(self, constant: Fr) -> Num {
        self + -constant
    }
}

impl Mul<Fr> for &Num {
    type Output = Num;

    fn mul(self, factor: Fr) -> Num {
        Num::zero().add_scaled(self, factor)
    }
}

impl Neg for &Num {
    type Output = Num;

    fn neg(self) -> Num {
        self * -Fr::ONE
    }
}

macro_rules! owned_operators {
    ($($trait:ident $method:ident $other:ty;)*) => {$(
        impl $trait<$other> for Num {
            type Output = Num;

            fn $method(self, other: $other) -> Num {
                (&self).$method(other)
            }
        }
    )*};
}
owned_operators! {
    Add add &Num;
    Sub sub &Num;
    Add add Fr;
    Sub sub Fr;
    Mul mul Fr;
}

impl Neg for Num {
    type Output = Num;

    fn neg(self) -> Num {
        -&self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // The assignment of the tests' columns: column i has the value 10 + i.
    fn column(index: usize) -> Num {
        let value = Fr::from(10 + index as u64);
        Num::variable(Variable::witness(index), Some(value), true)
    }

    fn assert_well_formed(num: &Num) {
        let value = num.terms.iter().fold(Fr::ZERO, |sum, (variable, c)| {
            let index = variable.index().filter(|_| variable.is_witness());
            sum + *c * index.map_or(Fr::ONE, |index| Fr::from(10 + index as u64))
        });
        assert_eq!(num.value(), Some(value));
        assert!(num.terms.is_sorted_by(|a, b| a.0 < b.0));
        assert!(num.terms.iter().all(|(_, c)| !c.is_zero()));
    }

    fn num() -> impl Strategy<Value = Num> {
        let term = (0usize..6, -3i64..4);
        (proptest::collection::vec(term, 0..6), -2i64..3).prop_map(|(terms, constant)| {
            terms
                .into_iter()
                .fold(Num::constant(Fr::from(constant)), |sum, (index, c)| {
                    sum.add_scaled(&column(index), Fr::from(c))
                })
        })
    }

    proptest! {
        #[test]
        fn every_operation_gives_sorted_terms_and_their_value(a in num(), b in num(), f in -3i64..4) {
            let (x, y) = (a.value().unwrap(), b.value().unwrap());
            let f = Fr::from(f);
            for (result, expected) in [
                (&a + &b, x + y),
                (&a - &b, x - y),
                (&a + f, x + f),
                (&a - f, x - f),
                (&a * f, x * f),
                (-&a, -x),
                (-a.clone(), -x),
                (a.add_scaled(&b, f), x + f * y),
                (&a - &a, Fr::ZERO),
                (Num::weighted_sum([(&a, f), (&b, Fr::from(2u8)), (&a, -Fr::ONE)]), f * x + y.double() - x),
                (Num::from_bits([&a, &b, &a], 3), (x + y.double() + x.double().double()) * Fr::from(8u8)),
            ] {
                assert_well_formed(&result);
                prop_assert_eq!(result.value(), Some(expected));
            }
            prop_assert!((&a - &a).terms.is_empty());
        }
    }

    #[test]
    fn only_constants_are_constant() {
        let (constant, column) = (Num::constant(Fr::from(3u8)), column(0));
        assert!(constant.is_constant() && !column.is_constant());
        assert!((&constant + &constant).is_constant());
        for mixed in [&constant + &column, &column + &constant, &column - &column] {
            assert!(!mixed.is_constant());
        }
        assert!(!Num::from_bits([&column], 0).is_constant());
        assert!(!Num::from_bits([&constant, &column], 0).is_constant());
        assert!(Num::from_bits([&constant, &constant], 0).is_constant());
    }

    #[test]
    fn a_column_without_a_value_leaves_none() {
        let unknown = Num::variable(Variable::witness(0), None, true);
        assert_eq!((&unknown + &column(1)).value(), None);
        assert_eq!((&column(1) + &unknown).value(), None);
        let untracked = Num::variable(Variable::witness(0), Some(Fr::ONE), false);
        assert!(untracked.terms.is_empty());
        assert_eq!(untracked.value(), Some(Fr::ONE));
    }
}
