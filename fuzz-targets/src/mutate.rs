//! Mutations of an input, chosen by a generator that is the same everywhere.

use rand::{Rng, seq::SliceRandom};

/// Numbers that parsers trip over.
const NUMBERS: [u64; 12] = [
    0,
    1,
    2,
    0x7f,
    0xff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 32,
    1 << 60,
    u64::MAX >> 1,
    u64::MAX,
];

/// Edits the bytes in one to six places; `other` is another input, of which parts may be taken.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], rng: &mut impl Rng) {
    for _ in 0..rng.gen_range(1..=6) {
        once(bytes, other, rng);
    }
}

fn once(bytes: &mut Vec<u8>, other: &[u8], rng: &mut impl Rng) {
    if bytes.is_empty() {
        bytes.push(rng.r#gen());
        return;
    }
    let len = bytes.len();
    let at = rng.gen_range(0..len);
    let size = rng.gen_range(1..=(len - at).min(64));
    let number = *NUMBERS.choose(rng).unwrap_or(&0);
    match rng.gen_range(0..10) {
        0 => bytes[at] ^= 1 << rng.gen_range(0..8),
        1 => bytes[at] = rng.r#gen(),
        2 => overwrite(bytes, at, &number.to_le_bytes()),
        3 => overwrite(bytes, at, &(number as u32).to_le_bytes()),
        4 => overwrite(bytes, at, &(rng.gen_range(0..=len) as u32).to_le_bytes()),
        5 => bytes.truncate(at),
        6 => drop(bytes.drain(at..at + size)),
        7 => {
            let part = bytes[at..at + size].to_vec();
            let to = rng.gen_range(0..=bytes.len());
            bytes.splice(to..to, part);
        }
        8 => {
            let to = rng.gen_range(0..len);
            let part = bytes[at..at + size].to_vec();
            overwrite(bytes, to, &part);
        }
        _ => {
            let from = rng.gen_range(0..=other.len());
            let end = rng.gen_range(from..=other.len().min(from + 64));
            bytes.splice(at..at, other[from..end].iter().copied());
        }
    }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (slot, byte) in bytes[at..].iter_mut().zip(with) {
        *slot = *byte;
    }
}
