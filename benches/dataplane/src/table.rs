//! Tables of the document.

use crate::{
    measure::FLOOD,
    report::{Part, Report, Row},
    stats::{best, median, median_ratio},
};

/// Who is ours, in a row.
const OURS: &str = "veilpool";
const TUN: &str = "veilpool, TUN";
const USERSPACE: &str = "veilpool, user space";
const NOTHING: &str = "no tunnel";
/// Blocks of the document, in its order.
pub(crate) const BLOCKS: [&str; 5] = ["targets", "contest", "our-client", "duties", "flood"];

/// Transfers and their heads.
const RATES: [(&str, &str); 6] = [
    ("tcp1_up", "TCP up"),
    ("tcp1_down", "TCP down"),
    ("tcp4_up", "4 × TCP up"),
    ("tcp4_down", "4 × TCP down"),
    ("udp_up", "UDP up (lost)"),
    ("udp_down", "UDP down (lost)"),
];

/// One block's text.
pub(crate) fn block(name: &str, report: &Report) -> String {
    let part = |name: &str| report.parts.get(name);
    let missing = || "Not measured yet.\n".to_owned();
    match name {
        "targets" => targets(report),
        "contest" => part("contest").map_or_else(missing, |part| contest(part, itself)),
        "our-client" => part("contest").map_or_else(missing, |part| contest(part, our_client)),
        "duties" => ["policy", "idle", "active"]
            .map(|name| part(name).map_or_else(|| format!("{name}: not measured yet.\n"), duties))
            .join("\n"),
        _ => part("flood").map_or_else(missing, flood),
    }
}

// The mode without privileges is an exit only; its client is ours.
fn itself(row: &Row) -> bool {
    row.client == row.exit || row.exit == USERSPACE
}

fn our_client(row: &Row) -> bool {
    row.client == TUN || row.exit == NOTHING
}

fn is_other(row: &Row) -> bool {
    !row.exit.starts_with(OURS) && row.exit != NOTHING
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
}

fn times(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.2}×"))
}

fn get(row: &Row, name: &str) -> Option<f64> {
    row.medians.get(name).copied()
}

/// Of rows of a part that are measured together: ours beside the best of the others, round for round.
fn to_best(part: &Part, ours: &Row, others: &[&Row], name: &str) -> Option<f64> {
    median_ratio((0..part.rounds as usize).map(|round| {
        let others = others.iter().map(|other| other.at(round, name));
        (ours.at(round, name), best(others))
    }))
}

fn contest(part: &Part, group: fn(&Row) -> bool) -> String {
    let rows: Vec<&Row> = part.rows.iter().filter(|row| group(row)).collect();
    let others: Vec<&Row> = rows.iter().copied().filter(|row| is_other(row)).collect();
    let mut out = String::from("Gbit/s that arrived:\n\n| exit |");
    out += &RATES.map(|(_, head)| format!(" {head} |")).concat();
    out += &format!("\n|---|{}\n", "---:|".repeat(RATES.len()));
    for row in &rows {
        out += &format!("| {} |", row.exit);
        for (name, _) in RATES {
            let loss = get(row, &format!("{name}_loss"));
            let loss = loss.map_or(String::new(), |loss| format!(" ({:.0} %)", loss * 100.0));
            out += &format!(" {}{loss} |", number(get(row, &format!("{name}_gbit")), 2));
        }
        out += "\n";
    }
    for row in rows.iter().filter(|row| row.exit.starts_with(OURS)) {
        out += &format!("| {} / best other |", row.exit);
        for (name, _) in RATES {
            out += &format!(
                " {} |",
                times(to_best(part, row, &others, &format!("{name}_gbit")))
            );
        }
        out += "\n";
    }
    out += "\nProcessor seconds for each GB of one TCP stream, and round trips beside it in milliseconds:\n\n";
    out += "| exit | exit, up | exit, down | client, up | client, down | p50, up | p99, up | p50, down | p99, down |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    for row in &rows {
        out += &format!("| {} |", row.exit);
        for name in ["exit_cpu", "client_cpu"] {
            for direction in ["up", "down"] {
                out += &format!(
                    " {} |",
                    number(get(row, &format!("tcp1_{direction}_{name}")), 2)
                );
            }
        }
        for direction in ["up", "down"] {
            for name in ["p50", "p99"] {
                out += &format!(
                    " {} |",
                    number(get(row, &format!("tcp1_{direction}_ping_{name}")), 2)
                );
            }
        }
        out += "\n";
    }
    out + &below(part)
}

