//! UPnP.

use std::time::{Duration, Instant};

use veilpool_reach::{Grant, HomeRouter, Lease, Protocol, Router, RouterError, Sensitive};

use crate::servers::{
    Http, at_root, description, fault, forwarding, igd, impatient, own_address, request, router,
    scpd, soap,
};

const PUBLIC: &str = "93.184.216.34";
const MALFORMED: RouterError = RouterError::Malformed {
    protocol: Protocol::Upnp,
};

fn granted(port: u16, lease: Lease) -> Grant {
    Grant {
        protocol: Protocol::Upnp,
        external: Sensitive::new(format!("{PUBLIC}:{port}").parse().unwrap()),
        lease,
        epoch: None,
    }
}

async fn opening(
    answer: impl Fn(&str, &str) -> Http + Send + Sync + 'static,
    exactly: bool,
) -> Result<Grant, RouterError> {
    opening_by(router(), answer, exactly).await
}

async fn opening_by(
    router: HomeRouter,
    answer: impl Fn(&str, &str) -> Http + Send + Sync + 'static,
    exactly: bool,
) -> Result<Grant, RouterError> {
    let gateway = own_address();
    igd(gateway, at_root, answer).await;
    let mut asked = request(gateway);
    asked.exactly = exactly;
    let begun = Instant::now();
    let opened = router.open(&asked).await.map(|(_, grant)| grant);
    assert!(begun.elapsed() < Duration::from_secs(6), "it took too long");
    opened
}

#[tokio::test]
async fn upnp_maps_renews_and_removes() {
    let gateway = own_address();
    let log = igd(gateway, at_root, forwarding(PUBLIC, |_| None)).await;
    let router = router();
    let (mut session, grant) = router.open(&request(gateway)).await.unwrap();
    let expected = granted(51820, Lease::For(Duration::from_secs(7200)));
    assert_eq!(grant, expected);
    assert_eq!(router.renew(&mut session).await, Ok(expected));
    router.close(session).await.unwrap();
    let log = log.lock().unwrap();
    let adds: Vec<_> = log
        .iter()
        .filter(|asked| asked.contains("AddPortMapping"))
        .collect();
    assert_eq!(adds.len(), 2);
    for part in [
        ">51820</NewExternalPort>",
        ">51820</NewInternalPort>",
        ">127.0.0.1</NewInternalClient>",
        ">UDP</NewProtocol>",
        ">7200</NewLeaseDuration>",
    ] {
        assert!(adds[0].contains(part), "{part} in {}", adds[0]);
    }
    assert!(log.last().unwrap().contains("DeletePortMapping"));
}

#[tokio::test]
async fn a_router_without_leases_is_asked_for_none() {
    let answer = forwarding(PUBLIC, |body| {
        (!body.contains(">0</NewLeaseDuration>")).then(|| fault(725))
    });
    assert_eq!(
        opening(answer, true).await,
        Ok(granted(51820, Lease::UntilRemoved))
    );
}

#[tokio::test]
async fn a_port_of_another_machine_is_replaced_or_a_reason() {
    let conflict = |body: &str| {
        body.contains(">51820</NewExternalPort>")
            .then(|| fault(718))
    };
    let error = opening(forwarding(PUBLIC, conflict), true).await;
    let protocol = Protocol::Upnp;
    assert_eq!(error, Err(RouterError::PortInUse { protocol }));
    let grant = opening(forwarding(PUBLIC, conflict), false).await.unwrap();
    assert_ne!(grant.external.expose().port(), 51820);
}

#[tokio::test]
async fn a_refusal_by_upnp_is_told_from_nonsense() {
    let protocol = Protocol::Upnp;
    let refused = Err(RouterError::Refused { protocol });
    for code in [501, 606, 402] {
        let answer = forwarding(PUBLIC, move |_| Some(fault(code)));
        assert_eq!(opening(answer, true).await, refused, "{code}");
    }
    for address in ["", "not an address", "1.2.3.4.5", "<x/>"] {
        assert_eq!(
            opening(forwarding(address, |_| None), true).await,
            Err(MALFORMED)
        );
    }
}

