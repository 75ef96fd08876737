//! Something that is wrong, in words: what the fleet page lists and the health column shows.

use super::{Key, Keyed, Kind, Text};
use crate::util::time::Timestamp;

/// How bad it is. Ordered: worse is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Needs a look; what runs still serves.
    Warning,
    /// Broken: less than wanted serves, or nobody knows.
    Failing,
}

/// One thing that is wrong with one object (or with the cluster itself). Made by the pure rules of
/// [`crate::analysis::diagnosis`]; the engine keeps the table right as rows change.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Row identity: [`Finding::key_of`].
    pub key: Key,
    /// The object; none when it is about the cluster itself.
    pub object: Option<(Kind, Key)>,
    /// How bad.
    pub level: Level,
    /// What it is about: `shop/checkout`, `node eu-b-07`, `cluster`.
    pub subject: Text,
    /// The state in few words: `2/5 ready`, `not ready`, `unreachable`.
    pub headline: Text,
    /// Why, in words: `image not found: registry.local/checkout:1.3`.
    pub why: Text,
    /// What else helps to judge it: `3 tasks`, `zone eu-b`; may be empty.
    pub extra: Text,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
}

impl Finding {
    /// The key of the finding about an object; `None` is the cluster itself.
    pub fn key_of(object: Option<(Kind, &Key)>) -> Key {
        match object {
            Some((kind, key)) => Key::from(format!("{}/{key}", kind.word()).as_str()),
            None => Key::from("cluster"),
        }
    }
}

impl Keyed for Finding {
    fn key(&self) -> &Key {
        &self.key
    }
}
