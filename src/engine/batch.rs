//! Operations that were asked for at once: a few at a time, and none after the first that fails, if that was asked for.

use crate::model::{AT_ONCE, Text};
use std::sync::OnceLock;
use tokio::sync::{Semaphore, SemaphorePermit};

/// See the module's description.
pub(super) struct Batch {
    places: Semaphore,
    stop: bool,
    /// The first that failed.
    failed: OnceLock<Text>,
}

impl Batch {
    pub(super) fn new(stop: bool) -> Self {
        Self { places: Semaphore::new(AT_ONCE), stop, failed: OnceLock::new() }
    }

    /// Waits for a place among those under way; or why there will be none.
    pub(super) async fn place(&self) -> Result<SemaphorePermit<'_>, Text> {
        let place = self.places.acquire().await.map_err(|_| Text::new("the engine has stopped"))?;
        match self.failed.get().filter(|_| self.stop) {
            Some(first) => Err(Text::from(format!("not begun: {first} failed, and none was to follow then"))),
            None => Ok(place),
        }
    }

    /// One of them failed.
    pub(super) fn failed(&self, title: &Text) {
        let _ = self.failed.set(title.clone());
    }
}
