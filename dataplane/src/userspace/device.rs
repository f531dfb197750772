//! What smoltcp takes for a network card: queues of packets in memory. It leaves cutting and checksums to us.

use std::{
    collections::VecDeque,
    num::{NonZeroU16, NonZeroUsize},
};

use smoltcp::{
    phy::{Checksum, Device, DeviceCapabilities, Medium, PacketMeta, RxToken, TxToken},
    time::Instant,
};
use veilpool_tunnel::INNER_MTU;

/// Frames that wait to be sealed, beyond which the stack makes no more.
const MAX_QUEUED: usize = 16;
/// The largest frame that the stack makes: one call's worth of datagrams.
const MAX_FRAME: usize = 62_000;

/// A packet, or a large one to be cut to segments of this payload.
pub(super) struct Frame {
    pub(super) bytes: Vec<u8>,
    pub(super) segment: Option<NonZeroU16>,
}

#[derive(Default)]
pub(super) struct Queues {
    pub(super) incoming: VecDeque<Vec<u8>>,
    pub(super) outgoing: VecDeque<Frame>,
}

pub(super) struct Received(Vec<u8>);

pub(super) struct Sending<'a> {
    queue: &'a mut VecDeque<Frame>,
    segment: Option<NonZeroU16>,
}

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut bytes = vec![0; len];
        let result = write(&mut bytes);
        self.queue.push_back(Frame {
            bytes,
            segment: self.segment,
        });
        result
    }

    fn set_meta(&mut self, meta: PacketMeta) {
        self.segment = meta.segmentation_offload_size;
    }
}

impl Queues {
    fn sending(&mut self) -> Sending<'_> {
        Sending {
            queue: &mut self.outgoing,
            segment: None,
        }
    }
}

impl Device for Queues {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sending<'_>)> {
        let packet = self.incoming.pop_front()?;
        Some((Received(packet), self.sending()))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        (self.outgoing.len() < MAX_QUEUED).then(|| self.sending())
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = INNER_MTU;
        // What comes in was checked before it was joined; what goes out is completed when it is cut.
        capabilities.checksum.ipv4 = Checksum::Rx;
        capabilities.checksum.tcp = Checksum::None;
        capabilities.segmentation.tcpv4 = NonZeroUsize::new(MAX_FRAME);
        capabilities.segmentation.tcpv6 = NonZeroUsize::new(MAX_FRAME);
        capabilities
    }
}
