//! Linear combinations as terms (coefficient, column), in ascending order of columns, each column
//! once, without zeros.

use ark_bn254::Fr;
use ark_ff::Zero;
use ark_relations::gr1cs::Matrix;

pub(crate) type Row = Vec<(Fr, usize)>;

/// In order and without zeros; none when a column comes twice.
pub(crate) fn each_once(mut row: Row) -> Option<Row> {
    row.sort_by_key(|(_, column)| *column);
    if !row.is_sorted_by(|(_, left), (_, right)| left < right) {
        return None;
    }
    row.retain(|(coefficient, _)| !coefficient.is_zero());
    Some(row)
}

/// The same combinations with the terms of one column added up: tools disagree on what a column
/// that comes twice means.
pub(crate) fn added_up(matrix: &Matrix<Fr>) -> Matrix<Fr> {
    matrix.iter().map(|row| added_up_row(row)).collect()
}

fn added_up_row(row: &[(Fr, usize)]) -> Row {
    let mut sorted = row.to_vec();
    sorted.sort_by_key(|(_, column)| *column);
    sorted.dedup_by(|(coefficient, column), (sum, kept)| {
        let same = column == kept;
        if same {
            *sum += *coefficient;
        }
        same
    });
    sorted.retain(|(coefficient, _)| !coefficient.is_zero());
    sorted
}
