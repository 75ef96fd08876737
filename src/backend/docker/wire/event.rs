//! What an engine says has happened.

use super::or_default;
use serde::Deserialize;
use std::collections::HashMap;

/// A line of `GET /events`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Happened {
    /// What it is about: `container`, `service`, `node`.
    #[serde(rename = "Type")]
    pub kind: String,
    #[serde(rename = "Action")]
    pub action: String,
    #[serde(rename = "Actor", deserialize_with = "or_default")]
    pub actor: Actor,
    /// Seconds since the epoch.
    pub time: i64,
    #[serde(rename = "timeNano")]
    pub time_nano: i64,
    /// What of it could not be read.
    #[serde(skip)]
    pub odd: Option<String>,
}

/// The object of an event.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Actor {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(deserialize_with = "or_default")]
    pub attributes: HashMap<String, String>,
}
