//! The rows that the truth comes to, as texts, and what they were before. What a row has from objects of several kinds are
//! several texts: each may be older than the others.

use quarterdeck::model::Kind;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

pub type Table = BTreeMap<String, String>;

/// How long it is remembered what a row was.
const KEPT: Duration = Duration::from_secs(240);

/// Until when a text was so; none where there was none.
type Was = (Instant, Option<String>);

#[derive(Default)]
pub struct Rows {
    now: [Table; 4],
    /// What each was before.
    past: HashMap<(Kind, String), Vec<Was>>,
}

impl Rows {
    /// What there is of a kind now.
    pub fn renew(&mut self, kind: Kind, new: Table) {
        let now = Instant::now();
        let gone: Vec<String> = self.of(kind).keys().filter(|key| !new.contains_key(*key)).cloned().collect();
        gone.into_iter().for_each(|key| self.set(kind, key, None, now));
        new.into_iter().for_each(|(key, row)| self.set(kind, key, Some(row), now));
    }

    /// A row is as it is now, or gone.
    pub fn set(&mut self, kind: Kind, key: String, row: Option<String>, now: Instant) {
        let table = &mut self.now[kind.index()];
        if table.get(&key) == row.as_ref() {
            return;
        }
        let was = match row {
            Some(row) => table.insert(key.clone(), row),
            None => table.remove(&key),
        };
        let past = self.past.entry((kind, key)).or_default();
        past.retain(|(until, _)| now - *until < KEPT);
        past.push((now, was));
    }

    pub fn of(&self, kind: Kind) -> &Table {
        &self.now[kind.index()]
    }

    /// Since when a row is no longer as it is shown; none if it was never so.
    fn until(&self, kind: Kind, key: &str, shown: Option<&String>) -> Option<Instant> {
        let past = self.past.get(&(kind, key.to_owned()))?;
        past.iter().rev().find(|(_, was)| was.as_ref() == shown).map(|(until, _)| *until)
    }

    /// The rows that are not as they are shown, in words, and since when each is not; none if it never was.
    pub fn wrong(&self, kind: Kind, shown: &Table) -> Vec<(String, Option<Instant>)> {
        let now = self.of(kind);
        if now == shown {
            return Vec::new();
        }
        let keys: std::collections::BTreeSet<&String> = now.keys().chain(shown.keys()).collect();
        let differs = keys.into_iter().filter(|key| now.get(*key) != shown.get(*key));
        let words = |key: &String| {
            let (shown, is) = (shown.get(key), now.get(key));
            (format!("{} {key}: shown {shown:?}, is {is:?}", kind.word()), self.until(kind, key, shown))
        };
        differs.map(words).collect()
    }
}
