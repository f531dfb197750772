//! The running chain: a thread that owns it and an HTTP server in the caller's runtime.

use std::{net::SocketAddr, thread::JoinHandle, time::Duration};

use tokio::{net::TcpListener, sync::watch, task};

use crate::{
    config::{LocalnetConfig, StartError},
    engine, server,
};

/// How long open connections get to finish at a shutdown.
const GRACE: Duration = Duration::from_secs(2);

/// A running local chain. Dropping it ends it; what was acknowledged is kept either way.
pub struct Localnet {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: Option<task::JoinHandle<()>>,
    chain: Option<JoinHandle<()>>,
}

impl Localnet {
    /// Starts a chain: a new one with the configuration's genesis, or the one kept in the state folder.
    ///
    /// # Errors
    ///
    /// See [`StartError`]; nothing listens and no state is changed then.
    pub async fn start(config: LocalnetConfig) -> Result<Localnet, StartError> {
        if config.block_time.is_zero() {
            return Err(StartError::BlockTime);
        }
        let listener =
            TcpListener::bind(config.listen)
                .await
                .map_err(|source| StartError::Listen {
                    address: config.listen,
                    source,
                })?;
        let address = listener.local_addr().map_err(|source| StartError::Listen {
            address: config.listen,
            source,
        })?;
        let (stop, stopped) = watch::channel(false);
        let (jobs, chain) = engine::start(config, stopped.clone()).await?;
        let server = tokio::spawn(server::serve(listener, jobs, stopped));
        Ok(Localnet {
            address,
            stop,
            server: Some(server),
            chain: Some(chain),
        })
    }

    /// Where the RPC listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The RPC's URL, for clients.
    #[must_use]
    pub fn rpc_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends the chain: requests that have begun are answered, the state is closed.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(GRACE, &mut server).await.is_err()
        {
            server.abort();
        }
        if let Some(chain) = self.chain.take() {
            let _ = task::spawn_blocking(move || chain.join()).await;
        }
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(server) = self.server.take() {
            server.abort();
        }
        // So that the state folder is free when this returns; at most one request is being answered.
        if let Some(chain) = self.chain.take() {
            let _ = chain.join();
        }
    }
}
