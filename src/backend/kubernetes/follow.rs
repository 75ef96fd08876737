//! Lists one kind and follows its changes for as long as a session lasts.
//!
//! The contract: Kubernetes docs, "Efficient detection of changes". A list gives a version to watch from; a watch ends by
//! itself now and then and goes on from the last version seen; when the server has forgotten that version the kind is
//! listed anew. Lists ask for the newest state (no `resourceVersion=0`: it may be older than what was shown before).
//!
//! A user who may not list a kind in all namespaces sees it in those that were named: each is listed and watched by itself,
//! and together they are one list to whoever takes the steps.
//!
//! Decided by measurement (an API server 1.34 on the loopback, 10,000 pods of 4 KB, as JSON; best of four on a busy machine):
//!
//! | | time | on the wire | processor time of the server |
//! |---|---|---|---|
//! | pages of 500 | 0.96 s | 40.9 MB | 0.49 s |
//! | pages of 500, gzip | 1.67 s | 2.9 MB | 0.70 s |
//! | pages of 1,000, gzip | 1.45 s | 2.9 MB | 0.61 s |
//! | one stream (`sendInitialEvents`) | 3.11 s | 41.4 MB | 1.69 s |
//!
//! So lists are paged, and always compressed: without it they are faster only where more than 400 Mbit/s reach us, and
//! many who operate a cluster sit behind a VPN. Nor is anything won where the server is near: program and API server on the
//! same two cores had all rows in 1.6 s compressed and in 2.0 s plain (medians of seven loads), because to read fifteen
//! times the bytes takes the program longer (0.2 s of processor time) than to unpack them. Streamed lists are not compressed, and cost everybody more.
//!
//! As Protocol Buffers the same lists cost a server less: 9,000 pods took 0.70–0.74 s of its processor time where JSON took
//! 0.80–1.36 (several loads on a busy machine), and are 16.9 MB in place of 28.4, compressed 0.9 in place of 1.5.
//! Nothing is won by leaving them plain either: all rows of 10,000 pods after 3.3, 3.4 and 3.6 s compressed, and after 3.3,
//! 3.6 and 5.6 s plain, in turns.
//!
//! A server is slower with each thing that it is asked for at the same time, and what it has most of are events, which no
//! row needs. So these, and measurements, are asked for once the pods are there. A page costs something of its own, too.
//! (10,000 pods, 1,000 nodes and up to 19,000 events, the cluster and the program on the same two cores; medians of 14 to 16
//! starts each, in random order, without those that met the measuring of all nodes.)
//!
//! | | all pods shown | all kinds | processor time of the server | resident at most |
//! |---|---|---|---|---|
//! | everything at once, pages of 500 | 1.20 s | 1.58 s | 1.7 s | 40 MB |
//! | events and measurements after the pods | 1.00 s | 1.94 s | 1.4 s | 37 MB |
//! | everything at once, pages after the first of 2,000 | 1.19 s | 1.46 s | 1.3 s | 59 MB |
//! | both | 0.98 s | 1.55 s | 1.2 s | 55 MB |
//!
//! What large pages win, they win with events, which are small; two pages are held at a time, and pods may be far larger than
//! the 2 KB that these have. So a page after the first is as large as a megabyte allows, if the one before came soon.
//!
//! A quiet cluster is not silent: each kubelet writes its node's status every five minutes, which a watch of 1,000 small
//! nodes (3 KB; real ones name their images and are larger) brings at 10 KB/s. The same watch as a table (`as=Table`)
//! brings 1.2 KB/s, but a table tells nothing of pressure, taints and what can be allocated: those would be late, so whole
//! nodes are watched.

pub(super) mod audit;
pub(super) mod heard;
mod kind;
mod lapse;
mod list;
mod watch;

use super::failure::{Failure, Sort};
use super::http::{Api, Form};
use super::link::Link;
use super::raw::Listed;
use crate::backend::{BackendError, Sink};
use crate::model::Text;
use crate::util::backoff::Backoff;
use audit::{Difference, Marks};
use kind::{Delivery, Kind, Of, Said};
use lapse::Lapse;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep};

