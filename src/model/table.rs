//! Rows of one kind, shared between the store and any number of published pictures.
//!
//! A table is a power of two of shards, each a small vector, sorted by hash, behind an [`Arc`]. Cloning a table copies one pointer;
//! the first write to a clone copies the pointers of the shards, and each write the shard it touches. So a publish costs
//! what changed, a reader can look up by key, and two pictures are compared by pointer: a table that nobody wrote to at
//! once, others shard by shard ([`Table::changes_since`]).

use super::Key;
use foldhash::quality::FixedState;
use std::hash::BuildHasher;
use std::sync::Arc;

/// A row that knows its identity.
pub trait Keyed {
    /// The row's identity within its table.
    fn key(&self) -> &Key;
}

/// See the module's description.
#[derive(Debug)]
pub struct Table<T> {
    shards: Arc<Vec<Shard<T>>>,
    len: usize,
}

/// Rows in the order of their hashes, which stand beside them: a row is looked for without a look at any other, each of
/// which would have to be waited for from memory.
type Shard<T> = Arc<Vec<(usize, Arc<T>)>>;

/// Average rows a shard holds before the table doubles its shards.
const SHARD: usize = 48;

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        Self { shards: Arc::clone(&self.shards), len: self.len }
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { shards: Arc::new(vec![Arc::new(Vec::new())]), len: 0 }
    }
}

fn hash(key: &str) -> usize {
    // without a seed: the order of rows is the same in every run
    FixedState::default().hash_one(key) as usize
}

/// Where a row is in a shard, or would be.
fn find<T: Keyed>(shard: &[(usize, Arc<T>)], hash: usize, key: &str) -> Result<usize, usize> {
    shard.binary_search_by(|(held, row)| held.cmp(&hash).then_with(|| row.key().as_str().cmp(key)))
}

impl<T: Keyed> Table<T> {
    /// Rows held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The row with this key.
    pub fn get(&self, key: &str) -> Option<&Arc<T>> {
        let hash = hash(key);
        let shard = &self.shards[hash & (self.shards.len() - 1)];
        find(shard, hash, key).ok().map(|at| &shard[at].1)
    }

    /// All rows, in an order that means nothing but is the same for the same rows.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.shards.iter().flat_map(|shard| shard.iter().map(|(_, row)| row))
    }

    /// Puts a row in; returns the one it replaces.
    pub fn insert(&mut self, row: Arc<T>) -> Option<Arc<T>> {
        if self.len >= self.shards.len() * SHARD {
            self.grow();
        }
        let hash = hash(row.key());
        let slot = hash & (self.shards.len() - 1);
        let shard = self.shard_mut(slot);
        match find(shard, hash, row.key()) {
            Ok(at) => Some(std::mem::replace(&mut shard[at].1, row)),
            Err(at) => {
                shard.insert(at, (hash, row));
                self.len += 1;
                None
            }
        }
    }

    /// Changes the row with this key, put in by `make` if there is none. A row that nobody else holds is not copied.
    pub fn update(&mut self, key: &Key, make: impl FnOnce() -> T, change: impl FnOnce(&mut T))
    where
        T: Clone,
    {
        let hash = hash(key);
        let slot = hash & (self.shards.len() - 1);
        if let Ok(at) = find(&self.shards[slot], hash, key) {
            change(Arc::make_mut(&mut self.shard_mut(slot)[at].1));
        } else {
            let mut row = make();
            change(&mut row);
            self.insert(Arc::new(row));
        }
    }

    /// Takes a row out.
    pub fn remove(&mut self, key: &str) -> Option<Arc<T>> {
        let hash = hash(key);
        let slot = hash & (self.shards.len() - 1);
        let at = find(&self.shards[slot], hash, key).ok()?;
        self.len -= 1;
        Some(self.shard_mut(slot).remove(at).1)
    }

    /// Calls `visit` with (row before, row now) for each row that differs between `before` and `self`.
    /// Costs a pointer comparison a shard, and a merge of the shards that differ.
    pub fn changes_since<'a>(&'a self, before: &'a Self, mut visit: impl FnMut(Option<&'a Arc<T>>, Option<&'a Arc<T>>)) {
        if Arc::ptr_eq(&self.shards, &before.shards) {
            return;
        }
        if self.shards.len() != before.shards.len() {
            before.iter().filter(|row| self.get(row.key()).is_none()).for_each(|row| visit(Some(row), None));
            for row in self.iter() {
                let old = before.get(row.key());
                if old.is_none_or(|old| !Arc::ptr_eq(old, row)) {
                    visit(old, Some(row));
                }
            }
            return;
        }
        for (now, old) in self.shards.iter().zip(before.shards.iter()) {
            if !Arc::ptr_eq(now, old) {
                merge(old, now, &mut visit);
            }
        }
    }

    /// Whether both hold the very same rows, by pointer: no row changed in between.
    pub fn same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shards, &other.shards)
            || self.shards.len() == other.shards.len()
                && self.shards.iter().zip(other.shards.iter()).all(|(a, b)| Arc::ptr_eq(a, b))
    }

    fn shard_mut(&mut self, slot: usize) -> &mut Vec<(usize, Arc<T>)> {
        Arc::make_mut(&mut Arc::make_mut(&mut self.shards)[slot])
    }

    fn grow(&mut self) {
        let mut wider: Vec<Vec<(usize, Arc<T>)>> = Vec::new();
        wider.resize_with(self.shards.len() * 2, Vec::new);
        let mask = wider.len() - 1;
        for (hash, row) in self.shards.iter().flat_map(|shard| shard.iter()) {
            wider[hash & mask].push((*hash, Arc::clone(row)));
        }
        // a shard splits in two, so each half is still sorted
        self.shards = Arc::new(wider.into_iter().map(Arc::new).collect());
    }
}

