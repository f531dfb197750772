//! Memory that chunks of additions use one after another.

use std::sync::Mutex;

use zeroize::Zeroize;

use crate::{
    curve::{Coordinate, Curve},
    engine::Engine,
};

/// Memory that chunks use one after another. Overwritten when dropped: what is in it depends on the
/// witness.
pub(super) struct Scratch<E: Engine, C: Curve> {
    pub(super) pool: Vec<C::Row>,
    pub(super) pairs: Vec<[u32; 2]>,
    pub(super) segments: Vec<Segment>,
    pub(super) denominators: Vec<BlockOf<E, C>>,
    pub(super) prefixes: Vec<BlockOf<E, C>>,
}

pub(super) type BlockOf<E, C> = <<C as Curve>::Coordinate<E> as Coordinate>::Block;

#[derive(Clone, Copy)]
pub(super) struct Segment {
    pub(super) key: u32,
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) spare: u32,
}

/// [`Scratch`]es for as many threads as use them at a time. One workspace serves any number of
/// multiplications, one after another or at once.
pub struct Workspace<E: Engine, C: Curve>(Mutex<Vec<Scratch<E, C>>>);

impl<E: Engine, C: Curve> Default for Workspace<E, C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<E: Engine, C: Curve> Workspace<E, C> {
    /// Without memory yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Scratch<E, C>) -> T) -> T {
        let free = |workspace: &Self| workspace.0.lock().ok()?.pop();
        let mut scratch = free(self).unwrap_or_else(Scratch::new);
        let result = f(&mut scratch);
        if let Ok(mut all) = self.0.lock() {
            all.push(scratch);
        }
        result
    }
}

impl<E: Engine, C: Curve> Scratch<E, C> {
    const fn new() -> Self {
        Self {
            pool: Vec::new(),
            pairs: Vec::new(),
            segments: Vec::new(),
            denominators: Vec::new(),
            prefixes: Vec::new(),
        }
    }
}

impl<E: Engine, C: Curve> Drop for Scratch<E, C> {
    fn drop(&mut self) {
        self.pool.zeroize();
        self.pairs.zeroize();
        self.denominators.zeroize();
        self.prefixes.zeroize();
        for segment in &mut self.segments {
            *segment = Segment {
                key: 0,
                first: 0,
                count: 0,
                spare: 0,
            };
        }
    }
}
