//! An API server that serves the truth, and fails as it is told to.

use super::fault::{Cell, Fault, Phase};
use super::objects::Resource;
use super::truth::Truth;
use super::watching;
use super::wire::{Flow, carry};
use super::writer::{self, Dice};
use crate::oracle::rows::Table;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use quarterdeck::model::Kind;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

/// Which eviction a fault of [`Phase::Evacuation`] begins with.
const EVICTION: usize = 2;

/// How far the fault is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    #[default]
    Before,
    Under,
    After,
}

/// What can be set while it runs.
pub struct State {
    pub truth: Truth,
    pub dice: Dice,
    /// The fault begins with the first request that fits its phase.
    armed: bool,
    pub stage: Stage,
    token: &'static str,
    refuse_next: bool,
    /// Versions of changes that no watch tells of.
    pub lost: HashSet<u64>,
    /// The version that a restore goes back to.
    pub copy: u64,
    /// Counts the times at which all watches ended.
    pub epoch: u64,
    /// When something was asked, and what.
    pub asked: Vec<(Instant, String)>,
    /// When somebody connected.
    pub connected: Vec<Instant>,
    /// How often each pod was told to go.
    pub evicted: HashMap<String, usize>,
}

pub struct Server {
    pub address: SocketAddr,
    cell: Mutex<Cell>,
    pub state: Mutex<State>,
    /// Moves whenever there may be something new for watches.
    pub news: watch::Sender<u64>,
    pub stage: watch::Sender<Stage>,
    flow: watch::Sender<Flow>,
    /// Whether it has Protocol Buffers for whoever asks for them; else it answers in JSON.
    protobuf: bool,
    /// Tasks that carry connections: two for each.
    carrying: AtomicUsize,
}

/// How long a busy machine may take to tell its watches of a change.
const UNTOLD: Duration = Duration::from_secs(10);

/// Changes that are lost where a copy is restored, before the last one of each kind.
const UNDONE: usize = 60;

/// The token of the kubeconfig, first and in the end.
pub const TOKENS: [&str; 2] = ["first", "second"];

