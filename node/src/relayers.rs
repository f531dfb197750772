//! The client of relayers.

use std::time::Duration;

use veilpool_protocol::{
    AddressBytes,
    api::{ClaimReceipt, ClaimRequest, RelayerInfo},
};

use crate::http::{FetchError, Http};

/// A relayer answers when the chain has confirmed.
const CONFIRMED: Duration = Duration::from_secs(100);

/// A relayer's API.
#[derive(Clone, Debug)]
pub struct Relayer {
    http: Http,
    url: String,
}

impl Relayer {
    /// At a URL.
    #[must_use]
    pub const fn new(http: Http, url: String) -> Self {
        Self { http, url }
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// [`FetchError`]; [`FetchError::Malformed`] when it serves another pool.
    pub async fn info(&self, pool: &AddressBytes) -> Result<RelayerInfo, FetchError> {
        let info: RelayerInfo = self.http.get(&self.url, "v1/info").await?;
        if info.pool == *pool {
            Ok(info)
        } else {
            Err(FetchError::Malformed {
                url: self.url.clone(),
                reason: "it serves another pool".to_owned(),
            })
        }
    }

    /// Hands over a claim.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn submit(&self, claim: &ClaimRequest) -> Result<ClaimReceipt, FetchError> {
        self.http
            .post(&self.url, "v1/claims", claim, Some(CONFIRMED))
            .await
    }
}

/// Whether a relayer sees the address of this machine: it isn't on it, and no proxy is set.
#[must_use]
pub fn sees_us(url: &str, proxy_is_set: bool) -> bool {
    let on_this_machine = reqwest::Url::parse(url).is_ok_and(|url| match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|ip| ip.is_loopback()),
        None => false,
    });
    !proxy_is_set && !on_this_machine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l6_a_relayer_elsewhere_sees_us_unless_there_is_a_proxy() {
        assert!(sees_us("https://relayer.example", false));
        assert!(!sees_us("https://relayer.example", true));
        assert!(!sees_us("http://127.0.0.1:8080", false));
        assert!(!sees_us("http://localhost:8080/x", false));
        assert!(!sees_us("http://[::1]:8080", false));
    }
}
