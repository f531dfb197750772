//! Writes events to the transaction's log.

use borsh::BorshSerialize;
use veilpool_interface::PoolEvent;

/// No event is longer.
const MAX_LEN: usize = 96;

/// As `Program data:`.
#[inline(never)]
pub(crate) fn emit(event: &PoolEvent) {
    let mut buffer = [0; MAX_LEN];
    let mut rest = buffer.as_mut_slice();
    // What does not fit is cut, which the lengths of events rule out.
    let _ = event.serialize(&mut rest);
    let unused = rest.len();
    if let Some(bytes) = MAX_LEN
        .checked_sub(unused)
        .and_then(|len| buffer.get(..len))
    {
        solana_program::log::sol_log_data(&[bytes]);
    }
}
