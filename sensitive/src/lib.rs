//! What may identify somebody prints as `[redacted]`, so that a log line or an error made in passing
//! can't join an address to a nullifier, a wallet to a subject, or a leaf to either (attack L7).

#![forbid(unsafe_code)]

use std::fmt;

/// A value that isn't printed. [`Self::expose`] is the one way to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps it.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the place that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> fmt::Display for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l7_a_sensitive_value_prints_redacted() {
        let value = Sensitive::new("198.51.100.7");
        assert_eq!(
            format!("{value} {value:?} {:?}", Some(value)),
            "[redacted] [redacted] Some([redacted])"
        );
        assert_eq!(*value.expose(), "198.51.100.7");
    }
}
