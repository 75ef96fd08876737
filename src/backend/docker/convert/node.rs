//! A Swarm node.

use super::{resources, told, wire};
use crate::model::{Availability, Key, Node, NodeState, Text};
use crate::util::time::Timestamp;

/// The row of a node that got into its state at `since`, where that was seen.
pub fn node(raw: &wire::Node, since: Option<Timestamp>) -> Node {
    let state = match raw.status.state.as_str() {
        "ready" => NodeState::Ready,
        "down" | "disconnected" => NodeState::Down,
        // right after a change of leader every node is unknown until its next heartbeat
        _ => NodeState::Unknown,
    };
    let engine = &raw.description.engine;
    let label = |name: &str| raw.spec.value.labels.get(name).or_else(|| engine.labels.get(name));
    let manager = raw.manager_status.as_ref();
    Node {
        key: Key::new(&raw.id),
        uid: Key::new(&raw.id),
        spec_rev: raw.spec.rev,
        name: Text::new(if raw.description.hostname.is_empty() { &raw.id } else { &raw.description.hostname }),
        labels: raw.spec.value.labels.iter().map(|(key, value)| (Text::new(key), Text::new(value))).collect(),
        taints: Box::default(),
        zone: label("zone").map(|zone| Text::new(zone)),
        role: Text::new(match manager {
            Some(manager) if manager.leader => "leader",
            Some(_) => "manager",
            None => "worker",
        }),
        state,
        since,
        why: told(raw.odd.as_ref(), why(state, &raw.status.message)),
        availability: match raw.spec.value.availability.as_str() {
            "pause" => Availability::Paused,
            "drain" => Availability::Drained,
            _ => Availability::Active,
        },
        pressure: manager
            .filter(|manager| manager.reachability == "unreachable")
            .map(|_| Text::new("manager not reachable by the other managers"))
            .into_iter()
            .collect(),
        allocatable: resources(&raw.description.resources),
        max_tasks: None,
        version: Text::new(&engine.engine_version),
        address: Text::new(address(raw)),
        created: raw.created_at.unwrap_or_default(),
    }
}

fn why(state: NodeState, message: &str) -> Option<Text> {
    // swarmkit's usual messages (`manager/dispatcher`) say what the words say
    let usual = message.starts_with("heartbeat failure") || message.contains("leadership change");
    let news = Some(message).filter(|message| !message.is_empty() && !usual);
    let said = |words: &str| news.map_or_else(|| Text::new(words), |news| Text::from(format!("{words}: {news}")));
    match state {
        NodeState::Ready => None,
        NodeState::Down | NodeState::NotReady => Some(said("its engine sends no heartbeat")),
        NodeState::Unknown => Some(said("the managers have not heard of it since the leader changed")),
    }
}

/// A manager that listens on all addresses reports `0.0.0.0`; its address among managers is a real one.
fn address(raw: &wire::Node) -> &str {
    match &raw.manager_status {
        Some(manager) if raw.status.addr.is_empty() || raw.status.addr == "0.0.0.0" => {
            manager.addr.rsplit_once(':').map_or(manager.addr.as_str(), |(host, _)| host)
        }
        _ => &raw.status.addr,
    }
}
