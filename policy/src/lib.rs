//! Where a node's guests may go (attacks N1 and N6): public unicast addresses, nothing of the
//! operator's, nothing that a home line can't answer for.
//!
//! A [`Policy`] is a value that is made once and asked for each packet: [`Policy::check`] looks the
//! address up in sorted ranges, without allocating. It comes from what a file says ([`PolicyFile`],
//! [`Policy::parse`]) or from the defaults, and from what this machine's networks are
//! ([`HostNetworks`]). The same ranges are written as an nftables ruleset by [`Policy::nftables`].
//!
//! Special addresses: RFC 6890 and IANA's special-purpose registries (`special`).
#![forbid(unsafe_code)]

pub mod defaults;

mod denied;
mod digest;
mod exceptions;
mod file;
mod host;
mod nft;
mod parse;
mod policy;
mod range;
mod routes;
mod rules;
mod special;
mod text;

pub use denied::Denied;
pub use digest::{DIGEST_CONTEXT, PolicyDigest};
pub use file::{LoadError, MAX_FILE, PolicyFile};
pub use host::{HostError, HostNetworks};
pub use nft::{NameError, NftNames};
pub use parse::ParseError;
pub use policy::{Policy, Protocol};
pub use rules::Mode;
