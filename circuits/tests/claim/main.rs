//! Tests T1 to T9 of the circuit pattern for the claim circuit.

mod completeness;
