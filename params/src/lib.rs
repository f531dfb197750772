//! Proving and verifying keys: which there are (manifest), where they come from (setup), and how
//! they are loaded without trusting the file they came in.
//!
//! Everything committed here has status *development*: the setup's randomness is a public string,
//! so that anybody can rebuild the keys bit by bit, and **anybody can forge claims**. The on-chain
//! program accepts such keys only when it was built with a feature that says so.

#![forbid(unsafe_code)]

pub mod encoding;
pub mod load;
pub mod manifest;
pub mod reduction;
pub mod setup;
pub mod verifying_key;

pub use load::{LoadError, Parameters, default_cache_dir};
pub use manifest::{Manifest, ManifestError, Record};
pub use reduction::OddCoset;
pub use setup::{Progress, SetupError, Stage};
pub use verifying_key::{InvalidVerifyingKey, RawVerifyingKey, VerifyingKey};

/// Bytes of the manifest that this build was made with.
pub const MANIFEST: &str = include_str!("../manifest.toml");

/// Verifying keys in their on-chain form, for n = 3, 5 and 7, as the program embeds them.
pub const ON_CHAIN_VERIFYING_KEYS: [&[u8]; 3] = [
    include_bytes!("../claim-n3-v2.vk"),
    include_bytes!("../claim-n5-v2.vk"),
    include_bytes!("../claim-n7-v2.vk"),
];

/// The same keys as arkworks writes them (compressed).
pub const VERIFYING_KEYS: [&[u8]; 3] = [
    include_bytes!("../claim-n3-v2.verifying-key.bin"),
    include_bytes!("../claim-n5-v2.verifying-key.bin"),
    include_bytes!("../claim-n7-v2.verifying-key.bin"),
];
