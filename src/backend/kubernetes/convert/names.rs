//! One copy of every text that many rows share: namespaces, images, node names, revisions.

use crate::model::{Key, Text};
use std::collections::HashMap;

/// Texts and keys made so far. Forgotten as a whole when there are too many: rows keep what they hold.
#[derive(Debug, Default)]
pub(in super::super) struct Names {
    texts: HashMap<Box<str>, Text>,
    keys: HashMap<Box<str>, Key>,
}

/// Most entries of either sort.
const MOST: usize = 20_000;

impl Names {
    /// The shared text of `raw`.
    pub fn text(&mut self, raw: &str) -> Text {
        if let Some(text) = self.texts.get(raw) {
            return text.clone();
        }
        if self.texts.len() >= MOST {
            self.texts.clear();
        }
        let text = Text::new(raw);
        self.texts.insert(raw.into(), text.clone());
        text
    }

    /// The shared key of `raw`.
    pub fn key(&mut self, raw: &str) -> Key {
        if let Some(key) = self.keys.get(raw) {
            return key.clone();
        }
        if self.keys.len() >= MOST {
            self.keys.clear();
        }
        let key = Key::new(raw);
        self.keys.insert(raw.into(), key.clone());
        key
    }
}
