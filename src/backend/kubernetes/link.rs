//! How the connections of one session are doing together: one broken watch is made again quietly, a broken link ends the
//! session, so that the supervisor can say so and connect anew.

use crate::backend::BackendError;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Kinds that must have lost their connection before the link as a whole is given up.
const KINDS: usize = 3;
/// Failures in a row of one kind after which the link is given up though the others seem well.
const IN_A_ROW: u32 = 5;

/// Shared by all loops of a session.
#[derive(Clone, Debug)]
pub(super) struct Link {
    lost: Arc<Mutex<HashMap<&'static str, u32>>>,
    end: Arc<watch::Sender<Option<BackendError>>>,
}

impl Link {
    /// A link that is well.
    pub fn new() -> Self {
        Self { lost: Arc::default(), end: Arc::new(watch::channel(None).0) }
    }

    /// The connection of `kind` failed. Ends the session when it is not the only one, or when the server does not accept
    /// who we are.
    pub fn lost(&self, kind: &'static str, error: BackendError) {
        let mut lost = self.lost.lock();
        let in_a_row = lost.entry(kind).or_default();
        *in_a_row += 1;
        if *in_a_row >= IN_A_ROW || lost.len() >= KINDS || matches!(error, BackendError::Unauthorised(_)) {
            self.end.send_if_modified(|end| {
                let first = end.is_none();
                if first {
                    *end = Some(error);
                }
                first
            });
        }
    }

    /// The server answered `kind`.
    pub fn fine(&self, kind: &'static str) {
        self.lost.lock().remove(kind);
    }

    /// Waits for the end and returns its reason.
    pub async fn ended(&self) -> BackendError {
        let mut end = self.end.subscribe();
        match end.wait_for(Option::is_some).await {
            Ok(error) => error.clone().unwrap_or_else(|| BackendError::Unreachable("the connection ended".to_owned())),
            Err(_) => BackendError::Unreachable("the connection ended".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down() -> BackendError {
        BackendError::Unreachable("refused".into())
    }

    #[tokio::test(start_paused = true)]
    async fn one_broken_watch_is_no_broken_link_but_three_are() {
        let link = Link::new();
        for _ in 0..3 {
            link.lost("pods", down());
            link.lost("nodes", down());
            link.fine("nodes");
        }
        let waiting = tokio::time::timeout(std::time::Duration::from_secs(60), link.ended()).await;
        assert!(waiting.is_err());
        link.lost("nodes", down());
        link.lost("events", down());
        assert_eq!(link.ended().await, down());
    }

    #[tokio::test]
    async fn a_refusal_of_our_credentials_ends_the_session_at_once() {
        let link = Link::new();
        link.lost("pods", BackendError::Unauthorised("expired".into()));
        assert_eq!(link.ended().await, BackendError::Unauthorised("expired".into()));
    }
}
