//! Which rows of all clusters are shown and in what order, kept up to date by what changed and not by starting over.

use super::filter::Query;
use crate::model::{ClusterId, ClusterState, Key, Keyed, Table, Text, World};
use crate::ui::cx::{Cx, Place};
use std::cmp::Ordering;
use std::sync::Arc;

/// A row of the whole fleet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowId {
    /// Its cluster.
    pub cluster: ClusterId,
    /// Its key there; empty for the row of the cluster itself.
    pub key: Key,
}

/// What rows are ordered by first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Unknown; first upwards.
    #[default]
    Nothing,
    /// A number, a time, a rank.
    Number(i64),
    /// A text.
    Text(Text),
}

/// The order asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Position of the column.
    pub column: usize,
    /// Greatest first.
    pub down: bool,
}

/// Which tables besides a row's own its order or its words come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Findings.
    pub findings: bool,
    /// Measurements and sums of tasks.
    pub usage: bool,
    /// Tasks.
    pub tasks: bool,
}

/// The rows of one cluster for one source.
pub enum Rows<'a, R> {
    /// A table.
    Table(&'a Table<R>),
    /// The cluster itself is the row.
    Cluster(&'a Arc<R>),
}

/// What a list shows: where its rows come from and how they are compared.
pub trait Source: Sized + 'static {
    /// A row.
    type Row: 'static;

    /// The rows of a cluster.
    fn rows(state: &Arc<ClusterState>) -> Rows<'_, Self::Row>;
    /// The row with this key.
    fn row<'a>(state: &'a Arc<ClusterState>, key: &Key) -> Option<&'a Self::Row>;
    /// Calls `visit` with (row before, row now) for each difference.
    fn changes<'a>(now: &'a Table<Self::Row>, before: &'a Table<Self::Row>, visit: &mut dyn FnMut(Key, Option<&'a Self::Row>));
    /// Whether the row is shown at this place.
    fn admits(state: &ClusterState, row: &Self::Row, place: &Place) -> bool;
    /// Visits the words that the filter looks at.
    fn words(state: &ClusterState, row: &Self::Row, visit: &mut dyn FnMut(&str));
    /// What the column `column` orders by.
    fn by(state: &ClusterState, row: &Self::Row, column: usize) -> By;
    /// Namespace and name: what decides between equals.
    fn name(state: &ClusterState, row: &Self::Row) -> (Text, Text);
    /// What [`Source::by`] for this column and [`Source::admits`] read besides the row.
    fn reads(_column: usize, _place: &Place) -> Reads {
        Reads::default()
    }
}

#[derive(Debug)]
struct Entry {
    id: RowId,
    by: By,
    cluster: usize,
    name: (Text, Text),
}

#[derive(Clone, Debug, PartialEq)]
struct Params {
    place: Place,
    query: Query,
    sort: Sort,
}

/// More changed rows than this and the index is made anew.
const FEW: usize = 512;

/// A row that changed: number and state of its cluster, its id, and the row now.
type Changed<'a, R> = (usize, &'a Arc<ClusterState>, RowId, Option<&'a R>);

/// See the module's description.
pub struct RowIndex<S: Source> {
    entries: Vec<Entry>,
    admitted: usize,
    seen: Option<(Arc<World>, Params)>,
    source: std::marker::PhantomData<S>,
}

impl<S: Source> Default for RowIndex<S> {
    fn default() -> Self {
        Self { entries: Vec::new(), admitted: 0, seen: None, source: std::marker::PhantomData }
    }
}

impl<S: Source> RowIndex<S> {
    /// Rows shown.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no row is shown.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Rows there are at this place, without the filter.
    pub fn admitted(&self) -> usize {
        self.admitted
    }

    /// The row at a position.
    pub fn id(&self, at: usize) -> Option<&RowId> {
        self.entries.get(at).map(|entry| &entry.id)
    }

    /// All rows shown, in order.
    pub fn ids(&self) -> impl Iterator<Item = &RowId> {
        self.entries.iter().map(|entry| &entry.id)
    }

    /// Where a row stands; `near` is looked at first.
    pub fn position(&self, id: &RowId, near: usize) -> Option<usize> {
        if self.id(near) == Some(id) {
            return Some(near);
        }
        self.entries.iter().position(|entry| entry.id == *id)
    }

    /// Brings the index up to date. True if a row in it, or what a row reads, may have changed.
    pub fn sync(&mut self, cx: &Cx<'_>, query: &Query, sort: Sort) -> bool {
        let params = Params { place: cx.place.clone(), query: query.clone(), sort };
        let before = self.seen.take();
        let changed = match &before {
            Some((world, held)) if *held == params => match self.follow(cx, world, &params) {
                Some(changed) => changed,
                None => self.rebuild(cx, &params),
            },
            _ => self.rebuild(cx, &params),
        };
        self.seen = Some((Arc::clone(cx.world), params));
        changed
    }

    fn rebuild(&mut self, cx: &Cx<'_>, params: &Params) -> bool {
        self.entries.clear();
        self.admitted = 0;
        for (number, state) in cx.world.clusters.iter().enumerate() {
            if !params.place.narrow.admits_cluster(&state.cluster.id) {
                continue;
            }
            match S::rows(state) {
                Rows::Table(table) => {
                    S::changes(table, &Table::default(), &mut |key, row| {
                        if let Some(row) = row {
                            self.entries.extend(entry::<S>(&mut self.admitted, number, state, key, row, params));
                        }
                    });
                }
                Rows::Cluster(row) => self.entries.extend(entry::<S>(&mut self.admitted, number, state, Key::new(""), row, params)),
            }
        }
        self.entries.sort_unstable_by(|a, b| order(a, b, params.sort));
        true
    }

