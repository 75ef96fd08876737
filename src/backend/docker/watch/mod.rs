//! Keeps the rows right: events say what to read again, lists say what is true.
//!
//! | | read again |
//! |---|---|
//! | after an event about it | 150 ms later, with everything else that came meanwhile |
//! | nodes of a swarm | every 5 s: a node that went down is on screen soon after the managers know |
//! | tasks of a swarm | every 2 s while looked at or just changed, else every 15 s: a swarm has no events for tasks |
//! | everything | every minute, and whenever events may have been missed |
//! | what an engine says of itself | every five minutes; every 10 s while it looks for its swarm |
//!
//! Events that something between us and the engine holds back, while it lets all else through, are seen as late as the next
//! list of everything: so long rows may be wrong and be shown as live. What such a list finds is told of ([`untold`]).

mod engine;
mod events;
mod hints;
mod list;
mod swarm;
mod table;
mod untold;

use super::client::Docker;
use super::usage;
use crate::backend::{BackendError, Sink};
use crate::model::{Change, Delta, Keyed, Text};
use hints::Hints;
use std::time::Duration;
use table::Sent;

/// How long hints gather before anything is read.
const GATHER: Duration = Duration::from_millis(150);
/// Longest age of a list. A list proves life as well as a heartbeat does, and this one comes just before every fifth, in its
/// place.
const RELIST: Duration = Duration::from_secs(52);

/// Watches until the connection is of no more use.
pub async fn watch(docker: &Docker, sink: &Sink) -> BackendError {
    let hints = Hints::default();
    let lists = async {
        if docker.is_swarm() { swarm::lists(docker, sink, &hints).await } else { engine::lists(docker, sink, &hints).await }
    };
    tokio::select! {
        error = lists => error,
        error = events::follow(docker, sink, &hints) => error,
        error = usage::sample(docker, sink) => error,
    }
}

async fn send<T: Keyed + Clone + PartialEq>(
    sink: &Sink,
    sent: &mut Sent<T>,
    rows: Result<Vec<T>, Text>,
    wrap: fn(Change<T>) -> Delta,
) {
    for change in sent.differences(rows) {
        sink.send(wrap(change)).await;
    }
}
