//! Measurements of proving: times by medians, sizes, and peak memory of a child process of its own,
//! so that nothing else is counted. `cargo run -p veilpool-benches --bin report` prints them as a
//! table or as JSON.

#![forbid(unsafe_code)]

pub mod machine;
pub mod measure;
pub mod memory;
pub mod onchain;
pub mod table;
