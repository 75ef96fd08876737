//! Takes confirmed intents and makes operations of them: one at a time per object, several objects in parallel. Stepwise
//! ones can be paused, and are taken up again after the end of the program before.

use super::batch::Batch;
use super::calloff::call_off;
use super::journal::{self, Claim, Entry};
use super::operation::Run;
use super::shared::{Paused, Shared, Stop};
use crate::analysis::{steps, undo};
use crate::model::{
    Action, Availability, Bound, ClusterId, ClusterKind, Fact, Intent, Kind, KindSync, ObjectRef, OpId, OpState, Operation,
    Progress, Text, Undo, World,
};
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
    running: HashMap<OpId, (Stop, JoinHandle<()>)>,
    paused: Paused,
    room: Arc<Semaphore>,
}

impl Executor {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let room = Arc::new(Semaphore::new(PARALLEL));
        Self { shared, last: 0, turns: HashMap::new(), running: HashMap::new(), paused: Paused::default(), room }
    }

    /// Offers what a program before this one left.
    pub(super) async fn take_up(&mut self) {
        let Some(folder) = self.shared.options.journal.clone() else { return };
        let world = self.shared.picture();
        let claim = move |id: &ClusterId| match world.cluster(id) {
            None => Claim::None,
            // those who may go on with it must find it free
            Some(state) if state.cluster.read_only => Claim::Look,
            Some(_) => Claim::Take,
        };
        let left = tokio::task::spawn_blocking(move || journal::left(&folder, claim)).await;
        for left in left.unwrap_or_default() {
            self.last += 1;
            let id = OpId(self.last);
            let note = Text::new(match left.entry {
                Some(_) => {
                    "left unfinished by a program that ended; resume it to go on, cancel it to take back what it added and leave the rest"
                }
                None => {
                    "left unfinished, or another program is at it; its cluster is read-only here: resume or cancel it where it is not"
                }
            });
            let op = Operation {
                id,
                intent: left.intent,
                title: left.title,
                by: left.by,
                asked: left.asked,
                ended: None,
                state: OpState::Paused,
                progress: Progress { note, ..Progress::default() },
                undo: None,
                plan: left.plan,
            };
            self.shared.warn(format!("{} on {} was left unfinished: see operations", op.title, op.intent.object.cluster)).await;
            self.paused.lock().insert(id, left.entry);
            self.shared.tell(Fact::Operation(op)).await;
        }
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
        self.hurry(&intent);
        self.last += 1;
        let world = self.shared.picture();
        let undo = undo::action(&world, &intent).map(|action| Undo { action, bound: None });
        let plan = steps::plan(&world, &intent).map(Arc::new);
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
            plan,
        };
        if self.running.len() >= UNFINISHED {
            op.state = OpState::Failed;
            op.ended = Some(op.asked);
            op.progress.note = Text::from(format!("{UNFINISHED} operations are under way; wait for some to end, or cancel them"));
            self.shared.tell(Fact::Operation(op)).await;
            return;
        }
        self.begin(op, batch, None).await;
    }

    /// A task that is deleted anew, in less time, does not wait for the delete before it: that one was taken, and only waits
    /// for the task to be gone.
    fn hurry(&self, intent: &Intent) {
        let deletes = |action: &Action| matches!(action, Action::DeleteTask { .. } | Action::ForceDelete { .. });
        if !deletes(&intent.action) {
            return;
        }
        let world = self.shared.picture();
        let before = world
            .operations
            .iter()
            .filter(|op| op.intent.object == intent.object && op.state == OpState::Verifying && deletes(&op.intent.action));
        for (stop, _) in before.filter_map(|op| self.running.get(&op.id)) {
            stop.cancel.cancel();
        }
    }

    async fn begin(&mut self, op: Operation, batch: Option<Arc<Batch>>, entry: Option<Entry>) {
        self.shared.tell(Fact::Operation(Operation { state: OpState::Queued, ..op.clone() })).await;
        let turn = Arc::clone(self.turns.entry(at(&self.shared.picture(), &op.intent)).or_default());
        let stop = Stop { cancel: self.shared.stop.child_token(), pause: CancellationToken::new() };
        let id = op.id;
        let run = Run::new(op, batch, entry, stop.clone(), Arc::clone(&self.paused), Arc::clone(&self.shared));
        let task = self.shared.tracker.spawn(run.run(turn, Arc::clone(&self.room)));
        self.running.insert(id, (stop, task));
    }

    /// Stops an operation at its next safe point; one that has ended stays as it is.
    pub(super) async fn cancel(&mut self, id: OpId) {
        if self.is_only_seen(id, "cancelled").await {
            return;
        }
        let paused = self.paused.lock().remove(&id);
        let Some(entry) = paused else {
            if let Some((stop, _)) = self.running.get(&id) {
                stop.cancel.cancel();
            }
            return;
        };
        let Some(op) = self.operation(id) else { return };
        let turn = Arc::clone(self.turns.entry(at(&self.shared.picture(), &op.intent)).or_default());
        let work = call_off(op, entry, turn, Arc::clone(&self.paused), Arc::clone(&self.shared));
        self.shared.tracker.spawn(work);
    }

    /// Stops a stepwise operation for now.
    pub(super) async fn pause(&self, id: OpId) {
        let Some(op) = self.operation(id) else { return };
        match self.running.get(&id) {
            Some((stop, _)) if op.intent.action.kind().spec().stepwise && op.state == OpState::Running => stop.pause.cancel(),
            _ => self.shared.warn(format!("{} is {}: there is nothing to pause", op.title, op.state.word())).await,
        }
    }

    /// Goes on with a paused operation.
    pub(super) async fn resume(&mut self, id: OpId) {
        if self.is_only_seen(id, "resumed").await {
            return;
        }
        let Some(mut op) = self.operation(id) else { return };
        let Some(entry) = self.paused.lock().remove(&id) else {
            return self.shared.warn(format!("{} is {}: there is nothing to resume", op.title, op.state.word())).await;
        };
        match rebound(&self.shared.picture(), &op.intent) {
            Ok(bound) => {
                op.intent.bound = bound;
                op.progress.note = Text::default();
                self.begin(op, None, entry).await;
            }
            Err(why) => {
                op.progress.note = why;
                self.paused.lock().insert(id, entry);
                self.shared.tell(Fact::Operation(op)).await;
            }
        }
    }

    /// Whether it waits in a cluster that is read-only here, which is said.
    async fn is_only_seen(&self, id: OpId, what: &str) -> bool {
        let world = self.shared.picture();
        let Some(op) = world.operations.iter().find(|op| op.id == id && op.state == OpState::Paused) else { return false };
        let name = &op.intent.object.cluster;
        let only = world.cluster(name).is_some_and(|state| state.cluster.read_only);
        if only {
            self.shared.warn(format!("{} was not {what}: {name} is read-only here", op.title)).await;
        }
        only
    }

    fn operation(&self, id: OpId) -> Option<Operation> {
        self.shared.picture().operations.iter().find(|op| op.id == id).map(|op| Operation::clone(op))
    }
}

