//! A day with a fault every ten minutes, told in short: the ten minutes in which all is well again are two or three seconds.
//! What grows with the number of faults and connections grows as it does in a day; what grows with the hours does not show.
//! (tokio's paused clock would jump over every wait for a socket, and with it every deadline: it proves nothing here.)
//!
//! A Kubernetes and a Docker engine in one session, with logs open, measurements taken, and operations that go into the
//! journal and on record. What counts is how many there are of what could grow, and how much memory it takes; time is
//! printed. `tests/soak` runs it.

mod counts;
mod engine;

use super::fault::{Cell, Fault, Phase};
use super::run::{Bench, order};
use super::{chosen, seed};
use counts::{Connections, Counts};
use engine::Engine;
use quarterdeck::backend::docker::{Env, discover};
use quarterdeck::engine::audit::{Origin, verify};
use quarterdeck::engine::{Audit, Options};
use quarterdeck::model::{Action, Interest, Key, Kind, Link, LogTarget, ObjectRef, OpState, Request, Series, TailId, TaskState};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Faults of a day.
const DAY: usize = 144;
/// Faults of the short form.
const SHORT: usize = 12;
/// Faults whose end is seen at once.
const QUICK: [Fault; 6] = [Fault::Reset, Fault::RefusedOnce, Fault::Closed, Fault::GoneInStream, Fault::Truncated, Fault::Restored];
/// By so many more may a count be in the last third than it was in the first.
const PLAY: usize = 6;
/// Events that are kept of a cluster.
const KEPT: usize = 2_000;
/// Kilobytes of memory that a fault may add, the servers' own included, which are in the same process: once all is there that is
/// kept, and while events still come to what is kept of them.
const GROWTH: [f64; 2] = [64.0, 384.0];
/// Connections that are open at a time, at most: a watch of each kind, two lists, and as many of the engine.
const CONNECTIONS: usize = 40;
/// Events that a Docker engine tells of for each fault, and lines that its container writes.
const EVENTS: u64 = 150;
/// Bytes that each log view keeps.
const LOG: usize = 64 << 10;
/// Records of an operation, and the bytes of one.
const RECORDS: usize = 4;
const RECORD: usize = 1_500;

/// What is counted at the end of each fault. It is alone in its process: memory and files are those of all of it.
async fn day(faults: usize) {
    let (seed, began) = (seed(), Instant::now());
    println!("seed={seed}");
    let engine = Engine::start().await;
    let host = format!("tcp://{}", engine.address);
    let var = |name: &str| (name == "DOCKER_HOST").then(|| host.clone());
    let docker = discover(&Env { var: &var, home: None, socket: PathBuf::from("/nonexistent") }).remove(0);
    let cell = Cell { fault: QUICK[0], phase: Phase::Steady };
    let (journal, audit) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let options = Options {
        log_limit: LOG,
        journal: Some(journal.path().to_owned()),
        audit: Some(Arc::new(Audit::new(audit.path(), Origin::default()))),
        ..Options::default()
    };
    let bench = Bench::with(cell, seed, vec![Arc::new(docker)], options).await;
    ask(&bench, Request::Look(Interest { usage: true, tasks: true })).await;
    live(&bench).await;
    measured(&bench).await;
    // one view for all of it, and one of each of many tasks for each fault
    view(&bench, TailId(0)).await;
    let told = AtomicU64::new(0);
    let mut counts: Vec<Counts> = Vec::new();
    for n in 0..faults {
        bench.equal(Duration::from_secs(60)).await.unwrap_or_else(|why| panic!("before fault {n}, seed {seed}: {why}"));
        live(&bench).await;
        bench.server.renew(QUICK[n % QUICK.len()]);
        sleep(Duration::from_millis(200)).await;
        bench.server.begin();
        engine.away.send_replace(true);
        sleep(Duration::from_millis(500)).await;
        bench.server.end();
        engine.away.send_replace(false);
        bench.equal(Duration::from_secs(60)).await.unwrap_or_else(|why| panic!("after fault {n}, seed {seed}: {why}"));
        live(&bench).await;
        view(&bench, TailId(n as u64 + 1)).await;
        engine.events.send_replace(told.fetch_add(EVENTS, SeqCst) + EVENTS);
        match n % 4 {
            0 => act(&bench, Action::Evacuate).await,
            2 => act(&bench, Action::Activate).await,
            _ => {}
        }
        sleep(Duration::from_millis(1_500)).await;
        read(&bench, TailId(n as u64 + 1)).await;
        let open = Connections { kubernetes: bench.server.connections(), docker: engine.connections() };
        counts.push(Counts::of_now(&bench.engine.world.borrow().clone(), &open, journal.path(), audit.path()));
        println!("fault {n} {:?}: {}", QUICK[n % QUICK.len()], counts[n]);
    }
    let third = faults / 3;
    let (first, last) = (Counts::usual(&counts[..third]), Counts::usual(&counts[faults - third..]));
    let growth = last.of("resident_kb") as f64 - first.of("resident_kb") as f64;
    let slope = growth / (faults - third) as f64;
    println!(
        "soak faults={faults} seed={seed} seconds={:.0} resident_kb_per_fault={slope:.1}; first third: {first}; last third: {last}",
        began.elapsed().as_secs_f64()
    );
    let grew = |name: &str, by: usize| {
        let (first, last) = (first.of(name), last.of(name));
        assert!(last <= first + by, "{name}: {first} and then {last}");
    };
    grew("tasks", PLAY);
    grew("files", PLAY);
    let most = GROWTH[usize::from(third * (EVENTS as usize) < KEPT)];
    assert!(slope <= most, "{slope:.1} KB of memory a fault, and {most} are the most");
    grew("rows", 4 * PLAY);
    // on a busy machine what is measured of a row may come after the first faults
    grew("derived", last.of("rows"));
    for (name, most) in [
        ("connections", CONNECTIONS),
        ("samples", last.of("derived") * Series::CAPACITY),
        ("events", 2 * KEPT),
        ("notices", 100),
        ("operations", 200),
        ("views", 1),
        // a view may be over by the chunk that is being filled
        ("log_bytes", 2 * LOG),
        ("journal", 0),
        ("audit_bytes", counts.len().div_ceil(2) * RECORDS * RECORD),
    ] {
        assert!(last.of(name) <= most, "{name}: {} of at most {most}; {last}", last.of(name));
    }
    let all = told.load(SeqCst) as usize;
    let seen = last.of("events");
    assert!(seen >= (all / 2).min(1_800), "{seen} events of {all} are shown: the engine was not followed");
    for name in ["samples", "log_bytes", "audit_bytes", "operations"] {
        assert!(last.of(name) > 0, "there were no {name}: {last}");
    }
    let verified = verify(audit.path()).unwrap_or_else(|broken| panic!("{broken}"));
    assert!(verified.torn.is_empty(), "{verified:?}");
}

