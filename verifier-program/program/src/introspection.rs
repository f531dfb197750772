//! The instruction before this one, from the sysvar of the transaction's instructions.
//!
//! ```text
//! sysvar       number (u16) ‖ offset of each (u16) ‖ instructions ‖ index of the present one (u16)
//! instruction  number of accounts (u16) ‖ (flags ‖ address) of each ‖ program (32) ‖ length (u16) ‖ data
//! ```
//! Numbers are LE. The runtime writes it; the caller only chooses what stands in the transaction. The present one is
//! always one of the transaction's own: where another program calls this one, it is that program's.

/// Flags and address.
const ACCOUNT: usize = 1 + 32;

/// Program and data of the instruction right before the present one.
pub(crate) fn previous(sysvar: &[u8]) -> Option<(&[u8; 32], &[u8])> {
    let (_, present) = sysvar.split_last_chunk::<2>()?;
    let index = usize::from(u16::from_le_bytes(*present)).checked_sub(1)?;
    let count = usize::from(number(sysvar, 0)?);
    if index >= count {
        return None;
    }
    let offset = usize::from(number(sysvar, 2usize.checked_add(index.checked_mul(2)?)?)?);
    let accounts = usize::from(number(sysvar, offset)?);
    let at = offset
        .checked_add(2)?
        .checked_add(accounts.checked_mul(ACCOUNT)?)?;
    let (program, rest) = sysvar.get(at..)?.split_first_chunk::<32>()?;
    let len = usize::from(number(rest, 0)?);
    let data = rest.get(2..)?.get(..len)?;
    Some((program, data))
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_le_bytes(*bytes))
}