    /// Applies what changed since `before`; none if starting over is the better way.
    fn follow(&mut self, cx: &Cx<'_>, before: &Arc<World>, params: &Params) -> Option<bool> {
        let now = cx.world;
        if Arc::ptr_eq(now, before) {
            return Some(false);
        }
        let same_clusters = now.clusters.len() == before.clusters.len()
            && now.clusters.iter().zip(&before.clusters).all(|(a, b)| a.cluster.id == b.cluster.id);
        if !same_clusters {
            return None;
        }
        let reads = S::reads(params.sort.column, &params.place);
        let filtered = !params.query.is_empty();
        let mut changed = Vec::new();
        let mut any = false;
        for (number, (state, old)) in now.clusters.iter().zip(&before.clusters).enumerate() {
            if Arc::ptr_eq(state, old) || !params.place.narrow.admits_cluster(&state.cluster.id) {
                continue;
            }
            any = true;
            let findings = (reads.findings || filtered) && !state.findings.same_as(&old.findings);
            if findings || reads.tasks && !state.tasks.same_as(&old.tasks) || reads.usage && usage_differs(state, old) {
                return None;
            }
            match (S::rows(state), S::rows(old)) {
                (Rows::Table(table), Rows::Table(held)) => {
                    S::changes(table, held, &mut |key, row| {
                        if changed.len() <= FEW {
                            changed.push((number, state, RowId { cluster: state.cluster.id.clone(), key }, row));
                        }
                    });
                }
                _ => return None,
            }
        }
        if changed.len() > FEW {
            return None;
        }
        if !changed.is_empty() {
            self.apply(&changed, before, params);
        }
        Some(any)
    }

    fn apply(&mut self, changed: &[Changed<'_, S::Row>], before: &World, params: &Params) {
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for (number, state, id, row) in changed {
            let old = before.clusters.get(*number).and_then(|state| Some((state, S::row(state, &id.key)?)));
            let mut admitted = 0;
            let old = old.and_then(|(state, row)| entry::<S>(&mut admitted, *number, state, id.key.clone(), row, params));
            self.admitted -= admitted;
            gone.extend(old.and_then(|old| self.place(&old, params.sort)));
            if let Some(new) = row.and_then(|row| entry::<S>(&mut self.admitted, *number, state, id.key.clone(), row, params)) {
                come.push((self.entries.partition_point(|held| order(held, &new, params.sort) == Ordering::Less), new));
            }
        }
        gone.sort_unstable();
        come.sort_unstable_by(|(at, a), (other, b)| at.cmp(other).then_with(|| order(a, b, params.sort)));
        // one pass, however many come and go
        let (mut gone, mut come) = (gone.into_iter().peekable(), come.into_iter().peekable());
        let held = std::mem::take(&mut self.entries);
        self.entries.reserve(held.len() + come.len());
        for (at, entry) in held.into_iter().enumerate() {
            while let Some((_, new)) = come.next_if(|(before, _)| *before == at) {
                self.entries.push(new);
            }
            if gone.next_if_eq(&at).is_none() {
                self.entries.push(entry);
            }
        }
        self.entries.extend(come.map(|(_, new)| new));
    }

    /// Where an entry made of a row as it was stands.
    fn place(&self, old: &Entry, sort: Sort) -> Option<usize> {
        let at = self.entries.partition_point(|held| order(held, old, sort) == Ordering::Less);
        self.position(&old.id, at)
    }
}

fn usage_differs(a: &ClusterState, b: &ClusterState) -> bool {
    !(a.node_usage.same_as(&b.node_usage)
        && a.service_usage.same_as(&b.service_usage)
        && a.task_usage.same_as(&b.task_usage)
        && a.node_loads.same_as(&b.node_loads)
        && a.service_loads.same_as(&b.service_loads))
}

fn entry<S: Source>(
    admitted: &mut usize,
    cluster: usize,
    state: &Arc<ClusterState>,
    key: Key,
    row: &S::Row,
    params: &Params,
) -> Option<Entry> {
    if !S::admits(state, row, &params.place) {
        return None;
    }
    *admitted += 1;
    if !params.query.is_empty() && !params.query.matches(|visit| S::words(state, row, visit)) {
        return None;
    }
    let id = RowId { cluster: state.cluster.id.clone(), key };
    Some(Entry { id, by: S::by(state, row, params.sort.column), cluster, name: S::name(state, row) })
}

fn order(a: &Entry, b: &Entry, sort: Sort) -> Ordering {
    let by = a.by.cmp(&b.by);
    // equals stay in their order whichever way round
    (if sort.down { by.reverse() } else { by })
        .then(a.cluster.cmp(&b.cluster))
        .then_with(|| a.name.cmp(&b.name))
        .then_with(|| a.id.key.cmp(&b.id.key))
}

/// [`Source::changes`] for rows that know their key.
pub fn table_changes<'a, R: Keyed>(now: &'a Table<R>, before: &'a Table<R>, visit: &mut dyn FnMut(Key, Option<&'a R>)) {
    now.changes_since(before, |old, new| {
        if let Some(key) = new.or(old).map(|row| row.key().clone()) {
            visit(key, new.map(|row| &**row));
        }
    });
}