async fn ask(bench: &Bench, request: Request) {
    bench.engine.requests.send(request).await.unwrap();
}

/// Waits until there are measurements of both clusters.
async fn measured(bench: &Bench) {
    let mut world = bench.engine.world.clone();
    let all =
        world.wait_for(|world| world.clusters.iter().all(|state| !state.node_usage.is_empty() && !state.task_usage.is_empty()));
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("nothing is measured within 60 s").unwrap();
}

/// Opens a log view: the first of the container, the others of the workload of which most runs.
async fn view(bench: &Bench, id: TailId) {
    let world = Arc::clone(&bench.engine.world.borrow());
    let (state, kind) = if id.0 == 0 { (&world.clusters[1], Kind::Task) } else { (&world.clusters[0], Kind::Service) };
    let key = match kind {
        Kind::Task => state.tasks.iter().next().map(|task| task.key.clone()),
        _ => {
            let runs = |key: &Key| state.tasks_of(key).filter(|task| task.state == TaskState::Running).count();
            state.services.iter().max_by_key(|service| runs(&service.key)).map(|service| service.key.clone())
        }
    };
    let object = ObjectRef { cluster: state.cluster.id.clone(), kind, key: key.expect("there is nothing to read") };
    ask(bench, Request::Tail { id, target: LogTarget { object, container: None, previous: false } }).await;
}

/// Waits for a line in a log view, and closes it.
async fn read(bench: &Bench, id: TailId) {
    let mut world = bench.engine.world.clone();
    let line = world.wait_for(|world| world.tail(id).is_some_and(|tail| tail.buffer.bytes() > 0));
    if tokio::time::timeout(Duration::from_secs(20), line).await.is_err() {
        let world = bench.engine.world.borrow().clone();
        let tail = world.tail(id).expect("there is no view");
        let tasks = world.clusters.iter().flat_map(|state| state.tasks_of(&tail.target.object.key));
        let tasks: Vec<_> = tasks.map(|task| (task.name.as_str(), task.state)).collect();
        panic!("no line of {} within 20 s: {:?}, {:?}, of {tasks:?}", tail.target.object.key, tail.state, tail.buffer);
    }
    ask(bench, Request::Untail(id)).await;
    let closed = world.wait_for(|world| world.tail(id).is_none());
    drop(tokio::time::timeout(Duration::from_secs(20), closed).await.expect("it is not closed within 20 s").unwrap());
    // its streams end after it
    sleep(Duration::from_millis(200)).await;
}

/// Has something done with a node, and waits until it is.
async fn act(bench: &Bench, action: Action) {
    let before = bench.engine.world.borrow().operations.last().map(|op| op.id);
    order(&bench.engine, action).await.unwrap();
    let mut world = bench.engine.world.clone();
    let over = world.wait_for(|world| world.operations.last().is_some_and(|op| Some(op.id) != before && op.ended.is_some()));
    let over = tokio::time::timeout(Duration::from_secs(90), over).await.expect("an operation does not end").unwrap();
    let op = over.operations.last().unwrap();
    assert_eq!(op.state, OpState::Done, "{}: {}", op.title, op.progress.note);
}

/// Waits until both clusters are.
async fn live(bench: &Bench) {
    let mut world = bench.engine.world.clone();
    let live = world.wait_for(|world| world.clusters.iter().all(|state| state.cluster.link == Link::Live));
    tokio::time::timeout(Duration::from_secs(60), live).await.expect("not live within 60 s").unwrap();
}

/// In a process of its own, so that what other tests use does not count.
#[test]
fn nothing_grows_with_the_number_of_faults() {
    let mut alone = Command::new(std::env::current_exe().unwrap());
    alone.args(["--ignored", "--exact", "--nocapture", "faults::soak::nothing_grows_in_a_day_of_faults"]);
    let out = alone.env("QUARTERDECK_FAULTS", SHORT.to_string()).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    println!("{said}");
    assert!(out.status.success() && said.contains(&format!("soak faults={SHORT} ")), "{}", out.status);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes half an hour: tests/soak --full"]
async fn nothing_grows_in_a_day_of_faults() {
    day(chosen("QUARTERDECK_FAULTS").map_or(DAY, |faults| faults.parse().unwrap())).await;
}
