//! Where the chain, the program and the pool are; and what this build brings for a local chain.

use anyhow::{Context, ensure};
use clap::Args;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_associated_token_account_interface::{
    address::get_associated_token_address, instruction::create_associated_token_account_idempotent,
};
use veilpool_chain::{Chain, Receipt};
use veilpool_interface::{
    PoolError, Rules,
    address::{self, TOKEN_PROGRAM},
    builder,
    instruction::InitialisePool,
};
use veilpool_params::ON_CHAIN_VERIFYING_KEYS;
use veilpool_primitives::MeasurerSet;
use veilpool_protocol::{CommitmentBytes, MeasurerCount, MeasurerKeyBytes, verifying_key};

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

/// Compute budget, above what each instruction uses.
const UNITS: u32 = 400_000;

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

/// Sends instructions that one wallet signs and pays for; `what` says what was not done when they are refused.
pub(crate) async fn send(
    chain: &Chain,
    wallet: &Keypair,
    instructions: &[Instruction],
    what: &'static str,
) -> anyhow::Result<Receipt> {
    let sent = chain.send(wallet, &[], instructions, UNITS).await;
    sent.context(what)
}

/// Publishes the verifying key of this build for so many measurers, unless it is on the chain; gives its SHA-256.
pub(crate) async fn publish_key(
    chain: &Chain,
    wallet: &Keypair,
    measurers: usize,
) -> anyhow::Result<[u8; 32]> {
    let count = MeasurerCount::try_from(measurers)?;
    let keys = MeasurerCount::ALL.into_iter().zip(ON_CHAIN_VERIFYING_KEYS);
    let file = keys
        .into_iter()
        .find_map(|(n, key)| (n == count).then_some(key))
        .and_then(|key| key.first_chunk::<{ verifying_key::LEN }>())
        .context("this build has no verifying key for so many measurers")?;
    let digest = builder::key_digest(file);
    if chain.key(&digest).await?.is_some() {
        return Ok(digest);
    }
    let instruction = builder::publish_key(chain.program(), &wallet.pubkey(), file);
    match chain.send(wallet, &[], &[instruction], UNITS).await {
        Ok(_) => Ok(digest),
        // Somebody else was there in the meantime: one key has one account.
        Err(error) if error.reason() == Some(PoolError::AlreadyExists) => Ok(digest),
        Err(error) => Err(error).context("the verifying key was not published"),
    }
}

/// Makes a pool, and publishes its verifying key first; gives its address.
pub(crate) async fn initialise_pool(
    chain: &Chain,
    founder: &Keypair,
    mint: &Pubkey,
    rules: InitialisePool,
) -> anyhow::Result<(Pubkey, Receipt)> {
    ensure!(
        rules.parameters.are_valid(rules.timelock_seconds)
            && (rules.parameters.min_price..=rules.parameters.max_price).contains(&rules.price),
        "{}",
        PoolError::InvalidParameters
    );
    let key = publish_key(chain, founder, rules.measurers.len()).await?;
    let pool = address::pool(chain.program(), mint, &founder.pubkey()).0;
    let instruction =
        builder::initialise_pool(chain.program(), &founder.pubkey(), mint, &key, rules);
    let receipt = send(chain, founder, &[instruction], "the pool was not made").await?;
    Ok((pool, receipt))
}

// Asked before money goes in: the program can't check that keys are points, and in a pool with one that isn't
// no claim can be proven.
async fn sound_pool(chain: &Chain, pool: &Pubkey) -> anyhow::Result<Rules> {
    let pool = chain.pool(pool).await?;
    check_measurers(&pool.measurers)?;
    Ok(pool.rules)
}

fn check_measurers(keys: &[MeasurerKeyBytes]) -> anyhow::Result<()> {
    MeasurerSet::from_bytes(keys)
        .context("this pool's measurers are no valid set, so that no claim may ever be proven in it; don't put money into it")?;
    Ok(())
}

/// Deposits from the wallet's associated token account, for at least so many shares, which go to its associated
/// account of shares.
pub(crate) async fn deposit(
    chain: &Chain,
    pool: &Pubkey,
    wallet: &Keypair,
    amount: u64,
    min_shares: u64,
) -> anyhow::Result<Receipt> {
    let rules = sound_pool(chain, pool).await?;
    let [mint, share_mint] = [&rules.mint, &rules.share_mint].map(address::pubkey);
    let depositor = wallet.pubkey();
    let instructions = [
        create_account(&depositor, &depositor, &share_mint),
        builder::deposit(
            chain.program(),
            pool,
            &depositor,
            &get_associated_token_address(&depositor, &mint),
            &get_associated_token_address(&depositor, &share_mint),
            amount,
            min_shares,
        ),
    ];
    send(chain, wallet, &instructions, "the deposit was not made").await
}

/// Makes a holder's associated token account unless it is there.
pub(crate) fn create_account(payer: &Pubkey, holder: &Pubkey, mint: &Pubkey) -> Instruction {
    create_associated_token_account_idempotent(payer, holder, mint, &TOKEN_PROGRAM)
}

/// Bonds an operator from the wallet's associated token account.
pub(crate) async fn register(
    chain: &Chain,
    pool: &Pubkey,
    wallet: &Keypair,
    commitment: CommitmentBytes,
) -> anyhow::Result<Receipt> {
    let mint = address::pubkey(&sound_pool(chain, pool).await?.mint);
    let tokens = get_associated_token_address(&wallet.pubkey(), &mint);
    let instruction =
        builder::register_operator(chain.program(), pool, &wallet.pubkey(), &tokens, commitment);
    send(
        chain,
        wallet,
        &[instruction],
        "the operator was not registered",
    )
    .await
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
        instructions.push(create_account(&from, to, &mint));
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
    send(chain, wallet, &instructions, "nothing was sent").await
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