fn duties(part: &Part) -> String {
    let mut out = String::new();
    let Some(first) = part.rows.first() else {
        return out;
    };
    if get(first, "tcp1_up_gbit").is_none() {
        out += "| active peers | UDP up, Gbit/s | processor s/GB of the exit |\n|---|---:|---:|\n";
        for row in &part.rows {
            let of = |name: &str| {
                row.medians
                    .iter()
                    .find(|(key, _)| key.ends_with(name))
                    .map(|(_, value)| *value)
            };
            out += &format!(
                "| {} | {} | {} |\n",
                row.variant,
                number(of("_gbit"), 2),
                number(of("_cpu"), 2)
            );
        }
        return out + &below(part);
    }
    out += "| exit | TCP up, Gbit/s | TCP down | processor s/GB of the exit, up | down |\n|---|---:|---:|---:|---:|\n";
    let names = [
        "tcp1_up_gbit",
        "tcp1_down_gbit",
        "tcp1_up_exit_cpu",
        "tcp1_down_exit_cpu",
    ];
    for row in &part.rows {
        out += &format!("| {} |", row.variant);
        out += &names
            .map(|name| format!(" {} |", number(get(row, name), 2)))
            .concat();
        out += "\n";
    }
    for row in part.rows.iter().skip(1) {
        out += &format!("| {} / {} |", row.variant, first.variant);
        out += &names
            .map(|name| format!(" {} |", times(to_best(part, row, &[first], name))))
            .concat();
        out += "\n";
    }
    out + &below(part)
}

fn flood(part: &Part) -> String {
    let mut out = format!(
        "| one TCP stream | Gbit/s without | with {FLOOD} initiations a second | ratio | round trip p99 without, ms | with |\n|---|---:|---:|---:|---:|---:|\n"
    );
    for row in &part.rows {
        for direction in ["up", "down"] {
            let name = |rest: &str| format!("tcp1_{direction}_{rest}");
            let during = |rest: &str| format!("flood_{}", name(rest));
            out += &format!(
                "| {direction} | {} | {} | {} | {} | {} |\n",
                number(get(row, &name("gbit")), 2),
                number(get(row, &during("gbit")), 2),
                times(flood_ratio(row, direction)),
                number(get(row, &name("ping_p99")), 2),
                number(get(row, &during("ping_p99")), 2),
            );
        }
    }
    out + &below(part)
}

fn flood_ratio(row: &Row, direction: &str) -> Option<f64> {
    median_ratio((0..row.rounds.len()).map(|round| {
        let quiet = row.at(round, &format!("tcp1_{direction}_gbit"));
        (
            row.at(round, &format!("flood_tcp1_{direction}_gbit")),
            quiet,
        )
    }))
}

/// With what it was measured.
fn below(part: &Part) -> String {
    let machine = &part.machine;
    let absent = match part.absent.as_slice() {
        [] => String::new(),
        names => format!(" Absent: {}.", names.join(", ")),
    };
    let load = match machine.load.parse::<f64>() {
        Ok(load) if load >= 0.5 => {
            format!(" **The machine was not idle: load {load} before the run.**")
        }
        _ => String::new(),
    };
    format!(
        "\nMedians of {} rounds of {} s.{absent}{load}\n\n{}, {} threads; {}; {}; TCP {}; commit {}.\n",
        part.rounds,
        part.seconds,
        machine.processor,
        machine.threads,
        machine.system,
        machine.iperf3,
        machine.congestion,
        machine.commit
    )
}

