//! Placement constraints, as far as they can be checked from outside (swarmkit `manager/constraint`).

use crate::backend::docker::wire::Node;

/// Whether a node satisfies all of them. Those on things that lists do not tell (`node.ip`, plugins) count as satisfied:
/// the scheduler decides.
pub fn satisfied(node: &Node, constraints: &[String]) -> bool {
    constraints.iter().all(|constraint| one(node, constraint).unwrap_or(true))
}

fn one(node: &Node, constraint: &str) -> Option<bool> {
    let (key, wanted, equal) = match constraint.split_once("!=") {
        Some((key, value)) => (key.trim(), value.trim(), false),
        None => {
            let (key, value) = constraint.split_once("==")?;
            (key.trim(), value.trim(), true)
        }
    };
    let labels = |labels: &super::super::wire::Labels, name: &str| labels.get(name).cloned().unwrap_or_default();
    let held = match key.to_ascii_lowercase().as_str() {
        // IDs are compared as they are, all else without regard to case
        "node.id" => return Some((node.id == wanted) == equal),
        "node.hostname" => node.description.hostname.clone(),
        "node.role" => node.spec.value.role.clone(),
        _ => {
            if let Some(name) = key.strip_prefix("node.labels.") {
                labels(&node.spec.value.labels, name)
            } else {
                labels(&node.description.engine.labels, key.strip_prefix("engine.labels.")?)
            }
        }
    };
    Some(held.eq_ignore_ascii_case(wanted) == equal)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn constraints_are_read_as_swarm_reads_them() {
        let node: Node = serde_json::from_str(
            r#"{"ID":"n1","Spec":{"Labels":{"ssd":"true"},"Role":"worker"},
                "Description":{"Hostname":"box","Engine":{"Labels":{"rack":"7"}}}}"#,
        )
        .unwrap();
        for (constraint, want) in [
            ("node.id!=n1", false),
            ("node.id == n1", true),
            ("node.id != N1", true),
            ("node.hostname==BOX", true),
            ("node.role==manager", false),
            ("node.labels.ssd == true", true),
            ("node.labels.gpu == true", false),
            ("node.labels.gpu != true", true),
            ("engine.labels.rack==7", true),
            ("node.platform.os==linux", true),
        ] {
            assert_eq!(satisfied(&node, &[constraint.to_owned()]), want, "{constraint}");
        }
    }
}
