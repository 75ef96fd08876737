//! One list of the engine, as it was read last.

use crate::backend::BackendError;
use crate::backend::docker::client::Docker;
use crate::backend::docker::transport::http;
use crate::model::Text;
use std::time::Duration;
use tokio::time::Instant;

/// Pause before a list that was refused is tried again.
const RETRY: Duration = Duration::from_secs(15);

/// A list, when it was read, and why it could not be.
#[derive(Debug)]
pub struct List<T> {
    path: &'static str,
    doing: &'static str,
    decode: fn(&[u8]) -> Result<T, serde_json::Error>,
    /// As it was read last.
    pub value: T,
    /// Why it cannot be read at present.
    pub problem: Option<Text>,
    read: Instant,
    took: Duration,
}

impl<T: Default> List<T> {
    /// A list not read yet; `doing` as in [`crate::backend::docker::transport::HttpError::during`].
    pub fn new(path: &'static str, doing: &'static str, decode: fn(&[u8]) -> Result<T, serde_json::Error>) -> Self {
        Self { path, doing, decode, value: T::default(), problem: None, read: Instant::now(), took: Duration::ZERO }
    }

    /// Reads it again.
    ///
    /// # Errors
    /// What ends the session: the engine does not answer, or is no manager any more. Other refusals are kept as the
    /// list's problem.
    pub async fn refresh(&mut self, docker: &Docker) -> Result<(), BackendError> {
        let began = Instant::now();
        let answer = docker.http.get_bytes(self.path).await;
        let answer = answer.and_then(|json| (self.decode)(&json).map_err(|error| http::unreadable(&error)));
        self.read = Instant::now();
        self.took = began.elapsed();
        match answer.map_err(|error| docker.failed(self.doing, &error)) {
            Ok(value) => {
                self.value = value;
                self.problem = None;
            }
            Err(over @ (BackendError::Unreachable(_) | BackendError::Unsupported(_) | BackendError::Unauthorised(_))) => {
                return Err(over);
            }
            Err(refused) => self.problem = Some(Text::from(refused.to_string())),
        }
        Ok(())
    }

    /// When it is to be read again if it may be `period` old. A list that takes long is not asked for without pause.
    pub fn due(&self, period: Duration) -> Instant {
        let period = if self.problem.is_some() { RETRY } else { period };
        self.read + period.max(self.took * 4)
    }

    /// `rows` made from it, or why there are none.
    pub fn rows<R>(&self, rows: Vec<R>) -> Result<Vec<R>, Text> {
        self.problem.clone().map_or(Ok(rows), Err)
    }
}
