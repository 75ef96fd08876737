//! What an operator can ask for. One table ([`ActionKind::spec`]) says of each action what it is called, what it acts on
//! and how dangerous it is; keys, palette, dialogs and help derive from it.

use super::{Key, Kind, LabelEdit, Leftover, ObjectRef, TaintEdit, Text, Volumes};
use std::sync::Arc;

/// An action with its parameters: a typed value, never a closure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Change the number of tasks of a service.
    Scale {
        /// Tasks wanted.
        to: u32,
    },
    /// Make new tasks of a service from the same definition.
    Redeploy {
        /// With the image that its tag stands for by now.
        pull: bool,
    },
    /// Go back to an earlier definition of a service.
    RollBack {
        /// Its revision where the platform keeps several, and the `spec_rev` it had where it keeps one (Swarm); none is the
        /// previous one, whichever that is.
        to: Option<u64>,
    },
    /// Move tasks of a service so that nodes and zones carry it evenly.
    Rebalance,
    /// Move one task to another node.
    Reschedule,
    /// Delete one task; its service makes a new one. On an engine only one that does not run.
    DeleteTask {
        /// Seconds it gets to end before it is killed; none is what it was made with.
        grace: Option<u32>,
    },
    /// Take no new tasks on a node: cordon, pause.
    Pause,
    /// Take tasks on a node again: uncordon, activate.
    Activate,
    /// Cordon a node and move its tasks away, respecting budgets; the node stays cordoned.
    Evacuate,
    /// The platform's own drain: `kubectl drain`, Swarm availability `drain`.
    Drain,
    /// Start a stopped container.
    Start,
    /// Stop a container.
    Stop,
    /// Stop a container and start it again.
    Restart,
    /// End a container's process at once.
    Kill,
    /// Delete a task whether it runs or not.
    ForceDelete {
        /// As for [`Action::DeleteTask`].
        grace: Option<u32>,
    },
    /// Hold a service: a Deployment's rollout (`spec.paused`), a Job or what a CronJob makes (`spec.suspend`).
    Hold,
    /// Let a held service go on.
    Resume,
    /// Make a Job from a CronJob's template now.
    Trigger,
    /// Delete a service.
    DeleteService {
        /// What becomes of its tasks.
        propagation: Propagation,
    },
    /// Make a worker of a swarm a manager.
    Promote,
    /// Make a manager of a swarm a worker.
    Demote,
    /// Take a node out of its swarm.
    RemoveNode {
        /// Also while it is up.
        force: bool,
    },
    /// Set labels of a node, or take them away.
    Label {
        /// Which.
        edits: Box<[LabelEdit]>,
    },
    /// Put taints on a node, or take them away.
    Taint {
        /// Which.
        edits: Box<[TaintEdit]>,
    },
    /// Change the image of one container of a service.
    SetImage {
        /// The container's name; empty where a platform has one container a task.
        container: Text,
        /// The image wanted.
        image: Text,
    },
    /// Remove what nothing uses on an engine.
    Prune {
        /// Which volumes go too.
        volumes: Volumes,
        /// What was seen; nothing else goes. Volumes that are kept are among it.
        seen: Arc<[Leftover]>,
    },
    /// Make a new token for nodes that join a swarm; the one there is ends.
    RotateToken {
        /// For managers (else for workers).
        managers: bool,
        /// The version of the swarm that was seen; none before it was.
        version: Option<u64>,
    },
}

/// What becomes of the tasks of a service that is deleted. Only Kubernetes knows more than the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They end after it is gone.
    #[default]
    Background,
    /// They end first, and then it goes.
    Foreground,
    /// They go on, and belong to nothing.
    Orphan,
}

impl Propagation {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Background, Self::Foreground, Self::Orphan];

    /// The word on screen, as `kubectl delete --cascade` has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Foreground => "foreground",
            Self::Orphan => "orphan",
        }
    }
}

