//! A node: the data plane that forwards guests' traffic, and the daemon that has it measured and
//! claims what it earned.

#![forbid(unsafe_code)]

pub mod exit;
