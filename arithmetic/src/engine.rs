//! Engines: how eight field elements are computed with side by side.
//!
//! An [`Engine`] is a token: having one proves that the machine has the instructions, because the
//! only way to it is [`Ifma::detect`](crate::engine::Ifma::detect) (or [`Portable`], which needs
//! nothing). Algorithms are [`Kernel`]s, generic over the engine; [`Engine::run`] compiles them with
//! the engine's instructions enabled. Everything a kernel calls per element is `#[inline(always)]`,
//! without closures, or it would be compiled without those instructions.
//!
//! ```text
//! element in memory ("word form"): x · 2^(256 + shift) mod p, four 64-bit words, little-endian, < 2^256
//! shift = 0 (portable: arkworks' own form), 4 (IFMA: R = 2^260)
//! ```

use ark_bn254::{Fq, Fr};
use zeroize::Zeroize;

use crate::words::Raw;

#[cfg(target_arch = "x86_64")]
mod ifma;
mod portable;

#[cfg(target_arch = "x86_64")]
pub use ifma::{Ifma, IfmaBlock, IfmaLanes};
pub use portable::{Portable, PortableBlock, PortableLanes};

/// Elements in one [`Lanes`].
pub const LANES: usize = 8;

/// Products that a [`Lanes::Sum`] holds.
pub const MAX_PRODUCTS: usize = 128;

/// One field element in word form.
pub type Words = [u64; 4];

/// A computation that an engine compiles for itself.
pub trait Kernel<E: Engine> {
    /// What it gives.
    type Output;
    /// Runs it. Implementations are `#[inline(always)]`.
    fn run(self, engine: E) -> Self::Output;
}

/// A way to compute with eight field elements at a time; the value is the permission to use it.
pub trait Engine: Copy + Send + Sync + 'static {
    /// Coordinates of points.
    type Fq: Lanes<Engine = Self, Scalar = Fq>;
    /// Scalars.
    type Fr: Lanes<Engine = Self, Scalar = Fr>;
    /// For tables of measurements.
    const NAME: &'static str;

    /// Runs a kernel with this engine's instructions enabled.
    fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output;

    /// Says that this will be read soon.
    fn prefetch<T>(self, target: &T);
}

/// Eight elements of one prime field.
///
/// Values are kept below a small multiple of p, not below p: each engine says which; every operation
/// takes and gives that. What must be unique goes through [`Lanes::integers`].
pub trait Lanes: Copy + Send + Sync + 'static {
    /// Who computes.
    type Engine: Engine;
    /// The field, in arkworks' form.
    type Scalar: Raw;
    /// The same in memory, aligned.
    type Block: Copy + Send + Sync + Zeroize + 'static;
    /// Exponent by which the word form differs from arkworks' Montgomery form.
    const SHIFT: u32;
    /// A sum of products, not reduced yet.
    type Sum: Copy;
    /// Zeros, for allocation.
    const EMPTY: Self::Block;

    /// From eight word forms.
    fn gather(engine: Self::Engine, rows: [&Words; LANES]) -> Self;
    /// The first halves of eight rows.
    fn gather_first(engine: Self::Engine, rows: [&[u64; 8]; LANES]) -> Self;
    /// Both halves of eight rows.
    fn gather_pair(engine: Self::Engine, rows: [&[u64; 8]; LANES]) -> [Self; 2];
    /// To eight word forms.
    fn scatter(self) -> [Words; LANES];
    /// Two elements to each of eight rows.
    fn scatter_pair(pair: [Self; 2], rows: [&mut [u64; 8]; LANES]);
    /// From memory.
    fn load(engine: Self::Engine, block: &Self::Block) -> Self;
    /// To memory.
    fn save(self, block: &mut Self::Block);
    /// One element in all lanes.
    fn splat(engine: Self::Engine, value: &Words) -> Self;

    /// Sum.
    #[must_use]
    fn add(self, other: Self) -> Self;
    /// Difference.
    #[must_use]
    fn sub(self, other: Self) -> Self;
    /// `self − a − b`.
    #[must_use]
    fn sub_two(self, a: Self, b: Self) -> Self;
    /// `±a − ±b`; a lane is negated where its bit is set.
    #[must_use]
    fn signed_difference(a: Self, sign_a: u8, b: Self, sign_b: u8) -> Self;
    /// Product.
    #[must_use]
    fn mul(self, other: Self) -> Self;
    /// Square.
    #[must_use]
    fn square(self) -> Self;
    /// `self · (a − b)`.
    #[must_use]
    fn mul_difference(self, a: Self, b: Self) -> Self;
    /// The empty sum.
    fn no_products(engine: Self::Engine) -> Self::Sum;
    /// Adds a product to a sum. Factors are below p, and no more than [`MAX_PRODUCTS`]
    /// go into a sum.
    #[must_use]
    fn add_product(sum: Self::Sum, a: Self, b: Self) -> Self::Sum;
    /// The value of a sum.
    #[must_use]
    fn total(sum: Self::Sum) -> Self;
    /// Exchanges lanes and elements: element `i`, lane `j` becomes element `j`, lane `i`.
    #[must_use]
    fn transpose(all: [Self; LANES]) -> [Self; LANES];
    /// `(a₀ + a₁u)(b₀ + b₁u)` with `u² = −1`.
    #[must_use]
    fn mul_complex(a: [Self; 2], b: [Self; 2]) -> [Self; 2];
    /// `a` in lanes whose bit is set, else `b`.
    #[must_use]
    fn select(mask: u8, a: Self, b: Self) -> Self;
    /// Bits of lanes that are zero.
    #[must_use]
    fn zeros(self) -> u8;
    /// The elements as integers in `[0, p)`.
    #[must_use]
    fn integers(self) -> [Words; LANES];

    /// Word form of an element.
    #[must_use]
    fn encode(value: &Self::Scalar) -> Words {
        (*value * Self::Scalar::from(1u64 << Self::SHIFT)).to_words()
    }
    /// The element of a word form.
    #[must_use]
    fn decode(words: &Words) -> Self::Scalar {
        let value = Self::Scalar::from_words(words);
        if Self::SHIFT == 0 {
            return value;
        }
        // 2^(256 − shift) < p is the Montgomery form of 2^−shift.
        value * Self::Scalar::from_words(&[0, 0, 0, 1 << (64 - Self::SHIFT)])
    }
}
