//! P1: whoever sends lamports to an address ahead stops nobody from making an account there. Each account of each
//! instruction that is created, from the interface's table.

use solana_account::Account;
use veilpool_interface::accounts::{self, Kind};
use veilpool_program_harness::{Chain, honest::Honest};
use veilpool_protocol::MeasurerCount;

#[test]
fn p1_lamports_sent_ahead_stop_no_account_from_being_made() {
    let mut tried = 0;
    for (name, specs) in accounts::ALL {
        let is_new = |kind| matches!(kind, Kind::New(_) | Kind::NewHeld(_));
        if !specs.iter().any(|spec| is_new(spec.kind)) {
            continue;
        }
        let honest = Honest::of(name, Chain::default(), MeasurerCount::Three);
        let mut plain = honest.clone();
        plain.run().unwrap();
        for (index, spec) in specs.iter().enumerate() {
            if !is_new(spec.kind) {
                continue;
            }
            let address = honest.instruction.accounts[index].pubkey;
            let made = plain.pool.chain.account(&address);
            let rent = made.lamports;
            for lamports in [1, rent - 1, rent, rent + 1, 1_000_000_000] {
                let what = format!("{name}, {}: {lamports} lamports", spec.name);
                let mut honest = honest.clone();
                let ahead = Account {
                    lamports,
                    ..Account::default()
                };
                honest.pool.chain.set(&address, ahead);
                let payer = honest.instruction.accounts[0].pubkey;
                let before = honest.pool.chain.lamports(&payer);
                assert!(honest.run().is_ok(), "{what}");
                let after = honest.pool.chain.account(&address);
                assert_eq!(
                    (after.data, after.owner),
                    (made.data.clone(), made.owner),
                    "{what}"
                );
                assert_eq!(after.lamports, lamports.max(rent), "{what}");
                // The payer pays only what is short.
                let others: u64 = specs
                    .iter()
                    .zip(&honest.instruction.accounts)
                    .filter(|(one, meta)| is_new(one.kind) && meta.pubkey != address)
                    .map(|(_, meta)| honest.pool.chain.lamports(&meta.pubkey))
                    .sum();
                let paid = before - honest.pool.chain.lamports(&payer);
                assert_eq!(paid, others + rent.saturating_sub(lamports), "{what}");
                tried += 1;
            }
        }
    }
    // Twelve accounts, five sums each.
    assert!(tried >= 60, "only {tried}");
}
