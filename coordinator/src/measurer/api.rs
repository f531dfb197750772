//! A measurer's HTTP interface.
//!
//! | path | answer |
//! | --- | --- |
//! | `GET /v1/info` | `MeasurerInfo` |
//! | `POST /v1/listings` | `ListingReceipt` |
//! | `GET /v1/attestations/{epoch}/{subject}` | `SignedAttestation` |
//! | `GET /v1/results/{epoch}/{subject}` | `ResultsReport` |
//!
//! Nothing that is posted enters an attestation: a listing says where to measure, and that is all.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    routing::{get, post},
};
use veilpool_protocol::{
    EpochId, SubjectBytes,
    api::{ListingReceipt, ListingRequest, MeasurerInfo, ResultsReport, SignedAttestation},
};

use super::{
    engine::{Engine, ListError},
    store::{Listing, StoreError},
};
use crate::http::{Refusal, read_json, read_path};

type Parts = Result<Path<(String, String)>, PathRejection>;
type Answer<T> = Result<Json<T>, Refusal>;

pub(crate) fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/v1/info", get(info))
        .route("/v1/listings", post(list))
        .route("/v1/attestations/{epoch}/{subject}", get(attestation))
        .route("/v1/results/{epoch}/{subject}", get(results))
        .with_state(engine)
}

async fn info(State(engine): State<Arc<Engine>>) -> Answer<MeasurerInfo> {
    let domain = engine.state().facts.as_ref().map(|facts| facts.domain);
    let domain = domain.ok_or(ListError::NotReady)?;
    let keys = &engine.context().keys;
    Ok(Json(MeasurerInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        attestation_key: keys.attestation_key(),
        ed25519_key: keys.ed25519_key(),
        domain,
    }))
}

async fn list(State(engine): State<Arc<Engine>>, body: Body) -> Answer<ListingReceipt> {
    let request: ListingRequest = read_json(body).await?;
    Ok(Json(engine.list(&request).await?))
}

async fn attestation(State(engine): State<Arc<Engine>>, path: Parts) -> Answer<SignedAttestation> {
    let listing = listing(&engine, path).await?;
    let (epoch, subject) = (listing.epoch, listing.subject);
    let signed = engine.context().store.attestation(epoch, &subject).await;
    let attestation = signed?.ok_or_else(|| {
        Refusal::passing(
            StatusCode::TOO_EARLY,
            "not_ready",
            "the attestation is signed a few seconds after the epoch's end; ask again then",
        )
    })?;
    let keys = &engine.context().keys;
    Ok(Json(SignedAttestation {
        epoch,
        subject,
        attestation_key: keys.attestation_key(),
        ed25519_key: keys.ed25519_key(),
        attestation,
    }))
}

async fn results(State(engine): State<Arc<Engine>>, path: Parts) -> Answer<ResultsReport> {
    let listing = listing(&engine, path).await?;
    let (epoch, subject) = (listing.epoch, listing.subject);
    let store = &engine.context().store;
    Ok(Json(ResultsReport {
        epoch,
        subject,
        slots: store.slots(epoch, &subject).await?,
        rounds: store.rounds(epoch, &subject).await?,
        signed: listing.signed,
    }))
}

async fn listing(engine: &Engine, path: Parts) -> Result<Listing, Refusal> {
    let Path((epoch, subject)) = path.map_err(|rejection| {
        Refusal::lasting(StatusCode::BAD_REQUEST, "malformed", rejection.body_text())
    })?;
    let epoch = EpochId::new(read_path("epoch", &epoch)?);
    let subject: SubjectBytes = read_path("subject", &subject)?;
    let listing = engine.context().store.listing(epoch, &subject).await?;
    listing.ok_or_else(|| {
        Refusal::lasting(
            StatusCode::NOT_FOUND,
            "unknown_subject",
            "this subject was not listed here in this epoch, or that was long ago",
        )
    })
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        // The path of the state is the measurer's own business.
        tracing::warn!("{error}");
        Self::passing(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "this measurer can't use its state at the moment; ask again later",
        )
    }
}

impl From<ListError> for Refusal {
    fn from(error: ListError) -> Self {
        let text = error.to_string();
        match error {
            ListError::NotReady => {
                Self::passing(StatusCode::SERVICE_UNAVAILABLE, "not_ready", text)
            }
            ListError::UnknownEpoch(_) => {
                Self::passing(StatusCode::NOT_FOUND, "unknown_epoch", text)
            }
            ListError::EpochEnded(_) => Self::lasting(StatusCode::GONE, "epoch_ended", text),
            ListError::Endpoint => {
                Self::lasting(StatusCode::UNPROCESSABLE_ENTITY, "endpoint", text)
            }
            ListError::Conflict => Self::lasting(StatusCode::CONFLICT, "conflict", text),
            ListError::Crowded => Self::lasting(StatusCode::CONFLICT, "crowded", text),
            ListError::Full => Self::passing(StatusCode::SERVICE_UNAVAILABLE, "full", text),
            ListError::Store(error) => error.into(),
        }
    }
}
