//! Memory that is overwritten before it is given back.

use core::ops::{Deref, DerefMut};

use zeroize::Zeroize;

/// A vector of values that depend on a witness. Doesn't grow, so that no copy is left behind.
pub struct Secret<T: Zeroize>(Vec<T>);

impl<T: Zeroize + Clone> Secret<T> {
    /// So many of the same.
    #[must_use]
    pub fn new(value: T, count: usize) -> Self {
        Self(vec![value; count])
    }
}

impl<T: Zeroize> From<Vec<T>> for Secret<T> {
    fn from(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T: Zeroize> Deref for Secret<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Zeroize> DerefMut for Secret<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
