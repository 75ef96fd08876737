//! What a platform says just before an action is confirmed, where no row shows it.

use super::{ActionKind, Key, Leftover, Text};
use std::sync::Arc;

/// An answer, or that there is none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The object the action is for.
    pub key: Key,
    /// The action.
    pub action: ActionKind,
    /// What came of it.
    pub answer: Answer,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is being asked, or was not yet.
    Asking,
    /// It is not known, and why.
    Failed(Text),
    /// What there is.
    Found(Found),
}

/// A container of a service's tasks, and whether a node that makes one pulls its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// Its name.
    pub container: Text,
    /// Its image.
    pub image: Text,
    /// The platform's own word: `Always`, `IfNotPresent`, `Never`.
    pub policy: Text,
}

/// An earlier definition by its number, as for [`super::Action::RollBack`], and what going back to it would change, in
/// lines.
pub type Distance = (u64, Vec<Text>);

/// What a platform found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// For [`super::Action::Prune`].
    Leftovers(Arc<[Leftover]>),
    /// For [`super::Action::RotateToken`]: the version of the swarm itself.
    Swarm(u64),
    /// For [`super::Action::Redeploy`], where each container has a policy of its own.
    Pulls(Arc<[Pull]>),
    /// For [`super::Action::RollBack`]: what each earlier definition would change, newest first.
    Earlier(Arc<[Distance]>),
}
