//! One file for each command. Each parses its arguments, calls a library, and prints.

pub(crate) mod bench;
pub(crate) mod circuit;
pub(crate) mod demo;
pub(crate) mod identity;
pub(crate) mod keeper;
pub(crate) mod localnet;
pub(crate) mod measurer;
pub(crate) mod node;
pub(crate) mod params;
pub(crate) mod pool;
pub(crate) mod prove;
pub(crate) mod relayer;
pub(crate) mod wallet;
