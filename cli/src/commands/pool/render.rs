//! A pool's figures as a table for people: amounts in whole tokens, bars of block characters.

use std::fmt::Write as _;

use super::show::{Figures, OpenEpoch, State};

/// Nothing is wider.
#[cfg(test)]
const WIDTH: usize = 100;
/// Of the label before a bar, or before text.
const LABEL: usize = 12;
/// Of the assets' bar.
const WIDE: usize = 60;
/// Of an epoch's bars.
const NARROW: usize = 24;
/// More aren't shown.
const MOST_DECIMALS: usize = 12;
/// Characters of parts: reserved or paid, queued, free or left.
const FULL: char = '█';
const HALF: char = '▓';
const LIGHT: char = '░';

/// A colour's code, where the output is a terminal.
#[derive(Clone, Copy)]
enum Colour {
    Yellow = 33,
    Magenta = 35,
    Green = 32,
    Red = 31,
}

struct Paint(bool);

impl Paint {
    fn on(&self, colour: Colour, text: &str) -> String {
        if self.0 && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", colour as u8)
        } else {
            text.to_owned()
        }
    }
}

/// All of it. No line has more than a hundred columns; without colours there are no escape codes.
pub(super) fn render(figures: &Figures, coloured: bool) -> String {
    let (paint, f) = (Paint(coloured), figures);
    let amount = |value| tokens(value, f.decimals);
    let mut out = String::new();
    // Writing to a string can't fail.
    let mut line = |label: &str, text: &str| {
        let _ = writeln!(out, "{label:<LABEL$}{text}");
    };
    line("pool", &f.pool);
    line("token", &format!("{} ({} decimals)", f.mint, f.decimals));
    line("share mint", &f.share_mint);
    line("authority", &f.authority);
    if let Some(next) = &f.next_authority {
        line("", &format!("being handed over to {next}"));
    }
    line("claims", &claims(f, &paint));
    line("", "");

    let queued = f.queued_worth.min(f.available);
    let parts = [
        (f.reserved, FULL, Colour::Yellow),
        (queued, HALF, Colour::Magenta),
        (f.free, LIGHT, Colour::Green),
    ];
    line("assets", &format!("{} tokens", amount(f.assets)));
    line("", &bar(&parts, WIDE, &paint));
    for (name, value, (_, mark, colour)) in [
        ("reserved", f.reserved, parts[0]),
        ("queued", f.queued_worth, parts[1]),
        ("free", f.free, parts[2]),
    ] {
        let mark = paint.on(colour, &mark.to_string());
        let share = percent(value, f.assets);
        line(
            "",
            &format!("{mark} {name:<9}{:>27} {share:>8}", amount(value)),
        );
    }
    line("", "");
    for (label, text) in facts(f) {
        line(label, &text);
    }
    for epoch in &f.epochs {
        line("", "");
        for (label, text) in of_epoch(epoch, f, &paint) {
            line(&label, &text);
        }
    }
    let lines = out.lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n")
}

fn claims(f: &Figures, paint: &Paint) -> String {
    if f.frozen {
        let text = "FROZEN: more valid claims than operators; only governance can lift it";
        paint.on(Colour::Red, text)
    } else if f.paused {
        let left = f.paused_until.saturating_sub(f.now);
        let text = format!("paused until {}, for {left} s more", f.paused_until);
        paint.on(Colour::Red, &text)
    } else {
        "taken".to_owned()
    }
}

fn facts(f: &Figures) -> Vec<(&'static str, String)> {
    let amount = |value| tokens(value, f.decimals);
    let shares = |value| tokens(value, f.decimals.saturating_add(3));
    let p = |name| f.parameter(name);
    let percent = |name| format!("{}.{:02} %", p(name) / 100, p(name) % 100);
    let next = match f.seconds_until_next_epoch {
        None if f.frozen => "can't be opened: frozen".to_owned(),
        None => "can't be opened: there are no operators".to_owned(),
        Some(0) => "may be opened now".to_owned(),
        Some(seconds) => format!("may be opened in {seconds} s"),
    };
    vec![
        (
            "shares",
            format!("{}, at {:.6} tokens each", shares(f.shares), f.share_price),
        ),
        (
            "handed in",
            format!(
                "{} shares, paid after {} s",
                shares(f.queued),
                p("cooldown_seconds")
            ),
        ),
        (
            "bonds",
            format!(
                "{} tokens, {} for an operator",
                amount(f.bonded),
                amount(p("bond"))
            ),
        ),
        ("channels", format!("{} tokens", amount(f.escrowed))),
        (
            "price",
            format!("{} tokens per GiB", per_gib(f.price, f.decimals)),
        ),
        (
            "operators",
            format!(
                "{} in {} places, {} measurers, {} classes",
                f.operators,
                f.leaves,
                f.measurers.len(),
                f.classes.len()
            ),
        ),
        (
            "epochs",
            format!(
                "{} s, claims for {} s",
                p("epoch_seconds"),
                p("claim_window_seconds")
            ),
        ),
        (
            "rewards",
            format!(
                "at most {} for weight 1, and {} of what is free",
                amount(p("rate_cap")),
                percent("outflow_bps")
            ),
        ),
        ("changes", format!("wait for {} s", f.timelock_seconds)),
        ("next", format!("epoch {} {next}", f.next_epoch)),
    ]
}

