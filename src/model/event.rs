//! What the platform reported.

use super::{Key, Keyed, Kind, Text};
use crate::util::time::Timestamp;

/// How much attention an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The usual course of things.
    Normal,
    /// Something did not work.
    Warning,
}

/// One report of the platform. Repeats raise `count` and move `at`.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Row identity.
    pub key: Key,
    /// Last time it happened.
    pub at: Timestamp,
    /// How much attention it asks for.
    pub severity: Severity,
    /// Kind and key of the object it is about, where that is a row of ours.
    pub about: Option<(Kind, Key)>,
    /// The object in words: `pod web-7d9f-x2x9k`, `node eu-b-07`.
    pub object: Text,
    /// As [`super::Service::namespace`].
    pub namespace: Text,
    /// The platform's short reason: `FailedScheduling`, `update`.
    pub reason: Text,
    /// The message.
    pub message: Text,
    /// How often it happened.
    pub count: u32,
}

impl Keyed for Event {
    fn key(&self) -> &Key {
        &self.key
    }
}
