//! Files that others generate from.

use std::{env, fs, path::Path};

/// Compares a file of the repository with what it must be; with `VEILPOOL_WRITE=1` writes it.
pub(crate) fn compare(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("VEILPOOL_WRITE").is_some_and(|value| value == "1") {
        fs::write(&path, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{} is out of date; write it with VEILPOOL_WRITE=1 cargo test -p veilpool-idl --test idl, then the \
         TypeScript client with npm run generate in clients/ts",
        path.display()
    );
}

#[test]
fn the_committed_description_is_that_of_the_interface() {
    compare("veilpool.json", &veilpool_idl::json().unwrap());
}
