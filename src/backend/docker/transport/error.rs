//! What a request to an engine can end with, and its words.

use crate::backend::{BackendError, tls};
use crate::util::secrets::without_secrets;

/// Why a request brought no usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// Nothing came back: the cause in words.
    NoAnswer(String),
    /// The engine refused.
    Refused {
        /// HTTP status.
        status: u16,
        /// Its message.
        message: String,
    },
    /// The answer makes no sense.
    Unreadable(String),
}

impl HttpError {
    /// The error as a sentence: `doing` is the operation in the -ing form with its target (`listing services`), `on` the
    /// engine's address.
    pub fn during(&self, doing: &str, on: &impl std::fmt::Display) -> BackendError {
        self.sorted(|cause| format!("{doing} on {on}: {cause}"))
    }

    /// The same for connecting. The row it stands in says what it is about, so the cause comes first: a narrow screen cuts
    /// the end.
    pub fn connecting(&self, on: &impl std::fmt::Display) -> BackendError {
        self.sorted(|cause| format!("{cause} ({on})"))
    }

    /// Moby answers 503 for all requests that only a Swarm manager can answer, and also while a swarm has no leader; only
    /// the latter heals by itself (moby `daemon/cluster/errors.go`).
    fn sorted(&self, sentence: impl Fn(&str) -> String) -> BackendError {
        match self {
            // ssh never asks for a password here
            Self::NoAnswer(cause) if cause.starts_with("ssh: ") && cause.contains("Permission denied") => {
                BackendError::Unauthorised(sentence(&format!("{cause}; add your key to the ssh agent or its configuration")))
            }
            Self::NoAnswer(cause) if cause.starts_with("ssh: ") && cause.contains("Host key verification failed") => {
                BackendError::Unauthorised(sentence(&format!("{cause} Log in once with ssh and compare its key")))
            }
            Self::NoAnswer(cause) if cause.contains(tls::CLIENT) => BackendError::Unauthorised(sentence(cause)),
            Self::NoAnswer(cause) => BackendError::Unreachable(sentence(cause)),
            Self::Unreadable(cause) => {
                BackendError::Protocol(sentence(&format!("the answer cannot be read: {cause}; is it a Docker engine?")))
            }
            Self::Refused { status, message } => {
                let words = sentence(&without_secrets(plain(message)));
                match status {
                    401 => BackendError::Unauthorised(words),
                    403 => BackendError::Forbidden(words),
                    404 => BackendError::NotFound(words),
                    503 if message.contains("not a swarm manager") => BackendError::Unsupported(words),
                    502..=504 => BackendError::Unreachable(words),
                    _ => BackendError::Protocol(format!("{words} (status {status})")),
                }
            }
        }
    }

    /// Whether the object was written by someone else between our reading and our writing. swarmkit reports it as a plain
    /// error, which arrives with status 500, so the text decides (swarmkit `manager/state/store/memory.go`).
    pub fn is_out_of_sequence(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if message.contains("update out of sequence"))
    }
}

/// Message of an engine without the wrapping of its RPC layer.
fn plain(message: &str) -> &str {
    message
        .strip_prefix("rpc error: code = ")
        .and_then(|rest| rest.split_once(" desc = "))
        .map_or(message, |(_, desc)| desc)
        .trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, message: &str) -> HttpError {
        HttpError::Refused { status, message: message.to_owned() }
    }

    #[test]
    fn statuses_become_the_errors_that_the_supervisor_and_the_operator_act_on() {
        let on = "tcp://m:2375";
        let say = |e: HttpError| e.during("scaling web", &on);
        assert_eq!(
            say(refused(400, "rpc error: code = InvalidArgument desc = name must be valid")),
            BackendError::Protocol("scaling web on tcp://m:2375: name must be valid (status 400)".to_owned())
        );
        assert!(matches!(
            say(refused(503, "This node is not a swarm manager. Use \"docker swarm init\"")),
            BackendError::Unsupported(_)
        ));
        assert!(matches!(say(refused(503, "The swarm does not have a leader.")), BackendError::Unreachable(_)));
        let ssh = |words: &str| say(HttpError::NoAnswer(format!("ssh: {words}")));
        assert!(matches!(ssh("ops@box: Permission denied (publickey)."), BackendError::Unauthorised(_)));
        assert!(matches!(ssh("connect to host box port 22: Connection refused"), BackendError::Unreachable(_)));
        assert!(matches!(say(refused(404, "service x not found")), BackendError::NotFound(_)));
    }

    #[test]
    fn what_an_engine_repeats_of_credentials_is_not_told() {
        let error = refused(500, r#"pull https://me:canary@reg/x: {"token": "two canary"}"#).during("starting web", &"tcp://m:1");
        assert_eq!(error.to_string(), r#"starting web on tcp://m:1: pull https://reg/x: {"token": (masked)} (status 500)"#);
    }

    #[test]
    fn a_conflict_is_known_by_its_text_whatever_the_status() {
        for status in [400, 409, 500] {
            assert!(refused(status, "rpc error: code = Unknown desc = update out of sequence").is_out_of_sequence());
        }
        assert!(!refused(500, "rpc error: code = Unknown desc = raft: stopped").is_out_of_sequence());
    }
}
