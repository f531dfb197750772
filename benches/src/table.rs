//! Figures as Markdown tables, for `README.md` and `docs/benchmarks.md`.

use crate::{
    machine::Machine,
    onchain::OnChain,
    peers::contest,
    proving,
    report::{Part, Report},
    stats::Stat,
};

const ABSENT: &str = "Not measured yet.\n";

/// Blocks of `docs/benchmarks.md` by name.
#[must_use]
pub fn blocks(report: &Report) -> [(&'static str, String); 7] {
    [
        ("circuits", of(&report.circuits, |c| circuits(&c.rows))),
        ("proving", of(&report.proving, |rows| proving(rows))),
        ("memory", of(&report.memory, |rows| memory(rows))),
        ("scaling", of(&report.scaling, |rows| scaling(rows))),
        ("halo2", of(&report.halo2, |rows| halo2(report, rows))),
        ("peers", of(&report.peers, peers)),
        (
            "chain",
            of(&report.chain, |figures| on_chain(figures, |_| true)),
        ),
    ]
}

/// All blocks, one after the other.
#[must_use]
pub fn all(report: &Report) -> String {
    let texts = blocks(report).map(|(name, text)| format!("## {name}\n\n{text}"));
    texts.join("\n")
}

fn of<T>(part: &Option<Part<T>>, table: impl FnOnce(&T) -> String) -> String {
    part.as_ref().map_or_else(
        || ABSENT.to_owned(),
        |part| format!("{}\n{}\n", table(&part.data), measured_on(&part.machine)),
    )
}

fn measured_on(machine: &Machine) -> String {
    format!(
        "{}, {} threads ({}), {}; {}; {}; commit {}{}.",
        machine.processor,
        machine.threads,
        machine.extensions.join(" "),
        gibibytes(machine.memory_bytes),
        machine.system,
        machine.compiler,
        machine.commit,
        if machine.debug_assertions {
            "; with debug assertions"
        } else {
            ""
        }
    )
}

/// A table whose first column is text and whose others are numbers.
struct Table(Vec<String>);

impl Table {
    fn new(headings: &[&str]) -> Self {
        let rule = format!("|---|{}", "---:|".repeat(headings.len().saturating_sub(1)));
        Self(vec![line(headings), rule])
    }

    fn row(&mut self, cells: &[String]) {
        self.0
            .push(line(&cells.iter().map(String::as_str).collect::<Vec<_>>()));
    }

    fn finish(self) -> String {
        self.0.join("\n") + "\n"
    }
}

fn line(cells: &[&str]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn circuits(rows: &[crate::circuits::Row]) -> String {
    let mut table = Table::new(&[
        "claim circuit",
        "constraints",
        "witness columns",
        "on a B side",
        "non-zeros A, B, C",
        "circom -O2, same statement",
    ]);
    for row in rows {
        table.row(&[
            format!("n = {}, {} leaves", row.n, power_of_two(row.log2_leaves)),
            grouped(row.constraints as u64),
            grouped(row.witnesses as u64),
            format!(
                "{} ({} %)",
                grouped(row.b_columns as u64),
                percent(row.b_columns, row.witnesses)
            ),
            row.non_zeros.map(|count| grouped(count as u64)).join(", "),
            format!(
                "{} ({:.2}×)",
                grouped(row.circom_constraints as u64),
                row.circom_constraints as f64 / row.constraints.max(1) as f64
            ),
        ]);
    }
    table.finish()
}

fn proving(rows: &[proving::Row]) -> String {
    let mut table = Table::new(&[
        "n, threads",
        "native check",
        "witness",
        "proof",
        "verification",
        "all together",
        "CPU",
        "loading the key",
    ]);
    for row in rows {
        table.row(&[
            format!("{}, {}", row.n, row.threads),
            millis(row.native_check_us.median),
            millis(row.witness_us.median),
            millis(row.proof_us.median),
            millis(row.verification_us.median),
            millis(row.total.wall_us.median),
            millis(row.total.cpu_us.median),
            millis(row.load.wall_us),
        ]);
    }
    table.finish()
        + &format!(
            "\nMedians of {} runs.\n",
            runs(rows.iter().map(|row| row.total.cpu_us))
        )
}

fn memory(rows: &[proving::Memory]) -> String {
    let mut table = Table::new(&[
        "n",
        "peak",
        "key loaded, before proving",
        "peak in the low-memory mode",
    ]);
    for row in rows {
        table.row(&[
            row.n.to_string(),
            row.peak_bytes.map_or_else(dash, mebibytes),
            row.loaded_bytes.map_or_else(dash, mebibytes),
            row.low_peak_bytes.map_or_else(dash, mebibytes),
        ]);
    }
    table.finish()
}

fn scaling(rows: &[crate::scaling::Row]) -> String {
    let mut table = Table::new(&["claim circuit", "constraints", "witness, CPU", "proof, CPU"]);
    for row in rows {
        table.row(&[
            format!("n = {}, {} leaves", row.n, power_of_two(row.log2_leaves)),
            grouped(row.constraints as u64),
            millis(row.witness.cpu_us.median),
            millis(row.proof.cpu_us.median),
        ]);
    }
    table.finish()
        + &format!(
            "\nOne thread. Medians of {} runs.\n",
            runs(rows.iter().map(|row| row.proof.cpu_us))
        )
}

// Groth16 beside it, with one thread too.
fn halo2(report: &Report, rows: &[crate::halo2::Row]) -> String {
    let mut table = Table::new(&[
        "system, circuit",
        "proof",
        "proving, CPU",
        "verification, CPU",
        "peak memory",
    ]);
    let groth16 = report.proving.iter().flat_map(|part| &part.data);
    for row in groth16.filter(|row| row.threads == 1) {
        let memory = report.memory.iter().flat_map(|part| &part.data);
        let peak = memory
            .filter(|memory| memory.n == row.n)
            .find_map(|memory| memory.peak_bytes);
        let sizes = crate::circuits::sizes();
        table.row(&[
            format!("Groth16, claim, n = {}", row.n),
            format!("{} B", sizes.compressed_proof_bytes),
            millis(row.total.cpu_us.median),
            millis(row.verification_us.median),
            peak.map_or_else(dash, mebibytes),
        ]);
    }
    for row in rows {
        let circuit = row
            .n
            .map_or_else(|| "listing".to_owned(), |n| format!("claim, n = {n}"));
        table.row(&[
            format!(
                "halo2, {circuit} (2^{} rows, {} columns)",
                row.k, row.advice_columns
            ),
            format!("{} B", grouped(row.proof_bytes as u64)),
            millis(row.prove.cpu_us.median),
            millis(row.verify.cpu_us.median),
            row.peak_bytes.map_or_else(dash, mebibytes),
        ]);
    }
    table.finish()
        + &format!(
            "\nOne thread; proving includes the native check and a verification. Medians of {} runs.\n",
            runs(rows.iter().map(|row| row.prove.cpu_us))
        )
}

fn peers(peers: &crate::report::Peers) -> String {
    let mut text = String::new();
    for contest in &peers.contests {
        text += &format!("**{}**\n\n{}\n", contest.title, outcome(contest));
    }
    let versions = &peers.versions;
    text += &format!(
        "snarkjs {}, circom {}, circomlib {}, Semaphore's artefacts {}, Node {}{}.\n",
        versions.snarkjs,
        versions.circom,
        versions.circomlib,
        versions.semaphore_artifacts,
        versions.node,
        versions
            .rapidsnark
            .as_ref()
            .map_or_else(String::new, |name| format!(", rapidsnark: {name}"))
    );
    text
}

fn outcome(outcome: &contest::Outcome) -> String {
    let mut table = Table::new(&[
        "prover",
        "CPU, a process per proof",
        "÷ ours",
        "wall",
        "peak memory",
        "CPU, process that stays",
        "÷ ours",
    ]);
    for row in &outcome.rows {
        table.row(&[
            row.prover.clone(),
            millis(row.cold.cpu_us.median),
            format!("{:.1}", row.cold_cpu_ratio),
            millis(row.cold.wall_us.median),
            mebibytes(row.peak_bytes.median),
            row.warm
                .map_or_else(dash, |times| millis(times.cpu_us.median)),
            row.warm_cpu_ratio
                .map_or_else(dash, |ratio| format!("{ratio:.1}")),
        ]);
    }
    table.finish()
        + &format!(
            "\nMedians of {} interleaved rounds.\n",
            runs(outcome.rows.iter().map(|row| row.cold.cpu_us))
        )
}

/// Compute units of the instructions that are wanted, and what the program weighs.
fn on_chain(figures: &OnChain, is_wanted: impl Fn(&str) -> bool) -> String {
    let mut table = Table::new(&["instruction", "compute units"]);
    let all = figures.instructions.iter();
    for instruction in all.filter(|one| is_wanted(&one.instruction)) {
        table.row(&[
            instruction.instruction.clone(),
            grouped(instruction.compute_units),
        ]);
    }
    table.finish()
        + &format!(
            "\nWhole transactions of one instruction each. The program is {} KiB.\n",
            figures.program_bytes / 1024
        )
}

/// Instructions that people send most, for the README.
const SHORT: [&str; 8] = [
    "Claim",
    "Deposit",
    "Withdraw",
    "RegisterOperator",
    "ExitOperator",
    "OpenEpoch",
    "OpenChannel",
    "SettleChannel",
];

/// For the README: one column for each n, then the program's most frequent instructions.
#[must_use]
pub fn short(report: &Report) -> String {
    let mut text = of(&report.proving, |rows| short_claims(report, rows));
    text += "\n";
    text += &report.chain.as_ref().map_or_else(
        || ABSENT.to_owned(),
        |part| on_chain(&part.data, |name| SHORT.contains(&name)),
    );
    text
}

fn short_claims(report: &Report, rows: &[proving::Row]) -> String {
    // With all threads: the last row of each n.
    let mut by_n: Vec<&proving::Row> = Vec::new();
    for row in rows {
        by_n.retain(|kept| kept.n != row.n);
        by_n.push(row);
    }
    let circuit = |n: usize| {
        let circuits = report.circuits.as_ref()?;
        circuits.data.rows.iter().find(|row| row.n == n)
    };
    let memory = |n: usize| {
        let memory = report.memory.as_ref()?;
        memory.data.iter().find(|row| row.n == n)?.peak_bytes
    };
    let sizes = crate::circuits::sizes();
    let mut headings = vec!["claim circuit".to_owned()];
    headings.extend(by_n.iter().map(|row| format!("n = {}", row.n)));
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let mut table = Table::new(&headings);
    let mut add = |name: &str, cell: &dyn Fn(&proving::Row) -> String| {
        let mut cells = vec![name.to_owned()];
        cells.extend(by_n.iter().map(|row| cell(row)));
        table.row(&cells);
    };
    add("constraints", &|row| {
        circuit(row.n).map_or_else(dash, |c| grouped(c.constraints as u64))
    });
    add("witness columns (of them on a B side)", &|row| {
        circuit(row.n).map_or_else(dash, |c| {
            format!(
                "{} ({})",
                grouped(c.witnesses as u64),
                grouped(c.b_columns as u64)
            )
        })
    });
    add("proving key", &|row| {
        let bytes = circuit(row.n).and_then(|c| c.proving_key_bytes);
        bytes.map_or_else(dash, mebibytes)
    });
    add("proof, on chain / elsewhere", &|_| {
        format!("{} / {} B", sizes.proof_bytes, sizes.compressed_proof_bytes)
    });
    add("native check", &|row| millis(row.native_check_us.median));
    add("witness", &|row| millis(row.witness_us.median));
    add("proof", &|row| millis(row.proof_us.median));
    add("verification", &|row| millis(row.verification_us.median));
    add("all together", &|row| millis(row.total.wall_us.median));
    add("loading the parameters", &|row| millis(row.load.wall_us));
    add("peak memory of a process that proves once", &|row| {
        memory(row.n).map_or_else(dash, mebibytes)
    });
    table.finish()
        + &format!(
            "\nMedians of {} runs.\n",
            runs(rows.iter().map(|row| row.total.cpu_us))
        )
}

fn runs(stats: impl Iterator<Item = Stat>) -> usize {
    stats.map(|stat| stat.runs).min().unwrap_or(0)
}

/// "2²⁰" for 20.
#[must_use]
pub fn power_of_two(exponent: usize) -> String {
    let digits = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = |letter: char| {
        letter
            .to_digit(10)
            .and_then(|digit| digits.get(digit as usize))
    };
    let raised: String = exponent.to_string().chars().filter_map(digit).collect();
    format!("2{raised}")
}

fn dash() -> String {
    "–".to_owned()
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.1}", part as f64 * 100.0 / whole.max(1) as f64)
}

/// Milliseconds with one decimal.
#[must_use]
pub fn millis(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

fn gibibytes(bytes: u64) -> String {
    format!("{} GiB", (bytes + (1 << 29)) >> 30)
}

/// With commas between thousands.
#[must_use]
pub fn grouped(number: u64) -> String {
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
        assert_eq!(gibibytes(16_000_000_000), "15 GiB");
        assert_eq!(percent(62, 100), "62.0");
        assert_eq!(power_of_two(20), "2²⁰");
    }
}