/// How often a kind that may not be read is asked for again, and longest time that a server may tell us to stay away: what
/// can be read again is there 45 s later.
const REFUSED: Duration = Duration::from_secs(40);

/// One step of a kind's story.
#[derive(Debug)]
pub(super) enum Step<T> {
    /// A list begins.
    Begin,
    /// An object as it is now.
    Item(T),
    /// An object is gone.
    Gone(T),
    /// The list is whole; in some namespaces only, if there are words that say which.
    End(Option<Text>),
    /// The kind cannot be read, and why; it is tried again.
    Failed(Text),
    /// The server does not know this kind.
    Absent,
}

/// What a loop needs.
pub(super) struct Follower {
    /// The server.
    pub api: Api,
    /// What is followed, and where its steps go.
    pub kind: Followed,
    /// How the session's connections are doing.
    pub link: Link,
    /// Lists at the same time are bounded: they are what costs a server most.
    pub lists: Arc<Semaphore>,
    /// Where to read what may not be read in all namespaces.
    pub namespaces: Arc<[String]>,
    /// How often what is held is compared with what the server has.
    pub audit: Duration,
    /// Where a difference is told of.
    pub sink: Sink,
    /// Spreads timeouts and delays of the loops apart.
    pub seed: u64,
    /// Whether only JSON is asked for, because what else came could not be read.
    pub plain: AtomicBool,
}

/// The kind of the objects whose steps a channel takes.
pub(super) struct Followed(Box<dyn Kind>);

impl<T: Listed> From<mpsc::Sender<Vec<Step<T>>>> for Followed {
    fn from(out: mpsc::Sender<Vec<Step<T>>>) -> Self {
        Self(Box::new(Of(out)))
    }
}

/// One list and how far it was followed.
struct Place {
    path: String,
    version: String,
    /// What there is at that version.
    marks: Marks,
    /// When it is compared next.
    audit: Instant,
    /// Whether it has been watched before.
    watched: bool,
}

/// What was listed: one place over all namespaces, or one for each that may be read. Empty: to be listed anew.
#[derive(Default)]
struct Held {
    places: Vec<Place>,
    /// When all namespaces are asked for again, if these are not all.
    wider: Option<Instant>,
    /// Paths of the lists that were refused: they are asked for again while the others are watched.
    refused: Vec<String>,
    /// The end of the list, if it is still to be told.
    end: Mutex<Option<Option<Text>>>,
}

impl Follower {
    /// Runs until the receiver goes away.
    pub async fn run(self) {
        let lapse = Lapse::default();
        tokio::select! {
            () = self.follow(&lapse) => {}
            () = lapse.say(&*self.kind.0) => {}
        }
    }

