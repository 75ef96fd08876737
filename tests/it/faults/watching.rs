//! Watches.

use super::fault::Fault;
use super::objects::Resource;
use super::server::{Body, Query, Server, Stage, status};
use super::truth::Change;
use bytes::Bytes;
use futures::StreamExt;
use http_body_util::StreamBody;
use hyper::Response;
use hyper::body::Frame;
use quarterdeck::backend::kubernetes::encode;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How often a watch is told up to where nothing happened.
const BOOKMARK: Duration = Duration::from_secs(2);

/// How long a change waits for another one to change places with.
const WITHHELD: Duration = Duration::from_secs(1);

struct Watch {
    server: Arc<Server>,
    news: watch::Receiver<u64>,
    resource: Resource,
    path: String,
    protobuf: bool,
    /// The version that was told of last.
    after: u64,
    epoch: u64,
    bookmark: Instant,
    until: Instant,
    /// The version it was to begin at is forgotten.
    expired: bool,
    /// It falls silent when that is the fault.
    falls_silent: bool,
    over: bool,
}

pub fn watch(server: &Arc<Server>, resource: Resource, query: &Query) -> Response<Body> {
    let state = server.state.lock();
    let (Some(after), Some(seconds)) = (query.number("resourceVersion"), query.number("timeoutSeconds")) else {
        return status(400, "no version to watch from", "BadRequest");
    };
    if after > state.truth.version {
        return status(504, &format!("Timeout: Too large resource version: {after}, current: {}", state.truth.version), "Timeout");
    }
    let watch = Watch {
        server: Arc::clone(server),
        news: server.news.subscribe(),
        resource,
        path: query.path.clone(),
        protobuf: query.protobuf,
        after,
        epoch: state.epoch,
        bookmark: Instant::now() + BOOKMARK,
        until: Instant::now() + Duration::from_secs(seconds),
        expired: after < state.truth.compacted,
        falls_silent: resource == Resource::Pods && server.cell().fault == Fault::Silent && state.stage == Stage::Before,
        over: false,
    };
    let chunks = futures::stream::unfold(watch, |mut watch| async move {
        let piece = watch.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(piece))), watch))
    });
    let mut response = Response::new(StreamBody::new(chunks.boxed()));
    let kind = if query.protobuf { "application/vnd.kubernetes.protobuf;stream=watch" } else { "application/json" };
    response.headers_mut().insert("content-type", kind.parse().unwrap());
    response
}

impl Watch {
    /// The next piece of the stream; none at its end.
    async fn next(&mut self) -> Option<Vec<u8>> {
        while !self.over {
            self.news.borrow_and_update();
            if let Some(piece) = self.look() {
                return Some(piece);
            }
            if self.over {
                break;
            }
            tokio::select! {
                changed = self.news.changed() => changed.ok()?,
                () = sleep_until(self.bookmark.min(self.until).min(Instant::now() + WITHHELD)) => {}
            }
        }
        None
    }

    /// What there is to tell now.
    fn look(&mut self) -> Option<Vec<u8>> {
        let state = self.server.state.lock();
        let fault = (state.stage == Stage::Under).then_some(self.server.cell().fault);
        if self.falls_silent && state.stage != Stage::Before {
            (self.bookmark, self.until) = (Instant::now() + BOOKMARK, Instant::now() + BOOKMARK);
            return None;
        }
        if self.epoch != state.epoch {
            self.over = true;
            return match fault {
                Some(Fault::GoneInStream) => Some(self.gone()),
                Some(Fault::Truncated) => {
                    let whole = self.line("MODIFIED", &json!({ "metadata": { "name": "half of it" } }));
                    Some(whole[..whole.len() * 2 / 3].to_vec())
                }
                _ => None,
            };
        }
        if self.expired || fault == Some(Fault::GoneInStream) {
            self.over = true;
            return Some(self.gone());
        }
        if Instant::now() >= self.until {
            self.over = true;
            return None;
        }
        let changes: Vec<Change> = state.truth.since(self.resource, self.after);
        let told = |change: &&Change| !state.lost.contains(&change.version);
        let lines: Vec<Vec<u8>> = changes.iter().filter(told).map(|change| self.line(change.word, &change.object)).collect();
        if fault == Some(Fault::Shuffled) {
            self.bookmark = Instant::now() + BOOKMARK;
            // the wrong order needs two
            if changes.is_empty() || changes.len() == 1 && changes[0].at.elapsed() < WITHHELD {
                return None;
            }
            self.after = changes.last().map_or(self.after, |change| change.version);
            return Some(lines.iter().rev().chain(&lines).flatten().copied().collect());
        }
        if let Some(last) = changes.last() {
            self.after = last.version;
            let mut piece = lines.concat();
            if fault == Some(Fault::Truncated) {
                self.over = true;
                piece.truncate(piece.len() / 2);
            }
            return (!piece.is_empty()).then_some(piece);
        }
        if Instant::now() >= self.bookmark {
            self.bookmark = Instant::now() + BOOKMARK;
            self.after = state.truth.version;
            let mark = json!({ "metadata": { "resourceVersion": self.after.to_string() } });
            return (fault != Some(Fault::NoBookmarks)).then(|| self.line("BOOKMARK", &mark));
        }
        None
    }

    fn line(&self, word: &str, object: &Value) -> Vec<u8> {
        let line = json!({ "type": word, "object": object });
        if self.protobuf { encode::frame(&self.path, &line).unwrap() } else { format!("{line}\n").into_bytes() }
    }

    fn gone(&self) -> Vec<u8> {
        self.line("ERROR", &json!({ "kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version" }))
    }
}
