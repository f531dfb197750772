//! Every way in which an account of a kind can be wrong, and the code that it has.

use solana_account::Account;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_interface::state::{Account as TokenAccount, AccountState};
use veilpool_interface::{
    PoolError,
    accounts::{HeldKind, Kind, RecordKind},
    address::TOKEN_PROGRAM,
};
use veilpool_program_harness::{Chain, chain::PROGRAM};

use super::{Case, Row, TOKEN_2022, Wrong};

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
    /// What is tried with one account.
    pub(super) fn rows(&mut self, index: usize) -> Vec<Row> {
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
                ("zeroed", with_data(&|data| data.fill(0)), wrong_type),
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
                    with_state(&account, |tokens| {
                        tokens.state = AccountState::Uninitialized
                    }),
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
            Kind::Tokens(_) => {
                let mut rows = tokens(chain, &mint);
                // Where anybody has it paid, only the associated account is taken.
                if ["Withdraw", "ReleaseBond", "SettleChannel", "FinishChannel"].contains(&name) {
                    let other = elsewhere(chain);
                    rows.push(("another of theirs", other, Err(PoolError::WrongAddress)));
                }
                rows
            }
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
            Kind::InstructionsSysvar => {
                vec![("anything else", anyone, Err(PoolError::WrongAddress))]
            }
        };
        // An address of nobody's, where an account with an address of its own stands.
        if matches!(spec.kind, Kind::New(_) | Kind::NewHeld(_)) {
            let nobody = Wrong::Other(chain.new_key().pubkey());
            rows.push(("any address", nobody, Err(PoolError::WrongAddress)));
        }
        rows
    }
}
