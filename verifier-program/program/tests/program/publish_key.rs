//! Publishing verifying keys: the only place where their points are checked (attacks C2, C3).

use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use veilpool_groth16::{KeyError, VerifyingKey};
use veilpool_interface::{PoolError, address, builder, state::Key};
use veilpool_program_harness::{
    Chain, Receipt, Refusal,
    binary::Build,
    chain::PROGRAM,
    points,
    pool::{verifying_key, verifying_key_digest},
};
use veilpool_protocol::{MeasurerCount, verifying_key::LEN};

/// Alpha, beta, gamma, delta, IC0, IC1: where each begins, and its length.
const POINTS: [(usize, usize); 6] = [
    (40, 64),
    (BETA, 128),
    (GAMMA, 128),
    (DELTA, 128),
    (488, 64),
    (552, 64),
];
const BETA: usize = 104;
const GAMMA: usize = 232;
const DELTA: usize = 360;
/// Where the file says whether a ceremony made it.
const STATUS: usize = 5;

fn send(chain: &mut Chain, file: &[u8; LEN]) -> Result<Receipt, Refusal> {
    let payer = chain.new_person();
    let publish = builder::publish_key(&PROGRAM, &payer.pubkey(), file);
    chain.send(&[publish], &[&payer])
}

fn key_address(file: &[u8; LEN]) -> Pubkey {
    address::key(&PROGRAM, &builder::key_digest(file)).0
}

fn is_refused(file: &[u8; LEN], expected: PoolError, what: &str) {
    for build in [Build::Development, Build::Release] {
        let mut chain = Chain::new(build);
        assert_eq!(send(&mut chain, file), Err(expected.into()), "{what}");
        assert_eq!(chain.read::<Key>(&key_address(file)), None, "{what}");
    }
}

/// The repository's key, as if a ceremony had made it.
fn ceremony_key() -> [u8; LEN] {
    let mut file = verifying_key(MeasurerCount::Three);
    file[STATUS] = 1;
    file
}

#[test]
fn a_key_is_published_at_the_address_of_its_hash_by_anybody_and_once() {
    for count in MeasurerCount::ALL {
        let mut chain = Chain::default();
        let file = verifying_key(count);
        send(&mut chain, &file).unwrap();
        let (address, bump) = address::key(&PROGRAM, &verifying_key_digest(count));
        assert_eq!(chain.read::<Key>(&address), Some(Key { bump, file }));
        assert_eq!(
            send(&mut chain, &file),
            Err(PoolError::AlreadyExists.into())
        );
    }
}

#[test]
fn a_development_key_is_announced_in_the_log() {
    let line = "Program log: DEVELOPMENT verifying key: anybody can forge claims for it";
    let file = verifying_key(MeasurerCount::Five);
    let receipt = send(&mut Chain::default(), &file).unwrap();
    assert!(receipt.logs.iter().any(|one| one == line));
    let receipt = send(&mut Chain::default(), &ceremony_key()).unwrap();
    assert!(receipt.logs.iter().all(|one| one != line));
}

#[test]
fn c3_the_release_build_publishes_no_development_key() {
    for count in MeasurerCount::ALL {
        let mut chain = Chain::new(Build::Release);
        assert_eq!(
            send(&mut chain, &verifying_key(count)),
            Err(PoolError::DevelopmentKey.into())
        );
    }
    // One that a ceremony made it does.
    send(&mut Chain::new(Build::Release), &ceremony_key()).unwrap();
}

#[test]
fn c2_a_key_that_drops_its_public_input_or_has_infinity_is_not_published() {
    for (at, len) in POINTS {
        let mut file = ceremony_key();
        file[at..at + len].fill(0);
        is_refused(
            &file,
            PoolError::InvalidVerifyingKey,
            &format!("infinity at {at}"),
        );
    }
}

#[test]
fn c3_a_key_whose_gamma_is_delta_is_not_published() {
    let mut file = ceremony_key();
    file.copy_within(GAMMA..DELTA, DELTA);
    is_refused(&file, PoolError::InvalidVerifyingKey, "gamma = delta");
}

#[test]
fn c3_a_key_whose_delta_is_the_generator_is_not_published() {
    let mut file = ceremony_key();
    let generator = "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2\
                     1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed\
                     090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b\
                     12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";
    for (slot, byte) in file[DELTA..].iter_mut().zip(0..128) {
        *slot = u8::from_str_radix(&generator[2 * byte..2 * byte + 2], 16).unwrap();
    }
    is_refused(&file, PoolError::InvalidVerifyingKey, "delta = generator");
}

#[test]
fn c2_a_key_with_what_is_no_point_is_not_published() {
    for (at, len) in POINTS {
        // The last byte of either coordinate, and a coordinate of the modulus or more.
        for (offset, byte) in [
            (len - 1, None),
            (len / 2 - 1, None),
            (0, Some(0xff)),
            (len / 2, Some(0xff)),
        ] {
            let mut file = ceremony_key();
            let slot = &mut file[at + offset];
            *slot = byte.unwrap_or(*slot ^ 1);
            is_refused(
                &file,
                PoolError::InvalidVerifyingKey,
                &format!("no point at {at}"),
            );
        }
    }
}

#[test]
fn c2_a_key_with_a_point_on_the_curve_of_g2_but_outside_its_subgroup_is_not_published() {
    let names = [("beta", BETA), ("gamma", GAMMA), ("delta", DELTA)];
    for (outside, inside) in points::outside_and_inside::<3>() {
        for (name, at) in names {
            let mut file = ceremony_key();
            file[at..at + inside.len()].copy_from_slice(&outside);
            let reason = VerifyingKey::validated(&file).unwrap_err();
            assert_eq!(reason, KeyError::NotAPoint(name));
            let what = format!("{name} outside of the subgroup");
            is_refused(&file, PoolError::InvalidVerifyingKey, &what);
            // Nothing else is wrong with it.
            file[at..at + inside.len()].copy_from_slice(&inside);
            send(&mut Chain::new(Build::Release), &file).unwrap();
        }
    }
}

#[test]
fn a_file_with_another_head_is_no_key() {
    // Magic, version and status, number of measurers.
    for at in 0..8 {
        for bit in [0x40, 0x80] {
            let mut file = ceremony_key();
            file[at] ^= bit;
            is_refused(
                &file,
                PoolError::InvalidVerifyingKey,
                &format!("byte {at} of the head"),
            );
        }
    }
}

#[test]
fn a_file_that_is_too_short_or_too_long_is_an_invalid_instruction() {
    let mut chain = Chain::default();
    let payer: Keypair = chain.new_person();
    let publish = builder::publish_key(&PROGRAM, &payer.pubkey(), &ceremony_key());
    for len in [0, 1, publish.data.len() - 1, publish.data.len() + 1] {
        let mut other = publish.clone();
        other.data.resize(len, 0);
        assert_eq!(
            chain.send(&[other], &[&payer]),
            Err(PoolError::InvalidInstruction.into())
        );
    }
}

#[test]
fn a_key_is_not_published_at_the_address_of_another() {
    let mut chain = Chain::default();
    let payer = chain.new_person();
    let mut publish = builder::publish_key(&PROGRAM, &payer.pubkey(), &ceremony_key());
    publish.accounts[1].pubkey = key_address(&verifying_key(MeasurerCount::Five));
    assert_eq!(
        chain.send(&[publish], &[&payer]),
        Err(PoolError::WrongAddress.into())
    );
}