fn merge<'a, T: Keyed>(
    old: &'a [(usize, Arc<T>)],
    now: &'a [(usize, Arc<T>)],
    visit: &mut impl FnMut(Option<&'a Arc<T>>, Option<&'a Arc<T>>),
) {
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < now.len() {
        let order = match (old.get(i), now.get(j)) {
            // most rows of a shard are the very same, which is seen without looking at them
            (Some((_, a)), Some((_, b))) if Arc::ptr_eq(a, b) => std::cmp::Ordering::Equal,
            (Some((a_hash, a)), Some((b_hash, b))) => a_hash.cmp(b_hash).then_with(|| a.key().cmp(b.key())),
            (Some(_), None) => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Greater,
        };
        match order {
            std::cmp::Ordering::Less => {
                visit(Some(&old[i].1), None);
                i += 1;
            }
            std::cmp::Ordering::Greater => {
                visit(None, Some(&now[j].1));
                j += 1;
            }
            std::cmp::Ordering::Equal => {
                if !Arc::ptr_eq(&old[i].1, &now[j].1) {
                    visit(Some(&old[i].1), Some(&now[j].1));
                }
                i += 1;
                j += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq)]
    struct Row(Key, u32);
    impl Keyed for Row {
        fn key(&self) -> &Key {
            &self.0
        }
    }

    proptest! {
        /// A table behaves as a map does, an earlier clone keeps its rows, and the changes between the two, applied to
        /// the earlier one, give the later one.
        #[test]
        fn a_table_is_a_map_and_its_changes_are_exact(
            first in prop::collection::vec((0u32..400, 0u32..9), 0..600),
            then in prop::collection::vec((0u32..400, prop::option::of(0u32..9)), 0..200),
        ) {
            let mut table = Table::default();
            let mut map = BTreeMap::new();
            for (k, v) in first {
                table.insert(Arc::new(Row(Key::from(k.to_string().as_str()), v)));
                map.insert(k.to_string(), v);
            }
            let (before, map_before) = (table.clone(), map.clone());
            for (k, v) in then {
                match v {
                    Some(v) => {
                        table.insert(Arc::new(Row(Key::from(k.to_string().as_str()), v)));
                        map.insert(k.to_string(), v);
                    }
                    None => {
                        table.remove(&k.to_string());
                        map.remove(&k.to_string());
                    }
                }
            }
            let rows = |t: &Table<Row>| t.iter().map(|r| (r.0.to_string(), r.1)).collect::<BTreeMap<_, _>>();
            prop_assert_eq!(rows(&before), map_before.clone());
            prop_assert_eq!(rows(&table), map.clone());
            prop_assert_eq!(table.len(), map.len());
            let mut replayed = map_before;
            table.changes_since(&before, |old, now| {
                if let Some(old) = old {
                    assert_eq!(replayed.remove(old.0.as_str()), Some(old.1));
                }
                if let Some(now) = now {
                    replayed.insert(now.0.to_string(), now.1);
                }
            });
            prop_assert_eq!(replayed, map);
        }
    }
}
