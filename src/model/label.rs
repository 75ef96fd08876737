//! What stands on a node for schedulers to read: labels and taints, and changes to them.

use super::{Node, Text};

/// A label to set, or to take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelEdit {
    /// Its key.
    pub key: Text,
    /// The value it shall have; none takes it away.
    pub value: Option<Text>,
}

impl LabelEdit {
    /// As it is written: `zone=a`, `zone-`.
    pub fn words(&self) -> String {
        match &self.value {
            Some(value) => format!("{}={value}", self.key),
            None => format!("{}-", self.key),
        }
    }

    /// Whether the node is so already.
    pub fn holds(&self, node: &Node) -> bool {
        node.label(&self.key) == self.value.as_ref()
    }

    /// What brings back what the node has now; nothing where nothing changes.
    pub fn undo(&self, node: &Node) -> Option<Self> {
        (!self.holds(node)).then(|| Self { key: self.key.clone(), value: node.label(&self.key).cloned() })
    }
}

/// What a taint does to tasks that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// No new ones are placed.
    NoSchedule,
    /// New ones are placed elsewhere where they can be.
    PreferNoSchedule,
    /// No new ones are placed, and those that run are deleted.
    NoExecute,
}

impl Effect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::NoSchedule, Self::PreferNoSchedule, Self::NoExecute];

    /// The word in Kubernetes.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }

    /// The effect of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.word() == word)
    }
}

/// What keeps tasks away from a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    /// Its key.
    pub key: Text,
    /// Its value; empty where it has none.
    pub value: Text,
    /// What it does.
    pub effect: Effect,
}

impl Taint {
    /// As `kubectl` writes it: `dedicated=gpu:NoSchedule`.
    pub fn words(&self) -> String {
        let value = if self.value.is_empty() { String::new() } else { format!("={}", self.value) };
        format!("{}{value}:{}", self.key, self.effect.word())
    }
}

/// A taint to put on, or taints to take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaintEdit {
    /// Put on, in place of one of the same key and effect.
    Set(Taint),
    /// Taken away.
    Remove {
        /// Of this key.
        key: Text,
        /// Of this effect; none means all.
        effect: Option<Effect>,
    },
}

impl TaintEdit {
    /// The key it is about.
    pub fn key(&self) -> &Text {
        match self {
            Self::Set(taint) => &taint.key,
            Self::Remove { key, .. } => key,
        }
    }

    /// As `kubectl` writes it: `dedicated=gpu:NoSchedule`, `dedicated:NoSchedule-`, `dedicated-`.
    pub fn words(&self) -> String {
        match self {
            Self::Set(taint) => taint.words(),
            Self::Remove { key, effect: None } => format!("{key}-"),
            Self::Remove { key, effect: Some(effect) } => format!("{key}:{}-", effect.word()),
        }
    }

    /// Whether it replaces or takes away a taint of this key and effect.
    pub fn covers(&self, key: &str, effect: &str) -> bool {
        let of = match self {
            Self::Set(taint) => Some(taint.effect),
            Self::Remove { effect, .. } => *effect,
        };
        self.key().as_str() == key && of.is_none_or(|of| of.word() == effect)
    }

    /// The taints of a node that it replaces or takes away.
    pub fn covered<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Taint> {
        node.taints.iter().filter(|taint| self.covers(&taint.key, taint.effect.word()))
    }

    /// Whether the node is so already.
    pub fn holds(&self, node: &Node) -> bool {
        match self {
            Self::Set(taint) => node.taints.contains(taint),
            Self::Remove { .. } => self.covered(node).next().is_none(),
        }
    }

    /// What brings back what the node has now; nothing where nothing changes.
    pub fn undo(&self, node: &Node) -> Vec<Self> {
        if self.holds(node) {
            return Vec::new();
        }
        let mut back: Vec<Self> = self.covered(node).cloned().map(Self::Set).collect();
        if let (Self::Set(taint), true) = (self, back.is_empty()) {
            back.push(Self::Remove { key: taint.key.clone(), effect: Some(taint.effect) });
        }
        back
    }
}
