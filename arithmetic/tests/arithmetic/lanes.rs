//! Lanes = arkworks' field, element by element.

use ark_bn254::{Fq, Fq2, Fr};
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_arithmetic::{
    engine::{Engine, LANES, Lanes, Portable},
    words::Raw,
};

/// 0, 1, 2, p − 1, p − 2, (p ± 1)/2, powers of two around limb borders, limbs all ones.
pub(crate) fn edges<F: PrimeField<BigInt = BigInt<4>>>() -> Vec<F> {
    let mut all = vec![F::ZERO, F::ONE, F::from(2u8), -F::ONE, -F::from(2u8)];
    let half = F::from(2u8).inverse().unwrap();
    all.extend([half, -half]);
    for bits in [
        51, 52, 53, 63, 64, 65, 103, 104, 128, 156, 192, 208, 252, 253,
    ] {
        let power = F::from(2u8).pow([bits]);
        all.extend([power, power - F::ONE, -power]);
    }
    // The same as raw words: Montgomery forms with long runs of ones.
    let raw: Vec<F> = all
        .iter()
        .map(|value| *value * F::from(2u8).pow([260]).inverse().unwrap())
        .collect();
    all.extend(raw);
    all
}

fn eights<F: PrimeField<BigInt = BigInt<4>>>(seed: u64) -> Vec<[F; LANES]> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let edges = edges::<F>();
    let mut all = Vec::new();
    for chunk in edges.chunks(LANES) {
        all.push(core::array::from_fn(|lane| chunk[lane % chunk.len()]));
    }
    for _ in 0..8 {
        all.push(core::array::from_fn(|_| F::rand(&mut rng)));
    }
    all
}

fn gather<L: Lanes>(engine: L::Engine, values: &[L::Scalar; LANES]) -> L {
    let words = values.map(|value| L::encode(&value));
    L::gather(engine, words.each_ref())
}

fn values<L: Lanes>(lanes: L) -> [L::Scalar; LANES] {
    lanes.scatter().map(|words| L::decode(&words))
}

fn field_agrees<L: Lanes>(engine: L::Engine)
where
    L::Scalar: Raw,
{
    let all = eights::<L::Scalar>(1);
    for a in &all {
        let x = gather::<L>(engine, a);
        assert_eq!(values(x), *a, "there and back");
        assert_eq!(x.integers(), a.map(|value| value.into_bigint().0));
        assert_eq!(values(x.square()), a.map(|value| value.square()));
        let mut zeros = 0;
        for (lane, value) in a.iter().enumerate() {
            zeros |= u8::from(*value == L::Scalar::ZERO) << lane;
        }
        assert_eq!(x.zeros(), zeros);
        assert_eq!(x.sub(x).zeros(), 0xff, "x − x is zero in whatever form");
        let mut block = L::EMPTY;
        x.save(&mut block);
        assert_eq!(values(L::load(engine, &block)), *a);
        for b in &all {
            let y = gather::<L>(engine, b);
            let each = |f: &dyn Fn(L::Scalar, L::Scalar) -> L::Scalar| {
                core::array::from_fn::<_, LANES, _>(|lane| f(a[lane], b[lane]))
            };
            assert_eq!(values(x.add(y)), each(&|a, b| a + b));
            assert_eq!(values(x.sub(y)), each(&|a, b| a - b));
            assert_eq!(values(x.mul(y)), each(&|a, b| a * b));
            assert_eq!(values(x.sub_two(y, y)), each(&|a, b| a - b - b));
            assert_eq!(values(y.mul_difference(x, y)), each(&|a, b| b * (a - b)));
            for (s, t) in [(0, 0), (0xff, 0), (0, 0xff), (0x5a, 0x33)] {
                let expected = core::array::from_fn(|lane| {
                    let sign = |value: L::Scalar, bits: u8| {
                        if bits >> lane & 1 == 1 { -value } else { value }
                    };
                    sign(a[lane], s) - sign(b[lane], t)
                });
                assert_eq!(values(L::signed_difference(x, s, y, t)), expected);
            }
            let mixed = core::array::from_fn(|lane| {
                if 0xa6 >> lane & 1 == 1 {
                    a[lane]
                } else {
                    b[lane]
                }
            });
            assert_eq!(values(L::select(0xa6, x, y)), mixed);
        }
    }
}

