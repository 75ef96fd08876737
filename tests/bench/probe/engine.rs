//! A Docker engine that is none: containers of one service whose logs are written as fast as somebody reads them, up to a
//! given rate.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// How often a container writes.
const PERIOD: Duration = Duration::from_millis(10);
/// What lines say: no two that follow each other are alike.
const TEXTS: [&str; 7] = [
    "INFO request served path=/api/v1/orders status=200",
    "WARN pool: waited for a connection to 10.0.4.7:5432",
    "DEBUG cache miss for customer, asking the store",
    "INFO batch of events written to partition 12",
    "INFO",
    "ERROR payment refused by the bank, will be tried again in a minute",
    "DEBUG lock held for 12 ms",
];

/// A running engine; it ends with the process.
pub struct Engine {
    /// Where it listens, without TLS.
    pub address: SocketAddr,
    /// Bytes of logs taken from it so far.
    pub taken: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Engine {
    /// Starts one with `containers`, which write `rate` bytes a second together.
    pub fn start(containers: u32, rate: u64) -> Self {
        let (taken, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { containers, each: rate / u64::from(containers), taken: Arc::clone(&taken), over: Arc::clone(&over) };
        std::thread::spawn(move || runtime.block_on(serve(listener, state)));
        Self { address, taken, over }
    }

    /// Its containers write no more.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

async fn serve(listener: TcpListener, state: State) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            let answer = service_fn(|request| std::future::ready(Ok::<_, Infallible>(state.answer(&request))));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

fn whole(text: String) -> Body {
    StreamBody::new(futures::stream::iter([Ok(Frame::data(Bytes::from(text)))]).boxed())
}

#[derive(Clone)]
struct State {
    containers: u32,
    /// Bytes a second of each container.
    each: u64,
    taken: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl State {
    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        let path = path.strip_prefix("/v1.43").unwrap_or(path);
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let body = match parts[..] {
            ["_ping"] => whole("OK".to_owned()),
            ["version"] => whole(json!({"Version": "24.0.0", "ApiVersion": "1.43", "MinAPIVersion": "1.12"}).to_string()),
            ["info"] => whole(json!({"ID": "flood", "Name": "flood", "NCPU": 8, "ServerVersion": "24.0.0"}).to_string()),
            ["events"] => StreamBody::new(futures::stream::pending().boxed()),
            ["containers", "json"] => whole(Value::from((0..self.containers).map(container).collect::<Vec<_>>()).to_string()),
            ["containers", _, "json"] => whole(json!({"State": {"Status": "running"}, "Config": {"Tty": false}}).to_string()),
            ["containers", _, "logs"] => self.log(),
            _ => {
                let mut none = Response::new(whole(r#"{"message":"there is no such thing"}"#.to_owned()));
                *none.status_mut() = StatusCode::NOT_FOUND;
                return none;
            }
        };
        Response::new(body)
    }

    /// Lines as long as somebody reads; what a reader does not take in time is not written later.
    fn log(&self) -> Body {
        let (state, began) = (self.clone(), Instant::now());
        let stream = futures::stream::unfold((state, began, 0_usize), |(state, last, mut number)| async move {
            let passed = loop {
                let passed = last.elapsed();
                if passed >= PERIOD && !state.over.load(Ordering::Relaxed) {
                    break passed.min(PERIOD * 4);
                }
                tokio::time::sleep(PERIOD.saturating_sub(passed).max(Duration::from_millis(1))).await;
            };
            let wanted = (state.each as f64 * passed.as_secs_f64()) as usize;
            let stamp = jiff::Timestamp::now();
            let mut chunk = Vec::with_capacity(wanted + 256);
            while chunk.len() < wanted.max(1) {
                number += 1;
                let (text, id) = (TEXTS[number % TEXTS.len()], (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let line = format!("{stamp:.9} line {number:09} {text} id={id:016x}\n");
                chunk.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, line.len() as u8]);
                chunk.extend_from_slice(line.as_bytes());
            }
            state.taken.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            Some((Ok(Frame::data(Bytes::from(chunk))), (state, Instant::now(), number)))
        });
        StreamBody::new(stream.boxed())
    }
}

fn container(n: u32) -> Value {
    json!({
        "Id": format!("{n:064x}"), "Names": [format!("/flood-yes-{n}")], "Image": "flood:1", "Created": 1_767_225_600,
        "State": "running", "Status": "Up 3 months",
        "Labels": {"com.docker.compose.project": "flood", "com.docker.compose.service": "yes"},
    })
}
