use ark_bn254::Fr;
use proptest::prelude::*;
use veilpool_circuits::gadget::registry::MerklePathVar;
use veilpool_primitives::{RegistryTree, field};
use veilpool_protocol::{CommitmentBytes, FieldBytes};

use super::mode::{MODES, System};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_paths_root_is_the_native_one(count in 1u32..70, pick in any::<prop::sample::Index>()) {
        let leaf = |i: u32| CommitmentBytes::from_field(FieldBytes::from_u128(u128::from(i) + 1000));
        let tree = RegistryTree::from_leaves((0..count).map(leaf)).unwrap();
        let index = pick.index(count as usize) as u32;
        let value = field::from_bytes(leaf(index).to_field());
        let (children, root) = tree.path(index).unwrap().children(value);
        for mode in MODES {
            let mut system = System::new(mode);
            let leaf = system.num(value);
            let path = MerklePathVar::alloc(&mut system.cs, Some(&children)).unwrap();
            let computed = path.root(&mut system.cs, &leaf).unwrap();
            prop_assert_eq!(computed.value(), Some(root));
            prop_assert_eq!(system.cs.rows(), 3010);
            prop_assert!(system.is_satisfied());
        }
        // A leaf that isn't among the children satisfies nothing, whatever the root.
        let mut system = System::new(MODES[2]);
        let stranger = system.num(value + Fr::from(500_000u32));
        let path = MerklePathVar::alloc(&mut system.cs, Some(&children)).unwrap();
        path.root(&mut system.cs, &stranger).unwrap();
        prop_assert!(!system.is_satisfied());
    }
}