/// An action without parameters, for tables and capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is the Action of the same name")]
pub enum ActionKind {
    Scale,
    Redeploy,
    RollBack,
    Rebalance,
    Reschedule,
    DeleteTask,
    Pause,
    Activate,
    Evacuate,
    Drain,
    Start,
    Stop,
    Restart,
    Kill,
    ForceDelete,
    Hold,
    Resume,
    Trigger,
    DeleteService,
    SetImage,
    Promote,
    Demote,
    RemoveNode,
    Label,
    Taint,
    Prune,
    RotateToken,
}

/// How much confirmation an action needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Danger {
    /// Preview, then enter.
    Reversible,
    /// Preview, then `y`.
    Disruptive,
    /// Preview, then the object's name typed.
    Destructive,
}

impl Danger {
    /// One step up the ladder, as in a protected cluster.
    #[must_use]
    pub fn raised(self) -> Self {
        match self {
            Self::Reversible => Self::Disruptive,
            Self::Disruptive | Self::Destructive => Self::Destructive,
        }
    }
}

/// A row of the action table.
#[derive(Clone, Copy, Debug)]
pub struct ActionSpec {
    /// Imperative words for menus and dialogs: `roll back`.
    pub label: &'static str,
    /// What it acts on.
    pub on: Kind,
    /// How much confirmation it needs at least; the preview may raise it (scale to zero, single replica).
    pub danger: Danger,
    /// Whether it goes step by step, and looks before each at what is left to do: it can be paused between two, and goes on
    /// when it is begun again.
    pub stepwise: bool,
}

impl ActionKind {
    /// All kinds, in the order menus show them.
    pub const ALL: [Self; 27] = [
        Self::Scale,
        Self::Redeploy,
        Self::RollBack,
        Self::Rebalance,
        Self::Reschedule,
        Self::DeleteTask,
        Self::Pause,
        Self::Activate,
        Self::Evacuate,
        Self::Drain,
        Self::Start,
        Self::Stop,
        Self::Restart,
        Self::Kill,
        Self::ForceDelete,
        Self::Hold,
        Self::Resume,
        Self::Trigger,
        Self::DeleteService,
        Self::SetImage,
        Self::Promote,
        Self::Demote,
        Self::RemoveNode,
        Self::Label,
        Self::Taint,
        Self::Prune,
        Self::RotateToken,
    ];

    /// The action table.
    pub fn spec(self) -> ActionSpec {
        use Danger::{Destructive, Disruptive, Reversible};
        let (label, on, danger) = match self {
            Self::Scale => ("scale", Kind::Service, Reversible),
            Self::Redeploy => ("redeploy", Kind::Service, Reversible),
            Self::RollBack => ("roll back", Kind::Service, Disruptive),
            Self::Rebalance => ("rebalance", Kind::Service, Disruptive),
            Self::Reschedule => ("reschedule", Kind::Task, Disruptive),
            Self::DeleteTask => ("delete", Kind::Task, Destructive),
            Self::Pause => ("pause", Kind::Node, Reversible),
            Self::Activate => ("activate", Kind::Node, Reversible),
            Self::Evacuate => ("evacuate", Kind::Node, Destructive),
            Self::Drain => ("drain", Kind::Node, Destructive),
            Self::Start => ("start", Kind::Task, Reversible),
            Self::Stop => ("stop", Kind::Task, Disruptive),
            Self::Restart => ("restart", Kind::Task, Disruptive),
            Self::Kill => ("kill", Kind::Task, Disruptive),
            Self::ForceDelete => ("delete by force", Kind::Task, Destructive),
            Self::Hold => ("hold", Kind::Service, Reversible),
            Self::Resume => ("resume", Kind::Service, Reversible),
            Self::Trigger => ("run now", Kind::Service, Reversible),
            Self::DeleteService => ("delete", Kind::Service, Destructive),
            Self::SetImage => ("set image", Kind::Service, Disruptive),
            Self::Promote => ("promote", Kind::Node, Disruptive),
            Self::Demote => ("demote", Kind::Node, Disruptive),
            Self::RemoveNode => ("remove", Kind::Node, Disruptive),
            Self::Label => ("label", Kind::Node, Reversible),
            Self::Taint => ("taint", Kind::Node, Reversible),
            Self::Prune => ("prune", Kind::Node, Disruptive),
            Self::RotateToken => ("rotate join token", Kind::Node, Disruptive),
        };
        ActionSpec { label, on, danger, stepwise: Action::STEPWISE.iter().any(|action| action.kind() == self) }
    }

