//! The programs that work on a cluster in memory, and may die at any request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::execute;
use super::world::{Cluster, NAME};
use crate::backend::kubernetes::credentials::Credentials;
use crate::backend::kubernetes::http::Api;
use crate::backend::kubernetes::index::Shared;
use crate::backend::{About, Backend, BackendError, Connector, LogRequest, ProgressSink, Sink};
use crate::model::{
    ActionKind, Capabilities, Change, ClusterId, ClusterKind, Delta, Expect, Intent, Link, LogLine, ObjectRef, Text,
};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// How often a watch looks whether there is something new.
const LOOK: Duration = Duration::from_millis(500);

/// The life of one program: when it is over nothing of it reaches the cluster any more.
#[derive(Default)]
pub(crate) struct Life {
    over: AtomicBool,
    told: Notify,
}

impl Life {
    pub(crate) fn end(&self) {
        self.over.store(true, SeqCst);
        self.told.notify_one();
    }

    pub(crate) async fn ended(&self) {
        self.told.notified().await;
    }
}

/// A program's client of the cluster. The request that breaks off ends the program.
pub(super) fn api(cluster: &Arc<Mutex<Cluster>>, life: &Arc<Life>) -> Api {
    let (cluster, life) = (Arc::clone(cluster), Arc::clone(life));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (cluster, life) = (Arc::clone(&cluster), Arc::clone(&life));
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let path = parts.uri.path_and_query().unwrap().as_str().to_owned();
            if life.over.load(SeqCst) {
                std::future::pending::<()>().await;
            }
            let (answer, breaks) = {
                let mut cluster = cluster.lock();
                let breaks = match &mut cluster.breaks {
                    Some((0, effect)) => Some(*effect),
                    Some((left, _)) => {
                        *left -= 1;
                        None
                    }
                    None => None,
                };
                let answer = if breaks == Some(false) { (0, Value::Null) } else { cluster.answer(&parts.method, &path, &body) };
                (answer, breaks)
            };
            if breaks.is_some() {
                life.end();
                std::future::pending::<()>().await;
            }
            // an answer takes its time, so that nothing happens at once
            sleep(Duration::from_millis(20)).await;
            let (code, body) = answer;
            Ok::<_, tower::BoxError>(Response::builder().status(code).body(Full::new(Bytes::from(body.to_string()))).unwrap())
        }
    });
    Api::new(Client::new(service, "default"), Arc::new(Credentials::default()), NAME)
}

/// How a program reaches the cluster.
pub(crate) struct Memory {
    pub(crate) cluster: Arc<Mutex<Cluster>>,
    pub(crate) life: Arc<Life>,
}

impl Connector for Memory {
    fn cluster(&self) -> crate::model::Cluster {
        crate::model::Cluster {
            id: ClusterId::new(NAME),
            kind: ClusterKind::Kubernetes,
            endpoint: Text::new("https://memory"),
            version: None,
            link: Link::Connecting,
            protected: false,
            read_only: false,
            capabilities: Capabilities::default(),
            engine: None,
        }
    }

    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn Backend>, BackendError>> {
        let session = Session { cluster: Arc::clone(&self.cluster), api: api(&self.cluster, &self.life), index: Shared::default() };
        Box::pin(std::future::ready(Ok(Arc::new(session) as Arc<dyn Backend>)))
    }
}

struct Session {
    cluster: Arc<Mutex<Cluster>>,
    api: Api,
    index: Shared,
}

impl Session {
    async fn tell(&self, sink: &Sink) {
        let (node, services, tasks) = self.cluster.lock().rows();
        for delta in [Delta::Node(Change::Begin), Delta::Node(Change::Upsert(node)), Delta::Node(Change::End)] {
            sink.send(delta).await;
        }
        sink.send(Delta::Service(Change::Begin)).await;
        for service in services {
            sink.send(Delta::Service(Change::Upsert(service))).await;
        }
        sink.send(Delta::Service(Change::End)).await;
        sink.send(Delta::Task(Change::Begin)).await;
        for task in tasks {
            sink.send(Delta::Task(Change::Upsert(task))).await;
        }
        sink.send(Delta::Task(Change::End)).await;
    }
}

impl Backend for Session {
    fn about(&self) -> About {
        let capabilities = Capabilities::of(&[ActionKind::Evacuate]);
        About { kind: ClusterKind::Kubernetes, version: Text::new("1.33"), capabilities, engine: None }
    }

    fn watch<'a>(&'a self, sink: &'a Sink) -> BoxFuture<'a, BackendError> {
        Box::pin(async move {
            let mut told = None;
            loop {
                let now = self.cluster.lock().picture();
                if told.as_ref() != Some(&now) {
                    told = Some(now);
                    self.tell(sink).await;
                }
                sleep(LOOK).await;
            }
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn execute<'a>(&'a self, intent: &'a Intent, progress: &'a ProgressSink) -> BoxFuture<'a, Result<Expect, BackendError>> {
        Box::pin(execute(&self.api, &self.index, intent, progress))
    }

    fn logs(&self, _request: LogRequest) -> BoxStream<'static, Result<Vec<LogLine>, BackendError>> {
        futures::stream::pending().boxed()
    }

    fn inspect<'a>(&'a self, _object: &'a ObjectRef) -> BoxFuture<'a, Result<String, BackendError>> {
        Box::pin(std::future::ready(Err(BackendError::Unsupported("it has no text".to_owned()))))
    }
}
