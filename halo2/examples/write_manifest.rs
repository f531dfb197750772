//! Writes `parameters.toml` for the development parameters into the folder given, by default
//! `halo2`.

use std::path::PathBuf;

use veilpool_halo2::{
    UniversalParameters,
    claim::Circuit as Claim,
    listing::Circuit as Listing,
    manifest::{Key, Manifest, Status, Universal},
    relation::Relation,
    system::VerifyingKeys,
};

type Failure = Box<dyn std::error::Error>;

fn key<R: Relation>(universal: &UniversalParameters, blank: &R) -> Result<Key, Failure> {
    let keys = VerifyingKeys::new_unpinned(universal, blank)?;
    Ok(Key {
        circuit: R::name(),
        k: R::K,
        proof: keys.proof_len(),
        fingerprint: hex::encode(keys.fingerprint()),
    })
}

fn main() -> Result<(), Failure> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| PathBuf::from("halo2"), PathBuf::from);
    let k = <Claim<'static, 7> as Relation>::K;
    let universal = UniversalParameters::development(k)?;
    let manifest = Manifest {
        universal: Universal {
            status: Status::Dev,
            k,
            fingerprint: hex::encode(universal.fingerprint()),
        },
        keys: vec![
            key(&universal, &Listing::blank())?,
            key(&universal, &Claim::<3>::blank())?,
            key(&universal, &Claim::<5>::blank())?,
            key(&universal, &Claim::<7>::blank())?,
        ],
    };
    std::fs::write(folder.join("parameters.toml"), manifest.to_toml()?)?;
    Ok(())
}
