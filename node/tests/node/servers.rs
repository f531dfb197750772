//! The town on loopback: its measurers, relayer and RPC node behind one HTTP server. They do their work on the
//! same values as in memory, and write down what they are asked.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use veilpool_interface::{
    Claim, Operator, Record,
    address::{self, TOKEN_PROGRAM},
};
use veilpool_protocol::{
    AddressBytes, CommitmentBytes, FieldBytes, NullifierBytes, SubjectBytes,
    api::{ApiError, ListingReceipt, ListingRequest, RelayerInfo},
};

use crate::town::{EPOCH, Town, relayer_address};

pub(crate) struct Servers {
    pub(crate) town: Town,
    pub(crate) url: String,
    /// The RPC node doesn't answer.
    pub(crate) rpc_down: AtomicBool,
    /// The third measurer refuses to sign for ever.
    pub(crate) listings: Mutex<HashMap<String, Vec<ListingRequest>>>,
    /// What the RPC node was asked.
    pub(crate) asked: Mutex<Vec<String>>,
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

impl Servers {
    pub(crate) async fn start(town: Town) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let servers = Arc::new(Self {
            town,
            url: format!("http://{}", listener.local_addr().unwrap()),
            rpc_down: AtomicBool::new(false),
            listings: Mutex::default(),
            asked: Mutex::default(),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&servers));
        tokio::spawn(async move { axum::serve(listener, router).await });
        servers
    }

    pub(crate) fn measurers(&self) -> Vec<String> {
        (0..3).map(|slot| format!("{}/m{slot}", self.url)).collect()
    }

    fn list(&self, measurer: &str, listing: ListingRequest) -> Response {
        let mut listings = self.listings.lock().unwrap();
        let all = listings.entry(measurer.to_owned()).or_default();
        if all
            .iter()
            .any(|it| it.wireguard_key != listing.wireguard_key)
        {
            return refuse(StatusCode::CONFLICT, "conflict", false);
        }
        all.push(listing);
        ok(&ListingReceipt {
            epoch: EPOCH,
            slots_missed: 0,
        })
    }

    fn attest(&self, slot: usize, subject: &str) -> Response {
        let subject: SubjectBytes = subject.parse().unwrap();
        if now_ms() < self.town.epoch.ends_at * 1_000 {
            return refuse(StatusCode::NOT_FOUND, "not_ready", true);
        }
        ok(&self.town.sign(slot, subject))
    }

    fn relay(&self, path: &str, body: &[u8]) -> Response {
        match path {
            "v1/info" => ok(&RelayerInfo {
                version: "1".into(),
                relayer: relayer_address(),
                pool: address::bytes(&self.town.pool_address),
                fee: *self.town.fee.lock().unwrap(),
            }),
            "v1/claims" => match self.town.claim(&serde_json::from_slice(body).unwrap()) {
                Ok(receipt) => ok(&receipt),
                Err(error) => (StatusCode::CONFLICT, Json(error)).into_response(),
            },
            _ => refuse(StatusCode::NOT_FOUND, "unknown_path", false),
        }
    }

