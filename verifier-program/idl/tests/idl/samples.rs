//! Values of every instruction, account type and event, from a seed.

use rand::{Rng, RngCore, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha20Rng;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use veilpool_interface::{
    Books, Change, Channel, Claim, Deadline, Epoch, Exit, Key, Operator, Parameters, Pool,
    PoolEvent, PoolInstruction, Proposal, Record, Registry, Rules, Withdrawal, address, builder,
    instruction::{ClaimArguments, InitialisePool, OpenChannel},
    registry::{FRONTIER, RegistryPath},
};
use veilpool_protocol::{
    AddressBytes, Bandwidth, Class, ClassId, CommitmentBytes, DomainBytes, EpochId, FieldBytes,
    Latency, MeasurerKeyBytes, NullifierBytes, ProofBytes, RegistryNodeBytes, RegistryRootBytes,
    SetHashBytes, Thresholds, Uptime, Weight, Zone, verifying_key,
};

/// How many instructions, account types and events there are samples of.
pub(crate) const INSTRUCTIONS: u8 = 25;
pub(crate) const RECORDS: [&str; 8] = [
    "pool",
    "epoch",
    "operator",
    "claim",
    "key",
    "withdrawal",
    "channel",
    "proposal",
];
pub(crate) const EVENTS: u8 = 21;

pub(crate) struct Sampler(ChaCha20Rng);

impl Sampler {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    fn key(&mut self) -> Pubkey {
        Pubkey::new_from_array(self.bytes())
    }

    fn address(&mut self) -> AddressBytes {
        AddressBytes::new(self.bytes())
    }

    fn field(&mut self) -> FieldBytes {
        let mut bytes: [u8; 32] = self.bytes();
        bytes[0] &= 0x1f;
        FieldBytes::new(bytes).unwrap()
    }

    fn any<T>(&mut self) -> T
    where
        rand::distributions::Standard: rand::distributions::Distribution<T>,
    {
        self.0.r#gen()
    }

    fn epoch(&mut self) -> EpochId {
        EpochId::new(self.any())
    }

    fn node(&mut self) -> RegistryNodeBytes {
        RegistryNodeBytes::from_field(self.field())
    }

    fn root(&mut self) -> RegistryRootBytes {
        RegistryRootBytes::from_field(self.field())
    }

    fn nullifier(&mut self) -> NullifierBytes {
        NullifierBytes::from_field(self.field())
    }

    fn set_hash(&mut self) -> SetHashBytes {
        SetHashBytes::from_field(self.field())
    }

    fn commitment(&mut self) -> CommitmentBytes {
        CommitmentBytes::from_field(self.field())
    }

    fn measurers(&mut self) -> Vec<MeasurerKeyBytes> {
        let count = *[3, 5, 7].choose(&mut self.0).unwrap();
        (0..count)
            .map(|_| MeasurerKeyBytes {
                u: veilpool_protocol::CoordinateBytes::from_field(self.field()),
                shifted_u: veilpool_protocol::CoordinateBytes::from_field(self.field()),
            })
            .collect()
    }

    fn classes(&mut self) -> Vec<Class> {
        (0..self.0.gen_range(1..=16))
            .map(|_| Class {
                thresholds: Thresholds {
                    bandwidth: Bandwidth::new(self.any()),
                    uptime: Uptime::new(self.0.gen_range(0..=144)),
                    latency: Latency::new(self.any()),
                    zone: Zone::new(self.any()),
                },
                weight: Weight::new(self.0.gen_range(1..=u16::MAX)),
            })
            .collect()
    }

    fn parameters(&mut self) -> Parameters {
        Parameters {
            bond_amount: self.any(),
            epoch_seconds: self.any(),
            claim_window_seconds: self.any(),
            cooldown_seconds: self.any(),
            challenge_seconds: self.any(),
            rate_cap: self.any(),
            outflow_bps: self.any(),
            hub_fee_cap_bps: self.any(),
            slash_reward_bps: self.any(),
            target_utilisation_bps: self.any(),
            min_price: self.any(),
            max_price: self.any(),
        }
    }

    fn deadline(&mut self) -> Deadline {
        Deadline {
            at: self.any(),
            paused_before: self.any(),
        }
    }

    fn path(&mut self) -> RegistryPath {
        RegistryPath {
            given: self.any(),
            nodes: (0..self.0.gen_range(0..=FRONTIER))
                .map(|_| self.node())
                .collect(),
        }
    }

    fn change(&mut self) -> Change {
        match self.0.gen_range(0..4) {
            0 => Change::Measurers {
                measurers: self.measurers(),
                verifying_key: self.bytes(),
            },
            1 => Change::Classes(self.classes()),
            2 => Change::Parameters(self.parameters()),
            _ => Change::Unfreeze,
        }
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.any::<bool>().then(|| value(self))
    }

    fn claim_arguments(&mut self) -> ClaimArguments {
        ClaimArguments {
            epoch: self.epoch(),
            class: ClassId::new(self.any()),
            nullifier: self.nullifier(),
            payout: self.address(),
            max_fee: self.any(),
            fee: self.any(),
            proof: ProofBytes::new(self.bytes()),
        }
    }

    /// The instruction with a tag, as the interface's builders make it for `program`, with accounts at random.
    pub(crate) fn instruction(&mut self, tag: u8, program: &Pubkey) -> Instruction {
        let [pool, one, two, three] = [(); 4].map(|()| self.key());
        let digest: [u8; 32] = self.bytes();
        match tag {
            0 => {
                let rules = InitialisePool {
                    measurers: self.measurers(),
                    classes: self.classes(),
                    parameters: self.parameters(),
                    timelock_seconds: self.any(),
                    authority: self.address(),
                    price: self.any(),
                    genesis_hash: self.bytes(),
                };
                builder::initialise_pool(program, &one, &two, &digest, rules)
            }
            1 => builder::deposit(program, &pool, &one, &two, &three, self.any(), self.any()),
            2 => builder::register_operator(program, &pool, &one, &two, self.commitment()),
            3 => builder::open_epoch(program, &pool, &one, self.epoch()),
            4 => {
                let accounts = builder::ClaimAccounts {
                    relayer: one,
                    payee_tokens: two,
                    relayer_tokens: three,
                    verifying_key: digest,
                };
                builder::claim(program, &pool, &accounts, self.claim_arguments())
            }
            5 => builder::close_claim(program, &pool, &one, self.epoch(), &self.nullifier()),
            6 => builder::close_epoch(program, &pool, &one, self.epoch()),
            7 => {
                let file: [u8; verifying_key::LEN] = self.bytes();
                builder::publish_key(program, &one, &file)
            }
            8 => builder::request_withdrawal(program, &pool, &one, &two, self.any(), self.any()),
            9 => builder::withdraw(program, &pool, &one, self.any(), &two),
            10 => builder::exit_operator(program, &pool, &one, &self.commitment(), self.path()),
            11 => {
                let (commitment, secret) = (self.commitment(), self.field());
                let path = self.maybe(Self::path);
                builder::slash_operator(program, &pool, &one, &two, &commitment, secret, path)
            }
            12 => builder::release_bond(program, &pool, &one, &two, &self.commitment()),
            13 => {
                let arguments = OpenChannel {
                    hub: self.address(),
                    voucher_key: self.address(),
                    amount: self.any(),
                    hub_fee_bps: self.any(),
                    expires_at: self.any(),
                };
                builder::open_channel(program, &pool, &one, &two, arguments)
            }
            14 => {
                let (amount, expires_at) = (self.any(), self.any());
                builder::top_up_channel(program, &pool, &one, &two, &three, amount, expires_at)
            }
            15 => builder::settle_channel(program, &pool, &one, &two, &three, self.any()),
            16 => builder::close_channel(program, &pool, &one, &one, &two),
            17 => builder::finish_channel(program, &pool, &one, &two, &three),
            18 => {
                let (number, change) = (self.any(), self.change());
                builder::propose(program, &pool, &one, number, change)
            }
            19 => builder::cancel_proposal(program, &pool, &one, self.any()),
            20 => builder::execute_proposal(program, &pool, &one, self.any(), &digest),
            21 => builder::pause_claims(program, &pool, &one, self.any()),
            22 => builder::resume_claims(program, &pool, &one),
            23 => builder::propose_authority(program, &pool, &one, self.address()),
            24 => builder::accept_authority(program, &pool, &one),
            _ => panic!("no sample of instruction {tag}"),
        }
    }

    /// An account's bytes, which the interface's own decoder takes.
    pub(crate) fn record(&mut self, name: &str) -> Vec<u8> {
        fn encode<T: Record + PartialEq + std::fmt::Debug>(record: &T) -> Vec<u8> {
            let bytes = record.encode();
            assert_eq!(T::decode(&bytes).as_ref(), Ok(record));
            bytes
        }
        match name {
            "pool" => encode(&Pool {
                rules: self.rules(),
                books: self.books(),
                measurers: self.measurers(),
                classes: self.classes(),
                registry: Registry {
                    leaf_count: self.any(),
                    root: self.root(),
                    frontier: (0..FRONTIER).map(|_| self.node()).collect(),
                },
            }),
            "epoch" => encode(&Epoch {
                bump: self.any(),
                pool: self.address(),
                number: self.epoch(),
                starts_at: self.any(),
                ends_at: self.any(),
                claim_until: self.any(),
                paused_before: self.any(),
                registry_root: self.root(),
                leaf_count: self.any(),
                operators: self.any(),
                set_hash: self.set_hash(),
                measurers: *[3, 5, 7].choose(&mut self.0).unwrap(),
                verifying_key: self.bytes(),
                rate: self.any(),
                budget: self.any(),
                reserved: self.any(),
                claims: self.any(),
                rent_payer: self.address(),
                classes: self.classes(),
            }),
            "operator" => encode(&Operator {
                bump: self.any(),
                pool: self.address(),
                commitment: self.commitment(),
                leaf_index: self.any(),
                bond: self.any(),
                bonder: self.address(),
                exit: self.maybe(|sampler| sampler.exit()),
            }),
            "claim" => encode(&Claim {
                bump: self.any(),
                pool: self.address(),
                epoch: self.epoch(),
                nullifier: self.nullifier(),
                claim_until: self.deadline(),
                rent_payer: self.address(),
            }),
            "key" => encode(&Key {
                bump: self.any(),
                file: self.bytes(),
            }),
            "withdrawal" => encode(&Withdrawal {
                bump: self.any(),
                pool: self.address(),
                owner: self.address(),
                number: self.any(),
                shares: self.any(),
                worth: self.any(),
                ready_at: self.any(),
            }),
            "channel" => {
                let deposited = self.any();
                encode(&Channel {
                    bump: self.any(),
                    pool: self.address(),
                    consumer: self.address(),
                    hub: self.address(),
                    voucher_key: self.address(),
                    generation: self.any(),
                    deposited,
                    settled: self.0.gen_range(0..=deposited),
                    hub_fee_bps: self.any(),
                    challenge_seconds: self.any(),
                    expires_at: self.any(),
                    closes_at: self.maybe(Self::any),
                })
            }
            "proposal" => encode(&Proposal {
                bump: self.any(),
                pool: self.address(),
                number: self.any(),
                proposer: self.address(),
                ready_at: self.any(),
                expires_at: self.any(),
                change: self.change(),
            }),
            _ => panic!("no sample of {name}"),
        }
    }

    fn exit(&mut self) -> Exit {
        Exit {
            epoch: self.epoch(),
            release: self.deadline(),
        }
    }

    fn rules(&mut self) -> Rules {
        Rules {
            bump: self.any(),
            founder: self.address(),
            mint: self.address(),
            vault: self.address(),
            bond_vault: self.address(),
            escrow_vault: self.address(),
            share_mint: self.address(),
            genesis_hash: self.bytes(),
            domain: DomainBytes::from_field(self.field()),
            timelock_seconds: self.any(),
            authority: self.address(),
            next_authority: self.address(),
            set_hash: self.set_hash(),
            verifying_key: self.bytes(),
            parameters: self.parameters(),
        }
    }

    fn books(&mut self) -> Books {
        Books {
            assets: self.any(),
            reserved: self.any(),
            shares: self.any(),
            queued: self.any(),
            bonded: self.any(),
            escrowed: self.any(),
            operators: self.any(),
            next_epoch: self.epoch(),
            latest_ends_at: self.any(),
            last_window: self.any(),
            price: self.any(),
            settled: self.any(),
            attested: self.any(),
            next_channel: self.any(),
            paused_until: self.any(),
            paused_seconds: self.any(),
            frozen: self.any(),
            frozen_at: self.any(),
        }
    }

    /// The event with a tag.
    pub(crate) fn event(&mut self, tag: u8) -> Vec<u8> {
        let pool = self.address();
        let event = match tag {
            0 => PoolEvent::Deposited {
                pool,
                amount: self.any(),
                shares: self.any(),
            },
            1 => PoolEvent::WithdrawalRequested {
                pool,
                shares: self.any(),
                ready_at: self.any(),
            },
            2 => PoolEvent::Withdrawn {
                pool,
                amount: self.any(),
                shares: self.any(),
            },
            3 => PoolEvent::Registered {
                pool,
                leaf_index: self.any(),
                bond: self.any(),
            },
            4 => PoolEvent::Exited {
                pool,
                leaf_index: self.any(),
            },
            5 => PoolEvent::Slashed {
                pool,
                leaf_index: self.any(),
                reward: self.any(),
                to_pool: self.any(),
            },
            6 => PoolEvent::BondReleased {
                pool,
                leaf_index: self.any(),
                bond: self.any(),
            },
            7 => PoolEvent::EpochOpened {
                pool,
                epoch: self.epoch(),
                rate: self.any(),
                budget: self.any(),
                operators: self.any(),
                price: self.any(),
            },
            8 => PoolEvent::Claimed {
                pool,
                epoch: self.epoch(),
                class: ClassId::new(self.any()),
                reward: self.any(),
                fee: self.any(),
            },
            9 => PoolEvent::EpochClosed {
                pool,
                epoch: self.epoch(),
                claims: self.any(),
                released: self.any(),
            },
            10 => PoolEvent::Frozen {
                pool,
                epoch: self.epoch(),
            },
            11 => PoolEvent::ChannelFunded {
                pool,
                generation: self.any(),
                amount: self.any(),
            },
            12 => PoolEvent::ChannelSettled {
                pool,
                generation: self.any(),
                to_pool: self.any(),
                hub_fee: self.any(),
            },
            13 => PoolEvent::ChannelFinished {
                pool,
                generation: self.any(),
                rest: self.any(),
            },
            14 => PoolEvent::Proposed {
                pool,
                number: self.any(),
                ready_at: self.any(),
            },
            15 => PoolEvent::Executed {
                pool,
                number: self.any(),
            },
            16 => PoolEvent::Paused {
                pool,
                until: self.any(),
            },
            17 => PoolEvent::AuthorityChanged {
                pool,
                authority: self.address(),
            },
            18 => PoolEvent::ChannelClosing {
                pool,
                generation: self.any(),
                closes_at: self.any(),
            },
            19 => PoolEvent::ProposalCancelled {
                pool,
                number: self.any(),
            },
            20 => PoolEvent::AuthorityProposed {
                pool,
                authority: self.address(),
            },
            _ => panic!("no sample of event {tag}"),
        };
        let bytes = event.encode();
        assert_eq!(PoolEvent::decode(&bytes), Some(event));
        bytes
    }

    /// The decoder takes what the builder made.
    pub(crate) fn decoded(instruction: &Instruction) -> PoolInstruction {
        PoolInstruction::decode(&instruction.data).unwrap()
    }

    /// Values of a derived address' seeds in the interface's types, and the address.
    pub(crate) fn derived(&mut self, name: &str, program: &Pubkey) -> (Vec<Vec<u8>>, (Pubkey, u8)) {
        let [pool, one, two] = [(); 3].map(|()| self.key());
        let (epoch, number): (EpochId, u32) = (self.epoch(), self.any());
        let (commitment, nullifier) = (self.commitment(), self.nullifier());
        let digest: [u8; 32] = self.bytes();
        let bytes = |key: &Pubkey| key.to_bytes().to_vec();
        let epoch_bytes = epoch.get().to_le_bytes().to_vec();
        let number_bytes = number.to_le_bytes().to_vec();
        match name {
            "pool" => (
                vec![bytes(&one), bytes(&two)],
                address::pool(program, &one, &two),
            ),
            "vault" => (vec![bytes(&pool)], address::vault(program, &pool)),
            "bonds" => (vec![bytes(&pool)], address::bonds(program, &pool)),
            "escrow" => (vec![bytes(&pool)], address::escrow(program, &pool)),
            "shareMint" => (vec![bytes(&pool)], address::shares(program, &pool)),
            "key" => (vec![digest.to_vec()], address::key(program, &digest)),
            "operator" => (
                vec![bytes(&pool), commitment.as_bytes().to_vec()],
                address::operator(program, &pool, &commitment),
            ),
            "epoch" => (
                vec![bytes(&pool), epoch_bytes],
                address::epoch(program, &pool, epoch),
            ),
            "claim" => (
                vec![bytes(&pool), epoch_bytes, nullifier.as_bytes().to_vec()],
                address::claim(program, &pool, epoch, &nullifier),
            ),
            "withdrawal" => (
                vec![bytes(&pool), bytes(&one), number_bytes],
                address::withdrawal(program, &pool, &one, number),
            ),
            "channel" => (
                vec![bytes(&pool), bytes(&one), bytes(&two)],
                address::channel(program, &pool, &one, &two),
            ),
            "proposal" => (
                vec![bytes(&pool), number_bytes],
                address::proposal(program, &pool, number),
            ),
            _ => panic!("no sample of the address {name}"),
        }
    }
}
