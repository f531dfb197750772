//! T6: the order of public inputs.

use veilpool_halo2::{
    ListingHash, Share,
    field::from_bytes,
    grid::Grid,
    listing::{Circuit, PublicInputs},
};
use veilpool_protocol::{EpochId, FieldBytes, RegistryRootBytes, SubjectBytes};

use super::common::sample;

#[test]
fn public_inputs_are_asserted_by_index() {
    let field = FieldBytes::from_u128;
    let public = PublicInputs {
        registry_root: RegistryRootBytes::from_field(field(11)),
        epoch: EpochId::new(12),
        subject: SubjectBytes::from_field(field(13)),
        share: Share {
            x: ListingHash::new(field(14)).unwrap(),
            y: field(15),
        },
    };
    assert_eq!(public.to_fields(), [11, 12, 13, 14, 15].map(field));
    assert_eq!(public.to_elements(), public.to_fields().map(from_bytes));
}

#[test]
fn any_two_of_them_swapped_are_refused() {
    let (public, witness) = sample(20);
    let honest = public.to_elements();
    for i in 0..PublicInputs::COUNT {
        for j in 0..i {
            let mut swapped = honest;
            swapped.swap(i, j);
            let grid = Grid::new(&Circuit::new(public, &witness), &swapped);
            assert!(!grid.failures().is_empty(), "{i} and {j}");
        }
    }
}
