//! What the platform shows of itself: its state as model rows, and its changes as deltas.

use super::chance;
use super::parts::{Host, Instance, Phase, Workload};
use super::platform::{Changed, Platform};
use crate::backend::capabilities::capabilities;
use crate::model::{
    Autoscaler, Budget, Change, Cluster, ClusterKind, Delta, Earlier, Ending, Event, Link, Node, Rollout, Service, ServiceKind,
    Task, TaskState, Text, UpdateStrategy,
};
use crate::util::humanize::age_of;
use std::time::Duration;

impl Platform {
    /// The cluster's row before it has answered.
    pub(super) fn cluster_row(&self) -> Cluster {
        Cluster {
            id: self.id.clone(),
            kind: self.kind,
            endpoint: self.endpoint.clone(),
            version: None,
            link: Link::Connecting,
            protected: self.protected,
            read_only: false,
            capabilities: capabilities(self.kind),
            engine: None,
        }
    }

    /// What the cluster says of itself.
    pub(super) fn about(&self) -> Delta {
        let capabilities = capabilities(self.kind);
        Delta::About { kind: self.kind, version: self.version.clone(), capabilities, engine: None }
    }

    /// Everything, as lists. What changed before is told with it.
    pub(super) fn list(&mut self) -> Vec<Delta> {
        self.changed = Changed::default();
        let mut out = vec![Delta::Node(Change::Begin)];
        out.extend(self.hosts.values().map(|h| Delta::Node(Change::Upsert(self.node(h)))));
        out.extend([Delta::Node(Change::End), Delta::Service(Change::Begin)]);
        out.extend(self.workloads.values().map(|w| Delta::Service(Change::Upsert(self.service(w)))));
        out.extend([Delta::Service(Change::End), Delta::Task(Change::Begin)]);
        out.extend(self.instances.values().map(|i| Delta::Task(Change::Upsert(self.task(i)))));
        out.extend([Delta::Task(Change::End), Delta::Event(Change::Begin)]);
        out.extend(self.events.values().map(|e| Delta::Event(Change::Upsert(Event::clone(e)))));
        out.push(Delta::Event(Change::End));
        out
    }

    /// What changed since the last time.
    pub(super) fn changes(&mut self) -> Vec<Delta> {
        let changed = std::mem::take(&mut self.changed);
        let mut out = Vec::new();
        out.extend(changed.hosts.iter().filter_map(|id| self.hosts.get(id)).map(|h| Delta::Node(Change::Upsert(self.node(h)))));
        let workloads = changed.workloads.iter().filter_map(|id| self.workloads.get(id));
        out.extend(workloads.map(|w| Delta::Service(Change::Upsert(self.service(w)))));
        let instances = changed.instances.iter().filter_map(|id| self.instances.get(id));
        out.extend(instances.map(|i| Delta::Task(Change::Upsert(self.task(i)))));
        let events = changed.events.iter().filter_map(|key| self.events.get(key));
        out.extend(events.map(|e| Delta::Event(Change::Upsert(Event::clone(e)))));
        out.extend(changed.gone_instances.into_iter().map(|key| Delta::Task(Change::Remove(key))));
        out.extend(changed.gone_hosts.into_iter().map(|key| Delta::Node(Change::Remove(key))));
        out.extend(changed.gone_workloads.into_iter().map(|key| Delta::Service(Change::Remove(key))));
        out.extend(changed.gone_events.into_iter().map(|key| Delta::Event(Change::Remove(key))));
        out
    }

    fn node(&self, host: &Host) -> Node {
        Node {
            key: host.key.clone(),
            uid: host.uid.clone(),
            spec_rev: host.spec_rev,
            name: host.name.clone(),
            labels: host.all_labels(self.kind),
            taints: host.taints.clone().into_boxed_slice(),
            zone: host.zone.clone(),
            role: host.role.clone(),
            state: host.state,
            since: Some(self.stamp(host.since)),
            why: host.why.clone(),
            availability: host.availability,
            pressure: host.pressure.clone().into_boxed_slice(),
            allocatable: host.allocatable,
            max_tasks: host.max_tasks,
            version: self.version.clone(),
            address: host.address.clone(),
            created: self.stamp(host.created),
        }
    }

    /// A number that changes exactly when the specification does: the generation in Kubernetes, a hash elsewhere.
    pub(super) fn spec_rev(&self, workload: &Workload) -> u64 {
        self.rev_of(workload, workload.generation)
    }

    /// The `spec_rev` that it had at this generation.
    pub(super) fn rev_of(&self, workload: &Workload, generation: u64) -> u64 {
        match self.kind {
            ClusterKind::Kubernetes => generation,
            ClusterKind::Swarm | ClusterKind::Docker => chance::mix(chance::of_text(&workload.key), generation),
        }
    }

