//! What an index was made of, and what has changed since.

use super::{Reads, Rows, Sort, Source};
use crate::model::{ClusterId, ClusterState, Key, Keyed, Kind, Node, Table, World};
use crate::ui::cx::{Cx, Place};
use crate::ui::view::filter::Query;
use std::sync::{Arc, Weak};

/// What an index was made of. It holds on to the tables it needs to find what has changed, and to nothing else of a picture:
/// a list that is not on screen would keep all of it.
pub(super) struct Seen<S: Source> {
    world: Weak<World>,
    place: Place,
    pub(super) query: Query,
    pub(super) sort: Sort,
    reads: Reads,
    clusters: Vec<Before<S::Row>>,
}

struct Before<R> {
    /// To know it by.
    whole: Weak<ClusterState>,
    rows: Option<Table<R>>,
    /// The cluster with the tables that are read besides.
    state: ClusterState,
}

/// What has changed since an index was made.
pub(super) struct Changes<'a, R> {
    /// The rows, each once.
    pub(super) rows: Vec<Changed<'a, R>>,
    /// Besides, so many were measured anew that all are better put in order again.
    pub(super) measured: bool,
}

/// A row that differs, or that reads what differs.
pub(super) struct Changed<'a, R> {
    /// Number of its cluster.
    pub(super) cluster: usize,
    pub(super) old: Option<&'a Arc<R>>,
    pub(super) new: Option<&'a Arc<R>>,
}

impl<S: Source> Seen<S> {
    pub(super) fn of(cx: &Cx<'_>, query: Query, sort: Sort) -> Self {
        let reads = S::reads(sort.column, cx.place);
        let clusters = cx.world.clusters.iter().map(|state| Before {
            whole: Arc::downgrade(state),
            rows: match S::rows(state) {
                Rows::Table(table) => Some(table.clone()),
                Rows::Cluster(_) => None,
            },
            state: kept(state, reads),
        });
        Self { world: Arc::downgrade(cx.world), place: cx.place.clone(), query, sort, reads, clusters: clusters.collect() }
    }

    /// Whether an index of this can be brought up to date: the same clusters, the same place.
    pub(super) fn holds(&self, cx: &Cx<'_>) -> bool {
        let ids = self.clusters.iter().map(|before| &before.state.cluster.id);
        self.place.narrow == cx.place.narrow
            && self.place.subject == cx.place.subject
            && ids.eq(cx.world.clusters.iter().map(|state| &state.cluster.id))
    }

    /// Whether this is the picture it was made of.
    pub(super) fn saw(&self, cx: &Cx<'_>) -> bool {
        self.world.as_ptr() == Arc::as_ptr(cx.world)
    }

    pub(super) fn filtered(&self) -> bool {
        !self.query.is_empty()
    }

    /// Which cluster has this number.
    pub(super) fn id(&self, number: u32) -> Option<&ClusterId> {
        self.clusters.get(number as usize).map(|before| &before.state.cluster.id)
    }

    /// The clusters of the place that are not the same any more, with their numbers.
    fn others<'a>(&'a self, cx: &Cx<'a>) -> impl Iterator<Item = (usize, &'a Before<S::Row>, &'a Arc<ClusterState>)> {
        let narrow = &cx.place.narrow;
        let pairs = self.clusters.iter().zip(&cx.world.clusters).enumerate();
        pairs
            .map(|(number, (before, now))| (number, before, now))
            .filter(|(_, before, now)| before.whole.as_ptr() != Arc::as_ptr(now) && narrow.admits_cluster(&now.cluster.id))
    }

    /// Whether anything at all of the clusters of the place has changed.
    pub(super) fn differs(&self, cx: &Cx<'_>) -> bool {
        self.others(cx).next().is_some()
    }

    /// What changed since; nothing if more than `most` rows did or if any may have. Rows of which more than `few` were measured
    /// anew are not among them.
    pub(super) fn changes<'a>(&'a self, cx: &Cx<'a>, most: usize, few: usize) -> Option<Changes<'a, S::Row>> {
        let (mut changes, mut measured) = (Vec::new(), false);
        for (cluster, before, now) in self.others(cx) {
            let (Rows::Table(table), Some(held)) = (S::rows(now), &before.rows) else { return None };
            if now.cluster.kind != before.state.cluster.kind || anew(now, &before.state, self.reads) {
                return None;
            }
            let mut add = |old, new| {
                if changes.len() <= most {
                    changes.push(Changed { cluster, old, new });
                }
            };
            table.changes_since(held, &mut add);
            // one that is another row now is among the changes
            let same = |key: &Key| table.get(key).filter(|row| held.get(key).is_some_and(|old| Arc::ptr_eq(old, row)));
            let mut touched: Vec<&Arc<S::Row>> = Vec::new();
            judged(now, &before.state, self.reads, &mut |key| {
                if touched.len() <= most {
                    touched.extend(same(key));
                }
            });
            let mut keys: Vec<&Key> = Vec::new();
            used(now, &before.state, self.reads, &mut |key| {
                if keys.len() <= few {
                    keys.push(key);
                }
            });
            if keys.len() > few {
                measured = true;
            } else {
                touched.extend(keys.into_iter().filter_map(same));
            }
            touched.sort_unstable_by_key(|row| Arc::as_ptr(row));
            touched.dedup_by_key(|row| Arc::as_ptr(row));
            touched.into_iter().for_each(|row| add(Some(row), Some(row)));
            if changes.len() > most {
                return None;
            }
        }
        Some(Changes { rows: changes, measured })
    }
}

