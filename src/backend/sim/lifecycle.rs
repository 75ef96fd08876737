//! The life of one instance: placed, image pulled, started, ready, failing, tried again, stopped, gone.

use super::chance;
use super::parts::{Fault, Instance, InstanceId, Moment, Phase, Run, WorkloadId};
use super::platform::Platform;
use super::reports::Told;
use crate::model::{ClusterKind, Key, ServiceKind, Text};
use crate::util::humanize::{age_of, bytes_of};
use std::time::Duration;

/// A run that lasted so long makes the platform forget earlier failures (kubelet: ten minutes).
const SETTLED: i64 = 600_000;
/// Longest wait between tries (kubelet: five minutes).
const LONGEST_BACKOFF: i64 = 300_000;
/// Ended Swarm tasks kept in a slot (`--task-history-limit` 5, with the one that runs).
const SLOT_HISTORY: usize = 4;

impl Platform {
    /// Makes an instance in a slot; it is placed at once if a host takes it.
    pub(super) fn create(&mut self, workload: WorkloadId, slot: u32) -> Option<InstanceId> {
        let id = self.add_instance(workload, slot)?;
        self.place(id);
        Some(id)
    }

    /// Makes an unplaced instance.
    pub(super) fn add_instance(&mut self, id: WorkloadId, slot: u32) -> Option<InstanceId> {
        let number = self.next_id;
        let workload = self.workloads.get_mut(&id)?;
        self.next_id += 1;
        let draw = chance::mix(self.seed, number);
        let made_of = workload.definition.hash();
        let suffix = || chance::word(draw, 5, chance::SUFFIX);
        let name = match workload.kind {
            ServiceKind::Deployment => {
                format!("{}-{}-{}", workload.name, chance::word(made_of, 10, chance::SUFFIX), suffix())
            }
            ServiceKind::StatefulSet => format!("{}-{}", workload.name, slot.saturating_sub(1)),
            ServiceKind::Replicated => format!("{}.{slot}", workload.name),
            ServiceKind::Global => format!("{}.{}", workload.name, chance::word(u64::from(slot), 8, chance::BASE36)),
            ServiceKind::Compose => format!("{}-{}-{slot}", workload.namespace, workload.name),
            ServiceKind::Container => workload.name.to_string(),
            _ => format!("{}-{}", workload.name, suffix()),
        };
        let key = match self.kind {
            ClusterKind::Kubernetes => chance::uuid(draw),
            ClusterKind::Swarm => chance::word(draw, 25, chance::BASE36),
            ClusterKind::Docker => chance::word(draw, 64, chance::HEX),
        };
        let instance = Instance {
            id: InstanceId(number),
            key: Key::from(key.as_str()),
            name: name.into(),
            workload: id,
            host: None,
            slot,
            definition: workload.definition.clone(),
            made_of,
            phase: Phase::Pending,
            since: self.now,
            created: self.now,
            ready: false,
            wanted: true,
            why: None,
            restarts: workload.slots.get(&slot).map_or(0, |s| s.failures),
            tries: 0,
            step: 0,
            ready_at: None,
            ends_at: None,
            runs: Vec::new(),
            frozen: false,
        };
        workload.instances.insert(instance.id);
        let made = instance.id;
        self.instances.insert(made, instance);
        self.touch(made);
        Some(made)
    }

    /// Tries to place an instance; it stays pending, with the reason, if no host takes it.
    pub(super) fn place(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get(&id).filter(|i| i.phase == Phase::Pending) else { return };
        let Some(workload) = self.workloads.get(&instance.workload) else { return };
        let pinned = instance.host.filter(|_| workload.kind.one_per_node());
        match pinned.map_or_else(|| self.choose_host(workload, instance), Ok) {
            Ok(host) => self.settle(id, host),
            Err(no_room) => {
                let news = instance.why.as_ref() != Some(&no_room.why);
                self.pending.insert(id);
                if news {
                    self.set_phase(id, Phase::Pending, Some(no_room.why));
                    self.tell(id, Told::NoRoom(no_room.message));
                }
            }
        }
    }

