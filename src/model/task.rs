//! One running copy of a service.

use super::{Key, Keyed, Resources, Text};
use crate::util::time::Timestamp;

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskState {
    /// Not placed on a node yet.
    Pending,
    /// Placed; images, volumes, start are under way or being retried.
    Starting,
    /// Its main process runs.
    Running,
    /// Told to end, not gone yet.
    Stopping,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// On a node that does not answer: nobody knows.
    Lost,
    /// Stopped by hand (an exited container that nothing restarts).
    Stopped,
}

impl TaskState {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Stopped => "stopped",
        }
    }

    /// Whether it has ended and will not run again.
    pub fn ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Stopped)
    }
}

/// How the last run of a task's container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// When.
    pub at: Option<Timestamp>,
    /// Exit code of the process.
    pub exit: i32,
    /// Why, in words: `out of memory (limit 256 MiB)`, `exit 1`.
    pub reason: Text,
}

/// One running copy: pod, Swarm task, container.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Row identity, and the platform's unique id.
    pub key: Key,
    /// Name on screen: pod name, `service.slot` (Swarm), container name.
    pub name: Text,
    /// As [`super::Service::namespace`].
    pub namespace: Text,
    /// The service it belongs to.
    pub service: Option<Key>,
    /// Kind of the object that keeps it running, in the platform's own word, whether or not that is a row of ours
    /// (`ReplicaSet`, `Cluster`; `Node` for a static pod). None where nothing makes it again, and in a swarm or on an engine,
    /// where the service says it all.
    pub controller: Option<Text>,
    /// The node it is on, once placed.
    pub node: Option<Key>,
    /// Where it is in its life.
    pub state: TaskState,
    /// Whether it takes work (ready condition; healthy healthcheck; running where there is no check).
    pub ready: bool,
    /// Whether the platform wants it to run. An old Swarm task with desired state `shutdown` is kept for its story only.
    pub wanted: bool,
    /// Why it is not running and ready, in words an operator reads at night: `image not found: web:1.3`,
    /// `no node satisfies node.labels.ssd == true`, `restarting after exit 1, next try in up to 5m`.
    pub why: Option<Text>,
    /// Whether `why` tells of something that does not pass by itself (image not found, no node takes it), as against a
    /// step of a start that is well on its way (preparing volumes, pulling an image).
    pub stuck: bool,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// Image of the first container, without digest.
    pub image: Text,
    /// Restarts of its containers so far. In Swarm: earlier tasks of the same slot that failed.
    pub restarts: u32,
    /// How its last run ended, if it ended before.
    pub last_end: Option<Ending>,
    /// Which definition it was made from (pod-template-hash, Swarm spec hash); equal strings are the same definition.
    pub revision: Option<Text>,
    /// What the scheduler sets aside for it.
    pub requests: Resources,
    /// What it may use at most; zero is no limit.
    pub limits: Resources,
    /// Names of its containers.
    pub containers: Box<[Text]>,
    /// Seconds it gets to end before it is killed, where that is known.
    pub grace: Option<u32>,
    /// When it was made.
    pub created: Timestamp,
}

impl Task {
    /// Restarts from which on they are no accident: a single one happens.
    const AGAIN: u32 = 2;

    /// Whether it lives and has been started again more than once, and how it ended is known.
    pub fn comes_back(&self) -> bool {
        self.restarts >= Self::AGAIN && self.last_end.is_some() && !self.state.ended()
    }
}

impl Keyed for Task {
    fn key(&self) -> &Key {
        &self.key
    }
}
