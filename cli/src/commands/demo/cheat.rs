//! What the cheat tries, with this software's own parts and without its checks, and how each try is refused.

use anyhow::{Context, bail};
use rand::rngs::OsRng;
use serde::Serialize;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction_status_client_types::UiTransactionEncoding;
use spl_associated_token_account_interface::address::get_associated_token_address;
use veilpool_chain::SendError;
use veilpool_interface::{
    Epoch, PoolError, PoolInstruction, address,
    builder::{self, ClaimAccounts},
    instruction::ClaimArguments,
};
use veilpool_node::{
    claim::inputs::payout,
    http::{FetchError, Http},
    measurers::{Measurer, check},
    relayers::Relayer,
};
use veilpool_primitives::{MeasurerSet, RegistryTree, claim as fold};
use veilpool_protocol::{
    Bandwidth, ClassId, ProofBytes, Uptime,
    api::ClaimRequest,
    claim::{Binding, PublicInputs},
};
use veilpool_prover::{AttestationDocument, ClaimInputs, ProveError, Statement};

use super::{
    cast::{Actor, Cast},
    report::Claim,
    stage::{FEE, Stage},
};
use crate::cluster::create_account;

/// The class that the cheat is after: the best.
const WANTED: ClassId = ClassId::new(8);
const UNITS: u32 = 300_000;

/// One try.
#[derive(Debug, Serialize)]
pub(super) struct Attempt {
    /// What was tried.
    pub(super) what: &'static str,
    /// Who refused it.
    pub(super) refused_by: &'static str,
    /// The reason that must be given.
    pub(super) expected: String,
    /// The reason that was given.
    pub(super) found: String,
}

impl Attempt {
    pub(super) fn as_expected(&self) -> bool {
        self.expected == self.found
    }
}

fn pool_error(error: PoolError) -> String {
    format!("{} ({})", error.name(), error.code())
}

/// The cheat's own node, and what it knows.
struct Cheat<'a> {
    stage: &'a Stage,
    cast: &'a Cast,
    epoch: &'a Epoch,
    actor: &'a Actor,
    wallet: Keypair,
}

pub(super) async fn try_everything(
    stage: &Stage,
    cast: &Cast,
    epoch: &Epoch,
    claims: &[Option<Claim>],
) -> anyhow::Result<Vec<Attempt>> {
    eprintln!("· the cheat tries its tricks");
    let cheats = |actor: &&Actor| actor.part.cheats;
    let actor = cast
        .actors
        .iter()
        .find(cheats)
        .context("the cast has a cheat")?;
    let wallet = Keypair::new();
    stage.fund(&wallet.pubkey(), 0).await?;
    let cheat = Cheat {
        stage,
        cast,
        epoch,
        actor,
        wallet,
    };
    let victim = claims
        .iter()
        .flatten()
        .find_map(|claim| claim.signature.as_deref())
        .context("no claim was paid that could be replayed")?;
    let mut attempts = cheat.raise_figures().await?;
    attempts.extend(cheat.replay(victim).await?);
    for attempt in &attempts {
        let verdict = if attempt.as_expected() {
            "refused"
        } else {
            "UNEXPECTED"
        };
        eprintln!(
            "  {verdict} by {}: {} → {}",
            attempt.refused_by, attempt.what, attempt.found
        );
    }
    Ok(attempts)
}

