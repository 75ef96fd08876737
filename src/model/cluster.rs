//! A cluster as a whole: what it is, and how far what we know of it can be trusted.

use super::{Capabilities, ClusterId, Key, Text};
use crate::util::time::Timestamp;

/// Which platform runs a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClusterKind {
    /// A Kubernetes API server.
    Kubernetes,
    /// A Docker Swarm, seen through a manager.
    Swarm,
    /// A single Docker engine.
    Docker,
}

impl ClusterKind {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Swarm => "swarm",
            Self::Docker => "docker",
        }
    }
}

/// The connection to a cluster. Everything that is not [`Link::Live`] is said on screen, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// Never reached yet; the first attempt is under way.
    Connecting,
    /// There is proof of life from the last 15 s.
    Live,
    /// It was live, and there is no proof of life since then: the rows are old.
    Stale {
        /// The last proof of life.
        since: Timestamp,
        /// What went wrong, in words.
        reason: Text,
    },
    /// The cluster answered, and does not accept who we are.
    Unauthorised {
        /// The first refusal.
        since: Timestamp,
        /// What the server or the credential plugin said.
        reason: Text,
    },
    /// No attempt has reached it yet.
    Unreachable {
        /// The first failed attempt.
        since: Timestamp,
        /// What went wrong, in words.
        reason: Text,
    },
}

impl Link {
    /// Whether rows of this cluster may be shown as current.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }

    /// The word on screen.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Stale { .. } => "stale",
            Self::Unauthorised { .. } => "unauthorised",
            Self::Unreachable { .. } => "unreachable",
        }
    }

    /// Since when and why it is not live, if it ever was tried and is not.
    pub fn trouble(&self) -> Option<(Timestamp, &Text)> {
        match self {
            Self::Connecting | Self::Live => None,
            Self::Stale { since, reason } | Self::Unauthorised { since, reason } | Self::Unreachable { since, reason } => {
                Some((*since, reason))
            }
        }
    }
}

/// How complete one kind's table is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KindSync {
    /// Not listed yet.
    #[default]
    Waiting,
    /// The first list is arriving; this many rows so far. Also during a later relist, where old rows stay until it ends.
    Loading(u32),
    /// Listed whole, and changes are followed.
    Live,
    /// Listed and followed in some namespaces only, because all may not be read; which, in words.
    Narrowed(Text),
    /// This kind cannot be read though the cluster is live: forbidden, not served, or its list fails.
    Failed {
        /// First failure.
        since: Timestamp,
        /// In words, with what to do.
        reason: Text,
    },
}

/// The cluster's own row.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name in the fleet.
    pub id: ClusterId,
    /// Platform. A docker endpoint is `Docker` until its first answer says that it is a Swarm manager.
    pub kind: ClusterKind,
    /// Server address as configured, without credentials.
    pub endpoint: Text,
    /// Server version, once known.
    pub version: Option<Text>,
    /// Connection state.
    pub link: Link,
    /// Marked `protected` in the configuration: every action's danger is one step higher.
    pub protected: bool,
    /// Marked `read_only` in the configuration or by `--read-only`: no action is sent.
    pub read_only: bool,
    /// What can be asked of it.
    pub capabilities: Capabilities,
    /// The node whose engine answers, where that makes a difference: a Swarm's tasks can be deleted on their own engine
    /// only.
    pub engine: Option<Key>,
}