    async fn follow(&self, lapse: &Lapse) {
        let mut backoff = Backoff::new(Duration::from_millis(800), Duration::from_secs(30), self.seed);
        let mut held = Held::default();
        let mut known = Difference::default();
        loop {
            if lapse.was_said() {
                held.places.clear();
            }
            let began = Instant::now();
            let listing = held.places.is_empty();
            let result = if listing { self.list(lapse).await.map(|new| held = new) } else { self.watch(&mut held, lapse).await };
            let lasted = began.elapsed();
            match result {
                Ok(()) if listing => {}
                Ok(()) => {
                    if held.wider.is_some_and(|at| at <= Instant::now()) {
                        held.places.clear();
                    }
                    backoff.healthy(lasted);
                    if lasted < Duration::from_secs(1) {
                        // a server or proxy that ends every watch at once must not be hammered
                        sleep(backoff.next_delay()).await;
                    }
                }
                Err(Stop::Closed) => return,
                Err(Stop::Differs(found)) => {
                    // what a list does not change is not told of twice: objects that cannot be read
                    if !found.is_within(&known) {
                        self.sink.warn(found.words(self.sink.cluster(), self.kind.0.plural())).await;
                        held.places.clear();
                    }
                    known = found;
                }
                Err(Stop::Broken(failure)) => {
                    tracing::debug!(kind = self.kind.0.plural(), why = failure.message, "a watch broke off");
                    lapse.because(&failure.message);
                    backoff.healthy(lasted);
                    sleep(backoff.next_delay()).await;
                }
                // what sends them all the same is told of like any other that cannot be read
                Err(Stop::Failed(failure)) if failure.sort == Sort::Protobuf && !self.plain.swap(true, Ordering::Relaxed) => {
                    tracing::info!(kind = self.kind.0.plural(), "the server's Protocol Buffers cannot be read: JSON is asked for");
                    held.places.clear();
                }
                Err(Stop::Failed(failure)) => {
                    lapse.because(&failure.message);
                    if failure.wants_relist() && (!listing || backoff.attempts() < 5) {
                        held.places.clear();
                        sleep(backoff.next_delay()).await;
                        continue;
                    }
                    backoff.healthy(lasted);
                    let wait = backoff.next_delay().max(failure.retry_after.unwrap_or_default().min(REFUSED));
                    let (wait, said) = self.report(failure, wait, listing).await;
                    if said {
                        // only a list takes back what was said, and tells what may still be read
                        lapse.said();
                        held.places.clear();
                    }
                    sleep(wait).await;
                }
            }
        }
    }

    /// Says what failed. Returns how long to wait before trying again, and whether it was said of this kind.
    async fn report(&self, failure: Failure, wait: Duration, listing: bool) -> (Duration, bool) {
        let doing = format!("{} {}", if listing { "list" } else { "watch" }, self.kind.0.plural());
        match failure.sort {
            // it is the server that cannot be reached, whatever was asked of it
            Sort::Link => {
                self.link.lost(self.kind.0.plural(), BackendError::Unreachable(failure.message));
                (wait, false)
            }
            Sort::Credentials | Sort::Status(401) => {
                self.link.lost(self.kind.0.plural(), failure.about(&doing));
                (wait, false)
            }
            Sort::Status(404) => {
                let _ = self.say(Step::Absent).await;
                (REFUSED, true)
            }
            Sort::Status(code) => {
                let refused = matches!(code, 403 | 405);
                // one refusal of an overloaded server is no news while the rows are current
                if listing || refused {
                    let nor = if listing && code == 403 { self.nor() } else { String::new() };
                    let _ = self.say(Step::Failed(Text::from(format!("{}{nor}", failure.about(&doing))))).await;
                }
                (if refused { REFUSED } else { wait }, listing || refused)
            }
            Sort::Decode | Sort::Protobuf => {
                let _ = self.say(Step::Failed(Text::from(failure.about(&doing).to_string()))).await;
                (wait, true)
            }
        }
    }

    fn form(&self) -> Form {
        if self.plain.load(Ordering::Relaxed) { Form::Json } else { Form::Protobuf }
    }

    async fn say(&self, said: Said) -> Result<(), Stop> {
        arrived(self.kind.0.say(said)).await
    }

    /// Spread, so that the kinds are not all compared in the same minute.
    fn next_audit(&self) -> Instant {
        Instant::now() + self.audit.mul_f64(0.75 + (self.seed % 512) as f64 / 1_024.0)
    }
}

/// Waits until somebody has the steps.
async fn arrived(steps: Delivery) -> Result<(), Stop> {
    if steps.await { Ok(()) } else { Err(Stop::Closed) }
}

/// Why a list or watch ended before its time.
enum Stop {
    /// Nobody listens any more.
    Closed,
    /// A watch that had been accepted broke off: it goes on where it was, and says nothing about the link.
    Broken(Failure),
    /// It failed.
    Failed(Failure),
    /// What was followed is not what the server has.
    Differs(Difference),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

#[cfg(test)]
mod tests;
