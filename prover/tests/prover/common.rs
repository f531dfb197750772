use std::{path::PathBuf, sync::OnceLock};

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_protocol::MeasurerCount;
use veilpool_prover::{ClaimInputs, Prover, VerifiedProof, sample_inputs};

/// A cache of the tests' own, kept between runs.
pub(crate) fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("params")
}

pub(crate) fn prover(n: MeasurerCount) -> &'static Prover {
    static PROVERS: [OnceLock<Prover>; 3] = [const { OnceLock::new() }; 3];
    let index = (n.get() - 3) / 2;
    PROVERS[index].get_or_init(|| Prover::load(n, &cache(), &mut |_, _| {}).unwrap())
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn inputs(n: MeasurerCount) -> ClaimInputs {
    sample_inputs(n, 11).unwrap()
}

/// One proof for all tests that only need some proof.
pub(crate) fn proof() -> &'static VerifiedProof {
    static PROOF: OnceLock<VerifiedProof> = OnceLock::new();
    PROOF.get_or_init(|| {
        let n = MeasurerCount::Three;
        prover(n).prove(&inputs(n), &mut rng(12)).unwrap()
    })
}
