//! An API server that is none: it answers lists and watches from one recorded pod, so that a cluster of any size and any
//! rate of changes costs this machine next to nothing.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// A running pod as a real API server sent it; what differs from pod to pod stands in braces.
const POD: &str = include_str!("pod.json");

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

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

fn whole(text: String) -> Body {
    StreamBody::new(futures::stream::iter([Ok(Frame::data(Bytes::from(text)))]).boxed())
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
        let body = match (request.uri().path(), value("watch").is_some()) {
            ("/version", _) => whole(r#"{"gitVersion":"v1.34.4","major":"1","minor":"34"}"#.to_owned()),
            ("/livez" | "/readyz", _) => whole("ok".to_owned()),
            ("/api/v1/pods", true) => self.changes(),
            (_, true) => StreamBody::new(futures::stream::pending().boxed()),
            ("/api/v1/pods", false) => {
                let from = value("continue").and_then(|at| at.parse().ok()).unwrap_or(0);
                let limit = value("limit").and_then(|limit| limit.parse().ok()).unwrap_or(self.size.pods);
                whole(self.page(from, limit))
            }
            ("/api/v1/nodes", _) => whole(list((0..self.size.nodes).map(node))),
            ("/apis/apps/v1/replicasets", _) => whole(list((0..self.size.deployments).map(|n| self.owner(n, true)))),
            ("/apis/apps/v1/deployments", _) => whole(list((0..self.size.deployments).map(|n| self.owner(n, false)))),
            (path, _) if path.starts_with("/apis/metrics") => {
                let mut none = Response::new(whole(r#"{"kind":"Status","code":404,"message":"not found"}"#.to_owned()));
                *none.status_mut() = StatusCode::NOT_FOUND;
                return none;
            }
            _ => whole(list(std::iter::empty())),
        };
        Response::new(body)
    }

    fn page(&self, from: u32, limit: u32) -> String {
        let end = from.saturating_add(limit).min(self.size.pods);
        let next = if end < self.size.pods { format!(r#","continue":"{end}""#) } else { String::new() };
        let items: Vec<String> = (from..end).map(|n| self.pod(n, 0)).collect();
        format!(r#"{{"kind":"List","metadata":{{"resourceVersion":"1"{next}}},"items":[{}]}}"#, items.join(","))
    }

    fn pod(&self, n: u32, restarts: u64) -> String {
        let deployment = n % self.size.deployments;
        POD.trim()
            .replace("{name}", &format!("crowd-{deployment}-7b896fd6bc-{n:05}"))
            .replace("{uid}", &uid(3, n))
            .replace("{owner}", &uid(2, deployment))
            .replace("{app}", &format!("crowd-{deployment}"))
            .replace("{node}", &format!("node-{}", n % self.size.nodes))
            .replace("{version}", &(restarts * 1_000_000 + u64::from(n) + 2).to_string())
            .replace("\"{restarts}\"", &restarts.to_string())
    }

    fn owner(&self, n: u32, set: bool) -> String {
        let replicas = self.size.pods / self.size.deployments;
        let (kind, suffix) = if set { (2, "-7b896fd6bc") } else { (1, "") };
        let owner = format!(r#","ownerReferences":[{{"kind":"Deployment","uid":"{}","controller":true}}]"#, uid(1, n));
        let owner = if set { owner.as_str() } else { "" };
        format!(
            r#"{{"metadata":{{"name":"crowd-{n}{suffix}","namespace":"crowd","uid":"{}","resourceVersion":"1","generation":1,
            "creationTimestamp":"2026-01-01T00:00:00Z","annotations":{{"deployment.kubernetes.io/revision":"1"}}{owner}}},
            "spec":{{"replicas":{replicas},"template":{{"metadata":{{"labels":{{"app":"crowd-{n}"}}}},
            "spec":{{"containers":[{{"name":"main","image":"registry.local/crowd:1"}}]}}}}}},
            "status":{{"observedGeneration":1,"replicas":{replicas},"readyReplicas":{replicas},"updatedReplicas":{replicas},
            "availableReplicas":{replicas}}}}}"#,
            uid(kind, n)
        )
    }

    /// Changes one pod after the other, as fast as asked for, in one chunk each fiftieth of a second.
    fn changes(&self) -> Body {
        let cluster = self.clone();
        let stream = futures::stream::unfold((cluster, 0.0), |(cluster, mut owed)| async move {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                owed += f64::from(cluster.rate.load(Ordering::Relaxed)) * 0.02;
                if owed >= 1.0 {
                    break;
                }
            }
            let mut text = String::new();
            for _ in 0..owed as u32 {
                let n = cluster.sent.fetch_add(1, Ordering::Relaxed);
                let pods = u64::from(cluster.size.pods);
                let pod = cluster.pod((n % pods) as u32, n / pods + 1);
                let _ = writeln!(text, r#"{{"type":"MODIFIED","object":{pod}}}"#);
            }
            let chunk = Ok(Frame::data(Bytes::from(text)));
            Some((chunk, (cluster, owed.fract())))
        });
        StreamBody::new(stream.boxed())
    }
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
        r#"{{"metadata":{{"name":"node-{n}","uid":"{}","resourceVersion":"1","creationTimestamp":"2026-01-01T00:00:00Z",
        "labels":{{"topology.kubernetes.io/zone":"{zone}"}}}},"spec":{{}},
        "status":{{"allocatable":{{"cpu":"8","memory":"32Gi","pods":"110"}},
        "conditions":[{{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}}],
        "nodeInfo":{{"kubeletVersion":"v1.34.4"}},"addresses":[{{"type":"InternalIP","address":"10.0.0.1"}}]}}}}"#,
        uid(4, n)
    )
}
