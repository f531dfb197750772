//! The two forms of the h query give the same proof; only for keys of their own.

#![allow(clippy::unwrap_used)] // In a test, a panic is the report.

use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_ec::PrimeGroup;
use ark_ff::{AdditiveGroup, Field, One, UniformRand};
use ark_groth16::{
    Groth16, Proof, ProvingKey,
    r1cs_to_qap::{LibsnarkReduction, R1CSToQAP},
};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::matrices::Matrices;
use veilpool_params::{OddCoset, reduction};

type D = Radix2EvaluationDomain<Fr>;

/// Rows `(Σ) · (Σ) = new column` over what came before, and an assignment.
#[derive(Clone)]
struct Random {
    seed: u64,
    rows: usize,
    public: usize,
}

impl Random {
    fn assignment(&self) -> Vec<Fr> {
        let cs = ark_relations::gr1cs::ConstraintSystem::<Fr>::new_ref();
        self.clone().generate_constraints(cs.clone()).unwrap();
        assert!(cs.is_satisfied().unwrap());
        let cs = cs.borrow().unwrap();
        let public = cs.instance_assignment().unwrap().iter();
        public
            .chain(cs.witness_assignment().unwrap())
            .copied()
            .collect()
    }
}

impl ConstraintSynthesizer<Fr> for Random {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let rng = &mut ChaCha20Rng::seed_from_u64(self.seed);
        let mut known = vec![(Variable::one(), Fr::ONE)];
        for _ in 0..self.public {
            let value = Fr::rand(rng);
            known.push((cs.new_input_variable(|| Ok(value))?, value));
        }
        for _ in 0..self.rows {
            let mut sum = || {
                let mut combination = LinearCombination::<Fr>::zero();
                let mut total = Fr::ZERO;
                for _ in 0..rng.gen_range(0..4) {
                    let (variable, value) = known[rng.gen_range(0..known.len())];
                    let coefficient = Fr::rand(rng);
                    combination += (coefficient, variable);
                    total += coefficient * value;
                }
                (combination, total)
            };
            let ((a, a_value), (b, b_value)) = (sum(), sum());
            let value = a_value * b_value;
            let product = cs.new_witness_variable(|| Ok(value))?;
            cs.enforce_r1cs_constraint(|| a, || b, || product.into())?;
            known.push((product, value));
        }
        Ok(())
    }
}

fn key<Q: R1CSToQAP>(circuit: &Random) -> ProvingKey<Bn254> {
    let rng = &mut ChaCha20Rng::seed_from_u64(circuit.seed ^ 0xa5a5);
    let [alpha, beta, gamma, delta] = core::array::from_fn(|_| Fr::rand(rng));
    Groth16::<Bn254, Q>::generate_parameters_with_qap(
        circuit.clone(),
        alpha,
        beta,
        gamma,
        delta,
        G1Projective::generator(),
        G2Projective::generator(),
        rng,
    )
    .unwrap()
}

fn proof<Q: R1CSToQAP>(
    key: &ProvingKey<Bn254>,
    matrices: &Matrices,
    assignment: &[Fr],
) -> Proof<Bn254> {
    Groth16::<Bn254, Q>::create_proof_with_reduction_and_matrices(
        key,
        Fr::from(3u64),
        Fr::from(5u64),
        &matrices.abc,
        matrices.public_columns,
        matrices.rows(),
        assignment,
    )
    .unwrap()
}

