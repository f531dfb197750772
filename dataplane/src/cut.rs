//! Cuts a large TCP packet to segments, as a network card's send offload does.

use crate::frame::{FIN, Layout, PSH};

/// Buffers for segments, each with room for a packet and its padding.
pub(crate) struct Segments {
    buffers: Vec<Box<[u8]>>,
    lens: Vec<usize>,
}

impl Segments {
    pub(crate) fn new(count: usize, len: usize) -> Self {
        Self {
            buffers: (0..count)
                .map(|_| vec![0; len].into_boxed_slice())
                .collect(),
            lens: vec![0; count],
        }
    }

    /// Cuts a packet so that each segment carries at most `size` bytes, the last one what is left; completes lengths and
    /// checksums. Gives nothing for what has no [`Layout`] or would need more buffers.
    pub(crate) fn cut(
        &mut self,
        packet: &[u8],
        size: usize,
    ) -> impl Iterator<Item = (&mut [u8], usize)> {
        let count = self.fill(packet, size).unwrap_or(0);
        let buffers = self.buffers.iter_mut().map(|buffer| &mut buffer[..]);
        buffers.zip(self.lens.iter().copied()).take(count)
    }

    fn fill(&mut self, packet: &[u8], size: usize) -> Option<usize> {
        let layout = Layout::of(packet)?;
        let (headers, payload) = packet.split_at_checked(layout.headers)?;
        let size = size.max(1);
        let count = payload.len().div_ceil(size).max(1);
        if count > self.buffers.len() {
            return None;
        }
        let (sequence, flags) = (layout.sequence(packet), layout.flags(packet));
        for at in 0..count {
            let start = (at * size).min(payload.len());
            let part = payload.get(start..payload.len().min(start + size))?;
            let len = headers.len() + part.len();
            let segment = self.buffers.get_mut(at)?.get_mut(..len)?;
            segment.get_mut(..headers.len())?.copy_from_slice(headers);
            segment.get_mut(headers.len()..)?.copy_from_slice(part);
            layout.write_lengths(segment, len);
            layout.write_sequence(segment, sequence.wrapping_add(start as u32));
            if at + 1 < count {
                layout.write_flags(segment, flags & !(FIN | PSH));
            }
            layout.write_checksum(segment);
            *self.lens.get_mut(at)? = len;
        }
        Some(count)
    }
}
