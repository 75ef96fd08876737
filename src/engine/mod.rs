//! The sync engine: keeps a session with every cluster, turns what they send into pictures, and carries out requests.
//!
//! | part | owns |
//! |---|---|
//! | [`supervisor`] | one per cluster: connecting, heartbeats, the link's state |
//! | [`ingest`] | batches of facts into the store, findings, publishing |
//! | [`executor`] | operations: sent, then verified by observation |
//! | [`calloff`] | cancelling what is paused |
//! | [`journal`] | which operations go on after the end of this program |
//! | [`audit`] | what was done, on record |
//! | [`tail`] | log views |
//! | [`Replay`] | pictures without all this running |
//! | [`router`] | requests to those who answer them |
//!
//! Every queue is bounded, every wait has a deadline, and no part waits for another cluster's.

pub mod audit;
mod batch;
mod calloff;
mod clock;
#[cfg(test)]
mod death_tests;
mod executor;
#[cfg(test)]
mod fake;
mod findings;
mod ingest;
mod interest;
mod journal;
mod operation;
mod replay;
mod router;
mod session;
mod shared;
mod spells;
mod supervisor;
mod tail;
#[cfg(test)]
mod tests;

pub use audit::Audit;
pub use clock::Clock;
pub use replay::Replay;

use crate::backend::Connector;
use crate::model::{Fact, Notice, Request, Store, Text, World};
use interest::Wants;
use shared::{Handle, Shared};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use supervisor::Supervisor;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Facts that may wait for the store before those who send them have to wait.
const FACTS: usize = 1_024;
/// Requests that may wait.
const REQUESTS: usize = 64;
/// How long [`Engine::shutdown`] waits for running work to take its leave.
const FAREWELL: Duration = Duration::from_millis(200);

/// How an engine runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who asks for operations: `user@host`.
    pub by: Text,
    /// No action is sent to any cluster.
    pub read_only: bool,
    /// Most objects that one action may be for.
    pub max_bulk: usize,
    /// Bytes of log lines kept per log view.
    pub log_limit: usize,
    /// Where the time comes from.
    pub clock: Clock,
    /// The folder of what is kept of operations under way ([`journal`]); none keeps nothing.
    pub journal: Option<PathBuf>,
    /// Where actions are written down before they are sent; none where they move nothing real.
    pub audit: Option<Arc<Audit>>,
    /// What went wrong before the engine ran, to be read once: broken files, themes that are not there.
    pub warnings: Vec<Text>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            by: Text::default(),
            read_only: false,
            max_bulk: 20,
            log_limit: 8 << 20,
            clock: Clock::System,
            journal: None,
            audit: None,
            warnings: Vec::new(),
        }
    }
}

/// The engine's two ends: the newest picture, and requests. Dropping it does not stop the engine; [`Engine::shutdown`] does.
#[derive(Debug)]
pub struct Engine {
    /// The newest picture. Only the newest is kept: a slow reader skips, and never holds the engine up.
    pub world: watch::Receiver<Arc<World>>,
    /// Requests; bounded. `try_send` and say so if it is full.
    pub requests: mpsc::Sender<Request>,
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Engine {
    /// Starts connecting to every cluster. Needs a tokio runtime. The first picture is there at once: all clusters,
    /// connecting.
    pub fn start(connectors: Vec<Arc<dyn Connector>>, options: Options) -> Self {
        let mut store = Store::new(connectors.iter().map(|connector| {
            let mut cluster = connector.cluster();
            cluster.read_only |= options.read_only;
            cluster
        }));
        for text in &options.warnings {
            let now = options.clock.now();
            store.apply(Fact::Notice(Notice::warning(now, text.clone())), now);
        }
        let (pictures, world) = watch::channel(store.publish().unwrap_or_default());
        let (facts, incoming) = mpsc::channel(FACTS);
        let (requests, asked) = mpsc::channel(REQUESTS);
        let (reconnect, reconnects) = watch::channel(0);
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());

        let mut clusters = Vec::new();
        let mut supervisors = Vec::new();
        for connector in connectors {
            let (backend, sessions) = watch::channel(None);
            let wants = Wants::new();
            let id = connector.cluster().id;
            clusters.push(Handle { id: id.clone(), backend: sessions, wants: Arc::clone(&wants) });
            supervisors.push((id, connector, backend, wants));
        }
        let ingest = ingest::run(store, incoming, pictures, options.clock.clone(), stop.clone());
        tracker.spawn(ingest);
        let shared =
            Arc::new(Shared { clusters, facts, world: world.clone(), options, stop: stop.clone(), tracker: tracker.clone() });
        for (id, connector, backend, wants) in supervisors {
            let supervisor = Supervisor::new(id, connector, backend, wants, reconnects.clone(), Arc::clone(&shared));
            tracker.spawn(stop.clone().run_until_cancelled_owned(supervisor.run()));
        }
        tracker.spawn(stop.clone().run_until_cancelled_owned(router::run(asked, reconnect, shared)));
        Self { world, requests, stop, tracker }
    }

    /// Stops all work within 200 ms and returns the last picture: operations that were under way say so in it.
    pub async fn shutdown(self) -> Arc<World> {
        self.stop.cancel();
        self.tracker.close();
        // what does not end by then is left to the runtime's own end: a person waits for their shell
        let _ = tokio::time::timeout(FAREWELL, self.tracker.wait()).await;
        Arc::clone(&self.world.borrow())
    }
}
