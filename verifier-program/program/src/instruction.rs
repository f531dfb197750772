//! One module for each instruction: its steps, by the same numbers in the text and in the body. Its accounts are
//! in `interface::accounts`.

pub(crate) mod accept_authority;
pub(crate) mod cancel_proposal;
pub(crate) mod claim;
pub(crate) mod close_channel;
pub(crate) mod close_claim;
pub(crate) mod close_epoch;
pub(crate) mod deposit;
pub(crate) mod execute_proposal;
pub(crate) mod exit_operator;
pub(crate) mod finish_channel;
pub(crate) mod initialise_pool;
pub(crate) mod open_channel;
pub(crate) mod open_epoch;
pub(crate) mod pause_claims;
pub(crate) mod propose;
pub(crate) mod propose_authority;
pub(crate) mod publish_key;
pub(crate) mod register_operator;
pub(crate) mod release_bond;
pub(crate) mod request_withdrawal;
pub(crate) mod resume_claims;
pub(crate) mod settle_channel;
pub(crate) mod slash_operator;
pub(crate) mod top_up_channel;
pub(crate) mod withdraw;
