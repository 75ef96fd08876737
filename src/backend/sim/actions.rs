//! What operators ask of a simulated cluster: checked against what they saw, written as the platform would write it, and
//! answered with what the facts will show.

use super::moves::Moves;
use super::parts::{Definition, HostId, InstanceId, WorkloadId};
use super::platform::Platform;
use crate::backend::BackendError;
use crate::backend::capabilities::capabilities;
use crate::model::{
    Action, Availability, ClusterKind, Expect, Intent, Key, Kind, NodeState, Propagation, RolloutState, ServiceKind, Severity,
};

/// An action that was taken: over at once, or a series of moves to go on with.
#[derive(Debug)]
pub(super) enum Begun {
    Taken(Expect),
    Moves(Moves),
}

impl Platform {
    /// Checks an intent against what is, and begins it.
    pub(super) fn begin(&mut self, intent: &Intent) -> Result<Begun, BackendError> {
        let spec = intent.action.kind().spec();
        let what = format!("cannot {} {} {}", spec.label, spec.on.word(), intent.name);
        if !capabilities(self.kind).can(intent.action.kind()) || intent.object.kind != spec.on {
            return Err(BackendError::Unsupported(format!("{what}: {} cannot do that", self.kind.word())));
        }
        match spec.on {
            Kind::Service => self.on_service(intent, &what),
            Kind::Task => self.on_task(intent, &what),
            Kind::Node => self.on_node(intent, &what),
            Kind::Event => Err(BackendError::Unsupported(format!("{what}: nothing can be done to an event"))),
        }
    }

    fn on_service(&mut self, intent: &Intent, what: &str) -> Result<Begun, BackendError> {
        let now = self.now;
        let Some(workload) = self.workloads.values().find(|w| w.key == intent.object.key) else { return Err(gone(what)) };
        let (id, kind, desired) = (workload.id, workload.kind, workload.desired);
        if intent.bound.uid != workload.key || intent.bound.spec_rev != self.spec_rev(workload) {
            return Err(changed(what));
        }
        let fixed = kind.one_per_node() || kind.runs_to_completion();
        let refuse = |why: &str| Err(BackendError::Unsupported(format!("{what}: {why}")));
        match intent.action.clone() {
            Action::Scale { .. } if fixed => return refuse("its number of tasks does not follow from a number of its own"),
            Action::DeleteService { propagation } => return Ok(self.delete_service(id, intent.object.key.clone(), propagation)),
            Action::Hold | Action::Resume => return self.set_held(id, matches!(intent.action, Action::Hold), what),
            Action::Trigger if kind == ServiceKind::CronJob => {
                let suffix = format!("manual-{}", self.stamp(now).0 / 1_000);
                let made = self.make_job(id, &suffix).ok_or_else(|| gone(what))?;
                return Ok(Begun::Taken(Expect::Began { service: made }));
            }
            Action::SetImage { image, .. } if kind == ServiceKind::CronJob => {
                if let Some(workload) = self.workloads.get_mut(&id) {
                    let definition = Definition { image, ..Definition::clone(&workload.definition) };
                    workload.define(definition, now);
                    workload.rollout = RolloutState::Stable;
                }
                self.touch_workload(id);
            }
            Action::SetImage { image, .. } if !kind.runs_to_completion() => self.roll_out(id, &image),
            _ if kind.runs_to_completion() => return refuse("it runs to its end by itself"),
            Action::Scale { to } => {
                let name = workload.name.clone();
                self.scale(id, to);
                let message = format!("Scaled {name} from {desired} to {to}");
                self.tell_workload(id, Severity::Normal, "ScalingReplicaSet", message);
            }
            Action::Rebalance => {
                let moves = Moves::rebalance(self, id);
                return Ok(Begun::Moves(moves));
            }
            Action::Redeploy { .. } => {
                let old = Definition::clone(&workload.definition);
                if let Some(workload) = self.workloads.get_mut(&id) {
                    workload.define(Definition { forced: old.forced + 1, ..old }, now);
                }
                self.rollout_began(id);
                if self.kind == ClusterKind::Docker {
                    self.recreate(id);
                }
            }
            Action::RollBack { to } => {
                // a swarm keeps one, which has the number that the definition had
                let swarm = self.kind == ClusterKind::Swarm;
                if swarm && to.is_some_and(|to| to != self.rev_of(workload, workload.generation - 1)) {
                    return Err(changed(what));
                }
                let to = to.filter(|_| !swarm);
                if workload.history.is_empty() {
                    return refuse("there is no earlier definition to go back to");
                }
                let place = |(revision, _): &(u64, _)| to.is_none_or(|to| to == *revision);
                let Some(at) = workload.history.iter().rposition(place) else { return Err(changed(what)) };
                if let Some(workload) = self.workloads.get_mut(&id) {
                    let (_, previous) = workload.history.remove(at);
                    workload.define((*previous).clone(), now);
                    if kind == ServiceKind::Replicated {
                        workload.rollout = RolloutState::RollingBack;
                    }
                }
                self.rollout_began(id);
            }
            _ => return refuse("it is not an action on services"),
        }
        let Some(workload) = self.workloads.get(&id) else { return Err(gone(what)) };
        let (service, spec_rev) = (workload.key.clone(), self.spec_rev(workload));
        Ok(Begun::Taken(match intent.action {
            Action::Scale { to } if self.kind == ClusterKind::Kubernetes => Expect::Scaled { service, spec_rev, to },
            _ => Expect::Converged { service, spec_rev },
        }))
    }

