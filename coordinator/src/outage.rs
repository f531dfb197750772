//! Saying once that a service is down and once that it is back, and how long to wait between tries.

use std::{fmt::Display, time::Duration};

use veilpool_chain::Backoff;

/// The state of something that may be down.
#[derive(Debug)]
pub struct Outage {
    what: &'static str,
    next: &'static str,
    down: bool,
    backoff: Backoff,
}

impl Outage {
    /// Of a named service; `next` says what happens while it is down.
    #[must_use]
    pub const fn new(what: &'static str, next: &'static str, longest: Duration) -> Self {
        Self {
            what,
            next,
            down: false,
            backoff: Backoff::new(Duration::from_millis(250), longest),
        }
    }

    /// It failed: says so the first time, and gives the time until the next try.
    pub fn failed(&mut self, error: &dyn Display) -> Duration {
        if !self.down {
            self.down = true;
            tracing::warn!("{}: {error}; {}", self.what, self.next);
        }
        self.backoff.step()
    }

    /// It works: says so if it was down.
    pub fn works(&mut self) {
        if self.down {
            self.down = false;
            tracing::info!("{}: works again", self.what);
        }
        self.backoff.reset();
    }

    /// Whether it was down at the last try.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.down
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_outage_is_said_once_and_its_end_once_and_waits_grow() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .finish();
        let mut outage = Outage::new("the chain", "it is tried again", Duration::from_secs(1));
        tracing::subscriber::with_default(subscriber, || {
            outage.works();
            let waits: Vec<u128> = (0..4)
                .map(|_| outage.failed(&"no answer").as_millis())
                .collect();
            assert_eq!(waits, [250, 500, 1000, 1000]);
            assert!(outage.is_down());
            outage.works();
            outage.works();
            assert_eq!(outage.failed(&"no answer").as_millis(), 250);
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let count = |what: &str| text.matches(what).count();
        assert_eq!(
            count("the chain: no answer; it is tried again"),
            2,
            "{text}"
        );
        assert_eq!(count("the chain: works again"), 1, "{text}");
    }
}
