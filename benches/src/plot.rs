//! Figures as SVG, drawn here with the crate `svg`: three kinds of plot are fewer lines than teaching a plotting library
//! our looks.

use svg::{
    Document,
    node::element::{Circle, Group, Line, Path, Rectangle, Text, path::Data},
};

use crate::{
    peers::contest::Outcome,
    report::Report,
    table::{grouped, millis, power_of_two},
};

const WIDTH: f64 = 820.0;
const FONT: &str =
    "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif";
const INK: &str = "#1f2430";
const FAINT: &str = "#6b7280";
const GRID: &str = "#e3e6ea";
const OURS: &str = "#0f766e";
const OURS_OTHERWISE: &str = "#5eead4";
const THEIRS: &str = "#94a3b8";
const SERIES: [&str; 3] = ["#0f766e", "#2563eb", "#b45309"];
const PHASES: [&str; 9] = [
    "#1e3a5f", "#2563eb", "#b45309", "#134e4a", "#0f766e", "#14b8a6", "#5eead4", "#a7f3d0",
    "#94a3b8",
];

/// Files of a report by name. A plot without data isn't there.
#[must_use]
pub fn all(report: &Report) -> Vec<(&'static str, String)> {
    let mut plots = Vec::new();
    plots.extend(constraints(report).map(|svg| ("proving-by-constraints.svg", svg)));
    plots.extend(phases(report).map(|svg| ("phases.svg", svg)));
    plots.extend(peers(report).map(|svg| ("peers.svg", svg)));
    plots
}

/// A point of a scatter plot.
struct Point {
    x: f64,
    y: f64,
    label: String,
}

// Proving time by constraints, one thread.
fn constraints(report: &Report) -> Option<String> {
    let rows = &report.scaling.as_ref()?.data;
    let series: Vec<(String, Vec<Point>)> = [3usize, 5, 7]
        .iter()
        .map(|n| {
            let points = rows.iter().filter(|row| row.n == *n).map(|row| Point {
                x: row.constraints as f64,
                y: row.proof.cpu_us.median as f64 / 1e3,
                label: power_of_two(row.log2_leaves),
            });
            (format!("n = {n}"), points.collect::<Vec<_>>())
        })
        .filter(|(_, points)| !points.is_empty())
        .collect();
    scatter(
        "Proving by constraints",
        "proof, ms of CPU, one thread; labels: leaves of the registry",
        "constraints",
        &series,
    )
}

fn scatter(
    title: &str,
    subtitle: &str,
    x_name: &str,
    series: &[(String, Vec<Point>)],
) -> Option<String> {
    let points = || series.iter().flat_map(|(_, points)| points);
    let highest = |of: fn(&Point) -> f64| points().map(of).fold(0.0, f64::max);
    let (x_step, y_step) = (step(highest(|p| p.x)), step(highest(|p| p.y)));
    let (x_top, y_top) = (
        (highest(|p| p.x) / x_step).ceil() * x_step,
        (highest(|p| p.y) / y_step).ceil() * y_step,
    );
    if x_top <= 0.0 || y_top <= 0.0 {
        return None;
    }
    let (left, right, top, bottom) = (70.0, WIDTH - 30.0, 84.0, 390.0);
    let at = |x: f64, y: f64| {
        (
            left + x / x_top * (right - left),
            bottom - y / y_top * (bottom - top),
        )
    };
    let mut document = page(460.0, title, subtitle);
    for i in 0..=(y_top / y_step).round() as usize {
        let value = i as f64 * y_step;
        let (_, y) = at(0.0, value);
        document = document.add(rule(left, y, right, y)).add(label(
            left - 10.0,
            y + 4.0,
            &whole(value),
            "end",
            FAINT,
            12,
        ));
    }
    for i in 0..=(x_top / x_step).round() as usize {
        let value = i as f64 * x_step;
        let (x, _) = at(value, 0.0);
        document = document.add(label(x, bottom + 20.0, &whole(value), "middle", FAINT, 12));
    }
    document = document.add(label(right, bottom + 42.0, x_name, "end", FAINT, 12));
    for (index, (name, points)) in series.iter().enumerate() {
        let colour = SERIES[index % SERIES.len()];
        let mut data = Data::new();
        for (i, point) in points.iter().enumerate() {
            let place = at(point.x, point.y);
            data = if i == 0 {
                data.move_to(place)
            } else {
                data.line_to(place)
            };
        }
        let path = Path::new()
            .set("d", data)
            .set("fill", "none")
            .set("stroke", colour)
            .set("stroke-width", 2);
        document = document.add(path);
        for point in points {
            let (x, y) = at(point.x, point.y);
            document = document
                .add(
                    Circle::new()
                        .set("cx", x)
                        .set("cy", y)
                        .set("r", 4)
                        .set("fill", colour),
                )
                .add(label(x, y - 10.0, &point.label, "middle", FAINT, 11));
        }
        document = document.add(key(left + 90.0 * index as f64, bottom + 52.0, colour, name));
    }
    Some(document.to_string())
}

