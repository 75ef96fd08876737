//! Lists one kind and follows its changes for as long as a session lasts.
//!
//! The contract: Kubernetes docs, "Efficient detection of changes". A list gives a version to watch from; a watch ends by
//! itself now and then and goes on from the last version seen; when the server has forgotten that version the kind is
//! listed anew. Lists ask for the newest state (no `resourceVersion=0`: it may be older than what was shown before).
//!
//! A user who may not list a kind in all namespaces sees it in those that were named: each is listed and watched by itself,
//! and together they are one list to whoever takes the steps.
//!
//! Decided by measurement (an API server 1.34 on the loopback, 10,000 pods of 4 KB; best of four on a busy machine):
//!
//! | | time | on the wire | processor time of the server |
//! |---|---|---|---|
//! | pages of 500 | 0.96 s | 40.9 MB | 0.49 s |
//! | pages of 500, gzip | 1.67 s | 2.9 MB | 0.70 s |
//! | pages of 1,000, gzip | 1.45 s | 2.9 MB | 0.61 s |
//! | one stream (`sendInitialEvents`) | 3.11 s | 41.4 MB | 1.69 s |
//!
//! So lists are paged, and always compressed: without it they are faster only where more than 400 Mbit/s reach us, and
//! many who operate a cluster sit behind a VPN. Streamed lists are not compressed, and cost everybody more.
//!
//! A quiet cluster is not silent: each kubelet writes its node's status every five minutes, which a watch of 1,000 small
//! nodes (4 KB; real ones name their images and are larger) brings at 15 KB/s. The same watch as a table (`as=Table`)
//! brings 1.2 KB/s, but a table tells nothing of pressure, taints and what can be allocated: those would be late, so whole
//! nodes are watched.

mod audit;
mod heard;
mod lapse;

use super::decode;
use super::failure::{Failure, Sort, forbidden};
use super::http::{Api, LIST};
use super::link::Link;
use super::paths::escape;
use super::raw::Listed;
use crate::backend::{BackendError, Sink};
use crate::model::Text;
use crate::util::backoff::Backoff;
use audit::{Audit, Difference, Marks};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use heard::Heard;
use lapse::{Following, Lapse};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

/// Rows of a page of a list.
const PAGE: u32 = 500;
/// A connection that has more hands it over within this time.
const DRAINED: Duration = Duration::from_millis(2);
/// Between two looks at a watch that is busy.
const PAUSE: Duration = Duration::from_millis(200);
/// A list that took longer is old by the time it is whole: it counts as such once the watch has told what happened since.
const LONG: Duration = Duration::from_secs(5);
/// A watch that has been silent for so long after its beginning has told that.
const QUIET: Duration = Duration::from_millis(100);
/// And one that is never silent has by then.
const CAUGHT_UP: Duration = Duration::from_secs(1);
/// How often a kind that may not be read is asked for again.
const REFUSED: Duration = Duration::from_secs(60);
/// How often all namespaces are asked for again where only some may be read.
const WIDER: Duration = Duration::from_secs(600);

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
pub(super) struct Follower<T> {
    /// The server.
    pub api: Api,
    /// Where the steps go, in order, some at a time.
    pub out: mpsc::Sender<Vec<Step<T>>>,
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
}

/// One list and how far it was followed.
struct Place {
    path: String,
    version: String,
    /// What there is at that version.
    marks: Marks,
    /// When it is compared next.
    audit: Instant,
}

/// What was listed: one place over all namespaces, or one for each that may be read. Empty: to be listed anew.
#[derive(Default)]
struct Held {
    places: Vec<Place>,
    /// When all namespaces are asked for again, if these are not all.
    wider: Option<Instant>,
    /// The end of the list, if it is still to be told.
    end: Mutex<Option<Option<Text>>>,
}

