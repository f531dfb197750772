//! Which contests there are.
//!
//! | contest | everybody has | who |
//! | --- | --- | --- |
//! | same key | one `.zkey` and one `.wtns` | snarkjs, rapidsnark, stock arkworks, ours |
//! | same statement | one claim; each has its own circuit and key, and computes its own witness | circom with snarkjs, circom with rapidsnark, ours |

use std::{collections::BTreeMap, fs, path::Path};

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::Value;
use veilpool_circuits::claim::sample::Sample;
use veilpool_protocol::MeasurerCount;
use veilpool_prover::snarkjs;

use crate::{
    child::{Host, Measured},
    entrants::{Chosen, Entrant, SEED},
    peers::{
        CircomCircuit, Contest, Contestant, Depth, Install,
        contest::{Outcome, ProofFiles},
        inputs::circom_input,
        install::SNARKJS,
        setup,
    },
    progress::Progress,
    table::grouped,
    task::Task,
};

/// What contests are made from.
pub struct Setting<'a> {
    /// How our side is started.
    pub host: &'a Host,
    /// circom and snarkjs.
    pub circom: &'a Install,
    /// Semaphore.
    pub semaphore: &'a Install,
    /// Folder of our proving keys.
    pub cache: &'a Path,
    /// A rapidsnark binary, if one takes part.
    pub rapidsnark: Option<&'a Path>,
}

