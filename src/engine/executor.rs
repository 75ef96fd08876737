//! Takes confirmed intents and makes operations of them: one at a time per object, several objects in parallel. Stepwise
//! ones can be paused, and are taken up again after the end of the program before.

use super::batch::Batch;
use super::calloff::call_off;
use super::journal::{self, Claim, Entry};
use super::operation::Run;
use super::shared::Shared;
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

/// How an operation under way is stopped.
#[derive(Clone)]
pub(super) struct Stop {
    /// For good. The end of the engine does so too.
    pub(super) cancel: CancellationToken,
    /// For now.
    pub(super) pause: CancellationToken,
}

/// What is kept of paused operations, where something is.
pub(super) type Paused = Arc<parking_lot::Mutex<HashMap<OpId, Option<Entry>>>>;

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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::fake::{Mood, Script};
    use super::super::tests::{START, link, op, op_is, secs, start_with, until};
    use super::super::{Clock, Engine, Options};
    use super::*;
    use crate::analysis::fixture;
    use crate::backend::BackendError;
    use crate::model::{Change, Delta, Expect, Request, Service};
    use std::path::Path;
    use tokio::time::sleep;

    /// An engine that keeps its operations in `folder`, with one cluster, which has the service `web` and takes 10 s for
    /// what it is asked.
    async fn engine(folder: &Path) -> (Engine, Arc<Script>) {
        let options = Options { clock: Clock::starting_at(START), journal: Some(folder.to_owned()), ..Options::default() };
        let (engine, scripts) = start_with(&["one"], options);
        *scripts[0].rows.lock() = vec![fixture::service("web", 2)];
        *scripts[0].execute_takes.lock() = secs(10);
        *scripts[0].expect.lock() = Some(Expect::Nothing);
        (engine, Arc::clone(&scripts[0]))
    }

    async fn listed(engine: &Engine) {
        until(engine, secs(30), |w| link(w, 0).is_live() && w.clusters[0].services.len() == 1).await;
    }

    /// Asks to rebalance `web`.
    async fn rebalance(engine: &Engine) {
        listed(engine).await;
        let spec_rev = engine.world.borrow().clusters[0].services.iter().next().unwrap().spec_rev;
        let object = ObjectRef { cluster: "one".into(), kind: Kind::Service, key: "web".into() };
        let bound = Bound { uid: "web".into(), spec_rev };
        let intent = Intent { object, name: "web".into(), action: Action::Rebalance, bound };
        ask(engine, Request::Execute { intent, title: "rebalance web".into() }).await;
        until(engine, secs(2), op_is(1, OpState::Running)).await;
        until(engine, secs(2), |w| op(w, 1).unwrap().progress.note.as_str() == "sending").await;
    }

    async fn ask(engine: &Engine, request: Request) {
        engine.requests.send(request).await.unwrap();
    }

    fn kept(folder: &Path) -> usize {
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }

    fn sent(script: &Script) -> usize {
        script.executed.lock().len()
    }

    #[test]
    fn the_nodes_of_a_swarm_are_evacuated_one_after_another() {
        let turns = |kind: ClusterKind, action: fn() -> Action| {
            let world = World { clusters: vec![fixture::small(kind).state()], ..World::default() };
            let turn = |key: &str| {
                let object = ObjectRef { cluster: "prod".into(), kind: Kind::Node, key: key.into() };
                let bound = Bound { uid: key.into(), spec_rev: 1 };
                at(&world, &Intent { object, name: key.into(), action: action(), bound })
            };
            (turn("n1"), turn("n2"))
        };
        let evacuate = || Action::Evacuate;
        let (one, other) = turns(ClusterKind::Swarm, evacuate);
        assert_eq!(one, other);
        assert_ne!(one, turns(ClusterKind::Swarm, || Action::Demote).0, "that is no matter of what runs there");
        let (one, other) = turns(ClusterKind::Kubernetes, evacuate);
        assert_ne!(one, other);
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_operation_sends_nothing_until_it_is_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, script) = engine(folder.path()).await;
        rebalance(&engine).await;
        assert_eq!(kept(folder.path()), 1);
        ask(&engine, Request::Pause(OpId(1))).await;
        until(&engine, secs(1), op_is(1, OpState::Paused)).await;
        sleep(secs(3_600)).await;
        assert_eq!((sent(&script), kept(folder.path())), (1, 1));
        ask(&engine, Request::Resume(OpId(1))).await;
        until(&engine, secs(15), op_is(1, OpState::Done)).await;
        assert_eq!((sent(&script), kept(folder.path())), (2, 0));
        for request in [Request::Pause(OpId(1)), Request::Resume(OpId(1)), Request::Cancel(OpId(1))] {
            ask(&engine, request).await;
        }
        sleep(secs(60)).await;
        assert!(op_is(1, OpState::Done)(&engine.world.borrow()), "what is over stays over");
        assert_eq!(sent(&script), 2);
    }

    #[test]
    fn what_a_dead_program_left_is_offered_and_goes_on_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let first = runtime();
        first.block_on(async {
            let (engine, _) = engine(folder.path()).await;
            rebalance(&engine).await;
            std::mem::forget(engine);
        });
        // all of its tasks end where they are, as in a killed process
        drop(first);
        assert_eq!(kept(folder.path()), 1);
        runtime().block_on(async {
            let (engine, script) = engine(folder.path()).await;
            script.set(Mood::Silent);
            until(&engine, secs(1), op_is(1, OpState::Paused)).await;
            ask(&engine, Request::Resume(OpId(1))).await;
            until(&engine, secs(1), |w| op(w, 1).unwrap().progress.note.contains("resume it when its rows are there")).await;
            script.set(Mood::Well);
            listed(&engine).await;
            sleep(secs(600)).await;
            assert_eq!(sent(&script), 0, "nothing goes on by itself");
            ask(&engine, Request::Resume(OpId(1))).await;
            until(&engine, secs(15), op_is(1, OpState::Done)).await;
            assert_eq!((sent(&script), kept(folder.path())), (1, 0));
        });
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_program_and_a_lost_link_pause_and_a_cancelled_one_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let (running, script) = engine(folder.path()).await;
        rebalance(&running).await;
        script.set(Mood::Refusing);
        until(&running, secs(15), op_is(1, OpState::Paused)).await;
        script.set(Mood::Well);
        sleep(secs(60)).await;
        ask(&running, Request::Resume(OpId(1))).await;
        until(&running, secs(2), op_is(1, OpState::Running)).await;
        sleep(secs(1)).await;
        let world = running.shutdown().await;
        assert!(op_is(1, OpState::Paused)(&world), "{:?}", op(&world, 1));
        assert_eq!(kept(folder.path()), 1);

        let (engine, script) = engine(folder.path()).await;
        until(&engine, secs(1), op_is(1, OpState::Paused)).await;
        listed(&engine).await;
        ask(&engine, Request::Cancel(OpId(1))).await;
        until(&engine, secs(1), op_is(1, OpState::Cancelled)).await;
        assert_eq!((sent(&script), kept(folder.path())), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_only_program_shows_what_was_left_and_leaves_it_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let (first, _) = engine(folder.path()).await;
        rebalance(&first).await;
        first.shutdown().await;
        let options = Options {
            clock: Clock::starting_at(START),
            journal: Some(folder.path().to_owned()),
            read_only: true,
            ..Options::default()
        };
        let (looking, _) = start_with(&["one"], options);
        until(&looking, secs(1), op_is(1, OpState::Paused)).await;
        for request in [Request::Resume(OpId(1)), Request::Cancel(OpId(1))] {
            let before = looking.world.borrow().notices.len();
            ask(&looking, request).await;
            until(&looking, secs(1), |w| w.notices.len() > before).await;
            let world = Arc::clone(&looking.world.borrow());
            assert!(world.notices.last().unwrap().text.contains("one is read-only here"), "{:?}", world.notices);
            assert!(op_is(1, OpState::Paused)(&world));
        }
        assert_eq!(kept(folder.path()), 1);
        let (next, script) = engine(folder.path()).await;
        until(&next, secs(1), op_is(1, OpState::Paused)).await;
        listed(&next).await;
        ask(&next, Request::Resume(OpId(1))).await;
        until(&next, secs(15), op_is(1, OpState::Done)).await;
        assert_eq!((sent(&script), kept(folder.path())), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_went_although_the_answer_was_lost_is_moved_when_it_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, script) = engine(folder.path()).await;
        listed(&engine).await;
        script.send(Delta::Task(Change::Upsert(fixture::task("t1", "", "n1")))).await;
        until(&engine, secs(5), |w| w.clusters[0].tasks.len() == 1).await;
        let object = ObjectRef { cluster: "one".into(), kind: Kind::Task, key: "t1".into() };
        let bound = Bound { uid: "t1".into(), spec_rev: 0 };
        let intent = Intent { object, name: "t1".into(), action: Action::Reschedule, bound };
        ask(&engine, Request::Execute { intent: intent.clone(), title: "reschedule t1".into() }).await;
        until(&engine, secs(2), op_is(1, OpState::Running)).await;
        ask(&engine, Request::Pause(OpId(1))).await;
        until(&engine, secs(1), op_is(1, OpState::Paused)).await;
        script.send(Delta::Task(Change::Remove("t1".into()))).await;
        *script.refuses.lock() = Some(BackendError::NotFound("it is gone".into()));
        ask(&engine, Request::Resume(OpId(1))).await;
        until(&engine, secs(30), op_is(1, OpState::Done)).await;
        // one that had not begun is not done because its task is gone
        ask(&engine, Request::Execute { intent, title: "reschedule t1".into() }).await;
        until(&engine, secs(30), op_is(2, OpState::Failed)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_changed_meanwhile_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, script) = engine(folder.path()).await;
        rebalance(&engine).await;
        ask(&engine, Request::Pause(OpId(1))).await;
        until(&engine, secs(1), op_is(1, OpState::Paused)).await;
        let service = fixture::service("web", 2);
        let changed = Service { spec_rev: service.spec_rev + 1, ..service };
        script.send(crate::model::Delta::Service(crate::model::Change::Upsert(changed))).await;
        sleep(secs(1)).await;
        ask(&engine, Request::Resume(OpId(1))).await;
        until(&engine, secs(1), |w| op(w, 1).unwrap().progress.note.contains("another definition by now")).await;
        assert!(op_is(1, OpState::Paused)(&engine.world.borrow()));
        assert_eq!(sent(&script), 1);
    }

    #[test]
    fn a_swarm_is_asked_whether_more_of_a_definition_has_changed_than_a_rebalance_itself_has() {
        let resumed = |kind: ClusterKind, action: Action| {
            let world = World { clusters: vec![fixture::small(kind).state()], ..World::default() };
            let object = ObjectRef { cluster: "prod".into(), kind: Kind::Service, key: "web".into() };
            let bound = Bound { uid: "web".into(), spec_rev: 6 };
            rebound(&world, &Intent { object, name: "web".into(), action, bound: bound.clone() }).is_ok_and(|now| now == bound)
        };
        assert!(resumed(ClusterKind::Swarm, Action::Rebalance));
        assert!(!resumed(ClusterKind::Kubernetes, Action::Rebalance));
        assert!(!resumed(ClusterKind::Swarm, Action::Redeploy { pull: false }));
    }
}
