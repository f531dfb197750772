//! The same encodings as borsh's, read and written without a generic reader or writer.
//!
//! On the chain every byte of code and every compute unit is paid for. Most of what the program reads has a fixed
//! length, which is checked once for a whole struct ([`Wire::HEAD`]): behind that check a field is a load at a
//! constant offset, which is why all of it is inlined. Clients use borsh; tests hold one to the other.

mod basic;
mod protocol;
mod records;

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

#[cfg(test)]
mod tests {
    use borsh::{BorshDeserialize, BorshSerialize};
    use proptest::{collection::vec, prelude::*};
    use veilpool_protocol::{Class, CommitmentBytes, FieldBytes, MeasurerKeyBytes};

    use super::*;
    use crate::{
        Books, Change, Channel, Claim, Epoch, Key, Operator, Parameters, Pool, PoolInstruction,
        Proposal, Rules, Withdrawal,
        instruction::{ClaimArguments, InitialisePool, OpenChannel, tag},
        registry::RegistryPath,
        state,
    };

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
