//! Which rows of all clusters are shown and in what order, kept up to date by what changed and not by starting over.
//!
//! The rows lie as [`entry::Entry`]s, roughly in the order of their addresses, so that going through all of them goes
//! through memory from one end to the other. Their order is a list of positions, and what the filter lets through of it
//! another: small lists, in which rows are found by bisection and moved by copying a few bytes each. A changed row is found
//! by its address, as most changes leave it where it is. What the filter looks at lies apart, in [`words`].

mod beside;
mod entry;
mod seen;
mod sorting;
mod words;

pub use beside::{Beside, Reads};

use super::filter::Query;
use crate::model::{ClusterId, ClusterState, Key, Keyed, Table, Text};
use crate::ui::cx::{Cx, Place};
use entry::{Entry, Slot, find, insert, remove};
use foldhash::fast::FixedState;
use seen::{Changed, Seen};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;
use words::Words;

/// A row of the whole fleet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowId {
    /// Its cluster.
    pub cluster: ClusterId,
    /// Its key there; empty for the row of the cluster itself.
    pub key: Key,
}

/// What rows are ordered by first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// A number, a time, a rank.
    Number(i64),
    /// A text.
    Text(Text),
}

impl By {
    /// Unknown; first upwards.
    pub const NOTHING: Self = Self::Number(i64::MIN);
}

/// The order asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Position of the column.
    pub column: usize,
    /// Greatest first.
    pub down: bool,
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
    type Row: Keyed + 'static;

    /// The rows of a cluster.
    fn rows(state: &Arc<ClusterState>) -> Rows<'_, Self::Row>;
    /// Whether the row is shown at this place.
    fn admits(state: &ClusterState, row: &Self::Row, place: &Place) -> bool;
    /// The words that the filter looks at; those that cost a look into other tables last.
    fn words<'a>(beside: &'a Beside<'a>, row: &'a Self::Row) -> impl Iterator<Item = &'a str> + Clone;
    /// What the column `column` orders by.
    fn by(beside: &Beside<'_>, row: &Self::Row, column: usize) -> By;
    /// Namespace and name: what decides between equals.
    fn name(row: &Self::Row) -> (&str, &str);
    /// What the others read besides the row: [`Source::by`] for this column, [`Source::admits`] at this place, and
    /// [`Source::words`].
    fn reads(_column: usize, _place: &Place) -> Reads {
        Reads::default()
    }
}

/// The row with this key, and its cluster.
pub fn row<'a, S: Source>(cx: &Cx<'a>, id: &RowId) -> Option<(&'a Arc<ClusterState>, &'a S::Row)> {
    let state = cx.world.cluster(&id.cluster)?;
    match S::rows(state) {
        Rows::Table(table) => Some((state, &**table.get(&id.key)?)),
        Rows::Cluster(row) => Some((state, &**row)),
    }
}

/// So many changed rows are worked in one by one whatever there are. The lists of the tests are short, and go every way too.
const FEW: usize = if cfg!(test) { 8 } else { 512 };
/// More than one in so many, and the index is made anew.
const CHANGED: usize = 2;
/// The same for rows that come, go, or move to another place, each of which is looked for in the order.
const MOVED: usize = 16;

/// See the module's description.
pub struct RowIndex<S: Source> {
    entries: Vec<Entry<S::Row>>,
    /// Entries without a row.
    free: Vec<Slot>,
    /// Where the rows of tables are, by their addresses.
    slots: HashMap<usize, Slot, FixedState>,
    /// What the filter looks at.
    words: Words,
    /// All rows of the place, in order.
    order: Vec<Slot>,
    /// Those of them that the filter lets through, while there is one.
    matching: Vec<Slot>,
    seen: Option<Seen<S>>,
}

impl<S: Source> Default for RowIndex<S> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            slots: HashMap::default(),
            words: Words::default(),
            order: Vec::new(),
            matching: Vec::new(),
            seen: None,
        }
    }
}

impl<S: Source> RowIndex<S> {
    /// Rows shown.
    pub fn len(&self) -> usize {
        self.list().len()
    }

    /// Whether no row is shown.
    pub fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    /// Rows there are at this place, without the filter.
    pub fn admitted(&self) -> usize {
        self.order.len()
    }

    /// The row at a position.
    pub fn id(&self, at: usize) -> Option<RowId> {
        let (cluster, key) = self.names(at)?;
        Some(RowId { cluster: cluster.clone(), key: key.map_or_else(|| Key::new(""), Key::clone) })
    }

