//! Sums over a cluster.

use crate::model::{ClusterState, Kind, Level, NodeState, Resources};

/// Sums over the rows of a cluster, taken once a picture and not once a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Nodes that are ready.
    pub nodes_ready: usize,
    /// Services that do not serve as wanted; one with a warning still does.
    pub services_bad: usize,
    /// What the nodes have to give.
    pub allocatable: Resources,
    /// What is used of it; none where nothing is measured.
    pub used: Option<Resources>,
}

impl Totals {
    /// Whether both have the same sums: none of the tables they are taken from changed in between.
    pub fn same(a: &ClusterState, b: &ClusterState) -> bool {
        a.nodes.same_as(&b.nodes) && a.node_usage.same_as(&b.node_usage) && a.findings.same_as(&b.findings)
    }

    /// Sums up.
    pub fn of(state: &ClusterState) -> Self {
        let mut totals = Self::default();
        for node in state.nodes.iter() {
            totals.nodes_ready += usize::from(node.state == NodeState::Ready);
            totals.allocatable = totals.allocatable.plus(node.allocatable);
        }
        for sample in state.node_usage.iter().filter_map(|series| series.last()) {
            let usage = Resources { cpu_m: u64::from(sample.usage.cpu_m), mem: sample.usage.mem };
            totals.used = Some(totals.used.unwrap_or_default().plus(usage));
        }
        totals.services_bad =
            state.findings.iter().filter(|f| f.level == Level::Failing && matches!(f.object, Some((Kind::Service, _)))).count();
        totals
    }
}
