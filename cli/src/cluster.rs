//! Where the chain, the program and the pool are; and what this build brings for a local chain.

use anyhow::{Context, ensure};
use clap::Args;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_associated_token_account_interface::{
    address::get_associated_token_address, instruction::create_associated_token_account_idempotent,
};
use veilpool_chain::{Chain, Receipt};
use veilpool_interface::{
    address::{self, TOKEN_PROGRAM},
    builder,
    instruction::InitialisePool,
};
use veilpool_primitives::MeasurerSet;
use veilpool_protocol::{CommitmentBytes, MeasurerKeyBytes};

/// The program that accepts development keys, for which anybody can forge claims. For local chains only.
pub(crate) const DEVELOPMENT_PROGRAM: &[u8] =
    include_bytes!("../../verifier-program/sbf/veilpool_program_development.so");
/// Its address on a local chain.
pub(crate) const LOCAL_PROGRAM: Pubkey =
    Pubkey::new_from_array(*b"veilpool-local-development-v0001");
/// The token of a local chain.
pub(crate) const LOCAL_MINT: Pubkey = Pubkey::new_from_array(*b"veilpool-local-mint-vpt-dev-0001");
/// Of that token.
pub(crate) const LOCAL_DECIMALS: u8 = 6;

/// Compute budgets, above what each instruction uses.
const UNITS: u32 = 200_000;

/// Where the chain and the program are.
#[derive(Clone, Debug, Args)]
pub(crate) struct ChainArguments {
    /// JSON-RPC of the chain.
    #[arg(
        long,
        env = "VEILPOOL_RPC",
        default_value = "http://127.0.0.1:8899",
        value_name = "URL"
    )]
    pub(crate) rpc: String,
    /// Address of the pool program; by default that of `veilpool localnet`.
    #[arg(long, env = "VEILPOOL_PROGRAM", default_value_t = LOCAL_PROGRAM, value_name = "ADDRESS")]
    pub(crate) program: Pubkey,
}

/// Where the pool is.
#[derive(Clone, Debug, Args)]
pub(crate) struct PoolArguments {
    #[command(flatten)]
    pub(crate) chain: ChainArguments,
    /// Address of the pool, as `veilpool pool init` prints it.
    #[arg(long, env = "VEILPOOL_POOL", value_name = "ADDRESS")]
    pub(crate) pool: Pubkey,
}

impl ChainArguments {
    pub(crate) fn connect(&self) -> Chain {
        Chain::new(self.rpc.clone(), self.program)
    }
}

/// Makes a pool; gives its address.
pub(crate) async fn initialise_pool(
    chain: &Chain,
    authority: &Keypair,
    mint: &Pubkey,
    rules: InitialisePool,
) -> anyhow::Result<(Pubkey, Receipt)> {
    let pool = address::pool(chain.program(), mint, &authority.pubkey()).0;
    let instruction = builder::initialise_pool(chain.program(), &authority.pubkey(), mint, rules);
    let receipt = chain
        .send(authority, &[], &[instruction], UNITS)
        .await
        .context("the pool was not made")?;
    Ok((pool, receipt))
}

// Asked before money goes in: the program can't check that keys are points, and in a pool with one that isn't
// no claim can be proven.
async fn mint_of_sound_pool(chain: &Chain, pool: &Pubkey) -> anyhow::Result<Pubkey> {
    let pool = chain.pool(pool).await?;
    check_measurers(&pool.measurers)?;
    Ok(address::pubkey(&pool.mint))
}

fn check_measurers(keys: &[MeasurerKeyBytes]) -> anyhow::Result<()> {
    MeasurerSet::from_bytes(keys)
        .context("this pool's measurers are no valid set, so that no claim may ever be proven in it; don't put money into it")?;
    Ok(())
}

/// Deposits from the wallet's associated token account.
pub(crate) async fn deposit(
    chain: &Chain,
    pool: &Pubkey,
    wallet: &Keypair,
    amount: u64,
) -> anyhow::Result<Receipt> {
    let mint = mint_of_sound_pool(chain, pool).await?;
    let tokens = get_associated_token_address(&wallet.pubkey(), &mint);
    let instruction = builder::deposit(chain.program(), pool, &wallet.pubkey(), &tokens, amount);
    chain
        .send(wallet, &[], &[instruction], UNITS)
        .await
        .context("the deposit was not made")
}

/// Bonds an operator from the wallet's associated token account.
pub(crate) async fn register(
    chain: &Chain,
    pool: &Pubkey,
    wallet: &Keypair,
    commitment: CommitmentBytes,
) -> anyhow::Result<Receipt> {
    let mint = mint_of_sound_pool(chain, pool).await?;
    let tokens = get_associated_token_address(&wallet.pubkey(), &mint);
    let instruction =
        builder::register_operator(chain.program(), pool, &wallet.pubkey(), &tokens, commitment);
    chain
        .send(wallet, &[], &[instruction], UNITS)
        .await
        .context("the operator was not registered")
}

/// Sends lamports and tokens, making the receiver's token account if need be.
pub(crate) async fn fund(
    chain: &Chain,
    wallet: &Keypair,
    to: &Pubkey,
    lamports: u64,
    tokens: Option<(Pubkey, u64)>,
) -> anyhow::Result<Receipt> {
    let from = wallet.pubkey();
    let mut instructions = Vec::new();
    if lamports > 0 {
        instructions.push(solana_system_interface::instruction::transfer(
            &from, to, lamports,
        ));
    }
    if let Some((mint, amount)) = tokens {
        let target = get_associated_token_address(to, &mint);
        instructions.push(create_associated_token_account_idempotent(
            &from,
            to,
            &mint,
            &TOKEN_PROGRAM,
        ));
        instructions.push(spl_token_interface::instruction::transfer(
            &TOKEN_PROGRAM,
            &get_associated_token_address(&from, &mint),
            &target,
            &from,
            &[],
            amount,
        )?);
    }
    ensure!(
        !instructions.is_empty(),
        "nothing to send: give --lamports or --tokens"
    );
    chain
        .send(wallet, &[], &instructions, UNITS)
        .await
        .context("nothing was sent")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;
    use veilpool_primitives::MeasurerSecret;

    use super::*;

    #[test]
    fn no_money_goes_into_a_pool_whose_measurers_keys_are_none() {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let mut keys: Vec<_> = (0..3)
            .map(|_| MeasurerSecret::generate(rng).key().to_bytes())
            .collect();
        check_measurers(&keys).unwrap();
        keys[1].shifted_u = keys[2].u;
        let error = format!("{:#}", check_measurers(&keys).unwrap_err());
        assert!(error.contains("don't put money into it"), "{error}");
        assert!(error.contains("2^64"), "{error}");
    }
}