impl Server {
    /// Starts one; it ends when the task is aborted.
    pub async fn start(cell: Cell, seed: u64) -> (Arc<Self>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (mut truth, mut dice) = (Truth::new(), Dice::new(seed));
        writer::fill(&mut truth, &mut dice);
        let state = State {
            copy: truth.version,
            truth,
            dice,
            armed: false,
            stage: Stage::Before,
            token: TOKENS[0],
            refuse_next: false,
            lost: HashSet::new(),
            epoch: 0,
            asked: Vec::new(),
            connected: Vec::new(),
            evicted: HashMap::new(),
        };
        let server = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            cell: Mutex::new(cell),
            state: Mutex::new(state),
            news: watch::channel(0).0,
            stage: watch::channel(Stage::Before).0,
            flow: watch::channel(Flow::Well).0,
            protobuf: seed.is_multiple_of(2),
            carrying: AtomicUsize::new(0),
        });
        let task = tokio::spawn(Arc::clone(&server).serve(listener));
        (server, task)
    }

    async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            self.carrying.store(connections.len(), SeqCst);
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let Ok((stream, _)) = accepted else { return };
            stream.set_nodelay(true).unwrap();
            self.state.lock().connected.push(Instant::now());
            let (near, far) = tokio::io::duplex(1 << 16);
            connections.spawn(carry(stream, far, self.flow.subscribe(), |_| {}));
            let server = Arc::clone(&self);
            connections.spawn(async move {
                let answer = service_fn(move |request| {
                    let server = Arc::clone(&server);
                    async move { Ok::<_, Infallible>(server.answer(request).await) }
                });
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(near), answer).await;
            });
        }
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.carrying.load(SeqCst).div_ceil(2)
    }

    /// What goes wrong, and when.
    pub fn cell(&self) -> Cell {
        *self.cell.lock()
    }

    /// What went wrong is over and forgotten, and something else may. Where a copy is to be restored, much happens after it was
    /// made: else the server may be where its watches are before they come back, and nobody could tell that it is not the same.
    /// A watch comes back to the last change of its kind, so that has to be a late one.
    pub fn renew(&self, fault: Fault) {
        *self.cell.lock() = Cell { fault, phase: Phase::Steady };
        let mut state = self.state.lock();
        let State { truth, dice, copy, stage, asked, connected, .. } = &mut *state;
        *stage = Stage::Before;
        asked.clear();
        connected.clear();
        truth.forget(UNTOLD);
        *copy = truth.version;
        if fault == Fault::Restored {
            (0..UNDONE).for_each(|_| writer::step(truth, dice));
            let undone = truth.version;
            writer::each(truth, dice);
            assert!(Resource::ALL.iter().all(|kind| !truth.since(*kind, undone).is_empty()));
        }
        drop(state);
        self.tell();
    }

    /// The fault, while it lasts.
    pub fn fault(&self) -> Option<Fault> {
        (self.state.lock().stage == Stage::Under).then_some(self.cell().fault)
    }

    /// The fault is to begin with the first request of its phase.
    pub fn arm(&self) {
        self.state.lock().armed = true;
    }

    pub fn begin(&self) {
        let mut state = self.state.lock();
        if state.stage != Stage::Before {
            return;
        }
        let State { truth, dice, lost, copy, .. } = &mut *state;
        match self.cell().fault {
            Fault::Restored => truth.restore(*copy),
            Fault::GoneInStream | Fault::GoneByStatus => truth.compacted = truth.version,
            Fault::RefusedOnce => state.refuse_next = true,
            Fault::RefusedForEver => state.token = TOKENS[1],
            Fault::Lost => {
                let before = truth.version;
                writer::lose(truth, dice);
                lost.extend(before + 1..=truth.version);
            }
            _ => {}
        }
        state.armed = false;
        state.stage = Stage::Under;
        state.epoch += u64::from(self.cell().fault.ends_watches());
        drop(state);
        self.flow.send_replace(Flow::of(self.cell().fault));
        self.stage.send_replace(Stage::Under);
        self.tell();
    }

    pub fn end(&self) {
        let mut state = self.state.lock();
        state.stage = Stage::After;
        if self.cell().fault == Fault::NoBookmarks {
            // what the quiet kinds were told last is forgotten by now, and they have to ask again
            state.truth.compacted = state.truth.version;
            state.epoch += 1;
        }
        drop(state);
        self.flow.send_replace(Flow::Well);
        self.stage.send_replace(Stage::After);
        self.tell();
    }

    /// There may be something new.
    pub fn tell(&self) {
        self.news.send_modify(|news| *news += 1);
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let mut query = Query::of(&request);
        query.protobuf &= self.protobuf;
        self.state.lock().asked.push((Instant::now(), format!("{} {}", request.method(), request.uri())));
        let middle = self.begins_with(&query);
        if middle && !self.cell().fault.of_connections() {
            self.begin();
        }
        if let Some(refusal) = self.refusal(&request, &query) {
            return refusal;
        }
        match (request.method().as_str(), query.resource, query.path.as_str()) {
            (_, _, "/version") => whole(r#"{"gitVersion":"v1.34.4","major":"1","minor":"34"}"#.to_owned()),
            (_, _, "/livez") => whole("ok".to_owned()),
            ("GET", Some(resource), _) if query.watches() => watching::watch(&self, resource, &query),
            ("GET", Some(resource), _) => self.list(resource, &query, middle),
            ("GET", _, "/apis/metrics.k8s.io/v1beta1/nodes") => whole(self.measured(Resource::Nodes)),
            ("GET", _, "/apis/metrics.k8s.io/v1beta1/pods") => whole(self.measured(Resource::Pods)),
            ("GET", None, path) if path.ends_with("/log") => log(),
            ("GET" | "PATCH" | "POST", None, _) => {
                if middle {
                    // the server takes it, and the answer is lost
                    self.begin();
                }
                self.object(request).await
            }
            _ => status(404, "not found", ""),
        }
    }

    /// Whether the fault begins with this request.
    fn begins_with(&self, query: &Query) -> bool {
        let state = self.state.lock();
        let pods = query.resource == Some(Resource::Pods) && !query.watches();
        state.armed
            && match self.cell().phase {
                Phase::FirstPage => pods && query.get("continue").is_none(),
                Phase::LaterPage => pods && query.get("continue").is_some(),
                Phase::Steady => false,
                Phase::Evacuation => query.path.ends_with("/eviction") && state.evicted.len() + 1 >= EVICTION,
            }
    }

    fn refusal(&self, request: &Request<Incoming>, query: &Query) -> Option<Response<Body>> {
        let fault = self.fault();
        let mut state = self.state.lock();
        let said = request.headers().get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if std::mem::take(&mut state.refuse_next) || said != Some(state.token) {
            return Some(status(401, "Unauthorized", "Unauthorized"));
        }
        let health = matches!(query.path.as_str(), "/livez" | "/version");
        let later = query.watches() || query.get("continue").is_some();
        match fault? {
            Fault::TooMany if !health => {
                let mut answer = status(429, "too many requests, please try again later", "TooManyRequests");
                answer.headers_mut().insert("retry-after", "3".parse().unwrap());
                Some(answer)
            }
            Fault::Unavailable => Some(status(503, "the server is currently unable to handle the request", "ServiceUnavailable")),
            Fault::GoneByStatus if later => Some(status(410, "The provided continue parameter is too old", "Expired")),
            Fault::TooLarge if query.watches() => {
                Some(status(504, "Timeout: Too large resource version: 9, current: 5", "Timeout"))
            }
            _ => None,
        }
    }
}

