//! What a request to the API server can end with instead of an answer, and the words for it.

use super::protobuf::{self, shapes};
use super::proxy::ProxyFailed;
use crate::backend::{BackendError, tls};
use crate::util::secrets::without_secrets;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// A request that did not work.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// What sort of failure.
    pub sort: Sort,
    /// The cause in words: the server's message, or ours about the connection.
    pub message: String,
    /// Machine-readable reason of the server (`Forbidden`, `Expired`, `Conflict`); empty where there is none.
    pub reason: String,
    /// `details.causes` of the server: (reason, message).
    pub causes: Vec<(String, String)>,
    /// How long the server asks us to wait.
    pub retry_after: Option<Duration>,
}

/// Where a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// No answer.
    Link,
    /// Our credentials could not be had (plugin failed); nothing was sent.
    Credentials,
    /// An answer that is not a success.
    Status(u16),
    /// A success that could not be read.
    Decode,
    /// One in Protocol Buffers, which may yet be readable as JSON.
    Protobuf,
}

/// `metav1.Status`, the body of every refusal of an API server.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    pub message: String,
    pub reason: String,
    pub code: u16,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    causes: Vec<Cause>,
    retry_after_seconds: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: String,
    message: String,
}

impl Failure {
    /// No answer, and why.
    pub fn link(message: impl Into<String>) -> Self {
        Self::of(Sort::Link, message)
    }

    /// An answer that could not be read, and why.
    pub fn decode(message: impl Into<String>) -> Self {
        Self::of(Sort::Decode, message)
    }

    /// An answer in Protocol Buffers that could not be read. What exactly is wrong with it would quote it.
    pub fn protobuf() -> Self {
        Self::of(Sort::Protobuf, "no Protocol Buffers, though it says so")
    }

    /// A watch that tells of an older version after a newer one: no more to be gone on with than one the server has
    /// forgotten.
    pub fn disorder(older: u64, newer: u64) -> Self {
        Self::of(Sort::Status(410), format!("the server told of version {older} after {newer}"))
    }

    /// A failure without anything from the server.
    pub fn of(sort: Sort, message: impl Into<String>) -> Self {
        Self { sort, message: message.into(), reason: String::new(), causes: Vec::new(), retry_after: None }
    }

    /// A refusal, from its status code and body. A body that is no `Status` (a proxy's page) is cut to its first line.
    pub fn refused(code: u16, body: &[u8]) -> Self {
        let status = if protobuf::is(body) {
            protobuf::read(body, shapes::STATUS).ok()
        } else {
            serde_json::from_slice::<Status>(body).ok()
        };
        match status {
            Some(status) => Self::from_status(Status { code, ..status }),
            None => {
                let text = String::from_utf8_lossy(body.get(..2_000).unwrap_or(body));
                // health checks list what is well first
                let bad = text.lines().find(|line| line.starts_with("[-]"));
                let first = without_secrets(bad.or(text.lines().next()).unwrap_or_default().trim());
                Self::of(Sort::Status(code), if first.is_empty() { format!("HTTP status {code}") } else { first })
            }
        }
    }

    /// A refusal, from the server's own account of it (also the `ERROR` event of a watch).
    pub fn from_status(status: Status) -> Self {
        let details = status.details.unwrap_or_default();
        Self {
            sort: Sort::Status(status.code),
            message: match status.message.as_str() {
                "" => format!("HTTP status {}", status.code),
                message => without_secrets(message),
            },
            reason: status.reason,
            causes: details.causes.into_iter().map(|c| (c.reason, without_secrets(&c.message))).collect(),
            retry_after: (details.retry_after_seconds > 0).then(|| Duration::from_secs(details.retry_after_seconds)),
        }
    }

    /// The status code, if the server answered.
    pub fn status(&self) -> Option<u16> {
        if let Sort::Status(code) = self.sort { Some(code) } else { None }
    }

    /// Whether a list or watch at this version cannot go on and must begin anew: the version is too old (410), or newer
    /// than what this server has seen (etcd restored from a backup, a lagging replica).
    pub fn wants_relist(&self) -> bool {
        self.status() == Some(410)
            || matches!(self.reason.as_str(), "Expired" | "Gone")
            || self.message.contains("Too large resource version")
            || self.causes.iter().any(|(reason, _)| reason == "ResourceVersionTooLarge")
    }

