//! What can go wrong with a cluster, sorted by what the operator or the supervisor does about it.

use thiserror::Error;

/// An error of a backend. Its text is a whole sentence for the screen: operation, target, cause and what to do; it may
/// hold text of the server and is cleaned when it becomes [`crate::model::Text`].
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BackendError {
    /// No answer: refused, timed out, reset, name not found, TLS failure. Retried with backoff.
    #[error("{0}")]
    Unreachable(String),
    /// The server (or a credential plugin) does not accept who we are. Retried slowly.
    #[error("{0}")]
    Unauthorised(String),
    /// The server knows us and refuses this request. Not retried by itself.
    #[error("{0}")]
    Forbidden(String),
    /// The object is gone.
    #[error("{0}")]
    NotFound(String),
    /// The object is no longer what the operator saw. Nothing was done; the operator looks again.
    #[error("{0}")]
    Changed(String),
    /// The platform cannot do this, or not on this kind of object.
    #[error("{0}")]
    Unsupported(String),
    /// The server refused the request as wrong or broken, or its answer could not be read.
    #[error("{0}")]
    Protocol(String),
}

impl BackendError {
    /// Whether trying the same again later can help without anyone doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }

    /// The same with more words behind.
    pub fn and(mut self, more: &str) -> Self {
        let (Self::Unreachable(words)
        | Self::Unauthorised(words)
        | Self::Forbidden(words)
        | Self::NotFound(words)
        | Self::Changed(words)
        | Self::Unsupported(words)
        | Self::Protocol(words)) = &mut self;
        words.push_str(more);
        self
    }
}
