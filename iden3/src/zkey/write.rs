//! Writing a `.zkey`.

use ark_bn254::{Bn254, Fr};
use ark_ff::One;
use ark_groth16::ProvingKey;
use ark_relations::gr1cs::Matrix;

use super::{
    A, B1, B2, C, COEFFICIENT_LEN, COEFFICIENTS, CONTRIBUTIONS, Contributions, GROTH16, H, HEADER,
    HEADER_LEN, IC, LAYOUT, MAX_DOMAIN, PROTOCOL, PROTOCOL_LEN, Zkey,
};
use crate::{
    container::Writer,
    elements::{
        ELEMENT_LEN, G1_LEN, G2_LEN, Point, base_order, point_to_bytes, scalar_order,
        scalar_to_double_montgomery,
    },
    terms::added_up,
};

/// Why a key can't be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Key and matrices aren't of the same circuit, or the key isn't in the form of the odd coset.
    #[error("the key's {what}: the matrices make it {expected}, found {found}")]
    Mismatch {
        /// Number of what.
        what: &'static str,
        /// By the matrices.
        expected: usize,
        /// In the key.
        found: usize,
    },
    /// More than the format can say.
    #[error("the circuit has more {0} than a .zkey can have")]
    TooLarge(&'static str),
}

impl Zkey {
    /// As a file.
    ///
    /// # Errors
    /// [`ExportError`], for a key that was put together by hand.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ExportError> {
        write(
            &self.proving_key,
            &self.matrices,
            self.public_columns,
            &self.contributions,
        )
    }
}

/// A `.zkey` from a proving key in the form of [`veilpool_params::OddCoset`] and the matrices A and B (further
/// ones are ignored), of which the first `public_columns` columns are the constant 1 and the public ones. Terms of one
/// column are added up.
///
/// # Errors
/// [`ExportError`].
pub fn write(
    key: &ProvingKey<Bn254>,
    matrices: &[Matrix<Fr>],
    public_columns: usize,
    contributions: &Contributions,
) -> Result<Vec<u8>, ExportError> {
    let [a, b, ..] = matrices else {
        return Err(ExportError::Mismatch {
            what: "matrices",
            expected: 2,
            found: matrices.len(),
        });
    };
    let (a, b) = (&added_up(a), &added_up(b));
    let columns = key.a_query.len();
    let rows = a.len();
    let Some(public) = public_columns.checked_sub(1) else {
        return Err(ExportError::Mismatch {
            what: "public columns (with the constant 1)",
            expected: 1,
            found: 0,
        });
    };
    let domain = (rows + public_columns).next_power_of_two();
    for (what, expected, found) in [
        ("rows of B", rows, b.len()),
        ("IC points", public_columns, key.vk.gamma_abc_g1.len()),
        ("B1 points", columns, key.b_g1_query.len()),
        ("B2 points", columns, key.b_g2_query.len()),
        (
            "C points",
            columns.saturating_sub(public_columns),
            key.l_query.len(),
        ),
        (
            "H points (one for each point of the domain)",
            domain,
            key.h_query.len(),
        ),
    ] {
        if expected != found {
            return Err(ExportError::Mismatch {
                what,
                expected,
                found,
            });
        }
    }
    let largest = a.iter().chain(b).flatten().map(|(_, column)| *column).max();
    if largest.is_some_and(|column| column >= columns) {
        return Err(ExportError::Mismatch {
            what: "A points",
            expected: largest.unwrap_or_default() + 1,
            found: columns,
        });
    }
    let terms = a.iter().chain(b).map(Vec::len).sum::<usize>() + public_columns;
    let counted = u32::try_from(columns).map_err(|_| ExportError::TooLarge("columns"))?;
    let terms_counted = u32::try_from(terms).map_err(|_| ExportError::TooLarge("coefficients"))?;
    let domain_counted = u32::try_from(domain)
        .ok()
        .filter(|domain| *domain <= MAX_DOMAIN)
        .ok_or(ExportError::TooLarge("rows"))?;

    let sizes = [
        PROTOCOL_LEN,
        HEADER_LEN,
        public_columns * G1_LEN,
        4 + terms * COEFFICIENT_LEN,
        columns * G1_LEN,
        columns * G1_LEN,
        columns * G2_LEN,
        key.l_query.len() * G1_LEN,
        domain * G1_LEN,
        contributions.len(),
    ];
    let mut file = Writer::new(&LAYOUT, &sizes);
    let writer = &mut file;
    writer.section(PROTOCOL, PROTOCOL_LEN);
    writer.u32(GROTH16);

    writer.section(HEADER, HEADER_LEN);
    writer.u32(ELEMENT_LEN as u32);
    writer.bytes(&base_order());
    writer.u32(ELEMENT_LEN as u32);
    writer.bytes(&scalar_order());
    writer.u32(counted);
    writer.u32(public as u32);
    writer.u32(domain_counted);
    point(writer, &key.vk.alpha_g1);
    point(writer, &key.beta_g1);
    point(writer, &key.vk.beta_g2);
    point(writer, &key.vk.gamma_g2);
    point(writer, &key.delta_g1);
    point(writer, &key.vk.delta_g2);

    points(writer, IC, &key.vk.gamma_abc_g1);
    writer.section(COEFFICIENTS, 4 + terms * COEFFICIENT_LEN);
    writer.u32(terms_counted);
    for (row, (a, b)) in a.iter().zip(b).enumerate() {
        for (matrix, terms) in [(0, a), (1, b)] {
            for (coefficient, column) in terms {
                triple(writer, matrix, row, *column, coefficient);
            }
        }
    }
    for column in 0..public_columns {
        triple(writer, 0, rows + column, column, &Fr::one());
    }
    points(writer, A, &key.a_query);
    points(writer, B1, &key.b_g1_query);
    points(writer, B2, &key.b_g2_query);
    points(writer, C, &key.l_query);
    points(writer, H, &key.h_query);

    writer.section(CONTRIBUTIONS, contributions.len());
    writer.bytes(&contributions.circuit_hash);
    writer.u32(contributions.list.len() as u32);
    for contribution in &contributions.list {
        point(writer, &contribution.delta_after);
        for s in &contribution.s {
            point(writer, s);
        }
        point(writer, &contribution.s_g2);
        writer.bytes(&contribution.transcript);
        writer.u32(contribution.kind);
        writer.u32(contribution.parameters.len() as u32);
        writer.bytes(&contribution.parameters);
    }
    Ok(file.finish())
}

fn point<P: Point>(writer: &mut Writer, value: &P) {
    writer.bytes(&point_to_bytes(value));
}

fn points<P: Point>(writer: &mut Writer, id: u32, values: &[P]) {
    writer.section(id, values.len() * P::LEN);
    for value in values {
        point(writer, value);
    }
}

fn triple(writer: &mut Writer, matrix: u32, row: usize, column: usize, coefficient: &Fr) {
    for index in [matrix, row as u32, column as u32] {
        writer.u32(index);
    }
    writer.bytes(&scalar_to_double_montgomery(coefficient));
}
