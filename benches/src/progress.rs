//! What is being done, told to whoever waits.

/// Told what begins, as one line.
pub trait Progress {
    /// A step of some seconds or more begins.
    fn begins(&mut self, what: &str);
}

/// Lines on stderr, with the time since the start.
pub struct Lines(std::time::Instant);

impl Default for Lines {
    fn default() -> Self {
        Self(std::time::Instant::now())
    }
}

impl Progress for Lines {
    fn begins(&mut self, what: &str) {
        eprintln!("[{:>4} s] {what}", self.0.elapsed().as_secs());
    }
}

/// Nobody waits.
pub struct Silent;

impl Progress for Silent {
    fn begins(&mut self, _: &str) {}
}
