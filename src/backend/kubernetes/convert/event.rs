//! Events.

use super::super::raw::RawEvent;
use super::Names;
use crate::model::{Event, Key, Kind, Severity, Text};
use crate::util::time::Timestamp;

/// The row of an event; `about` is the row it speaks of.
pub(in super::super) fn event(raw: &RawEvent, about: Option<(Kind, Key)>, names: &mut Names) -> Event {
    let times = [
        raw.series.as_ref().and_then(|s| s.last_observed_time.0),
        raw.last_timestamp.0,
        raw.event_time.0,
        raw.first_timestamp.0,
        raw.metadata.creation_timestamp.0,
    ];
    let object = &raw.involved_object;
    Event {
        key: Key::new(&raw.metadata.uid),
        at: times.into_iter().flatten().max().unwrap_or(Timestamp(0)),
        severity: if raw.kind == "Warning" { Severity::Warning } else { Severity::Normal },
        about,
        object: Text::from(format!("{} {}", object.kind.to_lowercase(), object.name)),
        namespace: names.text(if object.namespace.is_empty() { "" } else { &raw.metadata.namespace }),
        reason: names.text(&raw.reason),
        message: raw.metadata.told(Some(Text::new(raw.message.trim()))).unwrap_or_default(),
        count: raw.series.as_ref().map_or(raw.count, |s| s.count).max(1),
    }
}
