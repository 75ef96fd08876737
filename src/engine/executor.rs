//! Takes confirmed intents and makes operations of them: one at a time per object, several objects in parallel.

use super::batch::Batch;
use super::operation::Run;
use super::shared::Shared;
use crate::analysis::undo;
use crate::model::{Fact, Intent, ObjectRef, OpId, OpState, Operation, Progress, Text, Undo};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Operations that send requests or are verified at the same time.
const PARALLEL: usize = 8;
/// Operations that may be unfinished at all; more are refused in words.
const UNFINISHED: usize = 100;

/// See the module's description.
pub(super) struct Executor {
    shared: Arc<Shared>,
    last: u64,
    /// Whose turn it is at each object; tokio's mutex is fair, so operations go in the order they were asked for.
    turns: HashMap<ObjectRef, Arc<Mutex<()>>>,
    running: HashMap<OpId, (CancellationToken, JoinHandle<()>)>,
    room: Arc<Semaphore>,
}

impl Executor {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, last: 0, turns: HashMap::new(), running: HashMap::new(), room: Arc::new(Semaphore::new(PARALLEL)) }
    }

    /// Begins an operation for each of several objects.
    pub(super) async fn bulk(&mut self, all: Vec<(Intent, Text)>, stop: bool) {
        let most = self.shared.options.max_bulk;
        if all.len() > most {
            let words = format!(
                "an action on {} objects at once was not begun: {most} is the most (max_bulk in the configuration)",
                all.len()
            );
            return self.shared.warn(words).await;
        }
        let batch = Arc::new(Batch::new(stop));
        for (intent, title) in all {
            self.execute(intent, title, Some(Arc::clone(&batch))).await;
        }
    }

    /// Begins an operation, which may be one of a batch.
    pub(super) async fn execute(&mut self, intent: Intent, title: Text, batch: Option<Arc<Batch>>) {
        self.running.retain(|_, (_, task)| !task.is_finished());
        self.turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        self.last += 1;
        let undo = undo::action(&self.shared.picture(), &intent).map(|action| Undo { action, bound: None });
        let mut op = Operation {
            id: OpId(self.last),
            intent,
            title,
            by: self.shared.options.by.clone(),
            asked: self.shared.now(),
            ended: None,
            state: OpState::Queued,
            progress: Progress::default(),
            undo,
        };
        if self.running.len() >= UNFINISHED {
            op.state = OpState::Failed;
            op.ended = Some(op.asked);
            op.progress.note = Text::from(format!("{UNFINISHED} operations are under way; wait for some to end, or cancel them"));
            self.shared.tell(Fact::Operation(op)).await;
            return;
        }
        self.shared.tell(Fact::Operation(op.clone())).await;
        let turn = Arc::clone(self.turns.entry(op.intent.object.clone()).or_default());
        let (id, cancel) = (op.id, self.shared.stop.child_token());
        let run = Run::new(op, batch, cancel.clone(), Arc::clone(&self.shared));
        let task = self.shared.tracker.spawn(run.run(turn, Arc::clone(&self.room)));
        self.running.insert(id, (cancel, task));
    }

    /// Stops an operation at its next safe point; one that has ended stays as it is.
    pub(super) fn cancel(&self, id: OpId) {
        if let Some((cancel, _)) = self.running.get(&id) {
            cancel.cancel();
        }
    }
}
