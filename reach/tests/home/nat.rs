//! PCP and NAT-PMP.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use veilpool_reach::{
    Grant, Lease, Protocol, Router, RouterError, Sensitive, home::Session, router::Epoch,
};

use crate::servers::{
    GOOD_PCP, PORT, Pcp, impatient, nat_pmp, nat_server, own_address, request, router,
};

const PUBLIC: Ipv4Addr = Ipv4Addr::new(93, 184, 216, 34);

async fn open_with(
    answer: impl FnMut(&[u8]) -> Option<Vec<u8>> + Send + 'static,
) -> Result<(Session, Grant), RouterError> {
    let gateway = own_address();
    nat_server(gateway, answer).await;
    impatient().open(&request(gateway)).await
}

async fn refusal(answer: impl FnMut(&[u8]) -> Option<Vec<u8>> + Send + 'static) -> RouterError {
    let begun = Instant::now();
    let error = open_with(answer).await.err().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "it took too long");
    error
}

#[tokio::test]
async fn pcp_maps_renews_and_removes() {
    let gateway = own_address();
    let mut epoch = 1000;
    let log = nat_server(gateway, move |request| {
        epoch += 1;
        Some(Pcp { epoch, ..GOOD_PCP }.answer(request))
    })
    .await;
    let router = router();
    let (mut session, grant) = router.open(&request(gateway)).await.unwrap();
    let expected = Grant {
        protocol: Protocol::Pcp,
        external: Sensitive::new((PUBLIC, 51820).into()),
        lease: Lease::For(Duration::from_secs(3600)),
        epoch: Some(Epoch::from_seconds(1001)),
    };
    assert_eq!(grant, expected);
    let grant = router.renew(&mut session).await.unwrap();
    assert_eq!(grant.epoch, Some(Epoch::from_seconds(1002)));
    router.close(session).await.unwrap();

    let log = log.lock().unwrap();
    let [first, again, removal] = &log[..] else {
        panic!("{} requests", log.len());
    };
    assert_eq!(first[..2], [2, 1], "version 2, MAP");
    assert_eq!(first[4..8], 7200u32.to_be_bytes());
    assert_eq!(first[8..24], Ipv4Addr::LOCALHOST.to_ipv6_mapped().octets());
    assert_eq!(first[36], 17, "UDP");
    assert_eq!(first[40..44], [PORT.get().to_be_bytes(); 2].concat());
    assert_eq!(again[24..36], first[24..36], "the same nonce");
    assert_eq!(removal[4..8], [0; 4], "a lease of zero");
    assert_eq!(removal[24..36], first[24..36], "the same nonce");
}

#[tokio::test]
async fn nat_pmp_is_asked_when_the_router_knows_no_pcp() {
    let gateway = own_address();
    let log = nat_server(gateway, |request| {
        Some(nat_pmp(request, PUBLIC, 40000, 600))
    })
    .await;
    let router = router();
    let (mut session, grant) = router.open(&request(gateway)).await.unwrap();
    let expected = Grant {
        protocol: Protocol::NatPmp,
        external: Sensitive::new((PUBLIC, 40000).into()),
        lease: Lease::For(Duration::from_secs(600)),
        epoch: Some(Epoch::from_seconds(1000)),
    };
    assert_eq!(
        grant, expected,
        "the port that was given, not the one asked for"
    );
    assert_eq!(router.renew(&mut session).await, Ok(expected));
    router.close(session).await.unwrap();
    let log = log.lock().unwrap();
    assert_eq!(log.last().unwrap()[..2], [0, 1]);
    assert_eq!(log.last().unwrap()[6..], [0; 6], "port and lease of zero");
}

#[tokio::test]
async fn nat_pmp_is_tried_when_the_router_is_silent_to_pcp() {
    let opened =
        open_with(|request| (request[0] == 0).then(|| nat_pmp(request, PUBLIC, 51820, 600)));
    assert_eq!(opened.await.unwrap().1.protocol, Protocol::NatPmp);
}

