//! One copy of every text that many rows share: namespaces, images, node names, revisions.

use crate::model::{Key, Text};
use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;

/// Texts and keys made so far. Forgotten as a whole when there are too many: rows keep what they hold.
#[derive(Debug, Default)]
pub(in super::super) struct Names {
    texts: HashSet<Text>,
    keys: HashSet<Key>,
}

/// Most entries of either sort.
const MOST: usize = 20_000;

impl Names {
    /// The shared text of `raw`.
    pub fn text(&mut self, raw: &str) -> Text {
        shared(&mut self.texts, raw, Text::new)
    }

    /// The shared key of `raw`.
    pub fn key(&mut self, raw: &str) -> Key {
        shared(&mut self.keys, raw, Key::new)
    }
}

fn shared<T: Borrow<str> + Clone + Eq + Hash>(made: &mut HashSet<T>, raw: &str, make: fn(&str) -> T) -> T {
    if let Some(held) = made.get(raw) {
        return held.clone();
    }
    if made.len() >= MOST {
        made.clear();
    }
    let new = make(raw);
    made.insert(new.clone());
    new
}
