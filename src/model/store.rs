//! The only writer of the picture. Applies facts one by one, keeps the sums that are derived from tasks, and publishes.

use super::tally::{fall_short, tally};
use super::{
    Change, Cluster, ClusterId, ClusterState, Delta, Fact, Key, Keyed, Kind, KindSync, Notice, Operation, Resources, Sample,
    Series, Table, Text, Usage, World,
};
use crate::util::time::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Operations kept: running ones always, ended ones up to this many.
const OPERATIONS: usize = 200;
/// Notices kept.
const NOTICES: usize = 100;
/// Objects whose rights are kept per cluster.
const RIGHTS: usize = 100;
/// Answers about what there is before an action: more than anybody marks at once.
const SURVEYS: usize = 1_000;
/// Events kept per cluster.
const EVENTS: usize = 2_000;

/// See the module's description.
#[derive(Debug, Default)]
pub struct Store {
    world: World,
    /// Keys seen since `Begin` of the list that is arriving, by cluster and kind.
    lists: HashMap<(ClusterId, Kind), HashSet<Key>>,
    dirty: bool,
}

impl Store {
    /// A store of these clusters, in the order they are shown.
    pub fn new(clusters: impl IntoIterator<Item = Cluster>) -> Self {
        let clusters = clusters.into_iter().map(|c| Arc::new(ClusterState::new(c))).collect();
        Self { world: World { clusters, ..World::default() }, lists: HashMap::new(), dirty: true }
    }

    /// The picture as it is now, for the engine's own reading between publishes.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// A new picture if anything changed since the last one.
    pub fn publish(&mut self) -> Option<Arc<World>> {
        if !std::mem::take(&mut self.dirty) {
            return None;
        }
        self.world.revision += 1;
        Some(Arc::new(self.world.clone()))
    }

    /// Applies one fact that arrived at `now`. Facts of clusters or log views that are not known are dropped: they are
    /// late messages of something that was closed.
    pub fn apply(&mut self, fact: Fact, now: Timestamp) {
        self.dirty = true;
        match fact {
            Fact::Cluster(id, delta) => self.apply_delta(&id, delta, now),
            Fact::Operation(op) => self.apply_operation(op),
            Fact::TailOpened(tail) => self.world.tails.push(Arc::new(tail)),
            Fact::TailState(id, state) => {
                if let Some(tail) = self.world.tails.iter_mut().find(|t| t.id == id) {
                    Arc::make_mut(tail).state = state;
                }
            }
            Fact::Log(id, items) => {
                if let Some(tail) = self.world.tails.iter_mut().find(|t| t.id == id) {
                    let buffer = &mut Arc::make_mut(tail).buffer;
                    items.into_iter().for_each(|item| buffer.push(item));
                }
            }
            Fact::TailClosed(id) => self.world.tails.retain(|t| t.id != id),
            Fact::Document(document) => self.world.document = Some(Arc::new(document)),
            Fact::Notice(notice) => self.notice(notice),
        }
    }

    fn notice(&mut self, notice: Notice) {
        if self.world.notices.len() == NOTICES {
            self.world.notices.remove(0);
        }
        self.world.notices.push(Arc::new(notice));
    }

    fn apply_operation(&mut self, op: Operation) {
        let ops = &mut self.world.operations;
        match ops.iter_mut().find(|held| held.id == op.id) {
            Some(held) => *held = Arc::new(op),
            None => ops.push(Arc::new(op)),
        }
        if ops.len() > OPERATIONS
            && let Some(oldest) = ops.iter().position(|op| op.state.ended())
        {
            ops.remove(oldest);
        }
    }

