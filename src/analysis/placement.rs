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

/// Whether a swarm may place the service on a node, as far as is known: by its labels, its name, its ID and its role.
pub(super) fn takes(service: &Service, node: &Node) -> bool {
    let role = if node.is_manager() { "manager" } else { "worker" };
    let one = |rule: &str| {
        let (key, value, equal) = match (rule.split_once("!="), rule.split_once("==")) {
            (Some((key, value)), _) => (key.trim(), value.trim(), false),
            (_, Some((key, value))) => (key.trim(), value.trim(), true),
            _ => return true,
        };
        // IDs are compared as they are, all else without regard to case
        match key {
            "node.id" => (node.key.as_str() == value) == equal,
            "node.hostname" => node.name.eq_ignore_ascii_case(value) == equal,
            "node.role" => role.eq_ignore_ascii_case(value) == equal,
            _ => true,
        }
    };
    fits(service, node) && service.placement.iter().all(|placement| placement.split('·').all(one))
}

/// How many tasks of the service a node may have, where its placement limits that: `at most 2 a node`.
pub(super) fn most_a_node(service: &Service) -> Option<u32> {
    let words = service.placement.as_ref()?.split('·').find_map(|part| part.trim().strip_prefix("at most "))?;
    words.strip_suffix(" a node")?.parse().ok()
}