#[tokio::test]
async fn a_slow_or_endless_router_is_given_up() {
    for path in ["/root.xml", "/scpd", "/control"] {
        for endless in [false, true] {
            let honest = forwarding(PUBLIC, |_| None);
            let answer = move |asked: &str, body: &str| match (asked == path, endless) {
                (false, _) => honest(asked, body),
                (true, false) => Http::Hang,
                (true, true) => Http::Endless,
            };
            let expected = if path == "/control" && endless {
                MALFORMED
            } else {
                RouterError::NoAnswer
            };
            let router = behind(path);
            let opened = opening_by(router, answer, true).await;
            assert_eq!(opened, Err(expected), "{path} {endless}");
        }
    }
}

/// What is behind the discovery needs one that succeeds.
fn behind(path: &str) -> HomeRouter {
    if path == "/control" {
        router()
    } else {
        impatient()
    }
}

/// A billion laughs, a deep tree, and files of the machine's.
fn bombs() -> Vec<String> {
    let mut laughs = String::from("<!DOCTYPE x [<!ENTITY a0 \"ha\">");
    for level in 1..40 {
        let inside = format!("&a{};", level - 1).repeat(10);
        laughs += &format!("<!ENTITY a{level} \"{inside}\">");
    }
    laughs += "]><x>&a39;</x>";
    vec![
        laughs,
        "<a>".repeat(100_000),
        format!("<x y=\"{}\"/>", "z".repeat(900_000)),
        "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><x>&f;</x>".into(),
        "\u{0}\u{fffd}<<<>>>".into(),
        String::new(),
    ]
}

#[tokio::test]
async fn xml_bombs_are_no_answer_anywhere() {
    for path in ["/root.xml", "/scpd", "/control"] {
        for bomb in bombs() {
            let honest = forwarding(PUBLIC, |_| None);
            let served = bomb.clone();
            let answer = move |asked: &str, body: &str| {
                if asked == path {
                    Http::Reply(200, served.clone())
                } else {
                    honest(asked, body)
                }
            };
            let expected = if path == "/control" {
                MALFORMED
            } else {
                RouterError::NoAnswer
            };
            let router = behind(path);
            let begins: String = bomb.chars().take(40).collect();
            let opened = opening_by(router, answer, true).await;
            assert_eq!(opened, Err(expected), "{path} {begins}");
        }
    }
}

#[tokio::test]
async fn only_the_gateway_itself_is_taken() {
    // The gateway's discovery points at another machine, which would forward.
    let (gateway, other) = (own_address(), own_address());
    let elsewhere = tokio::net::TcpListener::bind((other, 0)).await.unwrap();
    let place = at_root(elsewhere.local_addr().unwrap());
    igd(gateway, move |_| place, forwarding(PUBLIC, |_| None)).await;
    let error = impatient().open(&request(gateway)).await.err();
    assert_eq!(error, Some(RouterError::NoAnswer));
    let asked = tokio::time::timeout(Duration::from_millis(100), elsewhere.accept()).await;
    assert!(asked.is_err(), "the other machine was asked");

    // Its description points at another machine.
    let place = format!("http://{}/control", elsewhere.local_addr().unwrap());
    let answer = move |path: &str, _: &str| match path {
        "/root.xml" => Http::Reply(200, description(&place)),
        "/scpd" => Http::Reply(200, scpd()),
        _ => soap("AddPortMapping", ""),
    };
    let opened = opening_by(impatient(), answer, true).await;
    assert_eq!(opened, Err(RouterError::NoAnswer));
    let asked = tokio::time::timeout(Duration::from_millis(100), elsewhere.accept()).await;
    assert!(asked.is_err(), "the other machine was asked");
}

#[tokio::test]
async fn a_server_that_is_gone_at_renewal_is_no_answer() {
    let gateway = own_address();
    let gone = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now_gone = std::sync::Arc::clone(&gone);
    let honest = forwarding(PUBLIC, |_| None);
    igd(gateway, at_root, move |path, body| {
        if gone.load(std::sync::atomic::Ordering::Relaxed) {
            Http::Hang
        } else {
            honest(path, body)
        }
    })
    .await;
    let router = router();
    let (mut session, _) = router.open(&request(gateway)).await.unwrap();
    now_gone.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(router.renew(&mut session).await, Err(RouterError::NoAnswer));
    assert_eq!(router.close(session).await, Err(RouterError::NoAnswer));
}