/// Nothing of a cluster but its own row and what is read of it.
fn kept(state: &ClusterState, reads: Reads) -> ClusterState {
    let mut kept = ClusterState::new(state.cluster.clone());
    if reads.findings.is_some() {
        kept.findings = state.findings.clone();
    }
    match reads.usage {
        Some(Kind::Node) => {
            kept.node_usage = state.node_usage.clone();
            kept.node_loads = state.node_loads.clone();
        }
        Some(Kind::Service) => kept.service_usage = state.service_usage.clone(),
        Some(Kind::Task) => kept.task_usage = state.task_usage.clone(),
        Some(Kind::Event) | None => {}
    }
    if reads.nodes {
        kept.nodes = state.nodes.clone();
    }
    if reads.services {
        kept.services = state.services.clone();
    }
    if reads.tasks {
        kept.tasks = state.tasks.clone();
    }
    kept
}

/// Whether any row may be another by what is read besides it.
fn anew(now: &ClusterState, before: &ClusterState, reads: Reads) -> bool {
    reads.tasks && !now.tasks.same_as(&before.tasks)
        || reads.services && !now.services.same_as(&before.services)
        || reads.nodes && renamed(&now.nodes, &before.nodes)
}

/// Whether any node that a row may refer to is called otherwise.
fn renamed(now: &Table<Node>, before: &Table<Node>) -> bool {
    fn name(node: &Node) -> &str {
        &node.name
    }
    let mut renamed = false;
    now.changes_since(before, |old, new| {
        let key = old.or(new).map_or("", |node| node.key.as_str());
        // while a node is not known it is called by its key
        renamed |= old.map_or(key, |node| name(node)) != new.map_or(key, |node| name(node));
    });
    renamed
}

/// Visits the keys of the rows of which a finding has changed.
fn judged<'a>(now: &'a ClusterState, before: &'a ClusterState, reads: Reads, visit: &mut dyn FnMut(&'a Key)) {
    if let Some(of) = reads.findings {
        now.findings.changes_since(&before.findings, |old, new| {
            for (kind, key) in [old, new].into_iter().flatten().filter_map(|finding| finding.object.as_ref()) {
                if *kind == of {
                    visit(key);
                }
            }
        });
    }
}

/// Visits the keys of the rows that were measured anew.
fn used<'a>(now: &'a ClusterState, before: &'a ClusterState, reads: Reads, visit: &mut dyn FnMut(&'a Key)) {
    match reads.usage {
        Some(Kind::Node) => {
            keys(&now.node_usage, &before.node_usage, visit);
            keys(&now.node_loads, &before.node_loads, visit);
        }
        Some(Kind::Service) => keys(&now.service_usage, &before.service_usage, visit),
        Some(Kind::Task) => keys(&now.task_usage, &before.task_usage, visit),
        Some(Kind::Event) | None => {}
    }
}

fn keys<'a, T: Keyed>(now: &'a Table<T>, before: &'a Table<T>, visit: &mut dyn FnMut(&'a Key)) {
    now.changes_since(before, |old, new| {
        if let Some(row) = new.or(old) {
            visit(row.key());
        }
    });
}
