//! P3 and P4: every account of every instruction wrong, one at a time, in every way that its kind can be wrong; and
//! instructions with accounts too few, too many, unsigned, read-only and twice. All of it is made from the
//! interface's account table: an account that is added there is tested without a further line.

mod rows;

use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_interface::{
    PoolError,
    accounts::{self, AccountSpec, Kind, RecordKind},
    address::TOKEN_PROGRAM,
    builder::SYSTEM_PROGRAM,
};
use veilpool_program_harness::{Chain, Refusal, chain::PROGRAM, honest::Honest};
use veilpool_protocol::MeasurerCount;

/// The program whose mints are refused.
pub(crate) const TOKEN_2022: Pubkey =
    Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// What is wrong with one account.
enum Wrong {
    /// Another account stands in its place.
    Other(Pubkey),
    /// Somebody else signs in its place.
    Signer(Keypair),
    /// The right address, and another account there.
    Account(Account),
}

/// What is expected of a wrong account.
type Row = (&'static str, Wrong, Result<(), PoolError>);

/// An honest instruction, and the same instruction of another pool on the same chain.
struct Case {
    honest: Honest,
    twin: Instruction,
    specs: &'static [AccountSpec],
}

fn cases() -> Vec<Case> {
    accounts::ALL
        .into_iter()
        .map(|(name, specs)| {
            // The other pool has five measurers, so that it has another key.
            let twin = Honest::of(name, Chain::default(), MeasurerCount::Five);
            let honest = Honest::of(name, twin.pool.chain.clone(), MeasurerCount::Three);
            assert_eq!(honest.instruction.accounts.len(), specs.len(), "{name}");
            Case {
                twin: twin.instruction,
                honest,
                specs,
            }
        })
        .collect()
}

impl Case {
    /// Sends the instruction with one account wrong; whatever is refused has changed nothing. What was otherwise.
    fn check(&mut self, index: usize, (label, wrong, expected): Row) -> Option<String> {
        let spec = self.specs[index];
        let mut instruction = self.honest.instruction.clone();
        let address = instruction.accounts[index].pubkey;
        let original = self.honest.pool.chain.svm.get_account(&address);
        let mut others = Vec::new();
        match wrong {
            Wrong::Other(other) => instruction.accounts[index].pubkey = other,
            Wrong::Signer(key) => {
                instruction.accounts[index].pubkey = key.pubkey();
                others.push(key);
            }
            Wrong::Account(account) => self.honest.pool.chain.set(&address, account),
        }
        let mut honest = self.honest.clone();
        let before = honest.pool.chain.everything();
        let answer = honest.send(&instruction, &others).map(|_| ());
        let is_unchanged = honest.pool.chain.everything() == before;
        self.honest
            .pool
            .chain
            .set(&address, original.unwrap_or_default());
        let expected = expected.map_err(Refusal::Pool);
        let is_right = answer == expected && (answer.is_ok() || is_unchanged);
        (!is_right).then(|| {
            format!(
                "{}, account {index} ({}): {label}: {answer:?} in place of {expected:?}{}",
                self.honest.name,
                spec.name,
                if is_unchanged { "" } else { ", changed" },
            )
        })
    }

    fn refuses(&mut self, instruction: &Instruction, expected: PoolError, what: &str) {
        let before = self.honest.pool.chain.everything();
        let answer = self.honest.send(instruction, &[]);
        assert_eq!(
            answer.map(|_| ()),
            Err(Refusal::Pool(expected)),
            "{}, {what}",
            self.honest.name
        );
        assert!(
            self.honest.pool.chain.everything() == before,
            "{}, {what}: something has changed",
            self.honest.name
        );
    }
}

#[test]
fn p3_each_wrong_account_of_each_instruction_has_its_code() {
    let mut rows = 0;
    let mut otherwise = Vec::new();
    for mut case in cases() {
        for index in 0..case.specs.len() {
            for row in case.rows(index) {
                otherwise.extend(case.check(index, row));
                rows += 1;
            }
        }
        // After all of that the honest instruction is still carried out.
        assert_eq!(
            case.honest.run().map(|_| ()),
            Ok(()),
            "{}",
            case.honest.name
        );
    }
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
    assert!(rows > 600, "only {rows} wrong accounts were tried");
}

#[test]
fn p4_each_instruction_refuses_missing_signatures_read_only_accounts_and_duplicates() {
    for mut case in cases() {
        let honest = case.honest.instruction.clone();
        for (index, spec) in case.specs.iter().enumerate() {
            if spec.flag.is_signer() {
                let mut instruction = honest.clone();
                instruction.accounts[index].is_signer = false;
                let what = format!("{} does not sign", spec.name);
                case.refuses(&instruction, PoolError::MissingSignature, &what);
            }
            if spec.flag.is_writable() {
                let mut instruction = honest.clone();
                instruction.accounts[index].is_writable = false;
                let what = format!("{} is read-only", spec.name);
                case.refuses(&instruction, PoolError::NotWritable, &what);
            }
            // A program can't be made writable, and what must sign can't be replaced by what can't sign.
            let address = honest.accounts[index].pubkey;
            if spec.flag.is_signer() || is_fixed(&address) {
                continue;
            }
            for (other, source) in honest.accounts.iter().enumerate() {
                if other == index || is_fixed(&source.pubkey) {
                    continue;
                }
                let mut instruction = honest.clone();
                instruction.accounts[index].pubkey = source.pubkey;
                let what = format!("{} also as {}", case.specs[other].name, spec.name);
                case.refuses(&instruction, PoolError::DuplicateAccount, &what);
            }
        }
    }
}

#[test]
fn p4_each_instruction_refuses_accounts_too_few_and_too_many() {
    for mut case in cases() {
        let honest = case.honest.instruction.clone();
        for len in 0..honest.accounts.len() {
            let mut instruction = honest.clone();
            instruction.accounts.truncate(len);
            let what = format!("{len} accounts");
            case.refuses(&instruction, PoolError::NotEnoughAccounts, &what);
        }
        let mut instruction = honest.clone();
        let further = case.honest.pool.chain.new_person().pubkey();
        instruction
            .accounts
            .push(AccountMeta::new_readonly(further, false));
        case.refuses(&instruction, PoolError::TooManyAccounts, "one more");
    }
}

#[test]
fn p2_what_is_closed_can_not_be_revived_in_the_same_transaction() {
    for name in [
        "CloseClaim",
        "CloseEpoch",
        "Withdraw",
        "ReleaseBond",
        "FinishChannel",
        "CancelProposal",
        "ExecuteProposal",
    ] {
        let mut honest = Honest::of(name, Chain::default(), MeasurerCount::Three);
        let (_, specs) = accounts::ALL
            .into_iter()
            .find(|(one, _)| *one == name)
            .unwrap();
        let index = specs
            .iter()
            .position(|spec| matches!(spec.kind, Kind::Record(kind) if kind != RecordKind::Key))
            .unwrap();
        let closed = honest.instruction.accounts[index].pubkey;
        let donor = honest.pool.chain.new_person();
        let revive =
            solana_system_interface::instruction::transfer(&donor.pubkey(), &closed, 10_000_000);
        let instruction = honest.instruction.clone();
        let mut signers: Vec<&Keypair> = honest.signers.iter().collect();
        signers.push(&donor);
        let all = [instruction.clone(), revive, instruction];
        // The second time there is nothing: an account of the system program.
        let answer = honest.pool.chain.send(&all, &signers);
        assert_eq!(
            answer.map(|_| ()),
            Err(Refusal::Pool(PoolError::WrongOwner)),
            "{name}"
        );
        honest.pool.chain.send(&all[..2], &signers).unwrap();
        let left = honest.pool.chain.account(&closed);
        assert_eq!(left.owner, SYSTEM_PROGRAM, "{name}");
        assert!(left.data.is_empty(), "{name}");
    }
}

/// Accounts that are programs or sysvars.
fn is_fixed(address: &Pubkey) -> bool {
    [
        TOKEN_PROGRAM,
        SYSTEM_PROGRAM,
        PROGRAM,
        veilpool_interface::voucher::INSTRUCTIONS_SYSVAR,
    ]
    .contains(address)
}
