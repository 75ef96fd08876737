//! Nodes.

use super::super::raw::{RawNode, condition};
use super::{Names, bytes, millicores};
use crate::model::{Availability, Effect, Key, Node, NodeState, Resources, Taint, Text};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Conditions that are bad when true, and the words for them. The first four are the kubelet's own, the others those of
/// the node problem detector.
const PRESSURES: [(&str, &str); 10] = [
    ("MemoryPressure", "memory pressure"),
    ("DiskPressure", "disk pressure"),
    ("PIDPressure", "too many processes"),
    ("NetworkUnavailable", "network unavailable"),
    ("KernelDeadlock", "kernel deadlock"),
    ("ReadonlyFilesystem", "read-only filesystem"),
    ("CorruptDockerOverlay2", "corrupt overlay filesystem"),
    ("FrequentKubeletRestart", "kubelet restarts often"),
    ("FrequentContainerdRestart", "containerd restarts often"),
    ("FrequentUnregisterNetDevice", "network devices vanish often"),
];

/// The row of a node.
pub(in super::super) fn node(raw: &RawNode, names: &mut Names) -> Node {
    let meta = &raw.metadata;
    let ready = condition(&raw.status.conditions, "Ready");
    let state = match ready.map(|c| c.status.as_str()) {
        Some("True") => NodeState::Ready,
        Some("False") => NodeState::NotReady,
        Some("Unknown") => NodeState::Down,
        _ => NodeState::Unknown,
    };
    let why = match (state, ready) {
        (NodeState::Down, _) => Some(Text::new("its kubelet stopped reporting")),
        (NodeState::NotReady, Some(c)) => {
            Some(Text::new(c.message.strip_prefix("container runtime network not ready: ").unwrap_or(&c.message)))
        }
        (NodeState::Unknown, _) => Some(Text::new("its kubelet has not reported yet")),
        _ => None,
    };
    let roles: Vec<&str> =
        meta.labels.keys().filter_map(|k| k.strip_prefix("node-role.kubernetes.io/")).filter(|r| !r.is_empty()).collect();
    let pressure = PRESSURES
        .iter()
        .filter(|(kind, _)| condition(&raw.status.conditions, kind).is_some_and(|c| c.status == "True"))
        .map(|(_, words)| names.text(words))
        .collect();
    let allocatable = &raw.status.allocatable;
    let quantity = |name: &str| allocatable.get(name).map_or("", String::as_str);
    let zone = meta.labels.get("topology.kubernetes.io/zone").or_else(|| meta.labels.get("failure-domain.beta.kubernetes.io/zone"));
    Node {
        key: names.key(&meta.name),
        uid: Key::new(&meta.uid),
        spec_rev: scheduling_rev(raw),
        name: Text::new(&meta.name),
        labels: meta.labels.iter().map(|(key, value)| (names.text(key), names.text(value))).collect(),
        taints: taints(raw, names),
        zone: zone.map(|zone| names.text(zone)),
        role: if roles.is_empty() { names.text("worker") } else { names.text(&roles.join(",")) },
        state,
        since: ready.and_then(|c| c.last_transition_time.0),
        why: meta.told(why),
        availability: if raw.spec.unschedulable { Availability::Paused } else { Availability::Active },
        pressure,
        allocatable: Resources { cpu_m: millicores(quantity("cpu")), mem: bytes(quantity("memory")) },
        max_tasks: quantity("pods").parse().ok(),
        version: names.text(&raw.status.node_info.kubelet_version),
        address: Text::new(
            raw.status
                .addresses
                .iter()
                .find(|a| a.kind == "InternalIP")
                .or(raw.status.addresses.first())
                .map_or("", |a| a.address.as_str()),
        ),
        created: meta.creation_timestamp.0.unwrap_or_default(),
    }
}

/// Its taints, but for those whose effect we do not know.
fn taints(raw: &RawNode, names: &mut Names) -> Box<[Taint]> {
    let known = raw.spec.taints.iter().filter_map(|taint| Some((taint, Effect::named(&taint.effect)?)));
    known.map(|(taint, effect)| Taint { key: names.text(&taint.key), value: names.text(&taint.value), effect }).collect()
}

/// A number that changes exactly when someone changes how the node is scheduled: its labels are read for that too. Taints that controllers put on by
/// themselves (`node.kubernetes.io/unreachable` and its like) follow the node's health and are left out.
pub(in super::super) fn scheduling_rev(raw: &RawNode) -> u64 {
    // DefaultHasher::new has fixed keys
    let mut hasher = DefaultHasher::new();
    raw.spec.unschedulable.hash(&mut hasher);
    raw.metadata.labels.hash(&mut hasher);
    let mut taints: Vec<_> = raw.spec.taints.iter().filter(|t| !t.key.starts_with("node.kubernetes.io/")).collect();
    taints.sort_unstable_by(|a, b| (&a.key, &a.effect).cmp(&(&b.key, &b.effect)));
    for taint in taints {
        (&taint.key, &taint.value, &taint.effect).hash(&mut hasher);
    }
    hasher.finish()
}

impl RawNode {
    /// Its kubelet is silent: what its pods report is old.
    pub fn is_down(&self) -> bool {
        condition(&self.status.conditions, "Ready").is_some_and(|c| c.status == "Unknown")
    }
}