#[tokio::test]
async fn a_refusal_is_told_from_silence() {
    let protocol = Protocol::Pcp;
    for (result, expected) in [
        (2, RouterError::Refused { protocol }),
        (8, RouterError::Refused { protocol }),
        (11, RouterError::PortInUse { protocol }),
        (12, RouterError::Refused { protocol }),
        (99, RouterError::Malformed { protocol }),
    ] {
        let error = refusal(move |request| {
            let answer = Pcp { result, ..GOOD_PCP };
            (request[0] == 2).then(|| answer.answer(request))
        });
        assert_eq!(error.await, expected, "result {result}");
    }
    let error = refusal(|request| {
        let mut reply = nat_pmp(request, PUBLIC, 1, 1);
        if request[0] == 0 {
            reply[3] = 2; // not authorised
        }
        Some(reply)
    });
    let protocol = Protocol::NatPmp;
    assert_eq!(error.await, RouterError::Refused { protocol });
    assert_eq!(refusal(|_| None).await, RouterError::NoAnswer);
}

#[tokio::test]
async fn nobody_there_is_no_answer() {
    let error = impatient().open(&request(own_address())).await.err();
    assert_eq!(error, Some(RouterError::NoAnswer));
}

#[tokio::test]
async fn extreme_values_are_taken_as_they_are() {
    let pcp = Pcp {
        lease: u32::MAX,
        epoch: u32::MAX,
        address: Ipv4Addr::BROADCAST,
        port: u16::MAX,
        ..GOOD_PCP
    };
    let (_, grant) = open_with(move |request| Some(pcp.answer(request)))
        .await
        .unwrap();
    assert_eq!(
        grant.lease,
        Lease::For(Duration::from_secs(u32::MAX.into()))
    );
    assert_eq!(
        grant.external,
        Sensitive::new((Ipv4Addr::BROADCAST, u16::MAX).into())
    );
}

#[tokio::test]
async fn answers_that_are_none_are_malformed() {
    let broken: &[fn(&mut Vec<u8>)] = &[
        |reply| reply[1] = 0x01,       // a request
        |reply| reply[1] = 0x82,       // to something else
        |reply| reply[24] ^= 1,        // another nonce
        |reply| reply[36] = 6,         // of TCP
        |reply| reply[41] ^= 1,        // another internal port
        |reply| reply[42..44].fill(0), // no external port
        |reply| reply[4..8].fill(0),   // no lease
        |reply| reply.truncate(59),
        |reply| reply.truncate(24),
        |reply| reply.truncate(3),
        |reply| reply.clear(),
        |reply| reply[0] = 77,
    ];
    for (number, change) in broken.iter().enumerate() {
        let error = refusal(move |request| {
            let mut reply = GOOD_PCP.answer(request.get(..60)?);
            change(&mut reply);
            Some(reply)
        });
        let error = error.await;
        let protocol = Protocol::Pcp;
        assert_eq!(
            error,
            RouterError::Malformed { protocol },
            "change {number}"
        );
    }
}

#[tokio::test]
async fn no_datagram_makes_it_panic_or_hang() {
    let gateway = own_address();
    let mut random = 1u64;
    nat_server(gateway, move |request| {
        let mut next = || {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (random >> 33) as usize
        };
        let mut reply = match request {
            [2, ..] => GOOD_PCP.answer(request),
            _ => nat_pmp(request, PUBLIC, 1, 1),
        };
        for _ in 0..next() % 6 {
            let at = next() % reply.len();
            reply[at] = next() as u8;
        }
        reply.truncate(next() % (reply.len() + 8));
        Some(reply)
    })
    .await;
    let (router, asked) = (impatient(), request(gateway));
    let begun = Instant::now();
    let mut granted = 0;
    for _ in 0..30 {
        granted += usize::from(router.open(&asked).await.is_ok());
    }
    assert!(granted < 30, "none was broken");
    assert!(begun.elapsed() < Duration::from_secs(60), "it hung");
}
