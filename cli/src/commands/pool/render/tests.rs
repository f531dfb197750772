//! What the table looks like.

use serde_json::Map;
use veilpool_interface::class::default_table;

use super::*;

fn figures() -> Figures {
    let mut parameters = Map::new();
    for (name, value) in [
        ("bond", 100_000_000u64),
        ("epoch_seconds", 60),
        ("claim_window_seconds", 120),
        ("cooldown_seconds", 180),
        ("rate_cap", 1_000_000),
        ("outflow_bps", 1_050),
    ] {
        parameters.insert(name.to_owned(), value.into());
    }
    let address = |byte: char| byte.to_string().repeat(44);
    Figures {
        pool: address('P'),
        mint: address('M'),
        decimals: 6,
        share_mint: address('S'),
        vault: address('V'),
        bond_vault: address('B'),
        escrow_vault: address('E'),
        founder: address('F'),
        authority: address('A'),
        next_authority: None,
        genesis_hash: String::new(),
        domain: String::new(),
        set_hash: String::new(),
        verifying_key: String::new(),
        timelock_seconds: 240,
        parameters,
        measurers: vec![String::new(); 5],
        classes: default_table(),
        now: 1_000,
        assets: 100_000_000_000,
        reserved: 10_000_000_000,
        available: 90_000_000_000,
        queued_worth: 500_000,
        free: 89_999_500_000,
        shares: 100_000_000_000_000,
        queued: 500_000_000,
        share_price: 1.0,
        bonded: 400_000_000,
        escrowed: 0,
        operators: 4,
        leaves: 5,
        next_epoch: 1,
        latest_ends_at: 1_020,
        last_window: 1_140,
        seconds_until_next_epoch: Some(5),
        price: 9_765_625,
        settled: 0,
        attested: 0,
        next_channel: 0,
        paused: false,
        paused_until: 0,
        paused_seconds: 0,
        frozen: false,
        epochs: vec![OpenEpoch {
            epoch: 0,
            state: State::Claiming,
            starts_at: 900,
            ends_at: 960,
            claim_until: 1_110,
            paused_seconds: 30,
            leaves: 5,
            operators: 4,
            measurers: 5,
            rate: 1_000_000,
            budget: 48_000_000,
            paid: 12_000_000,
            reserved: 36_000_000,
            claims: 3,
        }],
    }
}

#[test]
fn a_pool_is_shown_as_a_table_with_bars() {
    let expected = format!(
        "\
pool        {p}
token       {m} (6 decimals)
share mint  {s}
authority   {a}
claims      taken

assets      100,000.00 tokens
            ██████▓░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            █ reserved                   10,000.00   10.0 %
            ▓ queued                          0.50    0.0 %
            ░ free                       89,999.50   89.9 %

shares      100,000.00, at 1.000000 tokens each
handed in   0.50 shares, paid after 180 s
bonds       400.00 tokens, 100.00 for an operator
channels    0.00 tokens
price       0.01 tokens per GiB
operators   4 in 5 places, 5 measurers, 9 classes
epochs      60 s, claims for 120 s
rewards     at most 1.00 for weight 1, and 10.50 % of what is free
changes     wait for 240 s
next        epoch 1 may be opened in 5 s

epoch 0     claims for 110 s more
  window    960 to 1110 (30 s of them paused)
  paid      ██████░░░░░░░░░░░░░░░░░░ 12.00 of 48.00
  claims    ██████████████████░░░░░░ 3 of 4",
        p = "P".repeat(44),
        m = "M".repeat(44),
        s = "S".repeat(44),
        a = "A".repeat(44),
    );
    assert_eq!(render(&figures(), false), expected);
}

#[test]
fn escape_codes_are_for_terminals_only_and_change_nothing_else() {
    let plain = render(&figures(), false);
    let coloured = render(&figures(), true);
    assert!(!plain.contains('\u{1b}'));
    assert!(coloured.contains('\u{1b}'));
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn no_line_is_wider_than_a_hundred_columns() {
    let mut largest = figures();
    for name in ["bond", "rate_cap"] {
        largest.parameters.insert(name.to_owned(), u64::MAX.into());
    }
    for name in ["epoch_seconds", "claim_window_seconds", "cooldown_seconds"] {
        largest.parameters.insert(name.to_owned(), u32::MAX.into());
    }
    (largest.assets, largest.reserved, largest.free) = (u64::MAX, u64::MAX, u64::MAX);
    (largest.available, largest.queued_worth) = (u64::MAX, u64::MAX);
    (largest.shares, largest.queued) = (u64::MAX, u64::MAX);
    (largest.bonded, largest.escrowed, largest.price) = (u64::MAX, u64::MAX, u64::MAX);
    largest.share_price = u64::MAX as f64;
    (largest.operators, largest.leaves) = (u32::MAX, u32::MAX);
    (largest.now, largest.paused_until, largest.paused) = (0, i64::MAX, true);
    largest.next_authority = Some("N".repeat(44));
    let epoch = &mut largest.epochs[0];
    (epoch.budget, epoch.paid, epoch.reserved) = (u64::MAX, u64::MAX, u64::MAX);
    (epoch.operators, epoch.claims, epoch.paused_seconds) = (u32::MAX, u32::MAX, u32::MAX);
    (epoch.ends_at, epoch.claim_until) = (i64::MAX, i64::MAX);
    for decimals in [0, 6, 9, 255] {
        largest.decimals = decimals;
        for frozen in [false, true] {
            largest.frozen = frozen;
            largest.seconds_until_next_epoch = (!frozen).then_some(i64::MAX);
            for line in render(&largest, false).lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }
}

#[test]
fn a_bar_has_its_width_and_shows_whatever_is_not_nothing() {
    let paint = Paint(false);
    let count = |values: [u64; 3], width| {
        let marks = [FULL, HALF, LIGHT];
        let parts: Vec<_> = values
            .into_iter()
            .zip(marks)
            .map(|(value, mark)| (value, mark, Colour::Green))
            .collect();
        let bar = bar(&parts, width, &paint);
        assert_eq!(bar.chars().count(), width, "{values:?}");
        marks.map(|mark| bar.chars().filter(|c| *c == mark).count())
    };
    assert_eq!(count([0, 0, 0], 10), [0, 0, 10]);
    assert_eq!(count([1, 0, 0], 10), [10, 0, 0]);
    assert_eq!(count([0, 1, 0], 10), [0, 10, 0]);
    assert_eq!(count([1, 1, 1_000_000], 10), [1, 1, 8]);
    assert_eq!(count([1_000_000, 1, 1], 10), [8, 1, 1]);
    assert_eq!(count([5, 3, 2], 10), [5, 3, 2]);
    assert_eq!(count([u64::MAX, u64::MAX, u64::MAX], 9), [3, 3, 3]);
}

#[test]
fn amounts_are_in_whole_tokens() {
    for (amount, decimals, expected) in [
        (0, 6, "0.00"),
        (1, 6, "0.000001"),
        (1_500_000, 6, "1.50"),
        (1_234_567_890_120, 6, "1,234,567.89012"),
        (1_234, 0, "1,234"),
        (12, 1, "1.2"),
        (u64::MAX, 0, "18,446,744,073,709,551,615"),
    ] {
        assert_eq!(tokens(amount, decimals), expected);
    }
    // Ten units per MiB.
    assert_eq!(per_gib(10_000_000, 6), "0.01024");
    assert_eq!(percent(1, 3), "33.3 %");
    assert_eq!(percent(1, 0), "0.0 %");
}