fn of_epoch(epoch: &OpenEpoch, f: &Figures, paint: &Paint) -> Vec<(String, String)> {
    let amount = |value| tokens(value, f.decimals);
    let until = |at: i64| at.saturating_sub(f.now);
    let state = match epoch.state {
        State::Announced => format!("begins in {} s", until(epoch.starts_at)),
        State::Running => format!("ends in {} s", until(epoch.ends_at)),
        State::Claiming => format!("claims for {} s more", until(epoch.claim_until)),
        State::Shut => "shut, can be closed".to_owned(),
    };
    let paused = match epoch.paused_seconds {
        0 => String::new(),
        seconds => format!(" ({seconds} s of them paused)"),
    };
    let money = [
        (epoch.paid, FULL, Colour::Yellow),
        (epoch.reserved, LIGHT, Colour::Green),
    ];
    let left = epoch.operators.saturating_sub(epoch.claims);
    let people = [
        (epoch.claims.into(), FULL, Colour::Yellow),
        (left.into(), LIGHT, Colour::Green),
    ];
    vec![
        (format!("epoch {}", epoch.epoch), state),
        (
            "  window".to_owned(),
            format!("{} to {}{paused}", epoch.ends_at, epoch.claim_until),
        ),
        (
            "  paid".to_owned(),
            format!(
                "{} {} of {}",
                bar(&money, NARROW, paint),
                amount(epoch.paid),
                amount(epoch.budget)
            ),
        ),
        (
            "  claims".to_owned(),
            format!(
                "{} {} of {}",
                bar(&people, NARROW, paint),
                epoch.claims,
                epoch.operators
            ),
        ),
    ]
}

/// A bar of parts. What isn't nothing is seen, unless there are more parts than characters; an empty whole is all
/// of the last part.
fn bar(parts: &[(u64, char, Colour)], width: usize, paint: &Paint) -> String {
    let whole: u128 = parts.iter().map(|(value, ..)| u128::from(*value)).sum();
    let mut left = width;
    let mut out = String::new();
    for (index, (value, mark, colour)) in parts.iter().enumerate() {
        let rest: u128 = parts
            .iter()
            .skip(index)
            .map(|(value, ..)| u128::from(*value))
            .sum();
        let later = parts
            .iter()
            .skip(index + 1)
            .filter(|(value, ..)| *value > 0)
            .count();
        let is_last = index + 1 == parts.len();
        let cells = if is_last || (rest > 0 && u128::from(*value) == rest) {
            left
        } else if *value == 0 {
            0
        } else {
            let even = u128::from(*value)
                .saturating_mul(width as u128)
                .saturating_add(whole / 2)
                .checked_div(whole)
                .unwrap_or(0);
            (even as usize).clamp(1, left.saturating_sub(later).max(1))
        };
        let cells = cells.min(left);
        left -= cells;
        let text: String = std::iter::repeat_n(*mark, cells).collect();
        out.push_str(&paint.on(*colour, &text));
    }
    out
}

fn percent(part: u64, whole: u64) -> String {
    let tenths = (u128::from(part) * 1_000)
        .checked_div(u128::from(whole))
        .unwrap_or(0);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// An amount in whole tokens, thousands apart, without needless zeros but with two decimals.
fn tokens(amount: u64, decimals: u8) -> String {
    let digits = format!("{amount:0>width$}", width = usize::from(decimals) + 1);
    let (whole, part) = digits.split_at(digits.len() - usize::from(decimals));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let kept = part.trim_end_matches('0').len().max(2).min(part.len());
    // Nobody's token has so many decimals; if one does, the line stays a line.
    let kept = kept.min(MOST_DECIMALS);
    match part.get(..kept) {
        Some(part) if !part.is_empty() => format!("{grouped}.{part}"),
        _ => grouped,
    }
}

/// A price in millionths of the smallest unit per MiB as whole tokens per GiB.
fn per_gib(price: u64, decimals: u8) -> String {
    let units = u128::from(price) * 1_024 / 1_000_000;
    match u64::try_from(units) {
        Ok(units) => tokens(units, decimals),
        Err(_) => format!("more than {}", tokens(u64::MAX, decimals)),
    }
}

#[cfg(test)]
mod tests;
