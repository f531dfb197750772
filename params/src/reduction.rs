//! R1CS to a quadratic arithmetic program, in the form of snarkjs: what the `h_query` of a proving key is,
//! and the scalars that belong to it.
//!
//! Let m rows and p public columns (the constant 1 among them), n the least power of two ≥ m + p, H the group of
//! n-th roots of unity, Z(X) = Xⁿ − 1, and A, B, C the polynomials of degree < n that on H have the values
//! `⟨Aᵢ,z⟩, ⟨Bᵢ,z⟩, ⟨Aᵢ,z⟩·⟨Bᵢ,z⟩` for each row i, followed by `zⱼ, 0, 0` for each public column j. (Those rows
//! make the public columns' polynomials independent, as in libsnark; for an assignment that satisfies the rows,
//! C is the matrix C's polynomial.)
//!
//! ```text
//! P = A·B − C            vanishes on H, has degree ≤ 2n − 2, so h = P/Z has degree ≤ n − 2
//! the prover's share     P(τ)/δ = h(τ)·Z(τ)/δ
//! ```
//! libsnark and arkworks publish `Z(τ)·τⁱ/δ` and have the prover compute h's coefficients. snarkjs stays with
//! values. With ω a primitive 2n-th root of unity, the odd coset ωH = { ω^(2i+1) } has Xⁿ = −1 and hence Z = −2
//! everywhere, so with ℓᵢ the Lagrange basis of ωH
//!
//! ```text
//! P(τ)/δ = Σ P(ω^(2i+1)) · Hᵢ,    Hᵢ = −Z(τ)·ℓᵢ(τ) / (2δ) = L₂ᵢ₊₁(τ)/δ,    0 ≤ i < n
//! ```
//! where L is the Lagrange basis of the 2n-th roots of unity: P is zero on its even points. The prover evaluates A, B
//! and C on ωH (three inverse FFTs and three FFTs) and has its scalars, with no division and no last inverse FFT. The
//! proof is the same group element in both forms, so verifying keys and verifiers don't differ.
//!
//! Reference: `zkey_new.js` and `groth16_prove.js` of snarkjs; Groth, <https://eprint.iacr.org/2016/260>.

use ark_ff::{FftField, PrimeField};
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP, evaluate_constraint};
use ark_poly::EvaluationDomain;
use ark_relations::gr1cs::{ConstraintSystemRef, Matrix, SynthesisError};
use zeroize::Zeroizing;

/// The form that our proving keys have: `ark_groth16::Groth16<Bn254, OddCoset>` makes and
/// uses them.
pub struct OddCoset;

impl R1CSToQAP for OddCoset {
    // The polynomials of the columns at τ don't depend on how h is written.
    fn instance_map_with_evaluation<F: PrimeField, D: EvaluationDomain<F>>(
        cs: ConstraintSystemRef<F>,
        t: &F,
    ) -> Result<(Vec<F>, Vec<F>, Vec<F>, F, usize, usize), SynthesisError> {
        LibsnarkReduction::instance_map_with_evaluation::<F, D>(cs, t)
    }

    /// `P` on the odd coset: n values.
    fn witness_map_from_matrices<F: PrimeField, D: EvaluationDomain<F>>(
        matrices: &[Matrix<F>],
        num_inputs: usize,
        num_constraints: usize,
        full_assignment: &[F],
    ) -> Result<Vec<F>, SynthesisError> {
        let domain = domain::<F, D>(num_constraints, num_inputs)?;
        let coset = odd_coset(domain)?;
        let [a_rows, b_rows, ..] = matrices else {
            return Err(SynthesisError::ArityMismatch);
        };
        let evaluate = |rows: &Matrix<F>| -> Zeroizing<Vec<F>> {
            // Room for the whole domain from the start: a vector that grows leaves a copy behind.
            let mut values = Zeroizing::new(vec![F::ZERO; domain.size()]);
            for (value, row) in values.iter_mut().zip(rows).take(num_constraints) {
                *value = evaluate_constraint(row, full_assignment);
            }
            values
        };
        let mut a = evaluate(a_rows);
        let mut b = evaluate(b_rows);
        for (value, public) in a
            .iter_mut()
            .skip(num_constraints)
            .zip(full_assignment.iter().take(num_inputs))
        {
            *value = *public;
        }
        let mut c = Zeroizing::new(a.iter().zip(b.iter()).map(|(a, b)| *a * b).collect());
        for polynomial in [&mut a, &mut b, &mut c] {
            domain.ifft_in_place(&mut **polynomial);
            coset.fft_in_place(&mut **polynomial);
        }
        Ok(a.iter()
            .zip(b.iter())
            .zip(c.iter())
            .map(|((a, b), c)| *a * b - c)
            .collect())
    }

    /// `−Z(τ)·ℓᵢ(τ)/(2δ)` for each point of the odd coset; `max_power` is n − 1.
    fn h_query_scalars<F: PrimeField, D: EvaluationDomain<F>>(
        max_power: usize,
        t: F,
        zt: F,
        delta_inverse: F,
    ) -> Result<Vec<F>, SynthesisError> {
        let domain = D::new(max_power + 1).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let half = F::from(2u64)
            .inverse()
            .ok_or(SynthesisError::DivisionByZero)?;
        let factor = -(zt * delta_inverse * half);
        let mut scalars = odd_coset(domain)?.evaluate_all_lagrange_coefficients(t);
        for scalar in &mut scalars {
            *scalar *= factor;
        }
        Ok(scalars)
    }
}

/// H: n-th roots of unity for the least power of two n ≥ rows + public columns.
///
/// # Errors
/// [`SynthesisError::PolynomialDegreeTooLarge`] when the field has no such roots.
pub fn domain<F: FftField, D: EvaluationDomain<F>>(
    rows: usize,
    public_columns: usize,
) -> Result<D, SynthesisError> {
    rows.checked_add(public_columns)
        .and_then(D::new)
        .ok_or(SynthesisError::PolynomialDegreeTooLarge)
}

/// ωH: the 2n-th roots of unity that are no n-th roots.
///
/// # Errors
/// [`SynthesisError::PolynomialDegreeTooLarge`] when the field has no such roots.
pub fn odd_coset<F: FftField, D: EvaluationDomain<F>>(domain: D) -> Result<D, SynthesisError> {
    domain
        .size()
        .checked_mul(2)
        .and_then(|size| F::get_root_of_unity(size as u64))
        .and_then(|omega| domain.get_coset(omega))
        .ok_or(SynthesisError::PolynomialDegreeTooLarge)
}
