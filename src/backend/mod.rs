//! Everything that talks to a platform: the only room that names kube, k8s_openapi or bollard.
//!
//! A backend is one [`Connector`] (how to reach a cluster, found by [`discover`]) and what it connects to, a [`Backend`].
//! It converts the platform's objects to model records right where they are decoded, and sends them as deltas; it never
//! keeps a picture of its own beyond what conversion needs. It does not retry across sessions: the engine's supervisor
//! owns backoff, heartbeats and the connection state.

pub mod docker;
pub mod kubernetes;
pub mod sim;

mod address;
mod capabilities;
mod detached;
mod difference;
mod error;
mod keepalive;
#[cfg(test)]
mod mutation;
mod salvage;
mod secret;
mod tls;

pub use error::BackendError;

use crate::model::{
    ActionKind, Capabilities, Cluster, ClusterId, ClusterKind, Delta, Expect, Fact, Found, Intent, Interest, Key, LogLine, Notice,
    ObjectRef, Progress, Secret, Text,
};
use crate::util::time::Timestamp;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How to reach one cluster. Made by discovery without any network traffic; connecting may fail and is tried again.
pub trait Connector: Send + Sync + 'static {
    /// The cluster's row before anything is known of it but its name and address.
    fn cluster(&self) -> Cluster;

    /// Connects: reads credentials, negotiates the version, proves that the server answers. Deadline: the caller's.
    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn Backend>, BackendError>>;

    /// What it leads to, by all names that tell: two that share one lead to the same, whatever they are called.
    fn leads_to(&self) -> Vec<String> {
        Vec::new()
    }

    /// The longest pause between two attempts to connect. Half a minute where an attempt costs something: a plugin or `ssh`
    /// is run, somebody's gateway counts log-ins.
    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// A connected cluster. All methods may be called at the same time; dropping a future or stream cancels it.
pub trait Backend: Send + Sync + 'static {
    /// What it turned out to be.
    fn about(&self) -> About;

    /// Lists and watches all kinds, sending deltas into `sink`, until the connection is of no more use. Single kinds that
    /// cannot be read are reported as [`crate::model::Change::Failed`] and retried inside; an error ends the session and
    /// the supervisor connects anew. Also polls what cannot be watched, as far as `sink.interest()` asks for it.
    fn watch<'a>(&'a self, sink: &'a Sink) -> BoxFuture<'a, BackendError>;

    /// A cheap request that proves the cluster is alive. The supervisor calls it with a deadline when there has been no sign
    /// of life for some seconds.
    fn ping(&self) -> BoxFuture<'_, Result<(), BackendError>>;

    /// When the cluster last answered anything, where the backend keeps that in mind: answers that change nothing send no
    /// delta, and yet are signs of life.
    fn heard(&self) -> Option<Instant> {
        None
    }

    /// Carries out an action: reads the object again, refuses with [`BackendError::Changed`] if it is not what
    /// `intent.bound` says, sends the platform's requests, and returns what the facts will show when it has happened.
    /// Actions of several steps (evacuate) report on `progress` and end when the last request was taken.
    fn execute<'a>(&'a self, intent: &'a Intent, progress: &'a ProgressSink) -> BoxFuture<'a, Result<Expect, BackendError>>;

    /// Takes back what a stepwise action that is not gone on with had added for the time being, whichever program added it,
    /// and says in words what; nothing where there is nothing.
    fn take_back<'a>(&'a self, _intent: &'a Intent) -> BoxFuture<'a, Result<Option<String>, BackendError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Which of these actions on an object the platform would refuse us, and why in words; nothing where it cannot be asked
    /// or does not answer. Changes nothing there.
    fn denied<'a>(&'a self, _object: &'a ObjectRef, _actions: &'a [ActionKind]) -> BoxFuture<'a, Option<Vec<(ActionKind, Text)>>> {
        Box::pin(std::future::ready(None))
    }

    /// What must be known before an action on an object and stands in no row; see [`ActionKind::is_surveyed`].
    fn survey<'a>(&'a self, _object: &'a ObjectRef, action: ActionKind) -> BoxFuture<'a, Result<Found, BackendError>> {
        let words = format!("there is nothing to ask before one can {}", action.spec().label);
        Box::pin(std::future::ready(Err(BackendError::Unsupported(words))))
    }

    /// The token that lets a machine join the swarm, as a manager or a worker, and the address that it joins at.
    fn join(&self, _managers: bool) -> BoxFuture<'_, Result<(Secret, Text), BackendError>> {
        let words = "only the nodes of a swarm join by a token".to_owned();
        Box::pin(std::future::ready(Err(BackendError::Unsupported(words))))
    }

    /// Follows the log of one task. Ends when the task's log ends; an item `Err` ends it too.
    fn logs(&self, request: LogRequest) -> BoxStream<'static, Result<Vec<LogLine>, BackendError>>;

    /// The whole object as YAML, with values of secrets masked.
    fn inspect<'a>(&'a self, object: &'a ObjectRef) -> BoxFuture<'a, Result<String, BackendError>>;
}

