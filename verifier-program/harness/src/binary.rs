//! The compiled program, as it is committed.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use sha2::{Digest, Sha256};

/// What to do about a missing or old binary.
const REMEDY: &str = "run `make program` and commit what it writes";

/// Which of the two builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// Refuses development keys.
    Release,
    /// Accepts them.
    Development,
}

#[derive(serde::Deserialize)]
struct Metadata {
    sources_sha256: String,
    program: Vec<Program>,
}

#[derive(serde::Deserialize)]
struct Program {
    file: String,
    size: usize,
    sha256: String,
}

impl Build {
    /// Name of its file.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Release => "veilpool_program.so",
            Self::Development => "veilpool_program_development.so",
        }
    }

    /// Its bytes, as committed.
    ///
    /// # Panics
    /// When they are missing, not those of the metadata, or older than the sources.
    #[must_use]
    pub fn bytes(self) -> &'static [u8] {
        static BYTES: [OnceLock<Vec<u8>>; 2] = [const { OnceLock::new() }; 2];
        BYTES[self as usize].get_or_init(|| self.load().unwrap_or_else(|why| panic!("{why}")))
    }

    fn load(self) -> Result<Vec<u8>, String> {
        let folder = root().join("verifier-program/sbf");
        check(
            &folder,
            self.file(),
            &sources_sha256(&root()).map_err(|why| why.to_string())?,
        )
    }
}

/// Reads a binary of a folder, and holds it to the folder's metadata and to the hash of the sources.
///
/// # Errors
/// What is wrong, and what to do.
pub fn check(folder: &Path, file: &str, sources: &str) -> Result<Vec<u8>, String> {
    let read = |name: &str| {
        fs::read(folder.join(name))
            .map_err(|error| format!("{name} can't be read ({error}): {REMEDY}"))
    };
    let text = String::from_utf8(read("veilpool_program.toml")?)
        .map_err(|error| format!("veilpool_program.toml is not text ({error}): {REMEDY}"))?;
    let metadata: Metadata = toml::from_str(&text)
        .map_err(|error| format!("veilpool_program.toml is not readable ({error}): {REMEDY}"))?;
    let bytes = read(file)?;
    let program = metadata
        .program
        .iter()
        .find(|program| program.file == file)
        .ok_or_else(|| format!("veilpool_program.toml doesn't describe {file}: {REMEDY}"))?;
    if program.size != bytes.len() || program.sha256 != hex::encode(Sha256::digest(&bytes)) {
        return Err(format!(
            "{file} is not the one that veilpool_program.toml describes: {REMEDY}"
        ));
    }
    if metadata.sources_sha256 != sources {
        return Err(format!("{file} is older than its sources: {REMEDY}"));
    }
    Ok(bytes)
}

/// The repository's folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What `sbf/sources.sh` prints: the digest of the lines "SHA-256  path" of all that the program is made from.
///
/// # Errors
/// When a file can't be read.
pub fn sources_sha256(root: &Path) -> std::io::Result<String> {
    let mut paths: Vec<String> = [
        "protocol/Cargo.toml",
        "verifier-program/interface/Cargo.toml",
        "verifier-program/groth16/Cargo.toml",
        "verifier-program/program/Cargo.toml",
        "verifier-program/sbf/builtins/Cargo.toml",
        "verifier-program/sbf/setup.sh",
        "verifier-program/sbf/build.sh",
        "verifier-program/sbf/patch_std.py",
        "verifier-program/sbf/bpfel-solana.json",
    ]
    .map(str::to_owned)
    .to_vec();
    for folder in [
        "protocol/src",
        "verifier-program/interface/src",
        "verifier-program/groth16/src",
        "verifier-program/program/src",
        "verifier-program/sbf/builtins/src",
    ] {
        collect(root, folder, &mut paths)?;
    }
    paths.retain(|path| path != "protocol/src/api.rs");
    paths.sort();
    let mut list = String::new();
    for path in paths {
        let digest = Sha256::digest(fs::read(root.join(&path))?);
        list.push_str(&format!("{}  {path}\n", hex::encode(digest)));
    }
    Ok(hex::encode(Sha256::digest(list)))
}

fn collect(root: &Path, folder: &str, paths: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(root, &path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
