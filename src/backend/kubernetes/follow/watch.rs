//! The watches of a kind: from the version that was listed on, until the server ends them.
//!
//! Two things look the same as a quiet kind, and neither end is told of them:
//!
//! - A watch that something between us and the server keeps open, and that brings nothing any more. A server sends a
//!   bookmark a minute also of a kind in which nothing happens (1.34: all but events), so a watch that was silent for
//!   [`SILENT`] is begun anew. So long rows may be wrong and be shown as live if heartbeats still come through; if they do
//!   not, or one stays away, the link is stale and all watches are begun anew. Where no event was written for five to ten
//!   minutes all are listed anew: by then a server has forgotten the version of the last one.
//! - A watch of a server that was restored from an older copy: one that begins at a version the server has not come to yet
//!   is accepted, and leaves out all until then. So a server is asked for its version before a watch goes on.

use super::super::failure::Failure;
use super::super::http::Watch;
use super::super::quiet::Silence;
use super::audit::{self, Audit};
use super::heard::Begun;
use super::kind::Chunk;
use super::lapse::{Following, Lapse};
use super::{Follower, Held, Place, Step, Stop, arrived};
use crate::model::Text;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// A connection that has more hands it over within this time.
const DRAINED: Duration = Duration::from_millis(2);
/// Between two looks at a watch that is busy.
const PAUSE: Duration = Duration::from_millis(500);
/// As many bytes of it are enough for one look.
const MUCH: usize = 256 << 10;
/// A watch that has been silent for so long after its beginning has told that.
const QUIET: Duration = Duration::from_millis(100);
/// And one that is never silent has by then.
const CAUGHT_UP: Duration = Duration::from_secs(1);
/// A watch that brings nothing for so long is not believed any more: a bookmark comes once a minute.
pub(super) const SILENT: Duration = Duration::from_secs(75);

impl Follower {
    /// Watches all places until the first of these watches ends, or more may be read. Each place holds the last version whose
    /// change was sent, so nothing is lost when the others are dropped with it.
    pub(super) async fn watch(&self, held: &mut Held, lapse: &Lapse) -> Result<(), Stop> {
        let Held { places, wider, refused, end } = held;
        let (following, end) = (lapse.following(places.len()), &*end);
        let watches = places.iter_mut().map(|place| Box::pin(self.watch_place(place, &following, end)));
        tokio::select! {
            (ended, ..) = futures::future::select_all(watches) => ended,
            () = self.admitted(refused, wider) => Ok(()),
        }
    }

    /// A watch has begun and tells what is new. Returns whether it is of use: not if it came too late.
    async fn begun(&self, following: &Following<'_>, end: &Mutex<Option<Option<Text>>>) -> Result<bool, Stop> {
        let Some(all) = following.one_more() else { return Ok(false) };
        let end = if all { end.lock().take() } else { None };
        if let Some(only) = end {
            self.say(Step::End(only)).await?;
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
        let Place { path, version, marks, audit, watched } = place;
        // spread, so that the loops do not all come back in the same second
        let seconds = 120 + self.seed % 61;
        let list = path.clone();
        if std::mem::replace(watched, true) {
            self.went_back(&list, version).await?;
        }
        let path = format!("{path}?watch=true&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={seconds}");
        let watch = self.api.watch(&path, self.form()).await?;
        self.link.fine(self.kind.0.plural());
        let mut behind = end.lock().is_some().then(|| Instant::now() + CAUGHT_UP);
        if behind.is_none() && !self.begun(following, end).await? {
            return Ok(());
        }
        let (mut begun, mut looks) = (Begun::new(watch.form), Looks::at(watch));
        let mut auditing = Audit::at(*audit);
        let mut heard = Instant::now();
        loop {
            let chunk = tokio::select! {
                chunk = looks.next(behind.is_some()) => chunk,
                () = until(behind), if behind.is_some() => {
                    behind = None;
                    if !self.begun(following, end).await? {
                        return Ok(());
                    }
                    continue;
                }
                () = sleep_until(heard + SILENT) => return Ok(()),
                found = auditing.step(|| audit::compare(self.api.clone(), self.form(), Arc::clone(&self.lists), list.clone(), version.clone(), marks.clone())) => {
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
            heard = Instant::now();
            let Chunk { steps, version: newest, read } = self.kind.0.chunk(&chunk, &mut begun, version, marks);
            if let Some(steps) = steps {
                arrived(steps).await?;
            }
            if !newest.is_empty() {
                *version = newest;
            }
            read?;
        }
    }

    /// An error if the server has not come to `version` yet.
    async fn went_back(&self, list: &str, version: &str) -> Result<(), Stop> {
        let now = audit::version(&self.api, self.form(), list).await?;
        match (now.parse(), version.parse()) {
            (Ok(now), Ok(held)) if now < held => Err(Failure::disorder(now, held).into()),
            _ => Ok(()),
        }
    }
}

/// Waits until a watch that is behind has been quiet for a while, or has had time enough.
async fn until(behind: Option<Instant>) {
    let quiet = Instant::now() + QUIET;
    sleep_until(behind.map_or(quiet, |limit| limit.min(quiet))).await;
}

/// A watch, and what of it was taken but not handed on.
struct Looks {
    watch: Watch,
    taken: BytesMut,
    /// What came after that and is no part of it: an error, or none at the end.
    last: Option<Option<Failure>>,
}

impl Looks {
    fn at(watch: Watch) -> Self {
        Self { watch, taken: BytesMut::new(), last: None }
    }

    /// All that is there of the watch by now, up to about [`MUCH`]; none at its end. What comes first after a quiet time is
    /// taken at once. Then there is a pause: what comes all the time is taken now and then, not packet by packet, each of
    /// which would wake all through whom it goes. With `at_once` there is no pause. Nothing is lost if nobody waits for
    /// it to the end.
    async fn next(&mut self, at_once: bool) -> Option<Result<Bytes, Failure>> {
        if self.taken.is_empty() && self.last.is_none() {
            let chunk = match timeout(DRAINED, self.watch.chunks.next()).await {
                Ok(chunk) => chunk,
                Err(_) => {
                    if !at_once {
                        let silent = self.watch.silence.as_ref().map(Silence::begin);
                        sleep(PAUSE).await;
                        drop(silent);
                    }
                    self.watch.chunks.next().await
                }
            };
            self.take(chunk);
        }
        while self.last.is_none() && self.taken.len() < MUCH {
            let Ok(chunk) = timeout(DRAINED, self.watch.chunks.next()).await else { break };
            self.take(chunk);
        }
        match self.last.take() {
            Some(last) if self.taken.is_empty() => last.map(Err),
            last => {
                self.last = last;
                Some(Ok(self.taken.split().freeze()))
            }
        }
    }

    fn take(&mut self, chunk: Option<Result<Bytes, Failure>>) {
        match chunk {
            Some(Ok(bytes)) => self.taken.extend_from_slice(&bytes),
            Some(Err(failure)) => self.last = Some(Some(failure)),
            None => self.last = Some(None),
        }
    }
}
