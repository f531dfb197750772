//! A change of a pool's rules that waits behind the timelock.

use borsh::{BorshDeserialize, BorshSerialize};
use veilpool_protocol::{AddressBytes, Class, MeasurerKeyBytes};

use super::{Parameters, Record, discriminator};

/// What a pool's authority can change. None of it reaches money, nor an epoch that is open (attack P12).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Change {
    /// Another measurer set, another verifying key, or both.
    Measurers {
        /// 3, 5 or 7, in order.
        measurers: Vec<MeasurerKeyBytes>,
        /// SHA-256 of the verifying key for so many.
        verifying_key: [u8; 32],
    },
    /// Another class table.
    Classes(Vec<Class>),
    /// Other parameters.
    Parameters(Parameters),
    /// Claims again, after more claims than operators had frozen them.
    Unfreeze,
}

/// A change that waits.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Proposal {
    /// Of the proposal's address.
    pub bump: u8,
    /// The pool.
    pub pool: AddressBytes,
    /// The authority's own number of it.
    pub number: u32,
    /// The authority that proposed it, and gets the rent back.
    pub proposer: AddressBytes,
    /// From when on anybody may execute it, in Unix seconds.
    pub ready_at: i64,
    /// From when on nobody can, in Unix seconds.
    pub expires_at: i64,
    /// What it does.
    pub change: Change,
}

impl Record for Proposal {
    const DISCRIMINATOR: u8 = discriminator::PROPOSAL;
}
