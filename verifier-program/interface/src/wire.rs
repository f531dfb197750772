//! The same encodings as borsh's, read and written without a generic reader or writer.
//!
//! On the chain every byte of code and every compute unit is paid for. Most of what the program reads has a fixed
//! length, which is checked once for a whole struct ([`Wire::HEAD`]): behind that check a field is a load at a
//! constant offset, which is why all of it is inlined. Clients use borsh; tests hold one to the other.

use veilpool_protocol::{
    AddressBytes, Bandwidth, BindingBytes, Class, ClassId, CommitmentBytes, CoordinateBytes,
    DomainBytes, EpochId, FieldBytes, Latency, MeasurerKeyBytes, NullifierBytes, ProofBytes,
    RegistryNodeBytes, RegistryRootBytes, SetHashBytes, Thresholds, Uptime, Weight, Zone,
    verifying_key,
};

use crate::{
    Books, Change, Channel, Claim, Deadline, Epoch, Exit, Key, Operator, Parameters, Pool,
    Proposal, Registry, Rules, Withdrawal,
    instruction::{ClaimArguments, InitialisePool, OpenChannel},
    registry::RegistryPath,
};

/// A type with an encoding.
pub trait Wire: Sized {
    /// Length of what comes before the first field of variable length: of everything, when there is none.
    const HEAD: usize;

    /// Reads a value off the front; `None` when there are too few bytes, or others than a value's.
    fn take(bytes: &mut &[u8]) -> Option<Self>;

    /// Writes the value to the front; `None` when there is too little room.
    fn put(&self, room: &mut &mut [u8]) -> Option<()>;

    /// Length of the encoding.
    fn size(&self) -> usize {
        Self::HEAD
    }

    /// From exactly these bytes.
    #[inline(always)]
    fn whole(mut bytes: &[u8]) -> Option<Self> {
        let value = Self::take(&mut bytes)?;
        bytes.is_empty().then_some(value)
    }
}

/// Reads bytes off the front.
#[inline(always)]
fn take_array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

/// Takes the front of the room.
#[inline(always)]
fn split<'a>(room: &mut &'a mut [u8], len: usize) -> Option<&'a mut [u8]> {
    let (head, rest) = core::mem::take(room).split_at_mut_checked(len)?;
    *room = rest;
    Some(head)
}

/// Writes bytes to the front.
#[inline(always)]
fn put_array<const N: usize>(bytes: &[u8; N], room: &mut &mut [u8]) -> Option<()> {
    let (head, rest) = core::mem::take(room).split_first_chunk_mut::<N>()?;
    *head = *bytes;
    *room = rest;
    Some(())
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            const HEAD: usize = size_of::<$type>();

            #[inline(always)]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                take_array(bytes).map(Self::from_le_bytes)
            }

            #[inline(always)]
            fn put(&self, room: &mut &mut [u8]) -> Option<()> {
                put_array(&self.to_le_bytes(), room)
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, i64);

impl<const N: usize> Wire for [u8; N] {
    const HEAD: usize = N;

    #[inline(always)]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        take_array(bytes)
    }

    #[inline(always)]
    fn put(&self, room: &mut &mut [u8]) -> Option<()> {
        put_array(self, room)
    }
}

impl Wire for bool {
    const HEAD: usize = 1;

    #[inline(always)]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        match u8::take(bytes)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    #[inline(always)]
    fn put(&self, room: &mut &mut [u8]) -> Option<()> {
        u8::from(*self).put(room)
    }
}

/// Types that any bytes fit.
macro_rules! byte_types {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            const HEAD: usize = Self::LEN;

            #[inline(always)]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                take_array(bytes).map(Self::new)
            }

            #[inline(always)]
            fn put(&self, room: &mut &mut [u8]) -> Option<()> {
                put_array(self.as_bytes(), room)
            }
        }
    )*};
}

byte_types!(AddressBytes, ProofBytes);

/// Field elements, which are canonical.
macro_rules! fields {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            const HEAD: usize = Self::LEN;

            #[inline(always)]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                Self::new(take_array(bytes)?).ok()
            }

            #[inline(always)]
            fn put(&self, room: &mut &mut [u8]) -> Option<()> {
                put_array(self.as_bytes(), room)
            }
        }
    )*};
}

