//! Writes manifest and verifying keys of the development setup into the folder given, by default
//! `params`. The same as `veilpool params setup-dev --write`.

use std::path::PathBuf;

use veilpool_params::{SetupError, setup};

fn main() -> Result<(), SetupError> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| PathBuf::from("params"), PathBuf::from);
    let manifest = setup::write_development(&folder, &mut |stage, fraction| {
        eprintln!("{:3.0} % {stage}", fraction * 100.0);
    })?;
    for record in manifest.records() {
        println!("{} {} constraints", record.stem(), record.constraints);
    }
    Ok(())
}
