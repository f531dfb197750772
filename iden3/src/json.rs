//! snarkjs' JSON: verifying key, proof, public inputs.
//!
//! ```text
//! verification_key.json  { "protocol": "groth16", "curve": "bn128", "nPublic": p, "vk_alpha_1": G1, "vk_beta_2": G2, "vk_gamma_2": G2,
//!                          "vk_delta_2": G2, "vk_alphabeta_12": derived, "IC": [p + 1 × G1] }
//! proof.json             { "pi_a": G1, "pi_b": G2, "pi_c": G1, "protocol": "groth16", "curve": "bn128" }
//! public.json            [ element, … ]
//! element                a decimal number as a string
//! G1                     [x, y, z]                     z = "1"; the identity is ["0", "1", "0"]
//! G2                     [[x₀, x₁], [y₀, y₁], [z₀, z₁]]  z = ["1", "0"]; the identity is [["0", "0"], ["1", "0"], ["0", "0"]]
//! ```
//! `vk_alphabeta_12` isn't read by verifiers: it is left out in writing and ignored in reading. Numbers are read as
//! snarkjs writes them: without sign, leading zeros, or a value beyond the field's order.

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::{
    AffineRepr,
    short_weierstrass::{Affine, SWCurveConfig},
};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField};
use ark_groth16::{Proof, VerifyingKey};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};
use veilpool_params::encoding::InvalidPoint;

const PROTOCOL: &str = "groth16";
const CURVE: &str = "bn128";
/// Digits of 2²⁵⁶ − 1: no element has more.
const MAX_DIGITS: usize = 78;

