//! Prints a proof of the sample claim for `prover/tests/frozen/`: one file for each released
//! version of the circuit and number of measurers, kept for ever (T11).
//!
//! ```text
//! cargo run -p veilpool-prover --example freeze_proof -- 5 > prover/tests/frozen/claim-n5-v2.json
//! ```

use std::error::Error;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::json;
use veilpool_params::default_cache_dir;
use veilpool_protocol::MeasurerCount;
use veilpool_prover::{Prover, sample_inputs};

const SEED: u64 = 1;

fn main() -> Result<(), Box<dyn Error>> {
    let n: usize = std::env::args().nth(1).ok_or("which n?")?.parse()?;
    let n = MeasurerCount::try_from(n)?;
    let prover = Prover::load(n, &default_cache_dir(), &mut |_, _| {})?;
    let inputs = sample_inputs(n, SEED)?;
    let proof = prover.prove(&inputs, &mut ChaCha20Rng::seed_from_u64(SEED))?;
    let frozen = json!({
        "version": prover.record().version,
        "claimed": proof.claimed(),
        "public_input": proof.public_input(),
        "proof": proof.to_bytes(),
        "compressed": proof.to_compressed(),
        "verifying_key": prover.verifying_key().to_on_chain_bytes().map(|byte| format!("{byte:02x}")).concat(),
    });
    println!("{}", serde_json::to_string_pretty(&frozen)?);
    Ok(())
}
