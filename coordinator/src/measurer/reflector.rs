//! The measurer's reflector: the far end of heartbeats and of bandwidth turns, on one UDP and one TCP port.
//!
//! It speaks only when spoken to by its own measurer. A heartbeat's request must carry the measurer's tag, its
//! nonce must be waiting, and it is answered no more often than the measurer sends it, with as many bytes. A TCP
//! connection must open with the hello of a session that the measurer has just made, once:
//! ```text
//! hello = session (16) ‖ first 16 bytes of HMAC(session's key, "hello" ‖ session)
//! ```
//! So it amplifies nothing, and nobody else can make it send. Connections, their time before the hello, and
//! sessions are bounded.

use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, SocketAddrV4},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rand::{RngCore, rngs::OsRng};
use subtle::ConstantTimeEq;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::{Semaphore, oneshot},
    task::{JoinHandle, JoinSet},
    time::{timeout, timeout_at},
};
use veilpool_tunnel::socket;
use zeroize::Zeroizing;

use super::{
    bandwidth::{CHUNK, Failure, Keystream, Tally},
    heartbeat::{self, Key, Nonce},
    keys::prf,
};

/// Connections at a time.
const MAX_CONNECTIONS: usize = 256;
/// A hello must have come by then.
const HELLO_TIMEOUT: Duration = Duration::from_secs(3);
const HELLO_LEN: usize = 32;
const MARGIN: Duration = Duration::from_millis(100);
/// Replies to one heartbeat: as many as there are attempts.
const MAX_REPLIES: u8 = heartbeat::ATTEMPTS.len() as u8;
/// How often a pair of free ports is looked for.
const BIND_ATTEMPTS: usize = 32;

type SessionId = [u8; 16];

/// Which way a session measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the reflector.
    Download,
    /// To the reflector.
    Upload,
}

struct Offer {
    key: Zeroizing<[u8; 32]>,
    direction: Direction,
    length: Duration,
    until: Instant,
    verdict: oneshot::Sender<Result<u64, Failure>>,
}

struct Shared {
    key: Zeroizing<Key>,
    heartbeats: Mutex<HashMap<Nonce, u8>>,
    offers: Mutex<HashMap<SessionId, Offer>>,
}

impl Shared {
    fn heartbeats(&self) -> MutexGuard<'_, HashMap<Nonce, u8>> {
        self.heartbeats
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn offers(&self) -> MutexGuard<'_, HashMap<SessionId, Offer>> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reply, if this is a request that is waited for and has not been answered too often.
    fn answer(&self, request: &[u8]) -> Option<[u8; heartbeat::LEN]> {
        let (nonce, reply) = heartbeat::reply(&self.key, request)?;
        let mut heartbeats = self.heartbeats();
        let left = heartbeats.get_mut(&nonce)?;
        *left = left.checked_sub(1)?;
        Some(reply)
    }
}

/// A running reflector. Dropping it ends it.
pub struct Reflector {
    address: SocketAddr,
    public: SocketAddrV4,
    shared: Arc<Shared>,
    tasks: [JoinHandle<()>; 2],
}

/// Why a reflector doesn't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReflectorError {
    /// The port is taken, or may not be used.
    #[error(
        "the reflector can't listen on {address} for UDP and TCP: {source}; choose another port"
    )]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The tunnel carries IPv4, so nodes' exits need such an address.
    #[error(
        "the reflector listens on {0}, to which nodes' exits can't connect; give the public IPv4 address that leads there"
    )]
    NoPublicAddress(SocketAddr),
}

