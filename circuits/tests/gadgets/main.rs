//! T2: every gadget gives what its native twin gives, with constants, public columns and witness
//! columns as inputs; and its rows hold.

mod curve;
mod hashes;
mod mode;
mod registry;
mod threshold;
