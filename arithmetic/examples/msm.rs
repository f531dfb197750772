use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_ff::UniformRand;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use rustix::time::{ClockId, clock_gettime};
fn cpu() -> f64 {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}
use veilpool_arithmetic::{curve::*, engine::*, msm::*, progress::*, scalars::*};

fn run<E: Engine, C: Curve>(e: E, n: usize, mem: usize)
where
    C::Projective: VariableBaseMSM<MulBase = C::Affine>,
{
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (mut p, d) = (C::Projective::rand(&mut rng), C::Projective::rand(&mut rng));
    let pts: Vec<_> = (0..n)
        .map(|_| {
            p += d;
            p
        })
        .collect();
    let pts = C::Projective::normalize_batch(&pts);
    let sc: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
    let t = cpu();
    let b = Bases::<E, C>::new(e, &pts, mem, &Token::new()).unwrap();
    let prep = cpu() - t;
    let mut best = f64::MAX;
    for _ in 0..9 {
        let ex = Exponents::new(&sc);
        let t = cpu();
        let _ = b.multiply(&ex, &Workspace::new(), &Token::new()).unwrap();
        best = best.min((cpu() - t));
    }
    let mut ark = f64::MAX;
    for _ in 0..if std::env::args().count() > 2 { 0 } else { 3 } {
        let t = cpu();
        let _ = C::Projective::msm_unchecked(&pts, &sc);
        ark = ark.min((cpu() - t));
    }
    println!(
        "{} n={n} mem={} {:?} prep {prep:?} ours {:.2} ms ark {:.2} ms ratio {:.2}, {:.1} ns per window",
        E::NAME,
        b.memory(),
        b.plan(),
        best * 1e3,
        ark * 1e3,
        ark / best,
        best * 1e9 / (n * b.plan().windows()) as f64
    );
}
fn main() {
    let n: usize = std::env::args()
        .nth(1)
        .map_or(16384, |s| s.parse().unwrap());
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build_global()
        .unwrap();
    let e = Ifma::detect().unwrap();
    if let Some(m) = std::env::args().nth(2) {
        for _ in 0..20 {
            run::<_, G1>(e, n, m.parse().unwrap());
        }
        return;
    }
    for mem in [0, n * 64 * 6, usize::MAX / 2] {
        run::<_, G1>(e, n, mem);
    }
    run::<_, G2>(e, n, 0);
    run::<_, G2>(e, n, usize::MAX / 2);
    run::<_, G1>(Portable, n, 0);
    run::<_, G1>(Portable, n, usize::MAX / 2);
    run::<_, G2>(Portable, n, 0);
    let _ = (G1Projective::default(), G2Projective::default());
}