fn targets(report: &Report) -> String {
    let mut out = String::from("| target | up | down | met |\n|---|---:|---:|---|\n");
    let contest = report.parts.get("contest");
    let row = |exit: &str| {
        contest?
            .rows
            .iter()
            .find(|row| row.exit == exit && itself(row))
    };
    let newest = |program: &str| {
        let rows = contest?.rows.iter();
        rows.filter(|row| row.exit.starts_with(program) && itself(row))
            .max_by(|a, b| a.exit.cmp(&b.exit))
    };
    let both = |value: &dyn Fn(&str) -> Option<f64>| ["up", "down"].map(value);
    for (program, least) in [("wireguard-go", 2.0), ("boringtun", 8.0)] {
        let ours = row(TUN);
        let other = newest(program);
        let found = both(&|direction| {
            to_best(
                contest?,
                ours?,
                &[other?],
                &format!("tcp1_{direction}_gbit"),
            )
        });
        let name = other.map_or(program, |row| row.exit.as_str());
        out += &line(
            &format!("TUN mode, TCP ≥ {least} × {name}"),
            found,
            times,
            |value| value >= least,
        );
    }
    let guarded = report.parts.get("policy").and_then(|part| part.rows.last());
    let found = both(&|direction| get(guarded?, &format!("tcp1_{direction}_exit_cpu")));
    let title = "exit with metering, policy and limit, ≤ 1.7 processor s/GB";
    out += &line(title, found, |value| number(value, 2), |value| value <= 1.7);
    let found = both(&|direction| get(row(USERSPACE)?, &format!("tcp1_{direction}_gbit")));
    let title = "mode without privileges, TCP ≥ 1.5 Gbit/s";
    out += &line(title, found, |value| number(value, 2), |value| value >= 1.5);
    let found = both(&|direction| {
        let name = format!("tcp1_{direction}_gbit");
        to_best(contest?, row(USERSPACE)?, &[row(TUN)?], &name)
    });
    let title = "mode without privileges, TCP ≥ half of the TUN mode";
    out += &line(title, found, times, |value| value >= 0.5);
    let flooded = report.parts.get("flood").and_then(|part| part.rows.first());
    let found = both(&|direction| flood_ratio(flooded?, direction));
    let title = format!("TCP under {FLOOD} handshake initiations a second ≥ 0.8 of without");
    out += &line(&title, found, times, |value| value >= 0.8);
    let rounds: Vec<f64> = report
        .parts
        .values()
        .map(|part| f64::from(part.rounds))
        .collect();
    if median(&rounds).is_some() && rounds.iter().any(|rounds| *rounds < 5.0) {
        out += "\nFewer than five rounds: figures to look at, not to quote.\n";
    }
    out
}

fn line(
    title: &str,
    found: [Option<f64>; 2],
    show: impl Fn(Option<f64>) -> String,
    met: impl Fn(f64) -> bool,
) -> String {
    let verdict = match found {
        [Some(up), Some(down)] if met(up) && met(down) => "yes",
        [Some(_), Some(_)] => "**no**",
        _ => "not measured",
    };
    let [up, down] = found.map(show);
    format!("| {title} | {up} | {down} | {verdict} |\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{machine::Machine, measure::Sample};

    fn part(rows: &[(&str, &str, &[f64])]) -> Part {
        let rows = rows.iter().map(|(client, exit, rates)| {
            let mut row = Row::new((*client).to_owned(), (*exit).to_owned(), "");
            for rate in *rates {
                let names = ["tcp1_up_gbit", "tcp1_down_gbit"];
                row.push(names.map(|name| (name.to_owned(), *rate)).into());
            }
            row
        });
        Part {
            machine: Machine::this(),
            rounds: 2,
            seconds: 1,
            absent: vec!["gotatun".to_owned()],
            rows: rows.collect(),
        }
    }

    fn example() -> Report {
        let go = "wireguard-go 1";
        let mut report = Report::default();
        let part = part(&[
            (NOTHING, NOTHING, &[20.0, 20.0]),
            (TUN, TUN, &[4.0, 8.0]),
            (TUN, USERSPACE, &[1.0, 2.0]),
            (go, go, &[1.0, 2.0]),
            (TUN, go, &[3.0, 3.0]),
        ]);
        report.parts.insert("contest".to_owned(), part);
        report
    }

    #[test]
    fn a_ratio_is_to_the_best_other_and_never_to_no_tunnel() {
        let report = example();
        let text = block("contest", &report);
        assert!(
            text.contains("| veilpool, TUN / best other | 4.00× | 4.00× |"),
            "{text}"
        );
        assert!(text.contains("Absent: gotatun."));
        assert!(text.contains("| wireguard-go 1 | 1.50 |"));
        let text = block("our-client", &report);
        assert!(text.contains("| wireguard-go 1 | 3.00 |"), "{text}");
    }

    #[test]
    fn a_target_is_met_missed_or_not_measured() {
        let text = block("targets", &example());
        assert!(
            text.contains("TCP ≥ 2 × wireguard-go 1 | 4.00× | 4.00× | yes |"),
            "{text}"
        );
        assert!(
            text.contains("TCP ≥ 8 × boringtun | – | – | not measured |"),
            "{text}"
        );
        assert!(
            text.contains("≥ half of the TUN mode | 0.25× | 0.25× | **no** |"),
            "{text}"
        );
        assert!(text.contains("Fewer than five rounds"));
        assert_eq!(get(&Row::new(String::new(), String::new(), ""), "x"), None);
        let empty: Sample = Sample::new();
        assert!(empty.is_empty());
    }
}
