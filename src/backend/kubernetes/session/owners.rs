//! Which service a pod belongs to: its owner, or its owner's owner where that is a Deployment.

use super::super::convert::Names;
use super::super::raw::ReplicaSet;
use crate::model::Key;
use std::collections::{HashMap, VecDeque};

/// ReplicaSets that are gone but whose pods may still send their last updates.
const GONE: usize = 1_000;

/// ReplicaSets and the services they stand for.
#[derive(Debug, Default)]
pub(super) struct Owners {
    sets: HashMap<Key, Key>,
    gone: VecDeque<Key>,
}

impl Owners {
    /// Learns of a ReplicaSet; returns the service it stands for: its Deployment, or itself.
    pub fn learn(&mut self, raw: &ReplicaSet, names: &mut Names) -> Key {
        let owner = raw.metadata.controller().filter(|o| o.kind == "Deployment");
        let service = names.key(owner.map_or(&raw.metadata.uid, |o| &o.uid));
        let set = names.key(&raw.metadata.uid);
        // one that came back, from a copy or by a list that had missed it, is not to be forgotten with those that are gone
        self.gone.retain(|gone| *gone != set);
        self.sets.insert(set, service.clone());
        service
    }

    /// The service a ReplicaSet stands for, as far as it is known.
    pub fn of_set(&self, set: &Key) -> Option<&Key> {
        self.sets.get(set)
    }

    /// A ReplicaSet is gone; what it stood for is remembered a while for its last pods.
    pub fn forget(&mut self, set: &Key) {
        self.gone.push_back(set.clone());
        if self.gone.len() > GONE
            && let Some(oldest) = self.gone.pop_front()
        {
            self.sets.remove(&oldest);
        }
    }

    /// The service of an object whose controller has this kind and uid; none while a ReplicaSet is not known yet, or when
    /// the controller is no row of ours.
    pub fn service_of(&self, kind: &str, uid: &str, names: &mut Names) -> Option<Key> {
        match kind {
            "ReplicaSet" => self.sets.get(uid).cloned(),
            "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "CronJob" => Some(names.key(uid)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_gone_is_remembered_for_a_while_and_what_came_back_for_good() {
        let (mut owners, mut names) = (Owners::default(), Names::default());
        let set = |n: usize| {
            let owner = serde_json::json!([{"kind": "Deployment", "uid": "d", "controller": true}]);
            serde_json::from_value(serde_json::json!({"metadata": {"uid": n.to_string(), "ownerReferences": owner}})).unwrap()
        };
        let key = |n: usize| Key::from(n.to_string().as_str());
        for n in 0..2 * GONE {
            owners.learn(&set(n), &mut names);
            owners.forget(&key(n));
            if n == 0 {
                owners.learn(&set(n), &mut names);
            }
        }
        assert_eq!(owners.sets.len(), GONE + 1);
        assert_eq!(owners.gone.len(), GONE);
        assert!(owners.of_set(&key(0)).is_some() && owners.of_set(&key(1)).is_none());
        assert!(owners.of_set(&key(2 * GONE - 1)).is_some());
    }
}