    /// The row at a position, and its cluster. For the picture that was synced last.
    pub fn row<'a>(&'a self, cx: &Cx<'a>, at: usize) -> Option<(&'a Arc<ClusterState>, &'a S::Row)> {
        let entry = self.entries.get(*self.list().get(at)? as usize)?;
        let state = cx.world.clusters.get(entry.cluster as usize)?;
        Some((state, entry.row_in::<S>(state)?))
    }

    /// Where a row stands; `near` is looked at first.
    pub fn position(&self, cx: &Cx<'_>, id: &RowId, near: usize) -> Option<usize> {
        if self.names(near).is_some_and(|(cluster, key)| *cluster == id.cluster && key.map_or("", Key::as_str) == &*id.key) {
            return Some(near);
        }
        let sort = self.seen.as_ref()?.sort;
        let number = cx.world.clusters.iter().position(|state| state.cluster.id == id.cluster)?;
        let state = &cx.world.clusters[number];
        let entry = match S::rows(state) {
            Rows::Table(table) => Entry::of::<S>(number, &Beside::of(state), table.get(&id.key)?, sort),
            Rows::Cluster(row) => Entry::itself::<S>(number, &Beside::of(state), row, sort),
        };
        find::<S>(&self.entries, self.list(), &entry, sort)
    }

    /// Cluster and key of the row at a position.
    fn names(&self, at: usize) -> Option<(&ClusterId, Option<&Key>)> {
        let entry = self.entries.get(*self.list().get(at)? as usize)?;
        Some((self.seen.as_ref()?.id(entry.cluster)?, entry.row.as_ref().map(|row| row.key())))
    }

    fn list(&self) -> &[Slot] {
        if self.seen.as_ref().is_some_and(Seen::filtered) { &self.matching } else { &self.order }
    }

    /// Forgets all rows: a list that nobody looks at must not keep what is gone from being given back.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Brings the index up to date. True if a row in it, or what a row reads, may have changed.
    pub fn sync(&mut self, cx: &Cx<'_>, query: &Query, sort: Sort) -> bool {
        let seen = self.seen.take().filter(|seen| seen.holds(cx));
        let mut changed = !seen.as_ref().is_some_and(|seen| seen.saw(cx));
        let mut resorted = seen.as_ref().is_none_or(|seen| seen.sort != sort);
        let refiltered = seen.as_ref().is_none_or(|seen| seen.query != *query);
        if !changed && !resorted && !refiltered {
            self.seen = seen;
            return false;
        }
        let kept = match &seen {
            Some(seen) if changed => match seen.changes(cx, self.bound(CHANGED), self.bound(MOVED)) {
                Some(changes) => {
                    changed = seen.differs(cx);
                    resorted |= changes.measured;
                    self.apply(cx, seen, &changes.rows)
                }
                None => false,
            },
            seen => seen.is_some(),
        };
        if !kept {
            self.rebuild(cx, sort);
        } else if resorted {
            self.resort(cx, sort);
        }
        if !kept || resorted || refiltered {
            self.refilter(query);
        }
        let query = seen.map(|seen| seen.query).filter(|held| held == query).unwrap_or_else(|| query.clone());
        self.seen = Some(Seen::of(cx, query, sort));
        changed || !kept || resorted || refiltered
    }

    fn rebuild(&mut self, cx: &Cx<'_>, sort: Sort) {
        self.entries.clear();
        self.free.clear();
        self.slots.clear();
        self.words.clear();
        for (number, (state, beside)) in cx.world.clusters.iter().zip(&besides::<S>(cx, sort)).enumerate() {
            if !cx.place.narrow.admits_cluster(&state.cluster.id) {
                continue;
            }
            match S::rows(state) {
                Rows::Table(table) => {
                    let mut rows: Vec<&Arc<S::Row>> = table.iter().filter(|row| S::admits(state, row, cx.place)).collect();
                    rows.sort_unstable_by_key(|row| Arc::as_ptr(row));
                    for row in rows {
                        self.slots.insert(address(row), self.entries.len() as Slot);
                        self.words.set(self.entries.len() as Slot, S::words(beside, row));
                        self.entries.push(Entry::of::<S>(number, beside, row, sort));
                    }
                }
                Rows::Cluster(row) if S::admits(state, row, cx.place) => {
                    self.words.set(self.entries.len() as Slot, S::words(beside, row));
                    self.entries.push(Entry::itself::<S>(number, beside, row, sort));
                }
                Rows::Cluster(_) => {}
            }
        }
        self.order = sorting::sorted::<S>(&self.entries, (0..self.entries.len() as Slot).collect(), sort);
    }

    fn resort(&mut self, cx: &Cx<'_>, sort: Sort) {
        let besides = besides::<S>(cx, sort);
        for entry in &mut self.entries {
            let number = entry.cluster as usize;
            if let Some((state, beside)) = cx.world.clusters.get(number).zip(besides.get(number))
                && let Some(row) = entry.row_in::<S>(state)
            {
                entry.by = S::by(beside, row, sort.column);
            }
        }
        self.order = sorting::sorted::<S>(&self.entries, std::mem::take(&mut self.order), sort);
    }

    /// Lets through what the filter lets through.
    fn refilter(&mut self, query: &Query) {
        if query.is_empty() {
            self.matching = Vec::new();
            return;
        }
        let through = self.words.matching(query);
        self.matching.clear();
        self.matching.extend(self.order.iter().copied().filter(|slot| through[*slot as usize]));
    }

    /// One row in so many, or few.
    fn bound(&self, part: usize) -> usize {
        FEW.max(self.order.len() / part)
    }

    /// Applies what changed. False if the index does not hold what it should, and must be made anew.
    fn apply(&mut self, cx: &Cx<'_>, seen: &Seen<S>, changes: &[Changed<'_, S::Row>]) -> bool {
        let sort = seen.sort;
        let (mut gone, mut hidden) = (Vec::new(), Vec::new());
        let (mut come, mut shown) = (Vec::new(), Vec::new());
        let mut fresh = Vec::new();
        for change in changes {
            let Some(now) = cx.world.clusters.get(change.cluster) else { return false };
            let beside = Beside::of(now);
            let new = change.new.filter(|row| S::admits(now, row, cx.place));
            let new = new.map(|row| (Entry::of::<S>(change.cluster, &beside, row, sort), row));
            // one that was not admitted has no slot
            let Some(slot) = change.old.and_then(|row| self.slots.remove(&address(row))) else {
                fresh.extend(new.map(|(entry, row)| (entry, row, beside)));
                continue;
            };
            let matched = seen.filtered() && self.words.matches(slot, &seen.query);
            let mut matches = false;
            match new {
                // most changes of a row leave it where it is
                Some((new, row)) if entry::order::<S>(&self.entries[slot as usize], &new, sort) == Ordering::Equal => {
                    self.entries[slot as usize] = new;
                    self.slots.insert(address(row), slot);
                    let others = self.words.set(slot, S::words(&beside, row));
                    matches = if others { seen.filtered() && self.words.matches(slot, &seen.query) } else { matched };
                    shown.extend((matches && !matched).then_some(slot));
                }
                new => {
                    let Some(at) = self.place(&self.order, slot, sort) else { return false };
                    gone.push(at);
                    self.free.push(slot);
                    fresh.extend(new.map(|(entry, row)| (entry, row, beside)));
                }
            }
            if matched && !matches {
                let Some(at) = self.place(&self.matching, slot, sort) else { return false };
                hidden.push(at);
            }
        }
        if gone.len() + fresh.len() > self.bound(MOVED) {
            return false;
        }
        let dead = self.free.len().saturating_sub(gone.len());
        remove(&mut self.order, gone);
        remove(&mut self.matching, hidden);
        for slot in &self.free[dead..] {
            self.entries[*slot as usize] = Entry::nothing();
            self.words.remove(*slot);
        }
        for (entry, row, beside) in fresh {
            let slot = match self.free.pop() {
                Some(slot) => {
                    self.entries[slot as usize] = entry;
                    slot
                }
                None => {
                    self.entries.push(entry);
                    (self.entries.len() - 1) as Slot
                }
            };
            self.slots.insert(address(row), slot);
            self.words.set(slot, S::words(&beside, row));
            come.push(slot);
            shown.extend((seen.filtered() && self.words.matches(slot, &seen.query)).then_some(slot));
        }
        insert::<S>(&self.entries, &mut self.order, come, sort);
        insert::<S>(&self.entries, &mut self.matching, shown, sort);
        true
    }

    /// Where in a list the row of a slot stands.
    fn place(&self, list: &[Slot], slot: Slot, sort: Sort) -> Option<usize> {
        find::<S>(&self.entries, list, &self.entries[slot as usize], sort)
    }
}

/// What a row of a table is known by as long as it is held.
fn address<R>(row: &Arc<R>) -> usize {
    Arc::as_ptr(row).addr()
}

/// Each cluster as its rows are judged in it, in the order of the clusters.
fn besides<'a, S: Source>(cx: &Cx<'a>, sort: Sort) -> Vec<Beside<'a>> {
    let reads = S::reads(sort.column, cx.place);
    cx.world.clusters.iter().map(|state| Beside::of_all(state, reads)).collect()
}
