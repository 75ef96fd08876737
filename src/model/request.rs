//! What the screen (or a command, or the HTTP API) asks of the engine.

use super::{ActionKind, ClusterId, Intent, LogTarget, ObjectRef, OpId, TailId, Text};

/// How many operations of one [`Request::Bulk`] are under way at the same time, from being sent to being seen to have happened.
pub const AT_ONCE: usize = 4;

/// A request to the engine. The answer, if there is one, comes back as a fact.
#[derive(Clone, Debug)]
pub enum Request {
    /// Carry out a confirmed action; it becomes an [`super::Operation`].
    Execute {
        /// What, on what, bound to what was seen.
        intent: Intent,
        /// In words, for the operation's row.
        title: Text,
    },
    /// Carry out a confirmed action on several objects; each becomes an operation of its own.
    Bulk {
        /// Each as in [`Request::Execute`], in the order they are begun.
        all: Vec<(Intent, Text)>,
        /// Begin no more once one has failed.
        stop: bool,
    },
    /// Stop an operation at its next safe point.
    Cancel(OpId),
    /// Stop a stepwise operation ([`super::ActionSpec::stepwise`]) for now.
    Pause(OpId),
    /// Go on with a paused operation.
    Resume(OpId),
    /// Open a log tail.
    Tail {
        /// Its number, chosen by the asker.
        id: TailId,
        /// What to read.
        target: LogTarget,
    },
    /// Close a log tail and forget its lines.
    Untail(TailId),
    /// Fetch the whole object as text; it becomes [`super::World::document`].
    Inspect(ObjectRef),
    /// Ask the platform which actions on these objects it would refuse; each answer becomes
    /// [`super::ClusterState::rights`]. None comes where it cannot be asked.
    Rights(Vec<ObjectRef>),
    /// Ask what must be known before an action on an object and stands in no row ([`ActionKind::is_surveyed`]); the answer
    /// becomes one of [`super::ClusterState::surveys`].
    Survey(ObjectRef, ActionKind),
    /// Fetch what lets a machine join a swarm, as a manager or a worker; it becomes [`super::ClusterState::join`].
    Reveal {
        /// The swarm.
        cluster: ClusterId,
        /// As a manager (else as a worker).
        managers: bool,
    },
    /// Forget it again.
    Conceal(ClusterId),
    /// What is being looked at; decides what is polled.
    Look(Interest),
    /// Connect to every cluster that is not live at once, without waiting for its backoff.
    Reconnect,
}

/// What is being looked at. What cannot be watched is polled only for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Cpu, memory and network are on screen.
    pub usage: bool,
    /// Tasks are on screen, or an operation is being verified: Swarm tasks are polled quickly.
    pub tasks: bool,
}
