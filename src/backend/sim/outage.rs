//! Hosts that stop answering, come back, are under pressure, or change their labels.

use super::chance;
use super::parts::{HostId, InstanceId, Phase};
use super::placement::zone_label;
use super::platform::{Due, Platform};
use crate::model::{ClusterKind, Effect, NodeState, Severity, TaintEdit, Text};

impl Platform {
    /// After how long without heartbeats a host counts as gone (`node-monitor-grace-period`; Swarm: three heartbeats).
    fn grace(&self) -> i64 {
        if self.kind == ClusterKind::Kubernetes { 40_000 } else { 15_000 }
    }

    /// The host goes silent.
    pub(super) fn host_silent(&mut self, id: HostId) {
        let Some(host) = self.hosts.get_mut(&id).filter(|h| !h.silent) else { return };
        host.silent = true;
        host.outage += 1;
        let outage = host.outage;
        self.plan(self.now + self.grace(), Due::HostMissed(id, outage));
    }

    /// The control plane has missed enough heartbeats.
    pub(super) fn host_missed(&mut self, id: HostId, outage: u32) {
        let kubernetes = self.kind == ClusterKind::Kubernetes;
        let Some(host) = self.hosts.get_mut(&id).filter(|h| h.silent && h.outage == outage) else { return };
        host.state = NodeState::Down;
        host.since = self.now;
        host.why = Some(if kubernetes { "kubelet stopped posting node status" } else { "heartbeat failure" }.into());
        let host = host.clone();
        self.changed.hosts.insert(id);
        let (reason, message) = if kubernetes {
            ("NodeNotReady", format!("Node {} status is now: NodeNotReady", host.name))
        } else {
            ("update", format!("node {} state ready → down", host.name))
        };
        self.tell_host(&host, Severity::Warning, reason, message);
        for instance in host.instances {
            let now = self.now;
            if let Some(instance) = self.instances.get_mut(&instance)
                && std::mem::take(&mut instance.ready)
            {
                instance.since = now;
            }
            self.touch(instance);
        }
        if kubernetes {
            // the toleration for unreachable nodes that every pod gets: five minutes
            self.plan(self.now + 300_000, Due::HostGivenUp(id, outage));
        }
    }

    /// Kubernetes evicts the pods of a host that stayed away.
    pub(super) fn host_given_up(&mut self, id: HostId, outage: u32) {
        let Some(host) = self.hosts.get(&id).filter(|h| h.silent && h.outage == outage) else { return };
        let go: Vec<InstanceId> = host
            .instances
            .iter()
            .filter(|i| {
                let workload = self.instances.get(i).and_then(|i| self.workloads.get(&i.workload));
                workload.is_some_and(|w| !w.kind.one_per_node())
            })
            .copied()
            .collect();
        go.into_iter().for_each(|instance| self.stop(instance));
    }

    /// The host answers again.
    pub(super) fn host_back(&mut self, id: HostId) {
        let Some(host) = self.hosts.get_mut(&id).filter(|h| h.silent) else { return };
        host.silent = false;
        host.outage += 1;
        let was_down = host.state != NodeState::Ready;
        host.state = NodeState::Ready;
        host.why = None;
        if was_down {
            host.since = self.now;
        }
        let host = host.clone();
        self.changed.hosts.insert(id);
        let reason = if self.kind == ClusterKind::Kubernetes { "NodeReady" } else { "update" };
        self.tell_host(&host, Severity::Normal, reason, format!("Node {} status is now: NodeReady", host.name));
        for instance in host.instances {
            self.thaw(instance);
        }
        self.room_changed();
        self.touch_per_node();
    }

    /// What an instance does when its host answers again: it ran on all the while, or ends now if it was given up.
    fn thaw(&mut self, id: InstanceId) {
        let soon = self.now + self.dice.between(500, 4_000);
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let frozen = std::mem::take(&mut instance.frozen);
        if instance.phase == Phase::Running {
            instance.ready_at = Some(soon);
            instance.ends_at = instance.ends_at.map(|at| at.max(soon));
            self.plan_run(id);
        } else if frozen || instance.phase == Phase::Stopping {
            self.plan_step(id, soon);
        }
        self.touch(id);
    }

    /// Workloads with one task a node look again: a host joined, left, or changed.
    pub(super) fn touch_per_node(&mut self) {
        let ids: Vec<_> = self.workloads.values().filter(|w| w.kind.one_per_node()).map(|w| w.id).collect();
        ids.into_iter().for_each(|id| self.touch_workload(id));
    }

    /// A pressure begins (`Some`) or ends.
    pub(super) fn host_pressure(&mut self, id: HostId, what: Option<&str>) {
        let Some(host) = self.hosts.get_mut(&id) else { return };
        host.pressure = what.into_iter().map(Text::new).collect();
        let host = host.clone();
        self.changed.hosts.insert(id);
        match what {
            Some(what) => {
                let reason = format!("NodeHas{}", what.split(' ').map(capital).collect::<String>());
                self.tell_host(&host, Severity::Warning, &reason, format!("Node {} status is now: {reason}", host.name));
            }
            None => {
                self.tell_host(&host, Severity::Normal, "NodeHasNoPressure", format!("Node {} is under no pressure", host.name));
                self.room_changed();
            }
        }
    }

    /// Taints are put on or taken away; `NoExecute` deletes all that runs there, for nothing here tolerates anything.
    pub(super) fn host_taints(&mut self, id: HostId, edits: &[TaintEdit]) {
        let Some(host) = self.hosts.get_mut(&id) else { return };
        for edit in edits {
            host.taints.retain(|taint| !edit.covers(&taint.key, taint.effect.word()));
            if let TaintEdit::Set(taint) = edit {
                host.taints.push(taint.clone());
            }
            host.spec_rev = chance::mix(host.spec_rev, chance::of_text(&edit.words()));
        }
        if host.taints.iter().any(|taint| taint.effect == Effect::NoExecute) {
            let all: Vec<InstanceId> = host.instances.iter().copied().collect();
            all.into_iter().for_each(|instance| self.stop(instance));
        }
        self.changed.hosts.insert(id);
        self.room_changed();
        self.touch_per_node();
    }

    /// A label is set (`Some`) or taken away; Swarm ends tasks whose constraint no longer holds at once.
    pub(super) fn host_label(&mut self, id: HostId, key: &str, value: Option<&str>) {
        let Some(host) = self.hosts.get_mut(&id) else { return };
        match value {
            // the zone has a field of its own
            value if key == zone_label(self.kind) => host.zone = value.map(Text::new),
            Some(value) => drop(host.labels.insert(key.to_owned(), value.to_owned())),
            None => drop(host.labels.remove(key)),
        }
        host.spec_rev = chance::mix(host.spec_rev, chance::of_text(key));
        self.changed.hosts.insert(id);
        let Some(host) = self.hosts.get(&id) else { return };
        let unfit: Vec<InstanceId> = host
            .instances
            .iter()
            .filter_map(|i| self.instances.get(i))
            .filter(|i| i.definition.constraint.as_ref().is_some_and(|c| !c.holds(host)))
            .map(|i| i.id)
            .collect();
        if self.kind == ClusterKind::Swarm {
            unfit.into_iter().for_each(|instance| self.stop(instance));
        }
        self.room_changed();
        self.touch_per_node();
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
