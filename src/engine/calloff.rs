//! Cancelling and pausing operations. What one had added for the time being is taken back first, where its platform keeps such
//! a thing, and that is on record; as long as it cannot be done the operation stays paused, so that it is not forgotten.

use super::audit::Stage;
use super::journal::Entry;
use super::shared::{Paused, Shared, contained};
use crate::model::{Action, ClusterKind, Fact, OpState, Operation, Text};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Longest time that taking back may need.
const TAKE_BACK: Duration = Duration::from_secs(60);

/// Ends a paused operation, in its turn.
pub(super) async fn call_off(mut op: Operation, entry: Option<Entry>, turn: Arc<Mutex<()>>, paused: Paused, shared: Arc<Shared>) {
    if turn.try_lock().is_err() {
        op.progress.note = Text::new("cancelled as soon as the operation before it has had its turn");
        shared.tell(Fact::Operation(op.clone())).await;
    }
    let _turn = turn.lock_owned().await;
    let done = tokio::select! {
        biased;
        () = shared.stop.cancelled() => Err(Text::new("Quarterdeck ended before it was cancelled")),
        done = take_back(&mut op, Why::Cancel, &shared) => done,
    };
    let stays = || Text::new("cancelled while it was paused: what it had done by then stays as it is");
    match done.map(|words| words.unwrap_or_else(stays)) {
        Ok(words) => {
            if let Some(entry) = entry {
                entry.over();
            }
            op.state = OpState::Cancelled;
            op.ended = Some(shared.now());
            op.progress.note = words;
            let written = shared.record(Stage::Cancelled, &op);
            shared.tell(Fact::Operation(op.clone())).await;
            shared.outcome(&op, written.await).await;
        }
        Err(why) => {
            op.state = OpState::Paused;
            op.progress.note = why;
            paused.lock().insert(op.id, entry);
            shared.tell(Fact::Operation(op)).await;
        }
    }
}

/// Whether a swarm adds something for the time being to do this.
fn adds(action: &Action) -> bool {
    matches!(action, Action::Evacuate | Action::Rebalance | Action::Reschedule)
}

/// What for something is taken back.
#[derive(Clone, Copy)]
pub(super) enum Why {
    /// It ends.
    Cancel,
    /// It goes on later.
    Pause,
}

impl Why {
    /// The imperative, for its title; what has become of the operation then; and what can be done now.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Cancel => ("cancel", "cancelled", ""),
            Self::Pause => ("pause", "paused", "; resume it to go on"),
        }
    }
}

