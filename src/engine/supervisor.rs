//! Keeps one cluster's session: connects with a deadline and backoff, proves with heartbeats that the cluster is alive,
//! and says how far its rows can be trusted. Tries for ever; a panic of a backend ends a session and nothing else.
//!
//! A link is live only while there is proof of life from the last [`STALE_AFTER`]: an answered ping, a delta that can only
//! come from an answer, or an answer that changed nothing ([`Backend::heard`]). A watch that merely stays open proves
//! nothing: load balancers keep dead connections open.

use super::interest::Wants;
use super::session::{self, Proof};
use super::shared::{Shared, contained};
use crate::backend::{About, Backend, BackendError, Connector};
use crate::model::{ClusterId, Delta, Fact, Link, Text};
use crate::util::backoff::Backoff;
use crate::util::time::Timestamp;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Age of the last proof of life at which a link is stale. A second under what is promised on screen (15 s), so that the
/// word is there in time.
pub(super) const STALE_AFTER: Duration = Duration::from_secs(14);
/// First delay between attempts to connect; the longest one is [`Connector::patience`].
const FIRST: Duration = Duration::from_millis(500);
/// Least delay after a refusal of who we are: credentials do not change by the second, and servers lock accounts.
const UNAUTHORISED: Duration = Duration::from_secs(30);

/// Why a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// The backend gave up, or heartbeats stayed away.
    Error(BackendError),
    /// A fault of ours; what it said.
    Panic(String),
    /// The operator asked for a new connection.
    Asked,
}

/// See the module's description.
pub(super) struct Supervisor {
    pub(super) id: ClusterId,
    connector: Arc<dyn Connector>,
    backend: watch::Sender<Option<Arc<dyn Backend>>>,
    pub(super) wants: Arc<Wants>,
    pub(super) reconnects: watch::Receiver<u64>,
    pub(super) shared: Arc<Shared>,
    link: Link,
    /// Last proof of life; none before the first.
    proof: Option<Arc<Proof>>,
    /// What went wrong last, for the words of a link that grows stale.
    trouble: Option<Text>,
    backoff: Backoff,
}