    /// A service goes, with the Jobs it made; its instances end, or go on without it.
    fn delete_service(&mut self, id: WorkloadId, service: Key, propagation: Propagation) -> Begun {
        let tasks = propagation != Propagation::Orphan;
        let all: Vec<WorkloadId> = self.workloads.values().filter(|w| w.id == id || w.owner == Some(id)).map(|w| w.id).collect();
        for id in all {
            let Some(gone) = self.workloads.remove(&id) else { continue };
            self.changed.workloads.remove(&id);
            self.changed.gone_workloads.push(gone.key);
            for instance in gone.instances {
                self.changed.instances.insert(instance);
                if tasks {
                    self.stop(instance);
                }
            }
        }
        Begun::Taken(Expect::Deleted { service, tasks })
    }

    /// A Deployment's rollout, a Job or a CronJob is held, or goes on.
    fn set_held(&mut self, id: WorkloadId, held: bool, what: &str) -> Result<Begun, BackendError> {
        let now = self.now;
        let Some(workload) = self.workloads.get_mut(&id) else { return Err(gone(what)) };
        if !matches!(workload.kind, ServiceKind::Deployment | ServiceKind::Job | ServiceKind::CronJob) {
            return Err(BackendError::Unsupported(format!("{what}: it cannot be held")));
        }
        workload.held = held;
        let (kind, service) = (workload.kind, workload.key.clone());
        // a CronJob and a Job stand as they stood
        let state = if kind == ServiceKind::Deployment { RolloutState::Progressing } else { workload.rollout };
        workload.start_rollout(state, now);
        let running: Vec<InstanceId> = workload.instances.iter().copied().collect();
        if held && kind == ServiceKind::Job {
            running.into_iter().for_each(|instance| self.remove(instance));
        }
        self.rollout_began(id);
        let Some(workload) = self.workloads.get(&id) else { return Err(gone(what)) };
        let spec_rev = self.spec_rev(workload);
        Ok(Begun::Taken(match (kind, held) {
            (ServiceKind::Deployment, false) => Expect::Converged { service, spec_rev },
            _ => Expect::Held { service, spec_rev, held },
        }))
    }

    /// Compose: each container of a service is taken away and made anew.
    fn recreate(&mut self, id: WorkloadId) {
        let Some(workload) = self.workloads.get(&id) else { return };
        let old: Vec<(InstanceId, u32)> = self.instances_of(workload).map(|i| (i.id, i.slot)).collect();
        for (instance, slot) in old {
            self.remove(instance);
            self.create(id, slot);
        }
    }

    fn on_task(&mut self, intent: &Intent, what: &str) -> Result<Begun, BackendError> {
        let Some(instance) = self.instances.values().find(|i| i.key == intent.object.key) else { return Err(gone(what)) };
        if intent.bound.uid != instance.key {
            return Err(changed(what));
        }
        let (id, key, workload, active) = (instance.id, instance.key.clone(), instance.workload, instance.active());
        let before = self.stamp(instance.since);
        let service = self.workloads.get(&workload).map(|w| w.key.clone());
        match intent.action {
            Action::Start if active => Err(BackendError::Changed(format!("{what}: it runs already"))),
            Action::Start => {
                self.start(id);
                Ok(Begun::Taken(Expect::TaskRuns { task: key, runs: true }))
            }
            Action::Restart | Action::Kill if !active => Err(BackendError::Changed(format!("{what}: it does not run"))),
            Action::DeleteTask { .. } if self.kind == ClusterKind::Docker && active => {
                Err(BackendError::Changed(format!("{what}: it runs; stop it first")))
            }
            Action::Restart => {
                self.restart(id);
                Ok(Begun::Taken(Expect::Restarted { task: key, before }))
            }
            Action::Stop | Action::Kill => {
                self.stop(id);
                Ok(Begun::Taken(Expect::TaskRuns { task: key, runs: false }))
            }
            Action::Reschedule => Ok(Begun::Moves(Moves::reschedule(self, id, service))),
            Action::DeleteTask { .. } | Action::ForceDelete { .. } if self.kind == ClusterKind::Docker => {
                self.discard(id, workload);
                Ok(Begun::Taken(Expect::Gone { kind: Kind::Task, key }))
            }
            Action::DeleteTask { .. } => {
                self.stop(id);
                Ok(Begun::Taken(Expect::Replaced { task: key, service }))
            }
            _ => Err(BackendError::Unsupported(format!("{what}: it is not an action on tasks"))),
        }
    }

