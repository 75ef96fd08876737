//! A connected engine: what every part of the backend talks through.

use super::transport::http::{Body, Http, unreadable};
use super::transport::{Endpoint, HttpError};
use super::wire::{self, Info};
use crate::backend::capabilities::capabilities;
use crate::backend::{About, BackendError};
use crate::model::{ClusterKind, Key, Text};
use bollard::errors::Error;
use bollard::{BollardRequest, ClientVersion};
use http_body_util::BodyExt;
use serde::Deserialize;
use std::sync::Arc;

/// The newest Engine API whose answers we have read the documentation of.
const NEWEST: (u32, u32) = (1, 53);
/// Time to headers of bollard's own requests, in seconds; stopping a container waits for its grace period.
const BOLLARD_TIMEOUT: u64 = 90;

/// A connected engine.
pub struct Docker {
    /// Raw requests: lists, objects, updates, logs.
    pub http: Arc<Http>,
    /// Typed requests where types do no harm (events, stats, the life of containers), over the same connections.
    pub typed: bollard::Docker,
    /// What it said of itself when it was connected.
    pub info: Info,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Version {
    api_version: String,
    #[serde(rename = "MinAPIVersion")]
    min_api_version: String,
}

impl Docker {
    /// Connects, agrees on the API version and asks the engine what it is.
    pub async fn connect(endpoint: Endpoint) -> Result<Self, BackendError> {
        let http = Arc::new(Http::new(endpoint));
        let failed = |error: HttpError| error.connecting(http.endpoint());
        let version: Version = http.get("/version").await.map_err(failed)?;
        let version = negotiate(&version).map_err(|wrong| BackendError::Protocol(format!("{wrong} ({})", http.endpoint())))?;
        http.use_version(&format!("{}.{}", version.0, version.1));
        let info = http.get_bytes("/info").await.map_err(failed)?;
        let info: Info = wire::one(&info).map_err(|error| failed(unreadable(&error)))?;
        if info.swarm.local_node_state == "locked" {
            return Err(BackendError::Unauthorised(format!(
                "the swarm is locked since its engine was restarted; unlock it with `docker swarm unlock` ({})",
                http.endpoint()
            )));
        }
        let typed = typed(&http, version).map_err(|e| failed(from_bollard(e)))?;
        Ok(Self { http, typed, info })
    }

    /// Whether it manages a swarm: then its services and tasks are the cluster, and containers beside them are not shown.
    pub fn is_swarm(&self) -> bool {
        self.info.swarm.control_available
    }

    /// What it turned out to be.
    pub fn about(&self) -> About {
        let kind = if self.is_swarm() { ClusterKind::Swarm } else { ClusterKind::Docker };
        let capabilities = capabilities(kind);
        let engine = self.is_swarm().then(|| Key::new(&self.info.swarm.node_id));
        About { kind, version: Text::new(&self.info.server_version), capabilities, engine }
    }

    /// An error of a raw request as a sentence; `doing` as in [`HttpError::during`].
    pub fn failed(&self, doing: &str, error: &HttpError) -> BackendError {
        error.during(doing, self.http.endpoint())
    }

    /// An error of a typed request as a sentence.
    pub fn typed_failed(&self, doing: &str, error: Error) -> BackendError {
        self.failed(doing, &from_bollard(error))
    }
}

/// The newest version both sides know (moby `docs/api/version-history.md`: a server answers every version from its
/// minimum to its own).
fn negotiate(server: &Version) -> Result<(u32, u32), String> {
    let newest = parse(&server.api_version)
        .ok_or_else(|| format!("it names no API version ({:?}); is it a Docker engine?", server.api_version))?;
    let agreed = newest.min(NEWEST);
    match parse(&server.min_api_version) {
        Some(least) if least > agreed => Err(format!(
            "it answers API {} and later only, and we know {}.{} at most; a newer quarterdeck is needed",
            server.min_api_version, NEWEST.0, NEWEST.1
        )),
        _ => Ok(agreed),
    }
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// bollard over our connections. Its own transports open a connection (with ssh: log in) for every request, take no TLS
/// files from contexts, and send no API version.
fn typed(http: &Arc<Http>, version: (u32, u32)) -> Result<bollard::Docker, Error> {
    let http = Arc::clone(http);
    let transport = move |request: BollardRequest| {
        let http = Arc::clone(&http);
        async move {
            let (parts, body) = request.into_parts();
            let body: Body = body.map_err(std::io::Error::other).boxed_unsync();
            http.send(hyper::Request::from_parts(parts, body)).await.map_err(|error| Error::IOError {
                err: std::io::Error::other(match error {
                    HttpError::NoAnswer(cause) | HttpError::Unreadable(cause) => cause,
                    HttpError::Refused { message, .. } => message,
                }),
            })
        }
    };
    let version = ClientVersion { major_version: version.0 as usize, minor_version: version.1 as usize };
    bollard::Docker::connect_with_custom_transport(transport, Some("http://docker"), BOLLARD_TIMEOUT, &version)
}

fn from_bollard(error: Error) -> HttpError {
    match error {
        Error::DockerResponseServerError { status_code, message } => HttpError::Refused { status: status_code, message },
        Error::RequestTimeoutError => HttpError::NoAnswer(format!("no answer within {BOLLARD_TIMEOUT} s")),
        Error::JsonDataError { message, .. } => HttpError::Unreadable(message),
        Error::JsonSerdeError { err } => HttpError::Unreadable(err.to_string()),
        other => HttpError::NoAnswer(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_version_spoken_is_the_newest_both_sides_know() {
        let server = |api: &str, min: &str| negotiate(&Version { api_version: api.to_owned(), min_api_version: min.to_owned() });
        assert_eq!(server("1.41", "1.12"), Ok((1, 41)));
        assert_eq!(server("1.53", "1.44"), Ok((1, 53)));
        assert_eq!(server("1.60", "1.40"), Ok((1, 53)));
        assert!(server("1.70", "1.60").is_err_and(|e| e.contains("1.60 and later only")));
        assert!(server("", "").is_err());
        // not compared as text
        assert_eq!(server("1.9", ""), Ok((1, 9)));
    }

    #[tokio::test]
    async fn bollards_requests_arrive_with_the_version_exactly_once() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let http = Arc::new(Http::new(Endpoint::Unix(path)));
        http.use_version("1.41");
        let docker = typed(&http, (1, 41)).unwrap();
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4_096];
            let n = stream.read(&mut head).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK").await.unwrap();
            String::from_utf8_lossy(&head[..n]).lines().next().unwrap_or_default().to_owned()
        };
        let (line, answer) = tokio::join!(server, docker.ping());
        assert_eq!((line.as_str(), answer.unwrap().as_str()), ("GET /v1.41/_ping HTTP/1.1", "OK"));
    }
}
