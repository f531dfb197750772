//! A pool from its first deposit to the last withdrawal, by the commands alone.

use std::{
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::process::{Daemon, failure, json, run};

/// A local chain with a pool of short times, and where its files are.
struct World {
    folder: tempfile::TempDir,
    _chain: Daemon,
    rpc: String,
    pool: String,
}

impl World {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let chain = Daemon::start(
            &folder.path().join("localnet.log"),
            &[
                "localnet",
                "--listen",
                "127.0.0.1:0",
                "--wallet",
                &at("founder.json"),
            ],
        );
        let rpc = chain.text("rpc");
        let mut init = [
            "pool",
            "init",
            "--rpc",
            &rpc,
            "--wallet",
            &at("founder.json"),
        ]
        .map(str::to_owned)
        .to_vec();
        for (option, value) in [
            ("--epoch-seconds", "2"),
            ("--claim-window-seconds", "2"),
            ("--cooldown-seconds", "3"),
            ("--timelock-seconds", "5"),
            ("--bond", "1000"),
        ] {
            init.extend([option.to_owned(), value.to_owned()]);
        }
        for index in 0..3 {
            let key = at(&format!("measurer-{index}.key"));
            let shown = json(&["measurer", "keygen", "--out", &key]);
            init.extend([
                "--measurer".to_owned(),
                shown["measurer"].as_str().unwrap().to_owned(),
            ]);
        }
        let pool = json(&init)["pool"].as_str().unwrap().to_owned();
        Self {
            folder,
            _chain: chain,
            rpc,
            pool,
        }
    }

    fn at(&self, name: &str) -> String {
        let path: &Path = self.folder.path();
        path.join(name).to_str().unwrap().to_owned()
    }

    fn line<'a>(&'a self, command: &[&'a str]) -> Vec<&'a str> {
        let of_pool = ["--rpc", self.rpc.as_str(), "--pool", self.pool.as_str()];
        [&["pool"], command, &of_pool].concat()
    }

    fn json(&self, command: &[&str]) -> Value {
        json(&self.line(command))
    }

    fn failure(&self, command: &[&str]) -> String {
        failure(&self.line(command))
    }

    /// Until it works, which takes as long as times of the chain do.
    fn until_it_works(&self, command: &[&str], meanwhile: &str) -> Value {
        let began = Instant::now();
        loop {
            let output = run(&[&self.line(command)[..], &["--json"]].concat());
            if output.status.success() {
                return serde_json::from_slice(&output.stdout).unwrap();
            }
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains(meanwhile), "{said}");
            assert!(began.elapsed() < Duration::from_secs(60), "{said}");
            sleep(Duration::from_millis(200));
        }
    }
}

#[test]
fn money_and_bonds_come_back_out_of_a_pool_by_the_commands_alone() {
    let world = World::start();
    let wallet = world.at("founder.json");
    let amount = "5000000";
    world.json(&["deposit", "--wallet", &wallet, "--amount", amount]);
    let too_many = ["--amount", "1000", "--min-shares", "1000001"];
    let deposit = [&["deposit", "--wallet", &wallet], &too_many[..]].concat();
    assert!(
        world
            .failure(&deposit)
            .contains("earns fewer shares than asked for")
    );

    // Two operators; the first leaves.
    let identities = ["a.key", "b.key"].map(|name| world.at(name));
    for identity in &identities {
        json(&["identity", "new", "--out", identity]);
        world.json(&["register", "--wallet", &wallet, "--identity", identity]);
    }
    let exit = ["exit", "--wallet", &wallet, "--identity", &identities[0]];
    assert_eq!(world.json(&exit)["epoch"], 0);
    assert!(
        world
            .failure(&exit)
            .contains("no operator with this commitment")
    );
    let shown = world.json(&["show"]);
    assert_eq!(
        (&shown["operators"], &shown["leaves"]),
        (&1.into(), &2.into())
    );
    assert_eq!(
        (&shown["bonded"], &shown["free"]),
        (&2_000.into(), &5_000_000.into())
    );
    assert_eq!(shown["share_price"], 1.0);
    assert_eq!(shown["seconds_until_next_epoch"], 0);
    assert_eq!(shown["parameters"]["cooldown_seconds"], 3);

    // A part by number, then the rest.
    let request = ["request-withdrawal", "--wallet", &wallet];
    let part = [&request[..], &["--shares", "2000000000", "--number", "7"]].concat();
    assert_eq!(world.json(&part)["number"], 7);
    let rest = world.json(&[&request[..], &["--all"]].concat());
    assert_eq!(
        (&rest["number"], &rest["shares"]),
        (&0.into(), &3_000_000_000u64.into())
    );
    assert_eq!(rest["worth"], 3_000_000);
    let none = world.failure(&[&request[..], &["--all"]].concat());
    assert!(none.contains("no shares of this pool"), "{none}");
    let waiting = world.json(&["withdrawals"]);
    assert_eq!(waiting.as_array().unwrap().len(), 2);
    let withdraw = ["withdraw", "--wallet", &wallet];
    let early = world.failure(&[&withdraw[..], &["--number", "0"]].concat());
    assert!(early.contains("cools down"), "{early}");
    let seventh = [&withdraw[..], &["--number", "7"]].concat();
    world.until_it_works(&seventh, "cools down");
    world.until_it_works(&withdraw, "ready in");
    assert!(world.failure(&withdraw).contains("no withdrawal of"));
    let shown = world.json(&["show"]);
    assert_eq!((&shown["assets"], &shown["shares"]), (&0.into(), &0.into()));

    let release = ["release-bond", "--wallet", &wallet];
    let released = world.until_it_works(&release, "no bond of this wallet is due");
    assert_eq!(released[0]["bond"], 1_000);
    assert_eq!(world.json(&["show"])["bonded"], 1_000);
}

