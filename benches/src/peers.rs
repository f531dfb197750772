//! Other provers beside ours, from registry packages: snarkjs with circom, stock arkworks, and Semaphore v4 as a known
//! yardstick. What they are and how they are installed is in `benches/peers/`.
//!
//! Everything is kept below the cache folder, keyed by what it is made from, and made only once: the packages (npm),
//! a development `.ptau` (minutes), and for each circuit the compiled circuit and its `.zkey`.

pub mod contest;
pub mod inputs;
pub mod install;
pub mod ptau;
pub mod setup;

pub use contest::{Contest, Contestant};
pub use install::{Install, Package, Versions};
pub use setup::{CircomCircuit, Depth};