    fn apply_delta(&mut self, id: &ClusterId, delta: Delta, now: Timestamp) {
        let Some(slot) = self.world.clusters.iter_mut().find(|c| c.cluster.id == *id) else { return };
        let state = Arc::make_mut(slot);
        let mut lists = Lists { of: &mut self.lists, cluster: id };
        match delta {
            Delta::Link(link) => {
                if link.is_live() && !state.cluster.link.is_live() {
                    anew(&mut state.sync);
                }
                state.cluster.link = link;
            }
            Delta::About { kind, version, capabilities, engine } => {
                anew(&mut state.sync);
                state.cluster.kind = kind;
                state.cluster.version = Some(version);
                state.cluster.capabilities = capabilities;
                state.cluster.engine = engine;
                // another session may be another user's
                state.rights.clear();
                state.surveys.clear();
                state.join = None;
            }
            Delta::Node(change) => {
                for gone in gone(&lists.table(Kind::Node, &mut state.nodes, &mut state.sync, change, now)) {
                    state.node_usage.remove(gone);
                }
            }
            Delta::Service(change) => {
                let changes = lists.table(Kind::Service, &mut state.services, &mut state.sync, change, now);
                for gone in gone(&changes) {
                    state.service_usage.remove(gone);
                }
                changes.iter().for_each(|(old, new)| fall_short(&mut state.shortfalls, old.as_deref(), new.as_deref(), now));
            }
            Delta::Task(change) => {
                for (old, new) in lists.table(Kind::Task, &mut state.tasks, &mut state.sync, change, now) {
                    tally(state, old.as_deref(), new.as_deref());
                }
            }
            Delta::Event(change) => {
                lists.table(Kind::Event, &mut state.events, &mut state.sync, change, now);
                prune_events(state);
            }
            Delta::Finding(Change::Upsert(row)) => {
                state.findings.insert(Arc::new(row));
            }
            Delta::Finding(Change::Remove(key)) => {
                state.findings.remove(&key);
            }
            // findings are never listed: the engine changes them one by one
            Delta::Finding(Change::Begin | Change::End | Change::Narrowed(_) | Change::Failed(_)) => {}
            Delta::Usage { of, at, rows } => record_usage(state, of, at, rows),
            Delta::NoUsage(why) => state.no_usage = why,
            Delta::Join(join) => state.join = join.map(Arc::new),
            Delta::Survey(survey) => {
                state.surveys.retain(|held| held.key != survey.key || held.action != survey.action);
                if state.surveys.len() == SURVEYS {
                    state.surveys.remove(0);
                }
                state.surveys.push(Arc::new(survey));
            }
            Delta::Rights(rights) => {
                state.rights.retain(|held| held.kind != rights.kind || held.key != rights.key);
                if state.rights.len() == RIGHTS {
                    state.rights.remove(0);
                }
                state.rights.push(Arc::new(rights));
            }
        }
    }
}

/// A session begins, or the cluster is back: nothing was followed until now, so no table is current until its list is whole.
fn anew(sync: &mut [KindSync; 4]) {
    for sync in sync.iter_mut().filter(|sync| matches!(sync, KindSync::Live | KindSync::Narrowed(_))) {
        *sync = KindSync::Loading(0);
    }
}

/// A row before and after a change.
type Replaced<T> = (Option<Arc<T>>, Option<Arc<T>>);

struct Lists<'a> {
    of: &'a mut HashMap<(ClusterId, Kind), HashSet<Key>>,
    cluster: &'a ClusterId,
}

impl Lists<'_> {
    /// Applies a change to a table and returns what it replaced.
    fn table<T: Keyed>(
        &mut self,
        kind: Kind,
        table: &mut Table<T>,
        sync: &mut [KindSync; 4],
        change: Change<T>,
        now: Timestamp,
    ) -> Vec<Replaced<T>> {
        let list = (self.cluster.clone(), kind);
        let sync = &mut sync[kind.index()];
        match change {
            Change::Begin => {
                self.of.insert(list, HashSet::new());
                if !matches!(sync, KindSync::Live | KindSync::Narrowed(_)) {
                    *sync = KindSync::Loading(0);
                }
                Vec::new()
            }
            Change::Upsert(row) => {
                if let Some(seen) = self.of.get_mut(&list) {
                    seen.insert(row.key().clone());
                    if let KindSync::Loading(n) = sync {
                        *n += 1;
                    }
                }
                let row = Arc::new(row);
                vec![(table.insert(Arc::clone(&row)), Some(row))]
            }
            Change::Remove(key) => {
                if let Some(seen) = self.of.get_mut(&list) {
                    seen.remove(&key);
                }
                table.remove(&key).map(|old| (Some(old), None)).into_iter().collect()
            }
            Change::End | Change::Narrowed(_) => {
                *sync = if let Change::Narrowed(words) = change { KindSync::Narrowed(words) } else { KindSync::Live };
                let Some(seen) = self.of.remove(&list) else { return Vec::new() };
                let gone: Vec<Key> = table.iter().map(|row| row.key()).filter(|key| !seen.contains(*key)).cloned().collect();
                gone.iter().filter_map(|key| table.remove(key)).map(|old| (Some(old), None)).collect()
            }
            Change::Failed(reason) => {
                let since = if let KindSync::Failed { since, .. } = sync { *since } else { now };
                *sync = KindSync::Failed { since, reason };
                Vec::new()
            }
        }
    }
}

