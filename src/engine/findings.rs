//! Keeps the findings right as rows change: only objects whose rows changed are judged again.

use super::spells::Spells;
use crate::analysis::diagnosis;
use crate::model::{Change, ClusterState, Delta, Fact, Finding, Key, Keyed, Kind, Store, World};
use crate::util::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What was judged last.
#[derive(Debug, Default)]
pub(super) struct Findings {
    seen: World,
    spells: Spells,
}

/// What a batch touched in one cluster.
#[derive(Default)]
struct Touched {
    services: BTreeSet<Key>,
    nodes: BTreeSet<Key>,
}

impl Findings {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Judges what changed since the last call.
    pub(super) fn update(&mut self, store: &mut Store, now: Timestamp) {
        let world = store.world().clone();
        for state in &world.clusters {
            let before = self.seen.clusters.iter().find(|c| c.cluster.id == state.cluster.id);
            if before.is_some_and(|before| Arc::ptr_eq(before, state)) {
                continue;
            }
            let touched = match before {
                Some(before) => touched(before, state),
                None => everything(state),
            };
            self.judge(store, state, &touched, now);
        }
        self.seen = store.world().clone();
    }

    /// Judges once more what time alone may tell otherwise of: some rules depend on how long something lasts. Publishes
    /// nothing unless a verdict changed.
    pub(super) fn recheck(&mut self, store: &mut Store, now: Timestamp) {
        let world = store.world().clone();
        for state in &world.clusters {
            self.judge(store, state, &unsettled(state), now);
        }
        self.spells.forget(now);
        self.seen = store.world().clone();
    }

    fn judge(&mut self, store: &mut Store, state: &ClusterState, touched: &Touched, now: Timestamp) {
        let services = touched.services.iter().map(|key| (Kind::Service, key, diagnosis::service(state, key, now)));
        let nodes = touched.nodes.iter().map(|key| (Kind::Node, key, diagnosis::node(state, key, now)));
        let mut changes = vec![(Finding::key_of(None), diagnosis::cluster(state, now))];
        changes.extend(services.chain(nodes).map(|(kind, key, finding)| (Finding::key_of(Some((kind, key))), finding)));
        for (key, finding) in changes {
            let held = state.findings.get(&key);
            let change = match finding.map(|finding| self.spells.age(&state.cluster.id, finding, now)) {
                Some(finding) if held.is_none_or(|held| **held != finding) => Change::Upsert(finding),
                None if held.is_some() => Change::Remove(key),
                _ => continue,
            };
            store.apply(Fact::Cluster(state.cluster.id.clone(), Delta::Finding(change)), now);
        }
    }
}

fn everything(state: &ClusterState) -> Touched {
    Touched {
        services: state.services.iter().map(|s| s.key.clone()).collect(),
        nodes: state.nodes.iter().map(|n| n.key.clone()).collect(),
    }
}

fn unsettled(state: &ClusterState) -> Touched {
    let services = state.services.iter().filter(|service| diagnosis::service_waits(state, service));
    let nodes = state.nodes.iter().filter(|node| diagnosis::node_waits(node));
    let mut touched =
        Touched { services: services.map(|s| s.key.clone()).collect(), nodes: nodes.map(|n| n.key.clone()).collect() };
    for (kind, key) in state.findings.iter().filter_map(|finding| finding.object.as_ref()) {
        match kind {
            Kind::Service => touched.services.insert(key.clone()),
            Kind::Node => touched.nodes.insert(key.clone()),
            Kind::Task | Kind::Event => false,
        };
    }
    touched
}

fn touched(before: &ClusterState, now: &ClusterState) -> Touched {
    let mut touched = Touched::default();
    now.services.changes_since(&before.services, |old, new| {
        touched.services.extend(old.or(new).map(|s| s.key.clone()));
    });
    now.tasks.changes_since(&before.tasks, |old, new| {
        for task in [old, new].into_iter().flatten() {
            if let Some(service) = task.service.as_ref().filter(|service| !touched.services.contains(*service)) {
                touched.services.insert(service.clone());
            }
        }
    });
    now.nodes.changes_since(&before.nodes, |old, new| {
        touched.nodes.extend(old.or(new).map(|n| n.key.clone()));
    });
    // of its tasks a node's verdict reads their sum only
    now.node_loads.changes_since(&before.node_loads, |old, new| {
        touched.nodes.extend(old.or(new).map(|load| load.key.clone()));
    });
    now.service_usage.changes_since(&before.service_usage, |old, new| {
        touched.services.extend(old.or(new).map(|usage| usage.key().clone()));
    });
    now.node_usage.changes_since(&before.node_usage, |old, new| {
        touched.nodes.extend(old.or(new).map(|usage| usage.key().clone()));
    });
    touched
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::sim::{self, Fleet, Options};
    use std::time::Duration;

    #[test]
    fn nothing_that_is_left_out_of_a_recheck_would_be_judged_otherwise() {
        let mut fleet = Fleet::new(&sim::demo_scenario().unwrap(), Options::default());
        let mut store = Store::new(fleet.clusters());
        let mut findings = Findings::new();
        let mut told = BTreeSet::new();
        for at in (0..1_800).step_by(5).map(Duration::from_secs) {
            let now = fleet.at(at);
            fleet.advance(at).into_iter().for_each(|fact| store.apply(fact, now));
            findings.update(&mut store, now);
            findings.recheck(&mut store, now);
            let _ = store.publish();
            for state in store.world().clusters.clone() {
                told.extend(state.findings.iter().map(|finding| (state.cluster.id.clone(), finding.key.clone())));
                findings.judge(&mut store, &state, &everything(&state), now);
            }
            assert!(store.publish().is_none(), "{at:?}");
        }
        assert!(told.len() > 3, "{told:?}");
    }
}
