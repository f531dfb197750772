//! The mapper against a router and a network of the test's, on a clock of the test's.

#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::{Instant, advance, sleep},
};
use veilpool_reach::{
    ExternalPort, Family, Forward, Grant, Lease, Mapped, Mapper, MapperConfig, Mapping, Protocol,
    Reason, Request, Route, Router, RouterError, Sensitive, Surroundings, View, router::Epoch,
};

const PORT: NonZeroU16 = NonZeroU16::new(51820).unwrap();
const PUBLIC: &str = "93.184.216.34:51820";
const NO_ANSWER: RouterError = RouterError::NoAnswer;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Open,
    Renew,
    Close,
}

/// Answers from a list, then its last answer again. `None` never answers.
#[derive(Default)]
struct State {
    answers: VecDeque<Option<Result<Grant, RouterError>>>,
    asked: Vec<(u64, Asked)>,
    view: View,
}

#[derive(Clone)]
struct World {
    state: Arc<Mutex<State>>,
    start: Instant,
}

impl World {
    fn new(answers: &[Option<Result<Grant, RouterError>>]) -> Self {
        let state = State {
            answers: answers.iter().copied().collect(),
            view: behind("192.168.1.1", "192.168.1.20"),
            asked: Vec::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            start: Instant::now(),
        }
    }