/// What a cluster turned out to be once it answered.
#[derive(Clone, Debug)]
pub struct About {
    /// Platform.
    pub kind: ClusterKind,
    /// Server version.
    pub version: Text,
    /// What can be asked of it.
    pub capabilities: Capabilities,
    /// See [`crate::model::Cluster::engine`].
    pub engine: Option<Key>,
}

/// Which log to follow.
#[derive(Clone, Debug)]
pub struct LogRequest {
    /// Task key (pod uid, Swarm task ID, container ID).
    pub task: Key,
    /// Task name and namespace (what Kubernetes addresses logs by).
    pub name: Text,
    /// As [`crate::model::Task::namespace`].
    pub namespace: Text,
    /// One container; all of the task's containers if none is named.
    pub container: Option<Text>,
    /// Lines from before now to begin with.
    pub tail: u32,
    /// Only lines after this moment: set when a stream is opened again after a loss.
    pub since: Option<crate::util::time::Timestamp>,
    /// The run before the present one (not followed).
    pub previous: bool,
}

/// Where a backend sends what it learns. The channel is bounded: a slow store slows the backend, never the other way.
#[derive(Clone)]
pub struct Sink {
    cluster: ClusterId,
    facts: mpsc::Sender<Fact>,
    interest: watch::Receiver<Interest>,
}

impl Sink {
    /// A sink for the deltas of `cluster`.
    pub fn new(cluster: ClusterId, facts: mpsc::Sender<Fact>, interest: watch::Receiver<Interest>) -> Self {
        Self { cluster, facts, interest }
    }

    /// The cluster whose deltas these are.
    pub fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    /// Sends a delta; waits while the store is behind. After the engine has gone the delta is dropped.
    pub async fn send(&self, delta: Delta) {
        // a closed channel means that the process is ending: nobody is left to tell
        let _ = self.facts.send(Fact::Cluster(self.cluster.clone(), delta)).await;
    }

    /// Tells the operator something to be read once.
    pub async fn warn(&self, text: Text) {
        let _ = self.facts.send(Fact::Notice(Notice::warning(Timestamp::now(), text))).await;
    }

    /// What is being looked at, now and as it changes.
    pub fn interest(&self) -> watch::Receiver<Interest> {
        self.interest.clone()
    }
}

/// Where a running action says how far it is. Only the newest report counts.
#[derive(Clone, Debug)]
pub struct ProgressSink(Arc<watch::Sender<Progress>>);

impl ProgressSink {
    /// A sink and the end the executor reads.
    pub fn new() -> (Self, watch::Receiver<Progress>) {
        let (sender, receiver) = watch::channel(Progress::default());
        (Self(Arc::new(sender)), receiver)
    }

    /// Reports.
    pub fn report(&self, progress: Progress) {
        self.0.send_replace(progress);
    }

    /// What was reported last.
    pub fn latest(&self) -> Progress {
        self.0.borrow().clone()
    }
}
