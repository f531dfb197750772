//! What is said of every combination of router, endpoint and arrivals.

#![allow(clippy::unwrap_used, missing_docs)]

use std::{net::SocketAddr, num::NonZeroU16, time::Duration};

use veilpool_reach::{
    Diagnosis, Forward, Lease,
    ListingOutcome::{self, NotReached, Reached, Refused, Unknown},
    Mapped, Mapping, Protocol, Reason, Sensitive, diagnose,
};

const HERE: &str = "93.184.216.34:51820";
const ELSEWHERE: &str = "93.184.216.34:40000";

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn mapped(external: &str) -> Mapping {
    Mapping::Mapped(Mapped {
        protocol: Protocol::NatPmp,
        external: Sensitive::new(socket(external)),
        lease: Lease::For(Duration::from_secs(7200)),
    })
}

fn differs(external: &str) -> Reason {
    Reason::EndpointDiffers {
        configured: Sensitive::new(socket(HERE)),
        external: Sensitive::new(socket(external)),
    }
}

#[test]
fn arrivals_count_most_then_the_endpoint_then_the_router() {
    let no_answer = Reason::NoAnswer(Forward {
        external: NonZeroU16::new(51820).unwrap(),
        to: Sensitive::new(socket("192.168.1.20:51820")),
    });
    let fail = |reason| Mapping::Failed { reason };
    let own = |address: &str| Mapping::NotNeeded {
        address: Sensitive::new(address.parse().unwrap()),
    };
    let not = |reason| Diagnosis::NotReached { reason };
    let suspect = |suspicion| Diagnosis::NotKnown { suspicion };
    let partly = |reached, tried| Diagnosis::PartlyReached { reached, tried };
    let (fresh, old) = (
        Some(Duration::from_secs(100)),
        Some(Duration::from_secs(601)),
    );
    let told = Some(socket(HERE));

    type Row<'a> = (
        Mapping,
        Option<SocketAddr>,
        Option<Duration>,
        &'a [ListingOutcome],
        Diagnosis,
    );
    let table: &[Row<'_>] = &[
        // Somebody gets through: whatever the router says.
        (mapped(HERE), told, None, &[Reached], Diagnosis::Reached),
        (
            fail(no_answer),
            told,
            None,
            &[Reached, Unknown],
            Diagnosis::Reached,
        ),
        (
            fail(Reason::CarrierGradeNat),
            told,
            fresh,
            &[],
            Diagnosis::Reached,
        ),
        (
            mapped(ELSEWHERE),
            told,
            None,
            &[Reached],
            Diagnosis::Reached,
        ),
        (mapped(HERE), None, fresh, &[Refused], Diagnosis::Reached),
        // Some do.
        (
            mapped(HERE),
            told,
            None,
            &[Reached, NotReached],
            partly(1, 2),
        ),
        (mapped(HERE), told, fresh, &[NotReached], partly(0, 1)),
        (
            mapped(ELSEWHERE),
            told,
            fresh,
            &[NotReached],
            not(differs(ELSEWHERE)),
        ),
        // Nobody does.
        (
            mapped(HERE),
            told,
            None,
            &[NotReached],
            not(Reason::Blocked),
        ),
        (
            mapped(HERE),
            None,
            old,
            &[NotReached, Unknown],
            not(Reason::Blocked),
        ),
        (
            mapped(ELSEWHERE),
            told,
            old,
            &[NotReached],
            not(differs(ELSEWHERE)),
        ),
        (
            mapped(ELSEWHERE),
            None,
            None,
            &[NotReached],
            not(Reason::Blocked),
        ),
        (fail(no_answer), told, None, &[NotReached], not(no_answer)),
        (
            fail(Reason::CarrierGradeNat),
            None,
            None,
            &[NotReached],
            not(Reason::CarrierGradeNat),
        ),
        (
            own("93.184.216.34"),
            told,
            None,
            &[NotReached],
            not(Reason::Blocked),
        ),
        (
            own("93.184.216.34"),
            None,
            None,
            &[NotReached],
            not(Reason::Blocked),
        ),
        (
            own("93.184.216.99"),
            told,
            None,
            &[NotReached],
            not(differs("93.184.216.99:51820")),
        ),
        (
            Mapping::Searching,
            told,
            None,
            &[NotReached],
            not(Reason::Blocked),
        ),
        // The listing isn't taken.
        (
            mapped(HERE),
            told,
            None,
            &[Refused],
            not(Reason::ListingRefused),
        ),
        (
            fail(Reason::NoGateway),
            told,
            None,
            &[Refused],
            not(Reason::NoGateway),
        ),
        // Nobody has tried.
        (mapped(HERE), told, None, &[], suspect(None)),
        (mapped(HERE), told, old, &[Unknown], suspect(None)),
        (Mapping::Searching, told, None, &[], suspect(None)),
        (fail(no_answer), told, None, &[], suspect(Some(no_answer))),
        (
            mapped(ELSEWHERE),
            told,
            None,
            &[Unknown],
            suspect(Some(differs(ELSEWHERE))),
        ),
    ];
    for (row, (mapping, configured, handshake, listings, expected)) in table.iter().enumerate() {
        let found = diagnose(mapping, *configured, *handshake, listings);
        assert_eq!(found, *expected, "row {row}");
        assert_eq!(
            found.advice().is_none(),
            found == Diagnosis::Reached,
            "row {row}"
        );
        assert!(!found.to_string().is_empty());
    }
}