impl<T: Listed> Follower<T> {
    /// Runs until the receiver goes away.
    pub async fn run(self) {
        let lapse = Lapse::default();
        tokio::select! {
            () = self.follow(&lapse) => {}
            () = lapse.say(&self.out, T::PLURAL) => {}
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
                        self.sink.warn(found.words(self.sink.cluster(), T::PLURAL)).await;
                        held.places.clear();
                    }
                    known = found;
                }
                Err(Stop::Broken(failure)) => {
                    tracing::debug!(kind = T::PLURAL, why = failure.message, "a watch broke off");
                    lapse.because(&failure.message);
                    backoff.healthy(lasted);
                    sleep(backoff.next_delay()).await;
                }
                Err(Stop::Failed(failure)) => {
                    lapse.because(&failure.message);
                    if failure.wants_relist() && (!listing || backoff.attempts() < 5) {
                        held.places.clear();
                        sleep(backoff.next_delay()).await;
                        continue;
                    }
                    backoff.healthy(lasted);
                    let wait = backoff.next_delay().max(failure.retry_after.unwrap_or_default());
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
        let doing = format!("{} {}", if listing { "list" } else { "watch" }, T::PLURAL);
        match failure.sort {
            // it is the server that cannot be reached, whatever was asked of it
            Sort::Link => {
                self.link.lost(T::PLURAL, BackendError::Unreachable(failure.message));
                (wait, false)
            }
            Sort::Credentials | Sort::Status(401) => {
                self.link.lost(T::PLURAL, failure.about(&doing));
                (wait, false)
            }
            Sort::Status(404) => {
                let _ = self.send(vec![Step::Absent]).await;
                (REFUSED, true)
            }
            Sort::Status(code) => {
                let refused = matches!(code, 403 | 405);
                // one refusal of an overloaded server is no news while the rows are current
                if listing || refused {
                    let nor = if listing && code == 403 { self.nor() } else { String::new() };
                    let _ = self.send(vec![Step::Failed(Text::from(format!("{}{nor}", failure.about(&doing))))]).await;
                }
                (if refused { REFUSED } else { wait }, listing || refused)
            }
            Sort::Decode => {
                let _ = self.send(vec![Step::Failed(Text::from(failure.about(&doing).to_string()))]).await;
                (wait, true)
            }
        }
    }

    async fn send(&self, steps: Vec<Step<T>>) -> Result<(), Stop> {
        self.out.send(steps).await.map_err(|_| Stop::Closed)
    }

    /// What was tried beside all namespaces, for the words of a refusal.
    fn nor(&self) -> String {
        if !T::NAMESPACED || self.namespaces.is_empty() {
            return String::new();
        }
        format!("; nor in {}", words(self.namespaces.iter()))
    }

    /// Lists the kind in all namespaces, or in those where it may be read.
    async fn list(&self, lapse: &Lapse) -> Result<Held, Stop> {
        let _turn = self.lists.acquire().await.map_err(|_| Stop::Closed)?;
        let began = Instant::now();
        let mut begun = false;
        let refusal = match self.list_place(T::PATH.to_owned(), &mut begun).await {
            Ok(place) => {
                let end = self.whole(None, began, lapse).await?;
                return Ok(Held { places: vec![place], wider: None, end });
            }
            Err(Stop::Failed(failure)) if T::NAMESPACED && failure.status() == Some(403) => failure,
            Err(stop) => return Err(stop),
        };
        let mut places = Vec::new();
        let (mut seen, mut refused) = (Vec::new(), Vec::new());
        for namespace in &*self.namespaces {
            match self.list_place(T::path_in(namespace), &mut begun).await {
                Ok(place) => {
                    places.push(place);
                    seen.push(namespace);
                }
                Err(Stop::Failed(failure)) if failure.status() == Some(403) => refused.push(forbidden(&failure.message)),
                Err(stop) => return Err(stop),
            }
        }
        if places.is_empty() {
            return Err(refusal.into());
        }
        let mut only = format!("only {}", words(seen.into_iter()));
        for why in &refused {
            only.push_str(&format!("; {why}"));
        }
        let end = self.whole(Some(Text::from(only)), began, lapse).await?;
        let again = if refused.is_empty() { WIDER } else { REFUSED };
        Ok(Held { places, wider: Some(Instant::now() + again), end })
    }

    /// Tells the end of a list, or returns it to be told when the watch has caught up.
    async fn whole(&self, only: Option<Text>, began: Instant, lapse: &Lapse) -> Result<Mutex<Option<Option<Text>>>, Stop> {
        lapse.listed();
        if began.elapsed() >= LONG {
            return Ok(Mutex::new(Some(only)));
        }
        self.send(vec![Step::End(only)]).await?;
        lapse.begin();
        Ok(Mutex::default())
    }

    /// Lists all pages of one place. The next page is under way while one is read and shown.
    async fn list_place(&self, path: String, begun: &mut bool) -> Result<Place, Stop> {
        let mut marks = Marks::default();
        let mut body = self.fetch(&path, "").await?;
        loop {
            self.link.fine(T::PLURAL);
            let mut next = None;
            let page = decode::page::<T>(&body, &mut |meta| {
                if next.is_none() && !meta.next.is_empty() {
                    next = Some(self.fetch(&path, &meta.next));
                }
            })?;
            drop(body);
            if !std::mem::replace(begun, true) {
                self.send(vec![Step::Begin]).await?;
            }
            for batch in page.items {
                batch.iter().for_each(|item| marks.put(item.meta()));
                self.send(batch.into_iter().map(Step::Item).collect()).await?;
            }
            match next {
                Some(fetch) => body = fetch.await?,
                None => return Ok(Place { path, version: page.meta.resource_version, marks, audit: self.next_audit() }),
            }
        }
    }

