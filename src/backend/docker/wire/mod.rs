//! The parts of the Engine API's objects that rows are made of (API 1.41 and later, moby `api/types`). Everything else is
//! skipped while decoding. States are plain text: a state that is new to us costs one row its meaning, not the whole list,
//! and a part that is of another shape than we know costs one row that part ([`read`]).

mod disk;
mod engine;
mod event;
mod read;
mod swarm;

pub use disk::{Disk, Network, bytes};
pub use engine::{Container, ContainerDetail, Info, MemoryStats, Stats};
pub use event::Happened;
#[cfg(test)]
pub use read::Object;
pub use read::{all, one};
pub use swarm::{Amounts, Mode, Node, Placement, Port, Service, ServiceSpec, Task, TaskSpec, UpdateStatus};

use crate::util::time::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Labels, by name.
pub type Labels = BTreeMap<String, String>;

/// A value decoded together with a number that changes exactly when its JSON does. The engine writes maps sorted, so equal
/// values have equal JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hashed<T> {
    /// The number; never 0.
    pub rev: u64,
    /// The value.
    pub value: T,
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Hashed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let value = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        Ok(Self { rev: hash(raw.get()), value })
    }
}

/// A number for a JSON text; never 0, which stands for "cannot change".
pub fn hash(json: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    json.hash(&mut hasher);
    hasher.finish().max(1)
}

/// Go writes empty lists and maps as `null`.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A moment as Go writes it; its zero time (year 1) is none.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<std::borrow::Cow<'_, str>>::deserialize(deserializer)?.and_then(|text| parse_time(&text)))
}

/// An RFC 3339 moment with any number of decimals; none for Go's zero time.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    (at.as_second() > 0).then(|| Timestamp(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_placement_may_change_without_making_tasks_old() {
        let rev = |json: &str| serde_json::from_str::<TaskSpec>(json).unwrap().rev;
        let base = rev(r#"{"ContainerSpec":{"Image":"a"},"ForceUpdate":0}"#);
        assert_eq!(base, rev(r#"{"ContainerSpec":{"Image":"a"},"Placement":{"Constraints":["node.id!=x"]},"ForceUpdate":0}"#));
        assert_ne!(base, rev(r#"{"ContainerSpec":{"Image":"b"},"ForceUpdate":0}"#));
        assert_ne!(base, rev(r#"{"ContainerSpec":{"Image":"a"},"ForceUpdate":1}"#));
    }

    #[test]
    fn moments_of_the_engine_are_read_and_its_zero_time_is_none() {
        assert_eq!(parse_time("1970-01-01T00:00:01.5Z"), Some(Timestamp(1_500)));
        assert_eq!(parse_time("1970-01-01T01:00:01.123456789+01:00"), Some(Timestamp(1_123)));
        assert_eq!(parse_time("0001-01-01T00:00:00Z"), None);
    }
}
