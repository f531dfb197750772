//! What daemons write while they work must not become a dataset.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;
use veilpool_protocol::{AddressBytes, api::WireGuardKeyBytes};

use super::{
    common::*,
    probing::SECONDS,
    relaying::{self, PROVEN},
};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l7_no_log_holds_a_secret_or_joins_an_address_with_a_nullifier_or_a_subject() {
    let captured = Captured::default();
    // Everything, of every crate, at the finest level.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    // A measurer that works, is refused, and loses its chain.
    let world = World::new(now() + 1, SECONDS);
    let measurer = world.measurer().await;
    let exit = exit(measurer.reflector_address(), Some(40.0)).await;
    let mut request = listing(1, &exit);
    list(&measurer, &request).await.unwrap();
    request.wireguard_key = WireGuardKeyBytes::new([0x5a; 32]);
    list(&measurer, &request).await.unwrap_err();
    world.ledger.book().down = true;
    attested(&measurer, 1).await;
    // A relayer that pays, refuses, and loses its chain.
    let ledger = relaying::chain();
    let relayer = relaying::start(&ledger).await;
    relaying::claim(&relayer, &PROVEN.request).await.unwrap();
    let mut false_claim = PROVEN.request.clone();
    false_claim.payout = AddressBytes::new([9; 32]);
    relaying::claim(&relayer, &false_claim).await.unwrap_err();
    ledger.book().down = true;
    relaying::claim(&relayer, &PROVEN.request)
        .await
        .unwrap_err();
    let endpoint = exit.address();
    measurer.shutdown().await;
    relayer.shutdown().await;

    let log = String::from_utf8_lossy(&captured.0.lock().unwrap()).into_owned();
    // The logs are there at all, from both.
    assert!(log.contains("the chain:"), "{log}");
    assert!(log.contains("claim of epoch 7 paid"));
    let own = |line: &&str| line.contains("veilpool_");
    let log: String = log.lines().filter(own).collect::<Vec<_>>().join("\n");
    let keys = keys(SEED).expose_bytes();
    let schedule = schedule().expose_bytes();
    let nullifier = *PROVEN.request.nullifier.as_bytes();
    let claim = veilpool_interface::address::claim(
        &program(),
        &pool_address(),
        EPOCH,
        &PROVEN.request.nullifier,
    );
    let payout = veilpool_interface::address::pubkey(&PROVEN.request.payout);
    for forbidden in [
        hex::encode(&keys[..32]),
        hex::encode(&keys[64..]),
        hex::encode(&*schedule),
        hex::encode(PROVEN.operator.identity(EPOCH)[0]),
        hex::encode(relaying::relayer().to_bytes()),
        hex::encode(&nullifier[..8]),
        hex::encode(&subject(1).as_bytes()[24..]),
        hex::encode(exit.public_key().as_bytes()),
        claim.0.to_string(),
        payout.to_string(),
        endpoint.to_string(),
    ] {
        assert!(!log.contains(&forbidden), "{forbidden} in the log:\n{log}");
    }
}
