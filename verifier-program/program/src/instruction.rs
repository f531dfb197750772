//! One module for each instruction: its accounts with their flags (`s` signs, `w` is changed), and its
//! steps, by the same numbers in the text and in the body.

pub(crate) mod claim;
pub(crate) mod close_claim;
pub(crate) mod close_epoch;
pub(crate) mod deposit;
pub(crate) mod initialise_pool;
pub(crate) mod open_epoch;
pub(crate) mod register_operator;
