//! How many tasks of a swarm's service other nodes may run, as far as its placement says, and what is short for want of that.

use super::constraint::satisfied;
use crate::analysis::reasons::count;
use crate::backend::docker::wire;

/// Whether the scheduler may put tasks on the node.
pub fn open(node: &wire::Node) -> bool {
    node.status.state == "ready" && node.spec.value.availability == "active"
}

/// How many tasks of the service the other nodes may run when this one takes none; [`u32::MAX`] where nothing limits them.
pub fn room(service: &wire::Service, node: &str, nodes: &[wire::Node]) -> u32 {
    let placement = &service.spec.value.task_template.placement;
    let takes = |other: &&wire::Node| other.id != node && open(other) && satisfied(other, &placement.constraints);
    let fit = nodes.iter().filter(takes).count();
    match (fit, placement.max_replicas) {
        (0, _) => 0,
        (_, 0) => u32::MAX,
        (fit, most) => u32::try_from(most.saturating_mul(fit as u64)).unwrap_or(u32::MAX),
    }
}

/// What stays short, in words: each service by its name, how many run, and how many it wants.
pub fn short(all: &[(String, u32, u32)], node: &str) -> String {
    let words: Vec<String> =
        all.iter().map(|(name, runs, wants)| format!("{name} has {runs} of {}", count(*wants, "task"))).collect();
    match words.len() {
        0 => String::new(),
        _ => format!("{} until {node} is activated: no other node may run more", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn only_nodes_that_take_tasks_and_suit_have_room_and_each_only_as_much_as_the_service_allows() {
        let node = |id: &str, availability: &str| -> wire::Node {
            let spec = json!({ "Role": "worker", "Availability": availability });
            serde_json::from_value(json!({ "ID": id, "Spec": spec, "Status": { "State": "ready" } })).unwrap()
        };
        let nodes = [node("n1", "active"), node("n2", "active"), node("n3", "active"), node("n4", "pause")];
        let of = |constraints: &[&str], most: u64| {
            let placement = json!({ "Constraints": constraints, "MaxReplicas": most });
            let spec = json!({ "Name": "web", "TaskTemplate": { "Placement": placement }, "Mode": { "Replicated": {} } });
            room(&serde_json::from_value(json!({ "ID": "s", "Spec": spec })).unwrap(), "n1", &nodes)
        };
        assert_eq!(of(&[], 0), u32::MAX);
        assert_eq!(of(&["node.id==n1"], 0), 0);
        assert_eq!(of(&["node.id==n4"], 0), 0, "it is paused");
        assert_eq!(of(&[], 2), 4);
        assert_eq!(of(&["node.id!=n2"], 2), 2);
        let all = [("pin".to_owned(), 0, 1), ("one".to_owned(), 2, 3)];
        let words = "pin has 0 of 1 task, one has 2 of 3 tasks until node1 is activated: no other node may run more";
        assert_eq!((short(&all, "node1").as_str(), short(&[], "node1").as_str()), (words, ""));
    }
}
