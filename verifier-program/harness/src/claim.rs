//! Claims: made ready, proven and sent.

use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_interface::{
    address,
    builder::{self, ClaimAccounts},
    instruction::ClaimArguments,
};
use veilpool_protocol::{AddressBytes, ClassId, EpochId, ProofBytes};

use crate::{
    chain::{PROGRAM, Receipt, Refusal},
    people::Person,
    pool::{PoolOnChain, verifying_key_digest},
    proof::Facts,
};

/// A claim that is ready to be sent.
pub struct PreparedClaim {
    /// Who sends it.
    pub relayer: Keypair,
    /// Where the payee is paid.
    pub payee_tokens: Pubkey,
    /// Where the relayer is paid.
    pub relayer_tokens: Pubkey,
    /// What is claimed, with the proof.
    pub arguments: ClaimArguments,
}

impl Clone for PreparedClaim {
    fn clone(&self) -> Self {
        Self {
            relayer: self.relayer.insecure_clone(),
            payee_tokens: self.payee_tokens,
            relayer_tokens: self.relayer_tokens,
            arguments: self.arguments.clone(),
        }
    }
}

impl PoolOnChain {
    /// A claim with everything but the proof, whose bytes are zero.
    #[must_use]
    pub fn unproven(
        &mut self,
        person: Person,
        epoch: EpochId,
        class: u8,
        fee: u64,
    ) -> PreparedClaim {
        let payout = self.chain.new_key().pubkey();
        let payee_tokens = self.chain.new_tokens(&self.mint, &payout, 0);
        let relayer = self.chain.new_person();
        let relayer_tokens = self.chain.new_tokens(&self.mint, &relayer.pubkey(), 0);
        PreparedClaim {
            relayer,
            payee_tokens,
            relayer_tokens,
            arguments: ClaimArguments {
                epoch,
                class: ClassId::new(class),
                nullifier: person.nullifier(epoch),
                payout: AddressBytes::new(payout.to_bytes()),
                max_fee: fee,
                fee,
                proof: ProofBytes::new([0; ProofBytes::LEN]),
            },
        }
    }

    /// A claim with its proof.
    #[must_use]
    pub fn prepare(
        &mut self,
        person: Person,
        epoch: EpochId,
        class: u8,
        fee: u64,
    ) -> PreparedClaim {
        let mut claim = self.unproven(person, epoch, class, fee);
        claim.arguments.proof = self.prove(person, &claim, 0);
        claim
    }

    /// The proof of a claim.
    ///
    /// # Panics
    /// When the claim isn't true.
    #[must_use]
    pub fn prove(&self, person: Person, claim: &PreparedClaim, salt: u64) -> ProofBytes {
        let arguments = &claim.arguments;
        let binding = builder::claim_binding(
            &PROGRAM,
            &self.pool,
            &self.mint,
            &claim.relayer.pubkey(),
            arguments,
        );
        let claimed = self
            .epoch(arguments.epoch)
            .public_inputs(arguments.nullifier, &binding)
            .unwrap();
        Facts {
            person,
            measurers: self.measurers,
            claimed,
            domain: self.record().rules.domain,
            leaves: &self.leaves(arguments.epoch),
        }
        .prove(salt)
    }

    /// The instruction of a claim.
    #[must_use]
    pub fn claim_instruction(&self, claim: &PreparedClaim) -> Instruction {
        builder::claim(
            &PROGRAM,
            &self.pool,
            &ClaimAccounts {
                relayer: claim.relayer.pubkey(),
                payee_tokens: claim.payee_tokens,
                relayer_tokens: claim.relayer_tokens,
                verifying_key: verifying_key_digest(self.measurers),
            },
            claim.arguments.clone(),
        )
    }

    /// The relayer sends a claim.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn send_claim(&mut self, claim: &PreparedClaim) -> Result<Receipt, Refusal> {
        let instruction = self.claim_instruction(claim);
        self.chain.send(&[instruction], &[&claim.relayer])
    }

    /// Address of a claim's account.
    #[must_use]
    pub fn claim_address(&self, claim: &PreparedClaim) -> Pubkey {
        let ClaimArguments {
            epoch, nullifier, ..
        } = &claim.arguments;
        address::claim(&PROGRAM, &self.pool, *epoch, nullifier).0
    }
}
