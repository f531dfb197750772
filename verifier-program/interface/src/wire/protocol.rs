//! The protocol's own types: addresses, field elements and units.

use veilpool_protocol::{
    AddressBytes, Bandwidth, BindingBytes, ClassId, CommitmentBytes, CoordinateBytes, DomainBytes,
    EpochId, FieldBytes, Latency, NullifierBytes, ProofBytes, RegistryNodeBytes, RegistryRootBytes,
    SetHashBytes, Uptime, Weight, Zone,
};

use super::{Wire, put_array, take_array};

/// Types that any bytes fit.
macro_rules! byte_types {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            const HEAD: usize = Self::LEN;

            #[inline(always)]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                take_array(bytes).map(Self::new)
            }

            #[inline(always)]
            fn put(&self, room: &mut &mut [u8]) -> Option<()> {
                put_array(self.as_bytes(), room)
            }
        }
    )*};
}

byte_types!(AddressBytes, ProofBytes);

/// Field elements, which are canonical.
macro_rules! fields {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            const HEAD: usize = Self::LEN;

            #[inline(always)]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                Self::new(take_array(bytes)?).ok()
            }

            #[inline(always)]
            fn put(&self, room: &mut &mut [u8]) -> Option<()> {
                put_array(self.as_bytes(), room)
            }
        }
    )*};
}

fields!(
    FieldBytes,
    CommitmentBytes,
    NullifierBytes,
    RegistryRootBytes,
    RegistryNodeBytes,
    SetHashBytes,
    DomainBytes,
    BindingBytes,
    CoordinateBytes
);

macro_rules! units {
    ($($type:ty: $int:ty),*) => {$(
        impl Wire for $type {
            const HEAD: usize = <$int>::HEAD;

            #[inline(always)]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                <$int>::take(bytes).map(Self::new)
            }

            #[inline(always)]
            fn put(&self, room: &mut &mut [u8]) -> Option<()> {
                self.get().put(room)
            }
        }
    )*};
}

units!(EpochId: u32, Bandwidth: u16, Uptime: u16, Latency: u16, Zone: u8, ClassId: u8, Weight: u16);
