use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use ark_bn254::{Bn254, Fr, G1Projective, G2Affine, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup, scalar_mul::BatchMulPreprocessing};
use ark_ff::{AdditiveGroup, Field, UniformRand};
use ark_groth16::{Groth16, Proof, ProvingKey, VerifyingKey};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, LinearCombination, Matrix,
    SynthesisError, Variable,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::matrices::Matrices;
use veilpool_iden3::{PowersOfTau, Wtns, Zkey, zkey::Contributions};
use veilpool_params::OddCoset;
use zeroize::Zeroizing;

/// Rows `(Σ) · (Σ) = new column` over what came before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circuit {
    pub(crate) seed: u64,
    pub(crate) rows: usize,
    pub(crate) public: usize,
}

impl ConstraintSynthesizer<Fr> for Circuit {
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

/// The secrets of a setup.
#[derive(Clone, Copy)]
pub(crate) struct Toxic {
    pub(crate) seed: u64,
    pub(crate) alpha: Fr,
    pub(crate) beta: Fr,
    pub(crate) gamma: Fr,
    pub(crate) delta: Fr,
}

impl Toxic {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = &mut ChaCha20Rng::seed_from_u64(seed);
        let [alpha, beta, gamma, delta] = core::array::from_fn(|_| Fr::rand(rng));
        Self {
            seed,
            alpha,
            beta,
            gamma,
            delta,
        }
    }

    fn rng(&self) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(self.seed ^ 0x7a75)
    }

    /// What arkworks' setup draws for a circuit whose domain has this size.
    pub(crate) fn tau(&self, domain: usize) -> Fr {
        GeneralEvaluationDomain::<Fr>::new(domain)
            .unwrap()
            .sample_element_outside_domain(&mut self.rng())
    }

    pub(crate) fn powers(&self, tau: Fr, log: u32) -> PowersOfTau {
        let n = 1usize << log;
        let powers: Vec<Fr> = core::iter::successors(Some(Fr::ONE), |power| Some(*power * tau))
            .take(2 * n - 1)
            .collect();
        let scaled = |by: Fr| {
            powers[..n]
                .iter()
                .map(|power| *power * by)
                .collect::<Vec<_>>()
        };
        let g1 = BatchMulPreprocessing::new(G1Projective::generator(), 4 * n);
        let g2 = BatchMulPreprocessing::new(G2Projective::generator(), n);
        PowersOfTau {
            tau_g1: g1.batch_mul(&powers),
            tau_g2: g2.batch_mul(&powers[..n]),
            alpha_tau_g1: g1.batch_mul(&scaled(self.alpha)),
            beta_tau_g1: g1.batch_mul(&scaled(self.beta)),
            beta_g2: (G2Projective::generator() * self.beta).into_affine(),
        }
    }
}

/// Everything of one circuit.
pub(crate) struct Fixture {
    pub(crate) matrices: Matrices,
    pub(crate) assignment: Vec<Fr>,
    pub(crate) key: ProvingKey<Bn254>,
}

impl Circuit {
    /// Terms of one column are not added up, as no caller of the writers need have done.
    pub(crate) fn matrices(self) -> Matrices {
        Matrices::of(self).unwrap()
    }

    pub(crate) fn assignment(self) -> Vec<Fr> {
        let cs = ConstraintSystem::<Fr>::new_ref();
        self.generate_constraints(cs.clone()).unwrap();
        assert!(cs.is_satisfied().unwrap());
        let cs = cs.borrow().unwrap();
        let public = cs.instance_assignment().unwrap().iter();
        public
            .chain(cs.witness_assignment().unwrap())
            .copied()
            .collect()
    }

    pub(crate) fn key(self, toxic: &Toxic) -> ProvingKey<Bn254> {
        Groth16::<Bn254, OddCoset>::generate_parameters_with_qap(
            self,
            toxic.alpha,
            toxic.beta,
            toxic.gamma,
            toxic.delta,
            G1Projective::generator(),
            G2Projective::generator(),
            &mut toxic.rng(),
        )
        .unwrap()
    }

    pub(crate) fn fixture(self) -> Fixture {
        Fixture {
            matrices: self.matrices(),
            assignment: self.assignment(),
            key: self.key(&Toxic::new(self.seed)),
        }
    }
}

