//! The state machine: every transition, and a kill at every point.

use std::{path::Path, sync::Arc, sync::atomic::Ordering};

use veilpool_interface::address;
use veilpool_node::{
    claim::{Action, ClaimRecord, Event, Phase, Unexpected, inputs::payout, steps::Settings},
    store::Store,
};
use veilpool_protocol::{Bandwidth, ClassId, Uptime};

use crate::town::{
    EPOCH, FEE, Manner, RATE, SHUT, START, Town, TownClaimant, claimant, refused, secret,
    unreachable,
};

/// When a node is killed: at the n-th step, before or after its outcome is stored.
#[derive(Clone, Copy, Debug)]
enum Kill {
    Before(usize),
    After(usize),
}

/// What a life of a node did.
struct Life {
    record: ClaimRecord,
    phases: Vec<Phase>,
    killed: bool,
}

/// A life: loads what is stored, and goes on until nothing is left to do or it is killed. Time jumps to where it is
/// waited for, and by a sixtieth of the window after trouble.
async fn live(
    claimant: &TownClaimant,
    fresh: ClaimRecord,
    folder: &Path,
    kill: Option<Kill>,
) -> Life {
    let store = Store::open(folder).await.unwrap();
    let mut record = match store.records().await.unwrap().pop() {
        Some(record) => record,
        None => {
            store.save(&fresh).await.unwrap();
            fresh
        }
    };
    let mut now = START * 1_000;
    let mut phases = vec![record.phase];
    let mut killed = false;
    'life: for step in 0.. {
        assert!(step < 200, "it goes nowhere: {record:?}");
        let action = claimant.next(&record, now);
        match action {
            Action::Done | Action::Hold => break,
            Action::Wait(until) => {
                assert!(until > now);
                now = until;
            }
            _ => {}
        }
        let outcome = claimant.perform(action, &record, now).await;
        if matches!(kill, Some(Kill::Before(at)) if at == step) {
            killed = true;
            break;
        }
        let (events, troubles) = outcome.unwrap_or_else(|trouble| (Vec::new(), vec![trouble]));
        if let Some(trouble) = troubles.last() {
            record.reason = Some(trouble.what.clone());
            now += 20_000;
        }
        for event in events {
            record.apply(event).unwrap();
            store.save(&record).await.unwrap();
            phases.push(record.phase);
            if matches!(kill, Some(Kill::After(at)) if at == step) {
                killed = true;
                break 'life;
            }
        }
    }
    store.close().await;
    Life {
        record,
        phases,
        killed,
    }
}

/// One life without a kill.
async fn whole(town: &Arc<Town>, settings: Settings, seed: u64) -> Life {
    let folder = tempfile::tempdir().unwrap();
    live(
        &claimant(town, settings, seed),
        town.record(),
        folder.path(),
        None,
    )
    .await
}

fn paid(town: &Town) -> Vec<u64> {
    town.ledger
        .lock()
        .unwrap()
        .holders
        .iter()
        .map(|(_, amount)| *amount)
        .collect()
}