    /// An engine's container is removed; nothing makes a new one, and a service without containers is no more.
    pub(super) fn discard(&mut self, id: InstanceId, workload: WorkloadId) {
        self.remove(id);
        if self.workloads.get(&workload).is_some_and(|w| w.instances.is_empty())
            && let Some(gone) = self.workloads.remove(&workload)
        {
            self.changed.workloads.remove(&workload);
            self.changed.gone_workloads.push(gone.key);
        }
    }

    fn on_node(&mut self, intent: &Intent, what: &str) -> Result<Begun, BackendError> {
        let Some((id, host)) = self.hosts.iter().find(|(_, h)| h.key == intent.object.key) else { return Err(gone(what)) };
        let (id, key) = (*id, host.key.clone());
        if intent.bound.uid != host.uid || intent.bound.spec_rev != host.spec_rev {
            return Err(changed(what));
        }
        match &intent.action {
            Action::Promote | Action::Demote => {
                let manages = matches!(intent.action, Action::Promote);
                if let Some(host) = self.hosts.get_mut(&id) {
                    host.role = if manages { "manager" } else { "worker" }.into();
                    host.spec_rev = super::chance::mix(host.spec_rev, u64::from(manages) + 11);
                }
                self.changed.hosts.insert(id);
                Ok(Begun::Taken(Expect::NodeManages { node: key, manages }))
            }
            Action::RemoveNode { force: false } if host.state != NodeState::Down => {
                Err(BackendError::Changed(format!("{what}: it is not down")))
            }
            Action::RemoveNode { .. } => {
                for instance in host.instances.clone() {
                    self.remove(instance);
                }
                self.hosts.remove(&id);
                self.changed.hosts.remove(&id);
                self.changed.gone_hosts.push(key.clone());
                self.touch_per_node();
                Ok(Begun::Taken(Expect::Gone { kind: Kind::Node, key }))
            }
            Action::Label { edits } => {
                for edit in edits {
                    self.host_label(id, &edit.key, edit.value.as_deref());
                }
                Ok(Begun::Taken(Expect::NodeLabels { node: key, edits: edits.clone() }))
            }
            Action::Taint { edits } => {
                self.host_taints(id, edits);
                Ok(Begun::Taken(Expect::NodeTaints { node: key, edits: edits.clone() }))
            }
            Action::Prune { .. } if self.kind == ClusterKind::Swarm => {
                Err(BackendError::Unsupported(format!("{what}: none of its engines is asked directly here")))
            }
            Action::Prune { volumes, seen } => Ok(self.prune(*volumes, seen)),
            Action::RotateToken { managers, version } => self.rotate(*managers, *version).ok_or_else(|| changed(what)),
            Action::Pause => Ok(self.node_is(id, key, Availability::Paused)),
            Action::Activate => Ok(self.node_is(id, key, Availability::Active)),
            Action::Drain if self.kind == ClusterKind::Swarm => {
                self.set_availability(id, Availability::Drained);
                self.touch_tasks_of(id);
                Ok(Begun::Taken(Expect::NodeEmpty { node: key, availability: Availability::Drained }))
            }
            Action::Evacuate | Action::Drain => {
                self.set_availability(id, Availability::Paused);
                Ok(Begun::Moves(Moves::evacuate(self, id, key)))
            }
            _ => Err(BackendError::Unsupported(format!("{what}: it is not an action on nodes"))),
        }
    }

    fn node_is(&mut self, id: HostId, node: Key, availability: Availability) -> Begun {
        self.set_availability(id, availability);
        Begun::Taken(Expect::NodeIs { node, availability })
    }

    fn set_availability(&mut self, id: HostId, availability: Availability) {
        let Some(host) = self.hosts.get_mut(&id) else { return };
        if host.availability != availability {
            host.availability = availability;
            host.spec_rev = super::chance::mix(host.spec_rev, availability as u64 + 1);
        }
        self.changed.hosts.insert(id);
        self.room_changed();
        self.touch_per_node();
    }

    fn touch_tasks_of(&mut self, id: HostId) {
        let instances = self.hosts.get(&id).map(|h| h.instances.clone()).unwrap_or_default();
        instances.into_iter().for_each(|instance| self.touch(instance));
    }
}

fn gone(what: &str) -> BackendError {
    BackendError::NotFound(format!("{what}: it no longer exists"))
}

fn changed(what: &str) -> BackendError {
    BackendError::Changed(format!("{what}: it was changed after you looked; look again and decide anew"))
}
