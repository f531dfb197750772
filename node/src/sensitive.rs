//! [`Sensitive`], under the name that this crate's users know.

pub use veilpool_sensitive::Sensitive;