#[tokio::test]
async fn a_claim_goes_through_all_its_states_and_is_paid() {
    let town = Arc::new(Town::new());
    let life = whole(&town, town.settings(), 1).await;
    assert_eq!(
        life.phases,
        [
            Phase::Listed,
            Phase::Measured,
            Phase::Measured,
            Phase::Collected,
            Phase::Proven,
            Phase::Submitted,
            Phase::Paid
        ]
    );
    let choice = life.record.choice.unwrap();
    assert_eq!((choice.class, choice.reward), (ClassId::new(4), 5 * RATE));
    let payment = life.record.payment.unwrap();
    assert_eq!((payment.amount, payment.fee), (5 * RATE - FEE, FEE));
    assert_eq!(payment.compute_units, Some(99_000));
    assert_eq!(payment.signature.unwrap().expose(), &"5".repeat(88));
    let expected = payout(&secret(1), &address::bytes(&town.pool_address), EPOCH);
    assert_eq!(payment.payout.unwrap().expose(), &expected);
    assert_eq!(paid(&town), [5 * RATE - FEE]);
    assert_eq!(life.record.readied, None);
    // A claim says the fee that everybody is asked for, not this operator's own limit.
    assert_eq!(town.ledger.lock().unwrap().requests[0].max_fee, FEE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m10_a_kill_at_any_point_leads_to_exactly_one_claim() {
    let mut kills = 0;
    for step in 0.. {
        let before_and_after = [Kill::Before(step), Kill::After(step)];
        let mut any = false;
        for kill in before_and_after {
            let town = Arc::new(Town::new());
            let claimant = claimant(&town, town.settings(), 1);
            let folder = tempfile::tempdir().unwrap();
            let first = live(&claimant, town.record(), folder.path(), Some(kill)).await;
            any |= first.killed;
            kills += usize::from(first.killed);
            let made = town.proofs.load(Ordering::Relaxed);
            let stored = first.phases.contains(&Phase::Proven);
            let second = live(&claimant, town.record(), folder.path(), None).await;
            assert_eq!(second.record.phase, Phase::Paid, "{kill:?}");
            assert_eq!(paid(&town), [5 * RATE - FEE], "{kill:?}");
            let proofs = town.proofs.load(Ordering::Relaxed);
            let expected = if stored { 1 } else { made + 1 };
            assert_eq!(
                proofs, expected,
                "a stored proof isn't made again: {kill:?}"
            );
            assert!(town.ledger.lock().unwrap().requests.len() <= 1, "{kill:?}");
        }
        if !any {
            break;
        }
    }
    // Ended, answered, chosen, proven, waiting for its time, leaving, submitted.
    assert!(kills >= 13, "{kills}");
}

#[tokio::test]
async fn a_time_that_was_drawn_is_kept_over_a_restart() {
    let town = Arc::new(Town::new());
    let claimant = claimant(&town, town.settings(), 1);
    let folder = tempfile::tempdir().unwrap();
    // Wait, end, collect, choose.
    let first = live(
        &claimant,
        town.record(),
        folder.path(),
        Some(Kill::After(3)),
    )
    .await;
    assert_eq!(first.record.phase, Phase::Collected);
    let drawn = first.record.choice.unwrap().submit_at;
    let second = live(&claimant, town.record(), folder.path(), None).await;
    assert_eq!(second.record.choice.unwrap().submit_at, drawn);
}

#[tokio::test]
async fn l3_times_are_spread_over_the_part_of_the_window_that_is_allowed() {
    let town = Arc::new(Town::new());
    let mut settings = town.settings();
    settings.claim_delay = 0.25..0.5;
    let claimant = claimant(&town, settings, 1);
    let mut record = town.record();
    record.apply(Event::Ended).unwrap();
    let end = record.ends_at * 1_000;
    let (events, _) = claimant
        .perform(Action::Collect, &record, end)
        .await
        .unwrap();
    record.apply(events[0].clone()).unwrap();
    let mut quarters = [0; 4];
    for _ in 0..400 {
        let (events, _) = claimant
            .perform(Action::Choose, &record, end)
            .await
            .unwrap();
        let [Event::Chosen(choice)] = events.as_slice() else {
            unreachable!("all measurers attested well")
        };
        let after = choice.submit_at - end;
        assert!((300_000..=600_000).contains(&after), "{after}");
        quarters[usize::try_from((after - 300_000) / 75_001).unwrap()] += 1;
    }
    assert!(quarters.iter().all(|count| *count > 50), "{quarters:?}");
    // Late: from now on, not at once for everybody.
    let late = record.window_at(0.9);
    let (events, _) = claimant
        .perform(Action::Choose, &record, late)
        .await
        .unwrap();
    assert!(matches!(&events[..], [Event::Chosen(choice)] if choice.submit_at == late));
}

#[tokio::test]
async fn state_that_was_lost_doesnt_make_a_second_claim() {
    let town = Arc::new(Town::new());
    whole(&town, town.settings(), 1).await;
    let again = whole(&town, town.settings(), 1).await;
    assert_eq!(again.record.phase, Phase::Paid);
    let payment = again.record.payment.unwrap();
    assert_eq!(
        (payment.amount, payment.fee, payment.signature),
        (5 * RATE - FEE, FEE, None)
    );
    assert_eq!(town.ledger.lock().unwrap().requests.len(), 1);
}

#[tokio::test]
async fn m2_an_absent_measurer_is_waited_for_until_the_grace_is_over() {
    let town = Arc::new(Town::new());
    town.behave(1, Manner::Silent);
    let life = whole(&town, town.settings(), 1).await;
    assert_eq!(life.record.phase, Phase::Paid);
    assert_eq!(life.record.slots().iter().flatten().count(), 2);
    let submitted = life.record.choice.unwrap().submit_at;
    assert!(submitted >= life.record.window_at(0.1));
}

#[tokio::test]
async fn without_a_majority_the_claim_waits_and_then_says_why() {
    let town = Arc::new(Town::new());
    town.behave(0, Manner::Silent);
    town.behave(1, Manner::Silent);
    let life = whole(&town, town.settings(), 1).await;
    assert_eq!(life.record.phase, Phase::Unclaimable);
    let reason = life.record.reason.unwrap();
    assert!(
        reason.contains("the claim window shut") && reason.contains("measurer-"),
        "{reason}"
    );
    assert_eq!(town.proofs.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn measurers_that_dont_know_the_node_are_not_waited_for() {
    let town = Arc::new(Town::new());
    for slot in 0..2 {
        town.behave(slot, Manner::Forgetful);
    }
    let life = whole(&town, town.settings(), 1).await;
    let reason = life.record.reason.unwrap();
    assert!(
        reason.starts_with(
            "only 1 of 3 measurers attested, 2 are needed. measurer-0: it doesn't know"
        ),
        "{reason}"
    );
}

#[tokio::test]
async fn a_node_below_every_class_is_told_so() {
    let town = Arc::new(Town::new());
    town.metrics.lock().unwrap().uptime = Uptime::new(100);
    let life = whole(&town, town.settings(), 1).await;
    assert_eq!(life.record.phase, Phase::Unclaimable);
    assert!(
        life.record
            .reason
            .unwrap()
            .starts_with("what a majority of measurers saw is below every class")
    );
}

#[tokio::test]
async fn an_operator_who_isnt_registered_is_told_so() {
    let town = Arc::new(Town::new());
    let life = whole(&town, town.settings(), 555).await;
    assert!(
        life.record
            .reason
            .unwrap()
            .starts_with("this operator wasn't registered when the epoch opened")
    );
}

#[tokio::test]
async fn a_lower_class_is_claimed_when_the_operator_says_so() {
    let town = Arc::new(Town::new());
    let mut settings = town.settings();
    settings.max_class = Some(ClassId::new(2));
    let life = whole(&town, settings.clone(), 1).await;
    assert_eq!(life.record.choice.unwrap().class, ClassId::new(0));
    assert_eq!(paid(&town), [RATE - FEE]);
    settings.max_class = Some(ClassId::new(9));
    let town = Arc::new(Town::new());
    let life = whole(&town, settings, 1).await;
    assert_eq!(
        life.record.reason.unwrap(),
        "the epoch has no class 9; correct `max_class`"
    );
}

#[tokio::test]
async fn m1_a_node_that_edits_what_it_stored_proves_nothing() {
    let town = Arc::new(Town::new());
    let claimant = claimant(&town, town.settings(), 1);
    let folder = tempfile::tempdir().unwrap();
    let mut record = live(
        &claimant,
        town.record(),
        folder.path(),
        Some(Kill::After(2)),
    )
    .await
    .record;
    for answer in &mut record.answers {
        let (_, attestation) = answer.outcome.as_mut().unwrap();
        attestation.metrics.bandwidth = Bandwidth::new(5_000);
        attestation.metrics.uptime = Uptime::new(144);
    }
    let store = Store::open(folder.path()).await.unwrap();
    store.save(&record).await.unwrap();
    store.close().await;
    drop(store);
    let life = live(&claimant, town.record(), folder.path(), None).await;
    assert_eq!(life.record.phase, Phase::Unclaimable);
    let reason = life.record.reason.unwrap();
    assert!(
        reason.starts_with("only 1 of 3 measurers attested"),
        "{reason}"
    );
    assert!(
        reason.to_lowercase().contains("attestation validity"),
        "{reason}"
    );
    assert!(town.ledger.lock().unwrap().requests.is_empty());
}

#[tokio::test]
async fn l1_a_payout_address_with_history_is_refused() {
    for amount in [0, 7] {
        let town = Arc::new(Town::new());
        let own = payout(&secret(1), &address::bytes(&town.pool_address), EPOCH);
        town.ledger.lock().unwrap().holders.push((own, amount));
        let life = whole(&town, town.settings(), 1).await;
        assert_eq!(life.record.phase, Phase::Unclaimable);
        assert!(
            life.record
                .reason
                .unwrap()
                .starts_with("the payout address of this epoch has a token account already")
        );
        assert_eq!(town.proofs.load(Ordering::Relaxed), 0);
    }
}

#[tokio::test]
async fn a_relayer_that_is_down_is_asked_again() {
    let town = Arc::new(Town::new());
    town.moods.lock().unwrap().extend([
        unreachable("relayer"),
        refused("relayer", "busy", true),
        refused("relayer", "InvalidProof", false),
    ]);
    let life = whole(&town, town.settings(), 1).await;
    assert_eq!(life.record.phase, Phase::Paid);
    assert_eq!(town.proofs.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_relayer_that_raises_its_fee_gets_another_proof_up_to_the_limit() {
    let town = Arc::new(Town::new());
    let claimant = claimant(&town, town.settings(), 1);
    let folder = tempfile::tempdir().unwrap();
    // Wait, end, collect, choose, prove.
    live(
        &claimant,
        town.record(),
        folder.path(),
        Some(Kill::After(4)),
    )
    .await;
    *town.fee.lock().unwrap() = FEE + 10;
    let life = live(&claimant, town.record(), folder.path(), None).await;
    assert_eq!((life.record.phase, life.record.rebinds), (Phase::Paid, 1));
    assert_eq!(paid(&town), [5 * RATE - FEE - 10]);

    let town = Arc::new(Town::new());
    *town.fee.lock().unwrap() = 101;
    let life = whole(&town, town.settings(), 1).await;
    let reason = life.record.reason.unwrap();
    assert!(
        reason.contains("relayer asks for 101, more than `max_fee` (100)"),
        "{reason}"
    );
}

#[tokio::test]
async fn of_two_relayers_another_is_tried_when_one_refuses() {
    let town = Arc::new(Town::new());
    let mut settings = town.settings();
    settings.relayers.push("other".into());
    town.moods
        .lock()
        .unwrap()
        .push(refused("relayer", "chain_refused", false));
    let life = whole(&town, settings, 1).await;
    assert_eq!((life.record.phase, life.record.rebinds), (Phase::Paid, 1));
    assert_eq!(paid(&town).len(), 1);
}

#[tokio::test]
async fn without_auto_claim_nothing_is_proven() {
    let town = Arc::new(Town::new());
    let mut settings = town.settings();
    settings.auto_claim = false;
    let life = whole(&town, settings, 1).await;
    assert_eq!(life.record.phase, Phase::Collected);
    assert_eq!(town.proofs.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_claim_that_was_paid_without_an_answer_is_found_after_the_window() {
    let town = Arc::new(Town::new());
    let claimant = claimant(&town, town.settings(), 1);
    let folder = tempfile::tempdir().unwrap();
    // Up to the relayer's receipt, which is lost; then the claim's account is closed.
    let first = live(
        &claimant,
        town.record(),
        folder.path(),
        Some(Kill::Before(7)),
    )
    .await;
    assert_eq!(
        (first.record.phase, paid(&town).len()),
        (Phase::Submitted, 1)
    );
    town.ledger.lock().unwrap().claims.clear();
    let mut record = first.record;
    let shut = SHUT * 1_000;
    assert_eq!(claimant.next(&record, shut), Action::Wait(shut + 10_000));
    let action = claimant.next(&record, shut + 10_000);
    assert_eq!(action, Action::LookBack);
    let (events, _) = claimant
        .perform(action, &record, shut + 10_000)
        .await
        .unwrap();
    record.apply(events[0].clone()).unwrap();
    assert_eq!(
        (record.phase, record.payment.unwrap().fee),
        (Phase::Paid, FEE)
    );
}

#[tokio::test]
async fn p7_a_pause_keeps_a_claim_alive_after_the_window_that_was_recorded() {
    let town = Arc::new(Town::new());
    let claimant = claimant(&town, town.settings(), 1);
    let mut record = town.record();
    let shut = SHUT * 1_000;
    // Paused for 100 seconds since the epoch opened, one of them still to come.
    town.ledger.lock().unwrap().paused = 100;
    let action = claimant.next(&record, shut);
    assert_eq!(action, Action::LookBack);
    let (events, _) = claimant.perform(action, &record, shut).await.unwrap();
    let claim_until = SHUT + 100;
    assert_eq!(events, [Event::Prolonged { claim_until }]);
    record.apply(events[0].clone()).unwrap();
    assert_eq!(
        (record.phase, record.claim_until),
        (Phase::Listed, claim_until)
    );
    assert_eq!(claimant.next(&record, shut), Action::End);
    // And no longer than that.
    let shut = claim_until * 1_000;
    let action = claimant.next(&record, shut);
    let (events, _) = claimant.perform(action, &record, shut).await.unwrap();
    assert!(
        matches!(events[..], [Event::Unclaimable { .. }]),
        "{events:?}"
    );
    record.apply(events[0].clone()).unwrap();
    assert_eq!(
        record.apply(Event::Prolonged {
            claim_until: i64::MAX
        }),
        Err(Unexpected {
            phase: Phase::Unclaimable,
            event: "the window is open for longer"
        })
    );
}

#[test]
fn an_event_out_of_place_changes_nothing() {
    let town = Town::new();
    let mut record = town.record();
    let before = record.clone();
    let refused = record.apply(Event::Leaving);
    assert_eq!(
        refused,
        Err(Unexpected {
            phase: Phase::Listed,
            event: "the claim leaves"
        })
    );
    assert_eq!(record, before);
    record
        .apply(Event::Unclaimable { reason: "x".into() })
        .unwrap();
    assert_eq!(
        record.apply(Event::Unclaimable { reason: "y".into() }),
        Err(Unexpected {
            phase: Phase::Unclaimable,
            event: "it is unclaimable"
        })
    );
    assert_eq!(record.reason.as_deref(), Some("x"));
}
