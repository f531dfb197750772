//! P3 and P4: every account of every instruction wrong, one at a time, in every way that its kind can be wrong; and
//! instructions with accounts too few, too many, unsigned, read-only and twice. All of it is made from the
//! interface's account table: an account that is added there is tested without a further line.

use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::state::{Account as TokenAccount, AccountState};
use veilpool_interface::{
    PoolError,
    accounts::{self, AccountSpec, HeldKind, Kind, RecordKind},
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

/// Where the address of what is created comes from the signer.
const fn is_derived_from_the_signer(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::New(RecordKind::Pool | RecordKind::Withdrawal | RecordKind::Channel)
    )
}

/// The first thing that doesn't fit when another pool is passed: an address derived from the pool, the mint of a
/// token account, or who has a say.
fn other_pool(name: &str) -> PoolError {
    match name {
        "Deposit" => PoolError::WrongMint,
        // The authority of tests is that of both pools, so the other one does as well.
        _ => PoolError::WrongAddress,
    }
}

fn replaced(account: &Account, change: impl FnOnce(&mut Account)) -> Wrong {
    let mut account = account.clone();
    change(&mut account);
    Wrong::Account(account)
}

fn with_state(account: &Account, change: impl FnOnce(&mut TokenAccount)) -> Wrong {
    replaced(account, |account| {
        let mut tokens = TokenAccount::unpack(&account.data).unwrap();
        change(&mut tokens);
        tokens.pack_into_slice(&mut account.data);
    })
}

