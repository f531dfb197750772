//! Loading and reloading.

use std::fs;

use veilpool_policy::{Denied, LoadError, MAX_FILE, PolicyFile};

use crate::common::{home, tcp, web};

#[test]
fn n6_a_broken_file_is_refused_whole_and_the_old_policy_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(&path, "[ports.tcp]\nrefuse = [22]").unwrap();
    let mut file = PolicyFile::load(&path).unwrap();
    assert!(file.set_host(home()));
    assert!(!file.set_host(home()));
    let old = file.policy();

    // The first section is good and would change something.
    fs::write(
        &path,
        "[ports.tcp]\nrefuse = []\n[destinations]\nrefuse = [\"nowhere\"]",
    )
    .unwrap();
    let error = file.reload().unwrap_err();
    assert!(matches!(error, LoadError::Parse { .. }));
    assert!(
        error
            .to_string()
            .contains("policy.toml, line 4: `nowhere` is no address"),
        "{error}"
    );
    assert!(std::sync::Arc::ptr_eq(&old, &file.policy()));
    assert_eq!(tcp(&file.policy(), "1.1.1.1:22"), Err(Denied::Port));

    fs::write(&path, "[ports.tcp]\nrefuse = []").unwrap();
    assert!(file.reload().unwrap());
    assert!(!file.reload().unwrap());
    assert_eq!(tcp(&file.policy(), "1.1.1.1:22"), Ok(()));
    // What is known of the machine outlives a reload, and who holds the old policy keeps it.
    assert_eq!(web(&file.policy(), "81.2.3.4"), Err(Denied::ThisHost));
    assert_eq!(tcp(&old, "1.1.1.1:22"), Err(Denied::Port));

    fs::remove_file(&path).unwrap();
    assert!(matches!(file.reload(), Err(LoadError::Read { .. })));
    assert_eq!(tcp(&file.policy(), "1.1.1.1:22"), Ok(()));
}

#[test]
fn a_file_that_is_no_text_or_too_long_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    assert!(matches!(
        PolicyFile::load(&path),
        Err(LoadError::Read { .. })
    ));
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(matches!(
        PolicyFile::load(&path),
        Err(LoadError::NoText { .. })
    ));
    fs::write(&path, "#".repeat(MAX_FILE + 1)).unwrap();
    assert!(matches!(
        PolicyFile::load(&path),
        Err(LoadError::TooLong { .. })
    ));
    fs::write(&path, "#".repeat(MAX_FILE)).unwrap();
    assert!(PolicyFile::load(&path).is_ok());
}
