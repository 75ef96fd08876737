//! What is kept running.

use super::{Key, Keyed, Text};
use crate::util::time::Timestamp;

/// What sort of service it is; decides which actions make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceKind {
    /// Kubernetes Deployment.
    Deployment,
    /// Kubernetes StatefulSet.
    StatefulSet,
    /// Kubernetes DaemonSet: one task a node.
    DaemonSet,
    /// Kubernetes Job.
    Job,
    /// Kubernetes CronJob: makes Jobs by the clock.
    CronJob,
    /// Kubernetes ReplicaSet that belongs to nothing.
    ReplicaSet,
    /// Swarm replicated service.
    Replicated,
    /// Swarm global service: one task a node.
    Global,
    /// Swarm replicated or global job.
    SwarmJob,
    /// Compose service of a single engine.
    Compose,
    /// A container started by hand.
    Container,
}

impl ServiceKind {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
            Self::Job => "job",
            Self::CronJob => "cronjob",
            Self::ReplicaSet => "replicaset",
            Self::Replicated => "replicated",
            Self::Global => "global",
            Self::SwarmJob => "job",
            Self::Compose => "compose",
            Self::Container => "container",
        }
    }

    /// Whether it runs one task on each fitting node, so that a number of replicas means nothing.
    pub fn one_per_node(self) -> bool {
        matches!(self, Self::DaemonSet | Self::Global)
    }

    /// Whether its tasks are meant to end.
    pub fn runs_to_completion(self) -> bool {
        matches!(self, Self::Job | Self::CronJob | Self::SwarmJob)
    }
}

/// Where a rollout stands, by the platform's own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RolloutState {
    /// Nothing is under way: the newest definition is what runs.
    Stable,
    /// Tasks are being replaced, added or removed.
    Progressing,
    /// Held by someone, or by Swarm after a failure (`paused`).
    Paused,
    /// Going back to the previous definition by itself or by request.
    RollingBack,
    /// Given up: deadline exceeded, rollback paused.
    Failed,
}

/// A rollout as the platform reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// State.
    pub state: RolloutState,
    /// The platform's message, cleaned, where it adds something.
    pub note: Option<Text>,
}

impl Rollout {
    /// Nothing under way.
    pub const STABLE: Self = Self { state: RolloutState::Stable, note: None };
}

/// Which of a service's tasks take a new definition by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateStrategy {
    /// All.
    Rolling,
    /// All but the first so many: the partition of a StatefulSet.
    Partition(u32),
    /// None: each takes it when someone deletes it.
    OnDelete,
}

/// A PodDisruptionBudget that covers the service's tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Name of the budget.
    pub name: Text,
    /// How many tasks may be disrupted right now (`status.disruptionsAllowed`).
    pub allowed: u32,
    /// What it asks for, in words: `min available 2`, `max unavailable 25%`.
    pub rule: Text,
    /// Another budget that covers the same tasks. The server then evicts none of them, whatever both allow.
    pub beside: Option<Text>,
}

/// A definition a service had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its number.
    pub revision: u64,
    /// Image of the first container, without digest.
    pub image: Text,
    /// When it was made, where that is known.
    pub made: Option<Timestamp>,
}

/// What sets the number of a service's tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autoscaler {
    /// Its name.
    pub name: Text,
    /// Fewest tasks it sets.
    pub min: u32,
    /// Most tasks it sets.
    pub max: u32,
}

impl std::fmt::Display for Autoscaler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} to {}", self.name, self.min, self.max)
    }
}

/// What is kept running. Counts are the platform's own where it gives them (Kubernetes status); for Swarm and Compose the
/// backend counts tasks that are wanted, running, and on a node that is not down.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Row identity, and the platform's unique id.
    pub key: Key,
    /// Changes exactly when the specification changes; see [`super::Bound`].
    pub spec_rev: u64,
    /// The `spec_rev` that the platform's controllers have seen and that the counts below speak of
    /// (Kubernetes `status.observedGeneration`). Equal to `spec_rev` where the platform has no such thing.
    pub observed_rev: u64,
    /// Name on screen. In Swarm with the stack's prefix, as `docker service ls` shows it.
    pub name: Text,
    /// Kubernetes namespace; Swarm stack; Compose project; empty where there is none.
    pub namespace: Text,
    /// Sort of service.
    pub kind: ServiceKind,
    /// Stack it belongs to (`app.kubernetes.io/part-of`, Helm release, Swarm stack, Compose project).
    pub stack: Option<Text>,
    /// Image of the first container, without digest.
    pub image: Text,
    /// Name of the first container; empty where a platform has one container a task.
    pub container: Text,
    /// The containers after the first, those last that run before the others: name, and image without digest.
    pub beside: Box<[(Text, Text)]>,
    /// Tasks wanted; none for kinds without a number (CronJob).
    pub desired: Option<u32>,
    /// Tasks that are ready.
    pub ready: u32,
    /// Tasks of the newest definition.
    pub updated: u32,
    /// Tasks that exist, of any definition and in any live state.
    pub current: u32,
    /// Where its rollout stands.
    pub rollout: Rollout,
    /// Which of its tasks take a new definition by themselves.
    pub strategy: UpdateStrategy,
    /// Number of the running definition, where the platform counts them (Deployment revision).
    pub revision: Option<Text>,
    /// What a roll back would go to, in words (`revision 6 · image web:1.2`); none when there is nothing to go back to.
    pub previous: Option<Text>,
    /// The definitions that a roll back can go to, the previous one first, where the platform keeps several.
    pub earlier: Box<[Earlier]>,
    /// The budget that eviction must respect.
    pub budget: Option<Budget>,
    /// The autoscaler that owns the number of tasks, where there is one.
    pub autoscaler: Option<Autoscaler>,
    /// Suspended CronJob or Job.
    pub suspended: bool,
    /// Placement in words: `node.labels.ssd == true`.
    pub placement: Option<Text>,
    /// Published ports in words: `8080→80/tcp`.
    pub ports: Option<Text>,
    /// When it was made.
    pub created: Timestamp,
    /// When its definition last changed, where the platform says.
    pub changed: Option<Timestamp>,
}

impl Service {
    /// Whether fewer serve than are wanted.
    pub fn is_short(&self) -> bool {
        self.desired.is_some_and(|desired| self.ready < desired)
    }

    /// Its containers: name and image.
    pub fn images(&self) -> impl Iterator<Item = (&Text, &Text)> {
        std::iter::once((&self.container, &self.image)).chain(self.beside.iter().map(|(name, image)| (name, image)))
    }

    /// Whether someone holds it: its rollout is paused, or it is suspended. One that rests where its strategy ends waits for
    /// nobody to resume it.
    pub fn is_held(&self) -> bool {
        self.suspended || self.rollout.state == RolloutState::Paused && self.strategy == UpdateStrategy::Rolling
    }

    /// How many of its tasks take a new definition by themselves.
    pub fn renews(&self) -> u32 {
        let all = self.desired.unwrap_or(self.current);
        match self.strategy {
            UpdateStrategy::Rolling => all,
            UpdateStrategy::Partition(first) => all.saturating_sub(first),
            UpdateStrategy::OnDelete => 0,
        }
    }
}

impl Keyed for Service {
    fn key(&self) -> &Key {
        &self.key
    }
}
