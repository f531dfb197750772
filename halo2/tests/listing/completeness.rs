//! T1: what holds natively satisfies the circuit.

use super::common::{grid, mock, sample};
use veilpool_halo2::listing::check_native;

#[test]
fn honest_listings_satisfy_the_circuit() {
    for seed in 0..4 {
        let (public, witness) = sample(seed);
        assert_eq!(check_native(&public, &witness), Ok(()));
        let grid = grid(&public, &witness);
        assert_eq!(grid.failures(), []);
        assert_eq!(mock(&public, &witness).verify(), Ok(()));
    }
}
