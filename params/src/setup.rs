//! The development setup: Groth16 keys from a public string.
//!
//! ```text
//! seed = SHA-256("veilpool insecure development setup: anybody can forge claims" ‖ circuit ‖ version ‖ n ‖ fingerprint)
//! alpha, beta, gamma, delta, tau ← ChaCha20(seed)
//! ```
//! The same key on every machine, whatever its number of threads: group elements are exact and
//! written in affine form. The `h_query` is in snarkjs' form ([`crate::reduction`]), which has the cheaper prover and goes
//! out as a `.zkey` unchanged. It proves nothing about anything, and exists so that everything around a
//! real key can be built and tested.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_ec::PrimeGroup;
use ark_ff::UniformRand;
use ark_groth16::{Groth16, ProvingKey};
use ark_relations::gr1cs::SynthesisError;
use ark_serialize::CanonicalSerialize;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};
use veilpool_circuits::{
    claim::{self, Circuit, Info},
    matrices::Matrices,
};
use veilpool_protocol::{MeasurerCount, verifying_key::Status};

use crate::{
    manifest::{self, CLAIM, FileRecord, Manifest, ManifestError, Record},
    reduction::OddCoset,
    verifying_key::{InvalidVerifyingKey, RawVerifyingKey, VerifyingKey},
};

/// What the setup's randomness is drawn from: public, and says what it is.
pub const LABEL: &str = "veilpool insecure development setup: anybody can forge claims";

/// What is being done. `Display` is for progress bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Building the circuit's matrices.
    Synthesis,
    /// Computing the key.
    Setup,
    /// Writing the key to the cache.
    Writing,
    /// Reading the key and hashing it.
    Reading,
    /// Checking it against manifest and circuit.
    Checking,
    /// Nothing is left to do.
    Done,
}

impl core::fmt::Display for Stage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Synthesis => "building the circuit",
            Self::Setup => "insecure development setup",
            Self::Writing => "writing the proving key",
            Self::Reading => "reading the proving key",
            Self::Checking => "checking the proving key",
            Self::Done => "parameters ready",
        })
    }
}

/// Told what is being done, and which fraction of the whole is done, from 0 to 1 and never falling.
pub type Progress<'a> = dyn FnMut(Stage, f32) + 'a;

/// Why keys could not be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The circuit could not be synthesised.
    #[error("the circuit could not be synthesised: {0}")]
    Synthesis(#[from] SynthesisError),
    /// The key that came out is refused.
    #[error("the setup gave a key that is refused: {0}")]
    Key(#[from] InvalidVerifyingKey),
    /// The manifest could not be written.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file could not be written.
    #[error(
        "{path} could not be written: {source}; make the folder writable or choose another one"
    )]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What a setup gives.
pub struct DevelopmentKeys {
    /// For proving.
    pub proving_key: ProvingKey<Bn254>,
    /// For verifying.
    pub verifying_key: VerifyingKey,
    /// Of the circuit.
    pub info: Info,
}

/// Makes the keys of the claim circuit for `n` measurers.
///
/// # Errors
/// [`SetupError`].
pub fn development_keys(
    n: MeasurerCount,
    progress: &mut Progress<'_>,
) -> Result<DevelopmentKeys, SetupError> {
    progress(Stage::Synthesis, 0.0);
    let info = Info::of(n.get(), &claim_matrices(n)?);
    progress(Stage::Setup, 0.05);
    let proving_key = match n {
        MeasurerCount::Three => generate::<3>(&info)?,
        MeasurerCount::Five => generate::<5>(&info)?,
        MeasurerCount::Seven => generate::<7>(&info)?,
    };
    let verifying_key = RawVerifyingKey::from_ark(&proving_key.vk).validate(
        n,
        Status::Development,
        info.fingerprint,
    )?;
    Ok(DevelopmentKeys {
        proving_key,
        verifying_key,
        info,
    })
}

/// The matrices of the claim circuit.
///
/// # Errors
/// [`SynthesisError`].
pub fn claim_matrices(n: MeasurerCount) -> Result<Matrices, SynthesisError> {
    claim::matrices(n.get()).map_err(|_| SynthesisError::Unsatisfiable)
}

