//! Structs and changes: what accounts hold and instructions carry.

use veilpool_protocol::{
    AddressBytes, Bandwidth, Class, ClassId, CommitmentBytes, CoordinateBytes, DomainBytes,
    EpochId, Latency, MeasurerKeyBytes, NullifierBytes, ProofBytes, RegistryNodeBytes,
    RegistryRootBytes, SetHashBytes, Thresholds, Uptime, Weight, Zone, verifying_key,
};

use super::{Wire, split};
use crate::{
    Books, Change, Channel, Claim, Deadline, Epoch, Exit, Key, Operator, Parameters, Pool,
    Proposal, Registry, Rules, Withdrawal,
    instruction::{ClaimArguments, InitialisePool, OpenChannel},
    registry::RegistryPath,
};

/// Structs: first the fields of fixed length, then, behind a semicolon, those of variable length.
macro_rules! wire {
    ($name:ident { $($field:ident: $type:ty),* $(; $($tail:ident: $tail_type:ty),*)? }) => {
        #[allow(unused_mut, unused_variables)]
        impl Wire for $name {
            const HEAD: usize = 0 $(+ <$type as Wire>::HEAD)*;

            #[inline(always)]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                let (mut head, rest) = bytes.split_at_checked(Self::HEAD)?;
                *bytes = rest;
                Some(Self {
                    $($field: <$type as Wire>::take(&mut head)?,)*
                    $($($tail: <$tail_type as Wire>::take(bytes)?,)*)?
                })
            }

            #[inline(always)]
            fn put(&self, room: &mut &mut [u8]) -> Option<()> {
                let mut head = split(room, Self::HEAD)?;
                $(Wire::put(&self.$field, &mut head)?;)*
                $($(Wire::put(&self.$tail, room)?;)*)?
                Some(())
            }

            $(
                fn size(&self) -> usize {
                    Self::HEAD $(+ Wire::size(&self.$tail))*
                }
            )?
        }
    };
}

