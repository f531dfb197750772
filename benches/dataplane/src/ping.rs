//! What ping(8) of iputils prints.

use crate::stats::quantile;

/// Round trips under load.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Latency {
    /// Milliseconds, in the order of arrival.
    pub(crate) trips: Vec<f64>,
    /// Requests without an answer.
    pub(crate) lost: u64,
}

impl Latency {
    /// From ping's output without `-q`; `None` when it has no statistics.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let trips: Vec<f64> = text
            .lines()
            .filter(|line| !line.contains("DUP!"))
            .filter_map(|line| {
                let (_, time) = line.split_once(" time=")?;
                time.strip_suffix(" ms")?.parse().ok()
            })
            .collect();
        let statistics = text
            .lines()
            .find(|line| line.contains(" packets transmitted, "))?;
        let mut words = statistics.split_whitespace();
        let sent: u64 = words.next()?.parse().ok()?;
        let lost = sent.saturating_sub(u64::try_from(trips.len()).ok()?);
        Some(Self { trips, lost })
    }

    /// So much of the trips take at most this, in milliseconds.
    pub(crate) fn quantile(&self, of: f64) -> Option<f64> {
        quantile(&self.trips, of)
    }

    /// Share of requests without an answer.
    pub(crate) fn loss(&self) -> f64 {
        let answered = self.trips.len() as f64;
        self.lost as f64 / (answered + self.lost as f64).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
PING 11.7.0.2 (11.7.0.2) 56(84) bytes of data.
64 bytes from 11.7.0.2: icmp_seq=1 ttl=63 time=0.158 ms
64 bytes from 11.7.0.2: icmp_seq=2 ttl=63 time=12 ms
64 bytes from 11.7.0.2: icmp_seq=2 ttl=63 time=13 ms (DUP!)
64 bytes from 11.7.0.2: icmp_seq=4 ttl=63 time=0.020 ms

--- 11.7.0.2 ping statistics ---
4 packets transmitted, 3 received, +1 duplicates, 25% packet loss, time 31ms
rtt min/avg/max/mdev = 0.020/4.059/12.000/5.000 ms
";

    #[test]
    fn every_round_trip_is_read_and_what_is_missing_is_lost() {
        let latency = Latency::parse(OUTPUT).unwrap();
        assert_eq!(latency.trips, [0.158, 12.0, 0.020]);
        assert_eq!(latency.lost, 1);
        assert_eq!(latency.quantile(0.5), Some(0.158));
        assert_eq!(latency.quantile(0.99), Some(12.0));
        assert!((latency.loss() - 0.25).abs() < 1e-9);
    }

    #[test]
    fn output_without_statistics_is_refused() {
        assert_eq!(
            Latency::parse("ping: connect: Network is unreachable\n"),
            None
        );
        let none = "2 packets transmitted, 0 received, 100% packet loss, time 1ms\n";
        let none = Latency::parse(none).unwrap();
        assert_eq!((none.lost, none.quantile(0.5)), (2, None));
    }
}
