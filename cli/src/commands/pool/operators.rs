//! Operators: `register`, `exit`, `release-bond`.

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use clap::{ArgGroup, Args};
use serde::Serialize;
use solana_signer::Signer;
use spl_associated_token_account_interface::address::get_associated_token_address;
use veilpool_interface::{Operator, address, builder, registry::RegistryPath};
use veilpool_primitives::RegistryTree;
use veilpool_protocol::CommitmentBytes;

use super::{Nothing, Signed, print};
use crate::{
    cluster::{self, create_account},
    keys::PassphraseArguments,
    output::Output,
};

/// Which operator.
#[derive(Debug, Args)]
struct Which {
    /// The operator's commitment, as `veilpool identity show` prints it.
    #[arg(long, value_name = "HEX", group = "who")]
    commitment: Option<CommitmentBytes>,
    /// The operator's secret, if it is on this machine.
    #[arg(long, value_name = "FILE", group = "who")]
    identity: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

impl Which {
    fn commitment(&self) -> anyhow::Result<Option<CommitmentBytes>> {
        match (self.commitment, &self.identity) {
            (Some(commitment), _) => Ok(Some(commitment)),
            (None, Some(identity)) => {
                let passphrase = self.passphrase.read()?;
                let secret = veilpool_node::identity::read(identity, passphrase.as_ref())?;
                Ok(Some(secret.commitment().to_bytes()))
            }
            (None, None) => Ok(None),
        }
    }

    fn needed(&self) -> anyhow::Result<CommitmentBytes> {
        self.commitment()?
            .context("give --commitment or --identity")
    }
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("who").required(true))]
pub(crate) struct Register {
    #[command(flatten)]
    signed: Signed,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("who").required(true))]
pub(crate) struct Exit {
    // The wallet must be the one that bonded the operator.
    #[command(flatten)]
    signed: Signed,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("who"))]
pub(crate) struct Release {
    #[command(flatten)]
    signed: Signed,
    // By default all that the wallet has bonded and whose time has come.
    #[command(flatten)]
    which: Which,
}

pub(super) async fn register(arguments: &Register, output: Output) -> anyhow::Result<()> {
    let commitment = arguments.which.needed()?;
    let (chain, pool, wallet) = arguments.signed.open()?;
    let receipt = cluster::register(&chain, &pool, &wallet, commitment).await?;
    print(
        &pool,
        &receipt,
        "operator bonded; it takes part from the next epoch that opens",
        Nothing {},
        output,
    )
}

/// An operator that has left.
#[derive(Serialize)]
struct Left {
    /// The first epoch without it.
    epoch: u32,
    /// When its bond is released, in Unix seconds; later by as long as claims are paused until then.
    release_at: Option<i64>,
}

/// All leaves are downloaded and the path is made here, as for claims: who asks for one leaf tells whose it is.
pub(super) async fn exit(arguments: &Exit, output: Output) -> anyhow::Result<()> {
    let commitment = arguments.which.needed()?;
    let (chain, address, wallet) = arguments.signed.open()?;
    let pool = chain.pool(&address).await?;
    let leaves = chain.present_leaves(&address, &pool).await?;
    let tree = RegistryTree::from_leaves(leaves)?;
    ensure!(
        tree.root() == pool.registry.root,
        "the operators that the RPC node gave don't lead to the registry's root: somebody has come or left in the \
         meantime, or the node is wrong; try again, or ask another node"
    );
    let path = tree
        .find(commitment)
        .and_then(|index| tree.path(index))
        .context("no operator with this commitment is in the registry")?;
    let path = RegistryPath::new(&path.siblings_to_bytes());
    let program = chain.program();
    let instruction =
        builder::exit_operator(program, &address, &wallet.pubkey(), &commitment, path);
    let what = "the operator has not left";
    let receipt = cluster::send(&chain, &wallet, &[instruction], what).await?;
    let exit = chain
        .operator(&address, &commitment)
        .await?
        .and_then(|operator| operator.exit)
        .context("the operator has left, but the RPC node doesn't have it yet")?;
    let paused = chain.pool(&address).await?.books.paused_seconds;
    let left = Left {
        epoch: exit.epoch.get(),
        release_at: exit.release.unix(paused),
    };
    let what = format!(
        "the operator has left: no epoch from {} on has it, and its bond is released at {} (Unix time)",
        left.epoch,
        left.release_at.unwrap_or(i64::MAX)
    );
    print(&address, &receipt, &what, left, output)
}

/// A bond that was given back.
#[derive(Serialize)]
struct Released {
    commitment: CommitmentBytes,
    bond: u64,
    signature: String,
}

pub(super) async fn release(arguments: &Release, output: Output) -> anyhow::Result<()> {
    let commitment = arguments.which.commitment()?;
    let (chain, address, wallet) = arguments.signed.open()?;
    let (pool, now) = (chain.pool(&address).await?, chain.now().await?);
    let paused = pool.books.paused(now);
    let own = address::bytes(&wallet.pubkey());
    let operators = chain.operators(&address).await?;
    let due = |operator: &&Operator| match commitment {
        // The program says when it is too early.
        Some(commitment) => operator.commitment == commitment,
        None => {
            let exit = operator.exit;
            operator.bonder == own && exit.is_some_and(|exit| exit.release.has_passed(now, paused))
        }
    };
    let due: Vec<&Operator> = operators.iter().filter(due).collect();
    if due.is_empty() {
        match commitment {
            Some(_) => bail!("no operator with this commitment has a bond in this pool"),
            None => bail!(
                "no bond of this wallet is due: operators must have left (`veilpool pool exit`), and the last epoch \
                 with their leaf must have shut"
            ),
        }
    }
    let mint = address::pubkey(&pool.rules.mint);
    let mut released = Vec::new();
    for operator in due {
        let bonder = address::pubkey(&operator.bonder);
        let tokens = get_associated_token_address(&bonder, &mint);
        let commitment = &operator.commitment;
        let instructions = [
            create_account(&wallet.pubkey(), &bonder, &mint),
            builder::release_bond(chain.program(), &address, &bonder, &tokens, commitment),
        ];
        let what = "the bond was not given back";
        let receipt = cluster::send(&chain, &wallet, &instructions, what).await?;
        released.push(Released {
            commitment: *commitment,
            bond: operator.bond,
            signature: receipt.signature.to_string(),
        });
    }
    output.show(&released, || {
        let lines = released.iter().map(|it| {
            let (bond, signature) = (it.bond, &it.signature);
            format!("bond of {bond} given back\n  transaction {signature}")
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}
