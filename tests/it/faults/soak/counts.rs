//! How many there are of what could grow.

use quarterdeck::model::{ClusterState, Series, Table, World};
use std::fmt;
use std::path::Path;
use tokio::runtime::Handle;

/// Connections that are open: their number is another from one moment to the next, and each has tasks,
/// and a file at both its ends.
pub struct Connections {
    /// To the API server: two tasks of the server carry one, and one of the client.
    pub kubernetes: usize,
    /// To the engine: one of the server, one of the client.
    pub docker: usize,
}

/// Each by its name.
#[derive(Clone)]
pub struct Counts(Vec<(&'static str, usize)>);

impl Counts {
    pub fn of_now(world: &World, open: &Connections, journal: &Path, audit: &Path) -> Self {
        let sum = |count: fn(&ClusterState) -> usize| world.clusters.iter().map(|state| count(state)).sum();
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
        let files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let connections = open.kubernetes + open.docker;
        let bytes = |file: std::io::Result<std::fs::DirEntry>| file.unwrap().metadata().unwrap().len() as usize;
        Self(vec![
            ("connections", connections),
            ("tasks", Handle::current().metrics().num_alive_tasks().saturating_sub(3 * open.kubernetes + 2 * open.docker)),
            ("files", files.saturating_sub(2 * connections)),
            ("resident_kb", resident.unwrap_or_default()),
            ("rows", sum(|s| s.nodes.len() + s.services.len() + s.tasks.len())),
            (
                "derived",
                sum(|s| {
                    let loads = s.node_loads.len() + s.service_loads.len() + s.shortfalls.len() + s.findings.len() + s.rights.len();
                    loads + s.node_usage.len() + s.task_usage.len() + s.service_usage.len()
                }),
            ),
            ("samples", sum(|s| [&s.node_usage, &s.task_usage, &s.service_usage].into_iter().map(samples).sum())),
            ("events", sum(|s| s.events.len())),
            ("notices", world.notices.len()),
            ("operations", world.operations.len()),
            ("views", world.tails.len()),
            ("log_bytes", world.tails.iter().map(|tail| tail.buffer.bytes()).sum()),
            ("journal", std::fs::read_dir(journal).map_or(0, Iterator::count)),
            ("audit_bytes", std::fs::read_dir(audit).map_or(0, |files| files.map(bytes).sum())),
        ])
    }

    /// What there is of each most of the time: connections come and go.
    pub fn usual(of: &[Self]) -> Self {
        let middle = |at: usize| {
            let mut all: Vec<usize> = of.iter().map(|counts| counts.0[at].1).collect();
            all.sort_unstable();
            all[all.len() / 2]
        };
        Self(of[0].0.iter().enumerate().map(|(at, (name, _))| (*name, middle(at))).collect())
    }

    pub fn of(&self, name: &str) -> usize {
        self.0.iter().find(|(held, _)| *held == name).unwrap().1
    }
}

fn samples(table: &Table<Series>) -> usize {
    table.iter().map(|series| series.samples().len()).sum()
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(at, (name, count))| write!(f, "{}{name}={count}", if at > 0 { " " } else { "" }))
    }
}
