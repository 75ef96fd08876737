//! An engine that answers as a test says, over a real socket.
#![allow(clippy::unwrap_used)]

use super::transport::Endpoint;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::UnixListener;

/// Given the engine, the method, the path with its query and the body: the status and the answer.
type Answer<E> = fn(&mut E, &str, &str, &[u8]) -> (u16, Value);

/// Serves until the test ends. The folder holds the socket and must be kept.
pub async fn engine<E: Send + 'static>(engine: E, answer: Answer<E>) -> (TempDir, Arc<Mutex<E>>, Endpoint) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("engine.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let engine = Arc::new(Mutex::new(engine));
    let state = Arc::clone(&engine);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let state = Arc::clone(&state);
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let state = Arc::clone(&state);
                async move {
                    let (method, path) = (request.method().to_string(), request.uri().path_and_query().unwrap().to_string());
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let (status, json) = answer(&mut state.lock(), &method, &path, &body);
                    let body = if status == 204 { String::new() } else { json.to_string() };
                    Response::builder().status(status).body(Full::new(Bytes::from(body)))
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (dir, engine, Endpoint::Unix(path))
}
