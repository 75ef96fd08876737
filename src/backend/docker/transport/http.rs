//! A small HTTP/1.1 client for one engine, over any of its transports.
//!
//! It exists beside bollard because objects must be read and written as raw JSON (fields that no model knows survive) and
//! because an answer must be complete in time, headers and body. bollard's own requests go through [`Http::send`] too, so
//! there is one pool, one TLS setup and one ssh login per connection.

use super::dial::{Complaint, dial};
use super::{Endpoint, HttpError, tls};
use crate::backend::secret;
use crate::util::secrets::without_secrets;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Longest time for a whole answer, body included.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// The same for what an engine works on for long: measuring its disk, removing layers.
const LONG: Duration = Duration::from_secs(120);
/// Largest answer read into memory.
const LARGEST: usize = 256 << 20;
/// Connections being opened at once: sshd drops logins beyond ten that have not finished (`MaxStartups`).
const DIALS: usize = 4;
/// Connections kept for the next request.
const KEPT: usize = 6;

/// Body of a request.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Requests to one engine.
pub struct Http {
    endpoint: Endpoint,
    version: OnceLock<String>,
    kept: Mutex<Vec<Connection>>,
    dials: Semaphore,
    /// When the engine last answered.
    heard: Mutex<Option<Instant>>,
}

/// While a sign of life is waited for. If none comes, or nobody waits for it any more, the connections kept for the next
/// request are taken for dead, too: where something between us and the engine has lost them, neither end is told.
struct Silence<'a> {
    of: &'a Http,
    heard: bool,
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        if !self.heard {
            self.of.kept.lock().clear();
        }
    }
}

struct Connection {
    sender: SendRequest<Body>,
    complaint: Option<Complaint>,
}

impl Http {
    /// A client without a connection yet.
    pub fn new(endpoint: Endpoint) -> Self {
        let (kept, dials) = (Mutex::new(Vec::new()), Semaphore::new(DIALS));
        Self { endpoint, version: OnceLock::new(), kept, dials, heard: Mutex::new(None) }
    }

    /// When the engine last answered a request, whatever it said.
    pub fn heard(&self) -> Option<Instant> {
        *self.heard.lock()
    }

    /// The engine's address, for words.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sets the API version (`1.41`) that later requests ask for; the first call counts.
    pub fn use_version(&self, version: &str) {
        self.version.get_or_init(|| format!("/v{version}"));
    }

    /// GETs `path` (from the leading slash, without version) as JSON.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, HttpError> {
        decode(&self.get_bytes(path).await?)
    }

    /// GETs `path` whole.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn get_bytes(&self, path: &str) -> Result<Bytes, HttpError> {
        self.whole(Method::GET, path, None, DEADLINE).await
    }

    /// GETs `path` as JSON, which the engine may take long for.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn get_slow<T: DeserializeOwned>(&self, path: &str) -> Result<T, HttpError> {
        decode(&self.whole(Method::GET, path, None, LONG).await?)
    }

    /// DELETEs `path`, which the engine may take long for.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn delete_slow(&self, path: &str) -> Result<(), HttpError> {
        self.whole(Method::DELETE, path, None, LONG).await.map(drop)
    }

    /// POSTs nothing to `path`, which the engine may take long for, and reads JSON.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn post_slow<T: DeserializeOwned>(&self, path: &str) -> Result<T, HttpError> {
        decode(&self.whole(Method::POST, path, None, LONG).await?)
    }

    /// POSTs JSON to `path`.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn post(&self, path: &str, json: String) -> Result<Bytes, HttpError> {
        self.whole(Method::POST, path, Some(json), DEADLINE).await
    }

    /// GETs `path` as an endless body; the deadline is for the headers.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn stream(&self, path: &str) -> Result<Response<Incoming>, HttpError> {
        let response = timely(DEADLINE, self.send(request(Method::GET, path, None)?)).await?;
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// See [`HttpError`].
    pub async fn ping(&self, limit: Duration) -> Result<(), HttpError> {
        let mut silence = Silence { of: self, heard: false };
        let answer = self.whole(Method::GET, "/_ping", None, limit).await;
        silence.heard = !matches!(answer, Err(HttpError::NoAnswer(_)));
        answer.map(drop)
    }

    async fn whole(&self, method: Method, path: &str, json: Option<String>, limit: Duration) -> Result<Bytes, HttpError> {
        let request = request(method, path, json)?;
        timely(limit, async {
            let response = self.send(request).await?;
            if response.status().is_success() { collect(response).await } else { Err(refusal(response).await) }
        })
        .await
    }

    /// Sends a request on a kept or new connection. Paths without `/v…` get the negotiated version: bollard 0.21.1 builds
    /// it into its address and then loses it again.
    ///
    /// # Errors
    /// [`HttpError::NoAnswer`] only.
    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Incoming>, HttpError> {
        let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let version = self.version.get().map_or("", String::as_str);
        let path = if path.starts_with("/v1.") { path.to_owned() } else { format!("{version}{path}") };
        *request.uri_mut() = path.parse().map_err(|e| HttpError::NoAnswer(format!("the path {path} cannot be sent: {e}")))?;
        // moby asks for a Host header and does not read it
        request.headers_mut().insert(hyper::header::HOST, hyper::header::HeaderValue::from_static("docker"));
        loop {
            let kept = self.take();
            let fresh = kept.is_none();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.open().await?,
            };
            let answer = connection.sender.try_send_request(request).await;
            match answer {
                Ok(response) => {
                    *self.heard.lock() = Some(Instant::now());
                    self.keep(connection);
                    return Ok(response);
                }
                Err(mut failed) => match failed.take_message() {
                    // the other end had closed a kept connection before the request left
                    Some(unsent) if !fresh => request = unsent,
                    _ => return Err(HttpError::NoAnswer(words(&failed.into_error(), connection.complaint.as_ref()).await)),
                },
            }
        }
    }

    async fn open(&self) -> Result<Connection, HttpError> {
        let _permit = self.dials.acquire().await.map_err(|e| HttpError::NoAnswer(e.to_string()))?;
        let (stream, complaint) = dial(&self.endpoint).await.map_err(HttpError::NoAnswer)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| HttpError::NoAnswer(e.to_string()))?;
        // ends when the sender and the last response are dropped, or the other end closes
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "docker connection ended");
            }
        });
        Ok(Connection { sender, complaint })
    }

    /// A kept connection that has finished its last answer.
    fn take(&self) -> Option<Connection> {
        let mut kept = self.kept.lock();
        kept.retain(|c| !c.sender.is_closed());
        kept.iter().position(|c| c.sender.is_ready()).map(|at| kept.swap_remove(at))
    }

    /// Keeps a connection whose answer may still be arriving; a stream's connection is simply never ready again.
    fn keep(&self, connection: Connection) {
        let mut kept = self.kept.lock();
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(connection);
    }
}