    async fn answer(&self, asked: Asked) -> Result<Grant, RouterError> {
        let answer = {
            let mut state = self.state.lock().unwrap();
            state.asked.push((self.start.elapsed().as_secs(), asked));
            match state.answers.len() {
                0 | 1 => state.answers.front().copied().unwrap(),
                _ => state.answers.pop_front().unwrap(),
            }
        };
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    fn asked(&self) -> Vec<(u64, Asked)> {
        self.state.lock().unwrap().asked.clone()
    }

    fn look_like(&self, view: View) {
        self.state.lock().unwrap().view = view;
    }

    fn run(&self, config: MapperConfig) -> Running {
        let (mapper, told) = Mapper::new(config, self.clone(), self.clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(mapper.run(async {
            let _ = stopped.await;
        }));
        Running { told, stop, task }
    }
}

impl Router for World {
    type Session = ();

    async fn open(&self, _: &Request) -> Result<((), Grant), RouterError> {
        self.answer(Asked::Open).await.map(|grant| ((), grant))
    }

    async fn renew(&self, (): &mut ()) -> Result<Grant, RouterError> {
        self.answer(Asked::Renew).await
    }

    async fn close(&self, (): ()) -> Result<(), RouterError> {
        let at = self.start.elapsed().as_secs();
        self.state.lock().unwrap().asked.push((at, Asked::Close));
        Ok(())
    }
}

impl Surroundings for World {
    async fn look(&self, _: Family) -> View {
        self.state.lock().unwrap().view
    }
}

struct Running {
    told: watch::Receiver<Mapping>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn next(&mut self) -> Mapping {
        self.told.changed().await.unwrap();
        self.told.borrow_and_update().clone()
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

fn address<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> Sensitive<T> {
    Sensitive::new(text.parse().unwrap())
}

fn behind(gateway: &str, local: &str) -> View {
    View {
        public: None,
        route: Some(Route {
            gateway: address(gateway),
            local: address(local),
        }),
    }
}

fn grant_at(external: &str, lease: u64, epoch: u32) -> Option<Result<Grant, RouterError>> {
    Some(Ok(Grant {
        protocol: Protocol::Pcp,
        external: address(external),
        lease: Lease::For(Duration::from_secs(lease)),
        epoch: Some(Epoch::from_seconds(epoch)),
    }))
}

fn mapped(external: &str, lease: u64) -> Mapping {
    Mapping::Mapped(Mapped {
        protocol: Protocol::Pcp,
        external: address(external),
        lease: Lease::For(Duration::from_secs(lease)),
    })
}

const fn failed(reason: Reason) -> Mapping {
    Mapping::Failed { reason }
}

fn forward() -> Forward {
    Forward {
        external: PORT,
        to: address::<SocketAddr>("192.168.1.20:51820"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_at_half_its_lifetime_and_removed_at_the_end() {
    let world = World::new(&[grant_at(PUBLIC, 400, 1000)]);
    let mut running = world.run(MapperConfig::new(PORT));
    assert_eq!(running.next().await, mapped(PUBLIC, 400));
    sleep(Duration::from_secs(650)).await;
    running.end().await;
    assert_eq!(
        world.asked(),
        [
            (0, Asked::Open),
            (200, Asked::Renew),
            (400, Asked::Renew),
            (600, Asked::Renew),
            (650, Asked::Close),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_router_is_asked_again_within_the_check_however_long_its_lease() {
    let world = World::new(&[grant_at(PUBLIC, u32::MAX.into(), u32::MAX)]);
    let mut running = world.run(MapperConfig::new(PORT));
    running.next().await;
    sleep(Duration::from_secs(301)).await;
    assert_eq!(world.asked()[1], (300, Asked::Renew));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_a_second_does_not_make_the_router_be_asked_all_the_time() {
    let world = World::new(&[grant_at(PUBLIC, 1, 0)]);
    let mut running = world.run(MapperConfig::new(PORT));
    running.next().await;
    sleep(Duration::from_secs(61)).await;
    assert_eq!(world.asked().len(), 5, "{:?}", world.asked());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn another_external_address_or_port_is_told_when_the_router_gives_it() {
    let other = "93.184.216.99:40000";
    let world = World::new(&[grant_at(PUBLIC, 400, 1000), grant_at(other, 400, 3)]);
    let mut running = world.run(MapperConfig::new(PORT));
    running.next().await;
    assert_eq!(running.next().await, mapped(other, 400));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_router_that_restarts_elsewhere_is_asked_from_the_beginning() {
    let world = World::new(&[
        grant_at(PUBLIC, 400, 1000),
        Some(Err(NO_ANSWER)),
        grant_at("93.184.216.99:51820", 400, 1),
    ]);
    let mut running = world.run(MapperConfig::new(PORT));
    running.next().await;
    assert_eq!(running.next().await, mapped("93.184.216.99:51820", 400));
    assert_eq!(
        world.asked()[1..],
        [(200, Asked::Renew), (200, Asked::Open)]
    );
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_router_keeps_its_mapping_until_the_lease_ends() {
    let world = World::new(&[grant_at(PUBLIC, 400, 1000), Some(Err(NO_ANSWER))]);
    let mut running = world.run(MapperConfig::new(PORT));
    running.next().await;
    assert_eq!(running.next().await, failed(Reason::NoAnswer(forward())));
    assert_eq!(world.start.elapsed().as_secs(), 400);
    let renewals: Vec<_> = (world.asked().into_iter())
        .filter_map(|(at, asked)| (asked == Asked::Renew).then_some(at))
        .collect();
    assert_eq!(renewals, [200, 205, 215, 235, 275, 355, 400]);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_router_that_takes_the_port_away_has_not_mapped_it_any_more() {
    let refused = RouterError::Refused {
        protocol: Protocol::Pcp,
    };
    let world = World::new(&[grant_at(PUBLIC, 400, 1000), Some(Err(refused))]);
    let mut running = world.run(MapperConfig::new(PORT));
    running.next().await;
    assert_eq!(
        running.next().await,
        failed(Reason::Refused {
            protocol: Protocol::Pcp,
            forward: forward()
        })
    );
    assert_eq!(world.start.elapsed().as_secs(), 200);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn failures_are_retried_with_pauses_that_grow_to_a_bound() {
    let world = World::new(&[Some(Err(NO_ANSWER))]);
    let running = world.run(MapperConfig::new(PORT));
    sleep(Duration::from_secs(3500)).await;
    let at: Vec<_> = world.asked().into_iter().map(|(at, _)| at).collect();
    assert_eq!(at, [0, 5, 15, 35, 75, 155, 315, 635, 1275, 2175, 3075]);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_router_that_never_answers_is_given_up_and_does_not_delay_the_end() {
    let world = World::new(&[None]);
    let mut running = world.run(MapperConfig::new(PORT));
    assert_eq!(running.next().await, failed(Reason::NoAnswer(forward())));
    assert_eq!(world.start.elapsed().as_secs(), 45);
    advance(Duration::from_secs(10)).await;
    tokio::task::yield_now().await;
    running.end().await;
    assert!(world.start.elapsed().as_secs() < 60);
}

#[tokio::test(start_paused = true)]
async fn a_mapping_being_renewed_at_the_end_is_removed() {
    let world = World::new(&[grant_at(PUBLIC, 400, 1000), None]);
    let mut running = world.run(MapperConfig::new(PORT));
    running.next().await;
    sleep(Duration::from_secs(201)).await;
    running.end().await;
    assert_eq!(
        world.asked(),
        [(0, Asked::Open), (200, Asked::Renew), (201, Asked::Close)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_address_or_router_is_mapped_anew() {
    let world = World::new(&[grant_at(PUBLIC, 7200, 1000)]);
    let mut running = world.run(MapperConfig::new(PORT));
    running.next().await;
    world.look_like(behind("192.168.1.1", "192.168.1.21"));
    sleep(Duration::from_secs(31)).await;
    assert_eq!(world.asked()[1..], [(30, Asked::Close), (30, Asked::Open)]);
    world.look_like(View::default());
    assert_eq!(running.next().await, failed(Reason::NoGateway));
    world.look_like(View {
        public: Some(address::<IpAddr>("93.184.216.34")),
        ..behind("93.184.216.1", "93.184.216.34")
    });
    assert_eq!(
        running.next().await,
        Mapping::NotNeeded {
            address: address("93.184.216.34")
        }
    );
    running.end().await;
    assert_eq!(world.asked().len(), 4, "{:?}", world.asked());
}

#[tokio::test(start_paused = true)]
async fn external_addresses_that_nobody_can_reach_are_reasons() {
    for (external, reason) in [
        ("100.64.3.4:51820", Reason::CarrierGradeNat),
        ("192.0.0.2:51820", Reason::CarrierGradeNat),
        (
            "192.168.0.7:51820",
            Reason::DoubleNat {
                router: address("192.168.0.7"),
                external: PORT,
            },
        ),
        (
            "0.0.0.0:51820",
            Reason::NoExternalAddress {
                protocol: Protocol::Pcp,
            },
        ),
        (
            "127.0.0.1:51820",
            Reason::NoExternalAddress {
                protocol: Protocol::Pcp,
            },
        ),
    ] {
        let world = World::new(&[grant_at(external, 400, 1)]);
        let mut running = world.run(MapperConfig::new(PORT));
        assert_eq!(running.next().await, failed(reason), "{external}");
        running.end().await;
        let all: Vec<_> = world.asked().into_iter().map(|(_, asked)| asked).collect();
        assert_eq!(all, [Asked::Open, Asked::Close], "it isn't left behind");
    }
}

#[tokio::test(start_paused = true)]
async fn another_port_is_of_no_use_when_others_were_told_one() {
    let world = World::new(&[grant_at("93.184.216.34:40000", 400, 1)]);
    let mut config = MapperConfig::new(PORT);
    config.external = ExternalPort::Exactly(PORT);
    let mut running = world.run(config);
    assert_eq!(running.next().await, failed(Reason::PortInUse(forward())));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn ipv6_is_never_mapped() {
    let world = World::new(&[grant_at(PUBLIC, 400, 1)]);
    let mut config = MapperConfig::new(PORT);
    config.family = Family::V6;
    let mut running = world.run(config);
    assert_eq!(running.next().await, failed(Reason::NoPublicIpv6));
    running.end().await;
    assert_eq!(world.asked(), []);
}

#[test]
fn l7_what_is_displayed_holds_no_address_and_remedies_do() {
    let reasons = [
        Reason::NoAnswer(forward()),
        Reason::PortInUse(forward()),
        Reason::DoubleNat {
            router: address("192.168.0.7"),
            external: PORT,
        },
        Reason::EndpointDiffers {
            configured: address(PUBLIC),
            external: address("93.184.216.99:1"),
        },
    ];
    for reason in reasons {
        let logged = format!("{reason} {reason:?} {:?}", failed(reason));
        for part in ["192.168", "93.184"] {
            assert!(!logged.contains(part), "{logged}");
        }
    }
    let by_hand = reasons[0].remedy();
    for part in ["UDP", "51820", "192.168.1.20"] {
        assert!(by_hand.contains(part), "{by_hand}");
    }
    assert!(reasons[2].remedy().contains("192.168.0.7"));
}
