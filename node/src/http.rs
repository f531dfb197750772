//! Requests to measurers and relayers: time-outs, bounded bodies, no redirects. What comes back is judged, whoever
//! sent it. Errors name the server and never the path, in which a subject may stand.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, redirect::Policy};
use serde::{Serialize, de::DeserializeOwned};
use veilpool_protocol::api::ApiError;

/// Largest body that is read. The largest message, a report with all slots, has about 16 KiB.
pub const MAX_BODY: usize = 64 << 10;
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(20);
/// Of a server's own words, so much is kept.
const MAX_MESSAGE: usize = 300;
const MAX_CODE: usize = 48;

/// Why a server's answer can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No connection, or none in time.
    #[error("{url} can't be reached ({reason}); check that it runs and that the URL is right")]
    Unreachable {
        /// Which server.
        url: String,
        /// What happened.
        reason: String,
    },
    /// Longer than any message.
    #[error(
        "{url} answered with more than {MAX_BODY} bytes; it isn't what it should be, or is faulty"
    )]
    TooLarge {
        /// Which server.
        url: String,
    },
    /// Not a message of the protocol.
    #[error(
        "{url} answered with something that isn't a message of the protocol ({reason}); check the URL and its version"
    )]
    Malformed {
        /// Which server.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// Refused, with a reason.
    #[error("{url} refused: {} ({})", error.message, error.code)]
    Refused {
        /// Which server.
        url: String,
        /// Its reason.
        error: ApiError,
    },
}

impl FetchError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Refused { error, .. } => error.retry,
            _ => true,
        }
    }

    /// The server's own short name for it.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { error, .. } => Some(&error.code),
            _ => None,
        }
    }

    /// For logs: without the words of the server, which may repeat what it was sent.
    #[must_use]
    pub fn brief(&self) -> String {
        match self {
            Self::Refused { url, error } => format!("{url} refused ({})", error.code),
            other => other.to_string(),
        }
    }
}

/// A client for all servers.
#[derive(Clone, Debug)]
pub struct Http(Client);

impl Http {
    /// A client.
    ///
    /// # Errors
    /// When the system's TLS can't be set up.
    pub fn new() -> Result<Self, reqwest::Error> {
        Client::builder()
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .redirect(Policy::none())
            .build()
            .map(Self)
    }

    /// `GET base/path`.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn get<T: DeserializeOwned>(&self, base: &str, path: &str) -> Result<T, FetchError> {
        fetch(base, self.0.get(join(base, path))).await
    }

    /// `POST base/path`, with another time-out than the usual one if given.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        base: &str,
        path: &str,
        body: &impl Serialize,
        timeout: Option<Duration>,
    ) -> Result<T, FetchError> {
        let request = self.0.post(join(base, path)).json(body);
        let request = match timeout {
            Some(timeout) => request.timeout(timeout),
            None => request,
        };
        fetch(base, request).await
    }
}

fn join(base: &str, path: &str) -> String {
    format!("{}/{path}", base.trim_end_matches('/'))
}

async fn fetch<T: DeserializeOwned>(base: &str, request: RequestBuilder) -> Result<T, FetchError> {
    let unreachable = |error: reqwest::Error| FetchError::Unreachable {
        url: base.to_owned(),
        reason: reason(error),
    };
    let mut response = request.send().await.map_err(unreachable)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(FetchError::TooLarge {
                url: base.to_owned(),
            });
        }
        body.extend_from_slice(&chunk);
    }
    interpret(base, response.status().as_u16(), &body)
}

/// What a body says, by its status.
///
/// # Errors
/// [`FetchError`].
pub fn interpret<T: DeserializeOwned>(
    base: &str,
    status: u16,
    body: &[u8],
) -> Result<T, FetchError> {
    let malformed = |reason: String| FetchError::Malformed {
        url: base.to_owned(),
        reason: tidy(&reason, MAX_MESSAGE),
    };
    if (200..300).contains(&status) {
        return serde_json::from_slice(body).map_err(|error| malformed(error.to_string()));
    }
    match serde_json::from_slice::<ApiError>(body) {
        Ok(error) => Err(FetchError::Refused {
            url: base.to_owned(),
            error: ApiError {
                code: tidy(&error.code, MAX_CODE),
                message: tidy(&error.message, MAX_MESSAGE),
                retry: error.retry,
            },
        }),
        Err(_) => Err(malformed(format!("status {status} without a reason"))),
    }
}

// Without the URL, whose path may hold a subject, down to the last cause.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(deeper) = cause {
        text = deeper.to_string();
        cause = deeper.source();
    }
    if error.is_timeout() {
        "it took too long".clone_into(&mut text);
    }
    tidy(&text, MAX_MESSAGE)
}

// Somebody else's words: short, and nothing that steers a terminal or makes a second line of a log.
fn tidy(text: &str, longest: usize) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(longest)
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use veilpool_protocol::api::{ClaimReceipt, SignedAttestation};

    use super::*;

    #[test]
    fn a_refusal_is_short_and_steers_no_terminal() {
        let error = ApiError {
            code: "a\u{1b}[31m\n".repeat(20),
            message: "x\r\n".repeat(1000),
            retry: false,
        };
        let body = serde_json::to_vec(&error).unwrap();
        let Err(FetchError::Refused { error, .. }) = interpret::<ClaimReceipt>("u", 409, &body)
        else {
            unreachable!("it is a refusal");
        };
        assert_eq!(error.message, "x".repeat(MAX_MESSAGE));
        assert_eq!(error.code.chars().count(), MAX_CODE);
        assert!(!error.code.chars().any(char::is_control));
    }

    #[test]
    fn a_status_without_a_reason_is_malformed() {
        let refused = interpret::<ClaimReceipt>("u", 502, b"<html>bad gateway</html>");
        assert_eq!(
            refused,
            Err(FetchError::Malformed {
                url: "u".into(),
                reason: "status 502 without a reason".into()
            })
        );
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(status in 100u16..600, body in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(interpret::<SignedAttestation>("u", status, &body).is_err());
            prop_assert!(interpret::<ClaimReceipt>("u", status, &body).is_err());
        }
    }
}
