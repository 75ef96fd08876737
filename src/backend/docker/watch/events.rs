//! Follows the engine's events: each is a row, and a hint at what to read again.

use super::hints::{Hints, Stale};
use crate::backend::docker::client::Docker;
use crate::backend::docker::convert::event;
use crate::backend::{BackendError, Sink};
use crate::model::{Change, Delta, Key};
use crate::util::time::Timestamp;
use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures::StreamExt;
use std::collections::{HashMap, VecDeque};
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
/// Pause before a stream that could not be opened is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Follows events until dropped. A stream that ends is no error: everything is read again, and the next one begins. One
/// that is opened anew begins with events that are known; if it does not, the engine has forgotten some.
pub async fn follow(docker: &Docker, sink: &Sink, hints: &Hints) -> BackendError {
    let mut since = Timestamp::now().minus(HISTORY);
    let mut recent = Recent::default();
    let mut listed = false;
    'streams: loop {
        let options = EventsOptionsBuilder::new().since(&seconds(since)).filters(&filters()).build();
        let mut stream = Box::pin(docker.typed.events(Some(options)));
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
                    // the engine's own clock: ours may differ
                    since = row.at.minus(OVERLAP);
                    sink.send(Delta::Event(Change::Upsert(row))).await;
                }
                Some(Err(error)) => break Some(docker.typed_failed("following events", error)),
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

/// The engine filters: health checks alone would make several events a second of `exec_create` and `exec_start`.
fn filters() -> HashMap<&'static str, Vec<&'static str>> {
    HashMap::from([
        ("type", vec!["container", "service", "node"]),
        (
            "event",
            vec![
                "create",
                "update",
                "remove",
                "start",
                "restart",
                "stop",
                "die",
                "kill",
                "oom",
                "destroy",
                "pause",
                "unpause",
                "rename",
                "health_status",
            ],
        ),
    ])
}

fn hint(message: &EventMessage, at: Timestamp, hints: &Hints) {
    let actor = message.actor.as_ref();
    let id = actor.and_then(|actor| actor.id.clone()).unwrap_or_default();
    match event::about(message).as_str() {
        "node" => {
            let attributes = actor.and_then(|actor| actor.attributes.as_ref());
            if attributes.is_some_and(|attributes| attributes.contains_key("state.new")) {
                hints.node_changed(&id, at);
            }
            hints.add(Stale { nodes: true, tasks: true, ..Stale::default() });
        }
        "service" => hints.add(Stale { services: true, tasks: true, ..Stale::default() }),
        _ => hints.add(Stale { tasks: true, containers: [id].into(), ..Stale::default() }),
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