wire!(Thresholds {
    bandwidth: Bandwidth,
    uptime: Uptime,
    latency: Latency,
    zone: Zone
});
wire!(Class {
    thresholds: Thresholds,
    weight: Weight
});
wire!(MeasurerKeyBytes {
    u: CoordinateBytes,
    shifted_u: CoordinateBytes
});
wire!(Deadline {
    at: i64,
    paused_before: u32
});
wire!(Exit {
    epoch: EpochId,
    release: Deadline
});
wire!(RegistryPath { given: u32; nodes: Vec<RegistryNodeBytes> });
wire!(Registry { leaf_count: u32, root: RegistryRootBytes; frontier: Vec<RegistryNodeBytes> });
wire!(Parameters {
    bond_amount: u64,
    epoch_seconds: u32,
    claim_window_seconds: u32,
    cooldown_seconds: u32,
    challenge_seconds: u32,
    rate_cap: u64,
    outflow_bps: u16,
    hub_fee_cap_bps: u16,
    slash_reward_bps: u16,
    target_utilisation_bps: u16,
    min_price: u64,
    max_price: u64
});
wire!(Rules {
    bump: u8,
    founder: AddressBytes,
    mint: AddressBytes,
    vault: AddressBytes,
    bond_vault: AddressBytes,
    escrow_vault: AddressBytes,
    share_mint: AddressBytes,
    genesis_hash: [u8; 32],
    domain: DomainBytes,
    timelock_seconds: u32,
    authority: AddressBytes,
    next_authority: AddressBytes,
    set_hash: SetHashBytes,
    verifying_key: [u8; 32],
    parameters: Parameters
});
wire!(Books {
    assets: u64,
    reserved: u64,
    shares: u64,
    queued: u64,
    bonded: u64,
    escrowed: u64,
    operators: u32,
    next_epoch: EpochId,
    latest_ends_at: i64,
    last_window: i64,
    price: u64,
    settled: u64,
    attested: u64,
    next_channel: u64,
    paused_until: i64,
    paused_seconds: u32,
    frozen: bool,
    frozen_at: i64
});
wire!(Pool {
    rules: Rules, books: Books;
    measurers: Vec<MeasurerKeyBytes>, classes: Vec<Class>, registry: Registry
});
wire!(Epoch {
    bump: u8, pool: AddressBytes, number: EpochId, starts_at: i64, ends_at: i64, claim_until: i64,
    paused_before: u32, registry_root: RegistryRootBytes, leaf_count: u32, operators: u32,
    set_hash: SetHashBytes, measurers: u8, verifying_key: [u8; 32], rate: u64, budget: u64,
    reserved: u64, claims: u32, rent_payer: AddressBytes;
    classes: Vec<Class>
});
wire!(Operator {
    bump: u8, pool: AddressBytes, commitment: CommitmentBytes, leaf_index: u32, bond: u64,
    bonder: AddressBytes;
    exit: Option<Exit>
});
wire!(Claim {
    bump: u8,
    pool: AddressBytes,
    epoch: EpochId,
    nullifier: NullifierBytes,
    claim_until: Deadline,
    rent_payer: AddressBytes
});
wire!(Key {
    bump: u8,
    file: [u8; verifying_key::LEN]
});
wire!(Withdrawal {
    bump: u8,
    pool: AddressBytes,
    owner: AddressBytes,
    number: u32,
    shares: u64,
    worth: u64,
    ready_at: i64
});
wire!(Channel {
    bump: u8, pool: AddressBytes, consumer: AddressBytes, hub: AddressBytes,
    voucher_key: AddressBytes, generation: u64, deposited: u64, settled: u64, hub_fee_bps: u16,
    challenge_seconds: u32, expires_at: i64;
    closes_at: Option<i64>
});
wire!(Proposal {
    bump: u8, pool: AddressBytes, number: u32, proposer: AddressBytes, ready_at: i64,
    expires_at: i64;
    change: Change
});
wire!(InitialisePool {
    ;
    measurers: Vec<MeasurerKeyBytes>, classes: Vec<Class>, parameters: Parameters,
    timelock_seconds: u32, authority: AddressBytes, price: u64, genesis_hash: [u8; 32]
});
wire!(ClaimArguments {
    epoch: EpochId,
    class: ClassId,
    nullifier: NullifierBytes,
    payout: AddressBytes,
    max_fee: u64,
    fee: u64,
    proof: ProofBytes
});
wire!(OpenChannel {
    hub: AddressBytes,
    voucher_key: AddressBytes,
    amount: u64,
    hub_fee_bps: u16,
    expires_at: i64
});

impl Wire for Change {
    const HEAD: usize = 0;

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some(match u8::take(bytes)? {
            0 => Self::Measurers {
                measurers: Wire::take(bytes)?,
                verifying_key: Wire::take(bytes)?,
            },
            1 => Self::Classes(Wire::take(bytes)?),
            2 => Self::Parameters(Wire::take(bytes)?),
            3 => Self::Unfreeze,
            _ => return None,
        })
    }

    fn put(&self, room: &mut &mut [u8]) -> Option<()> {
        match self {
            Self::Measurers {
                measurers,
                verifying_key,
            } => {
                0u8.put(room)?;
                measurers.put(room)?;
                verifying_key.put(room)
            }
            Self::Classes(classes) => {
                1u8.put(room)?;
                classes.put(room)
            }
            Self::Parameters(parameters) => {
                2u8.put(room)?;
                parameters.put(room)
            }
            Self::Unfreeze => 3u8.put(room),
        }
    }

    fn size(&self) -> usize {
        1 + match self {
            Self::Measurers {
                measurers,
                verifying_key,
            } => measurers.size() + verifying_key.size(),
            Self::Classes(classes) => Wire::size(classes),
            Self::Parameters(_) => Parameters::HEAD,
            Self::Unfreeze => 0,
        }
    }
}
