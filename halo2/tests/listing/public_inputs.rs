//! T6: the order of public inputs.

use veilpool_halo2::{
    ListingHash, Share,
    field::from_bytes,
    grid::Grid,
    listing::{Circuit, PublicInputs},
};
use veilpool_protocol::{DomainBytes, EpochId, FieldBytes, RegistryRootBytes, SubjectBytes};

use super::common::sample;

#[test]
fn public_inputs_are_asserted_by_index() {
    let field = FieldBytes::from_u128;
    let public = PublicInputs {
        registry_root: RegistryRootBytes::from_field(field(11)),
        domain: DomainBytes::from_field(field(12)),
        epoch: EpochId::new(13),
        subject: SubjectBytes::from_field(field(14)),
        share: Share {
            x: ListingHash::new(field(15)).unwrap(),
            y: field(16),
        },
    };
    assert_eq!(public.to_fields(), [11, 12, 13, 14, 15, 16].map(field));
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
