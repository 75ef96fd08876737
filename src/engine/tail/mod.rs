//! Log views: follows one task, or all tasks of a service as they come and go.

mod again;
mod follow;
mod stream;
#[cfg(test)]
mod tests;

use super::shared::Shared;
use crate::model::{Fact, LogBuffer, LogTarget, Tail, TailId, TailState};
use std::collections::HashMap;
use std::sync::Arc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Open log views; dropping it closes them.
pub(super) struct Tails {
    shared: Arc<Shared>,
    open: HashMap<TailId, DropGuard>,
}

impl Tails {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, open: HashMap::new() }
    }

    /// Opens a view. One of the same number is closed first.
    pub(super) async fn open(&mut self, id: TailId, target: LogTarget) {
        if self.open.contains_key(&id) {
            self.close(id).await;
        }
        let buffer = LogBuffer::new(self.shared.options.log_limit);
        let tail = Tail { id, target: target.clone(), state: TailState::Opening, buffer };
        self.shared.tell(Fact::TailOpened(tail)).await;
        let stop: CancellationToken = self.shared.stop.child_token();
        let work = follow::run(id, target, Arc::clone(&self.shared));
        self.shared.tracker.spawn(stop.clone().run_until_cancelled_owned(work));
        self.open.insert(id, stop.drop_guard());
    }

    /// Closes a view and forgets its lines.
    pub(super) async fn close(&mut self, id: TailId) {
        if self.open.remove(&id).is_some() {
            self.shared.tell(Fact::TailClosed(id)).await;
        }
    }
}
