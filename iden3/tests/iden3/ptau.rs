//! Powers of tau: what a file is refused for. `ceremony` has those that snarkjs prepared.

use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ff::{Field, One};
use veilpool_iden3::{InvalidFile, PowersOfTau, RawPtau};
use veilpool_params::encoding::InvalidPoint;

use super::common::{Toxic, edited, fixture_file, g2_outside, put_u32, section};

const LOG: u32 = 3;

fn powers() -> PowersOfTau {
    Toxic::new(4).powers(Fr::from(123_456u64).square(), LOG)
}

fn reason(result: Result<PowersOfTau, InvalidFile>) -> (u32, &'static str) {
    match result {
        Err(InvalidFile::Contradiction { place, reason }) => (place.section.unwrap().0, reason),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
}

fn changed(change: impl FnOnce(&mut PowersOfTau)) -> Result<PowersOfTau, InvalidFile> {
    let mut powers = powers();
    change(&mut powers);
    PowersOfTau::from_bytes(&powers.to_bytes().unwrap(), LOG)
}

#[test]
fn powers_survive_their_file_and_a_part_can_be_taken() {
    let powers = powers();
    let bytes = powers.to_bytes().unwrap();
    for log in 0..=LOG {
        let part = PowersOfTau::from_bytes(&bytes, log).unwrap();
        let n = 1 << log;
        assert_eq!(part.tau_g1, powers.tau_g1[..2 * n - 1]);
        assert_eq!(part.tau_g2, powers.tau_g2[..n]);
        assert_eq!(part.alpha_tau_g1, powers.alpha_tau_g1[..n]);
        assert_eq!(part.beta_tau_g1, powers.beta_tau_g1[..n]);
        assert_eq!(part.beta_g2, powers.beta_g2);
    }
    assert_eq!(
        RawPtau::parse(&bytes)
            .unwrap()
            .powers(LOG + 1)
            .unwrap_err()
            .to_string(),
        "section 1 (header) of the .ptau file: power: expected at least 4, by what is asked for, found 3"
    );
}

#[test]
fn a_ceremony_of_snarkjs_is_read_with_its_contribution_and_its_lagrange_basis() {
    let bytes = fixture_file("sample.ptau");
    let raw = RawPtau::parse(&bytes).unwrap();
    assert_eq!(
        (raw.power(), raw.ceremony_power(), raw.contributions()),
        (4, 4, 1)
    );
    let powers = PowersOfTau::from_bytes(&bytes, 4).unwrap();
    for log in 0..=4 {
        powers
            .check_lagrange(&raw.lagrange(log).unwrap().unwrap())
            .unwrap();
    }
}

#[test]
fn a_list_that_isnt_one_of_successive_powers_is_named() {
    let not_powers = "its points aren't successive powers of the file's tau";
    assert_eq!(reason(changed(|p| p.tau_g1.swap(5, 6))), (2, not_powers));
    assert_eq!(reason(changed(|p| p.tau_g2.swap(2, 3))), (3, not_powers));
    assert_eq!(
        reason(changed(|p| p.alpha_tau_g1.swap(0, 1))),
        (4, not_powers)
    );
    assert_eq!(
        reason(changed(|p| p.beta_tau_g1.swap(6, 7))),
        (5, not_powers)
    );
    assert_eq!(
        reason(changed(|p| core::mem::swap(
            &mut p.alpha_tau_g1,
            &mut p.beta_tau_g1
        ))),
        (6, "beta isn't the same scalar as in section 5 (betaTauG1)")
    );
    assert_eq!(
        reason(changed(|p| p.tau_g1[0] = p.tau_g1[1])),
        (2, "its first point isn't the generator")
    );
    assert_eq!(
        reason(changed(|p| p.tau_g2[0] = p.tau_g2[1])),
        (3, "its first point isn't the generator")
    );
}

#[test]
fn powers_to_which_nobody_contributed_are_refused() {
    let new = Toxic::new(1).powers(Fr::one(), LOG);
    assert_eq!(
        reason(PowersOfTau::from_bytes(&new.to_bytes().unwrap(), LOG)),
        (2, "tau is 1: nobody contributed, and proofs can be forged")
    );
}

#[test]
fn a_lagrange_basis_of_other_powers_is_named() {
    let bytes = fixture_file("sample.ptau");
    let raw = RawPtau::parse(&bytes).unwrap();
    let powers = raw.powers(4).unwrap();
    let honest = raw.lagrange(2).unwrap().unwrap();
    let check = |change: &dyn Fn(&mut veilpool_iden3::ptau::Lagrange)| {
        let mut basis = honest.clone();
        change(&mut basis);
        match powers.check_lagrange(&basis) {
            Err(InvalidFile::Contradiction { place, .. }) => place.section.unwrap().0,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(check(&|b| b.tau_g1.swap(0, 1)), 12);
    assert_eq!(check(&|b| b.tau_g2.swap(0, 1)), 13);
    assert_eq!(check(&|b| b.alpha_tau_g1.swap(2, 3)), 14);
    assert_eq!(check(&|b| b.beta_tau_g1 = b.alpha_tau_g1.clone()), 15);
    assert_eq!(check(&|b| b.tau_g1.truncate(3)), 12);
    assert_eq!(check(&|b| b.beta_tau_g1.truncate(3)), 15);
    assert_eq!(check(&|b| b.tau_g2.truncate(3)), 13);
}

#[test]
fn points_outside_their_groups_and_identities_are_named() {
    let error = changed(|p| p.tau_g2[6] = g2_outside()).unwrap_err();
    assert!(matches!(
        error,
        InvalidFile::Point {
            index: 6,
            source: InvalidPoint::NotInSubgroup,
            ..
        }
    ));
    let error = changed(|p| p.beta_g2 = G2Affine::identity()).unwrap_err();
    assert!(matches!(error, InvalidFile::Identity { index: 0, .. }));
    let error = changed(|p| p.tau_g1[14] = G1Affine::identity()).unwrap_err();
    assert!(matches!(error, InvalidFile::Identity { index: 14, .. }));
    // What isn't asked for isn't looked at.
    let mut far = powers();
    far.tau_g1[14] = G1Affine::identity();
    assert!(PowersOfTau::from_bytes(&far.to_bytes().unwrap(), LOG - 1).is_ok());
}

#[test]
fn a_power_that_lies_is_refused() {
    let bytes = powers().to_bytes().unwrap();
    let at = section(&bytes, 1).start + 36;
    let with = |power: u32, ceremony: u32| {
        let bytes = edited(&bytes, |bytes| {
            put_u32(bytes, at, power);
            put_u32(bytes, at + 4, ceremony);
        });
        RawPtau::parse(&bytes).map(|_| ())
    };
    for power in [2, 4, 28] {
        assert!(matches!(
            with(power, 28),
            Err(InvalidFile::Size { expected, found: 960, .. }) if expected == ((2 << power) - 1) * 64
        ));
    }
    for power in [29, 60, u32::MAX] {
        assert!(matches!(
            with(power, power),
            Err(InvalidFile::Number { what: "power", .. })
        ));
    }
    for ceremony in [2, 29] {
        assert!(matches!(
            with(3, ceremony),
            Err(InvalidFile::Number {
                what: "power of the ceremony",
                ..
            })
        ));
    }
    assert_eq!(with(3, 28), Ok(()));
}

#[test]
fn lists_of_other_lengths_cant_be_written() {
    let mut powers = powers();
    powers.tau_g1.pop();
    assert!(powers.to_bytes().is_none());
}
