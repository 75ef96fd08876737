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

/// What a rule waits for, and what is in trouble: a spell of trouble goes on only as long as it is seen.
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
    use crate::analysis::fixture::{self, Fixture, NOW};
    use crate::backend::sim::{self, Fleet, Options};
    use crate::model::{Availability, Ending, Node, NodeState, Service, ServiceKind, Task, TaskState, Usage};
    use std::time::Duration;

    fn applied(store: &mut Store, deltas: impl IntoIterator<Item = Delta>) {
        let id = store.world().clusters[0].cluster.id.clone();
        deltas.into_iter().for_each(|delta| store.apply(Fact::Cluster(id.clone(), delta), NOW));
    }

    /// How many verdicts there are of a listed cluster with these rows, and so much later without any change.
    fn told(rows: Vec<Delta>, later: Duration) -> [usize; 2] {
        let mut store = Store::new([Fixture::kubernetes().state().cluster.clone()]);
        let listed = [Delta::Node(Change::End), Delta::Service(Change::End), Delta::Task(Change::End)];
        applied(&mut store, listed.into_iter().chain(rows));
        let mut findings = Findings::new();
        findings.update(&mut store, NOW);
        let at_once = store.world().clusters[0].findings.len();
        findings.recheck(&mut store, NOW.plus(later));
        [at_once, store.world().clusters[0].findings.len()]
    }

    #[test]
    fn time_alone_tells_of_what_lasts_and_forgets_what_is_over() {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        let service = |row: Service| Delta::Service(Change::Upsert(Service { changed: Some(NOW), ..row }));
        let task = |row: Task| Delta::Task(Change::Upsert(Task { since: NOW, ..row }));
        let (web, one) = (fixture::service("web", 1), fixture::task("t1", "web", "n1"));
        let short = vec![service(Service { ready: 0, ..web.clone() })];
        let end = Some(Ending { at: Some(NOW), exit: 1, reason: "exit 1".into() });
        let back = vec![service(web.clone()), task(Task { restarts: 9, last_end: end, ..one.clone() })];
        let failed = Task { state: TaskState::Failed, ready: false, wanted: false, ..one.clone() };
        let lone = Service { kind: ServiceKind::Container, desired: None, ..web.clone() };
        let stuck = Task { state: TaskState::Starting, ready: false, why: Some("no image".into()), stuck: true, ..one.clone() };
        let job = Service { kind: ServiceKind::Job, desired: None, ..web };
        let given_up = Node { availability: Availability::Drained, since: Some(NOW), ..fixture::node("n1", "a") };
        for (name, rows, later, want) in [
            ("short", short, minutes(3), [0, 1]),
            ("comes back", back, minutes(61), [1, 0]),
            ("fell", vec![service(lone), task(failed)], minutes(60 * 25), [1, 0]),
            ("stuck job", vec![service(job), task(stuck)], minutes(3), [0, 1]),
            ("not drained", vec![Delta::Node(Change::Upsert(given_up)), task(one)], minutes(11), [0, 1]),
        ] {
            assert_eq!(told(rows, later), want, "{name}");
        }
    }

    #[test]
    fn trouble_that_lasts_stays_as_old_as_it_is() {
        let mut store = Store::new([Fixture::kubernetes().state().cluster.clone()]);
        let down = |since| Node { state: NodeState::Down, since: Some(since), ..fixture::node("n1", "a") };
        applied(&mut store, [Delta::Node(Change::Upsert(down(NOW)))]);
        let mut findings = Findings::new();
        findings.update(&mut store, NOW);
        let later = |s| NOW.plus(Duration::from_secs(s));
        (0..300).step_by(5).for_each(|s| findings.recheck(&mut store, later(s)));
        // it came back and went away in between, unseen
        applied(&mut store, [Delta::Node(Change::Upsert(down(later(299))))]);
        findings.update(&mut store, later(300));
        let since: Vec<_> = store.world().clusters[0].findings.iter().map(|finding| finding.since).collect();
        assert_eq!(since, [Some(NOW)]);
    }

    #[test]
    fn a_measurement_is_judged_when_it_comes() {
        let mut store = Store::new([Fixture::kubernetes().state().cluster.clone()]);
        let rows = [
            Delta::Node(Change::Upsert(fixture::node("n1", "a"))),
            Delta::Service(Change::Upsert(fixture::service("web", 1))),
            Delta::Task(Change::Upsert(fixture::task("t1", "web", "n1"))),
        ];
        applied(&mut store, rows);
        let mut findings = Findings::new();
        findings.update(&mut store, NOW);
        for (of, key, mem, all) in [(Kind::Task, "t1", 250 << 20, 1), (Kind::Node, "n1", 8 << 30, 2)] {
            let usage = Usage { cpu_m: 1, mem, net: None };
            applied(&mut store, [Delta::Usage { of, at: NOW, rows: vec![(key.into(), usage)] }]);
            findings.update(&mut store, NOW);
            assert_eq!(store.world().clusters[0].findings.len(), all, "{key}");
        }
    }

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
