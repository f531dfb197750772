//! Waiting for the end.

use tokio::signal::unix::{Signal, SignalKind, signal};

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

/// SIGHUP, again and again: "read your files anew".
pub(crate) fn hang_up() -> anyhow::Result<Signal> {
    Ok(signal(SignalKind::hangup())?)
}
