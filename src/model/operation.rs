//! An action under way, from being asked for to being seen to have happened.

use super::{Action, Availability, Bound, Intent, Key, Kind, LabelEdit, OpId, TaintEdit, Text};
use crate::util::time::Timestamp;
use std::sync::Arc;

/// Where an operation stands. It is done only when the facts say so, never because a request was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpState {
    /// Waits for an earlier one on the same object.
    Queued,
    /// Requests are being sent.
    Running,
    /// The platform took it; the facts are watched until they agree.
    Verifying,
    /// Stopped between two steps, by the operator or by the end of the program before this one; goes on when asked to.
    Paused,
    /// The facts agree.
    Done,
    /// It did not happen; the note says why.
    Failed,
    /// Stopped by the operator; the note says what had happened by then.
    Cancelled,
}

impl OpState {
    /// Whether it is over.
    pub fn ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Verifying => "verifying",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How far it is, in the action's own unit (tasks, mostly).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Units done.
    pub done: u32,
    /// Units in all; zero while unknown.
    pub total: u32,
    /// What is happening or what it waits for, in words.
    pub note: Text,
}

/// An action under way or ended.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Number.
    pub id: OpId,
    /// What was asked, on what, as seen by whom confirmed.
    pub intent: Intent,
    /// The action in words: `scale shop/web 2→5`.
    pub title: Text,
    /// Who asked: `user@host` of this process.
    pub by: Text,
    /// When it was asked.
    pub asked: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Where it stands.
    pub state: OpState,
    /// How far it is, and in the end how it ended.
    pub progress: Progress,
    /// What would take it back, where something would.
    pub undo: Option<Undo>,
    /// The tasks it is about, where it moves tasks.
    pub plan: Option<Arc<Plan>>,
}

/// The tasks that an operation set out to move, as they were when it was asked for. What became of each is seen in the
/// picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The tasks.
    pub tasks: Box<[Planned]>,
    /// When the newest task of their services was made, by the platform's own clock: what is made later may take the place
    /// of one of them.
    pub newest: Timestamp,
}

/// A task of a [`Plan`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The task.
    pub key: Key,
    /// Its name.
    pub name: Text,
    /// Its service.
    pub service: Option<Key>,
    /// Where it was.
    pub node: Option<Key>,
}

/// What takes an operation back: an action like any other, on the same object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// With the value from before, as it was when the operation was asked for.
    pub action: Action,
    /// The object as the operation left it, once the platform has taken it; of a node once it is done. What someone changed
    /// since is not taken back with it.
    pub bound: Option<Bound>,
}

/// What the facts must show for an operation to be done. The backend returns it once the platform has taken the action;
/// [`crate::analysis::rollout`] holds it against the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The call itself proved it (nothing to wait for).
    Nothing,
    /// The service has this specification (or a newer one), its controllers have seen it, and its rollout ended with
    /// `desired` tasks ready, all of the newest definition.
    Converged {
        /// The service.
        service: Key,
        /// The `spec_rev` written.
        spec_rev: u64,
    },
    /// As converged; and the image that the container had before, to the letter.
    Imaged {
        /// The service.
        service: Key,
        /// The `spec_rev` written.
        spec_rev: u64,
        /// What takes it back.
        before: Text,
    },
    /// As converged, and the service still wants this number of tasks.
    Scaled {
        /// The service.
        service: Key,
        /// The `spec_rev` written.
        spec_rev: u64,
        /// The number written.
        to: u32,
    },
    /// The row is gone.
    Gone {
        /// Its table.
        kind: Kind,
        /// Its key.
        key: Key,
    },
    /// The service is gone, and so are its tasks if they go with it.
    Deleted {
        /// The service.
        service: Key,
        /// Whether its tasks go with it.
        tasks: bool,
    },
    /// This task no longer runs (gone, or not wanted and ended), and its service is whole again.
    Replaced {
        /// The old task.
        task: Key,
        /// The service that makes the new one, if there is one.
        service: Option<Key>,
    },
    /// The node has this availability.
    NodeIs {
        /// The node.
        node: Key,
        /// The availability written.
        availability: Availability,
    },
    /// The node manages its swarm (`true`) or works for it (`false`).
    NodeManages {
        /// The node.
        node: Key,
        /// Which of the two.
        manages: bool,
    },
    /// The labels of the node are as written.
    NodeLabels {
        /// The node.
        node: Key,
        /// What was written.
        edits: Box<[LabelEdit]>,
    },
    /// The taints of the node are as written.
    NodeTaints {
        /// The node.
        node: Key,
        /// What was written.
        edits: Box<[TaintEdit]>,
    },
    /// The node has this availability and runs no task but those that belong to every node or to this one, and those that
    /// nothing would make again.
    NodeEmpty {
        /// The node.
        node: Key,
        /// The availability written.
        availability: Availability,
    },
    /// The node is paused and runs no task but those that belong to every node.
    Evacuated {
        /// The node.
        node: Key,
        /// What stays short until it takes tasks again, in words; empty where nothing does.
        short: Text,
    },
    /// The service has this specification (or a newer one), and is held (`true`) or not (`false`).
    Held {
        /// The service.
        service: Key,
        /// The `spec_rev` written.
        spec_rev: u64,
        /// Which of the two.
        held: bool,
    },
    /// The service, made by the action, is there and has begun: it has a task, or had one and ended.
    Began {
        /// The service.
        service: Key,
    },
    /// The task runs, and has been started anew.
    Restarted {
        /// The task.
        task: Key,
        /// Since when it ran (or had ended) before.
        before: Timestamp,
    },
    /// Each of these tasks runs and is ready, started when the backend saw it start anew or later.
    Renewed {
        /// The tasks, and when each started anew.
        tasks: Box<[(Key, Timestamp)]>,
        /// What is to be said of it beside that.
        note: Text,
    },
    /// The backend looked again itself, for no row shows it.
    Seen {
        /// Tasks that the rows must show to be gone as well.
        gone: Box<[Key]>,
        /// Whether all of it happened.
        whole: bool,
        /// What it saw.
        note: Text,
    },
    /// The task is running (`true`) or stopped (`false`).
    TaskRuns {
        /// The task.
        task: Key,
        /// Which of the two.
        runs: bool,
    },
}
