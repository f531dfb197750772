//! HTTP: bodies in, bodies out. Everything of JSON-RPC is in `rpc`.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
};

use crate::{engine::Job, rpc::envelope};

/// The largest request, as of a public node. A larger one is answered with HTTP 413.
pub const MAX_BODY_BYTES: usize = 50 * 1024;

/// The most calls in one request.
pub const MAX_BATCH: usize = 100;

/// Serves until told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    jobs: mpsc::Sender<Job>,
    mut stopped: watch::Receiver<bool>,
) {
    let app = Router::new()
        .route("/", post(call))
        .route("/health", get(health))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(jobs);
    let end = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(end).await {
        tracing::error!(%error, "the RPC server ended");
    }
}

async fn call(State(jobs): State<mpsc::Sender<Job>>, headers: HeaderMap, body: Bytes) -> Response {
    // Also keeps other sites' pages in a browser out: this type makes the browser ask first.
    let json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    if !json {
        return (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Supplied content type is not allowed. Content-Type: application/json is required",
        )
            .into_response();
    }
    let answer = match serde_json::from_slice::<Value>(&body) {
        Err(error) => Some(envelope::parse_error(&error)),
        Ok(request) => ask(&jobs, request).await,
    };
    match answer {
        Some(value) => (
            [(CONTENT_TYPE, "application/json; charset=utf-8")],
            value.to_string(),
        )
            .into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Hands a request to the chain's thread; `None` when nothing is to be answered (notifications).
async fn ask(jobs: &mpsc::Sender<Job>, request: Value) -> Option<Value> {
    let (reply, answer) = oneshot::channel();
    if jobs.send(Job { request, reply }).await.is_err() {
        return Some(envelope::stopped());
    }
    answer.await.unwrap_or_else(|_| Some(envelope::stopped()))
}

async fn health(State(jobs): State<mpsc::Sender<Job>>) -> String {
    let request = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "getHealth"});
    match ask(&jobs, request).await {
        Some(answer) if answer.get("result").is_some() => "ok".to_owned(),
        _ => "unhealthy".to_owned(),
    }
}
