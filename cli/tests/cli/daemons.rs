//! All daemons as processes of their own, killed with `kill -9` in the middle of an epoch.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use super::process::{Daemon, json};

const EPOCH_SECONDS: u64 = 60;
const FEE: u64 = 10_000;
/// Until a claim must have been paid, after the epoch's end.
const PATIENCE: Duration = Duration::from_secs(90);

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn sleep_until(at: u64) {
    while now() < at {
        sleep(Duration::from_millis(100));
    }
}

/// The first epoch, once it is open.
fn epoch(pool: &[&str]) -> Value {
    for _ in 0..100 {
        let shown = json(&[&["pool", "show"], pool].concat());
        if let Some(epoch) = shown["epochs"].as_array().unwrap().first() {
            return epoch.clone();
        }
        sleep(Duration::from_millis(200));
    }
    panic!("no epoch was opened");
}

fn claim(state: &Path) -> Option<Value> {
    let status = json(&["node", "status", "--state", state.to_str().unwrap()]);
    let claims = status["epochs"].as_array().unwrap();
    claims.iter().find(|claim| claim["epoch"] == 0).cloned()
}

#[test]
fn l7_daemons_killed_in_mid_epoch_lose_nothing_are_paid_once_and_log_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let log = |name: &str| folder.path().join(format!("{name}.log"));

    // A chain, keys, a pool with one operator and three measurers.
    let rpc_port = free_port();
    let listen = format!("127.0.0.1:{rpc_port}");
    let wallet = at("wallet.json");
    let mut chain = Daemon::start(
        &log("localnet"),
        &[
            "localnet",
            "--listen",
            &listen,
            "--state",
            &at("chain"),
            "--wallet",
            &wallet,
        ],
    );
    let rpc = chain.text("rpc");
    let (identity, schedule) = (at("operator.key"), at("schedule.key"));
    json(&["identity", "new", "--out", &identity]);
    json(&["measurer", "schedule-keygen", "--out", &schedule]);
    let mut init = vec![
        "pool".to_owned(),
        "init".into(),
        "--rpc".into(),
        rpc.clone(),
    ];
    init.extend([
        "--wallet".into(),
        wallet.clone(),
        "--epoch-seconds".into(),
        EPOCH_SECONDS.to_string(),
    ]);
    init.extend(["--claim-window-seconds".into(), "240".into()]);
    for index in 0..3 {
        let shown = json(&[
            "measurer",
            "keygen",
            "--out",
            &at(&format!("measurer-{index}.key")),
        ]);
        init.extend([
            "--measurer".into(),
            shown["measurer"].as_str().unwrap().into(),
        ]);
    }
    let pool_address = json(&init)["pool"].as_str().unwrap().to_owned();
    let pool = ["--rpc", rpc.as_str(), "--pool", pool_address.as_str()];
    json(
        &[
            &[
                "pool",
                "deposit",
                "--wallet",
                &wallet,
                "--amount",
                "100000000000",
            ],
            &pool[..],
        ]
        .concat(),
    );
    json(
        &[
            &[
                "pool",
                "register",
                "--wallet",
                &wallet,
                "--identity",
                &identity,
            ],
            &pool[..],
        ]
        .concat(),
    );

    // The daemons.
    let mut measurers: Vec<Daemon> = (0..3)
        .map(|index| {
            let (key, state) = (
                at(&format!("measurer-{index}.key")),
                at(&format!("measurer-{index}")),
            );
            let arguments = [
                &[
                    "measurer",
                    "run",
                    "--key",
                    &key,
                    "--schedule",
                    &schedule,
                    "--state",
                    &state,
                ][..],
                &[
                    "--listen",
                    "127.0.0.1:0",
                    "--reflector",
                    "127.0.0.1:0",
                    "--allow-private-endpoints",
                ],
                &pool,
            ];
            Daemon::start(&log(&format!("measurer-{index}")), &arguments.concat())
        })
        .collect();
    let relayer = Daemon::start(
        &log("relayer"),
        &[
            &[
                "relayer",
                "run",
                "--wallet",
                &wallet,
                "--listen",
                "127.0.0.1:0",
            ],
            &pool[..],
        ]
        .concat(),
    );
    let (urls, reflectors): (Vec<String>, Vec<String>) = measurers
        .iter()
        .map(|measurer| (measurer.text("url"), measurer.text("reflector")))
        .unzip();
    let (state, relayer_url) = (at("node"), relayer.text("url"));
    let node_listen = format!("127.0.0.1:{}", free_port());
    let mut arguments = vec![
        "node",
        "run",
        "--identity",
        &identity,
        "--state",
        &state,
        "--listen",
        &node_listen,
    ];
    arguments.extend(["--relayer", &relayer_url, "--claim-delay", "0.0..0.02"]);
    for (url, reflector) in urls.iter().zip(&reflectors) {
        arguments.extend(["--measurer", url, "--allow-destination", reflector]);
    }
    arguments.extend(pool);
    let mut node = Daemon::start(&log("node"), &arguments);
    let _keeper = Daemon::start(
        &log("keeper"),
        &[
            &["keeper", "run", "--wallet", &wallet, "--no-close"],
            &pool[..],
        ]
        .concat(),
    );
    let open = epoch(&pool);
    let starts = open["starts_at"].as_u64().unwrap();
    let ends = open["ends_at"].as_u64().unwrap();
    assert_eq!(ends - starts, EPOCH_SECONDS);

    // In the middle of the epoch: the node is killed and comes back; the chain goes and comes back; one measurer
    // of three goes for good.
    sleep_until(starts + EPOCH_SECONDS / 3);
    node.kill();
    node.restart();
    sleep_until(starts + EPOCH_SECONDS / 2);
    chain.kill();
    sleep(Duration::from_secs(3));
    chain.restart();
    measurers[2].kill();
    // Just after the epoch's end, while attestations are collected, the node once more.
    sleep_until(ends + 2);
    node.kill();
    node.restart();

    let state = folder.path().join("node");
    let deadline = now() + PATIENCE.as_secs();
    let paid = loop {
        if let Some(claim) = claim(&state) {
            match claim["state"].as_str().unwrap() {
                "paid" => break claim,
                "unclaimable" => panic!("{claim}"),
                _ => {}
            }
        }
        assert!(
            now() < deadline,
            "not paid: {:?}\n{}",
            claim(&state),
            fs::read_to_string(log("node")).unwrap()
        );
        sleep(Duration::from_millis(500));
    };
    let weight = paid["weight"].as_u64().unwrap();
    assert!(weight >= 1);
    let shown = epoch(&pool);
    assert_eq!(shown["claims"], 1);
    let reward = weight * shown["rate"].as_u64().unwrap();
    assert_eq!(paid["amount"].as_u64().unwrap(), reward - FEE);
    assert_eq!(
        json(&[&["pool", "show"], &pool[..]].concat())["assets"]
            .as_u64()
            .unwrap(),
        100_000_000_000 - reward
    );

    // Nothing of it in any log: no secret, no nullifier or payout beside an address, no subject.
    let secret = fs::read_to_string(&identity).unwrap();
    let secret = secret.lines().nth(2).unwrap().to_owned();
    let commitment = json(&["identity", "show", "--identity", &identity])["commitment"]
        .as_str()
        .unwrap()
        .to_owned();
    let schedule = fs::read_to_string(&schedule)
        .unwrap()
        .lines()
        .nth(2)
        .unwrap()
        .to_owned();
    let payout = paid["payout"].as_str().unwrap().to_owned();
    let mut lines = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let text = fs::read_to_string(&path).unwrap();
            lines += text.lines().count();
            for what in [&secret, &commitment, &schedule, &payout] {
                assert!(
                    !text.contains(what.as_str()),
                    "{} in {}",
                    what,
                    path.display()
                );
            }
        }
    }
    assert!(lines > 10, "the daemons said almost nothing");
}
