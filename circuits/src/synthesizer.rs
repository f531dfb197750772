//! Where gadgets allocate columns and enforce rows `⟨A,z⟩·⟨B,z⟩ = ⟨C,z⟩`.
//!
//! A thin layer over arkworks' constraint system that (1) counts rows, so that a circuit can record
//! which of them belong to which statement, (2) remembers a name for each witness column, for tests
//! and error messages, and (3) builds no linear combination when only the assignment is wanted.
//!
//! In Groth16 a column costs work in G2 exactly when it stands on a B side, so gadgets put what they
//! multiply by, and not what they multiply, second, and say so where it is not obvious.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};

use crate::num::Num;

/// Allocates and enforces; one for each synthesis.
pub struct Synthesizer {
    cs: ConstraintSystemRef<Fr>,
    rows: usize,
    wants_values: bool,
    wants_rows: bool,
    column_names: Vec<&'static str>,
}

impl Synthesizer {
    /// Over an empty constraint system.
    #[must_use]
    pub fn new(cs: ConstraintSystemRef<Fr>) -> Self {
        Self {
            rows: 0,
            wants_values: !cs.is_in_setup_mode(),
            wants_rows: cs.should_construct_matrices(),
            column_names: Vec::new(),
            cs,
        }
    }

    /// Rows so far.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Name of each witness column so far, in order.
    #[must_use]
    pub fn column_names(&self) -> &[&'static str] {
        &self.column_names
    }

    /// A new public column.
    ///
    /// # Errors
    /// [`SynthesisError::AssignmentMissing`] when values are wanted and there is none.
    pub fn input(&mut self, value: Option<Fr>) -> Result<Num, SynthesisError> {
        let variable = self
            .cs
            .new_input_variable(|| value.ok_or(SynthesisError::AssignmentMissing))?;
        Ok(Num::variable(
            variable,
            value.filter(|_| self.wants_values),
            self.wants_rows,
        ))
    }

    /// A new witness column.
    ///
    /// # Errors
    /// [`SynthesisError::AssignmentMissing`] when values are wanted and there is none.
    pub fn witness(
        &mut self,
        name: &'static str,
        value: Option<Fr>,
    ) -> Result<Num, SynthesisError> {
        let variable = self
            .cs
            .new_witness_variable(|| value.ok_or(SynthesisError::AssignmentMissing))?;
        self.column_names.push(name);
        Ok(Num::variable(
            variable,
            value.filter(|_| self.wants_values),
            self.wants_rows,
        ))
    }

    /// One row: `a·b = c`.
    ///
    /// # Errors
    /// Those of arkworks' constraint system.
    pub fn enforce(&mut self, a: &Num, b: &Num, c: &Num) -> Result<(), SynthesisError> {
        self.rows += 1;
        if !self.wants_rows {
            return Ok(());
        }
        self.cs.enforce_r1cs_constraint(
            || a.to_linear_combination(),
            || b.to_linear_combination(),
            || c.to_linear_combination(),
        )
    }

    /// One row: `a = b`.
    ///
    /// # Errors
    /// Those of [`Self::enforce`].
    pub fn enforce_equal(&mut self, a: &Num, b: &Num) -> Result<(), SynthesisError> {
        self.enforce(a, &Num::constant(Fr::ONE), b)
    }

    /// One row and one column: `num` itself. Worth it where a linear combination of many columns is
    /// going to be multiplied by: one column stands on a B side in place of all of them.
    ///
    /// # Errors
    /// Those of [`Self::witness`] and [`Self::enforce`].
    pub fn column(&mut self, name: &'static str, num: &Num) -> Result<Num, SynthesisError> {
        let column = self.witness(name, num.value())?;
        self.enforce_equal(num, &column)?;
        Ok(column)
    }

    /// One row and one column: the product `a·b`.
    ///
    /// # Errors
    /// Those of [`Self::witness`] and [`Self::enforce`].
    pub fn multiply(
        &mut self,
        name: &'static str,
        a: &Num,
        b: &Num,
    ) -> Result<Num, SynthesisError> {
        let product = self.witness(name, a.value().zip(b.value()).map(|(a, b)| a * b))?;
        self.enforce(a, b, &product)?;
        Ok(product)
    }

    /// One row and one column: the quotient `numerator / denominator`, as `denominator·quotient =
    /// numerator`. Unique **only if the denominator is not zero**, which the caller argues for:
    /// with zero over zero every quotient fits. The quotient stands on the B side.
    ///
    /// # Errors
    /// Those of [`Self::witness`] and [`Self::enforce`].
    pub fn divide(
        &mut self,
        name: &'static str,
        numerator: &Num,
        denominator: &Num,
    ) -> Result<Num, SynthesisError> {
        let quotient = numerator
            .value()
            .zip(denominator.value())
            .map(|(n, d)| n * d.inverse().unwrap_or(Fr::ZERO));
        let quotient = self.witness(name, quotient)?;
        self.enforce(denominator, &quotient, numerator)?;
        Ok(quotient)
    }

    /// One row and one column: `num ≠ 0`, since an inverse exists exactly then.
    ///
    /// # Errors
    /// Those of [`Self::witness`] and [`Self::enforce`].
    pub fn enforce_nonzero(&mut self, num: &Num) -> Result<(), SynthesisError> {
        self.divide("inverse", &Num::constant(Fr::ONE), num)?;
        Ok(())
    }
}