/// At what an operation takes its turn: its object, or what else it changes to act on that. A swarm moves a task by way of its
/// service, how many managers may go is counted over all of them, and what leaves one node of a swarm may not go to another that is
/// emptied, too.
fn at(world: &World, intent: &Intent) -> ObjectRef {
    let object = &intent.object;
    let state = world.cluster(&object.cluster).filter(|state| state.cluster.kind != ClusterKind::Kubernetes);
    match intent.action {
        // whichever services run there
        Action::Evacuate if state.is_some() => ObjectRef { kind: Kind::Service, key: "".into(), ..object.clone() },
        Action::Promote | Action::Demote => ObjectRef { key: "".into(), ..object.clone() },
        Action::Reschedule => match state.and_then(|state| state.tasks.get(&object.key)?.service.clone()) {
            Some(service) => ObjectRef { kind: Kind::Service, key: service, ..object.clone() },
            None => object.clone(),
        },
        _ => object.clone(),
    }
}

/// What a paused operation finds when it goes on: what it had done itself by then is no change. Else why it may not go on.
fn rebound(world: &World, intent: &Intent) -> Result<Bound, Text> {
    let (object, bound) = (&intent.object, &intent.bound);
    let name = &object.cluster;
    let state = world.cluster(name).ok_or_else(|| Text::from(format!("there is no cluster {name}")))?;
    if !state.cluster.link.is_live() || !matches!(state.sync_of(object.kind), KindSync::Live | KindSync::Narrowed(_)) {
        return Err(Text::from(format!("{name} is {}: resume it when its rows are there", state.cluster.link.word())));
    }
    let refused = |why: &str| Err(Text::from(format!("{} {why}: cancel this and look again", intent.name)));
    match object.kind {
        Kind::Node => match state.nodes.get(&object.key) {
            None => refused("is gone"),
            Some(node) if node.uid != bound.uid => refused("is another node of the same name by now"),
            Some(node) if node.availability == Availability::Active && node.spec_rev != bound.spec_rev => {
                refused("was activated or changed meanwhile")
            }
            Some(node) => Ok(Bound { uid: bound.uid.clone(), spec_rev: node.spec_rev }),
        },
        // it may have gone of itself, or by what was done so far: the platform is asked which
        Kind::Task => Ok(bound.clone()),
        _ => match state.services.get(&object.key) {
            None => refused("is gone"),
            // what it has added for the time being is in the definition, too: the swarm is asked whether that is all
            Some(_) if intent.action == Action::Rebalance && state.cluster.kind == ClusterKind::Swarm => Ok(bound.clone()),
            Some(service) if service.spec_rev != bound.spec_rev => refused("has another definition by now"),
            Some(_) => Ok(bound.clone()),
        },
    }
}

#[cfg(test)]
mod tests;
