//! A constraint system in which values are given in one of three ways.

use ark_bn254::Fr;
use ark_relations::gr1cs::{ConstraintSystem, ConstraintSystemRef};
use veilpool_circuits::{num::Num, synthesizer::Synthesizer};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Constant,
    Input,
    Witness,
}

pub(crate) const MODES: [Mode; 3] = [Mode::Constant, Mode::Input, Mode::Witness];

pub(crate) struct System {
    pub(crate) cs: Synthesizer,
    inner: ConstraintSystemRef<Fr>,
    mode: Mode,
}

impl System {
    pub(crate) fn new(mode: Mode) -> Self {
        let inner = ConstraintSystem::new_ref();
        Self {
            cs: Synthesizer::new(inner.clone()),
            inner,
            mode,
        }
    }

    pub(crate) fn num(&mut self, value: Fr) -> Num {
        match self.mode {
            Mode::Constant => Num::constant(value),
            Mode::Input => self.cs.input(Some(value)).unwrap(),
            Mode::Witness => self.cs.witness("given", Some(value)).unwrap(),
        }
    }

    pub(crate) fn is_satisfied(&self) -> bool {
        self.inner.is_satisfied().unwrap()
    }
}
