//! Follows the engine's events: each is a row, and a hint at what to read again.

use super::hints::{Hints, Stale};
use crate::backend::docker::client::Docker;
use crate::backend::docker::convert::event;
use crate::backend::docker::transport::HttpError;
use crate::backend::docker::transport::http::unreadable;
use crate::backend::docker::wire::{self, Happened};
use crate::backend::{BackendError, Sink};
use crate::model::{Change, Delta, Key};
use crate::util::time::Timestamp;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// A stream is opened anew after this time: proxies close idle ones without telling us.
const RECYCLE: Duration = Duration::from_secs(300);
/// Events that an engine remembers.
const RING: usize = 256;
/// History asked for when a session begins.
const HISTORY: Duration = Duration::from_secs(3_600);
/// Each stream begins this much before the last one ended: clocks and listing leave gaps. Doubled events have one key.
const OVERLAP: Duration = Duration::from_secs(2);
/// How far the clock of an engine may be ahead of ours. A moment later than that is none.
const AHEAD: Duration = Duration::from_secs(86_400);
/// Longest line of a stream.
const LINE: usize = 1 << 20;
/// Pause before a stream that could not be opened is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Follows events until dropped. A stream that ends is no error: everything is read again, and the next one begins. One
/// that is opened anew begins with events that are known; if it does not, the engine has forgotten some.
pub async fn follow(docker: &Docker, sink: &Sink, hints: &Hints) -> BackendError {
    let mut since = Timestamp::now().minus(HISTORY);
    let mut recent = Recent::default();
    let mut listed = false;
    'streams: loop {
        let mut stream = Stream::new(docker, format!("/events?since={}&filters={FILTERS}", seconds(since)));
        let recycle = Instant::now() + RECYCLE;
        if !listed {
            // rows of an earlier session stay: the engine may have forgotten them already
            sink.send(Delta::Event(Change::End)).await;
            listed = true;
        }
        recent.opened();
        let failed = loop {
            let message = tokio::select! {
                message = stream.next() => message,
                () = sleep_until(recycle) => continue 'streams,
            };
            match message {
                Some(Ok(message)) => {
                    let row = event::event(&message, docker.is_swarm());
                    match recent.place(&row.key) {
                        Place::Known => continue,
                        Place::Next => {}
                        Place::AfterGap => hints.add(Stale::all()),
                    }
                    hint(&message, row.at, hints);
                    // the engine's own clock: ours may differ, though not by days
                    if row.at < Timestamp::now().plus(AHEAD) {
                        since = since.max(row.at.minus(OVERLAP));
                    }
                    sink.send(Delta::Event(Change::Upsert(row))).await;
                }
                Some(Err(error)) => break Some(docker.failed("following events", &error)),
                None => break None,
            }
        };
        hints.add(Stale::all());
        match failed {
            // an engine that is gone is noticed by the lists, which end the session
            Some(error) => {
                sink.send(Delta::Event(Change::Failed(error.to_string().into()))).await;
                listed = false;
                sleep(RETRY).await;
            }
            // an engine that ends streams at once must not be hammered
            None if recycle - RECYCLE + Duration::from_secs(1) > Instant::now() => sleep(RETRY).await,
            None => {}
        }
    }
}

/// The last events, to know them again.
#[derive(Debug, Default)]
struct Recent {
    keys: VecDeque<Key>,
    /// Nothing is known to be missing between them and what comes next.
    joined: bool,
}

/// Where an event stands.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// It came before.
    Known,
    /// It follows.
    Next,
    /// It follows, and others before it may be missing.
    AfterGap,
}

impl Recent {
    /// A stream begins, with events that were there already if there were any.
    fn opened(&mut self) {
        self.joined = self.keys.is_empty();
    }

