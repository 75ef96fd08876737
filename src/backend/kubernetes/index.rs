//! Where objects live: the names behind the keys, for requests about single objects.

use crate::model::{Key, ServiceKind, Text};
use crate::util::time::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// Namespace and name of an object. Texts: what passed the sanitiser unchanged is the name itself, and a valid Kubernetes
/// name always does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Namespace.
    pub namespace: Text,
    /// Name.
    pub name: Text,
}

/// A pod, and who makes it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PodEntry {
    /// Where it is.
    pub place: Place,
    /// Its service, once known.
    pub service: Option<Key>,
    /// The node that an evacuation would move it from.
    pub leaves: Option<Key>,
}

/// All objects that can be addressed, as of the running session.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Pods by uid.
    pub pods: HashMap<Key, PodEntry>,
    /// Workloads by uid.
    pub services: HashMap<Key, (ServiceKind, Place)>,
    /// Events by uid.
    pub events: Events,
}

/// Most events that are held. The store keeps half as many; an older one is no row that could be asked about.
const EVENTS: usize = 4_000;

/// Where the newest events are. A cluster makes new ones for ever, and one that ended is not always heard to have.
#[derive(Debug, Default)]
pub(super) struct Events(HashMap<Key, (Timestamp, Place)>);

impl Events {
    /// An event of the time `at` is there.
    pub fn insert(&mut self, key: Key, at: Timestamp, place: Place) {
        self.0.insert(key, (at, place));
        if self.0.len() > EVENTS {
            let mut ages: Vec<(Timestamp, Key)> = self.0.iter().map(|(key, (at, _))| (*at, key.clone())).collect();
            ages.select_nth_unstable(EVENTS / 2);
            for (_, key) in ages.iter().take(EVENTS / 2) {
                self.0.remove(key);
            }
        }
    }

    /// An event is gone.
    pub fn remove(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// Where an event is.
    pub fn get(&self, key: &Key) -> Option<&Place> {
        self.0.get(key).map(|(_, place)| place)
    }
}

/// An index that the session writes and actions read.
pub(super) type Shared = Arc<parking_lot::Mutex<Index>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_events_can_be_found_however_many_there_were_and_whatever_order_they_came_in() {
        let mut events = Events::default();
        let place = || Place { namespace: "shop".into(), name: "web.1".into() };
        let key = |n: i64| Key::from(n.to_string().as_str());
        // 7,919 has no factor in common with 30,000: every number below comes up once
        for n in (0..30_000).map(|n| n * 7_919 % 30_000) {
            events.insert(key(n), Timestamp(n), place());
            assert!(events.0.len() <= EVENTS);
        }
        assert!((28_001..30_000).all(|n| events.get(&key(n)) == Some(&place())), "the newest that the store keeps");
        events.remove(&key(29_999));
        assert_eq!(events.get(&key(29_999)), None);
        assert_eq!(events.get(&key(0)), None);
        // all of one second: none of the last is lost with the first
        (0..EVENTS as i64 + 1).for_each(|n| events.insert(key(n), Timestamp(99_999), place()));
        assert!(events.0.len() > EVENTS / 2);
    }
}
