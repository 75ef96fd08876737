//! The engine against scripted clusters, in tokio's paused time: hours of outage take milliseconds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::audit::{self, Origin, Stage};
use super::fake::{Fake, Mood, Script};
use super::*;
use crate::analysis::fixture;
use crate::backend::BackendError;
use crate::model::*;
use crate::util::time::Timestamp;
use std::sync::atomic::Ordering::SeqCst;
use tokio::time::{Instant, sleep, timeout};

pub(super) const START: Timestamp = Timestamp(1_000_000_000);

pub(super) fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

pub(super) fn start(names: &[&'static str]) -> (Engine, Vec<Arc<Script>>) {
    start_with(names, Options { by: Text::new("me@here"), clock: Clock::starting_at(START), ..Options::default() })
}

pub(super) fn start_with(names: &[&'static str], options: Options) -> (Engine, Vec<Arc<Script>>) {
    let scripts: Vec<Arc<Script>> = names.iter().map(|_| Arc::default()).collect();
    let connectors = names.iter().zip(&scripts);
    let connectors = connectors.map(|(name, s)| Arc::new(Fake { name, script: Arc::clone(s) }) as Arc<dyn Connector>).collect();
    (Engine::start(connectors, options), scripts)
}

/// Waits at most `limit` until the picture is as wanted, and returns how long that took.
pub(super) async fn until(engine: &Engine, limit: Duration, wanted: impl Fn(&World) -> bool) -> Duration {
    let began = Instant::now();
    let mut world = engine.world.clone();
    let seen = timeout(limit, world.wait_for(|w| wanted(w))).await.is_ok();
    assert!(seen, "not within {limit:?}: {:#?}", engine.world.borrow().clusters.iter().map(|c| &c.cluster).collect::<Vec<_>>());
    began.elapsed()
}

pub(super) fn link(world: &World, n: usize) -> &Link {
    &world.clusters[n].cluster.link
}

fn scale(cluster: &str, service: &str) -> Request {
    let object = ObjectRef { cluster: ClusterId::from(cluster), kind: Kind::Service, key: Key::from(service) };
    let bound = Bound { uid: Key::from(service), spec_rev: 7 };
    let intent = Intent { object, name: Text::new(service), action: Action::Scale { to: 5 }, bound };
    Request::Execute { intent, title: Text::new("scale") }
}

pub(super) fn op(world: &World, id: u64) -> Option<&Operation> {
    world.operations.iter().find(|op| op.id == OpId(id)).map(|op| &**op)
}

pub(super) fn op_is(id: u64, state: OpState) -> impl Fn(&World) -> bool {
    move |world| op(world, id).is_some_and(|op| op.state == state)
}

#[tokio::test(start_paused = true)]
async fn a_dead_cluster_delays_no_other_and_is_tried_for_ever_with_backoff() {
    let (engine, scripts) = start(&["well", "dead", "refusing"]);
    scripts[1].set(Mood::Silent);
    scripts[2].set(Mood::Refusing);
    assert!(until(&engine, secs(1), |w| link(w, 0).is_live()).await < secs(1));
    until(&engine, secs(1), |w| matches!(link(w, 2), Link::Unreachable { .. })).await;
    until(&engine, secs(11), |w| matches!(link(w, 1), Link::Unreachable { .. })).await;
    sleep(secs(600)).await;
    let tried = scripts[2].tried.lock().clone();
    // ten minutes at half to all of 30 s, after the steps up to there
    assert!((20..=50).contains(&tried.len()), "{} attempts", tried.len());
    assert!(engine.world.borrow().clusters[0].cluster.link.is_live());
    // the first refusal, not the newest
    let world = engine.world.borrow().clone();
    let Link::Unreachable { since, reason } = link(&world, 2) else { panic!() };
    assert!(since.since(START) < secs(2));
    assert_eq!(reason.as_str(), "connection refused");
    // the operator's word skips the wait
    scripts[2].set(Mood::Well);
    engine.requests.send(Request::Reconnect).await.unwrap();
    assert!(until(&engine, secs(1), |w| link(w, 2).is_live()).await < secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_falls_silent_is_stale_within_15_s_and_recovers() {
    let (engine, scripts) = start(&["one", "two"]);
    until(&engine, secs(1), |w| link(w, 0).is_live() && link(w, 1).is_live()).await;
    sleep(secs(54)).await;
    scripts[0].set(Mood::Silent);
    let took = until(&engine, secs(15), |w| matches!(link(w, 0), Link::Stale { .. })).await;
    assert!(took >= secs(12), "{took:?}: it is not stale before its time");
    let world = engine.world.borrow().clone();
    let Link::Stale { since, .. } = link(&world, 0) else { panic!() };
    // the last answered ping was at 52.5 s
    assert!((52..=53).contains(&since.since(START).as_secs()), "{since:?}");
    assert!(world.clusters[0].finding_of_cluster().is_some(), "the trouble list says so");
    assert!(link(&world, 1).is_live());
    // back before the session was given up: the watches start anew on the same session
    let (connects, watches) = (scripts[0].connects.load(SeqCst), scripts[0].watches.load(SeqCst));
    scripts[0].set(Mood::Well);
    until(&engine, secs(10), |w| link(w, 0).is_live()).await;
    sleep(secs(1)).await;
    assert_eq!(scripts[0].connects.load(SeqCst), connects);
    assert_eq!(scripts[0].watches.load(SeqCst), watches + 1);
    assert!(engine.world.borrow().clusters[0].finding_of_cluster().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_session_without_heartbeats_is_given_up_and_made_anew() {
    let (engine, scripts) = start(&["one"]);
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    scripts[0].set(Mood::Silent);
    sleep(secs(60)).await;
    assert!(scripts[0].connects.load(SeqCst) > 1);
    let world = engine.world.borrow().clone();
    let Link::Stale { since, .. } = link(&world, 0) else { panic!("{:?}", link(&world, 0)) };
    assert!(since.since(START) < secs(6), "rows are as old as the last proof of life, however often it is tried");
    scripts[0].set(Mood::Well);
    until(&engine, secs(41), |w| link(w, 0).is_live()).await;
}

#[tokio::test(start_paused = true)]
async fn deltas_are_proof_of_life_where_pings_fail() {
    let (engine, scripts) = start(&["one"]);
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    scripts[0].set(Mood::Silent);
    for _ in 0..30 {
        sleep(secs(2)).await;
        scripts[0].send(Delta::Service(Change::Upsert(fixture::service("web", 1)))).await;
        assert!(engine.world.borrow().clusters[0].cluster.link.is_live());
    }
    // a backend that only says that it cannot read is none
    for _ in 0..10 {
        sleep(secs(2)).await;
        let live = scripts[0].live.lock().clone().unwrap();
        let _ = live.send(Delta::Task(Change::Failed(Text::new("refused")))).await;
    }
    assert!(!engine.world.borrow().clusters[0].cluster.link.is_live());
}

#[tokio::test(start_paused = true)]
async fn a_quiet_cluster_is_asked_at_most_once_in_ten_seconds_and_one_that_is_heard_of_never() {
    let (engine, scripts) = start(&["one"]);
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    let pings = || scripts[0].pings.load(SeqCst);
    sleep(secs(600)).await;
    assert!((40..=60).contains(&pings()), "{} in ten minutes", pings());
    let before = pings();
    for _ in 0..60 {
        *scripts[0].heard.lock() = Some(Instant::now());
        sleep(secs(10)).await;
        assert!(link(&engine.world.borrow(), 0).is_live());
    }
    assert_eq!(pings(), before);
    // what it answered before says nothing of now
    scripts[0].set(Mood::Silent);
    until(&engine, secs(15), |w| matches!(link(w, 0), Link::Stale { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_tried_slowly() {
    let (engine, scripts) = start(&["one"]);
    scripts[0].set(Mood::Unauthorised);
    until(&engine, secs(1), |w| matches!(link(w, 0), Link::Unauthorised { .. })).await;
    sleep(secs(300)).await;
    assert!(scripts[0].connects.load(SeqCst) <= 11);
    // a single refusal of a session that was well is tried again at once
    scripts[0].set(Mood::Well);
    until(&engine, secs(61), |w| link(w, 0).is_live()).await;
    sleep(secs(60)).await;
    let connects = scripts[0].connects.load(SeqCst);
    let refuse = || *scripts[0].end.lock() = Some(BackendError::Unauthorised("token expired".into()));
    refuse();
    sleep(secs(2)).await;
    assert!(link(&engine.world.borrow(), 0).is_live());
    assert_eq!(scripts[0].connects.load(SeqCst), connects + 1);
    // and the next one is said at once
    refuse();
    until(&engine, secs(1), |w| matches!(link(w, 0), Link::Unauthorised { .. })).await;
    sleep(secs(14)).await;
    assert_eq!(scripts[0].connects.load(SeqCst), connects + 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_a_session_and_nothing_else() {
    let (engine, scripts) = start(&["one", "two"]);
    until(&engine, secs(1), |w| link(w, 0).is_live() && link(w, 1).is_live()).await;
    scripts[0].panic_in_watch.store(true, SeqCst);
    until(&engine, secs(5), |w| w.notices.iter().any(|n| n.warning && n.text.contains("scripted panic"))).await;
    sleep(secs(5)).await;
    assert_eq!(scripts[0].connects.load(SeqCst), 2, "it connected anew");
    assert!(link(&engine.world.borrow(), 0).is_live() && link(&engine.world.borrow(), 1).is_live());
    scripts[0].set(Mood::Panicking);
    sleep(secs(60)).await;
    assert!(!link(&engine.world.borrow(), 0).is_live() && link(&engine.world.borrow(), 1).is_live());
    scripts[0].set(Mood::Well);
    until(&engine, secs(41), |w| link(w, 0).is_live()).await;
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_done_when_the_facts_say_so() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].rows.lock() = vec![Service { spec_rev: 7, ..fixture::service("web", 2) }];
    *scripts[0].expect.lock() = Some(Expect::Scaled { service: Key::from("web"), spec_rev: 8, to: 5 });
    until(&engine, secs(1), |w| w.clusters[0].services.len() == 1).await;
    engine.requests.send(scale("one", "web")).await.unwrap();
    until(&engine, secs(2), op_is(1, OpState::Verifying)).await;
    assert!(scripts[0].interest.lock().as_ref().unwrap().borrow().tasks, "tasks are polled meanwhile");
    sleep(secs(5)).await;
    let growing = Service { spec_rev: 8, observed_rev: 8, ready: 3, current: 5, ..fixture::service("web", 5) };
    scripts[0].send(Delta::Service(Change::Upsert(growing))).await;
    until(&engine, secs(2), |w| op(w, 1).is_some_and(|op| op.progress.done == 3 && op.progress.total == 5)).await;
    let whole = Service { spec_rev: 8, observed_rev: 8, ..fixture::service("web", 5) };
    scripts[0].send(Delta::Service(Change::Upsert(whole))).await;
    until(&engine, secs(2), op_is(1, OpState::Done)).await;
    sleep(secs(1)).await;
    assert!(!scripts[0].interest.lock().as_ref().unwrap().borrow().tasks);
    let world = engine.world.borrow().clone();
    let done = op(&world, 1).unwrap();
    assert_eq!((done.progress.note.as_str(), done.by.as_str()), ("5 of 5 ready", "me@here"));
    assert_eq!((done.progress.done, done.progress.total), (5, 5), "what is done is done whole");
    assert!(done.ended.is_some());
    let undo = Undo { action: Action::Scale { to: 2 }, bound: Some(Bound { uid: Key::from("web"), spec_rev: 8 }) };
    assert_eq!(done.undo, Some(undo), "what was before, and what it left");
}

#[tokio::test(start_paused = true)]
async fn an_operation_waits_out_an_outage_and_gives_up_in_words() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].rows.lock() = vec![fixture::service("web", 2)];
    *scripts[0].expect.lock() = Some(Expect::Converged { service: Key::from("web"), spec_rev: 8 });
    until(&engine, secs(1), |w| w.clusters[0].services.len() == 1).await;
    engine.requests.send(scale("one", "web")).await.unwrap();
    until(&engine, secs(2), op_is(1, OpState::Verifying)).await;
    scripts[0].set(Mood::Silent);
    until(&engine, secs(20), |w| op(w, 1).is_some_and(|op| op.progress.note.contains("one is stale"))).await;
    scripts[0].set(Mood::Well);
    until(&engine, secs(60), |w| op(w, 1).is_some_and(|op| op.progress.note.contains("to show the change"))).await;
    until(&engine, secs(601), op_is(1, OpState::Failed)).await;
    assert!(op(&engine.world.borrow(), 1).unwrap().progress.note.contains("not seen to have happened within 10m"));
}

#[tokio::test(start_paused = true)]
async fn operations_on_one_object_take_turns_and_others_run_beside() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].execute_takes.lock() = secs(10);
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    for service in ["a", "a", "b"] {
        engine.requests.send(scale("one", service)).await.unwrap();
    }
    until(&engine, secs(2), op_is(3, OpState::Running)).await;
    assert!(op_is(2, OpState::Queued)(&engine.world.borrow()));
    until(&engine, secs(30), op_is(2, OpState::Done)).await;
    let executed = scripts[0].executed.lock().clone();
    let a: Vec<_> = executed.iter().filter(|(i, _)| i.object.key.as_str() == "a").map(|(_, at)| *at).collect();
    assert!(a[1] - a[0] >= secs(10));
}

/// Scales a service of the simulated fleet, and takes that back.
#[tokio::test(start_paused = true)]
async fn what_was_scaled_on_any_platform_can_be_taken_back() {
    for (cluster, name) in [("prod-eu", "gateway"), ("edge-swarm", "edge_web")] {
        let fleet = crate::backend::sim::fleet(&crate::backend::sim::demo_scenario().unwrap(), Default::default());
        let engine = Engine::start(fleet, Options { clock: Clock::starting_at(START), ..Options::default() });
        let id = ClusterId::from(cluster);
        let row = |w: &World| w.cluster(&id).and_then(|c| c.services.iter().find(|s| s.name.as_str() == name).cloned());
        until(&engine, secs(30), |w| {
            row(w).is_some_and(|s| s.rollout == Rollout::STABLE && w.cluster(&id).unwrap().cluster.link.is_live())
        })
        .await;
        let before = row(&engine.world.borrow()).unwrap();
        let object = ObjectRef { cluster: id.clone(), kind: Kind::Service, key: before.key.clone() };
        let was = before.desired.unwrap();
        let bound = Bound { uid: before.key.clone(), spec_rev: before.spec_rev };
        let intent = Intent { object, name: before.name.clone(), action: Action::Scale { to: was + 2 }, bound };
        engine.requests.send(Request::Execute { intent: intent.clone(), title: Text::new("scale") }).await.unwrap();
        until(&engine, secs(600), op_is(1, OpState::Done)).await;
        let undo = op(&engine.world.borrow(), 1).unwrap().undo.clone().unwrap();
        assert_eq!(undo.action, Action::Scale { to: was });
        let bound = undo.bound.expect("as it was left");
        assert_eq!(bound.spec_rev, row(&engine.world.borrow()).unwrap().spec_rev, "{name}");
        let intent = Intent { action: undo.action, bound, ..intent };
        engine.requests.send(Request::Execute { intent, title: Text::new("undo") }).await.unwrap();
        until(&engine, secs(600), op_is(2, OpState::Done)).await;
        assert_eq!(row(&engine.world.borrow()).unwrap().desired, Some(was));
    }
}

/// Over the simulated fleet: each platform's own way back, by the definition as it was seen.
#[tokio::test(start_paused = true)]
async fn another_image_on_any_platform_can_be_taken_back_unless_someone_changed_it_since() {
    for (cluster, name, container) in [("prod-eu", "gateway", "gateway"), ("edge-swarm", "edge_web", "")] {
        let fleet = crate::backend::sim::fleet(&crate::backend::sim::demo_scenario().unwrap(), Default::default());
        let engine = Engine::start(fleet, Options { clock: Clock::starting_at(START), ..Options::default() });
        let id = ClusterId::from(cluster);
        let row = |w: &World| w.cluster(&id).and_then(|c| c.services.iter().find(|s| s.name.as_str() == name).cloned());
        let steady =
            |w: &World| row(w).is_some_and(|s| s.rollout == Rollout::STABLE) && w.cluster(&id).unwrap().cluster.link.is_live();
        let execute = async |op: u64, action: Action, bound: Bound| {
            let object = ObjectRef { cluster: id.clone(), kind: Kind::Service, key: bound.uid.clone() };
            let intent = Intent { object, name: Text::new(name), action, bound };
            engine.requests.send(Request::Execute { intent, title: Text::new("act") }).await.unwrap();
            until(&engine, secs(900), |w| self::op(w, op).is_some_and(|op| op.state.ended())).await;
            self::op(&engine.world.borrow(), op).unwrap().clone()
        };
        until(&engine, secs(30), steady).await;
        let before = row(&engine.world.borrow()).unwrap();
        let set = |image: &str| Action::SetImage { container: container.into(), image: image.into() };
        let set_op = execute(1, set("mirror/web:9"), Bound { uid: before.key.clone(), spec_rev: before.spec_rev }).await;
        let Undo { action, bound: Some(bound) } = set_op.undo.clone().unwrap() else { panic!("{set_op:?}") };
        let there = row(&engine.world.borrow()).unwrap();
        assert_eq!((there.image.as_str(), bound.spec_rev), ("mirror/web:9", there.spec_rev), "{name}");
        let undone = execute(2, action.clone(), bound.clone()).await;
        assert_eq!(undone.state, OpState::Done, "{undone:?}");
        assert_eq!(row(&engine.world.borrow()).unwrap().image, before.image, "{name}");
        let late = execute(3, action, bound).await;
        assert!(late.state == OpState::Failed && late.progress.note.contains("changed"), "{late:?}");
    }
}

fn bulk(services: usize, stop: bool) -> Request {
    let one = |n: usize| match scale("one", &format!("s{n:02}")) {
        Request::Execute { intent, .. } => (intent, Text::from(format!("scale s{n:02}"))),
        _ => unreachable!(),
    };
    Request::Bulk { all: (0..services).map(one).collect(), stop }
}

#[tokio::test(start_paused = true)]
async fn a_bulk_is_a_few_at_a_time_and_none_after_a_failure_where_that_was_chosen() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].execute_takes.lock() = secs(10);
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    let all_ended = |w: &World, from: u64, to: u64| (from..=to).all(|id| op(w, id).is_some_and(|op| op.state.ended()));
    engine.requests.send(bulk(10, true)).await.unwrap();
    let took = until(&engine, secs(60), |w| all_ended(w, 1, 10)).await;
    assert!(took >= secs(30), "{took:?}: ten, four at a time, 10 s each");
    assert!((1..=10).all(|id| op_is(id, OpState::Done)(&engine.world.borrow())));

    // another operation is not held up by those that wait for their batch
    engine.requests.send(bulk(10, false)).await.unwrap();
    sleep(secs(1)).await;
    engine.requests.send(scale("one", "other")).await.unwrap();
    until(&engine, secs(1), op_is(21, OpState::Running)).await;
    *scripts[0].refuses.lock() = Some(BackendError::Forbidden("may not".into()));
    until(&engine, secs(60), |w| all_ended(w, 11, 20)).await;
    assert!((11..=20).all(|id| op_is(id, OpState::Failed)(&engine.world.borrow())), "each was tried");

    until(&engine, secs(60), |w| all_ended(w, 21, 21)).await;
    let before = scripts[0].executed.lock().len();
    engine.requests.send(bulk(10, true)).await.unwrap();
    until(&engine, secs(60), |w| all_ended(w, 22, 31)).await;
    assert_eq!(scripts[0].executed.lock().len() - before, 4, "those that were under way, and none after");
    let world = engine.world.borrow().clone();
    let states: Vec<OpState> = (22..=31).map(|id| op(&world, id).unwrap().state).collect();
    assert_eq!(states.iter().filter(|state| **state == OpState::Cancelled).count(), 6, "{states:?}");
    let note = &op(&world, 31).unwrap().progress.note;
    assert!(note.starts_with("not begun: scale s0") && note.ends_with("failed, and none was to follow then"), "{note}");

    // more than may be is nothing at all
    engine.requests.send(bulk(21, true)).await.unwrap();
    until(&engine, secs(1), |w| w.notices.iter().any(|n| n.text.contains("20 is the most (max_bulk"))).await;
    assert!(op(&engine.world.borrow(), 32).is_none());
}

#[tokio::test(start_paused = true)]
async fn two_tasks_of_one_swarm_service_are_rescheduled_one_after_the_other() {
    let (engine, scripts) = start(&["one"]);
    scripts[0].swarm.store(true, SeqCst);
    *scripts[0].rows.lock() = vec![fixture::service("web", 2), fixture::service("cart", 1)];
    let of = [("web-1", "web"), ("web-2", "web"), ("cart-1", "cart")];
    *scripts[0].tasks.lock() = of.map(|(task, service)| fixture::task(task, service, "n1")).to_vec();
    *scripts[0].execute_takes.lock() = secs(10);
    until(&engine, secs(1), |w| w.clusters[0].tasks.len() == 3).await;
    let one = |(task, _): (&str, &str)| {
        let object = ObjectRef { cluster: "one".into(), kind: Kind::Task, key: task.into() };
        let bound = Bound { uid: task.into(), spec_rev: 0 };
        (Intent { object, name: task.into(), action: Action::Reschedule, bound }, Text::from(format!("reschedule {task}")))
    };
    engine.requests.send(Request::Bulk { all: of.map(one).to_vec(), stop: true }).await.unwrap();
    sleep(secs(5)).await;
    let world = engine.world.borrow().clone();
    assert_eq!([1, 2, 3].map(|id| op(&world, id).unwrap().state), [OpState::Running, OpState::Queued, OpState::Running]);
    until(&engine, secs(20), |w| (1..=3).all(|id| op_is(id, OpState::Done)(w))).await;
}

#[tokio::test(start_paused = true)]
async fn managers_of_one_swarm_are_demoted_one_after_the_other() {
    let (engine, scripts) = start(&["one", "two"]);
    scripts.iter().for_each(|script| *script.execute_takes.lock() = secs(10));
    until(&engine, secs(1), |w| link(w, 0).is_live() && link(w, 1).is_live()).await;
    let one = |(cluster, node): (&str, &str)| {
        let object = ObjectRef { cluster: cluster.into(), kind: Kind::Node, key: node.into() };
        let bound = Bound { uid: node.into(), spec_rev: 1 };
        (Intent { object, name: node.into(), action: Action::Demote, bound }, Text::from(format!("demote {node}")))
    };
    let all = [("one", "n1"), ("one", "n2"), ("two", "n1")].map(one).to_vec();
    engine.requests.send(Request::Bulk { all, stop: true }).await.unwrap();
    sleep(secs(5)).await;
    let world = engine.world.borrow().clone();
    assert_eq!([1, 2, 3].map(|id| op(&world, id).unwrap().state), [OpState::Running, OpState::Queued, OpState::Running]);
}

#[tokio::test(start_paused = true)]
async fn a_redeploy_of_containers_may_take_as_long_as_all_of_them_may_need_to_end() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].rows.lock() = vec![Service { kind: ServiceKind::Compose, ..fixture::service("web", 8) }];
    *scripts[0].tasks.lock() = (0..8).map(|n| fixture::task(&format!("web-{n}"), "web", "n1")).collect();
    // 30 s each
    *scripts[0].execute_takes.lock() = secs(8 * 30);
    until(&engine, secs(1), |w| w.clusters[0].tasks.len() == 8).await;
    let object = ObjectRef { cluster: "one".into(), kind: Kind::Service, key: "web".into() };
    let bound = Bound { uid: "web".into(), spec_rev: 7 };
    let intent = Intent { object, name: "web".into(), action: Action::Redeploy { pull: false }, bound };
    engine.requests.send(Request::Execute { intent, title: "redeploy web".into() }).await.unwrap();
    until(&engine, secs(300), |w| op(w, 1).is_some_and(|op| op.state.ended())).await;
    assert!(op_is(1, OpState::Done)(&engine.world.borrow()), "{:?}", op(&engine.world.borrow(), 1));
}

#[tokio::test(start_paused = true)]
async fn cancel_works_while_queued_sending_and_verifying() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].execute_takes.lock() = secs(10);
    *scripts[0].expect.lock() = Some(Expect::Gone { kind: Kind::Service, key: Key::from("a") });
    *scripts[0].rows.lock() = vec![fixture::service("a", 1)];
    until(&engine, secs(1), |w| w.clusters[0].services.len() == 1).await;
    engine.requests.send(scale("one", "a")).await.unwrap();
    engine.requests.send(scale("one", "a")).await.unwrap();
    engine.requests.send(scale("one", "b")).await.unwrap();
    until(&engine, secs(2), op_is(3, OpState::Running)).await;
    for id in [2, 3] {
        engine.requests.send(Request::Cancel(OpId(id))).await.unwrap();
        until(&engine, secs(1), op_is(id, OpState::Cancelled)).await;
    }
    until(&engine, secs(20), op_is(1, OpState::Verifying)).await;
    engine.requests.send(Request::Cancel(OpId(1))).await.unwrap();
    until(&engine, secs(1), op_is(1, OpState::Cancelled)).await;
    let world = engine.world.borrow().clone();
    let notes = [1, 2, 3].map(|id| op(&world, id).unwrap().progress.note.to_string());
    assert!(notes[0].contains("has taken it and goes on"), "{notes:?}");
    assert!(notes[1].contains("before anything was sent"), "{notes:?}");
    assert!(notes[2].contains("while it was being sent"), "{notes:?}");
    assert_eq!(scripts[0].executed.lock().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_go_is_deleted_anew_without_waiting_for_the_delete_before() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].tasks.lock() = vec![fixture::task("web-0", "web", "n1")];
    *scripts[0].expect.lock() = Some(Expect::Gone { kind: Kind::Task, key: Key::from("web-0") });
    until(&engine, secs(1), |w| w.clusters[0].tasks.len() == 1).await;
    let object = ObjectRef { cluster: "one".into(), kind: Kind::Task, key: "web-0".into() };
    for (op, grace) in [(1, None), (2, Some(0))] {
        let bound = Bound { uid: "web-0".into(), spec_rev: 0 };
        let intent = Intent { object: object.clone(), name: "web-0".into(), action: Action::DeleteTask { grace }, bound };
        engine.requests.send(Request::Execute { intent, title: "delete web-0".into() }).await.unwrap();
        until(&engine, secs(2), op_is(op, OpState::Verifying)).await;
    }
    assert!(op_is(1, OpState::Cancelled)(&engine.world.borrow()));
    scripts[0].send(Delta::Task(Change::Remove("web-0".into()))).await;
    until(&engine, secs(2), op_is(2, OpState::Done)).await;
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_sent_is_refused_in_words() {
    let (engine, scripts) = start(&["one"]);
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    let Request::Execute { mut intent, title } = scale("one", "a") else { panic!() };
    intent.action = Action::RollBack { to: None };
    engine.requests.send(Request::Execute { intent, title }).await.unwrap();
    until(&engine, secs(1), op_is(1, OpState::Failed)).await;
    scripts[0].set(Mood::Silent);
    until(&engine, secs(16), |w| !link(w, 0).is_live()).await;
    engine.requests.send(scale("one", "a")).await.unwrap();
    until(&engine, secs(1), op_is(2, OpState::Failed)).await;
    let world = engine.world.borrow().clone();
    assert!(op(&world, 1).unwrap().progress.note.contains("kubernetes one cannot roll back"));
    assert!(op(&world, 2).unwrap().progress.note.contains("one is stale"));

    let (engine, scripts) =
        start_with(&["ro"], Options { read_only: true, clock: Clock::starting_at(START), ..Options::default() });
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    engine.requests.send(scale("ro", "a")).await.unwrap();
    until(&engine, secs(1), op_is(1, OpState::Failed)).await;
    assert!(op(&engine.world.borrow(), 1).unwrap().progress.note.contains("read-only"));
    assert!(scripts[0].executed.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn shutdown_is_prompt_and_running_operations_say_how_far_they_came() {
    let (engine, scripts) = start(&["one", "silent"]);
    scripts[1].set(Mood::Silent);
    *scripts[0].execute_takes.lock() = secs(30);
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    engine.requests.send(scale("one", "a")).await.unwrap();
    until(&engine, secs(2), op_is(1, OpState::Running)).await;
    let began = Instant::now();
    let world = engine.shutdown().await;
    assert!(began.elapsed() <= Duration::from_millis(200));
    let op = op(&world, 1).unwrap();
    assert_eq!(op.state, OpState::Cancelled);
    assert!(op.progress.note.starts_with("Quarterdeck ended"), "{}", op.progress.note);
}

#[tokio::test(start_paused = true)]
async fn findings_follow_the_rows_and_a_quiet_fleet_publishes_nothing() {
    let (engine, scripts) = start(&["one"]);
    *scripts[0].rows.lock() = vec![Service { ready: 0, ..fixture::service("web", 1) }];
    *scripts[0].tasks.lock() = vec![fixture::stuck("t1", "web", "image not found: web:1", 10)];
    let web = Key::from("web");
    until(&engine, secs(1), |w| w.clusters[0].finding_of(Kind::Service, &web).is_some()).await;
    scripts[0].send(Delta::Task(Change::Upsert(fixture::task("t1", "web", "n1")))).await;
    scripts[0].send(Delta::Service(Change::Upsert(fixture::service("web", 1)))).await;
    until(&engine, secs(1), |w| w.clusters[0].finding_of(Kind::Service, &web).is_none()).await;
    let before = engine.world.borrow().revision;
    sleep(secs(120)).await;
    assert_eq!(engine.world.borrow().revision, before);
}

#[tokio::test(start_paused = true)]
async fn a_whole_object_is_fetched_or_the_reason_said() {
    let (engine, scripts) = start(&["one"]);
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    let object = ObjectRef { cluster: ClusterId::from("one"), kind: Kind::Node, key: Key::from("n1") };
    engine.requests.send(Request::Inspect(object.clone())).await.unwrap();
    until(&engine, secs(1), |w| w.document.as_ref().is_some_and(|d| d.lines.as_ref().is_ok_and(|l| l.len() == 2))).await;
    scripts[0].set(Mood::Silent);
    engine.requests.send(Request::Inspect(object)).await.unwrap();
    until(&engine, secs(16), |w| w.document.as_ref().is_some_and(|d| d.lines.is_err())).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_platform_would_refuse_is_a_fact_until_the_session_is_another() {
    let (engine, scripts) = start(&["one"]);
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    let web = Key::from("web");
    let object = ObjectRef { cluster: ClusterId::from("one"), kind: Kind::Service, key: web.clone() };
    let denied = |w: &World| w.clusters[0].denied(Kind::Service, &web, ActionKind::Scale).cloned();
    engine.requests.send(Request::Rights(vec![object.clone()])).await.unwrap();
    sleep(secs(1)).await;
    assert!(engine.world.borrow().clusters[0].rights.is_empty(), "it does not say");
    *scripts[0].denied.lock() = Some(vec![(ActionKind::Scale, Text::new("may not"))]);
    engine.requests.send(Request::Rights(vec![object.clone()])).await.unwrap();
    until(&engine, secs(1), |w| denied(w).is_some()).await;
    assert_eq!(engine.world.borrow().clusters[0].denied(Kind::Service, &web, ActionKind::Redeploy), None);
    *scripts[0].denied.lock() = Some(Vec::new());
    engine.requests.send(Request::Rights(vec![object.clone()])).await.unwrap();
    until(&engine, secs(1), |w| denied(w).is_none()).await;
    *scripts[0].denied.lock() = Some(vec![(ActionKind::Scale, Text::new("may not"))]);
    engine.requests.send(Request::Rights(vec![object])).await.unwrap();
    until(&engine, secs(1), |w| denied(w).is_some()).await;
    *scripts[0].end.lock() = Some(BackendError::Unreachable("over".into()));
    until(&engine, secs(20), |w| denied(w).is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn what_there_is_before_an_action_is_asked_anew_each_time_and_a_token_is_forgotten() {
    let (engine, _) = start(&["one"]);
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    let node = Key::from("n1");
    let object = ObjectRef { cluster: ClusterId::from("one"), kind: Kind::Node, key: node.clone() };
    let answer = |w: &World| w.clusters[0].survey(&node, ActionKind::RotateToken).clone();
    for _ in 0..2 {
        engine.requests.send(Request::Survey(object.clone(), ActionKind::RotateToken)).await.unwrap();
        until(&engine, secs(1), |w| answer(w) == Answer::Asking).await;
        until(&engine, secs(3), |w| answer(w) == Answer::Found(Found::Swarm(7))).await;
    }
    let reveal = || Request::Reveal { cluster: ClusterId::from("one"), managers: true };
    engine.requests.send(reveal()).await.unwrap();
    until(&engine, secs(1), |w| w.clusters[0].join.as_ref().is_some_and(|join| join.managers && join.found.is_ok())).await;
    engine.requests.send(Request::Conceal(ClusterId::from("one"))).await.unwrap();
    until(&engine, secs(1), |w| w.clusters[0].join.is_none()).await;
    let (engine, _) = start_with(&["one"], Options { read_only: true, ..Options::default() });
    until(&engine, secs(1), |w| link(w, 0).is_live()).await;
    engine.requests.send(reveal()).await.unwrap();
    sleep(secs(5)).await;
    assert!(engine.world.borrow().clusters[0].join.is_none(), "who may change nothing is not given the means to");
}

#[tokio::test]
async fn an_operation_is_on_record_before_it_is_sent_and_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("audit");
    let origin = Origin { ssh: Some("192.0.2.7".into()), tty: Some("/dev/pts/4".into()) };
    let audit = Some(Arc::new(Audit::new(&at, origin)));
    let (engine, scripts) = start_with(&["one"], Options { by: Text::new("me@here"), audit, ..Options::default() });
    until(&engine, secs(5), |w| link(w, 0).is_live()).await;
    engine.requests.send(scale("one", "web")).await.unwrap();
    until(&engine, secs(5), op_is(1, OpState::Done)).await;
    scripts[0].set(Mood::Unauthorised);
    engine.requests.send(scale("one", "web")).await.unwrap();
    until(&engine, secs(5), op_is(2, OpState::Failed)).await;
    // what was never to be sent leaves no trace
    let Request::Execute { mut intent, title } = scale("one", "a") else { panic!() };
    intent.action = Action::RollBack { to: None };
    engine.requests.send(Request::Execute { intent, title }).await.unwrap();
    until(&engine, secs(5), op_is(3, OpState::Failed)).await;
    engine.shutdown().await;
    let lines = audit::lines(&at).unwrap();
    let records: Vec<_> = lines.iter().map(|line| line.record.clone().unwrap()).collect();
    use Stage::{Done, Failed, Intent, Taken};
    assert_eq!(records.iter().map(|r| r.stage).collect::<Vec<_>>(), [Intent, Taken, Done, Intent, Failed]);
    let first = &records[0];
    assert_eq!((first.by.as_str(), first.ssh.as_deref(), first.tty.as_deref()), ("me@here", Some("192.0.2.7"), Some("/dev/pts/4")));
    assert_eq!((first.cluster.as_str(), first.endpoint.as_str(), first.platform.as_str()), ("one", "https://fake", "kubernetes"));
    assert_eq!((first.kind.as_str(), first.name.as_str(), first.uid.as_str(), first.spec_rev), ("service", "web", "web", 7));
    assert_eq!((first.action.as_str(), first.parameters["to"].as_u64(), first.title.as_str()), ("scale", Some(5), "scale"));
    assert!(records[..3].iter().all(|r| r.op == first.op) && records[3].op == records[4].op && records[3].op != first.op);
    assert!(records[4].note.contains("log in again"), "{}", records[4].note);
    assert_eq!(audit::verify(&at).unwrap().records, 5);
}

#[tokio::test]
async fn what_cannot_be_put_on_record_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("audit");
    std::fs::write(&at, "in the way").unwrap();
    let audit = Some(Arc::new(Audit::new(&at, Origin::default())));
    let (engine, scripts) = start_with(&["one"], Options { audit, ..Options::default() });
    until(&engine, secs(5), |w| link(w, 0).is_live()).await;
    engine.requests.send(scale("one", "web")).await.unwrap();
    until(&engine, secs(5), op_is(1, OpState::Failed)).await;
    let note = op(&engine.world.borrow(), 1).unwrap().progress.note.to_string();
    assert!(note.starts_with("nothing was sent, because it cannot be put on record: the audit file in "), "{note}");
    assert!(scripts[0].executed.lock().is_empty());
}

trait ClusterFinding {
    fn finding_of_cluster(&self) -> Option<&Arc<Finding>>;
}

impl ClusterFinding for ClusterState {
    fn finding_of_cluster(&self) -> Option<&Arc<Finding>> {
        self.findings.get(&Finding::key_of(None))
    }
}
