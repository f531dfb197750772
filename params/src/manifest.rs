//! The manifest: which parameters exist, and the size and SHA-256 of each of their files.

use serde::{Deserialize, Serialize};
use veilpool_protocol::{MeasurerCount, verifying_key::Status};

/// Name of the one circuit there is.
pub const CLAIM: &str = "claim";
/// Name of the manifest's file.
pub const FILE_NAME: &str = "manifest.toml";

const HEADER: &str = "\
# Parameters of Veilpool's circuits. Written by `veilpool params setup-dev --write`; don't edit.
# status = \"dev\": the setup's randomness is a public string. ANYBODY CAN FORGE CLAIMS with these keys.

";

/// All parameters, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    records: Vec<Record>,
}

/// Parameters of one circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Version of the circuit.
    pub version: u32,
    /// Number of measurers.
    pub n: MeasurerCount,
    /// Development or ceremony.
    pub status: Status,
    /// SHA-256 of the constraint matrices.
    pub fingerprint: [u8; 32],
    /// Rows.
    pub constraints: usize,
    /// Witness columns.
    pub witnesses: usize,
    /// Public columns without the constant.
    pub public_inputs: usize,
    /// Of A, B and C.
    pub non_zeros: [usize; 3],
    /// As arkworks writes it, uncompressed; not committed.
    pub proving_key: FileRecord,
    /// As arkworks writes it, compressed.
    pub verifying_key: FileRecord,
    /// As the program embeds it.
    pub on_chain_verifying_key: FileRecord,
}

/// Size and hash of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// Bytes.
    pub size: u64,
    /// Of the bytes.
    pub sha256: [u8; 32],
}

/// Why text is not a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not TOML of this form.
    #[error("the manifest isn't of the expected form: {0}")]
    Malformed(String),
    /// A circuit that doesn't exist.
    #[error("the manifest names the circuit {0:?}, which isn't known")]
    UnknownCircuit(String),
    /// A status that doesn't exist.
    #[error("the manifest names the status {0:?}; known are \"dev\" and \"ceremony\"")]
    UnknownStatus(String),
    /// Not 3, 5 or 7.
    #[error("the manifest has parameters for {0} measurers: 3, 5 or 7 are possible")]
    UnsupportedCount(usize),
    /// Not a hash.
    #[error("the manifest's {field} isn't 64 hexadecimal digits")]
    NotAHash {
        /// Which field.
        field: &'static str,
    },
    /// One circuit twice.
    #[error("the manifest has the parameters for {0} measurers twice")]
    Repeated(usize),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    parameters: Vec<RawRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecord {
    circuit: String,
    version: u32,
    n: usize,
    status: String,
    fingerprint: String,
    constraints: usize,
    witnesses: usize,
    public_inputs: usize,
    non_zeros: [usize; 3],
    proving_key: RawFile,
    verifying_key: RawFile,
    on_chain_verifying_key: RawFile,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    size: u64,
    sha256: String,
}

impl Manifest {
    /// Of these records.
    #[must_use]
    pub const fn new(records: Vec<Record>) -> Self {
        Self { records }
    }

    /// From TOML.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let raw: RawManifest =
            toml::from_str(text).map_err(|error| ManifestError::Malformed(error.to_string()))?;
        let mut records: Vec<Record> = Vec::new();
        for raw in raw.parameters {
            let record = raw.validate()?;
            if records.iter().any(|other| other.n == record.n) {
                return Err(ManifestError::Repeated(record.n.get()));
            }
            records.push(record);
        }
        Ok(Self { records })
    }

    /// To TOML.
    ///
    /// # Errors
    /// [`ManifestError::Malformed`] for sizes that TOML's integers don't hold.
    pub fn to_toml(&self) -> Result<String, ManifestError> {
        let raw = RawManifest {
            parameters: self.records.iter().map(RawRecord::of).collect(),
        };
        let body =
            toml::to_string(&raw).map_err(|error| ManifestError::Malformed(error.to_string()))?;
        Ok(format!("{HEADER}{body}"))
    }

    /// All records.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The record for `n` measurers.
    #[must_use]
    pub fn find(&self, n: MeasurerCount) -> Option<&Record> {
        self.records.iter().find(|record| record.n == n)
    }
}

impl Record {
    /// `claim-n5-v2`: what the files' names begin with.
    #[must_use]
    pub fn stem(&self) -> String {
        stem(self.n, self.version)
    }
}

/// `claim-n5-v2`: what the files' names begin with.
#[must_use]
pub fn stem(n: MeasurerCount, version: u32) -> String {
    format!("{CLAIM}-n{}-v{version}", n.get())
}

impl RawRecord {
    fn of(record: &Record) -> Self {
        Self {
            circuit: CLAIM.to_owned(),
            version: record.version,
            n: record.n.get(),
            status: match record.status {
                Status::Development => "dev",
                Status::Ceremony => "ceremony",
            }
            .to_owned(),
            fingerprint: hex::encode(record.fingerprint),
            constraints: record.constraints,
            witnesses: record.witnesses,
            public_inputs: record.public_inputs,
            non_zeros: record.non_zeros,
            proving_key: RawFile::of(&record.proving_key),
            verifying_key: RawFile::of(&record.verifying_key),
            on_chain_verifying_key: RawFile::of(&record.on_chain_verifying_key),
        }
    }

    fn validate(self) -> Result<Record, ManifestError> {
        if self.circuit != CLAIM {
            return Err(ManifestError::UnknownCircuit(self.circuit));
        }
        let status = match self.status.as_str() {
            "dev" => Status::Development,
            "ceremony" => Status::Ceremony,
            _ => return Err(ManifestError::UnknownStatus(self.status)),
        };
        Ok(Record {
            version: self.version,
            n: MeasurerCount::try_from(self.n)
                .map_err(|_| ManifestError::UnsupportedCount(self.n))?,
            status,
            fingerprint: parse_hash("fingerprint", &self.fingerprint)?,
            constraints: self.constraints,
            witnesses: self.witnesses,
            public_inputs: self.public_inputs,
            non_zeros: self.non_zeros,
            proving_key: self.proving_key.validate("proving_key.sha256")?,
            verifying_key: self.verifying_key.validate("verifying_key.sha256")?,
            on_chain_verifying_key: self
                .on_chain_verifying_key
                .validate("on_chain_verifying_key.sha256")?,
        })
    }
}

impl RawFile {
    fn of(file: &FileRecord) -> Self {
        Self {
            size: file.size,
            sha256: hex::encode(file.sha256),
        }
    }

    fn validate(&self, field: &'static str) -> Result<FileRecord, ManifestError> {
        Ok(FileRecord {
            size: self.size,
            sha256: parse_hash(field, &self.sha256)?,
        })
    }
}

fn parse_hash(field: &'static str, text: &str) -> Result<[u8; 32], ManifestError> {
    let mut hash = [0u8; 32];
    hex::decode_to_slice(text, &mut hash).map_err(|_| ManifestError::NotAHash { field })?;
    Ok(hash)
}
