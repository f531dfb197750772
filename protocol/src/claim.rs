//! The claim's one public input, and what it folds.
//!
//! ```text
//! x = P(CLAIM, registry_root, set_hash, epoch, thresholds, nullifier, binding)
//! binding = first 31 bytes of SHA-256(program ‖ pool ‖ epoch ‖ class ‖ payout ‖ mint ‖ relayer ‖ max_fee)
//! domain  = first 31 bytes of SHA-256("veilpool/domain/v1" ‖ genesis hash ‖ program ‖ pool)
//! ```

use borsh::{BorshDeserialize, BorshSerialize};

use crate::{
    AddressBytes, BindingBytes, ClassId, EpochId, FieldBytes, NullifierBytes, RegistryRootBytes,
    SetHashBytes, Thresholds, attestation::concat, tag,
};

/// How many elements the fold has after its tag.
pub const FOLDED: usize = 6;

/// What the chain knows of a claim. **The one place where the order of public inputs is written.**
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[cfg_attr(feature = "api", derive(serde::Serialize, serde::Deserialize))]
pub struct PublicInputs {
    /// Root frozen when the epoch opened.
    pub registry_root: RegistryRootBytes,
    /// Hash of the epoch's measurer set with its domain.
    pub set_hash: SetHashBytes,
    /// The epoch.
    pub epoch: EpochId,
    /// Of the claimed class.
    pub thresholds: Thresholds,
    /// One per operator and epoch.
    pub nullifier: NullifierBytes,
    /// To payee, class, relayer and fee.
    pub binding: BindingBytes,
}

impl PublicInputs {
    /// Inputs of the Poseidon hash that folds them into one, tag first.
    #[must_use]
    pub const fn fold_inputs(&self) -> [FieldBytes; FOLDED + 1] {
        [
            FieldBytes::from_u128(tag::CLAIM as u128),
            self.registry_root.to_field(),
            self.set_hash.to_field(),
            FieldBytes::from_u128(self.epoch.get() as u128),
            self.thresholds.pack(),
            self.nullifier.to_field(),
            self.binding.to_field(),
        ]
    }
}

/// Everything that a claim is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[cfg_attr(feature = "api", derive(serde::Serialize, serde::Deserialize))]
pub struct Binding {
    /// The pool program.
    pub program: AddressBytes,
    /// The pool.
    pub pool: AddressBytes,
    /// The epoch claimed.
    pub epoch: EpochId,
    /// The class claimed.
    pub class: ClassId,
    /// Owner of the token account that is paid.
    pub payout: AddressBytes,
    /// The pool's token.
    pub mint: AddressBytes,
    /// Who may submit the claim.
    pub relayer: AddressBytes,
    /// The most the relayer may keep, in the token's smallest unit.
    pub max_fee: u64,
}

/// Length of a binding's SHA-256 preimage.
pub const BINDING_PREIMAGE_LEN: usize = 5 * AddressBytes::LEN + 4 + 1 + 8;

impl Binding {
    /// What is hashed.
    #[must_use]
    pub fn preimage(&self) -> [u8; BINDING_PREIMAGE_LEN] {
        concat(&[
            self.program.as_bytes(),
            self.pool.as_bytes(),
            &self.epoch.get().to_le_bytes(),
            &[self.class.get()],
            self.payout.as_bytes(),
            self.mint.as_bytes(),
            self.relayer.as_bytes(),
            &self.max_fee.to_le_bytes(),
        ])
    }
}

/// Prefix of the domain's preimage.
pub const DOMAIN_CONTEXT: &[u8; 18] = b"veilpool/domain/v1";
/// Length of the domain's SHA-256 preimage.
pub const DOMAIN_PREIMAGE_LEN: usize = DOMAIN_CONTEXT.len() + 3 * AddressBytes::LEN;

/// What is hashed to the domain of a pool on a cluster, named by its genesis hash.
#[must_use]
pub fn domain_preimage(
    genesis_hash: &[u8; 32],
    program: &AddressBytes,
    pool: &AddressBytes,
) -> [u8; DOMAIN_PREIMAGE_LEN] {
    concat(&[
        DOMAIN_CONTEXT,
        genesis_hash,
        program.as_bytes(),
        pool.as_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bandwidth, Latency, Uptime, Zone};

    fn field(byte: u8) -> FieldBytes {
        FieldBytes::from_u128(u128::from(byte))
    }

    #[test]
    fn the_order_of_public_inputs_is_asserted_by_index() {
        let thresholds = Thresholds {
            bandwidth: Bandwidth::new(1),
            uptime: Uptime::new(2),
            latency: Latency::new(3),
            zone: Zone::new(4),
        };
        let inputs = PublicInputs {
            registry_root: RegistryRootBytes::from_field(field(11)),
            set_hash: SetHashBytes::from_field(field(12)),
            epoch: EpochId::new(13),
            thresholds,
            nullifier: NullifierBytes::from_field(field(14)),
            binding: BindingBytes::from_field(field(15)),
        }
        .fold_inputs();
        assert_eq!(inputs[0], field(tag::CLAIM));
        assert_eq!(inputs[1], field(11));
        assert_eq!(inputs[2], field(12));
        assert_eq!(inputs[3], field(13));
        assert_eq!(inputs[4], thresholds.pack());
        assert_eq!(inputs[5], field(14));
        assert_eq!(inputs[6], field(15));
    }

    #[test]
    fn i6_every_field_of_the_binding_is_in_its_preimage() {
        let address = |byte| AddressBytes::new([byte; 32]);
        let binding = Binding {
            program: address(1),
            pool: address(2),
            epoch: EpochId::new(0x0403_0201),
            class: ClassId::new(9),
            payout: address(3),
            mint: address(4),
            relayer: address(5),
            max_fee: 0x0807_0605_0403_0201,
        };
        let preimage = binding.preimage();
        assert_eq!(preimage[..32], [1; 32]);
        assert_eq!(preimage[32..64], [2; 32]);
        assert_eq!(preimage[64..68], [1, 2, 3, 4]);
        assert_eq!(preimage[68], 9);
        assert_eq!(preimage[69..101], [3; 32]);
        assert_eq!(preimage[101..133], [4; 32]);
        assert_eq!(preimage[133..165], [5; 32]);
        assert_eq!(preimage[165..], [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
