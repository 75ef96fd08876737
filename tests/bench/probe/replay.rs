//! An API server that is none: it answers lists and watches from one recorded pod, so that a cluster of any size and any
//! rate of changes costs this machine next to nothing. Pods are sent as Protocol Buffers to who takes them, as a real server
//! does.

use super::recorded::{Form, Pod, Recorded};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// How large the cluster is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Pods, evenly over the Deployments and nodes.
    pub pods: u32,
    /// Nodes.
    pub nodes: u32,
    /// Deployments, each with one ReplicaSet.
    pub deployments: u32,
}

/// A running server; it ends with the process.
pub struct Replay {
    /// Where it listens, without TLS.
    pub address: SocketAddr,
    /// Changes of pods a second.
    pub rate: Arc<AtomicU32>,
    /// Changes sent so far.
    pub sent: Arc<AtomicU64>,
}

impl Replay {
    /// Starts one on a runtime of its own.
    pub fn start(size: Size) -> Self {
        let (rate, sent) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU64::new(0)));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let cluster = Cluster { size, rate: Arc::clone(&rate), sent: Arc::clone(&sent) };
        std::thread::spawn(move || runtime.block_on(serve(listener, cluster)));
        Self { address, rate, sent }
    }
}

async fn serve(listener: TcpListener, cluster: Cluster) {
    while let Ok((stream, _)) = listener.accept().await {
        let cluster = cluster.clone();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            let answer = service_fn(|request| std::future::ready(Ok::<_, Infallible>(cluster.answer(&request))));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

/// What Protocol Buffers are asked for by, and are called.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

fn whole(body: impl Into<Bytes>) -> Body {
    StreamBody::new(futures::stream::iter([Ok(Frame::data(body.into()))]).boxed())
}

#[derive(Clone)]
struct Cluster {
    size: Size,
    rate: Arc<AtomicU32>,
    sent: Arc<AtomicU64>,
}

impl Cluster {
    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let query = request.uri().query().unwrap_or_default();
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let form = if accepts.starts_with(PROTOBUF) { Form::Protobuf } else { Form::Json };
        let body = match (request.uri().path(), value("watch").is_some()) {
            ("/version", _) => whole(r#"{"gitVersion":"v1.34.4","major":"1","minor":"34"}"#),
            ("/livez" | "/readyz", _) => whole("ok"),
            ("/api/v1/pods", true) => return typed(form, self.changes(form)),
            (_, true) => return typed(form, StreamBody::new(futures::stream::pending().boxed())),
            ("/api/v1/pods", false) => {
                let from = value("continue").and_then(|at| at.parse().ok()).unwrap_or(0);
                let limit = value("limit").and_then(|limit| limit.parse().ok()).unwrap_or(self.size.pods);
                return typed(form, whole(self.page(form, from, limit)));
            }
            ("/api/v1/nodes", _) => whole(list((0..self.size.nodes).map(node))),
            ("/apis/apps/v1/replicasets", _) => whole(list((0..self.size.deployments).map(|n| self.owner(n, true)))),
            ("/apis/apps/v1/deployments", _) => whole(list((0..self.size.deployments).map(|n| self.owner(n, false)))),
            (path, _) if path.starts_with("/apis/metrics") => {
                let mut none = Response::new(whole(r#"{"kind":"Status","code":404,"message":"not found"}"#));
                *none.status_mut() = StatusCode::NOT_FOUND;
                return none;
            }
            _ => whole(list(std::iter::empty())),
        };
        Response::new(body)
    }

    fn page(&self, form: Form, from: u32, limit: u32) -> Vec<u8> {
        let end = from.saturating_add(limit).min(self.size.pods);
        let next = if end < self.size.pods { end.to_string() } else { String::new() };
        Recorded::new(form).page((from..end).map(|n| self.pod(n, 0)), &next)
    }

    fn pod(&self, number: u32, changes: u32) -> Pod {
        Pod { number, deployment: number % self.size.deployments, node: number % self.size.nodes, changes }
    }

    fn owner(&self, n: u32, set: bool) -> String {
        let replicas = self.size.pods / self.size.deployments;
        let (kind, suffix) = if set { (2, "-7b896fd6bc") } else { (1, "") };
        let owner = format!(r#","ownerReferences":[{{"kind":"Deployment","uid":"{}","controller":true}}]"#, uid(1, n));
        let owner = if set { owner.as_str() } else { "" };
        format!(
            r#"{{"metadata":{{"name":"crowd-{n:04}{suffix}","namespace":"crowd","uid":"{}","resourceVersion":"1","generation":1,
            "creationTimestamp":"2026-01-01T00:00:00Z","annotations":{{"deployment.kubernetes.io/revision":"1"}}{owner}}},
            "spec":{{"replicas":{replicas},"template":{{"metadata":{{"labels":{{"app":"crowd-{n:04}"}}}},
            "spec":{{"containers":[{{"name":"main","image":"registry.local/crowd:1"}}]}}}}}},
            "status":{{"observedGeneration":1,"replicas":{replicas},"readyReplicas":{replicas},"updatedReplicas":{replicas},
            "availableReplicas":{replicas}}}}}"#,
            uid(kind, n)
        )
    }

    /// Changes one pod after the other, as fast as asked for, in one chunk each fiftieth of a second.
    fn changes(&self, form: Form) -> Body {
        let (cluster, recorded) = (self.clone(), Recorded::new(form));
        let stream = futures::stream::unfold((cluster, recorded, 0.0), |(cluster, recorded, mut owed)| async move {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                owed += f64::from(cluster.rate.load(Ordering::Relaxed)) * 0.02;
                if owed >= 1.0 {
                    break;
                }
            }
            let mut chunk = Vec::new();
            for _ in 0..owed as u32 {
                let n = cluster.sent.fetch_add(1, Ordering::Relaxed);
                let pods = u64::from(cluster.size.pods);
                recorded.changed(cluster.pod((n % pods) as u32, (n / pods) as u32 + 1), &mut chunk);
            }
            Some((Ok(Frame::data(Bytes::from(chunk))), (cluster, recorded, owed.fract())))
        });
        StreamBody::new(stream.boxed())
    }
}

/// An answer in this form.
fn typed(form: Form, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    let kind = if form == Form::Protobuf { PROTOBUF } else { "application/json" };
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn uid(kind: u32, n: u32) -> String {
    format!("{kind:08x}-9d1c-4f4e-a8b0-{n:012x}")
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    format!(r#"{{"kind":"List","metadata":{{"resourceVersion":"1"}},"items":[{}]}}"#, items.join(","))
}

fn node(n: u32) -> String {
    let zone = ["eu-a", "eu-b", "eu-c"][n as usize % 3];
    format!(
        r#"{{"metadata":{{"name":"node-{n:04}","uid":"{}","resourceVersion":"1","creationTimestamp":"2026-01-01T00:00:00Z",
        "labels":{{"topology.kubernetes.io/zone":"{zone}"}}}},"spec":{{}},
        "status":{{"allocatable":{{"cpu":"8","memory":"32Gi","pods":"110"}},
        "conditions":[{{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}}],
        "nodeInfo":{{"kubeletVersion":"v1.34.4"}},"addresses":[{{"type":"InternalIP","address":"10.0.0.1"}}]}}}}"#,
        uid(4, n)
    )
}
