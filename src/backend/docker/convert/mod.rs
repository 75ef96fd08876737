//! From the engine's objects to rows. Pure: the same input gives the same rows.

pub mod engine;
pub mod event;
pub mod leftover;
mod node;
#[cfg(test)]
mod odd_tests;
mod service;
mod task;
#[cfg(test)]
mod tests;
pub mod words;

use super::wire;
use crate::model::{Node, Resources, Service, Task, Text};
use crate::util::time::Timestamp;
use std::collections::HashMap;

/// The rows of one cluster.
#[derive(Debug, Default)]
pub struct Rows {
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Services.
    pub services: Vec<Service>,
    /// Tasks.
    pub tasks: Vec<Task>,
}

/// All rows of a swarm from its three lists. They are made together because a task is only as alive as its node, and a
/// service is counted from its tasks. `node_since` holds when nodes got into their state, as far as that was seen.
pub fn swarm(
    nodes: &[wire::Node],
    services: &[wire::Service],
    tasks: &[wire::Task],
    node_since: &HashMap<String, Timestamp>,
) -> Rows {
    let nodes: Vec<Node> = nodes.iter().map(|raw| node::node(raw, node_since.get(&raw.id).copied())).collect();
    let by_id: HashMap<&str, &Node> = nodes.iter().map(|node| (node.key.as_str(), node)).collect();
    let owners: HashMap<&str, &wire::Service> = services.iter().map(|service| (service.id.as_str(), service)).collect();
    let converted = task::tasks(tasks, &owners, &by_id);
    let mut of_service: HashMap<&str, Vec<&task::Converted>> = HashMap::new();
    for one in &converted {
        of_service.entry(one.raw.service_id.as_str()).or_default().push(one);
    }
    let services =
        services.iter().map(|raw| service::service(raw, of_service.get(raw.id.as_str()).map_or(&[], Vec::as_slice))).collect();
    let tasks = task::with_short_history(converted);
    Rows { nodes, services, tasks }
}

/// Words of a row, behind what of its object could not be read.
fn told(odd: Option<&String>, words: Option<Text>) -> Option<Text> {
    match (odd, words) {
        (Some(odd), Some(words)) => Some(Text::from(format!("{odd}; {words}"))),
        (Some(odd), None) => Some(Text::new(odd)),
        (None, words) => words,
    }
}

/// Cpu and memory of the platform as ours.
fn resources(amounts: &wire::Amounts) -> Resources {
    Resources { cpu_m: amounts.nano_cpus / 1_000_000, mem: amounts.memory_bytes }
}

/// The stack of a service or container made by `docker stack deploy`.
const STACK: &str = "com.docker.stack.namespace";
