//! Reads a proof's points and scalars, and takes one encoding of each only.
//!
//! halo2's own reader ignores the highest bit of a compressed point that isn't the one at infinity, so
//! that a proof had many spellings. This one writes what it has read again and compares.

use std::io;

use halo2_proofs::{
    halo2curves::{bn256::G1Affine, group::GroupEncoding},
    transcript::{Blake2bRead, Challenge255, Transcript, TranscriptRead, TranscriptReadBuffer},
};

use crate::field::Fr;

type Challenge = Challenge255<G1Affine>;

/// Bytes of a point or scalar.
pub(crate) const ELEMENT: usize = 32;

/// The transcript of a proof being read.
pub(crate) struct CanonicalRead<'a> {
    inner: Blake2bRead<&'a [u8], G1Affine, Challenge>,
    rest: &'a [u8],
    malformed: bool,
}

impl<'a> CanonicalRead<'a> {
    pub(crate) fn new(proof: &'a [u8]) -> Self {
        Self {
            inner: Blake2bRead::init(proof),
            rest: proof,
            malformed: false,
        }
    }

    /// Whether something was no point or scalar. halo2 does not always say so.
    pub(crate) const fn malformed(&self) -> bool {
        self.malformed
    }

    /// Whether all bytes were read.
    pub(crate) const fn is_finished(&self) -> bool {
        self.rest.is_empty()
    }

    fn next(&mut self) -> io::Result<[u8; ELEMENT]> {
        let Some((element, rest)) = self.rest.split_first_chunk() else {
            return Err(self.refuse("the proof ends early"));
        };
        self.rest = rest;
        Ok(*element)
    }

    fn refuse(&mut self, why: &'static str) -> io::Error {
        self.malformed = true;
        io::Error::new(io::ErrorKind::InvalidData, why)
    }
}

impl Transcript<G1Affine, Challenge> for CanonicalRead<'_> {
    fn squeeze_challenge(&mut self) -> Challenge {
        self.inner.squeeze_challenge()
    }

    fn common_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.inner.common_point(point)
    }

    fn common_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        self.inner.common_scalar(scalar)
    }
}

impl TranscriptRead<G1Affine, Challenge> for CanonicalRead<'_> {
    fn read_point(&mut self) -> io::Result<G1Affine> {
        let bytes = self.next()?;
        match self.inner.read_point() {
            Ok(point) if point.to_bytes().as_ref() == bytes => Ok(point),
            _ => Err(self.refuse("not the encoding of a point other than the one at infinity")),
        }
    }

    fn read_scalar(&mut self) -> io::Result<Fr> {
        self.next()?;
        // Refuses the field's order and everything above it.
        self.inner
            .read_scalar()
            .map_err(|_| self.refuse("not the canonical encoding of a scalar"))
    }
}
