//! Our backend gives arkworks' proofs, point for point, for any circuit and key.

use ark_bn254::{Bn254, Fr};
use ark_ff::{AdditiveGroup, UniformRand, Zero};
use ark_groth16::{Groth16, ProvingKey, r1cs_to_qap::LibsnarkReduction};
use ark_relations::{
    gr1cs::{
        ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, LinearCombination,
        SynthesisError, Variable,
    },
    lc,
};
use rand::Rng;
use veilpool_circuits::matrices::Matrices;
use veilpool_params::{OddCoset, Parameters};
use veilpool_protocol::MeasurerCount;
use veilpool_prover::{
    Arithmetic, Backend, BackendError, Cancelled, Constraints, Fast, Options, PhaseTimings,
    PrepareError, QuotientBasis, Stock, Token, prove::assignment_of, sample_inputs,
};

use super::common::{cache, rng};

/// Rows of random products of sums, with bits, equal columns and columns that stand nowhere.
#[derive(Clone, Copy)]
struct Random {
    seed: u64,
    rows: usize,
    public: usize,
}

impl ConstraintSynthesizer<Fr> for Random {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let mut rng = rng(self.seed);
        let mut all: Vec<(Variable, Fr)> = vec![(Variable::One, Fr::from(1u8))];
        for _ in 0..self.public {
            let value = Fr::rand(&mut rng);
            all.push((cs.new_input_variable(|| Ok(value))?, value));
        }
        for _ in 0..8 {
            let value = match rng.gen_range(0..4) {
                0 => Fr::zero(),
                1 => Fr::from(1u8),
                2 => -Fr::from(1u8),
                _ => Fr::rand(&mut rng),
            };
            all.push((cs.new_witness_variable(|| Ok(value))?, value));
        }
        for _ in 0..self.rows {
            if rng.gen_bool(0.4) {
                let bit = Fr::from(rng.gen_bool(0.5));
                let variable = cs.new_witness_variable(|| Ok(bit))?;
                cs.enforce_r1cs_constraint(
                    || lc!() + variable,
                    || lc!() + variable - Variable::One,
                    || lc!(),
                )?;
                all.push((variable, bit));
                continue;
            }
            let mut sides = Vec::new();
            for _ in 0..2 {
                let mut side = (LinearCombination::zero(), Fr::zero());
                let length = if rng.gen_bool(0.05) {
                    150
                } else {
                    rng.gen_range(0..5)
                };
                for _ in 0..length {
                    let (variable, value) = all[rng.gen_range(0..all.len())];
                    let coefficient = if rng.gen_bool(0.5) {
                        Fr::from(1u8)
                    } else {
                        Fr::rand(&mut rng)
                    };
                    side.0 += (coefficient, variable);
                    side.1 += coefficient * value;
                }
                sides.push(side);
            }
            let value = sides[0].1 * sides[1].1;
            let product = cs.new_witness_variable(|| Ok(value))?;
            cs.enforce_r1cs_constraint(
                || sides[0].0.clone(),
                || sides[1].0.clone(),
                || lc!() + product,
            )?;
            all.push((product, value));
        }
        Ok(())
    }
}

struct Case {
    key: ProvingKey<Bn254>,
    matrices: Matrices,
    assignment: Vec<Fr>,
    basis: QuotientBasis,
}

impl Case {
    fn random(circuit: Random, basis: QuotientBasis) -> Self {
        let mut rng = rng(circuit.seed + 1_000);
        let key = match basis {
            QuotientBasis::Coefficients => {
                Groth16::<Bn254, LibsnarkReduction>::generate_random_parameters_with_reduction(
                    circuit, &mut rng,
                )
            }
            QuotientBasis::OddCoset => {
                Groth16::<Bn254, OddCoset>::generate_random_parameters_with_reduction(
                    circuit, &mut rng,
                )
            }
        }
        .unwrap();
        let cs = ConstraintSystem::<Fr>::new_ref();
        circuit.generate_constraints(cs.clone()).unwrap();
        assert!(cs.is_satisfied().unwrap());
        let mut assignment = cs.instance_assignment().unwrap();
        assignment.extend(cs.witness_assignment().unwrap());
        Self {
            key,
            matrices: Matrices::of(circuit).unwrap(),
            assignment,
            basis,
        }
    }

