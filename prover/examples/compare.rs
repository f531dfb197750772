//! CPU time of a proof by each backend on one key and one assignment, from medians of interleaved
//! runs, with memory.
//!
//! ```text
//! cargo run --release -p veilpool-prover --example compare -- [n] [runs] [threads]
//! cargo run --release -p veilpool-prover --example compare -- [n] memory [threads]
//! ```
//! `memory` loads a prover without tables, proves one claim and says what that took.

use std::{error::Error, fs};

use ark_bn254::Fr;
use ark_ff::UniformRand;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use rustix::time::{ClockId, clock_gettime};
use veilpool_params::{Parameters, default_cache_dir};
use veilpool_protocol::MeasurerCount;
use veilpool_prover::{
    Arithmetic, Backend, Constraints, Fast, Options, PhaseTimings, Prover, QuotientBasis, Stock,
    Token, prove::assignment_of, sample_inputs,
};

/// Of all threads of this process, in milliseconds.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn resident() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map_or("?", str::trim).to_owned()
    };
    format!("resident {}, peak {}", value("VmRSS:"), value("VmHWM:"))
}

fn memory(n: MeasurerCount, threads: usize) -> Result<(), Box<dyn Error>> {
    let options = Options {
        threads: Some(threads),
        ..Options::low_memory()
    };
    let cache = default_cache_dir();
    let prover = Prover::load_with(n, &cache, &options, &mut |_, _| {})?;
    println!("loaded: {}", resident());
    let proof = prover.prove(&sample_inputs(n, 1)?, &mut ChaCha20Rng::seed_from_u64(1))?;
    println!("proven: {}", resident());
    println!("{:?}", proof.timings());
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(2).is_some_and(|word| word == "memory") {
        let n: usize = std::env::args().nth(1).map_or(Ok(5), |n| n.parse())?;
        let threads = std::env::args().nth(3).map_or(Ok(1), |t| t.parse())?;
        return memory(MeasurerCount::try_from(n)?, threads);
    }
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| -> Result<usize, Box<dyn Error>> {
        Ok(arguments.next().map_or(Ok(default), |text| text.parse())?)
    };
    let (n, runs, threads) = (number(5)?, number(11)?, number(1)?);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()?;
    let n = MeasurerCount::try_from(n)?;
    let parameters = Parameters::load_or_make(n, &default_cache_dir(), &mut |_, _| {})?;
    let (key, matrices) = (&parameters.proving_key, &parameters.matrices);
    let assignment = assignment_of(&sample_inputs(n, 1)?)?;
    let constraints = Constraints {
        a: &matrices.abc[0],
        b: &matrices.abc[1],
        public_columns: matrices.public_columns,
        witness_columns: matrices.witness_columns,
    };
    let basis = QuotientBasis::OddCoset;
    println!(
        "claim n = {}: {} constraints, {threads} thread(s), median of {runs}",
        n.get(),
        matrices.rows()
    );

    let mut backends: Vec<(String, Box<dyn Backend + '_>)> = Vec::new();
    let stock = Stock::new(
        key,
        &matrices.abc,
        matrices.public_columns,
        matrices.witness_columns,
        basis,
    );
    backends.push(("arkworks".to_owned(), Box::new(stock)));
    for arithmetic in [Arithmetic::Best, Arithmetic::Portable] {
        for table_memory in [0, 16 << 20, 64 << 20] {
            let options = Options {
                arithmetic,
                table_memory,
                ..Options::default()
            };
            let start = cpu();
            let fast = Fast::new(key, constraints, basis, &options, &Token::new())?;
            let name = format!(
                "{} {} MiB (prepared in {:.0} ms)",
                fast.name(),
                fast.memory() >> 20,
                cpu() - start
            );
            backends.push((name, Box::new(fast)));
        }
    }
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut times = vec![Vec::new(); backends.len()];
    let mut phases = vec![PhaseTimings::default(); backends.len()];
    for _ in 0..runs {
        let (r, s) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
        let mut proofs = Vec::new();
        for (index, (_, backend)) in backends.iter().enumerate() {
            let start = cpu();
            let (proof, timings) = backend.prove(&assignment, r, s, &Token::new())?;
            times[index].push(cpu() - start);
            phases[index] = timings;
            proofs.push(proof);
        }
        if proofs.iter().any(|proof| *proof != proofs[0]) {
            return Err("the backends' proofs differ".into());
        }
    }
    let reference = median(times[0].clone());
    for (((name, _), times), phases) in backends.iter().zip(times).zip(phases) {
        let time = median(times);
        println!("{time:8.2} ms CPU  {:5.2}x  {name}", reference / time);
        if phases != PhaseTimings::default() {
            println!("              {phases:?}");
        }
    }
    println!("{}", resident());
    Ok(())
}