    /// Whether an eviction was refused by a disruption budget (and not because the server is overloaded, which is 429 too).
    pub fn is_budget(&self) -> bool {
        self.status() == Some(429) && self.causes.iter().any(|(reason, _)| reason == "DisruptionBudget")
    }

    /// Whether it was refused because the whole namespace is being deleted.
    pub fn is_namespace_going(&self) -> bool {
        self.status() == Some(403) && self.causes.iter().any(|(reason, _)| reason == "NamespaceTerminating")
    }

    /// The error for the screen; `doing` is what was attempted on what: `scale shop/web`.
    pub fn about(self, doing: &str) -> BackendError {
        let message = self.message;
        match self.sort {
            Sort::Link if message.contains(tls::CLIENT) => BackendError::Unauthorised(format!("cannot {doing}: {message}")),
            Sort::Link => BackendError::Unreachable(format!("cannot {doing}: {message}")),
            Sort::Credentials => BackendError::Unauthorised(format!("cannot {doing}: {message}")),
            Sort::Decode | Sort::Protobuf => {
                BackendError::Protocol(format!("cannot {doing}: the answer could not be read: {message}"))
            }
            Sort::Status(401) => BackendError::Unauthorised(format!(
                "cannot {doing}: the server does not accept our credentials: {message} (log in again or renew the token)"
            )),
            Sort::Status(403) => BackendError::Forbidden(format!("cannot {doing}: {}", forbidden(&message))),
            Sort::Status(404) => BackendError::NotFound(format!("cannot {doing}: {message}")),
            Sort::Status(409) => {
                BackendError::Changed(format!("cannot {doing}: it was changed by someone else in between, look again: {message}"))
            }
            // refused before it was looked at, unlike the others
            Sort::Status(429) => BackendError::Protocol(format!(
                "cannot {doing}: the server is too busy and did nothing: {message} (try again soon)"
            )),
            Sort::Status(502..=504) => {
                BackendError::Unreachable(format!("cannot {doing}: the server is overloaded or not ready: {message}"))
            }
            Sort::Status(code) => BackendError::Protocol(format!("cannot {doing}: the server refused it ({code}): {message}")),
        }
    }
}

/// The server's words on a refusal by RBAC, short, with what to ask for:
/// `pods is forbidden: User "x" cannot list resource "pods" in API group "" at the cluster scope`.
pub(super) fn forbidden(message: &str) -> String {
    let Some((_, rest)) = message.split_once("User \"") else { return format!("forbidden: {message}") };
    let Some((user, rest)) = rest.split_once('"') else { return format!("forbidden: {message}") };
    let mut quoted = rest.split('"');
    let verb = quoted.next().and_then(|head| head.trim().strip_prefix("cannot ")).and_then(|words| words.split(' ').next());
    let (Some(verb), Some(resource)) = (verb, quoted.next()) else { return format!("forbidden: {message}") };
    let group = quoted.nth(1).unwrap_or_default();
    let dot = if group.is_empty() { "" } else { "." };
    let place = if let Some((_, namespace)) = rest.split_once("in the namespace \"") {
        format!("in namespace {}", namespace.split('"').next().unwrap_or_default())
    } else {
        "in the whole cluster".to_owned()
    };
    format!("forbidden: {user} may not {verb} {resource}{dot}{group}; ask for `{verb}` on `{resource}{dot}{group}` {place}")
}

/// The names of TLS settings in kubeconfig files.
const TLS: tls::Settings = tls::Settings { authority: "certificate-authority", name: "server and tls-server-name" };