    fn claim(n: MeasurerCount) -> Self {
        let Parameters {
            proving_key,
            matrices,
            ..
        } = Parameters::load_or_make(n, &cache(), &mut |_, _| {}).unwrap();
        let inputs = sample_inputs(n, 7).unwrap();
        let assignment = assignment_of(&inputs).unwrap();
        Self {
            key: proving_key,
            matrices,
            assignment: assignment.to_vec(),
            basis: QuotientBasis::OddCoset,
        }
    }

    fn constraints(&self) -> Constraints<'_> {
        let [a, b, _] = &self.matrices.abc;
        Constraints {
            a,
            b,
            public_columns: self.matrices.public_columns,
            witness_columns: self.matrices.witness_columns,
        }
    }

    fn stock(&self) -> Stock<'_> {
        Stock::new(
            &self.key,
            &self.matrices.abc,
            self.matrices.public_columns,
            self.matrices.witness_columns,
            self.basis,
        )
    }

    fn fast(&self, options: &Options) -> Result<Fast, PrepareError> {
        Fast::new(
            &self.key,
            self.constraints(),
            self.basis,
            options,
            &Token::new(),
        )
    }
}

fn every_option() -> Vec<Options> {
    let mut all = Vec::new();
    for arithmetic in [Arithmetic::Best, Arithmetic::Portable] {
        for threads in [None, Some(1), Some(3)] {
            for table_memory in [0, 1 << 24] {
                all.push(Options {
                    arithmetic,
                    threads,
                    table_memory,
                });
            }
        }
    }
    all
}

fn proofs_are_equal(case: &Case, options: &Options, blinding: &[(Fr, Fr)]) {
    let (stock, fast) = (case.stock(), case.fast(options).unwrap());
    for (r, s) in blinding {
        let token = Token::new();
        let (expected, _) = stock.prove(&case.assignment, *r, *s, &token).unwrap();
        let (found, _) = fast.prove(&case.assignment, *r, *s, &token).unwrap();
        assert_eq!(found, expected, "{options:?}");
        let public = &case.assignment[1..case.matrices.public_columns];
        let vk = ark_groth16::prepare_verifying_key(&case.key.vk);
        assert!(Groth16::<Bn254>::verify_proof(&vk, &found, public).unwrap());
    }
}

fn blinding(seed: u64) -> Vec<(Fr, Fr)> {
    let mut rng = rng(seed);
    let (zero, one) = (Fr::zero(), Fr::from(1u8));
    vec![
        (Fr::rand(&mut rng), Fr::rand(&mut rng)),
        (zero, zero),
        (zero, one),
        (one, zero),
        (-one, -one),
        (one.double(), -one),
    ]
}

#[test]
fn proofs_of_random_circuits_are_arkworks_proofs_for_both_kinds_of_key() {
    for basis in [QuotientBasis::OddCoset, QuotientBasis::Coefficients] {
        for (seed, (rows, public)) in [
            (1, 0),
            (3, 1),
            (6, 2),
            (40, 3),
            (60, 1),
            (200, 5),
            (1_500, 2),
        ]
        .into_iter()
        .enumerate()
        {
            let circuit = Random {
                seed: seed as u64,
                rows,
                public,
            };
            let case = Case::random(circuit, basis);
            for options in [
                Options::default(),
                Options {
                    arithmetic: Arithmetic::Portable,
                    ..Options::default()
                },
            ] {
                proofs_are_equal(&case, &options, &blinding(rows as u64));
            }
        }
    }
}

#[test]
fn no_option_changes_a_proof() {
    let circuit = Random {
        seed: 9,
        rows: 700,
        public: 2,
    };
    let case = Case::random(circuit, QuotientBasis::OddCoset);
    for options in every_option() {
        proofs_are_equal(&case, &options, &blinding(3)[..1]);
    }
}

#[test]
fn proofs_of_claims_are_arkworks_proofs() {
    for n in MeasurerCount::ALL {
        proofs_are_equal(
            &Case::claim(n),
            &Options::default(),
            &blinding(n.get() as u64)[..2],
        );
    }
}

#[test]
fn an_unsatisfying_assignment_gives_a_proof_that_is_refused() {
    let circuit = Random {
        seed: 12,
        rows: 100,
        public: 1,
    };
    let case = Case::random(circuit, QuotientBasis::OddCoset);
    let fast = case.fast(&Options::default()).unwrap();
    let vk = ark_groth16::prepare_verifying_key(&case.key.vk);
    let public = &case.assignment[1..case.matrices.public_columns];
    let mut false_one = case.assignment.clone();
    let last = false_one.len() - 1;
    false_one[last] += Fr::from(1u8);
    let (r, s) = blinding(1)[0];
    let (proof, _) = fast.prove(&false_one, r, s, &Token::new()).unwrap();
    assert!(!Groth16::<Bn254>::verify_proof(&vk, &proof, public).unwrap());
}

