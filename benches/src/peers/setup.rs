//! What a circom circuit needs before it can prove: compiling, a `.ptau`, a `.zkey`. All for development: whoever
//! reads the entropy below can forge proofs, and nobody relies on any.

use std::{
    fs,
    io::BufWriter,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    install::{Install, SNARKJS},
    ptau,
};
use crate::progress::Progress;

/// Of the `.ptau`: circuits of up to 2¹⁵ constraints and public inputs.
pub const POWER: u32 = 15;
const CIRCUIT: &str = include_str!("../../peers/circuits/claim.circom");
const ENTROPY: &str = "-e=insecure development setup: anybody can forge";
const ARTIFACTS: &str = "node_modules/@zk-kit/semaphore-artifacts";

/// Levels of the registry's 4-ary tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Depth(pub usize);

impl Depth {
    /// 2²⁰, 2²⁶ and 2³² leaves.
    pub const ALL: [Self; 3] = [Self(10), Self(13), Self(16)];

    /// Binary logarithm of the number of leaves.
    #[must_use]
    pub const fn log2_leaves(self) -> usize {
        2 * self.0
    }
}

/// A circuit that snarkjs can prove.
#[derive(Clone, Debug)]
pub struct CircomCircuit {
    /// For tables.
    pub name: String,
    /// Computes witnesses.
    pub wasm: PathBuf,
    /// Proving key.
    pub zkey: PathBuf,
    /// Verifying key, as JSON.
    pub verification_key: PathBuf,
}

/// Compiles the claim circuit. Returns the stem of its files below the folder, and the number of rows.
///
/// # Errors
/// What the compiler says.
pub fn compile(
    install: &Install,
    n: usize,
    depth: Depth,
    progress: &mut dyn Progress,
) -> anyhow::Result<(String, usize)> {
    // Changes of circuit, library or compiler make other files.
    let hash = Sha256::new()
        .chain_update(CIRCUIT)
        .chain_update(include_str!("../../peers/package-lock.json"))
        .finalize();
    let hash = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    let stem = format!("claim-n{n}-depth{}-{hash:08x}", depth.0);
    let r1cs = install.path(&format!("{stem}.r1cs"));
    let _turn = install.turn()?;
    if !r1cs.exists() {
        progress.begins(&format!(
            "compiling the claim in circom, n = {n}, depth {}",
            depth.0
        ));
        let main = format!(
            "pragma circom 2.0.0;\ninclude \"circuits/claim.circom\";\ncomponent main {{public [x]}} = Claim({n}, {});\n",
            depth.0
        );
        fs::write(install.path(&format!("{stem}.circom")), main)?;
        // The compiler, itself WebAssembly, sees the folder it runs in. It writes the .r1cs first: a half-made one
        // must not be taken for a whole one.
        let out = format!("{stem}.part");
        fs::create_dir_all(install.path(&out))?;
        install.run(
            "node",
            &[
                "node_modules/circom2/cli.js",
                &format!("{stem}.circom"),
                "--r1cs",
                "--wasm",
                "--O2",
                "-l",
                "node_modules/circomlib/circuits",
                "-o",
                &out,
            ],
        )?;
        let made = install.path(&out);
        fs::rename(
            made.join(format!("{stem}_js/{stem}.wasm")),
            install.path(&format!("{stem}.wasm")),
        )?;
        fs::rename(made.join(format!("{stem}.r1cs")), &r1cs)?;
        fs::remove_dir_all(made)?;
    }
    let info = install.snarkjs(&["r1cs", "info", &format!("{stem}.r1cs")])?;
    let rows = info
        .lines()
        .find_map(|line| line.split("# of Constraints:").nth(1))
        .and_then(|count| count.trim().parse().ok())
        .context("snarkjs r1cs info didn't say how many constraints there are")?;
    Ok((stem, rows))
}

/// The claim circuit with a key.
///
/// # Errors
/// What compiler and snarkjs say.
pub fn claim(
    install: &Install,
    n: usize,
    depth: Depth,
    progress: &mut dyn Progress,
) -> anyhow::Result<CircomCircuit> {
    let (stem, constraints) = compile(install, n, depth, progress)?;
    let file = |extension: &str| format!("{stem}.{extension}");
    let [zkey, part, first, key, r1cs] =
        ["zkey", "zkey.part", "zkey.first", "vkey.json", "r1cs"].map(file);
    let _turn = install.turn()?;
    if !install.path(&zkey).exists() {
        let ptau = ptau(install, progress)?;
        progress.begins(&format!("snarkjs groth16 setup, {constraints} constraints"));
        install.snarkjs(&["groth16", "setup", &r1cs, &ptau, &first])?;
        install.snarkjs(&[
            "zkey",
            "contribute",
            &first,
            &part,
            "--name=development",
            ENTROPY,
        ])?;
        fs::remove_file(install.path(&first))?;
        install.snarkjs(&["zkey", "export", "verificationkey", &part, &key])?;
        fs::rename(install.path(&part), install.path(&zkey))?;
    }
    Ok(CircomCircuit {
        name: format!("claim in circom, n = {n}"),
        wasm: install.path(&file("wasm")),
        zkey: install.path(&zkey),
        verification_key: install.path(&key),
    })
}

/// Semaphore v4 at depth 20, and an input of it.
///
/// # Errors
/// When the package lacks a file.
pub fn semaphore(install: &Install) -> anyhow::Result<(CircomCircuit, PathBuf)> {
    let input = install.path("semaphore-20-input.json");
    install.run("node", &["input.mjs", "semaphore-20-input.json"])?;
    let file = |extension: &str| -> anyhow::Result<PathBuf> {
        let path = install.path(&format!("{ARTIFACTS}/semaphore-20.{extension}"));
        ensure!(path.exists(), "{} is missing", path.display());
        Ok(path)
    };
    Ok((
        CircomCircuit {
            name: "Semaphore v4, depth 20".to_owned(),
            wasm: file("wasm")?,
            zkey: file("zkey")?,
            verification_key: file("json")?,
        },
        input,
    ))
}

// Name below the folder.
fn ptau(install: &Install, progress: &mut dyn Progress) -> anyhow::Result<String> {
    let name = format!("development-{POWER}.ptau");
    if !install.path(&name).exists() {
        progress.begins("making a development .ptau");
        let part = install.path(&format!("{name}.part"));
        let file = fs::File::create(&part).context("creating the .ptau")?;
        ptau::write(POWER, BufWriter::new(file)).context("writing the .ptau")?;
        fs::rename(&part, install.path(&name))?;
    }
    Ok(name)
}

/// Computes a witness from an input.
///
/// # Errors
/// When the input doesn't satisfy the circuit's assertions; with what snarkjs says.
pub fn witness(install: &Install, wasm: &Path, input: &Path, witness: &Path) -> anyhow::Result<()> {
    let [wasm, input, witness] = [wasm, input, witness].map(|path| path.display().to_string());
    install.run(
        "node",
        &[SNARKJS, "wtns", "calculate", &wasm, &input, &witness],
    )?;
    Ok(())
}
