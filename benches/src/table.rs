//! Figures as a Markdown table, for `README.md` and `docs/benchmarks.md`.

use crate::{machine::Machine, measure::Claim, onchain::OnChain};

/// One column for each number of measurers, and a line that says where it was measured.
#[must_use]
pub fn markdown(machine: &Machine, claims: &[Claim]) -> String {
    let mut lines = vec![
        row("claim circuit", claims, |claim| format!("n = {}", claim.n)),
        format!("|---|{}", "---:|".repeat(claims.len())),
        row("constraints", claims, |claim| {
            grouped(claim.constraints as u64)
        }),
        row("witness columns (of them on a B side)", claims, |claim| {
            format!(
                "{} ({})",
                grouped(claim.witnesses as u64),
                grouped(claim.b_columns as u64)
            )
        }),
        row("proving key", claims, |claim| {
            mebibytes(claim.proving_key_bytes)
        }),
        row("proof, on chain / elsewhere", claims, |claim| {
            format!("{} / {} B", claim.proof_bytes, claim.compressed_proof_bytes)
        }),
        row("native check", claims, |claim| {
            millis(claim.native_check_us)
        }),
        row("witness", claims, |claim| millis(claim.witness_us)),
        row("proof", claims, |claim| millis(claim.proof_us)),
        row("verification", claims, |claim| {
            millis(claim.verification_us)
        }),
        row("all together", claims, |claim| millis(claim.total_us)),
        row("loading the parameters", claims, |claim| {
            millis(claim.load_us)
        }),
        row(
            "peak memory of a process that proves once",
            claims,
            |claim| claim.peak_memory.map_or_else(|| "–".to_owned(), mebibytes),
        ),
    ];
    let runs = claims.iter().map(|claim| claim.runs).min().unwrap_or(0);
    lines.push(String::new());
    lines.push(format!(
        "Medians of {runs} runs; {}, {} threads; commit {}{}.",
        machine.processor,
        machine.threads,
        machine.commit,
        if machine.debug_assertions {
            "; development profile (optimised, with assertions)"
        } else {
            ""
        }
    ));
    lines.join("\n") + "\n"
}

/// Compute units of each instruction, and what the program weighs.
#[must_use]
pub fn on_chain(figures: &OnChain) -> String {
    let mut lines = vec![
        "| instruction | compute units |".to_owned(),
        "|---|---:|".to_owned(),
    ];
    lines.extend(figures.instructions.iter().map(|instruction| {
        format!(
            "| {} | {} |",
            instruction.instruction,
            grouped(instruction.compute_units)
        )
    }));
    lines.push(String::new());
    lines.push(format!(
        "Whole transactions of one instruction each. The program is {} KiB.",
        figures.program_bytes / 1024
    ));
    lines.join("\n") + "\n"
}

fn row(name: &str, claims: &[Claim], cell: impl Fn(&Claim) -> String) -> String {
    let cells: Vec<String> = claims.iter().map(cell).collect();
    format!("| {name} | {} |", cells.join(" | "))
}

fn millis(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(14_298), "14,298");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(millis(244_303), "244.3 ms");
        assert_eq!(mebibytes(5_634_416), "5.3 MiB");
    }
}
