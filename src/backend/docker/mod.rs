//! Docker engines and Swarm managers, over the Engine API (moby `docs/api`).
//!
//! | part | owns |
//! |---|---|
//! | [`discover`](discover::discover) | which engines there are |
//! | `transport` | sockets, TCP, TLS, ssh; requests with deadlines; errors in words |
//! | `client` | a connected engine: raw requests, and bollard over the same connections |
//! | `wire`, `convert` | the API's objects, and how rows are made from them (pure) |
//! | `watch`, `usage` | events, lists, measurements |
//! | `actions`, `logs`, `inspect` | what is asked of one object |
//!
//! A Swarm manager is shown as its swarm: nodes, services, tasks. Containers beside the swarm on that engine are not shown.
//! Measurements exist only for tasks on the engine that is connected, since no engine answers for another.

mod actions;
mod client;
mod connector;
mod convert;
mod discover;
mod inspect;
mod logs;
#[cfg(test)]
mod real;
#[cfg(test)]
mod scripted;
mod transport;
mod usage;
mod watch;
mod wire;

pub use connector::DockerConnector;
pub use discover::{Env, discover};
pub use logs::LogLines;

use super::{About, Backend, BackendError, LogRequest, ProgressSink, Sink};
use crate::model::{ActionKind, Expect, Found, Intent, LogLine, ObjectRef, Secret, Text};
use client::Docker;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What the names of labels begin with that a service has only while an action is at it.
const FOR_NOW: &str = "quarterdeck.";
/// Longest time for the answer to a ping.
const PING: Duration = Duration::from_secs(5);

impl Backend for Docker {
    fn about(&self) -> About {
        Docker::about(self)
    }

    fn watch<'a>(&'a self, sink: &'a Sink) -> BoxFuture<'a, BackendError> {
        Box::pin(watch::watch(self, sink))
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(async { self.http.ping(PING).await.map_err(|error| self.failed("asking for a sign of life", &error)) })
    }

    fn heard(&self) -> Option<Instant> {
        self.http.heard()
    }

    fn execute<'a>(&'a self, intent: &'a Intent, progress: &'a ProgressSink) -> BoxFuture<'a, Result<Expect, BackendError>> {
        Box::pin(actions::execute(self, intent, progress))
    }

    fn take_back<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<Option<String>, BackendError>> {
        Box::pin(actions::take_back(self, intent))
    }

    fn survey<'a>(&'a self, object: &'a ObjectRef, action: ActionKind) -> BoxFuture<'a, Result<Found, BackendError>> {
        Box::pin(actions::survey(self, object, action))
    }

    fn join(&self, managers: bool) -> BoxFuture<'_, Result<(Secret, Text), BackendError>> {
        Box::pin(actions::join(self, managers))
    }

    fn logs(&self, request: LogRequest) -> BoxStream<'static, Result<Vec<LogLine>, BackendError>> {
        let own_node = self.is_swarm().then(|| self.info.swarm.node_id.clone());
        logs::follow(Arc::clone(&self.http), own_node, request)
    }

    fn inspect<'a>(&'a self, object: &'a ObjectRef) -> BoxFuture<'a, Result<String, BackendError>> {
        Box::pin(inspect::inspect(self, object))
    }
}