/// Why JSON is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJson {
    /// Not JSON, or not of this shape.
    #[error("not what snarkjs writes: {0}")]
    Malformed(String),
    /// Of another proof system or curve.
    #[error("{field}: expected {expected:?}, found {found:?}")]
    Kind {
        /// Which field says so.
        field: &'static str,
        /// Ours.
        expected: &'static str,
        /// In the file.
        found: String,
    },
    /// Not a decimal number, as they are written.
    #[error("{0}: expected a decimal number without sign or leading zeros")]
    NotDecimal(&'static str),
    /// Not less than the field's order.
    #[error("{0}: the number isn't less than the field's order")]
    NonCanonical(&'static str),
    /// Another z.
    #[error("{0}: expected an affine point (z = 1) or the identity (0 : 1 : 0)")]
    Projective(&'static str),
    /// No point.
    #[error("{what}: {source}")]
    Point {
        /// Which.
        what: &'static str,
        /// Why.
        source: InvalidPoint,
    },
    /// The identity in a verifying key.
    #[error("{0} is the identity: a proof could be forged, or a public input would not count")]
    Identity(&'static str),
    /// Numbers that don't fit.
    #[error("IC: expected {expected} points, found {found}")]
    IcCount {
        /// One more than there are public inputs.
        expected: u64,
        /// In the file.
        found: usize,
    },
    /// Phase 2 never took place.
    #[error("{0}: nobody contributed to phase 2 of the setup, and proofs can be forged")]
    NoPhase2(&'static str),
}

type RawG1 = [String; 3];
type RawG2 = [[String; 2]; 3];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVerifyingKey {
    protocol: String,
    curve: String,
    #[serde(rename = "nPublic")]
    public: u32,
    vk_alpha_1: RawG1,
    vk_beta_2: RawG2,
    vk_gamma_2: RawG2,
    vk_delta_2: RawG2,
    #[serde(rename = "vk_alphabeta_12")]
    _alphabeta: Option<IgnoredAny>,
    #[serde(rename = "IC")]
    ic: Vec<RawG1>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProof {
    protocol: String,
    curve: String,
    pi_a: RawG1,
    pi_b: RawG2,
    pi_c: RawG1,
}

/// Content of `verification_key.json`.
#[must_use]
pub fn verifying_key(key: &VerifyingKey<Bn254>) -> Value {
    json!({
        "protocol": PROTOCOL,
        "curve": CURVE,
        "nPublic": key.gamma_abc_g1.len().saturating_sub(1),
        "vk_alpha_1": g1(&key.alpha_g1),
        "vk_beta_2": g2(&key.beta_g2),
        "vk_gamma_2": g2(&key.gamma_g2),
        "vk_delta_2": g2(&key.delta_g2),
        "IC": key.gamma_abc_g1.iter().map(g1).collect::<Vec<_>>(),
    })
}

/// Content of `proof.json`.
#[must_use]
pub fn proof(proof: &Proof<Bn254>) -> Value {
    json!({
        "protocol": PROTOCOL,
        "curve": CURVE,
        "pi_a": g1(&proof.a),
        "pi_b": g2(&proof.b),
        "pi_c": g1(&proof.c),
    })
}

/// Content of `public.json`.
#[must_use]
pub fn public(public: &[Fr]) -> Value {
    public.iter().map(ToString::to_string).collect()
}

/// Reads `verification_key.json`.
///
/// # Errors
/// [`InvalidJson`]; also for keys with which proofs can be forged.
pub fn parse_verifying_key(text: &str) -> Result<VerifyingKey<Bn254>, InvalidJson> {
    let raw: RawVerifyingKey = parse(text)?;
    check_kind(&raw.protocol, &raw.curve)?;
    let expected = u64::from(raw.public) + 1;
    if raw.ic.len() as u64 != expected {
        return Err(InvalidJson::IcCount {
            expected,
            found: raw.ic.len(),
        });
    }
    let key = VerifyingKey {
        alpha_g1: not_identity("vk_alpha_1", parse_g1("vk_alpha_1", &raw.vk_alpha_1)?)?,
        beta_g2: not_identity("vk_beta_2", parse_g2("vk_beta_2", &raw.vk_beta_2)?)?,
        gamma_g2: not_identity("vk_gamma_2", parse_g2("vk_gamma_2", &raw.vk_gamma_2)?)?,
        delta_g2: not_identity("vk_delta_2", parse_g2("vk_delta_2", &raw.vk_delta_2)?)?,
        gamma_abc_g1: raw
            .ic
            .iter()
            .map(|point| not_identity("IC", parse_g1("IC", point)?))
            .collect::<Result<_, _>>()?,
    };
    if key.delta_g2 == G2Affine::generator() {
        return Err(InvalidJson::NoPhase2("vk_delta_2 is the generator"));
    }
    if key.gamma_g2 == key.delta_g2 {
        return Err(InvalidJson::NoPhase2("vk_gamma_2 is vk_delta_2"));
    }
    Ok(key)
}

/// Reads `proof.json`. It says nothing until it is verified.
///
/// # Errors
/// [`InvalidJson`].
pub fn parse_proof(text: &str) -> Result<Proof<Bn254>, InvalidJson> {
    let raw: RawProof = parse(text)?;
    check_kind(&raw.protocol, &raw.curve)?;
    Ok(Proof {
        a: parse_g1("pi_a", &raw.pi_a)?,
        b: parse_g2("pi_b", &raw.pi_b)?,
        c: parse_g1("pi_c", &raw.pi_c)?,
    })
}

/// Reads `public.json`.
///
/// # Errors
/// [`InvalidJson`].
pub fn parse_public(text: &str) -> Result<Vec<Fr>, InvalidJson> {
    let raw: Vec<String> = parse(text)?;
    raw.iter().map(|number| element("public", number)).collect()
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, InvalidJson> {
    serde_json::from_str(text).map_err(|error| InvalidJson::Malformed(error.to_string()))
}

fn check_kind(protocol: &str, curve: &str) -> Result<(), InvalidJson> {
    for (field, expected, found) in [("protocol", PROTOCOL, protocol), ("curve", CURVE, curve)] {
        if found != expected {
            return Err(InvalidJson::Kind {
                field,
                expected,
                found: found.chars().take(32).collect(),
            });
        }
    }
    Ok(())
}

fn element<F: PrimeField<BigInt = BigInt<4>>>(
    what: &'static str,
    number: &str,
) -> Result<F, InvalidJson> {
    let digits = number.as_bytes();
    let is_decimal = !digits.is_empty()
        && digits.iter().all(u8::is_ascii_digit)
        && (digits[0] != b'0' || digits.len() == 1);
    if !is_decimal {
        return Err(InvalidJson::NotDecimal(what));
    }
    if digits.len() > MAX_DIGITS {
        return Err(InvalidJson::NonCanonical(what));
    }
    let mut value = BigInt::<4>::zero();
    let mut overflow = false;
    for digit in digits {
        // 10·v + d = 8·v + 2·v + d
        let mut eight = value;
        for _ in 0..3 {
            overflow |= eight.mul2();
        }
        overflow |= value.mul2();
        overflow |= value.add_with_carry(&eight);
        overflow |= value.add_with_carry(&BigInt::from(digit - b'0'));
    }
    F::from_bigint(value)
        .filter(|_| !overflow)
        .ok_or(InvalidJson::NonCanonical(what))
}

fn parse_g1(what: &'static str, [x, y, z]: &RawG1) -> Result<G1Affine, InvalidJson> {
    let coordinate = |number| element::<Fq>(what, number);
    point(what, coordinate(x)?, coordinate(y)?, coordinate(z)?)
}

fn parse_g2(what: &'static str, [x, y, z]: &RawG2) -> Result<G2Affine, InvalidJson> {
    let coordinate = |[c0, c1]: &[String; 2]| {
        Ok::<_, InvalidJson>(Fq2::new(element(what, c0)?, element(what, c1)?))
    };
    point(what, coordinate(x)?, coordinate(y)?, coordinate(z)?)
}

fn point<C: SWCurveConfig>(
    what: &'static str,
    x: C::BaseField,
    y: C::BaseField,
    z: C::BaseField,
) -> Result<Affine<C>, InvalidJson> {
    if [x, y, z] == [C::BaseField::ZERO, C::BaseField::ONE, C::BaseField::ZERO] {
        return Ok(Affine::identity());
    }
    if z != C::BaseField::ONE {
        return Err(InvalidJson::Projective(what));
    }
    let point = Affine::<C>::new_unchecked(x, y);
    let wrong = |source| Err(InvalidJson::Point { what, source });
    if !point.is_on_curve() {
        wrong(InvalidPoint::NotOnCurve)
    } else if !point.is_in_correct_subgroup_assuming_on_curve() {
        wrong(InvalidPoint::NotInSubgroup)
    } else {
        Ok(point)
    }
}

fn not_identity<P: AffineRepr>(what: &'static str, point: P) -> Result<P, InvalidJson> {
    if point.is_zero() {
        Err(InvalidJson::Identity(what))
    } else {
        Ok(point)
    }
}

fn g1(point: &G1Affine) -> Value {
    let (x, y) = point.xy().unwrap_or((Fq::ZERO, Fq::ONE));
    let z = u8::from(!point.is_zero());
    json!([x.to_string(), y.to_string(), z.to_string()])
}

fn g2(point: &G2Affine) -> Value {
    let (x, y) = point.xy().unwrap_or((Fq2::ZERO, Fq2::ONE));
    let z = u8::from(!point.is_zero());
    json!([
        [x.c0.to_string(), x.c1.to_string()],
        [y.c0.to_string(), y.c1.to_string()],
        [z.to_string(), "0"],
    ])
}
