//! Made-up listings that satisfy the circuit, for tests, benches and examples.

use rand::{CryptoRng, RngCore};
use veilpool_primitives::{OperatorSecret, RegistryTree};
use veilpool_protocol::{DomainBytes, EpochId, FieldBytes};

use super::{PublicInputs, Witness};
use crate::share::{ListingHash, Share};

/// The listing of one operator among five, in a random epoch.
///
/// # Panics
/// Never: five leaves fit, and no random digest is zero.
pub fn generate<R: RngCore + CryptoRng>(rng: &mut R) -> (PublicInputs, Witness) {
    let secrets: Vec<_> = (0..5).map(|_| OperatorSecret::generate(rng)).collect();
    let leaves = secrets.iter().map(|secret| secret.commitment().to_bytes());
    let tree = RegistryTree::from_leaves(leaves).unwrap_or_default();
    let Some((path, secret)) = tree.path(3).zip(secrets.into_iter().nth(3)) else {
        unreachable!("the tree has five leaves")
    };
    let epoch = EpochId::new(rng.next_u32());
    let mut digest = [0u8; 32];
    rng.fill_bytes(&mut digest);
    let domain = DomainBytes::from_field(FieldBytes::from_digest(&digest));
    rng.fill_bytes(&mut digest);
    let Ok(x) = ListingHash::from_digest(&digest) else {
        unreachable!("a random digest isn't zero")
    };
    let public = PublicInputs {
        registry_root: tree.root(),
        domain,
        epoch,
        subject: secret.subject(epoch).to_bytes(),
        share: Share::derive(&secret, epoch, &domain, x),
    };
    (public, Witness { secret, path })
}