    fn place(&mut self, key: &Key) -> Place {
        let joined = std::mem::replace(&mut self.joined, true);
        if self.keys.contains(key) {
            return Place::Known;
        }
        if self.keys.len() == RING {
            self.keys.pop_front();
        }
        self.keys.push_back(key.clone());
        if joined { Place::Next } else { Place::AfterGap }
    }
}

/// Unix seconds with decimals, as the engine reads them.
fn seconds(at: Timestamp) -> String {
    format!("{}.{:03}", at.0.div_euclid(1_000), at.0.rem_euclid(1_000))
}

/// The engine filters: health checks alone would make several events a second of `exec_create` and `exec_start`. Escaped
/// JSON: the types are container, service and node.
const FILTERS: &str = "%7B%22type%22%3A%5B%22container%22%2C%22service%22%2C%22node%22%5D%2C%22event%22%3A%5B%22create%22\
    %2C%22update%22%2C%22remove%22%2C%22start%22%2C%22restart%22%2C%22stop%22%2C%22die%22%2C%22kill%22%2C%22oom%22\
    %2C%22destroy%22%2C%22pause%22%2C%22unpause%22%2C%22rename%22%2C%22health_status%22%5D%7D";

/// A stream of events, opened when the first is waited for. Waiting can be given up at any time.
struct Stream<'a> {
    docker: &'a Docker,
    path: String,
    body: Option<Incoming>,
    begun: Vec<u8>,
    ready: VecDeque<Happened>,
}

impl<'a> Stream<'a> {
    fn new(docker: &'a Docker, path: String) -> Self {
        Self { docker, path, body: None, begun: Vec::new(), ready: VecDeque::new() }
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Result<Happened, HttpError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            let body = match &mut self.body {
                Some(body) => body,
                None => match self.docker.http.stream(&self.path).await {
                    Ok(response) => self.body.insert(response.into_body()),
                    Err(error) => return Some(Err(error)),
                },
            };
            match body.frame().await? {
                Ok(frame) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if let Err(error) = self.hear(&data) {
                        return Some(Err(error));
                    }
                }
                Err(error) => return Some(Err(HttpError::NoAnswer(format!("it broke off: {error}")))),
            }
        }
    }

    fn hear(&mut self, chunk: &[u8]) -> Result<(), HttpError> {
        self.begun.extend_from_slice(chunk);
        let end = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in self.begun[..end].split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            match wire::one(line) {
                Ok(event) => self.ready.push_back(event),
                // the next one may be fine
                Err(error) => tracing::warn!(error = ?unreadable(&error), "an event was left out: it could not be read"),
            }
        }
        self.begun.drain(..end);
        if self.begun.len() > LINE { Err(HttpError::Unreadable("an event is longer than 1 MiB".to_owned())) } else { Ok(()) }
    }
}

fn hint(message: &Happened, at: Timestamp, hints: &Hints) {
    let id = message.actor.id.clone();
    match message.kind.as_str() {
        "node" => {
            if message.actor.attributes.contains_key("state.new") {
                hints.node_changed(&id, at);
            }
            hints.add(Stale { nodes: true, tasks: true, ..Stale::default() });
        }
        "service" => hints.add(Stale { services: true, tasks: true, objects: [id].into(), ..Stale::default() }),
        _ => hints.add(Stale { tasks: true, objects: [id].into(), ..Stale::default() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_opened_anew_goes_on_where_the_last_one_was_unless_the_engine_has_forgotten() {
        let mut recent = Recent::default();
        let mut stream = |events: &[&str]| {
            recent.opened();
            events.iter().map(|key| recent.place(&Key::from(*key))).collect::<Vec<_>>()
        };
        assert_eq!(stream(&["a", "b"]), [Place::Next, Place::Next]);
        assert_eq!(stream(&["b", "c", "a"]), [Place::Known, Place::Next, Place::Known]);
        assert_eq!(stream(&[]), []);
        assert_eq!(stream(&["x", "y"]), [Place::AfterGap, Place::Next]);
    }
}
