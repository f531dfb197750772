//! Addresses on the chain.

byte_array! {
    /// A 32-byte address of the chain: an Ed25519 public key or a program-derived address.
    AddressBytes, 32
}
