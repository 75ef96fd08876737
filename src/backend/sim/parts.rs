//! What a simulated cluster is made of: hosts (nodes), workloads (services) and instances (tasks), with what a platform
//! keeps to itself about them.

use super::amount::Count;
use super::chance;
use super::placement::Constraint;
use super::scenario::{AutoscalePlan, Profile, UpdatePlan};
use crate::model::{Availability, Key, NodeState, Resources, RolloutState, ServiceKind, Taint, TaskState, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Milliseconds of virtual time from the opening; what was before is negative.
pub(super) type Moment = i64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HostId(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WorkloadId(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InstanceId(pub u64);

/// A machine.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub key: Key,
    pub uid: Key,
    pub name: Text,
    pub zone: Option<Text>,
    pub role: Text,
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
    pub allocatable: Resources,
    pub max_tasks: Option<u32>,
    pub address: Text,
    pub created: Moment,
    pub spec_rev: u64,
    pub availability: Availability,
    pub state: NodeState,
    pub since: Moment,
    pub why: Option<Text>,
    pub pressure: Vec<Text>,
    /// It does not answer: nothing moves on it, and its control plane has or has not noticed yet.
    pub silent: bool,
    /// Counts outages, so that what was planned for an earlier one does not happen in a later one.
    pub outage: u32,
    /// Images it holds.
    pub images: BTreeSet<Text>,
    pub reserved: Resources,
    pub instances: BTreeSet<InstanceId>,
}

/// What instances are made from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Definition {
    pub image: Text,
    pub requests: Resources,
    pub limits: Resources,
    pub constraint: Option<Constraint>,
    /// Counts redeploys: `kubectl rollout restart`'s annotation, Swarm's `ForceUpdate`.
    pub forced: u64,
}

impl Definition {
    /// Equal definitions have equal hashes.
    pub(super) fn hash(&self) -> u64 {
        let constraint = self.constraint.as_ref().map_or(0, |c| chance::of_text(&c.words()));
        [self.requests.cpu_m, self.requests.mem, self.limits.mem, constraint, self.forced]
            .iter()
            .fold(chance::of_text(&self.image), |h, n| chance::mix(h, *n))
    }
}

/// A disruption budget.
#[derive(Clone, Debug)]
pub(super) struct BudgetRule {
    /// `min available` (else `max unavailable`).
    pub keeps: bool,
    pub count: Count,
}

/// A fault that makes some instances of a workload misbehave for a while.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// Memory grows from the start of the run to the limit in this time.
    Leak { full_after: i64 },
    /// The process exits this long after its start.
    Crash { after: i64, exit: i32, says: Text },
    /// It runs and does not take work.
    Unready,
}

/// When a fault holds and on which slots.
#[derive(Clone, Debug)]
pub(super) struct FaultWindow {
    pub fault: Fault,
    pub from: Moment,
    pub until: Moment,
    /// Slots 1..=this.
    pub slots: u32,
}

/// What the platform remembers of one slot of a Swarm service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub failures: u32,
    /// The restart delay: no new task before this moment.
    pub not_before: Moment,
}

impl Default for Slot {
    fn default() -> Self {
        Self { failures: 0, not_before: Moment::MIN }
    }
}

/// What is kept running.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub id: WorkloadId,
    pub key: Key,
    pub name: Text,
    pub namespace: Text,
    pub kind: ServiceKind,
    pub stack: Option<Text>,
    pub profile: Profile,
    pub definition: Arc<Definition>,
    pub revision: u64,
    /// Earlier definitions with their revisions, oldest first.
    pub history: Vec<(u64, Arc<Definition>)>,
    pub generation: u64,
    /// The generation the controllers have seen.
    pub observed: u64,
    pub desired: u32,
    /// The number of tasks the work was meant for: what the demand is measured in.
    pub size: u32,
    pub surge: Count,
    pub unavailable: Count,
    pub deadline: i64,
    pub budget: Option<BudgetRule>,
    pub autoscale: Option<AutoscalePlan>,
    pub update: UpdatePlan,
    pub ports: Option<Text>,
    pub every: Option<i64>,
    pub takes: i64,
    pub warm_up: i64,
    pub created: Moment,
    pub changed: Moment,
    pub rollout: RolloutState,
    pub note: Option<Text>,
    /// Someone paused it.
    pub held: bool,
    /// The last moment a rollout got any further.
    pub progress_at: Moment,
    /// Most instances of the newest definition ready so far in this rollout: what counts as getting further.
    pub best: u32,
    /// Swarm: the next batch of an update is not taken before this moment.
    pub batch_at: Moment,
    pub instances: BTreeSet<InstanceId>,
    /// Whether a look by its controller is planned already.
    pub queued: bool,
    pub slots: BTreeMap<u32, Slot>,
    pub faults: Vec<FaultWindow>,
    /// Where the next instance should rather not go, until when.
    pub avoid: Option<(HostId, Moment)>,
    /// The CronJob that made this Job.
    pub owner: Option<WorkloadId>,
    /// The last moment the autoscaler changed the number.
    pub scaled_at: Moment,
}