// Phases of a claim, one thread, by n.
fn phases(report: &Report) -> Option<String> {
    let rows = &report.proving.as_ref()?.data;
    let bars: Vec<Bar> = rows
        .iter()
        .filter(|row| row.threads == 1)
        .map(|row| {
            let proof = &row.phases;
            let parts = [
                row.native_check_us.median,
                row.witness_us.median,
                proof.quotient_us.median,
                proof.h_us.median,
                proof.l_us.median,
                proof.a_us.median,
                proof.b_g1_us.median,
                proof.b_g2_us.median,
                row.verification_us.median,
            ];
            Bar {
                name: format!("n = {}", row.n),
                parts: parts.iter().zip(PHASES).map(|(us, c)| (*us, c)).collect(),
                note: millis(parts.iter().sum()),
            }
        })
        .collect();
    let names = [
        "native check",
        "witness",
        "quotient",
        "h",
        "l",
        "a",
        "b in G1",
        "b in G2",
        "verification",
    ];
    let groups = [(String::new(), bars)];
    bar_chart(
        "Phases of a claim",
        "one thread, wall, medians; h, l, a, b are the multi-scalar multiplications",
        &groups,
        &names.into_iter().zip(PHASES).collect::<Vec<_>>(),
    )
}

// CPU of each prover.
fn peers(report: &Report) -> Option<String> {
    let contests = &report.peers.as_ref()?.data.contests;
    let bars = |contest: &Outcome| -> Vec<Bar> {
        let last = contest.rows.len().saturating_sub(1);
        let rows = contest.rows.iter().enumerate();
        rows.map(|(index, row)| Bar {
            name: row.prover.clone(),
            parts: vec![(row.cold.cpu_us.median, colour(&row.prover, index == last))],
            note: if index == last {
                millis(row.cold.cpu_us.median)
            } else {
                format!(
                    "{}  ({:.1}×)",
                    millis(row.cold.cpu_us.median),
                    row.cold_cpu_ratio
                )
            },
        })
        .collect()
    };
    let groups: Vec<(String, Vec<Bar>)> = contests
        .iter()
        .map(|contest| (contest.title.clone(), bars(contest)))
        .collect();
    bar_chart(
        "Provers side by side",
        "CPU of one proof in a process of its own, all threads, medians of interleaved rounds",
        &groups,
        &[],
    )
}

fn colour(prover: &str, ours: bool) -> &'static str {
    match (ours, prover.starts_with("Veilpool")) {
        (true, _) => OURS,
        (false, true) => OURS_OTHERWISE,
        (false, false) => THEIRS,
    }
}

