//! A Docker engine of one container that can be away: it has events, a log and measurements.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// Events and lines that it remembers for those who come later.
const REMEMBERED: u64 = 256;
/// When it began, in milliseconds.
const BORN: i64 = 1_767_225_600_000;

/// A Docker engine of one container, which can be away.
pub struct Engine {
    pub address: std::net::SocketAddr,
    pub away: watch::Sender<bool>,
    pub events: Arc<watch::Sender<u64>>,
    carrying: Arc<AtomicUsize>,
    _task: AbortOnDropHandle<()>,
}

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

impl Engine {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (away, events) = (watch::channel(false).0, Arc::new(watch::channel(0).0));
        let carrying = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(serve(listener, away.subscribe(), Arc::clone(&events), Arc::clone(&carrying)));
        Self { address, away, events, carrying, _task: AbortOnDropHandle::new(task) }
    }

    /// Connections that are open, each carried by a task.
    pub fn connections(&self) -> usize {
        self.carrying.load(SeqCst)
    }
}

async fn serve(
    listener: TcpListener,
    mut away: watch::Receiver<bool>,
    events: Arc<watch::Sender<u64>>,
    carrying: Arc<AtomicUsize>,
) {
    let mut connections = JoinSet::new();
    loop {
        carrying.store(connections.len(), SeqCst);
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = away.changed() => {
                connections.shutdown().await;
                continue;
            }
        };
        let Ok((stream, _)) = accepted else { return };
        if *away.borrow() {
            continue;
        }
        let events = Arc::clone(&events);
        connections.spawn(async move {
            let answer = service_fn(move |request| std::future::ready(Ok::<_, Infallible>(answer(&request, &events))));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

fn answer(request: &Request<Incoming>, events: &watch::Sender<u64>) -> Response<Body> {
    let path = request.uri().path();
    let at = path.strip_prefix("/v1.43").unwrap_or(path);
    let whole = |value: Value| StreamBody::new(futures::stream::iter([Ok(Frame::data(Bytes::from(value.to_string())))]).boxed());
    let state = json!({"Status": "running", "ExitCode": 0});
    Response::new(match at {
        "/version" => whole(json!({"Version": "24.0.0", "ApiVersion": "1.43", "MinAPIVersion": "1.12"})),
        "/info" => whole(json!({"ID": "e", "Name": "e", "NCPU": 8, "MemTotal": 1_u64 << 34, "ServerVersion": "24.0.0"})),
        "/containers/json" => whole(json!([{"Id": "c1", "Names": ["/web"], "Image": "app:1", "State": "running", "Status": "Up",
            "Created": 1_767_225_600}])),
        "/containers/c1/json" => whole(json!({"Id": "c1", "State": state, "Config": {"Tty": false}})),
        "/containers/c1/stats" => {
            // a tenth of a core all the time
            let total = jiff::Timestamp::now().as_nanosecond() / 10;
            let cpu = json!({"cpu_usage": {"total_usage": u64::try_from(total).unwrap()}});
            whole(
                json!({"cpu_stats": cpu, "memory_stats": {"usage": 64 << 20}, "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 1}}}),
            )
        }
        "/containers/c1/logs" => news(events, |n| {
            let at = jiff::Timestamp::from_millisecond(BORN + i64::try_from(n).unwrap()).unwrap();
            let line = format!("{at} line {n} {}\n", "x".repeat(80)).into_bytes();
            [&[1, 0, 0, 0], u32::try_from(line.len()).unwrap().to_be_bytes().as_slice(), &line].concat()
        }),
        "/events" => news(events, |n| {
            let nanos = BORN * 1_000_000 + i64::try_from(n).unwrap();
            format!("{}\n", json!({"Type": "container", "Action": "start", "Actor": {"ID": "c1"}, "timeNano": nanos})).into_bytes()
        }),
        _ => whole(json!("OK")),
    })
}

/// A stream of everything that happens, and of as much as is remembered of what did.
fn news(events: &watch::Sender<u64>, words: fn(u64) -> Vec<u8>) -> Body {
    let start = (events.subscribe(), events.borrow().saturating_sub(REMEMBERED));
    let chunks = futures::stream::unfold(start, move |(mut news, mut told)| async move {
        let newest = *news.wait_for(|newest| *newest > told).await.ok()?;
        let mut chunk = Vec::new();
        while told < newest {
            told += 1;
            chunk.extend(words(told));
        }
        Some((Ok(Frame::data(Bytes::from(chunk))), (news, told)))
    });
    StreamBody::new(chunks.boxed())
}
