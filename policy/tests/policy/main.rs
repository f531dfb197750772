//! The policy from outside: what goes out and what doesn't, files, digests, rulesets.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
mod digest;
mod entry;
mod file;
mod host;
mod kernel;
mod namespace;
mod nft;
mod parse;
mod special;
