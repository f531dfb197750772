//! From attestations to a payment, as a state machine that can be stopped and started between any two steps.
//!
//! ```text
//! listed ─▶ measured ─▶ collected ─▶ proven ─▶ submitted ─▶ paid
//!              ▲            ▲  │         ▲          │
//!              └── slot ────┘  └─────────┴── rebind ┘          any ─▶ unclaimable
//! ```
//! [`ClaimRecord::next`] says what to do, [`Claimant::perform`] does it with the world as an argument, and
//! [`ClaimRecord::apply`] takes what came of it. Only `apply` changes a record, and each change is stored
//! before the next step; so whatever a kill interrupts is done again, and every step can be done again: the
//! measurers sign once, the chain pays a nullifier once.

pub mod class;
pub mod effects;
pub mod inputs;
mod payment;
pub mod record;
pub mod steps;

pub use class::best_class;
pub use effects::{ChainView, Measurers, Proven, Proving, Relayers, Trouble, World};
pub use inputs::{PrepareError, document, prepare};
pub use record::{Action, Answer, Choice, ClaimRecord, Event, Payment, Phase, Readied, Unexpected};
pub use steps::{Claimant, Settings};