impl Case {
    fn rows(&mut self, index: usize) -> Vec<Row> {
        let spec = self.specs[index];
        let address = self.honest.instruction.accounts[index].pubkey;
        let twin = self.twin.accounts[index].pubkey;
        let pool = &mut self.honest.pool;
        let stranger = pool.chain.new_person();
        let (mint, share_mint) = (pool.mint, pool.share_mint());
        let chain = &mut pool.chain;
        let account = chain.svm.get_account(&address).unwrap_or_default();
        let anyone = Wrong::Other(stranger.pubkey());
        let elsewhere = |chain: &mut Chain| {
            let copy = chain.new_key().pubkey();
            chain.set(&copy, account.clone());
            Wrong::Other(copy)
        };
        let absent = || Wrong::Account(Account::default());
        let owned_by = |owner: Pubkey| {
            let lamports = account.lamports.max(1_000_000);
            replaced(&account, |account| {
                account.owner = owner;
                account.lamports = lamports;
            })
        };
        let record = |chain: &mut Chain, other: Row| -> Vec<Row> {
            let with_data = |change: &dyn Fn(&mut Vec<u8>)| {
                replaced(&account, |account| change(&mut account.data))
            };
            let wrong_type = Err(PoolError::WrongAccountType);
            vec![
                other,
                ("a copy", elsewhere(chain), Err(PoolError::WrongAddress)),
                ("none, or closed", absent(), Err(PoolError::WrongOwner)),
                (
                    "another program's",
                    owned_by(TOKEN_PROGRAM),
                    Err(PoolError::WrongOwner),
                ),
                (
                    "zeroed",
                    with_data(&|data| data.fill(0)),
                    wrong_type,
                ),
                (
                    "another type",
                    with_data(&|data| data[0] ^= 0x0f),
                    wrong_type,
                ),
                (
                    "another version",
                    with_data(&|data| data[1] += 1),
                    wrong_type,
                ),
                (
                    "truncated",
                    with_data(&|data| data.truncate(100.min(data.len() - 1))),
                    wrong_type,
                ),
                ("empty", with_data(&|data| data.clear()), wrong_type),
                (
                    "another bump",
                    with_data(&|data| data[2] ^= 1),
                    Err(PoolError::WrongAddress),
                ),
            ]
        };
        let new = |exists: PoolError, owner: Pubkey| -> Vec<Row> {
            let other_owner = if owner == PROGRAM {
                TOKEN_PROGRAM
            } else {
                PROGRAM
            };
            vec![
                (
                    "another pool's",
                    Wrong::Other(twin),
                    Err(PoolError::WrongAddress),
                ),
                ("exists", owned_by(owner), Err(exists)),
                (
                    "another program's",
                    owned_by(other_owner),
                    Err(PoolError::WrongOwner),
                ),
            ]
        };
        let tokens = |chain: &mut Chain, mint: &Pubkey| -> Vec<Row> {
            let strangers = chain.new_tokens(mint, &stranger.pubkey(), 5_000_000);
            vec![
                (
                    "another mint's",
                    with_state(&account, |tokens| tokens.mint = stranger.pubkey()),
                    Err(PoolError::WrongMint),
                ),
                (
                    "somebody else's",
                    Wrong::Other(strangers),
                    Err(PoolError::WrongTokenAccount),
                ),
                (
                    "frozen",
                    with_state(&account, |tokens| tokens.state = AccountState::Frozen),
                    Err(PoolError::WrongTokenAccount),
                ),
                (
                    "uninitialised",
                    with_state(&account, |tokens| tokens.state = AccountState::Uninitialized),
                    Err(PoolError::WrongTokenAccount),
                ),
                (
                    "a mint",
                    Wrong::Other(chain.new_mint()),
                    Err(PoolError::WrongTokenAccount),
                ),
                (
                    "Token-2022's",
                    owned_by(TOKEN_2022),
                    Err(PoolError::WrongOwner),
                ),
                ("none", absent(), Err(PoolError::WrongOwner)),
            ]
        };
        let name = self.honest.name;
        let mut rows: Vec<Row> = match spec.kind {
            Kind::Signer => {
                let expected = if self
                    .specs
                    .iter()
                    .any(|spec| is_derived_from_the_signer(spec.kind))
                {
                    Err(PoolError::WrongAddress)
                } else if self.specs.iter().any(|other| {
                    other.kind == Kind::Tokens(spec.name) || other.kind == Kind::Shares(spec.name)
                }) {
                    Err(PoolError::WrongTokenAccount)
                } else {
                    // Anybody may.
                    Ok(())
                };
                return vec![("somebody else", Wrong::Signer(stranger), expected)];
            }
            Kind::Recorded if spec.flag.is_signer() => {
                let wrong = Wrong::Signer(stranger);
                return vec![("somebody else", wrong, Err(PoolError::WrongAuthority))];
            }
            Kind::Recorded => vec![("somebody else", anyone, Err(PoolError::WrongAddress))],
            Kind::Pool => {
                let is_by_authority = self.specs.len() == 2;
                let expected = if name == "AcceptAuthority" {
                    Err(PoolError::WrongAuthority)
                } else if is_by_authority && name != "ResumeClaims" {
                    Ok(())
                } else if name == "ResumeClaims" {
                    // The other one is paused as well.
                    Ok(())
                } else {
                    Err(other_pool(name))
                };
                record(chain, ("another pool", Wrong::Other(twin), expected))
            }
            Kind::Record(kind) => {
                let code = match (kind, name) {
                    (RecordKind::Key, "InitialisePool") => PoolError::InvalidVerifyingKey,
                    _ => PoolError::WrongAddress,
                };
                record(chain, ("another pool's", Wrong::Other(twin), Err(code)))
            }
            Kind::New(RecordKind::Claim) => new(PoolError::AlreadyClaimed, PROGRAM),
            Kind::New(_) => new(PoolError::AlreadyExists, PROGRAM),
            Kind::NewHeld(_) => new(PoolError::AlreadyExists, TOKEN_PROGRAM),
            Kind::Held(kind) => {
                let of = if kind == HeldKind::ShareMint {
                    Wrong::Other(chain.new_mint())
                } else {
                    Wrong::Other(chain.new_tokens(&mint, &stranger.pubkey(), 9))
                };
                vec![
                    (
                        "another pool's",
                        Wrong::Other(twin),
                        Err(PoolError::WrongAddress),
                    ),
                    ("somebody's", of, Err(PoolError::WrongAddress)),
                    ("a copy", elsewhere(chain), Err(PoolError::WrongAddress)),
                ]
            }
            Kind::Mint => vec![
                (
                    "another mint",
                    Wrong::Other(twin),
                    Err(PoolError::WrongAddress),
                ),
                (
                    "Token-2022's",
                    owned_by(TOKEN_2022),
                    Err(PoolError::Token2022Unsupported),
                ),
                (
                    "another program's",
                    owned_by(PROGRAM),
                    Err(PoolError::WrongOwner),
                ),
                ("none", absent(), Err(PoolError::WrongOwner)),
                (
                    "uninitialised",
                    replaced(&account, |account| account.data.fill(0)),
                    Err(PoolError::WrongMint),
                ),
                (
                    "longer",
                    replaced(&account, |account| account.data.resize(165, 1)),
                    Err(PoolError::WrongMint),
                ),
            ],
            Kind::Tokens(_) => tokens(chain, &mint),
            Kind::Shares(_) => tokens(chain, &share_mint),
            Kind::TokenProgram => vec![
                (
                    "Token-2022",
                    Wrong::Other(TOKEN_2022),
                    Err(PoolError::WrongProgram),
                ),
                (
                    "this program",
                    Wrong::Other(PROGRAM),
                    Err(PoolError::WrongProgram),
                ),
            ],
            Kind::SystemProgram => vec![(
                "this program",
                Wrong::Other(PROGRAM),
                Err(PoolError::WrongProgram),
            )],
            Kind::InstructionsSysvar => vec![("anything else", anyone, Err(PoolError::WrongAddress))],
        };
        // An address of nobody's, where an account with an address of its own stands.
        if matches!(spec.kind, Kind::New(_) | Kind::NewHeld(_)) {
            let nobody = Wrong::Other(chain.new_key().pubkey());
            rows.push(("any address", nobody, Err(PoolError::WrongAddress)));
        }
        rows
    }

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
    for name in ["CloseClaim", "CloseEpoch", "Withdraw", "ReleaseBond", "FinishChannel", "CancelProposal", "ExecuteProposal"] {
        let mut honest = Honest::of(name, Chain::default(), MeasurerCount::Three);
        let (_, specs) = accounts::ALL.into_iter().find(|(one, _)| *one == name).unwrap();
        let index = specs
            .iter()
            .position(|spec| matches!(spec.kind, Kind::Record(kind) if kind != RecordKind::Key))
            .unwrap();
        let closed = honest.instruction.accounts[index].pubkey;
        let donor = honest.pool.chain.new_person();
        let revive = solana_system_interface::instruction::transfer(
            &donor.pubkey(),
            &closed,
            10_000_000,
        );
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
