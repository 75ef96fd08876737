//! The one way a Swarm object is written: read it whole, compare, change only what was asked for, send it back whole.
//!
//! The Engine API replaces the entire spec and takes the version that was read (`POST /services/{id}/update?version=`). A
//! rolling update bumps that version by itself (moby/swarmkit#1379), so a refusal as out of sequence is usual, and harmless
//! as long as the spec is still the one the operator saw.

use super::changed;
use crate::backend::docker::transport::{HttpError, http::Http};
use crate::backend::docker::wire;
use crate::backend::{BackendError, secret};
use crate::model::Intent;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::time::Duration;

/// Times an update that was out of sequence is tried.
const TRIES: u32 = 5;
/// First pause between tries; doubled up to eight times of it.
const PAUSE: Duration = Duration::from_millis(100);

/// An object of the swarm, for requests and words.
#[derive(Clone, Debug)]
pub struct Target {
    /// `services` or `nodes`.
    pub table: &'static str,
    /// Its ID.
    pub id: String,
}

/// What an update is about.
pub struct Update<'a> {
    /// What was asked for, for words.
    pub intent: &'a Intent,
    /// What is written.
    pub target: &'a Target,
    /// The operation in the -ing form: `scaling`.
    pub doing: &'a str,
    /// The spec's number that must still hold; none where the patch suits whatever it is by now.
    pub rev: Option<u64>,
    /// More of the query, from its `&`.
    pub query: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Whole {
    version: Version,
    spec: Box<RawValue>,
    #[serde(default)]
    previous_spec: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    index: u64,
}

/// An object as read just now.
pub struct Current {
    /// Its version.
    version: u64,
    /// Number of its spec.
    pub rev: u64,
    /// Its spec.
    pub spec: Value,
    /// The spec to roll back to with its number, if there is one.
    pub previous: Option<(u64, Value)>,
}

/// Reads an object.
///
/// # Errors
/// See [`HttpError`].
pub async fn read(http: &Http, target: &Target) -> Result<Current, HttpError> {
    let whole: Whole = http.get(&format!("/{}/{}", target.table, target.id)).await?;
    let spec = serde_json::from_str(whole.spec.get()).map_err(|e| HttpError::Unreadable(secret::unread(&e)))?;
    Ok(Current {
        version: whole.version.index,
        rev: wire::hash(whole.spec.get()),
        spec,
        previous: whole.previous_spec.and_then(|spec| Some((wire::hash(spec.get()), serde_json::from_str(spec.get()).ok()?))),
    })
}

/// Changes the spec by `patch` and returns the number of the spec as the swarm then has it.
///
/// # Errors
/// [`BackendError::Changed`] if the spec must be one and is not (any more), what `patch` says, or the refusal.
pub async fn write(
    http: &Http,
    update: &Update<'_>,
    patch: impl Fn(&Current, &mut Value) -> Result<(), BackendError>,
) -> Result<u64, BackendError> {
    let doing = format!("{} {}", update.doing, update.intent.name);
    let failed = |error: &HttpError| error.during(&doing, http.endpoint());
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(PAUSE * (1 << (attempt - 1).min(3))).await;
        }
        let mut current = read(http, update.target).await.map_err(|e| failed(&e))?;
        if update.rev.is_some_and(|rev| rev != current.rev) {
            return Err(changed(update.intent, "someone else has changed its definition meanwhile"));
        }
        let mut spec = std::mem::take(&mut current.spec);
        patch(&current, &mut spec)?;
        let path = format!("/{}/{}/update?version={}{}", update.target.table, update.target.id, current.version, update.query);
        match http.post(&path, spec.to_string()).await {
            Ok(_) => return read_back(http, update, &doing).await,
            Err(error) if error.is_out_of_sequence() => tracing::debug!(attempt, "out of sequence, reading again"),
            Err(HttpError::NoAnswer(cause)) => {
                return Err(BackendError::Unreachable(format!(
                    "{doing} on {}: {cause}; whether the swarm has taken it is not known, look before trying again",
                    http.endpoint()
                )));
            }
            Err(error) => return Err(failed(&error)),
        }
    }
    const KEEPS: &str = "the swarm keeps changing it (another update is under way)";
    Err(match update.rev {
        Some(_) => changed(update.intent, KEEPS),
        // one of several steps: others were taken
        None => BackendError::Protocol(format!("{doing} on {}: {KEEPS}; try again in a moment", http.endpoint())),
    })
}

/// The swarm fills in defaults, so the number of what was sent is not the number of what there is now.
async fn read_back(http: &Http, update: &Update<'_>, doing: &str) -> Result<u64, BackendError> {
    let mut last = HttpError::NoAnswer(String::new());
    for _ in 0..3 {
        match read(http, update.target).await {
            Ok(current) => return Ok(current.rev),
            Err(error) => last = error,
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(last.during(&format!("{doing}: the swarm has taken it; reading it back"), http.endpoint()))
}

/// The value at `path`, made where it is missing; `null` on the way counts as missing.
pub fn at<'a>(mut value: &'a mut Value, path: &[&str]) -> &'a mut Value {
    for name in path {
        if !value.is_object() {
            *value = Value::Object(serde_json::Map::new());
        }
        value = &mut value[*name];
    }
    value
}
