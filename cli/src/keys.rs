//! Passphrases and wallets: how commands come by secrets. Never from the command line itself, which others
//! on the machine can read.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use solana_keypair::Keypair;
use veilpool_keyfile::{Passphrase, read_private, write_new};
use zeroize::Zeroizing;

/// Where the passphrase of a secret's file comes from.
#[derive(Debug, Args)]
pub(crate) struct PassphraseArguments {
    /// File whose first line is the passphrase of the secret's file. Or set VEILPOOL_PASSPHRASE. Without
    /// either the file is taken as not encrypted.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArguments {
    pub(crate) fn read(&self) -> anyhow::Result<Option<Passphrase>> {
        let text = match &self.passphrase_file {
            Some(path) => {
                let bytes = read_private(path)?;
                let text = std::str::from_utf8(&bytes)
                    .with_context(|| format!("{} is not text", path.display()))?;
                Some(text.lines().next().unwrap_or_default().to_owned())
            }
            None => std::env::var("VEILPOOL_PASSPHRASE").ok(),
        };
        match text {
            Some(text) if text.is_empty() => {
                bail!("the passphrase is empty; give a real one, or none")
            }
            Some(text) => Ok(Some(Passphrase::new(text))),
            None => Ok(None),
        }
    }
}

/// A wallet in the form of Solana's tools: a JSON array of 64 numbers.
pub(crate) fn read_wallet(path: &Path) -> anyhow::Result<Keypair> {
    let bytes = read_private(path)?;
    let numbers: Zeroizing<Vec<u8>> =
        serde_json::from_slice(&bytes)
            .map(Zeroizing::new)
            .map_err(|_| {
                anyhow::anyhow!(
                    "{} is not a wallet: a JSON array of 64 numbers is expected",
                    path.display()
                )
            })?;
    Keypair::try_from(numbers.as_slice()).map_err(|_| {
        anyhow::anyhow!(
            "{} is not a wallet: its numbers are no key pair",
            path.display()
        )
    })
}

/// Writes a wallet to a new file.
pub(crate) fn write_wallet(path: &Path, wallet: &Keypair) -> anyhow::Result<()> {
    let numbers = Zeroizing::new(wallet.to_bytes().to_vec());
    let json = Zeroizing::new(serde_json::to_vec(&*numbers)?);
    Ok(write_new(path, &json)?)
}
