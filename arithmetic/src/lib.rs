//! Arithmetic for proving over BN254, eight field elements at a time.
//!
//! ```text
//! engine     Fq and Fr in lanes: AVX-512 IFMA where the machine has it, plain words elsewhere
//! msm        Σ sᵢPᵢ in G1 and G2 over bases that never change
//! ntt        transforms between the domain, coefficients and the odd coset
//! sparse     constraint rows: M·z
//! quotient   what the h query of a Groth16 key is multiplied with
//! ```
//! Every algorithm is a [`Kernel`](engine::Kernel), written once and generic over the
//! [`Engine`](engine::Engine); tests hold each engine to arkworks' results on random and edge inputs.
//!
//! **Secrets.** Whatever depends on a witness (exponents, sorted references, points of buckets,
//! values of polynomials) lives in memory that is overwritten when it is dropped and that doesn't
//! grow, so that no copy is left behind. Time and memory access do depend on the witness, as with
//! every fast prover: a proof is made on the prover's own machine.
//!
//! **Unsafe code** is in the IFMA engine: its intrinsics (`engine/ifma/vector.rs`) and the one call that enables
//! them, each by the argument that the engine begins with; everything else is safe. Miri runs what is portable
//! (`make miri`); the intrinsics, which it doesn't know, are held to the portable path by tests.

#![deny(unsafe_code)]

pub mod curve;
pub mod engine;
mod inverse;
pub mod msm;
pub mod ntt;
pub mod progress;
pub mod quotient;
pub mod scalars;
pub mod secret;
pub mod sparse;
pub mod words;

#[cfg(test)]
mod tests;
