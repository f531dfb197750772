//! The description is complete, true, and committed.
#![allow(clippy::unwrap_used)]

mod committed;
mod samples;
mod truth;
mod vectors;
mod walk;
