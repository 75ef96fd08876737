//! A machine that runs tasks.

use super::{Key, Keyed, Resources, Taint, Text};
use crate::util::time::Timestamp;

/// Whether the node answers its control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeState {
    /// Heartbeats arrive.
    Ready,
    /// It reports that it cannot run tasks (Kubernetes `Ready=False`).
    NotReady,
    /// It stopped reporting (Kubernetes `Ready=Unknown`, Swarm `down`, `disconnected`).
    Down,
    /// The platform does not say (Swarm right after a leader change).
    Unknown,
}

impl NodeState {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not ready",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether the scheduler may place tasks on it. Kubernetes knows active and paused (cordoned); Swarm all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Availability {
    /// Takes new tasks.
    Active,
    /// Takes no new tasks, keeps those it has: cordoned, `pause`.
    Paused,
    /// Takes no new tasks and gives away those it has: Swarm `drain`.
    Drained,
}

impl Availability {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Drained => "drained",
        }
    }
}

/// A machine that runs tasks. How many it runs and what they reserve is derived by the store: [`super::NodeLoad`].
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Row identity: what tasks refer to.
    pub key: Key,
    /// The platform's unique id of this very object; differs when a node of the same name was made anew.
    pub uid: Key,
    /// Changes exactly when the specification changes; see [`super::Bound`].
    pub spec_rev: u64,
    /// Name on screen.
    pub name: Text,
    /// All its labels, by key.
    pub labels: Box<[(Text, Text)]>,
    /// What keeps tasks away, which only Kubernetes knows.
    pub taints: Box<[Taint]>,
    /// Zone label (`topology.kubernetes.io/zone`, Swarm label `zone`).
    pub zone: Option<Text>,
    /// `control-plane`, `worker`, `leader`, `manager`, `engine`.
    pub role: Text,
    /// Health as its control plane sees it.
    pub state: NodeState,
    /// Since when it is in that state, where the platform says.
    pub since: Option<Timestamp>,
    /// Why it is not ready, in words.
    pub why: Option<Text>,
    /// Whether it takes tasks.
    pub availability: Availability,
    /// Pressures and other bad conditions, in words: `memory pressure`, `disk pressure`.
    pub pressure: Box<[Text]>,
    /// What the machine has to give to tasks.
    pub allocatable: Resources,
    /// Most tasks it takes (Kubernetes `pods`), where there is a limit.
    pub max_tasks: Option<u32>,
    /// Engine or kubelet version.
    pub version: Text,
    /// Address within the cluster.
    pub address: Text,
    /// When it joined.
    pub created: Timestamp,
}

impl Node {
    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&Text> {
        self.labels.iter().find(|(of, _)| of.as_str() == key).map(|(_, value)| value)
    }

    /// Whether it manages its swarm.
    pub fn is_manager(&self) -> bool {
        matches!(self.role.as_str(), "leader" | "manager")
    }
}

impl Keyed for Node {
    fn key(&self) -> &Key {
        &self.key
    }
}
