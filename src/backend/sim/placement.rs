//! Where an instance goes: hosts that take it, then the zone and the host with the fewest of its kind, then the emptiest.

use super::parts::{Host, HostId, Instance, Workload};
use super::platform::Platform;
use crate::model::{Availability, ClusterKind, Effect, NodeState, Resources, Text};
use crate::util::humanize::bytes_of;
use std::collections::BTreeMap;

/// A condition on a host's labels: `node.labels.ssd == true`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Constraint {
    key: String,
    value: String,
    equal: bool,
}

impl Constraint {
    pub(super) fn parse(raw: &str) -> Option<Self> {
        let (left, right, equal) = match raw.split_once("==") {
            Some((left, right)) => (left, right, true),
            None => raw.split_once("!=").map(|(left, right)| (left, right, false))?,
        };
        let key = left.trim().strip_prefix("node.labels.")?;
        (!key.is_empty()).then(|| Self { key: key.to_owned(), value: right.trim().to_owned(), equal })
    }

    pub(super) fn words(&self) -> String {
        format!("node.labels.{} {} {}", self.key, if self.equal { "==" } else { "!=" }, self.value)
    }

    pub(super) fn holds(&self, host: &Host) -> bool {
        (host.labels.get(&self.key) == Some(&self.value)) == self.equal
    }
}

/// The label that says in which zone a node is.
pub(super) fn zone_label(kind: ClusterKind) -> &'static str {
    if kind == ClusterKind::Kubernetes { "topology.kubernetes.io/zone" } else { "zone" }
}

impl Host {
    /// Its labels, that of its zone among them, by key.
    pub(super) fn all_labels(&self, kind: ClusterKind) -> Box<[(Text, Text)]> {
        let zone = self.zone.iter().map(|zone| (Text::new(zone_label(kind)), zone.clone()));
        let mut all: Vec<(Text, Text)> = self.labels.iter().map(|(k, v)| (Text::new(k), Text::new(v))).chain(zone).collect();
        all.sort_unstable();
        all.into()
    }
}

/// Why no host takes an instance: what the task's row says, and the platform's own sentence.
pub(super) struct NoRoom {
    pub why: Text,
    pub message: String,
}

/// How good a host is, least first: avoided, others in its zone, others on it, how full it is, its number.
type Score = (bool, u32, u32, u64, HostId);

/// Whether the host could run the workload at all, room aside.
pub(super) fn suits(host: &Host, workload: &Workload) -> bool {
    let tolerates = workload.kind.one_per_node();
    let tainted = host.taints.iter().any(|taint| match taint.effect {
        Effect::NoExecute => true,
        Effect::NoSchedule => !tolerates,
        Effect::PreferNoSchedule => false,
    });
    !tainted
        && (tolerates || host.role.as_str() != "control-plane")
        && workload.definition.constraint.as_ref().is_none_or(|c| c.holds(host))
}

fn has_room(host: &Host, needs: Resources) -> bool {
    let free = host.allocatable.minus(host.reserved);
    free.cpu_m >= needs.cpu_m && free.mem >= needs.mem && host.max_tasks.is_none_or(|max| (host.instances.len() as u32) < max)
}

impl Platform {
    /// The host for a new instance of the workload.
    pub(super) fn choose_host(&self, workload: &Workload, instance: &Instance) -> Result<HostId, NoRoom> {
        let needs = instance.definition.requests;
        let avoid = workload.avoid.filter(|(_, until)| *until > self.now).map(|(host, _)| host);
        let (mut on_host, mut in_zone): (BTreeMap<HostId, u32>, BTreeMap<Option<&Text>, u32>) = Default::default();
        for other in workload.instances.iter().filter_map(|id| self.instances.get(id)).filter(|i| i.active()) {
            if let Some(host) = other.host {
                *on_host.entry(host).or_default() += 1;
                *in_zone.entry(self.hosts.get(&host).and_then(|h| h.zone.as_ref())).or_default() += 1;
            }
        }
        let (mut unfit, mut closed, mut full) = (0, 0, 0);
        let mut best: Option<(Score, HostId)> = None;
        for (id, host) in &self.hosts {
            if !suits(host, workload) || instance.definition.constraint.as_ref().is_some_and(|c| !c.holds(host)) {
                unfit += 1;
            } else if host.state != NodeState::Ready || host.availability != Availability::Active || !host.pressure.is_empty() {
                closed += 1;
            } else if !has_room(host, needs) {
                full += 1;
            } else {
                let zone = in_zone.get(&host.zone.as_ref()).copied().unwrap_or(0);
                let here = on_host.get(id).copied().unwrap_or(0);
                let filled = host.reserved.cpu_m * 1_000 / host.allocatable.cpu_m.max(1);
                let score = (avoid == Some(*id), zone, here, filled, *id);
                if best.as_ref().is_none_or(|(held, _)| score < *held) {
                    best = Some((score, *id));
                }
            }
        }
        best.map(|(_, id)| id).ok_or_else(|| self.no_room(workload, needs, unfit, closed, full))
    }

    fn no_room(&self, workload: &Workload, needs: Resources, unfit: usize, closed: usize, full: usize) -> NoRoom {
        let all = self.hosts.len();
        let why = match &workload.definition.constraint {
            Some(constraint) if unfit == all => format!("no node satisfies {}", constraint.words()),
            _ if full == 0 => format!("no node takes tasks: {closed} of {all} are paused or not ready"),
            _ => format!("no node has {}m cpu and {} memory free", needs.cpu_m, bytes_of(needs.mem)),
        };
        let mut parts = Vec::new();
        if unfit > 0 {
            parts.push(format!("{unfit} node(s) didn't match Pod's node affinity/selector"));
        }
        if closed > 0 {
            parts.push(format!("{closed} node(s) were unschedulable"));
        }
        if full > 0 {
            parts.push(format!("{full} Insufficient cpu"));
        }
        NoRoom { why: why.into(), message: format!("0/{all} nodes are available: {}.", parts.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_read_as_swarm_writes_them() {
        assert_eq!(Constraint::parse("node.labels.ssd == true").map(|c| c.words()).as_deref(), Some("node.labels.ssd == true"));
        assert_eq!(Constraint::parse("node.labels.a!=b").map(|c| c.words()).as_deref(), Some("node.labels.a != b"));
        for wrong in ["ssd == true", "node.labels.ssd", "node.labels. == x"] {
            assert_eq!(Constraint::parse(wrong), None, "{wrong}");
        }
    }
}
