//! What all encodings are made of: integers, arrays, bool, options, lists and tuples.

use super::{Wire, put_array, take_array};

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            const HEAD: usize = size_of::<$type>();

            #[inline(always)]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                take_array(bytes).map(Self::from_le_bytes)
            }

            #[inline(always)]
            fn put(&self, room: &mut &mut [u8]) -> Option<()> {
                put_array(&self.to_le_bytes(), room)
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, i64);

impl<const N: usize> Wire for [u8; N] {
    const HEAD: usize = N;

    #[inline(always)]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        take_array(bytes)
    }

    #[inline(always)]
    fn put(&self, room: &mut &mut [u8]) -> Option<()> {
        put_array(self, room)
    }
}

impl Wire for bool {
    const HEAD: usize = 1;

    #[inline(always)]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        match u8::take(bytes)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    #[inline(always)]
    fn put(&self, room: &mut &mut [u8]) -> Option<()> {
        u8::from(*self).put(room)
    }
}

impl<T: Wire> Wire for Option<T> {
    const HEAD: usize = 0;

    #[inline(always)]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        if bool::take(bytes)? {
            T::take(bytes).map(Some)
        } else {
            Some(None)
        }
    }

    #[inline(always)]
    fn put(&self, room: &mut &mut [u8]) -> Option<()> {
        self.is_some().put(room)?;
        match self {
            Some(value) => value.put(room),
            None => Some(()),
        }
    }

    fn size(&self) -> usize {
        1 + self.as_ref().map_or(0, Wire::size)
    }
}

impl<T: Wire> Wire for Vec<T> {
    const HEAD: usize = 0;

    /// Allocates no more than the bytes hold. Only for elements of a fixed length.
    #[inline(never)]
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let count = u32::take(bytes)? as usize;
        let (mut elements, rest) = bytes.split_at_checked(count.checked_mul(T::HEAD)?)?;
        *bytes = rest;
        let mut out = Self::with_capacity(count);
        while !elements.is_empty() {
            out.push(T::take(&mut elements)?);
        }
        Some(out)
    }

    #[inline(never)]
    fn put(&self, room: &mut &mut [u8]) -> Option<()> {
        u32::try_from(Vec::len(self)).ok()?.put(room)?;
        self.iter().try_for_each(|element| element.put(room))
    }

    fn size(&self) -> usize {
        4 + Vec::len(self) * T::HEAD
    }
}

/// Tuples, which are encoded like structs.
macro_rules! tuple {
    ($($name:ident),*) => {
        #[allow(non_snake_case, unused_variables)]
        impl<$($name: Wire),*> Wire for ($($name,)*) {
            const HEAD: usize = 0 $(+ $name::HEAD)*;

            #[inline(always)]
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                Some(($($name::take(bytes)?,)*))
            }

            #[inline(always)]
            fn put(&self, room: &mut &mut [u8]) -> Option<()> {
                let ($($name,)*) = self;
                $($name.put(room)?;)*
                Some(())
            }

            fn size(&self) -> usize {
                let ($($name,)*) = self;
                0 $(+ $name.size())*
            }
        }
    };
}

tuple!();
tuple!(A, B);
tuple!(A, B, C);
