//! P3 and P4 for any instruction: a table of wrong accounts, and every way of passing the right ones wrongly.

use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_interface::{PoolError, address::TOKEN_PROGRAM, builder::SYSTEM_PROGRAM};
use veilpool_program_harness::{Chain, Refusal, chain::PROGRAM};

/// An instruction that the program carries out, on the chain where it does.
pub(crate) struct Honest {
    pub(crate) chain: Chain,
    pub(crate) instruction: Instruction,
    pub(crate) signers: Vec<Keypair>,
}

/// What is wrong with one account.
pub(crate) enum Wrong {
    /// Another account stands in its place.
    Other(Pubkey),
    /// The same bytes, at another address.
    Elsewhere,
    /// The right address, held by another program.
    Owner(Pubkey),
    /// The right address, other bytes.
    Data(Vec<u8>),
    /// The right address, and nothing there.
    Absent,
}

/// One row of a table.
pub(crate) struct Row {
    /// Which account.
    pub(crate) index: usize,
    /// What the row shows.
    pub(crate) label: &'static str,
    pub(crate) wrong: Wrong,
    pub(crate) expected: PoolError,
}

/// A row, in one line.
pub(crate) const fn row(
    index: usize,
    label: &'static str,
    wrong: Wrong,
    expected: PoolError,
) -> Row {
    Row {
        index,
        label,
        wrong,
        expected,
    }
}

impl Honest {
    fn send(&self, chain: &mut Chain, instruction: &Instruction) -> Result<(), Refusal> {
        let signers: Vec<&Keypair> = self
            .signers
            .iter()
            .filter(|key| {
                instruction
                    .accounts
                    .iter()
                    .any(|meta| meta.is_signer && meta.pubkey == key.pubkey())
            })
            .collect();
        chain
            .send(std::slice::from_ref(instruction), &signers)
            .map(|_| ())
    }

    /// Each row is refused with its code and nothing changed; the instruction itself is carried out.
    pub(crate) fn refuses(&self, rows: Vec<Row>) {
        for row in rows {
            let mut chain = self.chain.clone();
            let mut instruction = self.instruction.clone();
            let address = instruction.accounts[row.index].pubkey;
            match row.wrong {
                Wrong::Other(other) => instruction.accounts[row.index].pubkey = other,
                Wrong::Elsewhere => {
                    let other = chain.new_key().pubkey();
                    let account = chain.account(&address);
                    chain.set(&other, account);
                    instruction.accounts[row.index].pubkey = other;
                }
                Wrong::Owner(owner) => {
                    let mut account = chain.svm.get_account(&address).unwrap_or(Account {
                        lamports: 1_000_000,
                        ..Account::default()
                    });
                    account.owner = owner;
                    chain.set(&address, account);
                }
                Wrong::Data(data) => {
                    let mut account = chain.account(&address);
                    account.data = data;
                    chain.set(&address, account);
                }
                Wrong::Absent => chain.set(&address, Account::default()),
            }
            assert_eq!(
                self.send(&mut chain, &instruction),
                Err(Refusal::Pool(row.expected)),
                "account {}: {}",
                row.index,
                row.label
            );
        }
        assert_eq!(
            self.send(&mut self.chain.clone(), &self.instruction),
            Ok(())
        );
    }

    /// Every account too few, and one too many.
    pub(crate) fn refuses_other_numbers_of_accounts(&self) {
        for len in 0..self.instruction.accounts.len() {
            let mut instruction = self.instruction.clone();
            instruction.accounts.truncate(len);
            assert_eq!(
                self.send(&mut self.chain.clone(), &instruction),
                Err(PoolError::NotEnoughAccounts.into()),
                "{len} accounts"
            );
        }
        let mut chain = self.chain.clone();
        let mut instruction = self.instruction.clone();
        let further = chain.new_person().pubkey();
        instruction
            .accounts
            .push(AccountMeta::new_readonly(further, false));
        assert_eq!(
            self.send(&mut chain, &instruction),
            Err(PoolError::TooManyAccounts.into())
        );
    }

    /// Each signer that does not sign, each writable account that is passed read-only, and each account in the
    /// place of each other one.
    pub(crate) fn refuses_other_flags_and_duplicates(&self) {
        let metas = &self.instruction.accounts;
        for (index, meta) in metas.iter().enumerate() {
            if meta.is_signer {
                let mut instruction = self.instruction.clone();
                instruction.accounts[index].is_signer = false;
                assert_eq!(
                    self.send(&mut self.chain.clone(), &instruction),
                    Err(PoolError::MissingSignature.into()),
                    "account {index} does not sign"
                );
            }
            if meta.is_writable {
                let mut instruction = self.instruction.clone();
                instruction.accounts[index].is_writable = false;
                assert_eq!(
                    self.send(&mut self.chain.clone(), &instruction),
                    Err(PoolError::NotWritable.into()),
                    "account {index} is read-only"
                );
            }
            // A program can't be made writable, and what must sign can't be replaced by what can't sign.
            if meta.is_signer || is_program(&meta.pubkey) {
                continue;
            }
            for (other, source) in metas.iter().enumerate() {
                if other == index || is_program(&source.pubkey) {
                    continue;
                }
                let mut instruction = self.instruction.clone();
                instruction.accounts[index].pubkey = source.pubkey;
                assert_eq!(
                    self.send(&mut self.chain.clone(), &instruction),
                    Err(PoolError::DuplicateAccount.into()),
                    "account {other} also in place {index}"
                );
            }
        }
        assert_eq!(
            self.send(&mut self.chain.clone(), &self.instruction),
            Ok(())
        );
    }
}

fn is_program(address: &Pubkey) -> bool {
    [TOKEN_PROGRAM, SYSTEM_PROGRAM, PROGRAM].contains(address)
}
