//! What a graceful drain of a swarm's node does to its services: those that other nodes may run never have fewer; the rest
//! ends, and comes back when the node does.

use super::{Draft, service, subject};
use crate::analysis::placement;
use crate::analysis::spread;
use crate::model::{ClusterState, Node, Service, ServiceKind};

/// Says it of these services, each with how many of its tasks are on the node.
pub(super) fn away<'a>(state: &ClusterState, node: &Node, all: impl Iterator<Item = &'a (&'a Service, u32)>, draft: &mut Draft) {
    let others: Vec<&Node> = state
        .nodes
        .iter()
        .map(|other| &**other)
        .filter(|other| other.key != node.key && spread::open(other.state, other.availability))
        .collect();
    let (mut whole, mut short, mut left) = (0, false, Vec::new());
    for (service, here) in all {
        service::waited_for(service).into_iter().for_each(|words| draft.fact(words));
        match left_behind(service, *here, node, &others) {
            Some(words) => left.push(words),
            None => {
                whole += 1;
                short |= service.is_short();
            }
        }
    }
    let (whose, who) = if left.is_empty() { ("", "no service") } else { (" of the other services", "none of those") };
    let fewer = if short { "meanwhile than it has now" } else { "than it wants meanwhile" };
    if whole > 0 {
        draft.fact(format!("as many more{whose} start elsewhere first: {who} has fewer {fewer}"));
    }
    left.into_iter().for_each(|words| draft.warn(words));
}

/// What becomes of a service that other nodes may not run as much of as it wants; nothing if they may.
fn left_behind(service: &Service, here: u32, node: &Node, others: &[&Node]) -> Option<String> {
    let name = subject(&service.namespace, &service.name);
    let fit = others.iter().filter(|other| placement::takes(service, other)).count();
    let fit = u32::try_from(fit).unwrap_or(u32::MAX);
    let room = placement::most_a_node(service).map_or(if fit == 0 { 0 } else { u32::MAX }, |most| most.saturating_mul(fit));
    if service.kind == ServiceKind::SwarmJob {
        let again = if room == 0 { format!("when {} is activated", node.name) } else { "elsewhere".to_owned() };
        return Some(format!("{name} is a job: what it does here is cut off, and begins again {again}"));
    }
    let wants = service.desired.unwrap_or(service.current);
    match room {
        0 => Some(format!(
            "{name} ends here and waits: no other node may run it, so it has {} of {wants} until {} is activated",
            wants.saturating_sub(here),
            node.name
        )),
        room if room < wants => {
            Some(format!("{name} has room for {room} of {wants} on other nodes: the rest waits until {} is activated", node.name))
        }
        _ => None,
    }
}
