//! One session with a connected cluster: its watches run beside heartbeats, until either says that it is over.

use super::shared::{Shared, contained, panic_words};
use super::supervisor::{End, Supervisor};
use crate::backend::{Backend, BackendError, Sink};
use crate::model::{Change, Delta, Fact, Text};
use crate::util::time::Timestamp;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// Time from the last sign of life to a ping: seldom, and yet an answer that takes all of [`ANSWER`] is there before the link
/// is stale.
const BEAT: Duration = Duration::from_millis(10_500);
/// Time from a ping that failed to the next.
const AGAIN: Duration = Duration::from_secs(2);
/// Longest wait for the answer to a ping.
const ANSWER: Duration = Duration::from_millis(3_500);
/// Pings that fail one after another before the link is called stale, if nothing else proved life meanwhile.
const MISSES: u32 = 2;
/// Time without any proof of life after which the session is given up. Longer than it takes to be called stale.
const GIVE_UP: Duration = Duration::from_secs(20);
/// A tick that comes this much too late means that the process or the machine stood still.
const STOOD_STILL: Duration = Duration::from_secs(30);
/// Deltas between the backend and the store's own queue.
const DELTAS: usize = 256;

/// The last proof that a cluster is alive.
#[derive(Debug)]
pub(super) struct Proof(Mutex<(Instant, Timestamp)>);

impl Proof {
    pub(super) fn now(time: Timestamp) -> Self {
        Self(Mutex::new((Instant::now(), time)))
    }

    /// There was a sign of life at `at`; `now` is the present time.
    fn renew(&self, at: Instant, now: Timestamp) {
        let mut held = self.0.lock();
        if at > held.0 {
            *held = (at, now.minus(at.elapsed()));
        }
    }

    pub(super) fn instant(&self) -> Instant {
        self.0.lock().0
    }

    pub(super) fn time(&self) -> Timestamp {
        self.0.lock().1
    }
}

/// Runs until the session is over. Dropping it ends the watches.
pub(super) async fn run(of: &mut Supervisor, backend: Arc<dyn Backend>, proof: Arc<Proof>) -> End {
    let mut watches = watch(of, &backend, &proof);
    let mut misses = 0;
    let mut beat = Box::pin(ping(Arc::clone(&backend), Arc::clone(&proof), Instant::now() + BEAT, false));
    let mut set_out = of.now();
    let hear = |now: Timestamp| backend.heard().into_iter().for_each(|at| proof.renew(at, now));
    loop {
        let stale_at = of.stale_at();
        let away = !of.is_live();
        tokio::select! {
            Some(ended) = watches.join_next() => match ended {
                Ok(Some(error)) => return End::Error(error),
                // the forwarder: the watch beside it has dropped its sink and is about to end too
                Ok(None) => {}
                Err(error) => return match error.try_into_panic() {
                    Ok(panic) => End::Panic(panic_words(panic.as_ref())),
                    Err(_) => End::Asked,
                },
            },
            answer = &mut beat => {
                let now = of.now();
                hear(now);
                let mut due = proof.instant() + BEAT;
                if of.keeps_pace() && now.since(set_out) > BEAT + ANSWER + STOOD_STILL {
                    // what was open before may be dead without either side having said so
                    of.stale(Text::new("Quarterdeck or its machine stood still; asking again")).await;
                }
                match answer {
                    Ok(Sign::Heard) => misses = 0,
                    Ok(Sign::Answer) => {
                        proof.renew(Instant::now(), now);
                        due = Instant::now() + BEAT;
                        misses = 0;
                        if away || !of.is_live() {
                            // what the old ones still have to say is from before
                            watches.shutdown().await;
                            of.live().await;
                            watches = watch(of, &backend, &proof);
                        } else {
                            of.live().await;
                        }
                    }
                    Err(error @ BackendError::Unauthorised(_)) => return End::Error(error),
                    Err(error) => {
                        misses += 1;
                        of.note(Text::from(error.to_string()));
                        let age = proof.instant().elapsed();
                        if age > GIVE_UP {
                            return End::Error(error);
                        }
                        if misses >= MISSES && age >= BEAT {
                            of.stale(Text::from(error.to_string())).await;
                        }
                        due = Instant::now() + AGAIN;
                    }
                }
                set_out = now;
                // a link that is not live becomes so by an answer only
                let ask = !of.is_live();
                if ask {
                    due = due.min(Instant::now() + AGAIN);
                }
                beat = Box::pin(ping(Arc::clone(&backend), Arc::clone(&proof), due, ask));
            },
            () = sleep_until(stale_at.unwrap_or_else(Instant::now)), if stale_at.is_some() => {
                hear(of.now());
                of.age().await;
            },
            Ok(()) = of.reconnects.changed(), if away => return End::Asked,
        }
    }
}

