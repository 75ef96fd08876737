//! One simulated cluster: a state machine in virtual time. It never waits and reads no clock; [`Platform::advance`] does
//! what is due until a moment, in the order it is due, so the size of the steps makes no difference.

use super::chance::Dice;
use super::parts::{Host, HostId, Instance, InstanceId, Moment, Phase, Workload, WorkloadId};
use super::story::HappeningPlan;
use crate::model::{ClusterId, ClusterKind, Event, Key, TaskState, Text};
use crate::util::time::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// What is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The next step of an instance's life, if it is still at that step.
    Instance(InstanceId, u32),
    /// A controller looks at a workload.
    Reconcile(WorkloadId),
    /// Unplaced instances are looked at again.
    Place,
    /// The control plane misses a host's heartbeats.
    HostMissed(HostId, u32),
    /// Instances of a lost host are given up.
    HostGivenUp(HostId, u32),
    /// A happening begins: which, and the how-manieth time.
    Happening(usize, u32),
    /// It ends, on the target it began on.
    HappeningEnds(usize, u32),
    /// A rollout of this revision has had its time.
    Deadline(WorkloadId, u64),
    /// The autoscaler looks.
    Autoscale(WorkloadId),
    /// A CronJob makes a Job.
    Cron(WorkloadId),
}

/// The cluster cannot be reached.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cut {
    pub since: Moment,
    pub until: Moment,
    pub reason: Text,
}

/// Rows that differ from what was last told.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub hosts: BTreeSet<HostId>,
    pub workloads: BTreeSet<WorkloadId>,
    pub instances: BTreeSet<InstanceId>,
    pub events: BTreeSet<Key>,
    pub gone_hosts: Vec<Key>,
    pub gone_workloads: Vec<Key>,
    pub gone_instances: Vec<Key>,
    pub gone_events: Vec<Key>,
}

/// See the module's description.
#[derive(Debug)]
pub(super) struct Platform {
    pub id: ClusterId,
    pub kind: ClusterKind,
    pub version: Text,
    pub endpoint: Text,
    pub protected: bool,
    pub seed: u64,
    pub epoch: Timestamp,
    pub now: Moment,
    pub dice: Dice,
    pub hosts: BTreeMap<HostId, Host>,
    pub workloads: BTreeMap<WorkloadId, Workload>,
    pub instances: BTreeMap<InstanceId, Instance>,
    pub events: BTreeMap<Key, Event>,
    pub missing_images: BTreeSet<String>,
    pub happenings: Vec<HappeningPlan>,
    pub cut: Option<Cut>,
    pub changed: Changed,
    pub pending: BTreeSet<InstanceId>,
    /// What was pruned of what only lies there.
    pub swept: BTreeSet<Key>,
    /// How often the join tokens of workers and of managers were made anew.
    pub rotated: [u32; 2],
    pub next_id: u64,
    agenda: BinaryHeap<Reverse<(Moment, u64, Due)>>,
    planned: u64,
    place_queued: bool,
}

impl Platform {
    pub(super) fn empty(id: ClusterId, kind: ClusterKind, seed: u64, epoch: Timestamp, now: Moment) -> Self {
        Self {
            id,
            kind,
            version: Text::default(),
            endpoint: Text::default(),
            protected: false,
            seed,
            epoch,
            now,
            dice: Dice::new(seed),
            hosts: BTreeMap::new(),
            workloads: BTreeMap::new(),
            instances: BTreeMap::new(),
            events: BTreeMap::new(),
            missing_images: BTreeSet::new(),
            happenings: Vec::new(),
            cut: None,
            changed: Changed::default(),
            pending: BTreeSet::new(),
            swept: BTreeSet::new(),
            rotated: [0; 2],
            next_id: 1,
            agenda: BinaryHeap::new(),
            planned: 0,
            place_queued: false,
        }
    }

    /// Does everything that is due until `to`.
    pub(super) fn advance(&mut self, to: Moment) {
        while let Some(Reverse((at, _, due))) = self.agenda.peek().copied() {
            if at > to {
                break;
            }
            self.agenda.pop();
            self.now = self.now.max(at);
            self.act(due);
        }
        self.now = self.now.max(to);
    }