/// `json` as `T`.
///
/// # Errors
/// [`HttpError::Unreadable`].
pub fn decode<T: DeserializeOwned>(json: &[u8]) -> Result<T, HttpError> {
    serde_json::from_slice(json).map_err(|e| unreadable(&e))
}

/// An answer that makes no sense.
pub fn unreadable(error: &serde_json::Error) -> HttpError {
    HttpError::Unreadable(secret::unread(error))
}

fn request(method: Method, path: &str, json: Option<String>) -> Result<Request<Body>, HttpError> {
    let mut builder = Request::builder().method(method).uri(path);
    if json.is_some() {
        builder = builder.header(hyper::header::CONTENT_TYPE, "application/json");
    }
    let body = Full::new(Bytes::from(json.unwrap_or_default())).map_err(|never| match never {}).boxed_unsync();
    builder.body(body).map_err(|e| HttpError::NoAnswer(format!("the request {path} cannot be sent: {e}")))
}

async fn timely<T>(limit: Duration, answer: impl Future<Output = Result<T, HttpError>>) -> Result<T, HttpError> {
    tokio::time::timeout(limit, answer)
        .await
        .unwrap_or_else(|_| Err(HttpError::NoAnswer(format!("no whole answer within {} s", limit.as_secs()))))
}

async fn collect(response: Response<Incoming>) -> Result<Bytes, HttpError> {
    http_body_util::Limited::new(response.into_body(), LARGEST)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .map_err(|e| HttpError::NoAnswer(format!("the answer broke off: {e}")))
}

async fn refusal(response: Response<Incoming>) -> HttpError {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    let status = response.status().as_u16();
    let body = timely(DEADLINE, collect(response)).await.unwrap_or_default();
    let message = serde_json::from_slice::<Refusal>(&body).map_or_else(
        |_| String::from_utf8_lossy(body.get(..body.len().min(400)).unwrap_or_default()).trim().to_owned(),
        |refusal| refusal.message,
    );
    HttpError::Refused { status, message: if message.is_empty() { "refused without a reason".to_owned() } else { message } }
}

/// Why no answer came: with ssh its last complaint, which arrives a little after the stream has ended.
async fn words(error: &hyper::Error, complaint: Option<&Complaint>) -> String {
    if let Some(complaint) = complaint {
        for _ in 0..10 {
            let last = complaint.lock().lines().rev().find(|line| !line.trim().is_empty()).map(without_secrets);
            if let Some(last) = last {
                return format!("ssh: {}", last.trim().trim_start_matches("ssh: "));
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
    if let Some(words) = tls::words(error) {
        return words;
    }
    if error.is_incomplete_message() || error.is_canceled() {
        return "the connection was closed before the answer".to_owned();
    }
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_sign_of_life_that_does_not_come_leaves_no_kept_connection_for_the_next_request() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        // the first two connections fall silent after an answer, as where something on the way has lost them
        tokio::spawn(async move {
            for lost in [true, true, false] {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut head = vec![0; 4_096];
                    for answered in 0.. {
                        let Ok(1..) = stream.read(&mut head).await else { return };
                        if answered == 0 || !lost {
                            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK").await.unwrap();
                        }
                    }
                });
            }
        });
        let http = Http::new(Endpoint::Unix(path));
        let (one, two) = tokio::join!(http.get_bytes("/info"), http.get_bytes("/version"));
        assert_eq!((one, two), (Ok("OK".into()), Ok("OK".into())));
        // whoever waits gives up, as the engine's heartbeat does
        let waited = tokio::time::timeout(Duration::from_millis(200), http.ping(DEADLINE)).await;
        assert!(waited.is_err());
        let next = tokio::time::timeout(Duration::from_secs(2), http.get_bytes("/info")).await;
        assert_eq!(next.map_err(|_| "it went the way of the ping"), Ok(Ok("OK".into())));
        assert_eq!(http.ping(DEADLINE).await, Ok(()));
        assert_eq!(http.kept.lock().len(), 1, "one that answers is kept");
    }
}