/// Why a connection to `server` failed, in words, found by walking the chain of causes.
pub(super) fn link_words(server: &str, error: &(dyn Error + 'static)) -> String {
    let mut deepest = error.to_string();
    let mut cause = Some(error);
    while let Some(err) = cause {
        deepest = err.to_string();
        if let Some(failed) = err.downcast_ref::<ProxyFailed>() {
            return failed.words(server);
        }
        if let Some(error) = tls::at(err) {
            return tls::words(server, error, &TLS);
        }
        if let Some(io) = err.downcast_ref::<std::io::Error>() {
            match io.kind() {
                std::io::ErrorKind::ConnectionRefused => {
                    return format!("{server} refused the connection (is it running, or a tunnel missing?)");
                }
                std::io::ErrorKind::TimedOut => return format!("{server} does not answer (is a VPN or route missing?)"),
                std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::UnexpectedEof => {
                    return format!("{server} closed the connection");
                }
                std::io::ErrorKind::NetworkUnreachable | std::io::ErrorKind::HostUnreachable => {
                    return format!("there is no route to {server} (is a VPN down?)");
                }
                _ => {}
            }
        }
        if err.to_string() == "dns error" {
            let why = err.source().map(ToString::to_string).unwrap_or_default();
            return format!("the name of {server} does not resolve: {why} (is DNS or a VPN missing?)");
        }
        cause = err.source();
    }
    format!("{server}: {deepest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tls_error_is_found_however_deep_it_is_wrapped() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = std::io::Error::other(std::io::Error::other(tls));
        assert!(link_words("https://a", &wrapped).contains("unknown authority"));
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert!(link_words("https://a", &refused).contains("refused the connection"));
    }

    #[test]
    fn what_a_busy_server_refused_was_not_done_and_what_a_gateway_lost_may_have_been() {
        let about = |code| Failure::refused(code, br#"{"message":"later"}"#).about("scale web");
        assert!(matches!(about(429), BackendError::Protocol(why) if why.contains("did nothing: later")));
        assert!(matches!(about(504), BackendError::Unreachable(_)));
    }

    #[test]
    fn a_refusal_names_who_what_and_where() {
        for (raw, want) in [
            (
                r#"pods is forbidden: User "dev" cannot list resource "pods" in API group "" at the cluster scope"#,
                "forbidden: dev may not list pods; ask for `list` on `pods` in the whole cluster",
            ),
            (
                r#"deployments.apps "web" is forbidden: User "dev" cannot patch resource "deployments/scale" in API group "apps" in the namespace "shop""#,
                "forbidden: dev may not patch deployments/scale.apps; ask for `patch` on `deployments/scale.apps` in namespace shop",
            ),
            ("quota exceeded", "forbidden: quota exceeded"),
        ] {
            assert_eq!(forbidden(raw), want);
        }
    }

    #[test]
    fn the_servers_status_tells_budget_from_overload_and_relist_from_failure() {
        let budget = Failure::refused(
            429,
            br#"{"message":"Cannot evict pod","reason":"TooManyRequests","details":{"causes":[{"reason":"DisruptionBudget","message":"needs 1"}]}}"#,
        );
        assert!(budget.is_budget());
        let going = br#"{"message":"unable to create new content","reason":"Forbidden","details":{"causes":[{"reason":"NamespaceTerminating"}]}}"#;
        assert!(Failure::refused(403, going).is_namespace_going() && !Failure::refused(403, b"{}").is_namespace_going());
        let busy = Failure::refused(429, br#"{"message":"too many","details":{"retryAfterSeconds":3}}"#);
        assert!(!busy.is_budget());
        assert_eq!(busy.retry_after, Some(Duration::from_secs(3)));
        assert!(Failure::refused(410, b"{}").wants_relist());
        let ahead = br#"{"message":"Timeout: Too large resource version: 9, current: 5","reason":"Timeout"}"#;
        assert!(Failure::refused(504, ahead).wants_relist());
        assert!(!Failure::refused(500, b"<html>bad gateway</html>").wants_relist());
        assert_eq!(Failure::refused(502, b"bad gateway\nmore").message, "bad gateway");
        assert_eq!(Failure::refused(502, b"bad token=canary\nmore").message, "bad token=(masked)");
        let refused = br#"{"message":"env[0].value: Invalid value: \"canary\": no","details":{"causes":[{"reason":"FieldValueInvalid","message":"env[0].value: Invalid value: \"canary\""}]}}"#;
        assert!(!format!("{:?}", Failure::refused(422, refused)).contains("canary"));
        let livez = b"[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\nlivez check failed\n";
        assert_eq!(Failure::refused(500, livez).message, "[-]etcd failed: reason withheld");
    }
}
