//! What events say should be read again. Events are hints only: the engine drops them when a reader is slow, keeps 256, and
//! has none for Swarm tasks (moby `daemon/events/events.go`).

use crate::util::time::Timestamp;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::sync::Notify;

/// Lists to read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stale {
    /// `/nodes`, or `/info` of an engine.
    pub nodes: bool,
    /// `/services`.
    pub services: bool,
    /// `/tasks`, or an engine's containers.
    pub tasks: bool,
    /// Containers and services that events told of: details of these are old, and of all with [`Stale::everything`].
    pub objects: HashSet<String>,
    /// Events may be missing: nothing that is held may be relied on.
    pub everything: bool,
}

impl Stale {
    /// After a gap in the events.
    pub fn all() -> Self {
        Self { nodes: true, services: true, tasks: true, objects: HashSet::new(), everything: true }
    }

    fn merge(&mut self, other: Self) {
        self.nodes |= other.nodes;
        self.services |= other.services;
        self.tasks |= other.tasks;
        self.everything |= other.everything;
        // more than anyone inspects one by one
        if self.objects.len() + other.objects.len() > 10_000 {
            self.everything = true;
            self.objects.clear();
        } else {
            self.objects.extend(other.objects);
        }
    }
}

/// Hints on their way from the event stream to the lister.
#[derive(Debug, Default)]
pub struct Hints {
    stale: Mutex<Stale>,
    node_since: Mutex<HashMap<String, Timestamp>>,
    woken: Notify,
}

impl Hints {
    /// Adds hints and wakes the lister.
    pub fn add(&self, stale: Stale) {
        self.stale.lock().merge(stale);
        self.woken.notify_one();
    }

    /// Takes what has gathered.
    pub fn take(&self) -> Stale {
        std::mem::take(&mut *self.stale.lock())
    }

    /// Waits for hints; those that came before count.
    pub async fn wait(&self) {
        self.woken.notified().await;
    }

    /// Remembers when a node got into its state.
    pub fn node_changed(&self, node: &str, at: Timestamp) {
        self.node_since.lock().insert(node.to_owned(), at);
    }

    /// Remembers that a list showed a node in another state than the list before, unless its event has just told so.
    pub fn node_seen_changed(&self, node: &str, now: Timestamp) {
        let mut held = self.node_since.lock();
        if held.get(node).is_none_or(|at| now.since(*at) > Duration::from_secs(30)) {
            held.insert(node.to_owned(), now);
        }
    }

    /// When nodes got into their states, of the nodes in `known`; others are forgotten.
    pub fn node_since(&self, known: &HashSet<&str>) -> HashMap<String, Timestamp> {
        let mut held = self.node_since.lock();
        held.retain(|id, _| known.contains(id.as_str()));
        held.clone()
    }
}
