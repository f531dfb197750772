//! Prints the compute units of every instruction and the sizes of the binaries, one JSON object a line.

use veilpool_program_harness::figures;

fn main() {
    for figure in figures::measure() {
        let line = serde_json::json!({
            "instruction": figure.instruction,
            "compute_units": figure.compute_units,
        });
        println!("{line}");
    }
    for (file, bytes) in figures::sizes() {
        println!("{}", serde_json::json!({ "file": file, "bytes": bytes }));
    }
}