    /// Whether the platform must be asked first what there is: no row shows it. See [`super::Survey`].
    pub fn is_surveyed(self) -> bool {
        matches!(self, Self::Prune | Self::RotateToken | Self::Redeploy | Self::RollBack)
    }
}

impl Action {
    /// See [`ActionSpec::stepwise`].
    pub const STEPWISE: [Self; 4] = [Self::Evacuate, Self::Drain, Self::Rebalance, Self::Reschedule];

    /// Which row of the table it is.
    pub fn kind(&self) -> ActionKind {
        match self {
            Self::Scale { .. } => ActionKind::Scale,
            Self::Redeploy { .. } => ActionKind::Redeploy,
            Self::RollBack { .. } => ActionKind::RollBack,
            Self::Rebalance => ActionKind::Rebalance,
            Self::Reschedule => ActionKind::Reschedule,
            Self::DeleteTask { .. } => ActionKind::DeleteTask,
            Self::Pause => ActionKind::Pause,
            Self::Activate => ActionKind::Activate,
            Self::Evacuate => ActionKind::Evacuate,
            Self::Drain => ActionKind::Drain,
            Self::Start => ActionKind::Start,
            Self::Stop => ActionKind::Stop,
            Self::Restart => ActionKind::Restart,
            Self::Kill => ActionKind::Kill,
            Self::ForceDelete { .. } => ActionKind::ForceDelete,
            Self::Hold => ActionKind::Hold,
            Self::Resume => ActionKind::Resume,
            Self::Trigger => ActionKind::Trigger,
            Self::DeleteService { .. } => ActionKind::DeleteService,
            Self::SetImage { .. } => ActionKind::SetImage,
            Self::Promote => ActionKind::Promote,
            Self::Demote => ActionKind::Demote,
            Self::RemoveNode { .. } => ActionKind::RemoveNode,
            Self::Label { .. } => ActionKind::Label,
            Self::Taint { .. } => ActionKind::Taint,
            Self::Prune { .. } => ActionKind::Prune,
            Self::RotateToken { .. } => ActionKind::RotateToken,
        }
    }
}

/// A set of actions that a cluster can carry out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(u32);

impl Capabilities {
    /// Exactly these actions.
    pub const fn of(kinds: &[ActionKind]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < kinds.len() {
            bits |= 1 << kinds[i] as u32;
            i += 1;
        }
        Self(bits)
    }

    /// Whether `kind` is among them.
    pub fn can(self, kind: ActionKind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }
}

/// What the operator saw when they confirmed. The backend reads the object again just before it acts and refuses if it is
/// another object or another specification by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Unique id of the object (for nodes [`super::Node::uid`], else the key).
    pub uid: Key,
    /// Its specification, as a number that changes exactly when the specification does: `metadata.generation` in
    /// Kubernetes (for nodes a hash of the scheduling part of the spec), a hash of the raw `Spec` in Swarm; 0 where the
    /// specification cannot change (pods, containers). Status updates and heartbeats do not change it.
    pub spec_rev: u64,
}

/// An action bound to one object: what goes to the engine once the operator has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// On what.
    pub object: ObjectRef,
    /// Its name, for words.
    pub name: Text,
    /// What.
    pub action: Action,
    /// What was seen.
    pub bound: Bound,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_hold_exactly_what_they_were_made_of() {
        let some = Capabilities::of(&[ActionKind::Scale, ActionKind::Stop]);
        for kind in ActionKind::ALL {
            assert_eq!(some.can(kind), matches!(kind, ActionKind::Scale | ActionKind::Stop));
        }
    }
}
