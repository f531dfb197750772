//! Waiting for the end.

use tokio::signal::unix::{SignalKind, signal};

/// Returns at SIGINT or SIGTERM.
pub(crate) async fn ended() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    tracing::info!("ending");
    Ok(())
}