/// What a heartbeat came to.
enum Sign {
    /// The cluster answered.
    Answer,
    /// Nothing was asked: there had been a sign of life meanwhile.
    Heard,
}

/// One heartbeat at `due`, which asks only if there has been no sign of life for long, or if it must.
async fn ping(backend: Arc<dyn Backend>, proof: Arc<Proof>, due: Instant, ask: bool) -> Result<Sign, BackendError> {
    sleep_until(due).await;
    let last = backend.heard().map_or(proof.instant(), |at| at.max(proof.instant()));
    if !ask && last + BEAT > Instant::now() {
        return Ok(Sign::Heard);
    }
    match timeout(ANSWER, contained(backend.ping())).await {
        Ok(Ok(answer)) => answer.map(|()| Sign::Answer),
        Ok(Err(panic)) => Err(BackendError::Protocol(format!("a fault of Quarterdeck itself in its heartbeat: {panic}"))),
        Err(_) => Err(BackendError::Unreachable(format!("no answer to a heartbeat within {} s", ANSWER.as_secs_f32()))),
    }
}

/// Starts the watches and what hands their deltas on. Dropping the set ends both.
fn watch(of: &Supervisor, backend: &Arc<dyn Backend>, proof: &Arc<Proof>) -> JoinSet<Option<BackendError>> {
    let (deltas, incoming) = mpsc::channel(DELTAS);
    let sink = Sink::new(of.id.clone(), deltas, of.wants.receiver());
    let backend = Arc::clone(backend);
    let mut set = JoinSet::new();
    set.spawn(async move { Some(backend.watch(&sink).await) });
    set.spawn(forward(incoming, Arc::clone(&of.shared), Arc::clone(proof)));
    set
}

/// Hands deltas on, so that the supervisor sees signs of life and nothing of an ended session comes late.
async fn forward(mut deltas: mpsc::Receiver<Fact>, shared: Arc<Shared>, proof: Arc<Proof>) -> Option<BackendError> {
    while let Some(fact) = deltas.recv().await {
        if proves_life(&fact) {
            proof.renew(Instant::now(), shared.now());
        }
        shared.tell(fact).await;
    }
    None
}

/// Whether a delta can only come from an answer of the cluster: backends say `Begin` before they ask, and `Failed` when
/// they got no answer, which may be the `End` of a table that others have filled.
fn proves_life(fact: &Fact) -> bool {
    fn row<T>(change: &Change<T>) -> bool {
        matches!(change, Change::Upsert(_) | Change::Remove(_))
    }
    let Fact::Cluster(_, delta) = fact else { return false };
    match delta {
        Delta::Node(change) => row(change),
        Delta::Service(change) => row(change),
        Delta::Task(change) => row(change),
        Delta::Event(change) => row(change),
        Delta::Usage { .. } => true,
        Delta::Link(_) | Delta::About { .. } | Delta::Finding(_) | Delta::NoUsage(_) => false,
        Delta::Rights(_) | Delta::Survey(_) | Delta::Join(_) => false,
    }
}
