//! Sends a table as differences: a list that says the same as before sends nothing.

use crate::model::{Change, Key, Keyed, Text};
use std::collections::HashMap;

/// What was sent of one kind.
#[derive(Debug)]
pub struct Sent<T> {
    rows: Option<HashMap<Key, T>>,
    problem: Option<Text>,
}

impl<T> Default for Sent<T> {
    fn default() -> Self {
        Self { rows: None, problem: None }
    }
}

impl<T: Keyed + Clone + PartialEq> Sent<T> {
    /// The changes from what was sent to what is so now: `rows`, or a list that cannot be read. After a failure, as at
    /// first, a whole list is sent.
    pub fn differences(&mut self, now: Result<Vec<T>, Text>) -> Vec<Change<T>> {
        match now {
            Ok(rows) => self.rows_now(rows),
            Err(why) if self.problem.as_ref() == Some(&why) => Vec::new(),
            Err(why) => {
                self.rows = None;
                self.problem = Some(why.clone());
                vec![Change::Failed(why)]
            }
        }
    }

    /// Whether nothing was sent yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_none() && self.problem.is_none()
    }

    fn rows_now(&mut self, rows: Vec<T>) -> Vec<Change<T>> {
        self.problem = None;
        let first = self.rows.is_none();
        let held = self.rows.get_or_insert_default();
        let mut changes = Vec::new();
        let mut gone: HashMap<Key, T> = std::mem::take(held);
        for row in rows {
            if gone.remove(row.key()).is_none_or(|old| old != row) {
                changes.push(Change::Upsert(row.clone()));
            }
            held.insert(row.key().clone(), row);
        }
        changes.extend(gone.into_keys().map(Change::Remove));
        if first {
            changes.insert(0, Change::Begin);
            changes.push(Change::End);
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Row(Key, u8);
    impl Keyed for Row {
        fn key(&self) -> &Key {
            &self.0
        }
    }

    fn row(key: &str, value: u8) -> Row {
        Row(Key::new(key), value)
    }

    #[test]
    fn after_the_first_list_only_differences_are_sent() {
        let mut sent = Sent::default();
        assert_eq!(sent.differences(Ok(vec![row("a", 1), row("b", 1)])).len(), 4, "begin, two rows, end");
        assert!(sent.differences(Ok(vec![row("b", 1), row("a", 1)])).is_empty(), "another order is no change");
        let changes = sent.differences(Ok(vec![row("a", 2), row("c", 1)]));
        assert!(matches!(&changes[..], [Change::Upsert(a), Change::Upsert(c), Change::Remove(b)]
            if *a == row("a", 2) && *c == row("c", 1) && b.as_str() == "b"));
    }

    #[test]
    fn a_failure_is_said_once_and_then_the_whole_list_is_sent() {
        let mut sent = Sent::default();
        let _ = sent.differences(Ok(vec![row("a", 1)]));
        assert!(matches!(sent.differences(Err("forbidden".into()))[..], [Change::Failed(_)]));
        assert!(sent.differences(Err("forbidden".into())).is_empty());
        assert!(matches!(sent.differences(Ok(vec![row("a", 1)]))[..], [Change::Begin, Change::Upsert(_), Change::End]));
    }
}