fn verifies(key: &ProvingKey<Bn254>, proof: &Proof<Bn254>, public: &[Fr]) -> bool {
    let prepared = ark_groth16::prepare_verifying_key(&key.vk);
    Groth16::<Bn254>::verify_proof(&prepared, proof, public).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn both_forms_give_the_same_verifying_key_and_the_same_proof(
        seed in any::<u64>(), rows in 1usize..40, public in 0usize..4,
    ) {
        let circuit = Random { seed, rows, public };
        let matrices = Matrices::of(circuit.clone()).unwrap();
        let assignment = circuit.assignment();
        let libsnark = key::<LibsnarkReduction>(&circuit);
        let odd = key::<OddCoset>(&circuit);
        prop_assert_eq!(&libsnark.vk, &odd.vk);
        prop_assert_eq!(&libsnark.l_query, &odd.l_query);
        prop_assert_eq!(odd.h_query.len(), (rows + public + 1).next_power_of_two());
        let ours = proof::<OddCoset>(&odd, &matrices, &assignment);
        prop_assert_eq!(&ours, &proof::<LibsnarkReduction>(&libsnark, &matrices, &assignment));
        prop_assert!(verifies(&odd, &ours, &assignment[1..=public]));
    }

    #[test]
    fn an_assignment_that_breaks_a_row_gives_no_proof(
        seed in any::<u64>(), rows in 1usize..20, which in any::<prop::sample::Index>(),
    ) {
        let circuit = Random { seed, rows, public: 2 };
        let matrices = Matrices::of(circuit.clone()).unwrap();
        let mut assignment = circuit.assignment();
        assignment[3 + which.index(rows)] += Fr::ONE;
        let odd = key::<OddCoset>(&circuit);
        let forged = proof::<OddCoset>(&odd, &matrices, &assignment);
        prop_assert!(!verifies(&odd, &forged, &assignment[1..=2]));
    }

    #[test]
    fn the_h_query_is_the_odd_half_of_the_lagrange_basis_of_twice_the_size(
        log in 0u32..7, t in any::<u64>(), delta in 1u64..,
    ) {
        let n = 1usize << log;
        let domain = D::new(n).unwrap();
        let (t, delta_inverse) = (Fr::from(t), Fr::from(delta).inverse().unwrap());
        let found = OddCoset::h_query_scalars::<Fr, D>(
            n - 1, t, domain.evaluate_vanishing_polynomial(t), delta_inverse,
        )
        .unwrap();
        let double = D::new(2 * n).unwrap().evaluate_all_lagrange_coefficients(t);
        let expected: Vec<Fr> =
            double.into_iter().skip(1).step_by(2).map(|l| l * delta_inverse).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_key_of_the_other_form_gives_no_valid_proof() {
    let circuit = Random {
        seed: 4,
        rows: 9,
        public: 1,
    };
    let matrices = Matrices::of(circuit.clone()).unwrap();
    let assignment = circuit.assignment();
    let libsnark = key::<LibsnarkReduction>(&circuit);
    let odd = key::<OddCoset>(&circuit);
    let crossed = [
        proof::<OddCoset>(&libsnark, &matrices, &assignment),
        proof::<LibsnarkReduction>(&odd, &matrices, &assignment),
    ];
    for proof in crossed {
        assert!(!verifies(&odd, &proof, &assignment[1..2]));
    }
}

#[test]
fn on_the_odd_coset_the_vanishing_polynomial_is_minus_two() {
    let domain: D = reduction::domain(5, 2).unwrap();
    assert_eq!(domain.size(), 8);
    for point in reduction::odd_coset(domain).unwrap().elements() {
        assert_eq!(
            domain.evaluate_vanishing_polynomial(point),
            -(Fr::one() + Fr::one())
        );
    }
}

#[test]
fn a_circuit_larger_than_the_fields_roots_of_unity_is_refused() {
    let refused = |rows| reduction::domain::<Fr, D>(rows, 1).err();
    assert!(matches!(
        refused(1 << 28),
        Some(SynthesisError::PolynomialDegreeTooLarge)
    ));
    assert!(matches!(
        refused(usize::MAX),
        Some(SynthesisError::PolynomialDegreeTooLarge)
    ));
    // The domain is there, the odd coset isn't.
    let largest: D = reduction::domain((1 << 28) - 1, 1).unwrap();
    assert!(reduction::odd_coset(largest).is_err());
}