/// Keys of the rows that a change took away.
fn gone<T: Keyed>(changes: &[Replaced<T>]) -> impl Iterator<Item = &Key> {
    changes.iter().filter(|(_, new)| new.is_none()).filter_map(|(old, _)| old.as_ref()).map(|old| old.key())
}

fn prune_events(state: &mut ClusterState) {
    if state.events.len() <= EVENTS {
        return;
    }
    let mut ages: Vec<(Timestamp, Key)> = state.events.iter().map(|e| (e.at, e.key.clone())).collect();
    ages.sort_unstable();
    for (_, key) in ages.iter().take(EVENTS / 10) {
        state.events.remove(key);
    }
}

fn record_usage(state: &mut ClusterState, of: Kind, at: Timestamp, rows: Vec<(Key, Usage)>) {
    state.no_usage = None;
    let mut services: HashMap<Key, Usage> = HashMap::new();
    for (key, usage) in rows {
        let sample = Sample { at, usage };
        match of {
            Kind::Node => {
                if state.nodes.get(&key).is_none_or(|node| can_be(&usage, node.allocatable)) {
                    push_sample(&mut state.node_usage, &key, sample);
                }
            }
            Kind::Task => {
                let Some(task) = state.tasks.get(&key).filter(|task| !task.state.ended()) else { continue };
                if let Some(service) = &task.service {
                    let sum = services.entry(service.clone()).or_default();
                    *sum = sum.plus(usage);
                }
                push_sample(&mut state.task_usage, &key, sample);
            }
            Kind::Service | Kind::Event => {}
        }
    }
    for (key, usage) in services {
        push_sample(&mut state.service_usage, &key, Sample { at, usage });
    }
}

/// How many times what a node has to give it may be said to use, and be believed: what it keeps for itself is not to give.
const OVER: u64 = 4;

fn can_be(used: &Usage, allocatable: Resources) -> bool {
    let within = |used: u64, all: u64| all == 0 || used <= all.saturating_mul(OVER);
    within(used.cpu_m.into(), allocatable.cpu_m) && within(used.mem, allocatable.mem)
}

fn push_sample(table: &mut Table<Series>, key: &Key, sample: Sample) {
    table.update(key, || Series::new(key.clone()), |series| series.push(sample));
}

/// Words for a fact that has none of its own.
impl Notice {
    /// An information.
    pub fn info(at: Timestamp, text: impl Into<Text>) -> Self {
        Self { at, warning: false, text: text.into() }
    }

    /// A warning.
    pub fn warning(at: Timestamp, text: impl Into<Text>) -> Self {
        Self { at, warning: true, text: text.into() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::analysis::fixture::{self, Fixture};
    use crate::model::Link;

    #[test]
    fn rows_from_before_an_outage_are_not_current_until_they_are_listed() {
        let cluster = Fixture::kubernetes().state().cluster.clone();
        let (id, mut store) = (cluster.id.clone(), Store::new([cluster]));
        let mut sync_after = |delta: Delta| {
            store.apply(Fact::Cluster(id.clone(), delta), Timestamp(0));
            let state = store.world().cluster(&id).unwrap();
            (state.sync_of(Kind::Task).clone(), state.tasks.len())
        };
        let stale = || Delta::Link(Link::Stale { since: Timestamp(0), reason: Text::new("silent") });
        let task = |key: &str| Delta::Task(Change::Upsert(fixture::task(key, "web", "n1")));
        sync_after(Delta::Link(Link::Live));
        sync_after(Delta::Task(Change::Begin));
        sync_after(task("t1"));
        assert_eq!(sync_after(Delta::Task(Change::End)), (KindSync::Live, 1));
        assert_eq!(sync_after(Delta::Link(Link::Live)), (KindSync::Live, 1), "it was live all the time");
        assert_eq!(sync_after(stale()), (KindSync::Live, 1));
        assert_eq!(sync_after(Delta::Link(Link::Live)), (KindSync::Loading(0), 1));
        sync_after(Delta::Task(Change::Begin));
        assert_eq!(sync_after(task("t2")), (KindSync::Loading(1), 2));
        // that it cannot be read at the moment does not make a list forget what it has seen
        let failed = sync_after(Delta::Task(Change::Failed("busy".into())));
        assert!(matches!(failed, (KindSync::Failed { .. }, 2)));
        assert_eq!(sync_after(Delta::Task(Change::End)), (KindSync::Live, 1));
    }
}
