//! The claim's relation in plain Rust.

use veilpool_primitives::{MeasurerSet, attestation::message, field};

use super::{Circuit, PublicInputs, Statement, Witness};
use crate::gadget::{schnorr, threshold::Metric};

/// Whether the statements hold, in order. The same relation as the constraints with an honest prover's
/// hints, except that it also refuses sets with a key twice, which no set on chain has. A prover who
/// chooses other signs of K or 2⁶⁴·K satisfies the constraints with signatures for another multiplier, which
/// only a measurer can make (`gadget::variable_base`) and which are refused here.
///
/// # Errors
/// The first [`Statement`] that doesn't hold.
pub fn check_native<const N: usize>(
    public: &PublicInputs,
    witness: &Witness<N>,
) -> Result<(), Statement> {
    let claimed = &witness.claimed;
    require(
        *public == PublicInputs::of(claimed),
        Statement::PublicInputIntegrity,
    )?;

    let leaf = witness.secret.commitment().to_field();
    let root = field::to_bytes(&witness.path.root(leaf));
    require(
        root == claimed.registry_root.to_field(),
        Statement::Membership,
    )?;

    let nullifier = witness.secret.nullifier(claimed.epoch).to_bytes();
    require(
        nullifier == claimed.nullifier,
        Statement::NullifierIntegrity,
    )?;

    let set = MeasurerSet::new(witness.measurers.to_vec())
        .map_err(|_| Statement::MeasurerSetIntegrity)?;
    require(
        set.hash(witness.domain) == claimed.set_hash,
        Statement::MeasurerSetIntegrity,
    )?;

    let subject = witness.secret.subject(claimed.epoch).to_bytes();
    for (slot, (key, attestation)) in witness
        .measurers
        .iter()
        .zip(&witness.attestations)
        .enumerate()
    {
        let Some(attestation) = attestation else {
            continue;
        };
        let message = message(
            &witness.domain,
            &subject,
            claimed.epoch,
            &attestation.metrics,
        );
        let valid = key.verify(&message, &attestation.signature).is_ok()
            && schnorr::is_computable(key, &attestation.signature);
        require(valid, Statement::AttestationValidity { slot })?;
    }

    for metric in Metric::ALL {
        let passing = witness
            .attestations
            .iter()
            .flatten()
            .filter(|attestation| claimed.thresholds.passes(&attestation.metrics)[metric.index()])
            .count();
        require(
            passing >= Circuit::<'_, N>::MAJORITY,
            Statement::Thresholds { metric },
        )?;
    }
    Ok(())
}

fn require(holds: bool, statement: Statement) -> Result<(), Statement> {
    if holds { Ok(()) } else { Err(statement) }
}