#[test]
fn a_cancelled_proof_gives_an_error_and_no_proof() {
    let circuit = Random {
        seed: 13,
        rows: 100,
        public: 1,
    };
    let case = Case::random(circuit, QuotientBasis::OddCoset);
    let token = Token::new();
    token.cancel();
    let (r, s) = blinding(2)[0];
    for backend in [
        &case.stock() as &dyn Backend,
        &case.fast(&Options::default()).unwrap(),
    ] {
        match backend.prove(&case.assignment, r, s, &token) {
            Err(BackendError::Cancelled(Cancelled)) => {}
            other => panic!("{}: {other:?}", backend.name()),
        }
    }
}

#[test]
fn a_token_is_told_of_every_phase() {
    let circuit = Random {
        seed: 16,
        rows: 100,
        public: 1,
    };
    let case = Case::random(circuit, QuotientBasis::OddCoset);
    let fast = case.fast(&Options::low_memory()).unwrap();
    let token = Token::new();
    let (r, s) = blinding(2)[0];
    let (_, phases) = fast.prove(&case.assignment, r, s, &token).unwrap();
    assert!((token.fraction() - 1.0).abs() < f32::EPSILON);
    let PhaseTimings {
        witness_map,
        a,
        b_g1,
        b_g2,
        l,
        h,
        assembly,
    } = phases;
    for phase in [witness_map, a, b_g1, b_g2, l, h, assembly] {
        assert!(!phase.is_zero());
    }
}

#[test]
fn an_assignment_of_another_circuit_is_refused_before_any_work() {
    let circuit = Random {
        seed: 14,
        rows: 30,
        public: 1,
    };
    let case = Case::random(circuit, QuotientBasis::OddCoset);
    let (r, s) = blinding(2)[0];
    let columns = case.assignment.len();
    for backend in [
        &case.stock() as &dyn Backend,
        &case.fast(&Options::default()).unwrap(),
    ] {
        for wrong in [0, 1, columns - 1] {
            match backend.prove(&case.assignment[..wrong], r, s, &Token::new()) {
                Err(BackendError::Columns { expected, found }) => {
                    assert_eq!((expected, found), (columns, wrong));
                }
                other => panic!("{other:?}"),
            }
        }
        let mut no_one = case.assignment.clone();
        no_one[0] = Fr::from(2u8);
        let result = backend.prove(&no_one, r, s, &Token::new());
        assert!(matches!(result, Err(BackendError::NoOne)), "{result:?}");
    }
}

#[test]
fn a_key_of_another_circuit_is_refused() {
    let circuit = Random {
        seed: 15,
        rows: 60,
        public: 1,
    };
    let mut case = Case::random(circuit, QuotientBasis::OddCoset);
    let expect = |case: &Case, part: &str| match case.fast(&Options::default()) {
        Err(PrepareError::QueryLength { part: found, .. }) => assert_eq!(found, part),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{part} was accepted"),
    };
    let point = case.key.h_query.pop().unwrap();
    expect(&case, "h");
    case.key.h_query.extend([point, point]);
    expect(&case, "h");
    case.key.h_query.pop();
    let point = case.key.l_query.pop().unwrap();
    expect(&case, "l");
    case.key.l_query.push(point);
    let point = case.key.b_g2_query.pop().unwrap();
    expect(&case, "b (G2)");
    case.key.b_g2_query.push(point);
    case.key.a_query.push(case.key.a_query[0]);
    expect(&case, "a");
    case.key.a_query.pop();
    case.key.b_g1_query.clear();
    expect(&case, "b (G1)");

    let mut case = Case::random(circuit, QuotientBasis::OddCoset);
    let columns = case.assignment.len();
    case.matrices.abc[1][5].push((Fr::from(1u8), columns));
    match case.fast(&Options::default()) {
        Err(PrepareError::Column {
            column,
            columns: there,
        }) => assert_eq!((column, there), (columns, columns)),
        other => panic!("{:?}", other.err()),
    }
    case.matrices.abc[1].pop();
    let result = case.fast(&Options::default());
    assert!(matches!(result, Err(PrepareError::Rows { .. })));
}
