//! Time by the wall and by the processor, side by side: on a machine that does other things too only the second means
//! anything.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::{child::micros, stats::Stat};

/// What one step took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Of all threads of this process, in microseconds.
    pub cpu_us: u64,
    /// In microseconds.
    pub wall_us: u64,
}

/// Medians of one step over several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// By the processor, all threads, in microseconds.
    pub cpu_us: Stat,
    /// By the wall, in microseconds.
    pub wall_us: Stat,
}

impl Times {
    /// Of these runs.
    #[must_use]
    pub fn of(runs: &[Spent]) -> Self {
        Self {
            cpu_us: Stat::of(runs.iter().map(|spent| spent.cpu_us)),
            wall_us: Stat::of(runs.iter().map(|spent| spent.wall_us)),
        }
    }
}

/// Runs it, and says what it took.
pub fn time<T>(step: impl FnOnce() -> T) -> (T, Spent) {
    let (cpu, wall) = (process_cpu(), Instant::now());
    let result = step();
    let spent = Spent {
        cpu_us: micros(process_cpu().saturating_sub(cpu)),
        wall_us: micros(wall.elapsed()),
    };
    (result, spent)
}

fn process_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)
        .map(Duration::from)
        .unwrap_or_default()
}
