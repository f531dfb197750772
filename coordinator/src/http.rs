//! The HTTP server of a daemon: bounded connections, bodies and times; every refusal an
//! [`ApiError`] with a code that doesn't change.
//!
//! Each connection serves one request, so that its lifetime bounds slow clients (slowloris) and a
//! shutdown waits for nobody.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinHandle,
    time::{Sleep, sleep},
};
use veilpool_protocol::api::ApiError;

/// Largest body of a request. The largest there is, a claim, has about 1,000 bytes.
pub const MAX_BODY: usize = 8 << 10;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For HTTP.
    pub status: StatusCode,
    /// The body.
    pub error: ApiError,
}

impl Refusal {
    /// The same request will fail again.
    pub fn lasting(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self::new(status, code, message.into(), false)
    }

    /// The same request may succeed later.
    pub fn passing(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self::new(status, code, message.into(), true)
    }

    fn new(status: StatusCode, code: &str, message: String, retry: bool) -> Self {
        Self {
            status,
            error: ApiError {
                code: code.to_owned(),
                message,
                retry,
            },
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.error)).into_response()
    }
}

/// The body of a request as a message.
///
/// # Errors
/// Codes `too_large` and `malformed`.
pub async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let bytes: Bytes = axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| {
        Refusal::lasting(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("the request's body is larger than {MAX_BODY} bytes, or was cut off; no valid message is that large"),
        )
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Refusal::lasting(
            StatusCode::BAD_REQUEST,
            "malformed",
            format!("the request's body is not the message that this path takes ({error}); check the software's version"),
        )
    })
}

/// A part of a path as a value.
///
/// # Errors
/// Code `malformed`.
pub fn read_path<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &str,
    text: &str,
) -> Result<T, Refusal> {
    text.parse().map_err(|error| {
        Refusal::lasting(
            StatusCode::BAD_REQUEST,
            "malformed",
            format!("the path's {name} is malformed: {error}"),
        )
    })
}

/// Bounds of a server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time; others wait in the system's queue.
    pub connections: usize,
    /// Of a connection, request and answer together.
    pub lifetime: Duration,
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Binds.
    ///
    /// # Errors
    /// The system's.
    pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    /// Serves until `stop` changes or its sender is gone.
    ///
    /// # Errors
    /// The system's.
    pub fn start(
        listener: TcpListener,
        router: Router,
        limits: Limits,
        mut stop: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let router = router
            .fallback(unknown_path)
            .method_not_allowed_fallback(unknown_method)
            .layer(middleware::from_fn(close));
        let bounded = Bounded {
            listener,
            permits: Arc::new(Semaphore::new(limits.connections)),
            lifetime: limits.lifetime,
        };
        let serve = axum::serve(bounded, router).with_graceful_shutdown(async move {
            let _ = stop.changed().await;
        });
        let task = tokio::spawn(async move {
            if let Err(error) = serve.await {
                tracing::error!("the HTTP server on {address} has ended: {error}");
            }
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the last request has been answered.
    pub async fn ended(self) {
        let _ = self.task.await;
    }
}

async fn close(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

async fn unknown_path() -> Refusal {
    Refusal::lasting(
        StatusCode::NOT_FOUND,
        "unknown_path",
        "there is no such path here; check the URL and the software's version",
    )
}

async fn unknown_method() -> Refusal {
    Refusal::lasting(
        StatusCode::METHOD_NOT_ALLOWED,
        "unknown_method",
        "this path is not asked in this way; check the software's version",
    )
}

struct Bounded {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    lifetime: Duration,
}

impl axum::serve::Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            // Never closed.
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
                std::future::pending().await
            };
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    let connection = Connection {
                        stream,
                        end: Box::pin(sleep(self.lifetime)),
                        _permit: permit,
                    };
                    return (connection, from);
                }
                // Out of file handles, or the client is gone: others go on.
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when its time is over, whatever the client does.
struct Connection {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.end.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn server(limits: Limits) -> (Server, watch::Sender<bool>) {
        let listener = Server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let router = Router::new().route("/", get(async || "here"));
        let server = Server::start(listener, router, limits, stopped).unwrap();
        (server, stop)
    }

    async fn ask(server: &Server) -> String {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_client_that_never_ends_its_request_is_cut_off_and_others_get_their_turn() {
        let limits = Limits {
            connections: 1,
            lifetime: Duration::from_millis(200),
        };
        let (server, _stop) = server(limits).await;
        let mut slow = TcpStream::connect(server.address()).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nho").await.unwrap();
        // Waits until the only place is free.
        assert!(ask(&server).await.ends_with("here"));
        let mut rest = Vec::new();
        let _ = slow.read_to_end(&mut rest).await;
        assert!(!rest.ends_with(b"here"));
    }

    #[tokio::test]
    async fn a_connection_serves_one_request_so_that_a_shutdown_waits_for_nobody() {
        let limits = Limits {
            connections: 4,
            lifetime: Duration::from_secs(3_600),
        };
        let (server, stop) = server(limits).await;
        // It ends although the client asked for more.
        let answer = ask(&server).await;
        assert!(answer.contains("connection: close"), "{answer}");
        stop.send(true).unwrap();
        server.ended().await;
    }
}
