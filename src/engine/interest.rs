//! What is polled at one cluster: what is on screen, and what operations under way need to see.

use crate::model::Interest;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::watch;

/// The wants of one cluster, and the channel its backend reads them from.
#[derive(Debug)]
pub(super) struct Wants {
    of: Mutex<(Interest, usize)>,
    out: watch::Sender<Interest>,
}

impl Wants {
    /// Nothing is wanted yet.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { of: Mutex::new((Interest::default(), 0)), out: watch::Sender::new(Interest::default()) })
    }

    /// The end a backend reads.
    pub(super) fn receiver(&self) -> watch::Receiver<Interest> {
        self.out.subscribe()
    }

    /// What is on screen now.
    pub(super) fn look(&self, interest: Interest) {
        let mut of = self.of.lock();
        of.0 = interest;
        self.publish(*of);
    }

    /// Tasks are wanted as long as the guard lives.
    pub(super) fn watch_tasks(self: &Arc<Self>) -> TaskWatch {
        let mut of = self.of.lock();
        of.1 += 1;
        self.publish(*of);
        TaskWatch(Arc::clone(self))
    }

    fn publish(&self, (look, watching): (Interest, usize)) {
        let wanted = Interest { usage: look.usage, tasks: look.tasks || watching > 0 };
        self.out.send_if_modified(|held| std::mem::replace(held, wanted) != wanted);
    }
}

/// See [`Wants::watch_tasks`].
#[derive(Debug)]
pub(super) struct TaskWatch(Arc<Wants>);

impl Drop for TaskWatch {
    fn drop(&mut self) {
        let mut of = self.0.of.lock();
        of.1 = of.1.saturating_sub(1);
        self.0.publish(*of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_stay_wanted_while_an_operation_is_verified() {
        let wants = Wants::new();
        let seen = wants.receiver();
        let guard = wants.watch_tasks();
        assert!(seen.borrow().tasks);
        wants.look(Interest { usage: true, tasks: false });
        assert_eq!(*seen.borrow(), Interest { usage: true, tasks: true });
        drop(guard);
        assert_eq!(*seen.borrow(), Interest { usage: true, tasks: false });
    }
}