    /// Asks for the page that begins at `token`. It is under way at once, whether or not somebody waits for it yet.
    fn fetch(&self, path: &str, token: &str) -> impl Future<Output = Result<Bytes, Failure>> + use<T> {
        let token = if token.is_empty() { String::new() } else { format!("&continue={}", escape(token)) };
        let (api, path) = (self.api.clone(), format!("{path}?limit={PAGE}{token}"));
        let under_way = AbortOnDropHandle::new(tokio::spawn(async move { api.get_bytes(&path, LIST).await }));
        async { under_way.await.unwrap_or_else(|err| Err(Failure::link(format!("a request was given up: {err}")))) }
    }

    /// Watches all places until the first of these watches ends. Each place holds the last version whose change was sent,
    /// so nothing is lost when the others are dropped with it.
    async fn watch(&self, held: &mut Held, lapse: &Lapse) -> Result<(), Stop> {
        let Held { places, end, .. } = held;
        let (following, end) = (lapse.following(places.len()), &*end);
        let watches = places.iter_mut().map(|place| Box::pin(self.watch_place(place, &following, end)));
        futures::future::select_all(watches).await.0
    }

    /// A watch has begun and tells what is new. Returns whether it is of use: not if it came too late.
    async fn begun(&self, following: &Following<'_>, end: &Mutex<Option<Option<Text>>>) -> Result<bool, Stop> {
        let Some(all) = following.one_more() else { return Ok(false) };
        let end = if all { end.lock().take() } else { None };
        if let Some(only) = end {
            self.send(vec![Step::End(only)]).await?;
        }
        Ok(true)
    }

    /// Watches one place until the server ends it. If the `end` of the list is still to be told, the watch catches up first.
    async fn watch_place(
        &self,
        place: &mut Place,
        following: &Following<'_>,
        end: &Mutex<Option<Option<Text>>>,
    ) -> Result<(), Stop> {
        let Place { path, version, marks, audit } = place;
        // spread, so that the loops do not all come back in the same second
        let seconds = 120 + self.seed % 61;
        let list = path.clone();
        let path = format!("{path}?watch=true&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={seconds}");
        let mut chunks = self.api.stream(&path, Some(Duration::from_secs(seconds + 15))).await?;
        self.link.fine(T::PLURAL);
        let mut behind = end.lock().is_some().then(|| Instant::now() + CAUGHT_UP);
        if behind.is_none() && !self.begun(following, end).await? {
            return Ok(());
        }
        let mut begun: Vec<u8> = Vec::new();
        let mut auditing = Audit::at(*audit);
        loop {
            let chunk = tokio::select! {
                chunk = next(&mut chunks, behind.is_some()) => chunk,
                () = until(behind), if behind.is_some() => {
                    behind = None;
                    if !self.begun(following, end).await? {
                        return Ok(());
                    }
                    continue;
                }
                found = auditing.step(|| audit::compare(self.api.clone(), Arc::clone(&self.lists), list.clone(), version.clone(), marks.clone())) => {
                    *audit = self.next_audit();
                    auditing = Audit::at(*audit);
                    if let Some(found) = found {
                        return Err(Stop::Differs(found));
                    }
                    continue;
                }
            };
            let Some(chunk) = chunk else { return Ok(()) };
            let chunk = chunk.map_err(Stop::Broken)?;
            let mut heard = Heard::after(version);
            let result = heard.chunk(&chunk, &mut begun);
            // what was heard before something went wrong counts
            for step in &heard.steps {
                marks.follow(step);
            }
            if !heard.steps.is_empty() {
                self.send(heard.steps).await?;
            }
            if !heard.version.is_empty() {
                *version = heard.version;
            }
            result?;
        }
    }

    /// Spread, so that the kinds are not all compared in the same minute.
    fn next_audit(&self) -> Instant {
        Instant::now() + self.audit.mul_f64(0.75 + (self.seed % 512) as f64 / 1_024.0)
    }
}

/// Waits until a watch that is behind has been quiet for a while, or has had time enough.
async fn until(behind: Option<Instant>) {
    let quiet = Instant::now() + QUIET;
    sleep_until(behind.map_or(quiet, |limit| limit.min(quiet))).await;
}

/// The next part of a watch. Once all that has come was taken there is a pause: what comes first after a quiet time is
/// taken at once, and what comes all the time is taken five times a second, not packet by packet. With `at_once` there is
/// no pause.
async fn next<S: Stream + Unpin>(chunks: &mut S, at_once: bool) -> Option<S::Item> {
    if at_once {
        return chunks.next().await;
    }
    if let Ok(chunk) = timeout(DRAINED, chunks.next()).await {
        return chunk;
    }
    sleep(PAUSE).await;
    chunks.next().await
}

/// `namespace shop`, `namespaces pay, shop`.
fn words<'a>(namespaces: impl ExactSizeIterator<Item = &'a String>) -> String {
    let s = if namespaces.len() == 1 { "" } else { "s" };
    let names: Vec<&str> = namespaces.map(String::as_str).collect();
    format!("namespace{s} {}", names.join(", "))
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
