//! Whether a node is reached, from what is known on both sides of the router.

use std::{fmt, future::Future, net::SocketAddr, time::Duration};

use veilpool_sensitive::Sensitive;

use crate::{mapping::Mapping, reason::Reason};

/// A handshake so long ago still shows that packets arrive: WireGuard's sessions end after three minutes, and
/// measurers come in slots.
pub const RECENT: Duration = Duration::from_secs(600);

/// What a measurer, or another peer that was asked, says of reaching this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ListingOutcome {
    /// It got through to the endpoint.
    Reached,
    /// It tried and got no answer.
    NotReached,
    /// It doesn't take the listing, such as one with a private endpoint.
    Refused,
    /// It couldn't be asked, or hasn't tried yet.
    Unknown,
}

/// Who knows whether this node is reached from outside.
pub trait Probe: Send + Sync {
    /// What those who were asked say.
    fn listings(&self) -> impl Future<Output = Vec<ListingOutcome>> + Send;

    /// Since the last handshake of a peer that isn't on this network.
    fn last_handshake_seen(&self) -> impl Future<Output = Option<Duration>> + Send;
}

/// Whether the node is reached, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnosis {
    /// It is.
    Reached,
    /// By some.
    PartlyReached {
        /// Got through.
        reached: usize,
        /// Said whether they did.
        tried: usize,
    },
    /// It isn't.
    NotReached {
        /// The likeliest.
        reason: Reason,
    },
    /// Nobody has tried.
    NotKnown {
        /// What would stand in the way.
        suspicion: Option<Reason>,
    },
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reached => f.write_str("this node is reached from outside"),
            Self::PartlyReached { reached, tried } => {
                write!(f, "this node is reached by {reached} of {tried} that tried")
            }
            Self::NotReached { reason } => write!(f, "this node isn't reached: {reason}"),
            Self::NotKnown { suspicion: None } => {
                f.write_str("nobody has tried to reach this node yet")
            }
            Self::NotKnown {
                suspicion: Some(reason),
            } => write!(
                f,
                "nobody has tried to reach this node yet, and probably couldn't: {reason}"
            ),
        }
    }
}

impl Diagnosis {
    /// What to do; `None` if nothing. Names addresses, so it is for the operator's eyes and not for a log.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::Reached => None,
            Self::PartlyReached { .. } => Some(
                "look whether the connection drops now and then; if the same measurers fail each time, it is their way \
                 to this node that is broken"
                    .into(),
            ),
            Self::NotReached { reason }
            | Self::NotKnown {
                suspicion: Some(reason),
            } => Some(reason.remedy()),
            Self::NotKnown { suspicion: None } => {
                Some("wait for the measurers' next slot".into())
            }
        }
    }
}

/// Puts together what the router says, what others are told, and whether anybody arrives.
///
/// Arrivals count most: a port forwarded by hand works whatever the router answers.
#[must_use]
pub fn diagnose(
    mapping: &Mapping,
    configured_endpoint: Option<SocketAddr>,
    last_handshake_seen: Option<Duration>,
    listings: &[ListingOutcome],
) -> Diagnosis {
    let count = |outcome| {
        listings
            .iter()
            .filter(|listing| **listing == outcome)
            .count()
    };
    let reached = count(ListingOutcome::Reached);
    let tried = reached + count(ListingOutcome::NotReached);
    let suspicion = suspicion(mapping, configured_endpoint);
    if reached > 0 {
        return if reached == tried {
            Diagnosis::Reached
        } else {
            Diagnosis::PartlyReached { reached, tried }
        };
    }
    if last_handshake_seen.is_some_and(|since| since <= RECENT) {
        // Somebody arrives. Those who don't were told something else.
        return match suspicion {
            Some(reason @ Reason::EndpointDiffers { .. }) if tried > 0 => {
                Diagnosis::NotReached { reason }
            }
            _ if tried > 0 => Diagnosis::PartlyReached { reached, tried },
            _ => Diagnosis::Reached,
        };
    }
    if tried > 0 {
        return Diagnosis::NotReached {
            reason: suspicion.unwrap_or(Reason::Blocked),
        };
    }
    if count(ListingOutcome::Refused) > 0 {
        return Diagnosis::NotReached {
            reason: suspicion.unwrap_or(Reason::ListingRefused),
        };
    }
    Diagnosis::NotKnown { suspicion }
}

/// What is wrong as seen from here.
fn suspicion(mapping: &Mapping, configured: Option<SocketAddr>) -> Option<Reason> {
    let external = match mapping {
        Mapping::Searching => return None,
        Mapping::Failed { reason } => return Some(*reason),
        Mapping::Mapped(mapped) => *mapped.external.expose(),
        // The port inside is the port outside.
        Mapping::NotNeeded { address } => SocketAddr::new(*address.expose(), configured?.port()),
    };
    let configured = configured?;
    (configured != external).then(|| Reason::EndpointDiffers {
        configured: Sensitive::new(configured),
        external: Sensitive::new(external),
    })
}