/// What is asked for.
pub struct Query {
    pub path: String,
    pub resource: Option<Resource>,
    pairs: HashMap<String, String>,
    /// Only the metadata of objects is wanted.
    pub partial: bool,
    /// The answer is to be in Protocol Buffers.
    pub protobuf: bool,
}

impl Query {
    fn of(request: &Request<Incoming>) -> Self {
        let path = request.uri().path().to_owned();
        let pairs = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let accept = request.headers().get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self {
            resource: Resource::of(&path),
            pairs: pairs.map(|(name, value)| (name.to_owned(), value.replace("%3D", "=").replace("%3A", ":"))).collect(),
            partial: accept.contains("as=PartialObjectMetadataList"),
            protobuf: accept.starts_with("application/vnd.kubernetes.protobuf"),
            path,
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.get(name).map(String::as_str)
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    pub fn watches(&self) -> bool {
        self.get("watch").is_some()
    }
}

pub fn whole(body: impl Into<Bytes>) -> Response<Body> {
    Response::new(StreamBody::new(futures::stream::iter([Ok(Frame::data(body.into()))]).boxed()))
}

/// A log of one line that is not over.
fn log() -> Response<Body> {
    let line = Bytes::from_static(b"2026-01-01T00:00:00.5Z it runs\n");
    Response::new(StreamBody::new(futures::stream::iter([Ok(Frame::data(line))]).chain(futures::stream::pending()).boxed()))
}

/// A body whose second half comes only if `go` says so, once the first one is on its way.
pub fn halves(mut first: Bytes, go: impl FnOnce() -> bool + Send + 'static) -> Response<Body> {
    let second = first.split_off(first.len() / 2);
    let rest = futures::stream::once(async move {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let go = go();
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok(Frame::data(if go { second } else { Bytes::new() }))
    });
    Response::new(StreamBody::new(futures::stream::iter([Ok(Frame::data(first))]).chain(rest).boxed()))
}

pub fn status(code: u16, message: &str, reason: &str) -> Response<Body> {
    let body =
        json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": code });
    let mut response = whole(body.to_string());
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    response
}

impl crate::oracle::Truth for Server {
    fn wrong(&self, kind: Kind, shown: &Table) -> Vec<(String, Option<Instant>)> {
        self.state.lock().truth.rows.wrong(kind, shown)
    }

    fn when(&self) -> String {
        format!("{:?} the fault", self.state.lock().stage)
    }
}
