//! A row as the index holds it, and lists of them in order.

use super::{Beside, By, Rows, Sort, Source};
use crate::model::{ClusterState, Keyed};
use std::cmp::Ordering;
use std::sync::Arc;

/// Position of an entry.
pub(super) type Slot = u32;

#[derive(Debug)]
pub(super) struct Entry<R> {
    /// None: the cluster itself is the row, or there is none.
    pub(super) row: Option<Arc<R>>,
    pub(super) by: By,
    /// Number of its cluster.
    pub(super) cluster: u32,
}

// of a hundred thousand rows each byte counts
const _: () = assert!(size_of::<Entry<()>>() <= 32);

impl<R: Keyed + 'static> Entry<R> {
    pub(super) fn of<S: Source<Row = R>>(cluster: usize, beside: &Beside<'_>, row: &Arc<R>, sort: Sort) -> Self {
        Self { row: Some(Arc::clone(row)), ..Self::itself::<S>(cluster, beside, row, sort) }
    }

    /// The entry of the cluster itself. It does not hold on to it: with it all its tables would be held.
    pub(super) fn itself<S: Source<Row = R>>(cluster: usize, beside: &Beside<'_>, row: &R, sort: Sort) -> Self {
        Self { row: None, by: S::by(beside, row, sort.column), cluster: cluster as u32 }
    }

    pub(super) fn nothing() -> Self {
        Self { row: None, by: By::NOTHING, cluster: 0 }
    }

    pub(super) fn row_in<'a, S: Source<Row = R>>(&'a self, state: &'a Arc<ClusterState>) -> Option<&'a R> {
        match (&self.row, S::rows(state)) {
            (Some(row), _) => Some(row),
            (None, Rows::Cluster(row)) => Some(row),
            (None, Rows::Table(_)) => None,
        }
    }

    /// Namespace, name and key.
    pub(super) fn names<S: Source<Row = R>>(&self) -> (&str, &str, &str) {
        self.row.as_deref().map_or(("", "", ""), |row| {
            let (namespace, name) = S::name(row);
            (namespace, name, row.key())
        })
    }
}

/// The order of two rows: never equal but for the same row at the same place.
pub(super) fn order<S: Source>(a: &Entry<S::Row>, b: &Entry<S::Row>, sort: Sort) -> Ordering {
    let by = a.by.cmp(&b.by);
    // equals stay in their order whichever way round
    (if sort.down { by.reverse() } else { by }).then(a.cluster.cmp(&b.cluster)).then_with(|| a.names::<S>().cmp(&b.names::<S>()))
}

/// Where the row stands in a list in order.
pub(super) fn find<S: Source>(entries: &[Entry<S::Row>], list: &[Slot], entry: &Entry<S::Row>, sort: Sort) -> Option<usize> {
    list.binary_search_by(|slot| order::<S>(&entries[*slot as usize], entry, sort)).ok()
}

/// Takes these positions out of a list.
pub(super) fn remove(list: &mut Vec<Slot>, mut gone: Vec<usize>) {
    gone.sort_unstable();
    let Some(mut to) = gone.first().copied() else { return };
    for (n, at) in gone.iter().enumerate() {
        let next = gone.get(n + 1).copied().unwrap_or(list.len());
        list.copy_within(at + 1..next, to);
        to += next - at - 1;
    }
    list.truncate(to);
}

/// Puts entries into a list in order, where they belong.
pub(super) fn insert<S: Source>(entries: &[Entry<S::Row>], list: &mut Vec<Slot>, mut come: Vec<Slot>, sort: Sort) {
    let entry = |slot: Slot| &entries[slot as usize];
    come.sort_unstable_by(|a, b| order::<S>(entry(*a), entry(*b), sort));
    let mut end = list.len();
    list.resize(end + come.len(), 0);
    for (n, slot) in come.iter().enumerate().rev() {
        let at = list[..end].partition_point(|held| order::<S>(entry(*held), entry(*slot), sort) == Ordering::Less);
        list.copy_within(at..end, at + n + 1);
        list[at + n] = *slot;
        end = at;
    }
}