fields!(
    FieldBytes,
    CommitmentBytes,
    NullifierBytes,
    RegistryRootBytes,
    RegistryNodeBytes,
    SetHashBytes,
    DomainBytes,
    BindingBytes,
    CoordinateBytes
);

macro_rules! units {
    ($($type:ty: $int:ty),*) => {$(
        impl Wire for $type {
            const HEAD: usize = <$int>::HEAD;

            #[inline(always)]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                <$int>::take(bytes).map(Self::new)
            }

            #[inline(always)]
            fn put(&self, room: &mut &mut [u8]) -> Option<()> {
                self.get().put(room)
            }
        }
    )*};
}

units!(EpochId: u32, Bandwidth: u16, Uptime: u16, Latency: u16, Zone: u8, ClassId: u8, Weight: u16);

impl<T: Wire> Wire for Option<T> {
    const HEAD: usize = 0;

    #[inline(always)]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        if bool::take(bytes)? {
            T::take(bytes).map(Some)
        } else {
            Some(None)
        }
    }

    #[inline(always)]
    fn put(&self, room: &mut &mut [u8]) -> Option<()> {
        self.is_some().put(room)?;
        match self {
            Some(value) => value.put(room),
            None => Some(()),
        }
    }

    fn size(&self) -> usize {
        1 + self.as_ref().map_or(0, Wire::size)
    }
}

impl<T: Wire> Wire for Vec<T> {
    const HEAD: usize = 0;

    /// Allocates no more than the bytes hold. Only for elements of a fixed length.
    #[inline(never)]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let count = u32::take(bytes)? as usize;
        let (mut elements, rest) = bytes.split_at_checked(count.checked_mul(T::HEAD)?)?;
        *bytes = rest;
        let mut out = Self::with_capacity(count);
        while !elements.is_empty() {
            out.push(T::take(&mut elements)?);
        }
        Some(out)
    }

    #[inline(never)]
    fn put(&self, room: &mut &mut [u8]) -> Option<()> {
        u32::try_from(Vec::len(self)).ok()?.put(room)?;
        self.iter().try_for_each(|element| element.put(room))
    }

    fn size(&self) -> usize {
        4 + Vec::len(self) * T::HEAD
    }
}

/// Tuples, which are encoded like structs.
macro_rules! tuple {
    ($($name:ident),*) => {
        #[allow(non_snake_case, unused_variables)]
        impl<$($name: Wire),*> Wire for ($($name,)*) {
            const HEAD: usize = 0 $(+ $name::HEAD)*;

            #[inline(always)]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                Some(($($name::take(bytes)?,)*))
            }

            #[inline(always)]
            fn put(&self, room: &mut &mut [u8]) -> Option<()> {
                let ($($name,)*) = self;
                $($name.put(room)?;)*
                Some(())
            }

            fn size(&self) -> usize {
                let ($($name,)*) = self;
                0 $(+ $name.size())*
            }
        }
    };
}

tuple!();
tuple!(A, B);
tuple!(A, B, C);

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

#[cfg(test)]
mod tests {
    use borsh::{BorshDeserialize, BorshSerialize};
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{PoolInstruction, instruction::tag, state};

    /// Both take the same bytes for the same value, and write them.
    fn agree<T: Wire + BorshSerialize + BorshDeserialize + PartialEq + core::fmt::Debug>(
        bytes: &[u8],
    ) {
        let value = T::whole(bytes);
        assert_eq!(value, T::try_from_slice(bytes).ok());
        if let Some(value) = value {
            let mut out = vec![0; value.size()];
            let mut room = out.as_mut_slice();
            assert_eq!(value.put(&mut room), Some(()));
            assert!(room.is_empty());
            assert_eq!(out, bytes);
            let mut short = vec![0; value.size().saturating_sub(1)];
            assert!(value.size() == 0 || value.put(&mut short.as_mut_slice()).is_none());
        }
    }