fn generate<const N: usize>(info: &Info) -> Result<ProvingKey<Bn254>, SynthesisError> {
    let seed = Sha256::new()
        .chain_update(LABEL)
        .chain_update(CLAIM)
        .chain_update(info.version.to_le_bytes())
        .chain_update((N as u64).to_le_bytes())
        .chain_update(info.fingerprint)
        .finalize();
    let rng = &mut ChaCha20Rng::from_seed(seed.into());
    let [alpha, beta, gamma, delta] = core::array::from_fn(|_| Fr::rand(rng));
    Groth16::<Bn254, OddCoset>::generate_parameters_with_qap(
        Circuit::<N>::blank(),
        alpha,
        beta,
        gamma,
        delta,
        G1Projective::generator(),
        G2Projective::generator(),
        rng,
    )
}

/// The proving key as it is written: arkworks' uncompressed form.
///
/// # Errors
/// Those of the writer.
pub fn write_proving_key(key: &ProvingKey<Bn254>, writer: impl Write) -> io::Result<()> {
    key.serialize_uncompressed(writer).map_err(io::Error::other)
}

/// What the manifest says of these keys.
#[must_use]
pub fn record(keys: &DevelopmentKeys) -> Record {
    let mut hasher = HashingWriter::default();
    // Neither hashing nor counting fails.
    let written = write_proving_key(&keys.proving_key, &mut hasher);
    debug_assert!(written.is_ok());
    Record {
        version: keys.info.version,
        n: keys.verifying_key.n(),
        status: keys.verifying_key.status(),
        fingerprint: keys.info.fingerprint,
        constraints: keys.info.constraints,
        witnesses: keys.info.witnesses,
        public_inputs: keys.info.public_inputs,
        non_zeros: keys.info.non_zeros,
        proving_key: hasher.finish(),
        verifying_key: FileRecord::of(&keys.verifying_key.to_ark_bytes()),
        on_chain_verifying_key: FileRecord::of(&keys.verifying_key.to_on_chain_bytes()),
    }
}

/// Makes all keys, and writes manifest and verifying keys into the folder `params/` of the
/// repository. Whoever changes the circuit runs this, and rebuilds.
///
/// # Errors
/// [`SetupError`].
pub fn write_development(
    folder: &Path,
    progress: &mut Progress<'_>,
) -> Result<Manifest, SetupError> {
    let mut records = Vec::new();
    let total = MeasurerCount::ALL.len() as f32;
    for (index, n) in MeasurerCount::ALL.into_iter().enumerate() {
        let keys = development_keys(n, &mut |stage, fraction| {
            progress(stage, (index as f32 + fraction) / total);
        })?;
        let record = record(&keys);
        let stem = record.stem();
        let files = [
            (
                format!("{stem}.vk"),
                keys.verifying_key.to_on_chain_bytes().to_vec(),
            ),
            (
                format!("{stem}.verifying-key.bin"),
                keys.verifying_key.to_ark_bytes(),
            ),
        ];
        for (name, bytes) in files {
            write_file(&folder.join(name), &bytes)?;
        }
        records.push(record);
    }
    let manifest = Manifest::new(records);
    write_file(
        &folder.join(manifest::FILE_NAME),
        manifest.to_toml()?.as_bytes(),
    )?;
    progress(Stage::Done, 1.0);
    Ok(manifest)
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), SetupError> {
    fs::write(path, bytes).map_err(|source| SetupError::Write {
        path: path.to_owned(),
        source,
    })
}

impl FileRecord {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            size: bytes.len() as u64,
            sha256: Sha256::digest(bytes).into(),
        }
    }
}

/// Counts and hashes what is written to it, and passes it on to nobody.
#[derive(Default)]
pub(crate) struct HashingWriter {
    hasher: Sha256,
    size: u64,
}

impl HashingWriter {
    pub(crate) fn finish(self) -> FileRecord {
        FileRecord {
            size: self.size,
            sha256: self.hasher.finalize().into(),
        }
    }
}

impl Write for HashingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
