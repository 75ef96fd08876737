//! What lies on an engine though nothing uses it.

use super::{Key, Text};
use crate::util::time::Timestamp;

/// What sort of thing it is. In this order they are removed: what a container held is free only without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftoverKind {
    /// A container that does not run.
    Container,
    /// A network without containers.
    Network,
    /// An image without a name that no container is made of.
    Image,
    /// A record of the build cache.
    Cache,
    /// A volume that got its name from the engine, for one container.
    Volume,
    /// A volume that someone named, mostly to keep what is in it.
    NamedVolume,
}

impl LeftoverKind {
    /// All of them, in their order.
    pub const ALL: [Self; 6] = [Self::Container, Self::Network, Self::Image, Self::Cache, Self::Volume, Self::NamedVolume];

    /// What one of them is called, and several.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Container => ("stopped container", "stopped containers"),
            Self::Network => ("unused network", "unused networks"),
            Self::Image => ("image without a name", "images without a name"),
            Self::Cache => ("record of the build cache", "records of the build cache"),
            Self::Volume => ("unnamed volume", "unnamed volumes"),
            Self::NamedVolume => ("named volume", "named volumes"),
        }
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// What it is.
    pub kind: LeftoverKind,
    /// Its id; a volume has only its name.
    pub id: Key,
    /// When it was made, where its id alone does not tell it from another: a volume of the same name.
    pub made: Option<Timestamp>,
    /// Its name, for words.
    pub name: Text,
    /// Bytes that come back at least when it goes.
    pub size: u64,
}

impl Leftover {
    /// Whether `other` is the very same thing.
    pub fn is(&self, other: &Self) -> bool {
        (self.kind, &self.id, self.made) == (other.kind, &other.id, other.made)
    }
}

/// Which volumes go too when an engine is pruned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Volumes {
    /// None.
    #[default]
    Kept,
    /// Those that nobody named.
    Unnamed,
    /// All that no container has.
    All,
}

impl Volumes {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Kept, Self::Unnamed, Self::All];

    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Unnamed => "unnamed go",
            Self::All => "named go too",
        }
    }

    /// Whether something of this kind goes.
    pub fn take(self, kind: LeftoverKind) -> bool {
        match kind {
            LeftoverKind::Volume => self != Self::Kept,
            LeftoverKind::NamedVolume => self == Self::All,
            _ => true,
        }
    }
}