    fn rpc(&self, body: &[u8]) -> Response {
        if self.rpc_down.load(Ordering::Relaxed) {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let request: Value = serde_json::from_slice(body).unwrap();
        self.asked.lock().unwrap().push(request.to_string());
        let (method, params) = (request["method"].as_str().unwrap(), &request["params"]);
        let result = match method {
            "getAccountInfo" => {
                let at = params[0].as_str().unwrap();
                json!({ "context": { "slot": 1 }, "value": self.account(at) })
            }
            "getProgramAccounts" if params[0] == TOKEN_PROGRAM.to_string() => self.holders(),
            "getProgramAccounts" => self.records(&params[1]["filters"][0]["memcmp"]["bytes"]),
            other => unreachable!("the node doesn't ask for {other}"),
        };
        Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })).into_response()
    }

    fn account(&self, at: &str) -> Value {
        let town = &self.town;
        let epoch = address::epoch(&town.program, &town.pool_address, EPOCH).0;
        if at == town.pool_address.to_string() {
            account(&town.program.to_string(), &town.pool.encode())
        } else if at == epoch.to_string() {
            account(&town.program.to_string(), &town.epoch.encode())
        } else {
            Value::Null
        }
    }

    fn records(&self, discriminator: &Value) -> Value {
        let town = &self.town;
        let pool = address::bytes(&town.pool_address);
        let program = town.program.to_string();
        // In base 58, or as a list.
        if *discriminator == json!("4") || *discriminator == json!([3]) {
            let empty = CommitmentBytes::from_field(FieldBytes::ZERO);
            let registered = town.leaves.iter().zip(0u32..);
            let registered = registered.filter(|(leaf, _)| **leaf != empty);
            let operators = registered.map(|(leaf, index)| {
                let operator = Operator {
                    bump: 0,
                    pool,
                    commitment: *leaf,
                    leaf_index: index,
                    bond: 1,
                    bonder: AddressBytes::new([1; 32]),
                    exit: None,
                };
                let at = address::operator(&town.program, &town.pool_address, leaf).0;
                json!({ "pubkey": at.to_string(), "account": account(&program, &operator.encode()) })
            });
            return operators.collect();
        }
        assert!(
            *discriminator == json!("6") || *discriminator == json!([5]),
            "{discriminator}"
        );
        let ledger = town.ledger.lock().unwrap();
        let claims = ledger.claims.iter().map(|at| {
            let claim = Claim {
                bump: 0,
                pool,
                epoch: EPOCH,
                nullifier: NullifierBytes::from_field(FieldBytes::ZERO),
                claim_until: town.epoch.deadline(),
                rent_payer: relayer_address(),
            };
            json!({ "pubkey": at.to_string(), "account": account(&program, &claim.encode()) })
        });
        claims.collect()
    }

    fn holders(&self) -> Value {
        let ledger = self.town.ledger.lock().unwrap();
        let accounts = ledger.holders.iter().zip(0u8..).map(|((holder, amount), number)| {
            let mut data = vec![0u8; 165];
            data[..32].copy_from_slice(self.town.pool.rules.mint.as_bytes());
            data[32..64].copy_from_slice(holder.as_bytes());
            data[64..72].copy_from_slice(&amount.to_le_bytes());
            // Initialised.
            data[108] = 1;
            let at = address::pubkey(&AddressBytes::new([100 + number; 32]));
            json!({ "pubkey": at.to_string(), "account": account(&TOKEN_PROGRAM.to_string(), &data) })
        });
        accounts.collect()
    }
}

fn account(owner: &str, data: &[u8]) -> Value {
    json!({
        "data": [STANDARD.encode(data), "base64"], "executable": false, "lamports": 1_000_000,
        "owner": owner, "rentEpoch": 0, "space": data.len(),
    })
}

fn ok(message: &impl Serialize) -> Response {
    Json(message).into_response()
}

fn refuse(status: StatusCode, code: &str, retry: bool) -> Response {
    let error = ApiError {
        code: code.to_owned(),
        message: "words of the server".to_owned(),
        retry,
    };
    (status, Json(error)).into_response()
}

async fn answer(
    State(servers): State<Arc<Servers>>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let path = uri.path().trim_start_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    match (method, parts.as_slice()) {
        (Method::POST, ["rpc", ..]) => servers.rpc(&body),
        (_, ["relayer", ..]) => servers.relay(path.trim_start_matches("relayer/"), &body),
        (Method::POST, [measurer, "v1", "listings"]) => {
            servers.list(measurer, serde_json::from_slice(&body).unwrap())
        }
        (Method::GET, [measurer, "v1", "attestations", epoch, subject]) => {
            assert_eq!(*epoch, EPOCH.to_string());
            servers.attest(measurer[1..].parse().unwrap(), subject)
        }
        _ => refuse(StatusCode::NOT_FOUND, "unknown_path", false),
    }
}
