//! The `veilpool` command.
fn main() {}