    /// When the next thing is due.
    pub(super) fn next_due(&self) -> Option<Moment> {
        self.agenda.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Plans `due` for `at`; things planned for one moment happen in the order they were planned.
    pub(super) fn plan(&mut self, at: Moment, due: Due) {
        self.planned += 1;
        self.agenda.push(Reverse((at.max(self.now), self.planned, due)));
    }

    fn act(&mut self, due: Due) {
        match due {
            Due::Instance(id, step) => self.instance_due(id, step),
            Due::Reconcile(id) => self.reconcile(id),
            Due::Place => {
                self.place_queued = false;
                for id in std::mem::take(&mut self.pending) {
                    self.place(id);
                }
            }
            Due::HostMissed(id, outage) => self.host_missed(id, outage),
            Due::HostGivenUp(id, outage) => self.host_given_up(id, outage),
            Due::Happening(index, times) => self.happening_begins(index, times),
            Due::HappeningEnds(index, times) => self.happening_ends(index, times),
            Due::Deadline(id, revision) => self.deadline(id, revision),
            Due::Autoscale(id) => self.autoscale(id),
            Due::Cron(id) => self.cron(id),
        }
    }

    /// A moment as the rows tell it.
    pub(super) fn stamp(&self, at: Moment) -> Timestamp {
        Timestamp(self.epoch.0.saturating_add(at))
    }

    /// Plans the next step of an instance's life and voids what was planned before.
    pub(super) fn plan_step(&mut self, id: InstanceId, at: Moment) {
        if let Some(instance) = self.instances.get_mut(&id) {
            instance.step += 1;
            let step = instance.step;
            self.plan(at, Due::Instance(id, step));
        }
    }

    /// Puts an instance into a phase.
    pub(super) fn set_phase(&mut self, id: InstanceId, phase: Phase, why: Option<Text>) {
        let now = self.now;
        if let Some(instance) = self.instances.get_mut(&id) {
            // the tries of a task that does not get ready (pull, start, fail, wait) do not make its trouble younger
            let trying = |phase: Phase| matches!(phase.state(), TaskState::Starting | TaskState::Running);
            let ready_lost = instance.ready && phase != Phase::Running;
            if ready_lost || (instance.phase.state() != phase.state() && !(trying(instance.phase) && trying(phase))) {
                instance.since = now;
            }
            instance.phase = phase;
            instance.why = why;
            if phase != Phase::Running {
                instance.ready = false;
            }
        }
        self.touch(id);
    }

    /// An instance is different: its row and its workload's row are told, and its controller looks.
    pub(super) fn touch(&mut self, id: InstanceId) {
        self.changed.instances.insert(id);
        if let Some(workload) = self.instances.get(&id).map(|i| i.workload) {
            self.touch_workload(workload);
        }
    }

    /// A workload is different: its row is told, and its controller looks a moment later.
    pub(super) fn touch_workload(&mut self, id: WorkloadId) {
        self.changed.workloads.insert(id);
        let delay = self.dice.between(60, 180);
        if let Some(workload) = self.workloads.get_mut(&id)
            && !std::mem::replace(&mut workload.queued, true)
        {
            self.plan(self.now + delay, Due::Reconcile(id));
        }
    }

    /// Room or a host was won: unplaced instances are looked at again soon.
    pub(super) fn room_changed(&mut self) {
        if !self.pending.is_empty() && !std::mem::replace(&mut self.place_queued, true) {
            self.plan(self.now + 250, Due::Place);
        }
    }

    /// The host's control plane counts it as gone.
    pub(super) fn host_down(&self, host: Option<HostId>) -> bool {
        host.and_then(|h| self.hosts.get(&h)).is_some_and(|h| h.state != crate::model::NodeState::Ready)
    }

    /// The instances of a workload, oldest first.
    pub(super) fn instances_of<'a>(&'a self, workload: &'a Workload) -> impl Iterator<Item = &'a Instance> {
        workload.instances.iter().filter_map(|id| self.instances.get(id))
    }

    /// Takes an instance away.
    pub(super) fn remove(&mut self, id: InstanceId) {
        let Some(instance) = self.instances.remove(&id) else { return };
        self.release(&instance);
        self.pending.remove(&id);
        self.changed.instances.remove(&id);
        self.changed.gone_instances.push(instance.key);
        if let Some(workload) = self.workloads.get_mut(&instance.workload) {
            workload.instances.remove(&id);
        }
        self.touch_workload(instance.workload);
    }

    /// Gives back what an instance took of its host.
    pub(super) fn release(&mut self, instance: &Instance) {
        if let Some(host) = instance.host.and_then(|h| self.hosts.get_mut(&h))
            && host.instances.remove(&instance.id)
        {
            host.reserved = host.reserved.minus(instance.definition.requests);
            self.room_changed();
        }
    }
}