impl Cheat<'_> {
    fn binding(&self, relayer: &Pubkey) -> Binding {
        let pool = address::bytes(&self.stage.pool);
        Binding {
            program: address::bytes(self.stage.chain.program()),
            pool,
            epoch: self.epoch.number,
            class: WANTED,
            payout: payout(&self.actor.secret, &pool, self.epoch.number),
            mint: address::bytes(&crate::cluster::LOCAL_MINT),
            relayer: address::bytes(relayer),
            max_fee: FEE,
        }
    }

    /// Its real attestations, with better figures written over them.
    async fn forged_inputs(&self, binding: &Binding) -> anyhow::Result<ClaimInputs> {
        let (stage, epoch) = (self.stage, self.epoch);
        let pool = stage.chain.pool(&stage.pool).await?;
        let set = MeasurerSet::from_bytes(&pool.measurers)?;
        let subject = self.actor.secret.subject(epoch.number).to_bytes();
        let http = Http::new()?;
        let mut slots: Vec<Option<AttestationDocument>> = vec![None; pool.measurers.len()];
        for measurer in &stage.measurers {
            let client = Measurer::new(http.clone(), format!("http://{}", measurer.api_address()));
            let signed = client.attestation(epoch.number, &subject).await?;
            let slot = check(&signed, &set, &pool.rules.domain, epoch.number, &subject)?;
            let mut document = AttestationDocument::from(&signed.attestation);
            document.metrics.bandwidth = Bandwidth::new(9_000);
            document.metrics.uptime = Uptime::new(144);
            if let Some(place) = slots.get_mut(slot) {
                *place = Some(document);
            }
        }
        let leaves = stage.chain.leaves(&stage.pool, epoch).await?;
        let tree = RegistryTree::from_leaves(leaves)?;
        let path = tree
            .find(self.actor.secret.commitment().to_bytes())
            .and_then(|index| tree.path(index))
            .context("the cheat is bonded")?;
        let claimed = PublicInputs {
            registry_root: epoch.registry_root,
            set_hash: epoch.set_hash,
            epoch: epoch.number,
            thresholds: epoch
                .class(WANTED)
                .context("the table has the class")?
                .thresholds,
            nullifier: self.actor.secret.nullifier(epoch.number).to_bytes(),
            binding: fold::binding(binding),
        };
        let secret = super::cast::copy(&self.actor.secret)?;
        Ok(ClaimInputs::new(
            claimed,
            pool.rules.domain,
            path,
            set,
            &slots,
            secret,
        )?)
    }

    /// Better figures: the prover names the statement; a proof made without its checks is refused by the relayer
    /// and by the chain.
    async fn raise_figures(&self) -> anyhow::Result<Vec<Attempt>> {
        let prover = &self.stage.prover;
        let expected = Statement::AttestationValidity { slot: 0 }.to_string();
        let binding = self.binding(&self.cast.relayer_key);
        let inputs = self.forged_inputs(&binding).await?;
        let found = match prover.prove(&inputs, &mut OsRng) {
            Ok(_) => "accepted".to_owned(),
            Err(ProveError::Statement(statement)) => statement.to_string(),
            Err(other) => other.to_string(),
        };
        let mut attempts = vec![Attempt {
            what: "writes better figures over its attestations",
            refused_by: "prover",
            expected,
            found,
        }];

        let forged = prover
            .prove_without_checks(&inputs, &mut OsRng)?
            .proof
            .to_bytes();
        attempts.push(Attempt {
            what: "makes a proof of them without the checks, and asks the relayer",
            refused_by: "relayer",
            expected: PoolError::InvalidProof.name().to_owned(),
            found: self.ask_relayer(&binding, forged).await?,
        });

        let binding = self.binding(&self.wallet.pubkey());
        let inputs = self.forged_inputs(&binding).await?;
        let forged = prover
            .prove_without_checks(&inputs, &mut OsRng)?
            .proof
            .to_bytes();
        let arguments = self.arguments(&binding, forged);
        attempts.push(Attempt {
            what: "sends such a proof to the chain itself",
            refused_by: "program",
            expected: pool_error(PoolError::InvalidProof),
            found: self.send(arguments).await?,
        });
        Ok(attempts)
    }

    /// Another's proof, read off the chain.
    async fn replay(&self, victim: &str) -> anyhow::Result<Vec<Attempt>> {
        let paid = self.read_claim(victim).await?;
        let mine = self.binding(&self.wallet.pubkey());
        let stolen = ClaimArguments {
            nullifier: self.actor.secret.nullifier(self.epoch.number).to_bytes(),
            payout: mine.payout,
            ..paid.clone()
        };
        let again = ClaimArguments {
            payout: mine.payout,
            ..paid
        };
        Ok(vec![
            Attempt {
                what: "takes another's proof from the chain, with its own nullifier and address",
                refused_by: "program",
                expected: pool_error(PoolError::InvalidProof),
                found: self.send(stolen).await?,
            },
            Attempt {
                what: "sends another's claim once more, to its own address",
                refused_by: "program",
                expected: pool_error(PoolError::AlreadyClaimed),
                found: self.send(again).await?,
            },
        ])
    }

    fn arguments(&self, binding: &Binding, proof: ProofBytes) -> ClaimArguments {
        ClaimArguments {
            epoch: binding.epoch,
            class: binding.class,
            nullifier: self.actor.secret.nullifier(binding.epoch).to_bytes(),
            payout: binding.payout,
            max_fee: binding.max_fee,
            fee: 0,
            proof,
        }
    }

    async fn ask_relayer(&self, binding: &Binding, proof: ProofBytes) -> anyhow::Result<String> {
        let url = format!("http://{}", self.cast.relayer.address());
        let request = ClaimRequest {
            pool: binding.pool,
            epoch: binding.epoch,
            class: binding.class,
            nullifier: self.actor.secret.nullifier(binding.epoch).to_bytes(),
            payout: binding.payout,
            max_fee: binding.max_fee,
            proof,
        };
        match Relayer::new(Http::new()?, url).submit(&request).await {
            Ok(_) => Ok("accepted".into()),
            Err(FetchError::Refused { error, .. }) => Ok(error.code),
            Err(other) => bail!(other),
        }
    }

    /// Sends a claim with the cheat's wallet as relayer; gives the refusal.
    async fn send(&self, arguments: ClaimArguments) -> anyhow::Result<String> {
        let (chain, pool) = (&self.stage.chain, &self.stage.pool);
        let mint = crate::cluster::LOCAL_MINT;
        let (me, payee) = (self.wallet.pubkey(), address::pubkey(&arguments.payout));
        let token = |owner: &Pubkey| get_associated_token_address(owner, &mint);
        let accounts = ClaimAccounts {
            relayer: me,
            payee_tokens: token(&payee),
            relayer_tokens: token(&me),
            verifying_key: self.epoch.verifying_key,
        };
        let instructions = [
            create_account(&me, &payee, &mint),
            builder::claim(chain.program(), pool, &accounts, arguments),
        ];
        match chain.send(&self.wallet, &[], &instructions, UNITS).await {
            Ok(_) => Ok("accepted".into()),
            Err(SendError::Refused { reason, .. }) => Ok(pool_error(reason)),
            Err(other) => bail!(other),
        }
    }

    /// A claim as the chain has it, for everybody to read.
    async fn read_claim(&self, signature: &str) -> anyhow::Result<ClaimArguments> {
        let signature: Signature = signature.parse()?;
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            max_supported_transaction_version: Some(0),
            ..RpcTransactionConfig::default()
        };
        let rpc = self.stage.chain.rpc();
        let transaction = rpc.get_transaction_with_config(&signature, config).await?;
        let decoded = transaction.transaction.transaction.decode();
        let decoded = decoded.context("the chain's own transaction is one")?;
        decoded
            .message
            .instructions()
            .iter()
            .find_map(
                |instruction| match PoolInstruction::decode(&instruction.data) {
                    Ok(PoolInstruction::Claim(arguments)) => Some(arguments),
                    _ => None,
                },
            )
            .context("the transaction holds a claim")
    }
}
