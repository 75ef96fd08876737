//! Operations that are paused, cancelled, left by a dead program, and taken up by the next.

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