    fn settle(&mut self, id: InstanceId, host_id: super::parts::HostId) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let Some(host) = self.hosts.get_mut(&host_id) else { return };
        instance.host = Some(host_id);
        host.instances.insert(id);
        host.reserved = host.reserved.plus(instance.definition.requests);
        self.tell(id, Told::Scheduled);
        self.pull(id);
    }

    /// Sets an instance on a host as if it had run for long: how the fleet looks before the first happening.
    pub(super) fn settle_running(&mut self, id: InstanceId, host_id: super::parts::HostId, started: Moment) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let Some(host) = self.hosts.get_mut(&host_id) else { return };
        instance.host = Some(host_id);
        instance.created = started;
        instance.since = started;
        instance.phase = Phase::Running;
        instance.ready = true;
        instance.runs.push(Run { from: started, until: None, exit: 0, reason: Text::default() });
        host.instances.insert(id);
        host.reserved = host.reserved.plus(instance.definition.requests);
        host.images.insert(instance.definition.image.clone());
    }

    fn pull(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get(&id) else { return };
        let image = instance.definition.image.clone();
        let held = instance.host.and_then(|h| self.hosts.get(&h)).is_some_and(|h| h.images.contains(&image));
        if held {
            self.set_phase(id, Phase::Creating, Some("container is being made".into()));
            let wait = self.dice.between(300, 1_200);
            self.plan_step(id, self.now + wait);
        } else {
            let why = if instance.tries == 0 {
                format!("pulling image {image}").into()
            } else {
                instance.why.clone().unwrap_or_default()
            };
            self.set_phase(id, Phase::Pulling, Some(why));
            self.tell(id, Told::Pulling);
            let missing = self.missing_images.contains(image.as_str());
            let wait = if missing { self.dice.between(700, 1_900) } else { self.dice.between(2_000, 9_000) };
            self.plan_step(id, self.now + wait);
        }
    }

    /// The next step of an instance's life.
    pub(super) fn instance_due(&mut self, id: InstanceId, step: u32) {
        let Some(instance) = self.instances.get_mut(&id).filter(|i| i.step == step) else { return };
        if instance.host.and_then(|h| self.hosts.get(&h)).is_some_and(|h| h.silent) {
            instance.frozen = true;
            return;
        }
        match instance.phase {
            Phase::Pulling => self.pulled(id),
            Phase::PullBackOff => self.pull(id),
            Phase::Creating => self.started(id),
            Phase::Running => self.run_on(id),
            Phase::BackOff => {
                self.set_phase(id, Phase::Creating, Some("container is being made".into()));
                let wait = self.dice.between(300, 1_200);
                self.plan_step(id, self.now + wait);
            }
            Phase::Stopping => self.stopped(id),
            Phase::Pending | Phase::Succeeded | Phase::Failed | Phase::Stopped => {}
        }
    }

    fn pulled(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let image = instance.definition.image.clone();
        if !self.missing_images.contains(image.as_str()) {
            instance.tries = 0;
            if let Some(host) = instance.host.and_then(|h| self.hosts.get_mut(&h)) {
                host.images.insert(image);
            }
            self.tell(id, Told::Pulled);
            self.pull(id);
            return;
        }
        instance.tries += 1;
        let wait = backoff(10_000, instance.tries);
        if self.kind == ClusterKind::Swarm {
            self.end_for_good(id, Phase::Failed, format!("image not found: {image}").into());
            return;
        }
        self.set_phase(id, Phase::PullBackOff, Some(format!("image not found: {image}").into()));
        self.tell(id, Told::PullFailed);
        self.tell(id, Told::PullBackOff);
        self.plan_step(id, self.now + wait);
    }

    fn started(&mut self, id: InstanceId) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let Some(workload) = self.workloads.get(&instance.workload) else { return };
        if instance.runs.len() == 5 {
            instance.runs.remove(0);
        }
        instance.runs.push(Run { from: now, until: None, exit: 0, reason: Text::default() });
        let warm_up = workload.warm_up + self.dice.between(0, workload.warm_up / 4);
        instance.ready_at = Some(now + warm_up);
        instance.ends_at =
            workload.kind.runs_to_completion().then(|| now + workload.takes + self.dice.between(0, workload.takes / 4));
        let fault = workload.fault_of(instance.slot, now).map(|f| f.fault.clone());
        self.set_phase(id, Phase::Running, Some("started, not ready yet".into()));
        self.tell(id, Told::Started);
        if let Some(fault) = fault {
            self.apply_fault(id, &fault);
        }
        self.plan_run(id);
    }

    /// A fault takes hold of a running instance.
    pub(super) fn apply_fault(&mut self, id: InstanceId, fault: &Fault) {
        let (now, share) = (self.now, self.dice.between(85, 115));
        let Some(instance) = self.instances.get_mut(&id).filter(|i| i.phase == Phase::Running) else { return };
        match fault {
            Fault::Leak { full_after } => instance.ends_at = Some(now + full_after * share / 100),
            Fault::Crash { after, .. } => instance.ends_at = Some(now + after * share / 100),
            Fault::Unready => {
                instance.ready = false;
                instance.ready_at = None;
                instance.why = Some("readiness probe fails: HTTP 503".into());
                self.tell(id, Told::Unready);
                self.touch(id);
            }
        }
    }

    /// A fault lets go of an instance.
    pub(super) fn lift_fault(&mut self, id: InstanceId, fault: &Fault) {
        let soon = self.now + self.dice.between(1_000, 6_000);
        let Some(instance) = self.instances.get_mut(&id).filter(|i| i.phase == Phase::Running) else { return };
        match fault {
            Fault::Leak { .. } | Fault::Crash { .. } => instance.ends_at = None,
            Fault::Unready => instance.ready_at = Some(soon),
        }
        self.plan_run(id);
    }

    /// Plans what comes next for a running instance.
    pub(super) fn plan_run(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        instance.step += 1;
        let next = [instance.ready_at.filter(|_| !instance.ready), instance.ends_at].into_iter().flatten().min();
        if let Some(at) = next {
            self.plan_step(id, at);
        }
    }

    fn run_on(&mut self, id: InstanceId) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else { return };
        if instance.ends_at.is_some_and(|at| at <= now) {
            self.ended(id);
            return;
        }
        if !instance.ready && instance.ready_at.is_some_and(|at| at <= now) {
            instance.ready = true;
            instance.why = None;
            self.touch(id);
        }
        self.plan_run(id);
    }

    /// The process ended by itself or was killed.
    fn ended(&mut self, id: InstanceId) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let Some(workload) = self.workloads.get(&instance.workload) else { return };
        let (exit, reason) = match workload.fault_of(instance.slot, now).map(|f| &f.fault) {
            Some(Fault::Leak { .. }) => (137, oom_words(instance.definition.limits.mem)),
            Some(Fault::Crash { exit, .. }) => (*exit, format!("exit {exit}")),
            _ => (0, "exit 0".to_owned()),
        };
        let lasted = instance.started().map_or(0, |from| now - from);
        let to_completion = workload.kind.runs_to_completion();
        instance.ends_at = None;
        if let Some(run) = instance.runs.last_mut() {
            *run = Run { from: run.from, until: Some(now), exit, reason: reason.as_str().into() };
        }
        self.tell(id, Told::Ended { exit });
        if to_completion && exit == 0 {
            self.end_for_good(id, Phase::Succeeded, Text::default());
            return;
        }
        if self.kind == ClusterKind::Swarm {
            self.end_for_good(id, Phase::Failed, reason.into());
            return;
        }
        let Some(instance) = self.instances.get_mut(&id) else { return };
        instance.tries = if lasted >= SETTLED { 1 } else { instance.tries + 1 };
        instance.restarts += 1;
        // the first restart comes at once; from the second on the wait doubles
        let base = if self.kind == ClusterKind::Kubernetes { 10_000 } else { 1_000 };
        let wait = if instance.tries == 1 { 1_000 } else { backoff(base, instance.tries - 1) };
        let why = format!("restarting after {reason}, next try in up to {}", age_of(Duration::from_millis(wait.unsigned_abs())));
        let repeated = instance.tries > 1;
        self.set_phase(id, Phase::BackOff, Some(why.into()));
        if repeated {
            self.tell(id, Told::BackOff);
        }
        self.plan_step(id, now + wait);
    }

    /// An instance ends and does not come back; a Swarm slot gets another after the restart delay (5 s).
    pub(super) fn end_for_good(&mut self, id: InstanceId, phase: Phase, why: Text) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let (workload, slot, was_wanted) = (instance.workload, instance.slot, instance.wanted);
        instance.step += 1;
        if instance.started().is_some()
            && let Some(run) = instance.runs.last_mut()
        {
            run.until = Some(now);
        }
        if self.kind == ClusterKind::Swarm {
            instance.wanted = false;
        }
        let held = instance.clone();
        self.release(&held);
        self.set_phase(id, phase, (!why.is_empty()).then_some(why));
        if self.kind != ClusterKind::Swarm {
            return;
        }
        if let Some(slot) = self.workloads.get_mut(&workload).and_then(|w| w.slots.get_mut(&slot))
            && phase == Phase::Failed
            && was_wanted
        {
            slot.failures += 1;
            slot.not_before = now + 5_000;
        }
        self.plan(now + 5_000, super::platform::Due::Reconcile(workload));
        if phase == Phase::Failed && was_wanted {
            self.update_failed(workload, id);
        }
        self.prune_slot(workload, slot);
    }

    fn prune_slot(&mut self, workload: WorkloadId, slot: u32) {
        let Some(workload) = self.workloads.get(&workload) else { return };
        let old: Vec<InstanceId> =
            self.instances_of(workload).filter(|i| i.slot == slot && i.phase.ended()).map(|i| i.id).collect();
        for id in old.iter().take(old.len().saturating_sub(SLOT_HISTORY)) {
            self.remove(*id);
        }
    }

    /// Tells an instance to end. On a silent host nothing happens until it answers again.
    pub(super) fn stop(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        if instance.phase == Phase::Stopping || instance.phase.ended() {
            return;
        }
        instance.wanted = false;
        instance.ready_at = None;
        instance.ends_at = None;
        if instance.host.is_none() {
            self.remove(id);
            return;
        }
        self.set_phase(id, Phase::Stopping, None);
        self.tell(id, Told::Killing);
        let wait = self.dice.between(900, 2_800);
        self.plan_step(id, self.now + wait);
    }

    fn stopped(&mut self, id: InstanceId) {
        let Some(kind) = self.instances.get(&id).and_then(|i| self.workloads.get(&i.workload)).map(|w| w.kind) else {
            self.remove(id);
            return;
        };
        match kind {
            ServiceKind::Compose | ServiceKind::Container => {
                let now = self.now;
                if let Some(run) = self.instances.get_mut(&id).and_then(|i| i.runs.last_mut()) {
                    *run = Run { from: run.from, until: Some(now), exit: 143, reason: "stopped by hand".into() };
                }
                self.tell(id, Told::Ended { exit: 143 });
                self.set_phase(id, Phase::Stopped, Some("stopped by hand".into()));
            }
            ServiceKind::Replicated | ServiceKind::Global => self.end_for_good(id, Phase::Stopped, Text::default()),
            _ => self.remove(id),
        }
    }

    /// Starts a stopped container.
    pub(super) fn start(&mut self, id: InstanceId) {
        if let Some(instance) = self.instances.get_mut(&id) {
            instance.wanted = true;
            instance.tries = 0;
        }
        self.set_phase(id, Phase::Creating, Some("container is being made".into()));
        let wait = self.dice.between(300, 1_200);
        self.plan_step(id, self.now + wait);
    }
}

fn backoff(base: i64, tries: u32) -> i64 {
    base.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(LONGEST_BACKOFF)
}

fn oom_words(limit: u64) -> String {
    if limit == 0 { "out of memory".to_owned() } else { format!("out of memory (limit {})", bytes_of(limit)) }
}
