//! Values that no typed witness holds.

use halo2_proofs::plonk::{Column, ConstraintSystem, Error, Fixed};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use veilpool_circuits::claim::sample::{Sample, good_metrics};
use veilpool_primitives::{
    OperatorSecret, SchnorrSignature, claim::fold, digits::digits, field, schnorr::Message,
};
use veilpool_protocol::{
    FieldBytes,
    attestation::{offset, pack},
};

use super::{Attestation, Circuit, Config, Statement, Witness, chip::Values};
use crate::{
    field::{Fr, from_ark},
    grid::{Failure, Grid},
    relation::{Layout, Relation},
    sheet::Sheet,
};

/// The circuit with any values.
struct Raw(Values);

impl Relation for Raw {
    type Statement = Statement;
    type Config = Config;

    const K: u32 = <Circuit<'static, 3> as Relation>::K;
    const PUBLIC: usize = 1;

    fn name() -> String {
        Circuit::<'static, 3>::name()
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> Config {
        Circuit::<'static, 3>::configure(meta)
    }

    fn constants(config: &Config) -> Column<Fixed> {
        Circuit::<'static, 3>::constants(config)
    }

    fn assign(&self, config: &Config, sheet: &mut Sheet<'_>) -> Result<Layout<Statement>, Error> {
        config.assign(sheet, &self.0)
    }
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn values(sample: &Sample<3>) -> Values {
    let claim = &sample.witness;
    let secret = FieldBytes::new(*claim.secret.expose_bytes()).unwrap();
    Values::of(&Witness {
        claimed: claim.claimed,
        secret: OperatorSecret::from_field(secret).unwrap(),
        path: claim.path.clone(),
        domain: claim.domain,
        measurers: claim.measurers,
        attestations: claim.attestations.map(|attestation| {
            attestation.map(|attestation| Attestation {
                metrics: attestation.metrics,
                signature: attestation.signature,
            })
        }),
    })
}

fn failures(sample: &Sample<3>, values: Values) -> (Grid<Statement>, Vec<Failure>) {
    let x = from_ark(&fold(&sample.witness.claimed));
    let grid = Grid::new(&Raw(values), &[x]);
    let failures = grid.failures();
    (grid, failures)
}

/// Has the measurer of slot 0 sign any packed message.
fn sign(sample: &Sample<3>, packed: ark_bn254::Fr) -> SchnorrSignature {
    let claim = &sample.witness;
    let subject = claim.secret.subject(claim.claimed.epoch).to_field();
    let domain = field::from_bytes(claim.domain.to_field());
    let message = Message {
        packed,
        domain,
        subject,
    };
    sample.secrets[0].sign(&message, &mut rng(2))
}

#[test]
fn m1_a_metric_beyond_its_range_is_refused_even_if_it_was_signed() {
    let sample = Sample::<3>::generate(&mut rng(1));
    let honest = field::from_bytes(pack(sample.witness.claimed.epoch, &good_metrics()));
    let good = ark_bn254::Fr::from(good_metrics().bandwidth.get());
    let two = ark_bn254::Fr::from(2u8);
    use ark_ff::Field;
    let offset = two.pow([u64::from(offset::BANDWIDTH)]);
    for (bandwidth, holds) in [
        (good, true),
        (ark_bn254::Fr::from(65_535u32), true),
        (ark_bn254::Fr::from(65_536u32), false),
        (ark_bn254::Fr::from(70_000u32), false),
        (-ark_bn254::Fr::from(1u8), false),
        (two.pow([200]), false),
    ] {
        let signature = sign(&sample, honest + (bandwidth - good) * offset);
        let mut values = values(&sample);
        let slot = &mut values.slots[0];
        slot.metrics[0] = from_ark(&bandwidth);
        slot.signature.challenge = signature.challenge;
        slot.signature.digits = digits(&signature.response).unwrap();
        let (grid, failures) = failures(&sample, values);
        assert_eq!(failures.is_empty(), holds, "{bandwidth}");
        for failure in failures {
            // The value's own range, and that of its difference to the threshold.
            let Failure::Gate { name, row } = failure else {
                panic!("{failure:?}")
            };
            let metric = super::Metric::Bandwidth;
            assert!(name.starts_with("range"));
            assert!(
                grid.layout
                    .contains_beside(Statement::AttestationValidity { slot: 0 }, row)
                    || grid
                        .layout
                        .contains_beside(Statement::Thresholds { metric }, row)
            );
        }
    }
}

#[test]
fn a_signature_seen_in_a_mirror_is_the_same_signature() {
    // (−K, −s) gives −R, whose u is R's. Only both together.
    let sample = Sample::<3>::generate(&mut rng(3));
    for (key, response) in [(false, false), (true, true), (true, false), (false, true)] {
        let mut values = values(&sample);
        let signature = &mut values.slots[2].signature;
        if key {
            signature.key = -signature.key;
        }
        if response {
            for digit in &mut signature.digits {
                digit.negative = !digit.negative;
            }
        }
        let (grid, failures) = failures(&sample, values);
        assert_eq!(failures.is_empty(), key == response);
        for failure in failures {
            let Failure::Gate { row, .. } = failure else {
                panic!("{failure:?}")
            };
            let statement = Statement::AttestationValidity { slot: 2 };
            assert!(grid.layout.contains(statement, row));
        }
    }
}

#[test]
fn a_threshold_beyond_its_range_is_refused() {
    // Packed thresholds that would be another class's: bandwidth 2¹⁶ is uptime 1.
    let sample = Sample::<3>::generate(&mut rng(4));
    let mut values = values(&sample);
    values.thresholds[0] += Fr::from(1 << 16);
    values.thresholds[1] -= Fr::from(1);
    let (grid, failures) = failures(&sample, values);
    let beside = |row| {
        grid.layout
            .contains_beside(Statement::PublicInputIntegrity, row)
    };
    assert!(failures.iter().any(
        |failure| matches!(failure, Failure::Gate { name, row } if name.starts_with("range") && beside(*row))
    ));
}
