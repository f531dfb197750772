//! A TUN device, with segmentation offload where the kernel has it: a read gives up to 64 KiB of one TCP flow, and a
//! write takes as much.

use std::{
    io::{self, IoSlice},
    ops::Range,
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
    time::Instant,
};

use tun_rs::{DeviceBuilder, IDEAL_BATCH_SIZE, SyncDevice, VIRTIO_NET_HDR_LEN};
use veilpool_tunnel::{INNER_MTU, MAX_DATAGRAM, Peer};

use crate::{
    Deliver, Header, Outbound, StartError,
    frame::Protocol,
    join::{Group, Joiner, MAX_PIECES},
};

/// Reads before what they gave is sent.
const READS: usize = 64;
/// Packets that wait in the kernel.
const QUEUE: u32 = 5_000;
/// Room for a packet and its padding.
const SEGMENT: usize = MAX_DATAGRAM;
/// The most that a read gives.
const SUPER_FRAME: usize = VIRTIO_NET_HDR_LEN + (1 << 16);

/// A batch of packets, each in a run of datagrams of at most 64 KiB.
const ARENA: usize = (1 << 19) + MAX_DATAGRAM;

// struct virtio_net_hdr (virtio 1.2, section 5.1.6)
const NEEDS_CHECKSUM: u8 = 1;
const GSO_TCP_V4: u8 = 1;
const GSO_TCP_V6: u8 = 4;
const GSO_UDP: u8 = 5;

/// A device.
pub struct Tun {
    device: SyncDevice,
}

impl Tun {
    /// Makes a device in the calling thread's network namespace. Without `offload`, or on a kernel that has none, each
    /// packet costs a call.
    ///
    /// # Errors
    /// [`StartError::Device`], without CAP_NET_ADMIN for one.
    pub fn create(name: &str, offload: bool) -> Result<Self, StartError> {
        Self::try_create(name, offload).map_err(|source| StartError::Device {
            name: name.to_owned(),
            source,
        })
    }

    fn try_create(name: &str, offload: bool) -> io::Result<Self> {
        let mtu = u16::try_from(INNER_MTU).unwrap_or(u16::MAX);
        let build = |offload: bool| {
            DeviceBuilder::new()
                .name(name)
                .mtu(mtu)
                .with(|builder| {
                    builder.offload(offload);
                })
                .build_sync()
        };
        let device = match build(offload) {
            Err(error) if offload && error.kind() != io::ErrorKind::PermissionDenied => {
                tracing::info!("the TUN device has no segmentation offload ({error})");
                build(false)?
            }
            result => result?,
        };
        device.set_nonblocking(true)?;
        let _ = device.set_tx_queue_len(QUEUE);
        Ok(Self { device })
    }

    /// Of TCP and of UDP.
    #[must_use]
    pub fn offloads(&self) -> (bool, bool) {
        (self.device.tcp_gso(), self.device.udp_gso())
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

/// Reads packets from a device and hands them on.
pub struct Reader {
    tun: Arc<Tun>,
    frame: Box<[u8]>,
    segments: Vec<Box<[u8]>>,
    lens: Vec<usize>,
}

impl Reader {
    /// Of this device.
    #[must_use]
    pub fn new(tun: Arc<Tun>) -> Self {
        Self {
            tun,
            frame: vec![0; SUPER_FRAME].into_boxed_slice(),
            segments: (0..IDEAL_BATCH_SIZE)
                .map(|_| vec![0; SEGMENT].into_boxed_slice())
                .collect(),
            lens: vec![0; IDEAL_BATCH_SIZE],
        }
    }

    /// Hands on what there is; `false` when there is nothing.
    ///
    /// # Errors
    /// The system's, when the device is gone.
    pub fn read(&mut self, to: &mut Outbound) -> io::Result<bool> {
        let mut now = None;
        for _ in 0..READS {
            let device = &self.tun.device;
            let count = match device.recv_multiple(
                &mut self.frame,
                &mut self.segments,
                &mut self.lens,
                0,
            ) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // The kernel's error number means that the device is gone; without one, a frame was odd.
                Err(error) if error.raw_os_error().is_some() => return Err(error),
                Err(_) => continue,
            };
            let now = *now.get_or_insert_with(Instant::now);
            let packets = self.segments.iter_mut().zip(&self.lens).take(count);
            to.push(packets.map(|(segment, len)| (&mut segment[..], *len)), now);
        }
        to.flush();
        Ok(now.is_some())
    }
}

/// Writes packets to a device, a flow's joined.
pub struct Writer {
    tun: Arc<Tun>,
    joiner: Joiner,
    arena: Box<[u8]>,
    used: usize,
}

impl Writer {
    /// To this device.
    #[must_use]
    pub fn new(tun: Arc<Tun>) -> Self {
        let (_, udp) = tun.offloads();
        Self {
            tun,
            joiner: Joiner::new(udp),
            arena: vec![0; ARENA].into_boxed_slice(),
            used: 0,
        }
    }

    // A packet that the kernel refuses is lost, as any router on the way might lose it.
    fn write(&self, group: &Group) {
        let part = |range: &Range<usize>| self.arena.get(range.clone()).unwrap_or_default();
        let device = &self.tun.device;
        let header = virtio_header(group);
        let mut slices = [IoSlice::new(&[]); 2 + MAX_PIECES];
        slices[0] = IoSlice::new(&header);
        slices[1] = IoSlice::new(part(&group.head));
        for (slice, piece) in slices[2..].iter_mut().zip(&group.pieces) {
            *slice = IoSlice::new(part(piece));
        }
        let _ = device.send_vectored(&slices[..2 + group.pieces.len()]);
    }
}

/// What the kernel is told of a packet that it has to cut and whose checksum it has to complete.
fn virtio_header(group: &Group) -> [u8; VIRTIO_NET_HDR_LEN] {
    let mut header = [0; VIRTIO_NET_HDR_LEN];
    let Some(layout) = group.layout.filter(|_| !group.pieces.is_empty()) else {
        return header;
    };
    let kind = match (layout.protocol, layout.v6) {
        (Protocol::Tcp, false) => GSO_TCP_V4,
        (Protocol::Tcp, true) => GSO_TCP_V6,
        (Protocol::Udp, _) => GSO_UDP,
    };
    header[0] = NEEDS_CHECKSUM;
    header[1] = kind;
    let numbers = [
        layout.headers,
        group.segment,
        layout.ip_len,
        layout.checksum_offset(),
    ];
    for (place, number) in header[2..].chunks_exact_mut(2).zip(numbers) {
        place.copy_from_slice(&(number as u16).to_ne_bytes());
    }
    header
}

impl Deliver for Writer {
    fn room(&mut self) -> &mut [u8] {
        if self.used + MAX_DATAGRAM > self.arena.len() {
            self.flush();
        }
        self.arena
            .get_mut(self.used..self.used + MAX_DATAGRAM)
            .unwrap_or_default()
    }

    fn deliver(&mut self, _: &Arc<Peer>, _: &Header, len: usize) {
        let at = self.used..self.used + len;
        self.used = at.end;
        if self.tun.device.tcp_gso() {
            self.joiner.push(&self.arena, at);
        } else {
            let _ = self.tun.device.send(self.arena.get(at).unwrap_or_default());
            self.used = 0;
        }
    }

    fn flush(&mut self) {
        let mut joiner = std::mem::take(&mut self.joiner);
        for group in joiner.finish(&mut self.arena) {
            self.write(group);
        }
        joiner.clear();
        self.joiner = joiner;
        self.used = 0;
    }
}
