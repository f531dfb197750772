//! A Surfpool node on loopback, offline, for the end-to-end test (`run.sh`).
//!
//! usage: veilpool-surfpool RPC_PORT        WebSocket on the port after it

use std::{process::ExitCode, thread};

use surfpool_core::{
    runloops::start_local_surfnet_runloop,
    surfnet::{
        locker::SurfnetSvmLocker,
        svm::{SurfnetSvm, SurfnetSvmConfig},
    },
};
use surfpool_types::{BlockProductionMode, RpcConfig, SimnetConfig, SimnetEvent, SurfpoolConfig};

/// Of a slot, in milliseconds.
const SLOT_TIME: u64 = 200;

fn main() -> ExitCode {
    let port = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let Some(port) = port.filter(|port: &u16| *port < u16::MAX) else {
        eprintln!("usage: veilpool-surfpool RPC_PORT");
        return ExitCode::from(2);
    };
    match serve(port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("surfpool on port {port}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn serve(port: u16) -> Result<(), String> {
    let config = SurfpoolConfig {
        simnets: vec![SimnetConfig {
            offline_mode: true,
            remote_rpc_url: None,
            slot_time: SLOT_TIME,
            block_production_mode: BlockProductionMode::Clock,
            ..SimnetConfig::default()
        }],
        rpc: RpcConfig {
            bind_host: "127.0.0.1".into(),
            bind_port: port,
            ws_port: port + 1,
            ..RpcConfig::default()
        },
        ..SurfpoolConfig::default()
    };
    let simnet = config.simnets.first().ok_or("no network is configured")?;
    let svm = SurfnetSvmConfig {
        surfnet_id: simnet.surfnet_id.clone(),
        slot_time: simnet.slot_time,
        instruction_profiling_enabled: false,
        max_profiles: simnet.max_profiles,
        log_bytes_limit: simnet.log_bytes_limit,
        feature_config: Default::default(),
        skip_blockhash_check: false,
    };
    let (svm, events, geyser) =
        SurfnetSvm::new_with_db(None, svm).map_err(|error| error.to_string())?;
    let (commands, inbox) = crossbeam_channel::unbounded();
    let locker = SurfnetSvmLocker::new(svm);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let node = start_local_surfnet_runloop(locker, config, commands, inbox, geyser);
        match runtime {
            Ok(runtime) => {
                if let Err(error) = runtime.block_on(node) {
                    eprintln!("surfpool: {error}");
                }
            }
            Err(error) => eprintln!("surfpool: {error}"),
        }
    });
    // The events have to be taken for ever, or the node stalls.
    for event in events.iter() {
        match event {
            SimnetEvent::CoreStarted(_) => println!("ready http://127.0.0.1:{port}"),
            SimnetEvent::Aborted(why) => return Err(why),
            SimnetEvent::Shutdown => break,
            _ => {}
        }
    }
    Ok(())
}
