use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;
use veilpool_arithmetic::engine::*;
fn cpu() -> f64 {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}
struct K<'a, E: Engine>(&'a mut [<E::Fq as Lanes>::Block], u8);
impl<E: Engine> Kernel<E> for K<'_, E> {
    type Output = ();
    #[inline(always)]
    fn run(self, e: E) {
        let w = E::Fq::load(e, &self.0[0]);
        for b in self.0 {
            let x = E::Fq::load(e, b);
            let y = match self.1 {
                0 => x.mul(w),
                1 => x.square(),
                2 => x.sub(w),
                3 => x.sub_two(w, w),
                4 => E::Fq::signed_difference(x, 3, w, 5),
                5 => {
                    let [a, b] = E::Fq::mul_complex([x, w], [w, x]);
                    a.sub_two(b, w)
                }
                6 => w.mul_difference(x, w),
                _ => x,
            };
            y.save(b);
        }
    }
}
fn go<E: Engine>(e: E) {
    let mut blocks = vec![E::Fq::EMPTY; 64];
    for b in &mut blocks {
        E::Fq::splat(e, &[123456789, 987654321, 5, 77]).save(b);
    }
    for (k, name) in [
        "mul",
        "square",
        "sub",
        "sub_two",
        "signed",
        "complex",
        "mul_difference",
        "copy",
    ]
    .iter()
    .enumerate()
    {
        let mut best = f64::MAX;
        for _ in 0..20 {
            let t = cpu();
            for _ in 0..200 {
                e.run(K::<E>(&mut blocks, k as u8));
            }
            best = best.min(cpu() - t);
        }
        println!(
            "{} {name}: {:.2} ns per block",
            E::NAME,
            best * 1e9 / 12800.0
        );
    }
}
fn main() {
    go(Ifma::detect().unwrap());
    go(Portable);
    let _ = Instant::now();
}
