//! The verifying keys that the program embeds, one for each number of measurers.

use solana_program::hash::hashv;
use veilpool_groth16::VerifyingKey;
use veilpool_interface::PoolError;
use veilpool_protocol::{MeasurerCount, verifying_key::Status};

/// Whether this build takes keys of a development setup.
const ACCEPTS_DEVELOPMENT_KEYS: bool = cfg!(feature = "accept-development-keys");

/// The embedded file of 616 bytes.
#[must_use]
pub fn embedded(count: MeasurerCount) -> &'static [u8] {
    match count {
        MeasurerCount::Three => include_bytes!("../../../params/claim-n3-v2.vk"),
        MeasurerCount::Five => include_bytes!("../../../params/claim-n5-v2.vk"),
        MeasurerCount::Seven => include_bytes!("../../../params/claim-n7-v2.vk"),
    }
}

/// What pools and epochs record of a key.
#[must_use]
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    hashv(&[bytes]).to_bytes()
}

/// A key whose layout is right and whose status this build takes.
///
/// # Errors
/// [`PoolError::InvalidVerifyingKey`], [`PoolError::DevelopmentKey`].
pub fn accept(bytes: &[u8], count: MeasurerCount) -> Result<VerifyingKey<'_>, PoolError> {
    let key = VerifyingKey::parse(bytes).map_err(|_| PoolError::InvalidVerifyingKey)?;
    if key.layout().n != count {
        return Err(PoolError::InvalidVerifyingKey);
    }
    if is_development(&key) && !ACCEPTS_DEVELOPMENT_KEYS {
        return Err(PoolError::DevelopmentKey);
    }
    Ok(key)
}

/// The same, with its points checked: done once, when a pool is made.
///
/// # Errors
/// [`PoolError::InvalidVerifyingKey`], [`PoolError::DevelopmentKey`].
pub fn accept_validated(bytes: &[u8], count: MeasurerCount) -> Result<VerifyingKey<'_>, PoolError> {
    let key = accept(bytes, count)?;
    key.validate().map_err(|_| PoolError::InvalidVerifyingKey)?;
    Ok(key)
}

/// Whether anybody can forge claims for this key.
#[must_use]
pub fn is_development(key: &VerifyingKey<'_>) -> bool {
    key.layout().status == Status::Development
}
