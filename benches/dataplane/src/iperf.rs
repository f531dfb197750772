//! iperf3's JSON, of version 3.12 and later.
//!
//! Of UDP its `bits_per_second` at the top is what was sent; here a rate is always what was received.

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transfer {
    /// Payload that was received.
    pub(crate) bytes: f64,
    /// How long it took.
    pub(crate) seconds: f64,
    /// Of what was sent, the share that didn't arrive. UDP only.
    pub(crate) loss: Option<f64>,
    /// TCP's congestion control at the sender. TCP only.
    pub(crate) congestion: Option<String>,
}

impl Transfer {
    /// From the output of `iperf3 -J`.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let value: Value = serde_json::from_str(text).context("iperf3 didn't print JSON")?;
        if let Some(error) = value["error"].as_str() {
            bail!("iperf3: {error}");
        }
        let (start, end) = (&value["start"]["test_start"], &value["end"]);
        let received = &end["sum_received"];
        let number = |value: &Value, name: &str| {
            let number = value[name].as_f64();
            number.with_context(|| format!("iperf3's JSON has no '{name}' where it is expected"))
        };
        let seconds = number(received, "seconds")?;
        let (bytes, loss) = if start["protocol"] == "UDP" {
            let size = number(start, "blksize")?;
            // The field `bytes` of UDP has had several meanings; the packets' numbers have had one.
            let arrived = number(received, "packets")? - number(received, "lost_packets")?;
            let bytes = arrived.max(0.0) * size;
            let sent = number(&end["sum_sent"], "bytes")?;
            let loss = (sent > 0.0).then(|| (1.0 - bytes / sent).clamp(0.0, 1.0));
            (bytes, loss)
        } else {
            (number(received, "bytes")?, None)
        };
        ensure!(seconds > 0.0 && bytes > 0.0, "iperf3: nothing arrived");
        let congestion = end["sender_tcp_congestion"].as_str().map(str::to_owned);
        Ok(Self {
            bytes,
            seconds,
            loss,
            congestion,
        })
    }

    /// What arrived, in Gbit/s.
    pub(crate) fn gbit_per_second(&self) -> f64 {
        self.bytes * 8e-9 / self.seconds
    }

    /// What arrived, in GB.
    pub(crate) fn gigabytes(&self) -> f64 {
        self.bytes * 1e-9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Of iperf 3.12, shortened.
    const TCP: &str = r#"{"start":{"test_start":{"protocol":"TCP","blksize":131072}},
        "end":{"sum_sent":{"seconds":1.0,"bytes":2646343680},
        "sum_received":{"seconds":2.0,"bytes":1000000000,"bits_per_second":4000000000},
        "sender_tcp_congestion":"cubic"}}"#;
    const UDP: &str = r#"{"start":{"test_start":{"protocol":"UDP","blksize":1300}},
        "end":{"sum":{"seconds":1.0,"bytes":492973000,"bits_per_second":3943121555.5},
        "sum_sent":{"seconds":1.0,"bytes":492973000,"packets":379210,"lost_packets":0},
        "sum_received":{"seconds":1.0,"bytes":131319500,"packets":376728,"lost_packets":275713}}}"#;

    #[test]
    fn a_tcp_rate_is_that_of_the_receiver() {
        let transfer = Transfer::parse(TCP).unwrap();
        assert!((transfer.gbit_per_second() - 4.0).abs() < 1e-9);
        assert!((transfer.gigabytes() - 1.0).abs() < 1e-9);
        assert_eq!(transfer.loss, None);
        assert_eq!(transfer.congestion.as_deref(), Some("cubic"));
    }

    #[test]
    fn a_udp_rate_is_what_arrived_and_loss_counts_what_was_sent() {
        let transfer = Transfer::parse(UDP).unwrap();
        assert!((transfer.bytes - 101_015.0 * 1300.0).abs() < 0.5);
        assert!((transfer.gbit_per_second() - 1.050_556).abs() < 1e-5);
        let loss = transfer.loss.unwrap();
        assert!((loss - (1.0 - 101_015.0 / 379_210.0)).abs() < 1e-9);
    }

    #[test]
    fn what_isnt_a_result_is_refused_with_its_reason() {
        let error = |text: &str| Transfer::parse(text).unwrap_err().to_string();
        assert_eq!(
            error(r#"{"end":{},"error":"unable to connect to server: Connection refused"}"#),
            "iperf3: unable to connect to server: Connection refused"
        );
        assert_eq!(error("iperf3: what"), "iperf3 didn't print JSON");
        assert_eq!(
            error(r#"{"start":{"test_start":{"protocol":"TCP"}},"end":{}}"#),
            "iperf3's JSON has no 'seconds' where it is expected"
        );
        let nothing = TCP.replace("1000000000,", "0,");
        assert_eq!(error(&nothing), "iperf3: nothing arrived");
    }
}
