//! What is wrong and why: pure rules from rows to findings. Healthy is quiet: a rollout that moves on, a service scaled to
//! none, a Job that ended well, a paused node are not findings. The words hold no ages: `since` does, so that a finding
//! changes only when the facts do.

mod node;
mod service;

pub use node::{node, waits as node_waits};
pub use service::{service, waits as service_waits};

use crate::model::{ClusterId, ClusterState, Finding, Kind, KindSync, Level, Link, Text, World};
use crate::util::time::Timestamp;
use std::sync::Arc;

/// What is wrong with the cluster itself: its link, or kinds that cannot be read.
pub fn cluster(state: &ClusterState, _now: Timestamp) -> Option<Finding> {
    let link = &state.cluster.link;
    let finding = |level, headline: Text, why: Text, extra: Text, since| Finding {
        key: Finding::key_of(None),
        object: None,
        level,
        subject: Text::new("cluster"),
        headline,
        why,
        extra,
        since: Some(since),
    };
    if let Some((since, why)) = link.trouble() {
        let extra = match link {
            Link::Stale { .. } => Text::new("rows are from before"),
            _ => state.cluster.endpoint.clone(),
        };
        return Some(finding(Level::Failing, Text::new(link.word()), why.clone(), extra, since));
    }
    let failed: Vec<_> = Kind::ALL
        .into_iter()
        .filter_map(|kind| match state.sync_of(kind) {
            KindSync::Failed { since, reason } => Some((kind, *since, reason)),
            _ => None,
        })
        .collect();
    let (_, _, why) = failed.first()?;
    let since = failed.iter().map(|(_, since, _)| *since).min().unwrap_or_default();
    let kinds = failed.iter().map(|(kind, ..)| format!("{}s", kind.word())).collect::<Vec<_>>().join(", ");
    Some(finding(Level::Warning, Text::new("partly blind"), (*why).clone(), Text::from(format!("no {kinds}")), since))
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
