//! Events.

use super::{Listed, Meta, Str, When};
use crate::backend::kubernetes::protobuf::shapes::{self, Field};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// `v1 Event`: the old API group serves the same objects as `events.k8s.io`, with both sets of counters.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct RawEvent {
    pub metadata: Meta<IgnoredAny>,
    pub involved_object: Involved,
    pub reason: Str,
    pub message: Str,
    #[serde(rename = "type")]
    pub kind: Str,
    pub count: u32,
    pub first_timestamp: When,
    pub last_timestamp: When,
    pub event_time: When,
    pub series: Option<Series>,
}

impl Listed for RawEvent {
    const PATH: &'static str = "/api/v1/events";
    const PLURAL: &'static str = "events";
    const SHAPE: &'static [Field] = shapes::EVENT;
    type Labels = IgnoredAny;
    fn meta(&self) -> &Meta<IgnoredAny> {
        &self.metadata
    }
    fn meta_mut(&mut self) -> &mut Meta<IgnoredAny> {
        &mut self.metadata
    }
}

/// `involvedObject`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Involved {
    pub kind: Str,
    pub name: Str,
    pub namespace: Str,
    pub uid: Str,
}

/// `series`: how newer reporters count repeats.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Series {
    pub count: u32,
    pub last_observed_time: When,
}