// Operations on values that are never reduced to their unique form in between.
fn chains_agree<L: Lanes>(engine: L::Engine) {
    for (seed, start) in eights::<L::Scalar>(2).into_iter().enumerate() {
        let other = eights::<L::Scalar>(3)[seed % 8];
        let (mut x, mut a) = (gather::<L>(engine, &start), start);
        let (y, b) = (gather::<L>(engine, &other), other);
        for _ in 0..40 {
            x = x.add(x).sub_two(y, y).sub(x.mul(x)).add(y);
            x = x.mul_difference(x, y).add(x);
            for lane in 0..LANES {
                let t = a[lane].double() - b[lane] - b[lane] - a[lane].square() + b[lane];
                a[lane] = t * (t - b[lane]) + t;
            }
            assert_eq!(values(x), a);
        }
    }
}

fn complex_agrees<L: Lanes<Scalar = Fq>>(engine: L::Engine) {
    let all = eights::<Fq>(4);
    for (i, a) in all.iter().enumerate() {
        for b in &all {
            let c = &all[(i * 7 + 3) % all.len()];
            let d = &all[(i * 5 + 1) % all.len()];
            let [real, imaginary] = L::mul_complex(
                [gather::<L>(engine, a), gather::<L>(engine, b)],
                [gather::<L>(engine, c), gather::<L>(engine, d)],
            );
            let (real, imaginary) = (values(real), values(imaginary));
            for lane in 0..LANES {
                let expected = Fq2::new(a[lane], b[lane]) * Fq2::new(c[lane], d[lane]);
                assert_eq!(Fq2::new(real[lane], imaginary[lane]), expected);
            }
        }
    }
}

fn engine_agrees<E: Engine>(engine: E) {
    field_agrees::<E::Fq>(engine);
    field_agrees::<E::Fr>(engine);
    chains_agree::<E::Fq>(engine);
    chains_agree::<E::Fr>(engine);
    complex_agrees::<E::Fq>(engine);
}

#[test]
fn portable_lanes_are_arkworks_field() {
    engine_agrees(Portable);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn ifma_lanes_are_arkworks_field_where_the_machine_has_them() {
    if let Some(engine) = veilpool_arithmetic::engine::Ifma::detect() {
        engine_agrees(engine);
    }
}

fn pairs<L: Lanes>(engine: L::Engine, a: [u64; 8], b: [u64; 8]) {
    // Words need not be below p, only below 2^256 / 4 here: rows hold values below 1.25 p.
    let words = |w: [u64; 8], at: usize| [w[at], w[at + 1], w[at + 2], w[at + 3] >> 3];
    let rows: [[u64; 8]; LANES] = core::array::from_fn(|lane| {
        let from = if lane % 2 == 0 { a } else { b };
        let (first, second) = (words(from, 0), words(from, 4));
        [first, second].concat().try_into().unwrap()
    });
    let [first, second] = L::gather_pair(engine, rows.each_ref());
    let halves = |at: usize| -> [[u64; 4]; LANES] {
        core::array::from_fn(|lane| rows[lane][at..at + 4].try_into().unwrap())
    };
    assert_eq!(values(first), halves(0).map(|w| L::decode(&w)));
    assert_eq!(values(second), halves(4).map(|w| L::decode(&w)));
    assert_eq!(
        values(L::gather_first(engine, rows.each_ref())),
        values(first)
    );
    let mut back = [[0; 8]; LANES];
    L::scatter_pair([first, second], back.each_mut());
    for lane in 0..LANES {
        let row = back[lane];
        let (first, second) = row.split_at(4);
        for (half, at) in [(first, 0), (second, 4)] {
            let original: [u64; 4] = rows[lane][at..at + 4].try_into().unwrap();
            assert_eq!(L::decode(half.try_into().unwrap()), L::decode(&original));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_go_to_lanes_and_back(a in any::<[u64; 8]>(), b in any::<[u64; 8]>()) {
        pairs::<<Portable as Engine>::Fq>(Portable, a, b);
        pairs::<<Portable as Engine>::Fr>(Portable, a, b);
        #[cfg(target_arch = "x86_64")]
        if let Some(engine) = veilpool_arithmetic::engine::Ifma::detect() {
            use veilpool_arithmetic::engine::Ifma;
            pairs::<<Ifma as Engine>::Fq>(engine, a, b);
            pairs::<<Ifma as Engine>::Fr>(engine, a, b);
        }
    }
}

// Fr is used above only by name.
const _: fn() -> Vec<Fr> = edges::<Fr>;
