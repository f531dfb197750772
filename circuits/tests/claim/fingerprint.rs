//! T7: the circuit's shape doesn't depend on the assignment, and doesn't change unnoticed. That the
//! manifest has the same fingerprints is tested in `params`.

use ark_relations::gr1cs::ConstraintSystem;
use veilpool_circuits::{
    PublicInputs, Statement,
    claim::{self, Circuit, Info, sample::Sample},
    matrices::Matrices,
};
use veilpool_protocol::measurer_set::UnsupportedMeasurerCount;

use super::common::{matrices, sample};

#[test]
fn counts_are_as_documented() {
    // A change here is a new version of the circuit: setup, verifying keys and manifest follow.
    let counts = |n| {
        let info = claim::info(n).unwrap();
        assert_eq!((info.n, info.version, info.public_inputs), (n, 2, 1));
        (
            info.constraints,
            info.witnesses,
            info.non_zeros,
            info.b_columns,
        )
    };
    assert_eq!(counts(3), (9_462, 9_491, [58_968, 103_319, 14_118], 5_880));
    assert_eq!(
        counts(5),
        (12_804, 12_833, [70_703, 120_069, 20_608], 7_842)
    );
    assert_eq!(
        counts(7),
        (16_371, 16_400, [83_748, 139_228, 27_323], 9_961)
    );
    for n in [3, 5, 7] {
        let info = claim::info(n).unwrap();
        // Rows and public columns, the constant among them, together fit the domain of 2¹⁴.
        assert!(info.constraints + info.public_inputs < 1 << 14);
        // The budget of columns that cost work in G2: 62 %.
        let columns = info.witnesses + info.public_inputs + 1;
        assert!(info.b_columns * 100 <= columns * 62, "n = {n}");
    }
    assert_eq!(claim::info(4), Err(UnsupportedMeasurerCount(4)));
}

#[test]
fn blocks_have_the_costs_that_gadgets_document() {
    let sample = sample::<5>(90);
    let layout = Circuit::new(PublicInputs::of(&sample.witness.claimed), &sample.witness)
        .synthesize(ConstraintSystem::new_ref())
        .unwrap();
    let cost = |statement| -> usize {
        let rows = layout
            .blocks()
            .iter()
            .filter(|(owner, _)| *owner == statement);
        rows.map(|(_, rows)| rows.len()).sum()
    };
    // Ranges 56, hash of seven with a tag 378, equality 1.
    assert_eq!(cost(Statement::PublicInputIntegrity), 56 + 378 + 1);
    // Commitment 237, ten levels of 301, equality 1.
    assert_eq!(cost(Statement::Membership), 237 + 10 * 301 + 1);
    assert_eq!(cost(Statement::NullifierIntegrity), 258 + 1);
    assert_eq!(cost(Statement::MeasurerSetIntegrity), 501 + 1);
    for slot in 0..5 {
        // The subject 259 is shared; presence 1, ladder and challenge 651, base 477, join 3, hash 297,
        // high bits and equality 126.
        assert_eq!(
            cost(Statement::AttestationValidity { slot }),
            259 + 1 + 651 + 477 + 3 + 297 + 126
        );
    }
    for metric in veilpool_circuits::gadget::threshold::Metric::ALL {
        let slot = if metric == veilpool_circuits::gadget::threshold::Metric::Zone {
            11
        } else {
            18
        };
        assert_eq!(cost(Statement::Thresholds { metric }), 5 * slot);
    }
    assert_eq!(cost(Statement::Binding), 1);
}

#[test]
fn every_row_belongs_to_a_statement_in_the_order_of_the_specification() {
    fn check<const N: usize>() {
        let layout = Circuit::<N>::blank()
            .synthesize({
                let cs = ConstraintSystem::new_ref();
                cs.set_mode(ark_relations::gr1cs::SynthesisMode::Setup);
                cs
            })
            .unwrap();
        for row in 0..matrices(N).rows() {
            assert!(
                Statement::all(N)
                    .into_iter()
                    .any(|statement| layout.contains(statement, row))
            );
        }
        let starts: Vec<usize> = layout.blocks().iter().map(|(_, rows)| rows.start).collect();
        assert!(starts.is_sorted());
        let mut owners: Vec<Statement> = Vec::new();
        for (owner, _) in layout.blocks() {
            if !owners.contains(owner) {
                owners.push(*owner);
            }
        }
        assert_eq!(owners, Statement::all(N));
    }
    check::<3>();
    check::<5>();
    check::<7>();
}

#[test]
fn the_matrices_do_not_depend_on_the_assignment() {
    fn of<const N: usize>(sample: &Sample<N>) -> Matrices {
        let cs = ConstraintSystem::new_ref();
        Circuit::new(PublicInputs::of(&sample.witness.claimed), &sample.witness)
            .synthesize(cs.clone())
            .unwrap();
        Matrices::from_system(&cs).unwrap()
    }
    fn check<const N: usize>() {
        let blank = matrices(N);
        let first = sample::<N>(91);
        let mut second = sample::<N>(92);
        second.witness.attestations = [None; N];
        assert!(of(&first) == *blank);
        assert!(of(&second) == *blank);
        assert_eq!(Info::of(N, &of(&second)).fingerprint, blank.fingerprint());
    }
    check::<3>();
    check::<5>();
    check::<7>();
}

#[test]
fn the_fingerprint_changes_with_any_coefficient() {
    let honest = matrices(3);
    let mut changed = (*honest).clone();
    changed.abc[2][5000][0].0 += ark_bn254::Fr::from(1u8);
    assert_ne!(changed.fingerprint(), honest.fingerprint());
    let mut swapped = (*honest).clone();
    swapped.abc.swap(0, 1);
    assert_ne!(swapped.fingerprint(), honest.fingerprint());
}