#[test]
fn p12_rules_change_behind_the_timelock_and_the_authority_moves_by_the_commands_alone() {
    let world = World::start();
    let (wallet, next) = (world.at("founder.json"), world.at("next.json"));
    let parameters = ["propose", "parameters", "--wallet", &wallet];
    let invalid = world.failure(&[&parameters[..], &["--cooldown-seconds", "1"]].concat());
    assert!(
        invalid.contains("cool-down above the claim window"),
        "{invalid}"
    );
    let proposed = world.json(&[&parameters[..], &["--rate-cap", "77"]].concat());
    assert_eq!(proposed["number"], 0);
    let unfreeze = ["propose", "unfreeze", "--wallet", &wallet];
    // Nothing is frozen.
    let refused = world.failure(&unfreeze);
    assert!(refused.contains("Claims are not frozen"), "{refused}");
    let second = world.json(&[&parameters[..], &["--rate-cap", "78"]].concat());
    assert_eq!(second["number"], 1);
    let proposals = world.json(&["proposals"]);
    assert_eq!(proposals[0]["parameters"]["rate_cap"], 77);
    assert_eq!(proposals[1]["parameters"]["rate_cap"], 78);
    let text = run(&world.line(&["proposals"])).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("rate_cap: 1000000 → 77"), "{text}");

    // A table as it is printed, with one row less.
    let mut classes = world.json(&["show"])["classes"].clone();
    classes.as_array_mut().unwrap().pop();
    let file = world.at("classes.json");
    std::fs::write(&file, classes.to_string()).unwrap();
    let table = ["propose", "classes", "--wallet", &wallet, "--file", &file];
    let table = world.json(&[&table[..], &["--number", "5"]].concat());
    assert_eq!(table["number"], 5);
    world.json(&["cancel", "--wallet", &wallet, "--number", "1"]);

    // Claims are paused and taken again; the next pause would be too soon.
    let pause = ["pause", "--wallet", &wallet, "--seconds", "5"];
    world.json(&pause);
    let shown = world.json(&["show"]);
    assert_eq!(shown["paused"], true);
    let text = String::from_utf8(run(&world.line(&["show"])).stdout).unwrap();
    assert!(text.contains("paused until"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    // One that lasted no second would leave no trace.
    sleep(Duration::from_millis(1_500));
    world.json(&["resume", "--wallet", &wallet]);
    let refused = world.failure(&pause);
    assert!(refused.contains("can't be paused like this"), "{refused}");

    // Anybody carries changes out, when they have waited.
    json(&["wallet", "new", "--out", &next]);
    let address = json(&["wallet", "show", "--rpc", &world.rpc, "--wallet", &next]);
    let address = address["address"].as_str().unwrap();
    let fund = ["wallet", "fund", "--rpc", &world.rpc, "--wallet", &wallet];
    json(&[&fund[..], &["--to", address, "--lamports", "1000000000"]].concat());
    for number in ["0", "5"] {
        let execute = ["execute", "--wallet", &next, "--number", number];
        world.until_it_works(&execute, "still behind the timelock");
    }
    let shown = world.json(&["show"]);
    assert_eq!(shown["parameters"]["rate_cap"], 77);
    assert_eq!(shown["classes"].as_array().unwrap().len(), 8);
    assert_eq!(world.json(&["proposals"]).as_array().unwrap().len(), 0);

    // The authority moves when the other side takes it.
    let accept = ["accept", "--wallet", &next];
    assert!(
        world
            .failure(&accept)
            .contains("not being handed over to this wallet")
    );
    world.json(&["hand-over", "--wallet", &wallet, "--to", address]);
    assert_eq!(world.json(&["show"])["next_authority"], address);
    world.json(&accept);
    assert_eq!(world.json(&["show"])["authority"], address);
    let refused = world.failure(&unfreeze);
    assert!(refused.contains("no say in this"), "{refused}");
}
