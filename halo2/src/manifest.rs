//! Which universal parameters and verifying keys this build expects: `parameters.toml`, beside
//! `params/manifest.toml`, which has the keys of the R1CS circuits.
//!
//! The universal parameters are named by their fingerprint, the SHA-256 of all their points; a circuit's
//! key under them by its own ([`crate::system::VerifyingKeys::fingerprint`]).

use serde::{Deserialize, Serialize};

/// Bytes of the manifest that this build was made with.
pub const MANIFEST: &str = include_str!("../parameters.toml");

const HEADER: &str = "\
# Universal parameters and verifying keys of the circuits in halo2. Written by
# `cargo run -p veilpool-halo2 --example write_manifest`; don't edit.
# status = \"dev\": tau comes from a public string. ANYBODY CAN FORGE PROOFS with these parameters.

";

/// The whole of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The universal parameters.
    pub universal: Universal,
    /// The keys under them.
    pub keys: Vec<Key>,
}

/// Universal parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Universal {
    /// Development or ceremony.
    pub status: Status,
    /// For 2ᵏ rows.
    pub k: u32,
    /// SHA-256, in hexadecimal.
    pub fingerprint: String,
}

/// Where the universal parameters are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A public string.
    Dev,
    /// A ceremony.
    Ceremony,
}

/// A circuit's verifying key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// `listing`, `claim-n3`, `claim-n5` or `claim-n7`.
    pub circuit: String,
    /// 2ᵏ rows.
    pub k: u32,
    /// Bytes of a proof.
    pub proof: usize,
    /// SHA-256, in hexadecimal.
    pub fingerprint: String,
}

/// Text that is not a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the manifest isn't of the expected form: {0}")]
pub struct MalformedManifest(String);

impl Manifest {
    /// The manifest that this build was made with.
    ///
    /// # Errors
    /// [`MalformedManifest`], for a broken build.
    pub fn embedded() -> Result<Self, MalformedManifest> {
        Self::parse(MANIFEST)
    }

    /// From TOML.
    ///
    /// # Errors
    /// [`MalformedManifest`].
    pub fn parse(text: &str) -> Result<Self, MalformedManifest> {
        toml::from_str(text).map_err(|error| MalformedManifest(error.to_string()))
    }

    /// To TOML.
    ///
    /// # Errors
    /// [`MalformedManifest`] for sizes that TOML's integers don't hold.
    pub fn to_toml(&self) -> Result<String, MalformedManifest> {
        let body = toml::to_string(self).map_err(|error| MalformedManifest(error.to_string()))?;
        Ok(format!("{HEADER}{body}"))
    }

    /// The key of a circuit.
    #[must_use]
    pub fn find(&self, circuit: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.circuit == circuit)
    }
}
