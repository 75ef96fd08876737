//! What spreading a service's tasks anew would do.

use super::{alone, budget};
use crate::analysis::preview::Draft;
use crate::analysis::reasons::count;
use crate::analysis::spread::{self, Share};
use crate::model::{ClusterKind, ClusterState, Key, Node, Service, Text};
use std::collections::BTreeMap;

/// Nodes told before the rest is left out.
const NAMED: usize = 8;

pub(super) fn rebalance(state: &ClusterState, service: &Service, draft: &mut Draft) -> Result<(), Text> {
    let live = state.tasks_of(&service.key).filter(|t| t.wanted && !t.state.ended());
    let all = u32::try_from(live.count()).unwrap_or(u32::MAX);
    if all == 0 {
        return Err(Text::new("it has no tasks, nothing would move"));
    }
    if state.nodes.is_empty() {
        // a user of single namespaces may not read them
        return Err(Text::new("no node can be seen here: which tasks should move where cannot be told"));
    }
    let surplus = spread::surplus(state, &service.key);
    let moves = u32::try_from(surplus.len()).unwrap_or(u32::MAX);
    if moves == 0 {
        return Err(Text::new(if all == 1 {
            "its one task may stay where it is, nothing would move"
        } else {
            "its tasks are spread as evenly as the nodes that take them allow, nothing would move"
        }));
    }
    if state.cluster.kind == ClusterKind::Swarm {
        let place = if state.nodes.iter().any(|node| node.zone.is_some()) { "zones" } else { "nodes" };
        draft.fact(format!(
            "starts {} in the {place} that have the fewest, then ends as many where the most are",
            count(moves, "more task")
        ));
        draft.fact(format!("it never has fewer than the {} it wants meanwhile", service.desired.unwrap_or(all)));
        draft.fact("what a roll back would go to is overwritten: Swarm keeps one earlier definition");
    } else {
        draft.fact(format!("moves {moves} of {}, one at a time, each after the one before is ready again", count(all, "task")));
        budget(service, draft);
        if service.desired.is_some_and(|desired| desired > 1) {
            draft.fact("each is told to go before its new one starts: it has one fewer meanwhile");
        }
    }
    lies(state, service, &surplus, draft);
    if state.cluster.kind == ClusterKind::Kubernetes {
        alone(state, service, draft);
    }
    Ok(())
}

/// How it lies now and afterwards: by zone, and by node where the zones stay as they are.
fn lies(state: &ClusterState, service: &Service, surplus: &[Key], draft: &mut Draft) {
    let leaving = |part: fn(&Node) -> Option<&Text>| {
        let mut all: BTreeMap<Text, u32> = BTreeMap::new();
        for key in surplus {
            let node = state.tasks.get(key).and_then(|task| state.nodes.get(task.node.as_ref()?));
            *all.entry(node.and_then(|node| part(node)).cloned().unwrap_or_default()).or_default() += 1;
        }
        all
    };
    let zones = spread::zones(state, &service.key);
    let after = spread::evened(&zones, &leaving(|node| node.zone.as_ref()));
    if zones.len() > 1 {
        draft.fact(format!("spread now: {}", spread::words(&zones)));
    }
    if zones.len() > 1 && zones != after {
        return draft.fact(format!("spread afterwards, if the scheduler evens out: {}", spread::words(&after)));
    }
    let held = |shares: Vec<Share>| shares.into_iter().filter(|share| share.open || share.tasks > 0).collect::<Vec<_>>();
    let nodes = held(spread::nodes(state, &service.key));
    let after = spread::evened(&nodes, &leaving(|node| Some(&node.name)));
    let mut pairs: Vec<(&Share, &Share)> = nodes.iter().zip(&after).filter(|(now, then)| now.tasks != then.tasks).collect();
    pairs.sort_by_key(|(now, then)| (then.tasks.cmp(&now.tasks), now.name.clone()));
    let words: Vec<String> =
        pairs.iter().take(NAMED).map(|(now, then)| format!("{} {} → {}", now.name, now.tasks, then.tasks)).collect();
    draft.fact(format!("by node, if the scheduler evens out: {}", words.join(" · ")));
}
