//! What a row is judged by besides itself: other tables of its cluster.

use crate::model::{ClusterState, Finding, Key, Kind, Text};
use std::collections::HashMap;

/// Which tables besides a row's own its order, its words or its place are read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Findings about objects of this kind; a row has the key of the object.
    pub findings: Option<Kind>,
    /// Measurements of objects of this kind and sums of their tasks; a row has the key of the object.
    pub usage: Option<Kind>,
    /// The names of nodes.
    pub nodes: bool,
    /// Services, in any way.
    pub services: bool,
    /// Tasks, in any way.
    pub tasks: bool,
}

/// A cluster as its rows are judged in it.
pub struct Beside<'a> {
    /// The cluster.
    pub state: &'a ClusterState,
    /// Its findings by the keys of their objects, if they were gathered.
    findings: Option<HashMap<&'a str, &'a Finding>>,
    /// All nodes are called as their keys say.
    plain: bool,
}

impl<'a> Beside<'a> {
    /// For a few rows.
    pub fn of(state: &'a ClusterState) -> Self {
        Self { state, findings: None, plain: false }
    }

    /// For all rows of the cluster, which read this: gathers once what would be looked up for each.
    pub fn of_all(state: &'a ClusterState, reads: Reads) -> Self {
        let findings = reads.findings.map(|of| {
            let about = |finding: &'a Finding| finding.object.as_ref().filter(|(kind, _)| *kind == of).map(|(_, key)| key.as_str());
            state.findings.iter().filter_map(|finding| Some((about(finding)?, &**finding))).collect()
        });
        let plain = reads.nodes && state.nodes.iter().all(|node| node.name.as_str() == node.key.as_str());
        Self { state, findings, plain }
    }

    /// What is wrong with the object of this kind, if anything is.
    pub fn finding(&self, kind: Kind, key: &Key) -> Option<&'a Finding> {
        match &self.findings {
            Some(gathered) if gathered.is_empty() => None,
            Some(gathered) => gathered.get(key.as_str()).copied(),
            None => self.state.finding_of(kind, key).map(|finding| &**finding),
        }
    }

    /// The name of a node that a row refers to; its key where the node is not known.
    pub fn node_name<'b>(&self, key: &'b Key) -> &'b str
    where
        'a: 'b,
    {
        if self.plain { key } else { self.state.node_name(key) }
    }

    /// The same as text.
    pub fn node_text(&self, key: &Key) -> Text {
        self.state.nodes.get(key).map_or_else(|| Text::new(key), |node| node.name.clone())
    }
}