/// Two public inputs, eleven rows, columns that stand in neither A nor B.
pub(crate) const SMALL: Circuit = Circuit {
    seed: 3,
    rows: 11,
    public: 2,
};

impl Fixture {
    pub(crate) fn public(&self) -> &[Fr] {
        &self.assignment[1..self.matrices.public_columns]
    }

    pub(crate) fn zkey(&self) -> Zkey {
        let [a, b, _] = self.matrices.abc.clone();
        Zkey {
            proving_key: self.key.clone(),
            matrices: [a, b],
            public_columns: self.matrices.public_columns,
            contributions: Contributions::default(),
        }
    }

    pub(crate) fn wtns(&self) -> Wtns {
        Wtns::new(Zeroizing::new(self.assignment.clone())).unwrap()
    }
}

pub(crate) fn prove(
    key: &ProvingKey<Bn254>,
    matrices: &[Matrix<Fr>],
    public_columns: usize,
    assignment: &[Fr],
) -> Proof<Bn254> {
    let rng = &mut ChaCha20Rng::seed_from_u64(5);
    Groth16::<Bn254, OddCoset>::create_proof_with_reduction_and_matrices(
        key,
        Fr::rand(rng),
        Fr::rand(rng),
        matrices,
        public_columns,
        matrices[0].len(),
        assignment,
    )
    .unwrap()
}

pub(crate) fn verifies(key: &VerifyingKey<Bn254>, proof: &Proof<Bn254>, public: &[Fr]) -> bool {
    let prepared = ark_groth16::prepare_verifying_key(key);
    Groth16::<Bn254>::verify_proof(&prepared, proof, public).unwrap()
}

/// Runs snarkjs in a folder; what it printed, and whether it ended well.
pub(crate) fn snarkjs(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let path = env::var_os("VEILPOOL_SNARKJS").map_or_else(
        || {
            PathBuf::from(env::var_os("HOME").unwrap())
                .join(".cache/veilpool/snarkjs/node_modules/.bin/snarkjs")
        },
        PathBuf::from,
    );
    assert!(
        path.exists(),
        "{} is missing: run `make snarkjs`, which installs it",
        path.display()
    );
    let output = Command::new(path)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let mut said = String::from_utf8(output.stdout).unwrap();
    said.push_str(&String::from_utf8(output.stderr).unwrap());
    (output.status.success(), said)
}

/// Runs snarkjs, which must end well.
pub(crate) fn snarkjs_ok(folder: &Path, arguments: &[&str]) -> String {
    let (success, said) = snarkjs(folder, arguments);
    assert!(success, "snarkjs {arguments:?}: {said}");
    said
}

pub(crate) fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

/// A section's type, and where its header and its content are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    pub(crate) id: u32,
    pub(crate) header: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

pub(crate) fn sections(file: &[u8]) -> Vec<Section> {
    let mut at = 12;
    let mut sections = Vec::new();
    while at < file.len() {
        let id = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let size = u64::from_le_bytes(file[at + 4..at + 12].try_into().unwrap());
        let start = at + 12;
        let end = start + usize::try_from(size).unwrap();
        sections.push(Section {
            id,
            header: at,
            start,
            end,
        });
        at = end;
    }
    sections
}

pub(crate) fn section(file: &[u8], id: u32) -> Section {
    sections(file)
        .into_iter()
        .find(|section| section.id == id)
        .unwrap()
}

/// A file with these parts of another exchanged, by index.
pub(crate) fn edited(file: &[u8], edit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = file.to_vec();
    edit(&mut bytes);
    bytes
}

pub(crate) fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

pub(crate) fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// A point of the curve over Fq2 that isn't in the subgroup.
pub(crate) fn g2_outside() -> G2Affine {
    (1u64..)
        .find_map(|x| {
            let x = ark_bn254::Fq2::from(x);
            let point = G2Affine::get_point_from_x_unchecked(x, false)?;
            (!point.is_in_correct_subgroup_assuming_on_curve()).then_some(point)
        })
        .unwrap()
}

/// A file that snarkjs or circom wrote.
pub(crate) fn fixture_file(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fs::read(folder.join(name)).unwrap()
}

pub(crate) fn fixture_text(name: &str) -> String {
    String::from_utf8(fixture_file(name)).unwrap()
}