impl Workload {
    /// `namespace/name`, as scenario files call it.
    pub(super) fn full_name(&self) -> String {
        if self.namespace.is_empty() { self.name.to_string() } else { format!("{}/{}", self.namespace, self.name) }
    }

    /// The fault that holds for a slot at a moment.
    pub(super) fn fault_of(&self, slot: u32, at: Moment) -> Option<&FaultWindow> {
        self.faults.iter().find(|f| slot <= f.slots && (f.from..f.until).contains(&at))
    }

    /// Writes a new definition; the old one joins the history.
    pub(super) fn define(&mut self, definition: Definition, now: Moment) {
        let old = std::mem::replace(&mut self.definition, Arc::new(definition));
        self.history.push((self.revision, old));
        if self.history.len() > 10 {
            self.history.remove(0);
        }
        self.revision = self.history.iter().map(|(r, _)| *r).max().unwrap_or(0).max(self.revision) + 1;
        self.start_rollout(RolloutState::Progressing, now);
        self.changed = now;
    }

    /// The specification changed: controllers look at it anew.
    pub(super) fn start_rollout(&mut self, state: RolloutState, now: Moment) {
        self.generation += 1;
        self.rollout = if self.held && self.kind == ServiceKind::Deployment { RolloutState::Paused } else { state };
        self.note = None;
        self.progress_at = now;
        self.best = 0;
        self.batch_at = now;
    }
}

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not placed.
    Pending,
    /// Its image is on the way.
    Pulling,
    /// The image could not be had; waits to try again.
    PullBackOff,
    /// Its container is made.
    Creating,
    /// Its process runs.
    Running,
    /// Its process ended; waits to start again.
    BackOff,
    /// Told to end.
    Stopping,
    /// Ended well.
    Succeeded,
    /// Ended badly, for good.
    Failed,
    /// Stopped by hand.
    Stopped,
}

impl Phase {
    pub(super) fn ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Stopped)
    }

    /// The word for it on a row.
    pub(super) fn state(self) -> TaskState {
        match self {
            Self::Pending => TaskState::Pending,
            Self::Pulling | Self::PullBackOff | Self::Creating | Self::BackOff => TaskState::Starting,
            Self::Running => TaskState::Running,
            Self::Stopping => TaskState::Stopping,
            Self::Succeeded => TaskState::Succeeded,
            Self::Failed => TaskState::Failed,
            Self::Stopped => TaskState::Stopped,
        }
    }
}

/// One run of an instance's process.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub from: Moment,
    /// None while it runs.
    pub until: Option<Moment>,
    pub exit: i32,
    pub reason: Text,
}

/// One running copy.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub id: InstanceId,
    pub key: Key,
    pub name: Text,
    pub workload: WorkloadId,
    pub host: Option<HostId>,
    pub slot: u32,
    pub definition: Arc<Definition>,
    /// Hash of the definition.
    pub made_of: u64,
    pub phase: Phase,
    pub since: Moment,
    pub created: Moment,
    pub ready: bool,
    pub wanted: bool,
    pub why: Option<Text>,
    pub restarts: u32,
    /// Failed tries in a row: of the image, then of the process.
    pub tries: u32,
    /// Counts what was planned for it; an agenda entry of an earlier step is void.
    pub step: u32,
    pub ready_at: Option<Moment>,
    pub ends_at: Option<Moment>,
    /// The last runs, oldest first.
    pub runs: Vec<Run>,
    /// Something was due while its host was silent.
    pub frozen: bool,
}

impl Instance {
    /// Whether its controllers count on it.
    pub(super) fn active(&self) -> bool {
        self.wanted && self.phase != Phase::Stopping && !self.phase.ended()
    }

    /// When the present run began.
    pub(super) fn started(&self) -> Option<Moment> {
        self.runs.last().filter(|run| run.until.is_none()).map(|run| run.from)
    }
}