impl Reflector {
    /// Starts with a fresh key. `public` is where nodes' exits connect to, when it isn't the bound address.
    ///
    /// # Errors
    /// [`ReflectorError`].
    pub async fn start(
        listen: SocketAddr,
        public: Option<SocketAddrV4>,
    ) -> Result<Self, ReflectorError> {
        let (udp, tcp) = bind(listen).await.map_err(|source| ReflectorError::Bind {
            address: listen,
            source,
        })?;
        let address = tcp.local_addr().map_err(|source| ReflectorError::Bind {
            address: listen,
            source,
        })?;
        let public = match (public, address) {
            (Some(public), _) => public,
            (None, SocketAddr::V4(address)) if !address.ip().is_unspecified() => address,
            (None, _) => return Err(ReflectorError::NoPublicAddress(address)),
        };
        let mut key = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(key.as_mut());
        let shared = Arc::new(Shared {
            key,
            heartbeats: Mutex::default(),
            offers: Mutex::default(),
        });
        let tasks = [
            tokio::spawn(answer_heartbeats(udp, Arc::clone(&shared))),
            tokio::spawn(serve(tcp, Arc::clone(&shared))),
        ];
        Ok(Self {
            address,
            public,
            shared,
            tasks,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where nodes' exits connect to.
    #[must_use]
    pub const fn public(&self) -> SocketAddrV4 {
        self.public
    }

    /// Key of the heartbeats.
    pub(crate) fn key(&self) -> Key {
        *self.shared.key
    }

    /// Draws a nonce that will be answered until it is forgotten.
    #[must_use]
    pub fn expect_heartbeat(&self) -> Nonce {
        let mut nonce = Nonce::default();
        OsRng.fill_bytes(&mut nonce);
        self.shared.heartbeats().insert(nonce, MAX_REPLIES);
        nonce
    }

    /// The heartbeat is over.
    pub fn forget_heartbeat(&self, nonce: &Nonce) {
        self.shared.heartbeats().remove(nonce);
    }

    /// Offers a session, which ends `length + patience` from now.
    #[must_use]
    pub fn offer(&self, direction: Direction, length: Duration, patience: Duration) -> Session {
        let mut id = SessionId::default();
        let mut key = Zeroizing::new([0u8; 32]);
        OsRng.fill_bytes(&mut id);
        OsRng.fill_bytes(key.as_mut());
        let (sender, verdict) = oneshot::channel();
        let offer = Offer {
            key: key.clone(),
            direction,
            length,
            until: Instant::now() + length + patience,
            verdict: sender,
        };
        self.shared.offers().insert(id, offer);
        Session {
            id,
            key,
            direction,
            length,
            verdict,
            shared: Arc::clone(&self.shared),
        }
    }
}

impl Drop for Reflector {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A bandwidth session that the reflector waits for. Dropping it withdraws the offer.
pub struct Session {
    id: SessionId,
    key: Zeroizing<[u8; 32]>,
    direction: Direction,
    length: Duration,
    verdict: oneshot::Receiver<Result<u64, Failure>>,
    shared: Arc<Shared>,
}

impl Session {
    /// What opens the connection.
    #[must_use]
    pub fn hello(&self) -> [u8; HELLO_LEN] {
        hello(&self.id, &self.key)
    }

    /// Which way.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// For how long.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.length
    }

    /// The payload, from its beginning.
    #[must_use]
    pub fn keystream(&self) -> Keystream {
        Keystream::new(&self.key)
    }

    /// What the reflector says of an upload; a little after the deadline, since its own clock ends it there.
    pub(crate) async fn verdict(&mut self, deadline: Instant) -> Result<u64, Failure> {
        match timeout_at((deadline + MARGIN).into(), &mut self.verdict).await {
            Ok(Ok(verdict)) => verdict,
            // Not opened in time, or not at all.
            Ok(Err(_)) | Err(_) => Err(Failure::NoConnection),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.offers().remove(&self.id);
    }
}

fn hello(id: &SessionId, key: &[u8; 32]) -> [u8; HELLO_LEN] {
    let mut out = [0; HELLO_LEN];
    out[..16].copy_from_slice(id);
    out[16..].copy_from_slice(&prf(key, &[b"hello", id])[..16]);
    out
}

/// UDP and TCP on one port; a free one when none is given.
async fn bind(listen: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = None;
    for _ in 0..BIND_ATTEMPTS {
        let tcp = TcpListener::bind(listen).await?;
        match socket::bind(tcp.local_addr()?) {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) if listen.port() == 0 => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}

async fn answer_heartbeats(socket: UdpSocket, shared: Arc<Shared>) {
    // One byte more shows what is too long.
    let mut buffer = [0; heartbeat::LEN + 1];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((len, from)) => {
                if let Some(reply) = shared.answer(&buffer[..len]) {
                    socket::send(&socket, Some(from), &reply).await;
                }
            }
            // An earlier answer met a closed port.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    connection(stream, &shared).await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(mut stream: TcpStream, shared: &Shared) {
    let mut opening = [0; HELLO_LEN];
    if !matches!(
        timeout(HELLO_TIMEOUT, stream.read_exact(&mut opening)).await,
        Ok(Ok(_))
    ) {
        return;
    }
    let Some(offer) = accept(shared, &opening) else {
        return;
    };
    let _ = stream.set_nodelay(true);
    match offer.direction {
        Direction::Download => send(stream, &offer).await,
        Direction::Upload => {
            let verdict = receive(stream, &offer).await;
            let _ = offer.verdict.send(verdict);
        }
    }
}

/// The offer that a hello opens, once.
fn accept(shared: &Shared, opening: &[u8; HELLO_LEN]) -> Option<Offer> {
    let mut id = SessionId::default();
    id.copy_from_slice(&opening[..16]);
    let mut offers = shared.offers();
    let expected = hello(&id, &offers.get(&id)?.key);
    if bool::from(expected.ct_eq(opening)) {
        offers.remove(&id)
    } else {
        None
    }
}

async fn send(mut stream: TcpStream, offer: &Offer) {
    let mut keystream = Keystream::new(&offer.key);
    let all = async {
        let mut chunk = vec![0; CHUNK];
        loop {
            keystream.fill(&mut chunk);
            if stream.write_all(&chunk).await.is_err() {
                return;
            }
        }
    };
    let _ = timeout_at(offer.until.into(), all).await;
}

async fn receive(mut stream: TcpStream, offer: &Offer) -> Result<u64, Failure> {
    let mut keystream = Keystream::new(&offer.key);
    let mut tally = Tally::new(offer.length);
    let mut buffer = vec![0; 4 * CHUNK];
    loop {
        let end = tally.ends_at().unwrap_or(offer.until).min(offer.until);
        match timeout_at(end.into(), stream.read(&mut buffer)).await {
            Err(_) => return Ok(tally.rate()),
            Ok(Ok(0) | Err(_)) => return Err(Failure::Truncated),
            Ok(Ok(len)) => {
                if !keystream.check(&buffer[..len]) {
                    return Err(Failure::Forged);
                }
                tally.add(len, Instant::now());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn reflector() -> Reflector {
        Reflector::start(([127, 0, 0, 1], 0).into(), None)
            .await
            .unwrap()
    }

    /// Whether an answer comes; a request that is answered for certain follows, so that no time decides.
    async fn is_answered(reflector: &Reflector, request: &[u8]) -> bool {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(reflector.address()).await.unwrap();
        socket.send(request).await.unwrap();
        let marker = reflector.expect_heartbeat();
        let last = heartbeat::request(&reflector.key(), &marker, 0);
        socket.send(&last).await.unwrap();
        let mut buffer = [0; 100];
        let len = socket.recv(&mut buffer).await.unwrap();
        buffer[..16] != marker && len > 0
    }

    #[tokio::test]
    async fn m3_only_requests_that_the_measurer_waits_for_are_answered() {
        let reflector = reflector().await;
        let nonce = reflector.expect_heartbeat();
        let request = heartbeat::request(&reflector.key(), &nonce, 0);
        assert!(is_answered(&reflector, &request).await);
        // Not the measurer's.
        let forged = heartbeat::request(&[1; 32], &nonce, 0);
        assert!(!is_answered(&reflector, &forged).await);
        assert!(!is_answered(&reflector, &[0; 1200]).await);
        assert!(!is_answered(&reflector, &[&request[..], &[0]].concat()).await);
        // Not waited for any more.
        reflector.forget_heartbeat(&nonce);
        assert!(!is_answered(&reflector, &request).await);
    }

    #[tokio::test]
    async fn a_request_is_not_answered_more_often_than_it_is_sent() {
        let reflector = reflector().await;
        let nonce = reflector.expect_heartbeat();
        let request = heartbeat::request(&reflector.key(), &nonce, 0);
        for _ in 0..MAX_REPLIES {
            assert!(is_answered(&reflector, &request).await);
        }
        assert!(!is_answered(&reflector, &request).await);
    }

    async fn open(reflector: &Reflector, hello: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(reflector.address()).await.unwrap();
        stream.write_all(hello).await.unwrap();
        stream
    }

    const LENGTH: Duration = Duration::from_millis(100);
    const PATIENCE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn m3_without_a_session_the_reflector_sends_nothing() {
        let reflector = reflector().await;
        let session = reflector.offer(Direction::Download, LENGTH, PATIENCE);
        let mut wrong = session.hello();
        wrong[31] ^= 1;
        for hello in [wrong, [0; HELLO_LEN]] {
            let mut stream = open(&reflector, &hello).await;
            let mut got = Vec::new();
            assert_eq!(stream.read_to_end(&mut got).await.unwrap(), 0);
        }
        // A wrong tag doesn't use the session up; the right one does.
        let mut stream = open(&reflector, &session.hello()).await;
        let mut got = vec![0; 5000];
        stream.read_exact(&mut got).await.unwrap();
        assert!(session.keystream().check(&got));
        let mut again = open(&reflector, &session.hello()).await;
        assert_eq!(again.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn m3_an_upload_of_other_bytes_is_forged_and_a_short_one_truncated() {
        let reflector = reflector().await;
        let soon = Instant::now() + PATIENCE;
        let mut session = reflector.offer(Direction::Upload, LENGTH, PATIENCE);
        let mut stream = open(&reflector, &session.hello()).await;
        stream.write_all(&[0; 1000]).await.unwrap();
        assert_eq!(session.verdict(soon).await, Err(Failure::Forged));

        // What another session was sent is nothing here.
        let mut session = reflector.offer(Direction::Upload, LENGTH, PATIENCE);
        let other = reflector.offer(Direction::Upload, LENGTH, PATIENCE);
        let mut stream = open(&reflector, &session.hello()).await;
        stream
            .write_all(&other.keystream().next(1000))
            .await
            .unwrap();
        assert_eq!(session.verdict(soon).await, Err(Failure::Forged));

        let mut session = reflector.offer(Direction::Upload, LENGTH, PATIENCE);
        let mut stream = open(&reflector, &session.hello()).await;
        stream
            .write_all(&session.keystream().next(1000))
            .await
            .unwrap();
        drop(stream);
        assert_eq!(session.verdict(soon).await, Err(Failure::Truncated));

        let mut session = reflector.offer(Direction::Upload, LENGTH, PATIENCE);
        assert_eq!(
            session.verdict(Instant::now()).await,
            Err(Failure::NoConnection)
        );
    }

    #[tokio::test]
    async fn an_offer_that_is_dropped_is_withdrawn() {
        let reflector = reflector().await;
        let session = reflector.offer(Direction::Download, LENGTH, PATIENCE);
        let hello = session.hello();
        drop(session);
        let mut stream = open(&reflector, &hello).await;
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    }
}
