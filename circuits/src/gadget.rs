//! Building blocks of circuits. A gadget `FooVar` is the twin of `primitives`' `Foo`: same argument
//! order, same domain tag; tests prove that they agree. Each states its cost in constraints.

pub mod bits;
pub mod fixed_base;
pub mod measurer_set;
pub mod montgomery;
pub mod operator;
pub mod poseidon;
pub mod registry;
pub mod schnorr;
pub mod threshold;
pub mod variable_base;
