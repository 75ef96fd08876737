//! Where the tasks of a service may run, as far as its row tells: by conditions on labels of nodes.

use crate::model::{Node, Service, Text};

/// A condition on one label: `node.labels.ssd == true` of a swarm, `ssd=true` of Kubernetes.
pub(super) struct Rule<'a> {
    /// The label.
    pub(super) key: &'a str,
    value: &'a str,
    equal: bool,
}

impl<'a> Rule<'a> {
    /// The conditions of a service's placement that are on labels.
    pub(super) fn all(placement: &'a str) -> impl Iterator<Item = Self> {
        placement.split([',', '·']).filter_map(Self::read)
    }

    fn read(words: &'a str) -> Option<Self> {
        let (left, value, equal) = match (words.split_once("!="), words.split_once("==")) {
            (Some((left, value)), _) => (left, value, false),
            (_, Some((left, value))) => (left, value, true),
            _ => words.split_once('=').map(|(left, value)| (left, value, true))?,
        };
        let key = left.trim();
        // rules of a swarm on other things than labels of the manager's are taken to hold
        let others = ["node.id", "node.hostname", "node.role", "node.ip"];
        if others.contains(&key) || key.starts_with("node.platform.") || key.starts_with("engine.labels.") {
            return None;
        }
        Some(Self { key: key.strip_prefix("node.labels.").unwrap_or(key), value: value.trim(), equal })
    }

    /// Whether a label of this value meets it.
    pub(super) fn holds(&self, value: Option<&Text>) -> bool {
        value.is_some_and(|value| value.as_str() == self.value) == self.equal
    }
}

/// Whether a node meets what is known of the service's placement.
pub(super) fn fits(service: &Service, node: &Node) -> bool {
    service.placement.iter().all(|placement| Rule::all(placement).all(|rule| rule.holds(node.label(rule.key))))
}
