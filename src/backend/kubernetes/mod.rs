//! Kubernetes, through its API server.
//!
//! Lists and watches the kinds that rows are made of, decoded straight into the fields that matter; whole objects are
//! fetched only when someone opens one. Changes are sent as raw JSON with preconditions, and never sent twice.

mod actions;
mod client;
mod connect;
mod convert;
mod credentials;
mod decode;
mod discover;
mod failure;
mod follow;
mod http;
mod index;
mod inspect;
mod link;
mod logs;
mod metrics;
mod oidc;
mod paths;
mod pipeline;
mod plugin;
mod protobuf;
mod proxy;
mod quiet;
mod raw;
#[cfg(test)]
mod real;
mod rights;
#[cfg(test)]
mod scripted;
mod session;
mod source;

#[cfg(test)]
pub(crate) use actions::evacuation_tests;
pub use connect::Context;
pub use discover::{Discovered, Environment, discover, discover_files};
pub use pipeline::Pipeline;
pub use protobuf::encode;
pub use proxy::Proxies;

use super::{About, Backend, BackendError, LogRequest, ProgressSink, Sink};
use crate::backend::capabilities::capabilities;
use crate::model::{ActionKind, ClusterKind, Expect, Found, Intent, LogLine, ObjectRef, Text};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use http::Api;
use index::Shared;
use rights::Rights;
use std::sync::Arc;
use std::time::Duration;

/// A connected API server.
struct Kubernetes {
    api: Api,
    version: Text,
    /// Where to read what may not be read in all namespaces.
    namespaces: Arc<[String]>,
    /// How often each kind is audited.
    audit: Duration,
    index: Shared,
    rights: Rights,
}

impl Kubernetes {
    fn new(api: Api, version: Text, namespaces: Arc<[String]>, audit: Duration) -> Self {
        Self { api, version, namespaces, audit, index: Shared::default(), rights: Rights::default() }
    }
}

impl Backend for Kubernetes {
    fn about(&self) -> About {
        About {
            kind: ClusterKind::Kubernetes,
            version: self.version.clone(),
            capabilities: capabilities(ClusterKind::Kubernetes),
            engine: None,
        }
    }

    fn watch<'a>(&'a self, sink: &'a Sink) -> BoxFuture<'a, BackendError> {
        Box::pin(session::run(&self.api, &self.namespaces, self.audit, &self.index, sink))
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(ping(&self.api))
    }

    fn execute<'a>(&'a self, intent: &'a Intent, progress: &'a ProgressSink) -> BoxFuture<'a, Result<Expect, BackendError>> {
        Box::pin(actions::execute(&self.api, &self.index, intent, progress))
    }

    fn denied<'a>(&'a self, object: &'a ObjectRef, actions: &'a [ActionKind]) -> BoxFuture<'a, Option<Vec<(ActionKind, Text)>>> {
        Box::pin(self.rights.denied(&self.api, &self.index, object, actions))
    }

    fn survey<'a>(&'a self, object: &'a ObjectRef, action: ActionKind) -> BoxFuture<'a, Result<Found, BackendError>> {
        Box::pin(actions::survey(&self.api, &self.index, object, action))
    }

    fn logs(&self, request: LogRequest) -> BoxStream<'static, Result<Vec<LogLine>, BackendError>> {
        logs::follow(self.api.clone(), request)
    }

    fn inspect<'a>(&'a self, object: &'a ObjectRef) -> BoxFuture<'a, Result<String, BackendError>> {
        Box::pin(inspect::inspect(&self.api, &self.index, object))
    }
}

/// `/livez`, which servers before 1.16 and some gateways do not have, and some refuse; an answer at all is what counts.
async fn ping(api: &Api) -> Result<(), BackendError> {
    let failure = match api.get_bytes("/livez", http::GET).await {
        Ok(_) => return Ok(()),
        Err(failure) => failure,
    };
    match failure.status() {
        Some(403) => Ok(()),
        Some(404) => api.get_bytes("/version", http::GET).await.map(|_| ()).map_err(|err| err.about("reach the cluster")),
        _ => Err(failure.about("reach the cluster")),
    }
}