/// One bar.
struct Bar {
    name: String,
    // Microseconds and colour.
    parts: Vec<(u64, &'static str)>,
    note: String,
}

const BAR: f64 = 22.0;
const PITCH: f64 = 32.0;
const KEYS_IN_ROW: usize = 5;

// Horizontal bars in groups, each group with a scale of its own.
fn bar_chart(
    title: &str,
    subtitle: &str,
    groups: &[(String, Vec<Bar>)],
    keys: &[(&str, &str)],
) -> Option<String> {
    let bars: usize = groups.iter().map(|(_, bars)| bars.len()).sum();
    if bars == 0 {
        return None;
    }
    let headings = groups
        .iter()
        .filter(|(heading, _)| !heading.is_empty())
        .count();
    let keys_height = keys.len().div_ceil(KEYS_IN_ROW) as f64 * 24.0 + 10.0;
    let height = 92.0 + bars as f64 * PITCH + headings as f64 * 46.0 + keys_height;
    let (left, right) = (220.0, WIDTH - 160.0);
    let mut document = page(height, title, subtitle);
    let mut y = 84.0;
    for (heading, bars) in groups {
        if !heading.is_empty() {
            document = document.add(label(30.0, y + 16.0, heading, "start", INK, 13));
            y += 30.0;
        }
        let total = |bar: &Bar| bar.parts.iter().map(|(us, _)| us).sum::<u64>();
        let longest = bars.iter().map(total).max().unwrap_or(0).max(1) as f64;
        for bar in bars {
            document = document.add(label(left - 12.0, y + 15.5, &bar.name, "end", INK, 13));
            let mut x = left;
            for (us, colour) in &bar.parts {
                let width = *us as f64 / longest * (right - left);
                let part = Rectangle::new()
                    .set("x", x)
                    .set("y", y)
                    .set("width", width.max(1.0))
                    .set("height", BAR)
                    .set("fill", *colour);
                document = document.add(part);
                x += width;
            }
            document = document.add(label(x + 10.0, y + 15.5, &bar.note, "start", FAINT, 12));
            y += PITCH;
        }
        if !heading.is_empty() {
            y += 16.0;
        }
    }
    for (index, (name, colour)) in keys.iter().enumerate() {
        let (column, row) = (index % KEYS_IN_ROW, index / KEYS_IN_ROW);
        let (x, y) = (left + 118.0 * column as f64, y + 14.0 + 24.0 * row as f64);
        document = document.add(key(x, y, colour, name));
    }
    Some(document.to_string())
}

fn page(height: f64, title: &str, subtitle: &str) -> Document {
    // A background of its own: pages are shown on dark ones too.
    let background = Rectangle::new()
        .set("width", WIDTH)
        .set("height", height)
        .set("rx", 8)
        .set("fill", "#ffffff");
    Document::new()
        .set("viewBox", (0.0, 0.0, WIDTH, height))
        .set("width", WIDTH)
        .set("height", height)
        .set("font-family", FONT)
        .add(background)
        .add(label(30.0, 36.0, title, "start", INK, 18).set("font-weight", 600))
        .add(label(30.0, 58.0, subtitle, "start", FAINT, 12))
}

fn label(x: f64, y: f64, text: &str, anchor: &str, colour: &str, size: u32) -> Text {
    Text::new(text)
        .set("x", x)
        .set("y", y)
        .set("text-anchor", anchor)
        .set("fill", colour)
        .set("font-size", size)
}

fn rule(x1: f64, y1: f64, x2: f64, y2: f64) -> Line {
    Line::new()
        .set("x1", x1)
        .set("y1", y1)
        .set("x2", x2)
        .set("y2", y2)
        .set("stroke", GRID)
}

fn key(x: f64, y: f64, colour: &str, name: &str) -> Group {
    let square = Rectangle::new()
        .set("x", x)
        .set("y", y - 10.0)
        .set("width", 12)
        .set("height", 12)
        .set("fill", colour);
    Group::new()
        .add(square)
        .add(label(x + 18.0, y, name, "start", INK, 12))
}

// 1, 2 or 5 times a power of ten, so that there are about five lines.
fn step(highest: f64) -> f64 {
    if highest <= 0.0 {
        return 1.0;
    }
    let rough = highest / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

fn whole(value: f64) -> String {
    grouped(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert!((step(740.0) - 200.0).abs() < 1e-9);
        assert!((step(16_000.0) - 5_000.0).abs() < 1e-9);
        assert!((step(5.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_plot_escapes_its_text_and_one_without_data_is_not_there() {
        assert_eq!(all(&Report::default()), Vec::new());
        let bar = Bar {
            name: "a < b & c".to_owned(),
            parts: vec![(10, OURS)],
            note: String::new(),
        };
        let svg = bar_chart("t", "s", &[(String::new(), vec![bar])], &[]).unwrap_or_default();
        assert!(svg.contains("a &lt; b &amp; c"), "{svg}");
    }
}
