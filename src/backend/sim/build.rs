//! From a scenario's plan of a cluster to a running one: everything placed and long since ready, then the story is played
//! up to the opening.

use super::amount::Count;
use super::chance;
use super::check::full_name;
use super::parts::{BudgetRule, Definition, Host, HostId, InstanceId, Moment, Workload, WorkloadId};
use super::placement::Constraint;
use super::platform::{Due, Platform};
use super::scenario::{ClusterPlan, NodePlan, PlatformKind, ServicePlan, WorkloadKind};
use crate::model::{Availability, ClusterId, ClusterKind, Key, NodeState, Resources, RolloutState, ServiceKind};
use crate::util::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Platform {
    /// The cluster of a checked plan, at the opening.
    pub(super) fn build(plan: &ClusterPlan, seed: u64, epoch: Timestamp) -> Self {
        let kind = match plan.kind {
            PlatformKind::Kubernetes => ClusterKind::Kubernetes,
            PlatformKind::Swarm => ClusterKind::Swarm,
            PlatformKind::Docker => ClusterKind::Docker,
        };
        let name = plan.name.get_ref();
        let deployed = plan.services.iter().filter_map(|s| s.deployed).map(|at| at.0).min().unwrap_or(0);
        let start = Self::story_begins(&plan.happenings).min(deployed) - 1_000;
        let mut platform = Self::empty(ClusterId::new(name), kind, chance::mix(seed, chance::of_text(name)), epoch, start);
        platform.version = plan.version.as_str().into();
        platform.endpoint = plan.endpoint.as_str().into();
        platform.protected = plan.protected;
        platform.missing_images = plan.missing_images.iter().cloned().collect();
        platform.happenings.clone_from(&plan.happenings);
        for (number, node) in plan.nodes.iter().enumerate() {
            let id = HostId(number as u32);
            let host = platform.host(id, node);
            platform.hosts.insert(id, host);
        }
        for (number, service) in plan.services.iter().enumerate() {
            platform.add_workload(WorkloadId(number as u32), service);
        }
        for (index, happening) in plan.happenings.iter().enumerate() {
            platform.plan(happening.at.get_ref().0, Due::Happening(index, 0));
        }
        platform.advance(0);
        platform
    }

    fn host(&self, id: HostId, plan: &NodePlan) -> Host {
        let name = plan.name.get_ref();
        let draw = chance::mix(self.seed, chance::of_text(name));
        let uid = match self.kind {
            ClusterKind::Kubernetes => chance::uuid(draw),
            ClusterKind::Swarm => chance::word(draw, 25, chance::BASE36),
            ClusterKind::Docker => chance::uuid(draw),
        };
        // pods name their node; Swarm tasks give its id
        let key = if self.kind == ClusterKind::Kubernetes { name.as_str() } else { uid.as_str() };
        Host {
            key: Key::from(key),
            uid: Key::from(uid.as_str()),
            name: name.as_str().into(),
            zone: plan.zone.as_deref().map(Into::into),
            role: plan.role.as_str().into(),
            labels: plan.labels.clone(),
            taints: Vec::new(),
            allocatable: Resources { cpu_m: plan.cpu.0, mem: plan.memory.0 },
            max_tasks: plan.max_tasks,
            address: format!("10.20.{}.{}", id.0 / 200, 11 + id.0 % 200).into(),
            created: -plan.age.0,
            spec_rev: draw,
            availability: Availability::Active,
            state: NodeState::Ready,
            since: -plan.age.0,
            why: None,
            pressure: Vec::new(),
            silent: false,
            outage: 0,
            images: BTreeSet::new(),
            reserved: Resources::default(),
            instances: BTreeSet::new(),
        }
    }

    fn add_workload(&mut self, id: WorkloadId, plan: &ServicePlan) {
        let workload = self.workload(id, plan);
        let (kind, every, autoscaled) = (workload.kind, workload.every, workload.autoscale.is_some());
        self.workloads.insert(id, workload);
        self.changed.workloads.insert(id);
        if autoscaled {
            let first = self.now + self.dice.between(5_000, 30_000);
            self.plan(first, Due::Autoscale(id));
        }
        if let Some(every) = every.filter(|_| kind == ServiceKind::CronJob) {
            let first = self.now + self.dice.between(1_000, every);
            self.plan(first, Due::Cron(id));
            return;
        }
        if plan.deployed.is_some() {
            self.plan(plan.deployed.map_or(0, |at| at.0), Due::Reconcile(id));
            return;
        }
        let age = plan.age.0;
        let hosts: Vec<HostId> = self.hosts.keys().copied().collect();
        let count = if kind.one_per_node() { hosts.len() as u32 } else { plan.tasks };
        if let Some(workload) = self.workloads.get_mut(&id) {
            workload.desired = count;
            workload.slots = (1..=count).map(|slot| (slot, Default::default())).collect();
        }
        for slot in 1..=count {
            let started = -self.dice.between(age / 8, age / 2);
            let pinned = hosts.get(slot as usize - 1).copied().filter(|_| kind.one_per_node());
            if let Some(made) = self.add_instance(id, slot) {
                self.settle_old(made, pinned, started, plan.restarts / count.max(1));
                if plan.stopped {
                    self.stop(made);
                }
            }
        }
    }

    fn settle_old(&mut self, id: InstanceId, pinned: Option<HostId>, started: Moment, restarts: u32) {
        let Some(instance) = self.instances.get(&id) else { return };
        let Some(workload) = self.workloads.get(&instance.workload) else { return };
        match pinned.map_or_else(|| self.choose_host(workload, instance), Ok) {
            Ok(host) => self.settle_running(id, host, started),
            Err(_) => self.place(id),
        }
        if let Some(instance) = self.instances.get_mut(&id) {
            instance.restarts = restarts;
        }
    }

    fn workload(&self, id: WorkloadId, plan: &ServicePlan) -> Workload {
        let kind = match plan.kind.get_ref() {
            WorkloadKind::Deployment => ServiceKind::Deployment,
            WorkloadKind::Statefulset => ServiceKind::StatefulSet,
            WorkloadKind::Daemonset => ServiceKind::DaemonSet,
            WorkloadKind::Cronjob => ServiceKind::CronJob,
            WorkloadKind::Replicated => ServiceKind::Replicated,
            WorkloadKind::Global => ServiceKind::Global,
            WorkloadKind::Compose => ServiceKind::Compose,
            WorkloadKind::Container => ServiceKind::Container,
        };
        let draw = chance::mix(self.seed, chance::of_text(&full_name(plan)));
        let key = match self.kind {
            ClusterKind::Kubernetes => chance::uuid(draw),
            ClusterKind::Swarm => chance::word(draw, 25, chance::BASE36),
            ClusterKind::Docker if kind == ServiceKind::Compose => full_name(plan),
            ClusterKind::Docker => chance::word(draw, 64, chance::HEX),
        };
        let limit = plan.memory_limit.map_or(0, |m| m.0);
        let definition = Definition {
            image: plan.image.as_str().into(),
            requests: Resources { cpu_m: plan.cpu.0, mem: plan.memory.0 },
            limits: Resources { cpu_m: 0, mem: limit },
            constraint: plan.constraint.as_ref().and_then(|c| Constraint::parse(c.get_ref())),
            forced: 0,
        };
        let previous = plan.previous_image.as_ref().map(|image| Definition { image: image.as_str().into(), ..definition.clone() });
        let created = plan.deployed.map_or(-plan.age.0, |at| at.0);
        Workload {
            id,
            key: Key::from(key.as_str()),
            name: plan.name.get_ref().as_str().into(),
            namespace: plan.namespace.as_str().into(),
            kind,
            stack: plan.stack.as_deref().map(Into::into),
            profile: plan.profile,
            definition: Arc::new(definition),
            revision: plan.revision,
            history: previous.into_iter().map(|p| (plan.revision.saturating_sub(1), Arc::new(p))).collect(),
            generation: plan.revision,
            observed: plan.revision,
            desired: plan.tasks,
            size: plan.tasks,
            surge: plan.max_surge.unwrap_or(Count::Percent(25)),
            unavailable: plan.max_unavailable.unwrap_or(Count::Percent(25)),
            deadline: plan.progress_deadline.0,
            budget: plan.budget.as_ref().and_then(|b| {
                let (keeps, count) = (b.min_available.is_some(), b.min_available.or(b.max_unavailable)?);
                Some(BudgetRule { keeps, count })
            }),
            autoscale: plan.autoscale,
            update: plan.update.clone(),
            ports: plan.ports.as_deref().map(Into::into),
            every: plan.every.map(|every| every.0),
            takes: plan.takes.map_or(20_000, |takes| takes.0),
            warm_up: plan.warm_up.0,
            created,
            changed: created / 3,
            rollout: if plan.deployed.is_some() { RolloutState::Progressing } else { RolloutState::Stable },
            note: None,
            progress_at: created,
            best: 0,
            batch_at: created,
            instances: BTreeSet::new(),
            queued: false,
            slots: BTreeMap::new(),
            faults: Vec::new(),
            avoid: None,
            owner: None,
            held: false,
            scaled_at: self.now,
        }
    }
}