impl Setting<'_> {
    /// Runs all contests.
    ///
    /// # Errors
    /// When a peer can't be set up, or a prover fails.
    pub fn run(
        &self,
        counts: &[MeasurerCount],
        runs: usize,
        progress: &mut dyn Progress,
    ) -> anyhow::Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        for n in counts {
            let circuit = setup::claim(self.circom, n.get(), Depth(10), progress)?;
            let stem = format!("claim-n{}", n.get());
            let input = self.circom.path(&format!("{stem}-input.json"));
            fs::write(&input, claim_input(*n)?.to_string())?;
            if *n == MeasurerCount::Five {
                let contest = self.same_key(&stem, &circuit, &input)?;
                outcomes.push(contest.run(self.host, self.circom, runs, progress)?);
            }
            let contest = self.same_statement(*n, &stem, &circuit, &input)?;
            outcomes.push(contest.run(self.host, self.circom, runs, progress)?);
        }
        let (circuit, input) = setup::semaphore(self.semaphore)?;
        let contest = self.same_key("semaphore-20", &circuit, &input)?;
        outcomes.push(contest.run(self.host, self.circom, runs, progress)?);
        Ok(outcomes)
    }

    fn same_key(
        &self,
        stem: &str,
        circuit: &CircomCircuit,
        input: &Path,
    ) -> anyhow::Result<Contest> {
        let witness = self.circom.path(&format!("{stem}.wtns"));
        setup::witness(self.circom, &circuit.wasm, input, &witness)?;
        let mut contestants = vec![Contestant {
            name: "snarkjs".to_owned(),
            cold: vec![self.node([
                SNARKJS,
                "groth16",
                "prove",
                &text(&circuit.zkey),
                &text(&witness),
                &format!("{stem}-snarkjs.proof.json"),
                &format!("{stem}-snarkjs.public.json"),
            ])],
            warm: Some(self.node(["warm.mjs", &text(&circuit.zkey), &text(&witness)])),
            output: self.output(&format!("{stem}-snarkjs"), circuit),
        }];
        contestants.extend(self.rapidsnark(stem, circuit, &witness, Vec::new()));
        let key = self.circom.path(&format!("{stem}.imported"));
        let import = Task::Import {
            zkey: circuit.zkey.clone(),
            out: key.clone(),
        };
        let rows: usize = self.host.ask(&import, &[])?;
        for backend in Chosen::ALL {
            let out = self.circom.path(&format!("{stem}-{backend:?}"));
            let entrant = Entrant::Foreign {
                backend,
                key: key.clone(),
                wtns: witness.clone(),
                out: out.clone(),
            };
            contestants.push(Contestant {
                name: backend.name().to_owned(),
                cold: vec![self.ours(&entrant, false)?],
                warm: Some(self.ours(&entrant, true)?),
                output: ProofFiles {
                    proof: out.join(snarkjs::PROOF_FILE),
                    public: out.join(snarkjs::PUBLIC_FILE),
                    verification_key: circuit.verification_key.clone(),
                },
            });
        }
        Ok(Contest {
            id: format!("{stem}-same-key"),
            title: format!(
                "{} ({} constraints), one key and witness",
                circuit.name,
                grouped(rows as u64)
            ),
            contestants,
        })
    }

    fn same_statement(
        &self,
        n: MeasurerCount,
        stem: &str,
        circuit: &CircomCircuit,
        input: &Path,
    ) -> anyhow::Result<Contest> {
        let label = format!("{stem}-full");
        let mut contestants = vec![Contestant {
            name: "circom, snarkjs".to_owned(),
            cold: vec![self.node([
                SNARKJS,
                "groth16",
                "fullprove",
                &text(input),
                &text(&circuit.wasm),
                &text(&circuit.zkey),
                &format!("{label}.proof.json"),
                &format!("{label}.public.json"),
            ])],
            warm: Some(self.node([
                "warm.mjs",
                &text(&circuit.zkey),
                &text(&circuit.wasm),
                &text(input),
            ])),
            output: self.output(&label, circuit),
        }];
        let witness = self.circom.path(&format!("{label}.wtns"));
        let first = self.node([
            SNARKJS,
            "wtns",
            "calculate",
            &text(&circuit.wasm),
            &text(input),
            &text(&witness),
        ]);
        contestants.extend(self.rapidsnark(&label, circuit, &witness, vec![first]));
        let out = self.circom.path(&format!("{label}-veilpool"));
        let entrant = Entrant::Claim {
            n: n.get(),
            cache: self.cache.to_owned(),
            out: out.clone(),
        };
        contestants.push(Contestant {
            name: "Veilpool".to_owned(),
            cold: vec![self.ours(&entrant, false)?],
            warm: Some(self.ours(&entrant, true)?),
            output: ProofFiles {
                proof: out.join(snarkjs::PROOF_FILE),
                public: out.join(snarkjs::PUBLIC_FILE),
                verification_key: out.join(snarkjs::VERIFICATION_KEY_FILE),
            },
        });
        Ok(Contest {
            id: format!("{stem}-same-statement"),
            title: format!(
                "claim, n = {}, witness included, each with its own circuit",
                n.get()
            ),
            contestants,
        })
    }

    fn rapidsnark(
        &self,
        label: &str,
        circuit: &CircomCircuit,
        witness: &Path,
        mut before: Vec<Measured>,
    ) -> Option<Contestant> {
        let binary = self.rapidsnark?;
        let stem = format!("{label}-rapidsnark");
        before.push(Measured {
            program: binary.to_owned(),
            arguments: vec![
                text(&circuit.zkey),
                text(witness),
                format!("{stem}.proof.json"),
                format!("{stem}.public.json"),
            ],
            folder: self.circom.folder().to_owned(),
            environment: BTreeMap::new(),
        });
        Some(Contestant {
            name: if before.len() > 1 {
                "circom, rapidsnark"
            } else {
                "rapidsnark"
            }
            .to_owned(),
            cold: before,
            warm: None,
            output: self.output(&stem, circuit),
        })
    }

    fn ours(&self, entrant: &Entrant, stay: bool) -> anyhow::Result<Measured> {
        self.host.measured(&Task::Enter {
            entrant: entrant.clone(),
            stay,
        })
    }

    fn node<const M: usize>(&self, arguments: [&str; M]) -> Measured {
        Measured {
            program: "node".into(),
            arguments: arguments.map(str::to_owned).to_vec(),
            folder: self.circom.folder().to_owned(),
            environment: BTreeMap::new(),
        }
    }

    fn output(&self, stem: &str, circuit: &CircomCircuit) -> ProofFiles {
        ProofFiles {
            proof: self.circom.path(&format!("{stem}.proof.json")),
            public: self.circom.path(&format!("{stem}.public.json")),
            verification_key: circuit.verification_key.clone(),
        }
    }
}

/// The claim that everybody proves, as an input of the circom circuit.
///
/// # Errors
/// Not for any seed known.
pub fn claim_input(n: MeasurerCount) -> anyhow::Result<Value> {
    let rng = &mut ChaCha20Rng::seed_from_u64(SEED);
    match n {
        MeasurerCount::Three => circom_input(&Sample::<3>::generate(rng).witness),
        MeasurerCount::Five => circom_input(&Sample::<5>::generate(rng).witness),
        MeasurerCount::Seven => circom_input(&Sample::<7>::generate(rng).witness),
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_has_a_slot_for_each_measurer_and_all_levels() {
        for n in MeasurerCount::ALL {
            let input = claim_input(n).unwrap_or_default();
            for slots in ["keys", "keysHighU", "present", "values", "c", "s"] {
                assert_eq!(
                    input[slots].as_array().map(Vec::len),
                    Some(n.get()),
                    "{slots}"
                );
            }
            assert_eq!(input["children"].as_array().map(Vec::len), Some(10));
            // The operator of the sample is leaf 2.
            assert_eq!(input["selected"][0], serde_json::json!([0, 0, 1, 0]));
            assert_eq!(input["selected"][1], serde_json::json!([1, 0, 0, 0]));
        }
    }
}
