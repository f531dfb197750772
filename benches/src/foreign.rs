//! Keys that aren't ours: a `.zkey` is checked once, point by point, and kept in a form that is read without checking, as
//! our own keys are (their hashes are pinned). Otherwise each run of a contest would count a check that no peer makes.

use std::{
    fs,
    io::{BufReader, BufWriter, Write},
    path::Path,
};

use anyhow::Context;
use ark_bn254::{Bn254, Fr};
use ark_groth16::ProvingKey;
use ark_relations::utils::matrix::Matrix;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use veilpool_iden3::Zkey;
use veilpool_prover::Constraints;

/// A key with the matrices that belong to it.
pub struct ForeignKey {
    /// The key, with the h query on the odd coset.
    pub proving_key: ProvingKey<Bn254>,
    /// A, B, and C, which is in no `.zkey` and stays empty.
    pub matrices: [Matrix<Fr>; 3],
    /// Columns of the instance, the constant 1 included.
    pub public_columns: usize,
}

impl ForeignKey {
    /// What a backend wants to know of the circuit.
    #[must_use]
    pub fn constraints(&self) -> Constraints<'_> {
        let [a, b, _] = &self.matrices;
        Constraints {
            a,
            b,
            public_columns: self.public_columns,
            witness_columns: self.witness_columns(),
        }
    }

    /// Columns of the witness.
    #[must_use]
    pub fn witness_columns(&self) -> usize {
        self.proving_key.l_query.len()
    }

    /// As [`import`] wrote it.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let file = fs::File::open(path).with_context(|| path.display().to_string())?;
        let mut file = BufReader::with_capacity(1 << 18, file);
        let proving_key = ProvingKey::deserialize_uncompressed_unchecked(&mut file)?;
        let [a, b] = <[Matrix<Fr>; 2]>::deserialize_uncompressed_unchecked(&mut file)?;
        let public_columns = u64::deserialize_uncompressed_unchecked(&mut file)?;
        Ok(Self {
            proving_key,
            matrices: [a, b, Vec::new()],
            public_columns: usize::try_from(public_columns)?,
        })
    }
}

/// Checks a `.zkey`, and writes it to where it is read from without checking. Returns the number of rows.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn import(zkey: &Path, out: &Path) -> anyhow::Result<usize> {
    let key = Zkey::from_bytes(&fs::read(zkey)?)
        .with_context(|| format!("checking {}", zkey.display()))?;
    let mut file = BufWriter::new(fs::File::create(out)?);
    key.proving_key.serialize_uncompressed(&mut file)?;
    key.matrices.serialize_uncompressed(&mut file)?;
    (key.public_columns as u64).serialize_uncompressed(&mut file)?;
    file.flush()?;
    Ok(key.rows())
}
