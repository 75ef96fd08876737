//! What is wrong and why: pure rules from rows to findings.

use super::reasons::{self, count};
use crate::model::{ClusterId, ClusterState, Finding, Key, Kind, Level, Link, NodeState, Text, World};
use crate::util::time::Timestamp;
use std::sync::Arc;

/// What is wrong with the cluster itself.
pub fn cluster(state: &ClusterState, _now: Timestamp) -> Option<Finding> {
    let link = &state.cluster.link;
    let (since, why) = link.trouble()?;
    let level = if matches!(link, Link::Stale { .. }) { Level::Warning } else { Level::Failing };
    Some(Finding {
        key: Finding::key_of(None),
        object: None,
        level,
        subject: Text::new("cluster"),
        headline: Text::new(link.word()),
        why: why.clone(),
        extra: state.cluster.endpoint.clone(),
        since: Some(since),
    })
}

/// What is wrong with a service.
pub fn service(state: &ClusterState, key: &Key, _now: Timestamp) -> Option<Finding> {
    let service = state.services.get(key)?;
    let desired = service.desired?;
    if service.kind.runs_to_completion() || service.ready >= desired {
        return None;
    }
    let reasons = reasons::of_service(state, key);
    let first = reasons.first()?;
    Some(Finding {
        key: Finding::key_of(Some((Kind::Service, key))),
        object: Some((Kind::Service, key.clone())),
        level: Level::Failing,
        subject: service.name.clone(),
        headline: Text::from(format!("{}/{desired} ready", service.ready)),
        why: first.why.clone(),
        extra: Text::from(count(first.tasks, "task")),
        since: Some(first.since),
    })
}

/// What is wrong with a node.
pub fn node(state: &ClusterState, key: &Key, _now: Timestamp) -> Option<Finding> {
    let node = state.nodes.get(key)?;
    if matches!(node.state, NodeState::Ready | NodeState::Unknown) {
        return None;
    }
    Some(Finding {
        key: Finding::key_of(Some((Kind::Node, key))),
        object: Some((Kind::Node, key.clone())),
        level: Level::Failing,
        subject: Text::from(format!("node {}", node.name)),
        headline: Text::new(node.state.word()),
        why: node.why.clone().unwrap_or_default(),
        extra: node.zone.as_ref().map_or_else(Text::default, |zone| Text::from(format!("zone {zone}"))),
        since: node.since,
    })
}

/// Everything that is wrong in the fleet: worst first, then newest.
pub fn fleet(world: &World) -> Vec<(ClusterId, Arc<Finding>)> {
    let mut all: Vec<_> = world
        .clusters
        .iter()
        .flat_map(|state| state.findings.iter().map(|finding| (state.cluster.id.clone(), Arc::clone(finding))))
        .collect();
    all.sort_by(|(ca, a), (cb, b)| {
        b.level.cmp(&a.level).then(b.since.cmp(&a.since)).then_with(|| ca.cmp(cb)).then_with(|| a.key.cmp(&b.key))
    });
    all
}
