//! What circuits are made of: exact counts, the same on every machine.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};
use serde::{Deserialize, Serialize};
use veilpool_circuits::{
    claim::{Circuit, Info},
    gadget::poseidon,
    matrices::Matrices,
    num::Num,
    synthesizer::Synthesizer,
};
use veilpool_params::{load::embedded_manifest, verifying_key::ARK_LEN};
use veilpool_protocol::{
    CompressedProofBytes, MeasurerCount, ProofBytes,
    registry::{ARITY, DEPTH},
    verifying_key,
};

use crate::{
    peers::{Depth, Install, setup::compile},
    progress::Progress,
};

/// Counts of one circuit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Number of measurers.
    pub n: usize,
    /// Binary logarithm of the registry's leaves.
    pub log2_leaves: usize,
    /// Rows.
    pub constraints: usize,
    /// Witness columns.
    pub witnesses: usize,
    /// Columns that stand on a B side.
    pub b_columns: usize,
    /// Coefficients of A, B and C.
    pub non_zeros: [usize; 3],
    /// Rows of the same statement in circom at -O2.
    pub circom_constraints: usize,
    /// Size of the proving key's file, for circuits that have parameters.
    pub proving_key_bytes: Option<u64>,
}

/// Sizes that don't depend on the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// A proof on chain.
    pub proof_bytes: usize,
    /// A proof everywhere else.
    pub compressed_proof_bytes: usize,
    /// The verifying key on chain.
    pub on_chain_verifying_key_bytes: usize,
    /// The verifying key as arkworks writes it.
    pub verifying_key_bytes: usize,
}

/// The claim circuit with a deeper registry: the circuit as it is, and `levels` further levels of the same gadget on
/// top of its tree. For measuring only: the registry on chain has one depth.
pub struct Deeper<'a, const N: usize> {
    /// The claim.
    pub claim: Circuit<'a, N>,
    /// How many more.
    pub levels: usize,
}

impl<const N: usize> ConstraintSynthesizer<Fr> for Deeper<'_, N> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        self.claim.synthesize(cs.clone())?;
        let cs = &mut Synthesizer::new(cs);
        let mut node = Num::constant(Fr::ZERO);
        for _ in 0..self.levels {
            let mut children = Vec::with_capacity(ARITY);
            for place in 0..ARITY {
                let value = if place == 0 {
                    node.value()
                } else {
                    Some(Fr::ZERO)
                };
                children.push(cs.witness("path child", value)?);
            }
            // As `gadget::registry` has it.
            let [d0, d1, d2, d3] = [0, 1, 2, 3].map(|place| &node - &children[place]);
            let left = cs.multiply("path left pair", &d0, &d1)?;
            let right = cs.multiply("path right pair", &d2, &d3)?;
            cs.enforce(&left, &right, &Num::zero())?;
            node = poseidon::hash(cs, &children)?;
        }
        Ok(())
    }
}

/// The matrices of the claim circuit with a registry of this depth.
///
/// # Errors
/// Those of the constraint system.
pub fn matrices(n: MeasurerCount, depth: Depth) -> Result<Matrices, SynthesisError> {
    fn of<const N: usize>(levels: usize) -> Result<Matrices, SynthesisError> {
        Matrices::of(Deeper {
            claim: Circuit::<N>::blank(),
            levels,
        })
    }
    let levels = depth.0 - DEPTH;
    match n {
        MeasurerCount::Three => of::<3>(levels),
        MeasurerCount::Five => of::<5>(levels),
        MeasurerCount::Seven => of::<7>(levels),
    }
}

/// Counts of every n and depth, and of the same statement in circom.
///
/// # Errors
/// Those of the constraint system and of the circom compiler.
pub fn measure(
    depths: &[Depth],
    circom: &Install,
    progress: &mut dyn Progress,
) -> anyhow::Result<Vec<Row>> {
    let manifest = embedded_manifest()?;
    let mut rows = Vec::new();
    for depth in depths {
        for n in MeasurerCount::ALL {
            progress.begins(&format!(
                "counting n = {}, 2^{} leaves",
                n.get(),
                depth.log2_leaves()
            ));
            let info = Info::of(n.get(), &matrices(n, *depth)?);
            let (_, circom_constraints) = compile(circom, n.get(), *depth, progress)?;
            let record = manifest.find(n).filter(|_| depth.0 == DEPTH);
            rows.push(Row {
                n: n.get(),
                log2_leaves: depth.log2_leaves(),
                constraints: info.constraints,
                witnesses: info.witnesses,
                b_columns: info.b_columns,
                non_zeros: info.non_zeros,
                circom_constraints,
                proving_key_bytes: record.map(|record| record.proving_key.size),
            });
        }
    }
    Ok(rows)
}

/// Sizes of proofs and keys.
#[must_use]
pub const fn sizes() -> Sizes {
    Sizes {
        proof_bytes: ProofBytes::LEN,
        compressed_proof_bytes: CompressedProofBytes::LEN,
        on_chain_verifying_key_bytes: verifying_key::LEN,
        verifying_key_bytes: ARK_LEN,
    }
}
