//! Which keys of a kind are held, and which of them a new list no longer has.

use crate::model::Key;
use std::collections::HashSet;

/// The keys of one kind.
#[derive(Debug, Default)]
pub(super) struct Relist {
    held: HashSet<Key>,
    /// Keys of the list that is arriving.
    arriving: Option<HashSet<Key>>,
}

impl Relist {
    /// A list begins.
    pub fn begin(&mut self) {
        self.arriving = Some(HashSet::new());
    }

    /// Whether a list is arriving.
    pub fn arriving(&self) -> bool {
        self.arriving.is_some()
    }

    /// Whether an object is there.
    pub fn holds(&self, key: &Key) -> bool {
        self.held.contains(key)
    }

    /// An object is there.
    pub fn seen(&mut self, key: &Key) {
        if let Some(arriving) = &mut self.arriving {
            arriving.insert(key.clone());
        }
        if !self.held.contains(key) {
            self.held.insert(key.clone());
        }
    }

    /// An object is gone.
    pub fn gone(&mut self, key: &Key) {
        self.held.remove(key);
        if let Some(arriving) = &mut self.arriving {
            arriving.remove(key);
        }
    }

    /// The list is whole: returns the keys that were held and are not in it.
    pub fn end(&mut self) -> HashSet<Key> {
        let Some(arriving) = self.arriving.take() else { return HashSet::new() };
        let vanished = self.held.difference(&arriving).cloned().collect();
        self.held = arriving;
        vanished
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_list_tells_what_vanished_unseen() {
        let mut list = Relist::default();
        let [a, b, c] = ["a", "b", "c"].map(Key::from);
        list.begin();
        list.seen(&a);
        list.seen(&b);
        assert!(list.end().is_empty());
        list.gone(&b);
        list.seen(&c);
        list.begin();
        list.seen(&a);
        assert_eq!(list.end(), HashSet::from([c]));
        assert!(list.end().is_empty());
        // what goes while the list is still arriving
        list.begin();
        list.seen(&a);
        list.seen(&b);
        list.gone(&b);
        assert!(list.end().is_empty() && !list.holds(&b));
    }
}