/// Takes back what the operation had added, and says so; nothing where there was nothing; else why it could not.
pub(super) async fn take_back(op: &mut Operation, why: Why, shared: &Shared) -> Result<Option<Text>, Text> {
    let (verb, done, then) = why.words();
    let name = &op.intent.object.cluster;
    let world = shared.picture();
    let Some(cluster) = world.cluster(name).map(|state| &state.cluster) else { return Ok(None) };
    // a cluster that has not answered yet does not know that it is a swarm
    if !adds(&op.intent.action) || cluster.kind == ClusterKind::Kubernetes {
        return Ok(None);
    }
    let not_now = |cause: String| {
        let before = match why {
            Why::Cancel => "not cancelled yet",
            Why::Pause => "paused",
        };
        Text::from(format!("{before}: {cause}; what it added for the time being is still there"))
    };
    if cluster.read_only {
        return Err(not_now(format!("{name} is read-only here")));
    }
    let Some(backend) = shared.backend(name).filter(|_| cluster.link.is_live()) else {
        return Err(not_now(format!("{name} is {}, {verb} it when it is live", cluster.link.word())));
    };
    op.state = OpState::Running;
    op.progress.note = Text::new("taking back what it added");
    shared.tell(Fact::Operation(op.clone())).await;
    let asked = Operation { title: Text::from(format!("{verb} {}: take back what it added", op.title)), ..op.clone() };
    shared.record(Stage::Intent, &asked).await.map_err(|cause| not_now(format!("it cannot be put on record: {cause}")))?;
    match timeout(TAKE_BACK, contained(backend.take_back(&op.intent))).await {
        Ok(Ok(Ok(words))) => Ok(words.map(|words| Text::from(format!("{done}: {words}{then}")))),
        Ok(Ok(Err(error))) => Err(not_now(error.to_string())),
        Ok(Err(panic)) => Err(not_now(format!("a fault of Quarterdeck itself: {panic}"))),
        Err(_) => Err(not_now(format!("no answer within {} s", TAKE_BACK.as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::audit::{self, Audit, Origin};
    use super::super::fake::{Mood, Script};
    use super::super::tests::{link, op, op_is, secs, start_with, until};
    use super::super::{Engine, Options};
    use super::*;
    use crate::analysis::fixture;
    use crate::model::{Bound, Change, Delta, Intent, Kind, ObjectRef, OpId, Request, World};
    use std::path::Path;
    use std::sync::atomic::Ordering::SeqCst;

    /// An engine with a cluster whose evacuations take long, its operations and its records in `folder`.
    async fn engine(folder: &Path, swarm: bool) -> (Engine, Arc<Script>) {
        let audit = Some(Arc::new(Audit::new(&folder.join("audit"), Origin::default())));
        let options = Options { journal: Some(folder.join("operations")), audit, ..Options::default() };
        let (engine, scripts) = start_with(&["one"], options);
        scripts[0].swarm.store(swarm, SeqCst);
        *scripts[0].added.lock() = Some("took back 2 tasks".into());
        *scripts[0].execute_takes.lock() = secs(100);
        until(&engine, secs(5), |w| link(w, 0).is_live()).await;
        (engine, Arc::clone(&scripts[0]))
    }

    async fn ask(engine: &Engine, request: Request) {
        engine.requests.send(request).await.unwrap();
    }

    async fn evacuate(engine: &Engine) {
        let object = ObjectRef { cluster: "one".into(), kind: Kind::Node, key: "n1".into() };
        let bound = Bound { uid: "n1".into(), spec_rev: 7 };
        let intent = Intent { object, name: "node-1".into(), action: Action::Evacuate, bound };
        ask(engine, Request::Execute { intent, title: "evacuate node-1".into() }).await;
        until(engine, secs(5), |w| op(w, 1).is_some_and(|op| op.progress.note.as_str() == "sending")).await;
    }

    fn note(engine: &Engine) -> String {
        op(&engine.world.borrow(), 1).unwrap().progress.note.to_string()
    }

    /// What is on record: where it stood, and its title.
    fn records(folder: &Path) -> Vec<(Stage, String)> {
        let lines = audit::lines(&folder.join("audit")).unwrap();
        lines.into_iter().map(|line| line.record.unwrap()).map(|record| (record.stage, record.title)).collect()
    }

    #[tokio::test]
    async fn what_a_paused_evacuation_of_a_swarm_added_is_taken_back_and_on_record() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, script) = engine(folder.path(), true).await;
        evacuate(&engine).await;
        ask(&engine, Request::Pause(OpId(1))).await;
        until(&engine, secs(5), op_is(1, OpState::Paused)).await;
        assert_eq!(note(&engine), "paused: took back 2 tasks; resume it to go on");
        // as long as it cannot be taken back nothing is forgotten
        script.set(Mood::Refusing);
        ask(&engine, Request::Cancel(OpId(1))).await;
        until(&engine, secs(5), |w| op(w, 1).unwrap().progress.note.contains("not cancelled yet")).await;
        assert!(op_is(1, OpState::Paused)(&engine.world.borrow()) && note(&engine).contains("connection refused"));
        assert_eq!(std::fs::read_dir(folder.path().join("operations")).unwrap().count(), 1);
        script.set(Mood::Well);
        until(&engine, secs(60), |w| link(w, 0).is_live()).await;
        ask(&engine, Request::Cancel(OpId(1))).await;
        until(&engine, secs(5), op_is(1, OpState::Cancelled)).await;
        assert_eq!((note(&engine).as_str(), script.took_back.load(SeqCst)), ("cancelled: took back 2 tasks", 3));
        assert_eq!(std::fs::read_dir(folder.path().join("operations")).unwrap().count(), 0);
        engine.shutdown().await;
        let (all, again) = ("evacuate node-1", "cancel evacuate node-1: take back what it added");
        let want = [
            (Stage::Intent, all),
            (Stage::Intent, "pause evacuate node-1: take back what it added"),
            (Stage::Paused, all),
            (Stage::Intent, again),
            (Stage::Intent, again),
            (Stage::Cancelled, all),
        ];
        assert_eq!(records(folder.path()), want.map(|(stage, title)| (stage, title.to_owned())));
    }

    #[tokio::test]
    async fn a_paused_evacuation_waits_for_one_of_another_node_before_it_is_cancelled_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, _) = engine(folder.path(), true).await;
        evacuate(&engine).await;
        ask(&engine, Request::Pause(OpId(1))).await;
        until(&engine, secs(5), op_is(1, OpState::Paused)).await;
        let object = ObjectRef { cluster: "one".into(), kind: Kind::Node, key: "n2".into() };
        let bound = Bound { uid: "n2".into(), spec_rev: 7 };
        let intent = Intent { object, name: "node-2".into(), action: Action::Evacuate, bound };
        ask(&engine, Request::Execute { intent, title: "evacuate node-2".into() }).await;
        until(&engine, secs(5), |w| op(w, 2).is_some_and(|op| op.progress.note.as_str() == "sending")).await;
        ask(&engine, Request::Cancel(OpId(1))).await;
        until(&engine, secs(5), |w| op(w, 1).unwrap().progress.note.contains("has had its turn")).await;
        assert!(op_is(1, OpState::Paused)(&engine.world.borrow()));
        ask(&engine, Request::Cancel(OpId(2))).await;
        until(&engine, secs(5), op_is(1, OpState::Cancelled)).await;
        assert!(op_is(2, OpState::Cancelled)(&engine.world.borrow()));
        engine.shutdown().await;
    }

    #[tokio::test]
    async fn a_move_that_a_program_has_left_is_offered_by_the_next_one_and_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        for action in [Action::Reschedule, Action::Rebalance] {
            let (first, _) = engine(folder.path(), true).await;
            let kind = action.kind().spec().on;
            let object = ObjectRef { cluster: "one".into(), kind, key: "t1".into() };
            let intent = Intent { object, name: "web.1".into(), action, bound: Bound { uid: "t1".into(), spec_rev: 0 } };
            ask(&first, Request::Execute { intent, title: "move web.1".into() }).await;
            until(&first, secs(5), |w| op(w, 1).is_some_and(|op| op.progress.note.as_str() == "sending")).await;
            first.shutdown().await;
            let (next, script) = engine(folder.path(), true).await;
            until(&next, secs(5), op_is(1, OpState::Paused)).await;
            assert_eq!(script.took_back.load(SeqCst), 0, "nothing goes back by itself");
            ask(&next, Request::Cancel(OpId(1))).await;
            until(&next, secs(5), op_is(1, OpState::Cancelled)).await;
            assert_eq!((note(&next).as_str(), script.took_back.load(SeqCst)), ("cancelled: took back 2 tasks", 1));
            assert_eq!(std::fs::read_dir(folder.path().join("operations")).unwrap().count(), 0);
            next.shutdown().await;
        }
    }

    #[tokio::test]
    async fn what_a_running_evacuation_of_a_swarm_added_is_taken_back_before_it_is_cancelled() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, script) = engine(folder.path(), true).await;
        let kept = || std::fs::read_dir(folder.path().join("operations")).unwrap().count();
        evacuate(&engine).await;
        // its manager goes away: it is not forgotten, and can be cancelled again
        script.set(Mood::Refusing);
        ask(&engine, Request::Cancel(OpId(1))).await;
        until(&engine, secs(5), |w| op(w, 1).unwrap().progress.note.contains("not cancelled yet")).await;
        assert!(op_is(1, OpState::Paused)(&engine.world.borrow()) && note(&engine).contains("connection refused"));
        assert_eq!((kept(), script.took_back.load(SeqCst)), (1, 1));
        script.set(Mood::Well);
        until(&engine, secs(60), |w| link(w, 0).is_live()).await;
        ask(&engine, Request::Cancel(OpId(1))).await;
        until(&engine, secs(5), op_is(1, OpState::Cancelled)).await;
        assert_eq!((note(&engine).as_str(), script.took_back.load(SeqCst), kept()), ("cancelled: took back 2 tasks", 2, 0));
        engine.shutdown().await;
        let (all, back) = ("evacuate node-1", "cancel evacuate node-1: take back what it added");
        let want =
            [(Stage::Intent, all), (Stage::Intent, back), (Stage::Paused, all), (Stage::Intent, back), (Stage::Cancelled, all)];
        assert_eq!(records(folder.path()), want.map(|(stage, title)| (stage, title.to_owned())));
    }

    #[tokio::test]
    async fn what_waits_behind_an_operation_waits_until_that_has_taken_back_what_it_added() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, script) = engine(folder.path(), true).await;
        evacuate(&engine).await;
        let object = ObjectRef { cluster: "one".into(), kind: Kind::Node, key: "n1".into() };
        let bound = Bound { uid: "n1".into(), spec_rev: 7 };
        let intent = Intent { object, name: "node-1".into(), action: Action::Evacuate, bound };
        ask(&engine, Request::Execute { intent, title: "again".into() }).await;
        until(&engine, secs(5), op_is(2, OpState::Queued)).await;
        script.set(Mood::Silent);
        ask(&engine, Request::Cancel(OpId(1))).await;
        until(&engine, secs(5), |w| op(w, 1).unwrap().progress.note.contains("taking back")).await;
        tokio::time::sleep(secs(1)).await;
        assert!(op_is(2, OpState::Queued)(&engine.world.borrow()) && op_is(1, OpState::Running)(&engine.world.borrow()));
        // the end of the program leaves it to the next one
        let world = engine.shutdown().await;
        assert!(op_is(1, OpState::Paused)(&world));
        assert_eq!(std::fs::read_dir(folder.path().join("operations")).unwrap().count(), 1);
    }

    async fn rebalance(engine: &Engine) {
        let object = ObjectRef { cluster: "one".into(), kind: Kind::Service, key: "web".into() };
        let bound = Bound { uid: "web".into(), spec_rev: fixture::service("web", 2).spec_rev };
        let intent = Intent { object, name: "web".into(), action: Action::Rebalance, bound };
        ask(engine, Request::Execute { intent, title: "rebalance web".into() }).await;
    }

    /// An engine whose first rebalance was paused, goes on, and waits for its turn behind the second one.
    async fn waiting(folder: &Path) -> (Engine, Arc<Script>) {
        let (engine, script) = engine(folder, true).await;
        script.send(Delta::Service(Change::Upsert(fixture::service("web", 2)))).await;
        until(&engine, secs(5), |w| w.clusters[0].services.len() == 1).await;
        let sending = |id| move |w: &World| op(w, id).is_some_and(|op| op.progress.note.as_str() == "sending");
        rebalance(&engine).await;
        until(&engine, secs(5), sending(1)).await;
        ask(&engine, Request::Pause(OpId(1))).await;
        until(&engine, secs(5), op_is(1, OpState::Paused)).await;
        rebalance(&engine).await;
        until(&engine, secs(5), sending(2)).await;
        ask(&engine, Request::Resume(OpId(1))).await;
        until(&engine, secs(5), op_is(1, OpState::Queued)).await;
        (engine, script)
    }

    #[tokio::test]
    async fn what_goes_on_and_waits_for_its_turn_is_cancelled_in_its_turn_and_on_record() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, script) = waiting(folder.path()).await;
        ask(&engine, Request::Cancel(OpId(1))).await;
        tokio::time::sleep(secs(1)).await;
        assert!(op_is(1, OpState::Queued)(&engine.world.borrow()) && script.took_back.load(SeqCst) == 1);
        ask(&engine, Request::Cancel(OpId(2))).await;
        until(&engine, secs(5), op_is(1, OpState::Cancelled)).await;
        assert_eq!((note(&engine).as_str(), script.took_back.load(SeqCst)), ("cancelled: took back 2 tasks", 3));
        assert_eq!(std::fs::read_dir(folder.path().join("operations")).unwrap().count(), 0);
        engine.shutdown().await;
        let ends = records(folder.path()).into_iter().filter(|(stage, _)| *stage == Stage::Cancelled);
        assert_eq!(ends.count(), 2);
    }

    #[tokio::test]
    async fn what_goes_on_and_waits_for_its_turn_is_left_for_the_next_program() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, _) = waiting(folder.path()).await;
        let world = engine.shutdown().await;
        assert!(op_is(1, OpState::Paused)(&world) && op_is(2, OpState::Paused)(&world));
        assert_eq!(std::fs::read_dir(folder.path().join("operations")).unwrap().count(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_takes_back_what_it_added_and_waits() {
        // without records: the clock does not wait for their thread
        let (engine, scripts) = start_with(&["one"], Options::default());
        scripts[0].swarm.store(true, SeqCst);
        *scripts[0].added.lock() = Some("took back 2 tasks".into());
        *scripts[0].execute_takes.lock() = secs(24 * 3_600);
        until(&engine, secs(5), |w| link(w, 0).is_live()).await;
        evacuate(&engine).await;
        until(&engine, secs(3_600), op_is(1, OpState::Paused)).await;
        let said = note(&engine);
        assert!(
            said.starts_with("not taken within 15m") && said.ends_with("paused: took back 2 tasks; resume it to go on"),
            "{said}"
        );
    }

    #[tokio::test]
    async fn where_nothing_is_added_nothing_is_asked_and_the_end_is_on_record() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, script) = engine(folder.path(), false).await;
        evacuate(&engine).await;
        ask(&engine, Request::Pause(OpId(1))).await;
        until(&engine, secs(5), op_is(1, OpState::Paused)).await;
        script.set(Mood::Silent);
        ask(&engine, Request::Cancel(OpId(1))).await;
        until(&engine, secs(5), op_is(1, OpState::Cancelled)).await;
        assert_eq!(script.took_back.load(SeqCst), 0);
        engine.shutdown().await;
        let stages: Vec<Stage> = records(folder.path()).into_iter().map(|(stage, _)| stage).collect();
        assert_eq!(stages, [Stage::Intent, Stage::Paused, Stage::Cancelled]);
    }
}
