//! Changes on their way from a backend to the store.

use super::{
    Capabilities, ClusterId, ClusterKind, Document, Event, Finding, Join, Key, Kind, Link, LogItem, Node, Notice, Operation,
    Rights, Service, Survey, Tail, TailId, TailState, Task, Text, Usage,
};
use crate::util::time::Timestamp;

/// One change of the fleet's picture.
#[derive(Debug)]
pub enum Fact {
    /// Something about one cluster.
    Cluster(ClusterId, Delta),
    /// An operation began or moved on.
    Operation(Operation),
    /// A log view was opened.
    TailOpened(Tail),
    /// A log view changed its state.
    TailState(TailId, TailState),
    /// Lines for a log view.
    Log(TailId, Vec<LogItem>),
    /// A log view was closed.
    TailClosed(TailId),
    /// A whole object was fetched, or could not be.
    Document(Document),
    /// Something the operator should read once.
    Notice(Notice),
}

impl Fact {
    /// Whether a list is whole with it: somebody may be waiting for that.
    pub fn ends_list(&self) -> bool {
        use Delta::{Event, Node, Service, Task};
        fn ends<T>(change: &Change<T>) -> bool {
            matches!(change, Change::End | Change::Narrowed(_))
        }
        match self {
            Self::Cluster(_, Node(change)) => ends(change),
            Self::Cluster(_, Service(change)) => ends(change),
            Self::Cluster(_, Task(change)) => ends(change),
            Self::Cluster(_, Event(change)) => ends(change),
            _ => false,
        }
    }
}

/// One change of one cluster.
#[derive(Debug)]
pub enum Delta {
    /// The connection changed.
    Link(Link),
    /// What the cluster says of itself.
    About {
        /// Platform, now that it has answered.
        kind: ClusterKind,
        /// Server version.
        version: Text,
        /// What can be asked of it.
        capabilities: Capabilities,
        /// See [`super::Cluster::engine`].
        engine: Option<Key>,
    },
    /// Nodes changed.
    Node(Change<Node>),
    /// Services changed.
    Service(Change<Service>),
    /// Tasks changed.
    Task(Change<Task>),
    /// Events came in.
    Event(Change<Event>),
    /// Findings changed (made by the engine from the rows, not by backends).
    Finding(Change<Finding>),
    /// A sweep of measurements of nodes ([`Kind::Node`]) or tasks ([`Kind::Task`]). Services and the cluster are summed
    /// up from the tasks by the store.
    Usage {
        /// Nodes or tasks.
        of: Kind,
        /// When they were taken.
        at: Timestamp,
        /// Each object's measurement.
        rows: Vec<(Key, Usage)>,
    },
    /// Measurements cannot be had, and why (`metrics-server is not installed`); `None` when they can again.
    NoUsage(Option<Text>),
    /// The platform was asked what it would refuse.
    Rights(Rights),
    /// The platform was asked what there is before an action, or said it.
    Survey(Survey),
    /// What lets a machine join a swarm was fetched, or is to be forgotten.
    Join(Option<Join>),
}

/// One change of one table. A list is `Begin`, any number of `Upsert`s, `End` or `Narrowed`: rows that were not seen in between are
/// removed at `End`, so that a missed deletion is repaired by every relist, and the table is never empty in the middle.
#[derive(Debug)]
pub enum Change<T> {
    /// A list begins.
    Begin,
    /// A row is new or different.
    Upsert(T),
    /// A row is gone.
    Remove(Key),
    /// The list is whole; changes are followed from here.
    End,
    /// The list is whole, for some namespaces only or without something that rows are joined with; which, in words.
    Narrowed(Text),
    /// This kind cannot be read, and why in words.
    Failed(Text),
}
