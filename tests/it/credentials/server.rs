//! An API server that only looks at who asks.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// What it holds.
#[derive(Default)]
struct State {
    /// Tokens it knows; everybody is known where there are none.
    known: HashSet<String>,
    asked: Vec<String>,
}

/// A running server; it ends when it is dropped.
pub struct Server {
    pub port: u16,
    state: Arc<Mutex<State>>,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    /// One that knows these tokens, or everybody.
    pub async fn start(known: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<Mutex<State>>::default();
        let held = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let held = Arc::clone(&held);
                tokio::spawn(async move {
                    let answer = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(&request, &held))));
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        let server = Self { port, state, _task: AbortOnDropHandle::new(task) };
        server.know(known);
        server
    }

    /// From now on it knows these tokens only.
    pub fn know(&self, tokens: &[&str]) {
        self.state.lock().unwrap().known = tokens.iter().map(|token| (*token).to_owned()).collect();
    }

    /// What was asked since this was last called: a path and a token each.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

fn answer(request: &Request<Incoming>, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let header = request.headers().get("authorization").map(|value| value.to_str().unwrap());
    let token = header.map_or("nobody", |header| header.strip_prefix("Bearer ").unwrap_or(header));
    let mut state = state.lock().unwrap();
    state.asked.push(format!("{} {token}", request.uri().path()));
    let known = state.known.is_empty() || state.known.contains(token);
    let (code, body) = match (known, request.uri().path()) {
        (false, _) => {
            (StatusCode::UNAUTHORIZED, r#"{"kind":"Status","message":"Unauthorized","reason":"Unauthorized","code":401}"#)
        }
        (true, "/version") => (StatusCode::OK, r#"{"gitVersion":"v1.33.0"}"#),
        (true, _) => (StatusCode::OK, "ok"),
    };
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = code;
    response
}
