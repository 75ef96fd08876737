//! What all parts of a running engine share: the way to the store, the newest picture, and a handle to each cluster.

use super::Options;
use super::audit::Stage;
use super::interest::Wants;
use super::journal::Entry;
use crate::backend::Backend;
use crate::model::{ClusterId, Fact, Notice, OpId, Operation, World};
use crate::util::time::Timestamp;
use futures::FutureExt;
use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// One cluster as the executor, the tails and the router see it.
pub(super) struct Handle {
    /// Its name.
    pub(super) id: ClusterId,
    /// The present session's backend; none while there is no session.
    pub(super) backend: watch::Receiver<Option<Arc<dyn Backend>>>,
    /// What is polled there.
    pub(super) wants: Arc<Wants>,
}

/// See the module's description.
pub(super) struct Shared {
    pub(super) clusters: Vec<Handle>,
    pub(super) facts: mpsc::Sender<Fact>,
    pub(super) world: watch::Receiver<Arc<World>>,
    pub(super) options: Options,
    pub(super) stop: CancellationToken,
    pub(super) tracker: TaskTracker,
}

impl Shared {
    /// The cluster of this name.
    pub(super) fn handle(&self, id: &ClusterId) -> Option<&Handle> {
        self.clusters.iter().find(|c| c.id == *id)
    }

    /// The backend of a cluster that has a session.
    pub(super) fn backend(&self, id: &ClusterId) -> Option<Arc<dyn Backend>> {
        self.handle(id)?.backend.borrow().clone()
    }

    /// The newest picture.
    pub(super) fn picture(&self) -> Arc<World> {
        Arc::clone(&self.world.borrow())
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }

    /// Hands a fact to the store; after the engine has gone nobody is left to tell.
    pub(super) async fn tell(&self, fact: Fact) {
        let _ = self.facts.send(fact).await;
    }

    /// Writes down where an operation stands.
    pub(super) fn record(&self, stage: Stage, op: &Operation) -> impl Future<Output = Result<(), String>> + Send + use<> {
        let world = self.picture();
        let cluster = world.cluster(&op.intent.object.cluster).map(|state| &state.cluster);
        let written = self.options.audit.as_ref().map(|audit| audit.record(stage, op, cluster, self.now()));
        async move {
            match written {
                Some(written) => written.await,
                None => Ok(()),
            }
        }
    }

    /// What was sent cannot be called back for want of a record; that there is none is said.
    pub(super) async fn outcome(&self, op: &Operation, written: Result<(), String>) {
        if let Err(why) = written {
            self.warn(format!("how \"{}\" went is not on record: {why}", op.title)).await;
        }
    }

    /// A warning to be read once.
    pub(super) async fn warn(&self, text: String) {
        self.tell(Fact::Notice(Notice::warning(self.now(), text))).await;
    }
}

/// How an operation under way is stopped.
#[derive(Clone)]
pub(super) struct Stop {
    /// For good. The end of the engine does so too.
    pub(super) cancel: CancellationToken,
    /// For now.
    pub(super) pause: CancellationToken,
}

/// What is kept of paused operations, where something is.
pub(super) type Paused = Arc<parking_lot::Mutex<HashMap<OpId, Option<Entry>>>>;

/// Runs `work`, and gives a panic inside it as an error in words instead of ending the task.
pub(super) async fn contained<T>(work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| panic_words(panic.as_ref()))
}

/// What a panic said.
pub(super) fn panic_words(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
