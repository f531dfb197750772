//! When epochs open and start.
//!
//! ```text
//! may open when  now + epoch_seconds/4 ≥ latest_ends_at
//! starts_at      = max(now + epoch_seconds/12, latest_ends_at)
//! ```

/// An epoch may be opened this part of its length before the latest one ends.
pub const ADVANCE: u32 = 4;
/// And starts at the earliest this part of its length from now, so that listings can be made before its first slot.
pub const LEAD: u32 = 12;
