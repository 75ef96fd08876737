//! Names of things: which cluster, which object in it, which operation, which log tail.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the raw identifier as the platform gives it; it is sent back as it is and never shown unsanitised.
            pub fn new(raw: &str) -> Self {
                Self(Arc::from(raw))
            }

            /// The raw identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(raw: &str) -> Self {
                Self::new(raw)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

string_id! {
    /// A cluster of the fleet, by the name it has on screen (context name, docker context name, config key). Unique in
    /// the fleet: discovery adds a suffix where two sources use one name.
    ClusterId
}

string_id! {
    /// An object within one cluster and one [`Kind`]; the identity rows, cursors and joins hold on to.
    ///
    /// | kind | Kubernetes | Swarm | engine |
    /// |---|---|---|---|
    /// | node | node name (what pods refer to) | node ID | engine ID |
    /// | service | uid of the workload | service ID | Compose `project/service`, or the container ID of a lone container |
    /// | task | uid of the pod | task ID | container ID |
    /// | event | uid of the event | made from time, type, actor | the same |
    Key
}

/// The kinds of rows a cluster is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A machine that runs tasks.
    Node,
    /// What is kept running: Deployment, Swarm service, Compose service, …
    Service,
    /// One running copy: pod, Swarm task, container.
    Task,
    /// Something the platform reported.
    Event,
}

impl Kind {
    /// All kinds, in the order of [`Kind::index`].
    pub const ALL: [Self; 4] = [Self::Node, Self::Service, Self::Task, Self::Event];

    /// Position in arrays that hold one thing per kind.
    pub fn index(self) -> usize {
        match self {
            Self::Node => 0,
            Self::Service => 1,
            Self::Task => 2,
            Self::Event => 3,
        }
    }

    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Service => "service",
            Self::Task => "task",
            Self::Event => "event",
        }
    }
}

/// One object of the fleet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Where it lives.
    pub cluster: ClusterId,
    /// Which table it is in.
    pub kind: Kind,
    /// Which row of that table it is.
    pub key: Key,
}

/// An operation, numbered by the engine from 1 in the order they were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u64);

/// A log tail, numbered by whoever opens it; a new view takes a new number, so late lines of a closed one are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TailId(pub u64);
