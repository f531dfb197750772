//! The three protocols against small routers of the test's: honest ones, broken ones and hostile ones.

#![allow(clippy::unwrap_used, missing_docs)]

mod nat;
mod servers;
mod upnp;
