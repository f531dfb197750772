//! The reduction from R1CS to QAP whose h query is in Lagrange form on the odd coset.
//!
//! ```text
//! n = size of the domain {ωʲ},  ζ = ω_{2n} with ζ² = ω,  P = A·B − C = h·(Xⁿ − 1)
//! h(τ)(τⁿ − 1)/δ = Σ_j P(ζωʲ) · H_j,     H_j = L_{2j+1}(τ)/δ,   L the Lagrange basis of {ζᵏ}, k < 2n
//! ```
//! P has a degree below 2n and is zero on the domain, so its values on the odd coset `ζωʲ` say all.
//! Why this form and not that of libsnark (coefficients of h): the prover needs three transforms
//! there and three back, no division by Xⁿ − 1 and no transform to coefficients; and it is what
//! `.zkey` files hold, so that a key can go to snarkjs and come from there without a change of
//! basis over the group. The other queries are those of libsnark's reduction, and so is the
//! verifying key.

use ark_ff::PrimeField;
use ark_groth16::r1cs_to_qap::{LibsnarkReduction, R1CSToQAP, evaluate_constraint};
use ark_poly::EvaluationDomain;
use ark_relations::{
    gr1cs::{ConstraintSystemRef, SynthesisError},
    utils::matrix::Matrix,
};

/// See the module.
pub struct OddCoset;

impl R1CSToQAP for OddCoset {
    #[allow(clippy::type_complexity)] // The trait's.
    fn instance_map_with_evaluation<F: PrimeField, D: EvaluationDomain<F>>(
        cs: ConstraintSystemRef<F>,
        t: &F,
    ) -> Result<(Vec<F>, Vec<F>, Vec<F>, F, usize, usize), SynthesisError> {
        LibsnarkReduction::instance_map_with_evaluation::<F, D>(cs, t)
    }

    // Values of A·B − C on the odd coset. C's on the domain are A∘B's: for an assignment that
    // satisfies the constraints these are C·z, and for any other no proof verifies.
    fn witness_map_from_matrices<F: PrimeField, D: EvaluationDomain<F>>(
        matrices: &[Matrix<F>],
        num_inputs: usize,
        num_constraints: usize,
        full_assignment: &[F],
    ) -> Result<Vec<F>, SynthesisError> {
        let [a_rows, b_rows, ..] = matrices else {
            return Err(SynthesisError::ArityMismatch);
        };
        let domain =
            D::new(num_constraints + num_inputs).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let double = D::new(2 * domain.size()).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let coset = domain
            .get_coset(double.group_gen())
            .ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let mut a = vec![F::ZERO; domain.size()];
        let mut b = vec![F::ZERO; domain.size()];
        for (value, row) in a.iter_mut().zip(a_rows) {
            *value = evaluate_constraint(row, full_assignment);
        }
        for (value, row) in b.iter_mut().zip(b_rows) {
            *value = evaluate_constraint(row, full_assignment);
        }
        a[num_constraints..][..num_inputs].copy_from_slice(&full_assignment[..num_inputs]);
        let mut c = domain.mul_polynomials_in_evaluation_domain(&a, &b);
        for values in [&mut a, &mut b, &mut c] {
            domain.ifft_in_place(values);
            coset.fft_in_place(values);
        }
        let mut h = domain.mul_polynomials_in_evaluation_domain(&a, &b);
        for (value, c) in h.iter_mut().zip(c) {
            *value -= c;
        }
        Ok(h)
    }

    fn h_query_scalars<F: PrimeField, D: EvaluationDomain<F>>(
        max_power: usize,
        t: F,
        _: F,
        delta_inverse: F,
    ) -> Result<Vec<F>, SynthesisError> {
        // `max_power` is one less than the domain's size.
        let double = D::new(2 * (max_power + 1)).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
        let mut values = double.evaluate_all_lagrange_coefficients(t);
        for value in &mut values {
            *value *= delta_inverse;
        }
        Ok(values.into_iter().skip(1).step_by(2).collect())
    }
}
