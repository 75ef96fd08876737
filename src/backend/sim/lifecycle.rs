//! The life of one instance around the runs of its process: made, placed, image pulled, stopped, gone.

use super::chance;
use super::parts::{HostId, Instance, InstanceId, Moment, Phase, Run, WorkloadId};
use super::platform::Platform;
use super::reports::Told;
use super::run::backoff;
use crate::model::{ClusterKind, Key, ServiceKind, Text};

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

    fn settle(&mut self, id: InstanceId, host_id: HostId) {
        let Some(instance) = self.instances.get_mut(&id) else { return };
        let Some(host) = self.hosts.get_mut(&host_id) else { return };
        instance.host = Some(host_id);
        host.instances.insert(id);
        host.reserved = host.reserved.plus(instance.definition.requests);
        let held_until = self.workloads.get(&instance.workload).and_then(|w| w.slots.get(&instance.slot)).map(|s| s.not_before);
        self.tell(id, Told::Scheduled);
        match held_until.filter(|until| self.kind == ClusterKind::Swarm && *until > self.now) {
            Some(until) => self.hold(id, until),
            None => self.pull(id),
        }
    }

    /// Swarm makes the next task of a slot at once and starts it after the restart delay, or when the one before has gone.
    fn hold(&mut self, id: InstanceId, until: Moment) {
        let Some(instance) = self.instances.get(&id) else { return };
        let Some(workload) = self.workloads.get(&instance.workload) else { return };
        let before = self.instances_of(workload).filter(|i| i.slot == instance.slot && i.id != id).last();
        let failed = before.filter(|i| i.phase == Phase::Failed).and_then(|i| i.why.clone());
        let why: Text = match failed {
            Some(why) if why.starts_with("image not found") => why,
            Some(why) => format!("restarting after {why}, next try in up to 5s").into(),
            None => "waits for the task before it to stop".into(),
        };
        let tries = u32::from(why.starts_with("image not found"));
        if let Some(instance) = self.instances.get_mut(&id) {
            instance.tries = tries;
        }
        self.set_phase(id, Phase::BackOff, Some(why));
        self.plan_step(id, until);
    }

    /// Sets an instance on a host as if it had run for long: how the fleet looks before the first happening.
    pub(super) fn settle_running(&mut self, id: InstanceId, host_id: HostId, started: Moment) {
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
            Phase::PullBackOff | Phase::BackOff => self.pull(id),
            Phase::Creating => self.started(id),
            Phase::Running => self.run_on(id),
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

    /// Ends a container's process and starts it again.
    pub(super) fn restart(&mut self, id: InstanceId) {
        let now = self.now;
        if let Some(instance) = self.instances.get_mut(&id) {
            if let Some(run) = instance.runs.last_mut().filter(|run| run.until.is_none()) {
                *run = Run { from: run.from, until: Some(now), exit: 143, reason: "restarted by hand".into() };
            }
            (instance.ready_at, instance.ends_at, instance.since) = (None, None, now);
        }
        self.tell(id, Told::Ended { exit: 143 });
        self.start(id);
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