impl Supervisor {
    pub(super) fn new(
        id: ClusterId,
        connector: Arc<dyn Connector>,
        backend: watch::Sender<Option<Arc<dyn Backend>>>,
        wants: Arc<Wants>,
        reconnects: watch::Receiver<u64>,
        shared: Arc<Shared>,
    ) -> Self {
        let mut seed = DefaultHasher::new();
        id.hash(&mut seed);
        let backoff = Backoff::new(FIRST, connector.patience(), seed.finish());
        Self { id, connector, backend, wants, reconnects, shared, link: Link::Connecting, proof: None, trouble: None, backoff }
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            let refused = match self.connect().await {
                Ok(backend) => {
                    let began = Instant::now();
                    let end = self.session(backend).await;
                    self.backend.send_replace(None);
                    self.backoff.healthy(began.elapsed());
                    match end {
                        End::Asked => continue,
                        End::Error(error) => self.ended(error).await,
                        End::Panic(words) => {
                            self.shared
                                .warn(format!(
                                    "{}: a fault of Quarterdeck itself ended the session; connecting anew: {words}",
                                    self.id
                                ))
                                .await;
                            self.trouble = Some(Text::from(format!("a fault of Quarterdeck itself ended the session: {words}")));
                            false
                        }
                    }
                }
                Err(error) => self.failed(error).await,
            };
            let mut delay = self.backoff.next_delay();
            if refused {
                delay = delay.max(UNAUTHORISED);
            }
            self.pause(delay).await;
        }
    }

    async fn connect(&mut self) -> Result<Arc<dyn Backend>, BackendError> {
        let connector = Arc::clone(&self.connector);
        let id = self.id.clone();
        self.ageing(async move {
            match timeout(CONNECT, contained(connector.connect())).await {
                Ok(Ok(connected)) => connected,
                Ok(Err(panic)) => {
                    Err(BackendError::Protocol(format!("a fault of Quarterdeck itself while it connected to {id}: {panic}")))
                }
                Err(_) => Err(BackendError::Unreachable(format!("no answer within {} s", CONNECT.as_secs()))),
            }
        })
        .await
    }

    async fn session(&mut self, backend: Arc<dyn Backend>) -> End {
        let about = backend.about();
        let proof = Arc::new(Proof::now(self.shared.now()));
        self.proof = Some(Arc::clone(&proof));
        self.backend.send_replace(Some(Arc::clone(&backend)));
        let About { kind, version, capabilities, engine } = about;
        self.delta(Delta::About { kind, version, capabilities, engine }).await;
        self.live().await;
        session::run(self, backend, proof).await
    }

    /// A session ended. The link may still be live for the rest of its time, because most sessions that break are replaced
    /// within a second: also after a single refusal of who we are, which a server in trouble gives to anybody. Whoever is
    /// refused again is told at once.
    async fn ended(&mut self, error: BackendError) -> bool {
        if self.backoff.attempts() > 0
            && let BackendError::Unauthorised(_) = error
        {
            return self.failed(error).await;
        }
        self.trouble = Some(Text::from(error.to_string()));
        false
    }

    /// An attempt to connect failed. Returns whether it was for who we are.
    async fn failed(&mut self, error: BackendError) -> bool {
        let reason = Text::from(error.to_string());
        let now = self.shared.now();
        let since = self.link.trouble().map(|(since, _)| since);
        let refused = matches!(error, BackendError::Unauthorised(_));
        let link = if refused {
            let since = if let Link::Unauthorised { since, .. } = self.link { since } else { now };
            Link::Unauthorised { since, reason }
        } else if let Some(proof) = &self.proof {
            Link::Stale { since: proof.time(), reason }
        } else {
            Link::Unreachable { since: since.unwrap_or(now), reason }
        };
        self.set(link).await;
        refused
    }

    /// Waits out a delay, unless the operator asks for an attempt at once.
    async fn pause(&mut self, delay: Duration) {
        let mut reconnects = self.reconnects.clone();
        self.ageing(async move {
            tokio::select! {
                () = sleep(delay) => {}
                Ok(()) = reconnects.changed() => {}
            }
        })
        .await;
        self.reconnects.mark_unchanged();
    }

    /// Runs `work`; meanwhile the link grows stale when its time has come.
    async fn ageing<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let stale_at = self.stale_at();
            tokio::select! {
                done = &mut work => return done,
                () = sleep_until(stale_at.unwrap_or_else(Instant::now)), if stale_at.is_some() => self.age().await,
            }
        }
    }

    /// When the link grows stale unless there is proof of life before; none if it is not live.
    pub(super) fn stale_at(&self) -> Option<Instant> {
        self.proof.as_ref().filter(|_| self.link.is_live()).map(|proof| proof.instant() + STALE_AFTER)
    }

    /// Makes the link stale if the last proof is too old by now.
    pub(super) async fn age(&mut self) {
        if self.stale_at().is_some_and(|at| at <= Instant::now()) {
            let reason = self.trouble.clone().unwrap_or_else(|| Text::from(format!("no answer for {} s", STALE_AFTER.as_secs())));
            self.stale(reason).await;
        }
    }

    /// Makes a live link stale since the last proof of life.
    pub(super) async fn stale(&mut self, reason: Text) {
        if let Some(proof) = self.proof.as_ref().filter(|_| self.link.is_live()) {
            self.set(Link::Stale { since: proof.time(), reason }).await;
        }
    }

    /// The cluster is alive.
    pub(super) async fn live(&mut self) {
        self.trouble = None;
        self.set(Link::Live).await;
    }

    pub(super) fn is_live(&self) -> bool {
        self.link.is_live()
    }

    /// Remembers what went wrong, for the words of the link when it grows stale.
    pub(super) fn note(&mut self, trouble: Text) {
        self.trouble = Some(trouble);
    }

    async fn set(&mut self, link: Link) {
        if self.link != link {
            tracing::info!(cluster = %self.id, link = link.word(), "link");
            self.link = link.clone();
            self.delta(Delta::Link(link)).await;
        }
    }

    async fn delta(&self, delta: Delta) {
        self.shared.tell(Fact::Cluster(self.id.clone(), delta)).await;
    }

    pub(super) fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// See [`super::Clock::keeps_pace`].
    pub(super) fn keeps_pace(&self) -> bool {
        self.shared.options.clock.keeps_pace()
    }
}
