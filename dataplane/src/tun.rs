//! A TUN device, with segmentation offload where the kernel has it: a read gives up to 64 KiB of one TCP flow, and a
//! write takes as much.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
    time::Instant,
};

use tun_rs::{
    DeviceBuilder, ExpandBuffer, GROTable, IDEAL_BATCH_SIZE, SyncDevice, VIRTIO_NET_HDR_LEN,
};
use veilpool_tunnel::{INNER_MTU, MAX_DATAGRAM, Peer};

use crate::{Deliver, Header, Outbound};

/// Reads before what they gave is sent.
const READS: usize = 64;
/// Packets that wait in the kernel.
const QUEUE: u32 = 5_000;
/// Room for a packet and its padding.
const SEGMENT: usize = MAX_DATAGRAM;
/// The most that a read gives.
const SUPER_FRAME: usize = VIRTIO_NET_HDR_LEN + (1 << 16);

/// A device.
pub struct Tun {
    device: SyncDevice,
}

impl Tun {
    /// Makes a device in the calling thread's network namespace. Without `offload`, or on a kernel that has none, each
    /// packet costs a call.
    ///
    /// # Errors
    /// The system's: `PermissionDenied` without CAP_NET_ADMIN.
    pub fn create(name: &str, offload: bool) -> io::Result<Self> {
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

/// A packet in a buffer that holds the largest frame: [`GROTable`] joins a flow's packets in the first one's. What is
/// beyond `len` is old.
struct Slot {
    // Zeros from the system: pages that are never touched cost nothing.
    bytes: Box<[u8]>,
    len: usize,
}

impl AsRef<[u8]> for Slot {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl AsMut<[u8]> for Slot {
    fn as_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.len).unwrap_or_default()
    }
}

impl ExpandBuffer for Slot {
    fn buf_capacity(&self) -> usize {
        self.bytes.len()
    }

    fn buf_resize(&mut self, len: usize, value: u8) {
        if let Some(new) = self.bytes.get_mut(self.len..len) {
            new.fill(value);
        }
        self.len = len.min(self.bytes.len());
    }

    fn buf_extend_from_slice(&mut self, data: &[u8]) {
        // The table asks for the capacity first.
        if let Some(new) = self.bytes.get_mut(self.len..self.len + data.len()) {
            new.copy_from_slice(data);
            self.len += data.len();
        }
    }
}

/// Writes packets to a device, a flow's joined.
pub struct Writer {
    tun: Arc<Tun>,
    table: GROTable,
    slots: Vec<Slot>,
    used: usize,
}

impl Writer {
    /// To this device.
    #[must_use]
    pub fn new(tun: Arc<Tun>) -> Self {
        let slot = || Slot {
            bytes: vec![0; SUPER_FRAME].into_boxed_slice(),
            len: 0,
        };
        Self {
            tun,
            table: GROTable::new(),
            slots: (0..IDEAL_BATCH_SIZE).map(|_| slot()).collect(),
            used: 0,
        }
    }
}

impl Deliver for Writer {
    fn room(&mut self) -> &mut [u8] {
        if self.used >= self.slots.len() {
            self.flush();
        }
        let slot = self.slots.get_mut(self.used);
        slot.and_then(|slot| {
            slot.bytes
                .get_mut(VIRTIO_NET_HDR_LEN..VIRTIO_NET_HDR_LEN + MAX_DATAGRAM)
        })
        .unwrap_or_default()
    }

    fn deliver(&mut self, _: &Arc<Peer>, _: &Header, len: usize) {
        if let Some(slot) = self.slots.get_mut(self.used) {
            slot.len = VIRTIO_NET_HDR_LEN + len;
            self.used += 1;
        }
    }

    fn flush(&mut self) {
        let packets = self.slots.get_mut(..self.used).unwrap_or_default();
        if !packets.is_empty() {
            // A packet that the kernel refuses is lost, as any router on the way might lose it.
            let _ = self
                .tun
                .device
                .send_multiple(&mut self.table, packets, VIRTIO_NET_HDR_LEN);
        }
        self.used = 0;
    }
}
