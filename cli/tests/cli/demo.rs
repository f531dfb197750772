//! The demo, as `make demo` runs it.

use super::process;

#[test]
fn the_demo_pays_three_nodes_by_class_and_refuses_the_cheat_with_the_exact_reasons() {
    let report = process::json(&["demo", "--seed", "7"]);
    let rows: Vec<(&str, Option<u64>, u64)> = report["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["node"].as_str().unwrap(),
                row["class"].as_u64(),
                row["paid"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("fast", Some(7), 9_990_000),
            ("slow", Some(6), 7_990_000),
            ("flaky", Some(0), 990_000),
            ("cheat", None, 0)
        ]
    );
    let refusals: Vec<(&str, &str)> = report["cheat"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| {
            (
                attempt["refused_by"].as_str().unwrap(),
                attempt["found"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(refusals[0].0, "prover");
    assert!(
        refusals[0].1.contains("attestation validity"),
        "{}",
        refusals[0].1
    );
    assert_eq!(
        refusals[1..],
        [
            ("relayer", "InvalidProof"),
            ("program", "InvalidProof (6035)"),
            ("program", "InvalidProof (6035)"),
            ("program", "AlreadyClaimed (6031)")
        ]
    );
    assert_eq!(report["as_expected"], true);
}