    pub(super) fn service(&self, workload: &Workload) -> Service {
        let made_of = workload.definition.hash();
        let alive = |i: &&Instance| i.active() && !(self.kind == ClusterKind::Swarm && self.host_down(i.host));
        let count = |of: &dyn Fn(&Instance) -> bool| self.instances_of(workload).filter(alive).filter(|i| of(i)).count() as u32;
        let succeeded = self.instances_of(workload).filter(|i| i.phase == Phase::Succeeded).count() as u32;
        let to_end = workload.kind == ServiceKind::Job;
        let observed = if self.kind == ClusterKind::Kubernetes { workload.observed } else { self.spec_rev(workload) };
        let engine = self.kind == ClusterKind::Docker;
        let clock = workload.every.filter(|_| workload.kind == ServiceKind::CronJob);
        let clock = clock.map(|every| Text::from(format!("every {}", age_of(Duration::from_millis(every.unsigned_abs())))));
        Service {
            key: workload.key.clone(),
            spec_rev: self.spec_rev(workload),
            observed_rev: observed,
            name: workload.name.clone(),
            namespace: workload.namespace.clone(),
            kind: workload.kind,
            stack: workload.stack.clone(),
            image: workload.definition.image.clone(),
            container: if self.kind == ClusterKind::Kubernetes { workload.name.clone() } else { Text::default() },
            beside: Box::default(),
            desired: (workload.kind != ServiceKind::CronJob).then(|| {
                // an engine wants what nobody stopped
                if engine { self.instances_of(workload).filter(|i| i.wanted).count() as u32 } else { workload.desired }
            }),
            ready: count(&|i| i.ready) + if to_end { succeeded } else { 0 },
            updated: count(&|i| i.made_of == made_of),
            current: count(&|_| true),
            rollout: Rollout { state: workload.rollout, note: clock.or_else(|| workload.note.clone()) },
            revision: matches!(workload.kind, ServiceKind::Deployment).then(|| workload.revision.to_string().into()),
            previous: self.previous_words(workload),
            earlier: match self.kind {
                ClusterKind::Kubernetes => workload
                    .history
                    .iter()
                    .rev()
                    .map(|(revision, d)| Earlier { revision: *revision, image: d.image.clone(), made: None })
                    .collect(),
                ClusterKind::Swarm | ClusterKind::Docker => Box::default(),
            },
            budget: workload.budget.as_ref().map(|rule| Budget {
                name: workload.name.clone(),
                allowed: self.disruptions_allowed(workload).unwrap_or(0),
                rule: format!("{} {}", if rule.keeps { "min available" } else { "max unavailable" }, rule.count.words()).into(),
                beside: None,
            }),
            autoscaler: workload.autoscale.map(|a| Autoscaler { name: workload.name.clone(), min: a.min, max: a.max }),
            suspended: workload.held && workload.kind.runs_to_completion(),
            strategy: UpdateStrategy::Rolling,
            placement: workload.definition.constraint.as_ref().map(|c| c.words().into()),
            ports: workload.ports.clone(),
            created: self.stamp(workload.created),
            changed: Some(self.stamp(workload.changed)),
        }
    }

    fn previous_words(&self, workload: &Workload) -> Option<Text> {
        let (revision, definition) = workload.history.last()?;
        Some(match self.kind {
            ClusterKind::Kubernetes => format!("revision {revision} · image {}", definition.image).into(),
            ClusterKind::Swarm => format!("image {}", definition.image).into(),
            ClusterKind::Docker => return None,
        })
    }

    /// How many ready instances eviction may take right now; none where there is no budget.
    pub(super) fn disruptions_allowed(&self, workload: &Workload) -> Option<u32> {
        let rule = workload.budget.as_ref()?;
        let healthy = self.instances_of(workload).filter(|i| i.ready && i.active()).count() as u32;
        let keep = if rule.keeps {
            rule.count.of(workload.desired, true)
        } else {
            workload.desired.saturating_sub(rule.count.of(workload.desired, true))
        };
        Some(healthy.saturating_sub(keep))
    }

    fn task(&self, instance: &Instance) -> Task {
        let workload = self.workloads.get(&instance.workload);
        let down = self.host_down(instance.host) && !instance.phase.ended();
        let down_since = instance.host.and_then(|h| self.hosts.get(&h)).map_or(0, |h| h.since);
        let state = if down { TaskState::Lost } else { instance.phase.state() };
        let last = instance.runs.iter().rev().find(|run| run.until.is_some() && run.exit != 0);
        let containers: Vec<Text> = workload.map(|w| w.name.clone()).into_iter().collect();
        Task {
            key: instance.key.clone(),
            name: instance.name.clone(),
            namespace: workload.map(|w| w.namespace.clone()).unwrap_or_default(),
            service: workload.map(|w| w.key.clone()),
            controller: None,
            node: instance.host.and_then(|h| self.hosts.get(&h)).map(|h| h.key.clone()),
            state,
            ready: instance.ready && !down,
            wanted: instance.wanted,
            why: if down { Some("its node does not answer".into()) } else { instance.why.clone() },
            stuck: match instance.phase {
                Phase::Pending => instance.why.is_some(),
                Phase::BackOff | Phase::Pulling => instance.tries > 0,
                phase => down || phase == Phase::Failed,
            },
            since: self.stamp(if down { down_since.max(instance.since) } else { instance.since }),
            image: instance.definition.image.clone(),
            restarts: instance.restarts,
            last_end: last.map(|run| Ending { at: run.until.map(|at| self.stamp(at)), exit: run.exit, reason: run.reason.clone() }),
            revision: Some(chance::word(instance.made_of, 10, chance::SUFFIX).into()),
            requests: instance.definition.requests,
            limits: instance.definition.limits,
            containers: containers.into_boxed_slice(),
            grace: Some(if self.kind == ClusterKind::Docker { 10 } else { 30 }),
            created: self.stamp(instance.created),
        }
    }

    /// The connection as a supervisor would tell it at this moment.
    pub(super) fn link(&self) -> Link {
        match &self.cut {
            Some(cut) => Link::Stale { since: self.stamp(cut.since), reason: cut.reason.clone() },
            None => Link::Live,
        }
    }
}