    fn all_agree(bytes: &[u8]) {
        agree::<()>(bytes);
        agree::<(u64, u64)>(bytes);
        agree::<(u32, Change)>(bytes);
        agree::<(FieldBytes, Option<RegistryPath>)>(bytes);
        agree::<RegistryPath>(bytes);
        agree::<CommitmentBytes>(bytes);
        agree::<Parameters>(bytes);
        agree::<Rules>(bytes);
        agree::<Books>(bytes);
        agree::<Pool>(bytes);
        agree::<Epoch>(bytes);
        agree::<Operator>(bytes);
        agree::<Claim>(bytes);
        agree::<Key>(bytes);
        agree::<Withdrawal>(bytes);
        agree::<Channel>(bytes);
        agree::<Proposal>(bytes);
        agree::<InitialisePool>(bytes);
        agree::<ClaimArguments>(bytes);
        agree::<OpenChannel>(bytes);
    }

    /// Bytes that many types accept: few set ones.
    fn bytes(len: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
        vec(
            prop_oneof![6 => Just(0u8), 3 => 1u8..4, 1 => any::<u8>()],
            len,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]
        #[test]
        fn any_bytes_are_read_as_borsh_reads_them(bytes in bytes(0..700)) {
            all_agree(&bytes);
        }

        #[test]
        fn fixed_lengths_are_read_as_borsh_reads_them(bytes in bytes(700)) {
            for len in [
                16, 32, 36, 64, state::PARAMETERS_LEN, state::RULES_LEN, state::BOOKS_LEN, Epoch::HEAD + 4, Epoch::HEAD + 13,
                Operator::HEAD + 1, Operator::HEAD + 17, Claim::HEAD, Key::HEAD, Withdrawal::HEAD, Channel::HEAD + 1,
                Channel::HEAD + 9, Proposal::HEAD + 1, Proposal::HEAD + 5, ClaimArguments::HEAD, OpenChannel::HEAD,
            ] {
                all_agree(&bytes[..len]);
            }
        }

        #[test]
        fn pools_are_read_as_borsh_reads_them(mut head in bytes(Pool::HEAD), keys in 0u8..8, classes in 0u8..17) {
            // Neither `frozen` nor the field elements of the rules stop it.
            let frozen = head.len() - 9;
            head[frozen] = 0;
            for count in [keys, classes] {
                head.extend([count, 0, 0, 0]);
                head.resize(head.len() + usize::from(count) * if count == keys { 64 } else { 9 }, 7);
            }
            head.extend([1; 36]);
            head.extend([30, 0, 0, 0]);
            head.resize(head.len() + 30 * 32, 9);
            agree::<Pool>(&head);
            agree::<Pool>(&head[..head.len() - 1]);
        }
    }

    #[test]
    fn a_count_beyond_the_bytes_allocates_nothing() {
        let mut bytes = u32::MAX.to_le_bytes().to_vec();
        bytes.extend([1; 640]);
        assert_eq!(Vec::<MeasurerKeyBytes>::whole(&bytes), None);
        assert_eq!(Vec::<Class>::whole(&bytes), None);
    }

    #[test]
    fn lengths_are_those_of_the_state() {
        assert_eq!(Parameters::HEAD, state::PARAMETERS_LEN);
        assert_eq!(Rules::HEAD, state::RULES_LEN);
        assert_eq!(Books::HEAD, state::BOOKS_LEN);
        assert_eq!(2 + Channel::HEAD + 9, Channel::MAX_LEN);
    }

    #[test]
    fn tags_are_those_of_the_enum() {
        assert_eq!(PoolInstruction::CloseClaim.encode(), [tag::CLOSE_CLAIM]);
        assert_eq!(PoolInstruction::CloseEpoch.encode(), [tag::CLOSE_EPOCH]);
        assert_eq!(PoolInstruction::Withdraw.encode(), [tag::WITHDRAW]);
        assert_eq!(PoolInstruction::ReleaseBond.encode(), [tag::RELEASE_BOND]);
        assert_eq!(
            PoolInstruction::FinishChannel.encode(),
            [tag::FINISH_CHANNEL]
        );
        assert_eq!(
            PoolInstruction::ExecuteProposal.encode(),
            [tag::EXECUTE_PROPOSAL]
        );
        assert_eq!(
            PoolInstruction::AcceptAuthority.encode(),
            [tag::ACCEPT_AUTHORITY]
        );
    }
}
