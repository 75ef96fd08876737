//! What the store costs with 10,000 tasks on 1,000 nodes: taking in a list and changes, and publishing these, in time and
//! allocations; and resident memory.
//!
//! `cargo bench --profile perf --bench store`

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench stops at the first surprise")]

mod counted;
mod sample;

use counted::once;
use criterion::{Criterion, criterion_group};
use quarterdeck::backend::sim::{Fleet, Options, PICTURE_EPOCH, Scenario};
use quarterdeck::model::{
    Change, Cluster, ClusterId, ClusterKind, Delta, Fact, Key, Kind, Link, Series, Store, Task, TaskState, Usage, World,
};
use quarterdeck::util::time::Timestamp;
use sample::{Crowd, uid};
use std::sync::Arc;
use std::time::{Duration, Instant};

const CROWD: Crowd = Crowd { nodes: 1_000, services: 500, tasks: 10_000 };
const BATCH: usize = 100;

/// Resident memory of this process in bytes, from the kernel.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) * 1024
}

fn cluster() -> Cluster {
    Cluster {
        id: ClusterId::new("c"),
        kind: ClusterKind::Kubernetes,
        endpoint: "https://c".into(),
        version: None,
        link: Link::Live,
        protected: false,
        read_only: false,
        capabilities: Default::default(),
        engine: None,
    }
}

fn fact(delta: Delta) -> Fact {
    Fact::Cluster(ClusterId::new("c"), delta)
}

fn list(store: &mut Store) {
    let mut send = |delta| store.apply(fact(delta), PICTURE_EPOCH);
    send(Delta::Node(Change::Begin));
    (0..CROWD.nodes).for_each(|n| send(Delta::Node(Change::Upsert(CROWD.node(n)))));
    send(Delta::Node(Change::End));
    send(Delta::Service(Change::Begin));
    (0..CROWD.services).for_each(|n| send(Delta::Service(Change::Upsert(CROWD.service(n)))));
    send(Delta::Service(Change::End));
    send(Delta::Task(Change::Begin));
    (0..CROWD.tasks).for_each(|n| send(Delta::Task(Change::Upsert(CROWD.task(n)))));
    send(Delta::Task(Change::End));
}

fn sweep(store: &mut Store, at: Timestamp) {
    let usage = Usage { cpu_m: 120, mem: 96 << 20, net: Some((1_000, 2_000)) };
    let nodes = (0..CROWD.nodes).map(|n| (Key::new(&format!("node-a-{n:04}")), usage)).collect();
    store.apply(fact(Delta::Usage { of: Kind::Node, at, rows: nodes }), at);
    let tasks = (0..CROWD.tasks).map(|n| (uid(3, n), usage)).collect();
    store.apply(fact(Delta::Usage { of: Kind::Task, at, rows: tasks }), at);
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1u32 << 20)
}

/// Prints resident memory: of the store alone, with ten minutes of measurements, and with a simulated fleet beside it.
fn memory() {
    let empty = resident();
    let mut store = Store::new([cluster()]);
    list(&mut store);
    let kept = store.publish().expect("a list is a change");
    let rows = resident();
    println!("memory/empty process                      {:7.1} MiB", mib(empty));
    let Crowd { nodes, tasks, .. } = CROWD;
    println!("memory/{tasks} tasks, {nodes} nodes, rows        +{:6.1} MiB", mib(rows.saturating_sub(empty)));
    for n in 0..Series::CAPACITY as u64 {
        sweep(&mut store, PICTURE_EPOCH.plus(Duration::from_secs(10 * n)));
        store.publish();
    }
    println!("memory/with 10 minutes of measurements    +{:6.1} MiB", mib(resident().saturating_sub(empty)));
    drop((store, kept));
}

/// The simulated fleet with all its rows in a store: the whole process.
fn simulated() -> Store {
    let scenario = Scenario::sized(CROWD.nodes, CROWD.services, CROWD.tasks).expect("a scenario");
    let mut fleet = Fleet::new(&scenario, Options::default());
    let mut store = Store::new(fleet.clusters());
    for fact in fleet.advance(Duration::ZERO) {
        store.apply(fact, fleet.at(Duration::ZERO));
    }
    store.publish();
    println!("memory/process with the simulated fleet    {:7.1} MiB (freed memory of the steps before included)", mib(resident()));
    store
}

/// 100 changed rows as deltas, spread over the tasks, different each time.
fn batch(rows: &[Task], round: &mut u32) -> Vec<Fact> {
    *round += 1;
    let id = ClusterId::new("sized");
    let changed = rows.iter().skip(*round as usize % 97).step_by(rows.len() / BATCH).take(BATCH);
    changed
        .map(|row| {
            let ready = (*round).is_multiple_of(2);
            let state = if ready { TaskState::Running } else { TaskState::Starting };
            let row = Task { state, ready, restarts: *round, ..row.clone() };
            Fact::Cluster(id.clone(), Delta::Task(Change::Upsert(row)))
        })
        .collect()
}

/// Tells the store all of it, and gives how long that took.
fn ingest(store: &mut Store, facts: Vec<Fact>) -> Duration {
    let start = Instant::now();
    facts.into_iter().for_each(|fact| store.apply(fact, PICTURE_EPOCH));
    start.elapsed()
}

/// The next picture, and how long it took; a reader holds the one before, as the screen does, so that every publish copies
/// what it must.
fn publish(store: &mut Store, held: &mut Option<Arc<World>>) -> Duration {
    let start = Instant::now();
    let next = store.publish();
    let took = start.elapsed();
    *held = Some(next.expect("rows have changed"));
    took
}

fn lists(c: &mut Criterion) {
    let facts = || {
        let rows = (0..CROWD.tasks).map(|n| fact(Delta::Task(Change::Upsert(CROWD.task(n)))));
        let (begin, end) = (fact(Delta::Task(Change::Begin)), fact(Delta::Task(Change::End)));
        [begin].into_iter().chain(rows).chain([end]).collect::<Vec<_>>()
    };
    let (mut store, told) = (Store::new([cluster()]), facts());
    once("a list of 10,000 tasks, ingested", || ingest(&mut store, told));
    once("a list of 10,000 tasks, published", || store.publish());
    c.bench_function("store/a list of 10,000 tasks, ingested", |b| {
        b.iter_custom(|rounds| (0..rounds).map(|_| ingest(&mut Store::new([cluster()]), facts())).sum());
    });
}

fn changes(c: &mut Criterion) {
    let mut store = simulated();
    let rows: Vec<Task> = store.world().clusters[0].tasks.iter().map(|t| Task::clone(t)).collect();
    let mut round = 0;
    let mut held = store.publish();
    for (number, name) in [(BATCH, "100 deltas"), (1, "one delta")] {
        let mut told = || batch(&rows, &mut round).into_iter().take(number).collect::<Vec<_>>();
        // the first finds what only a first one needs
        ingest(&mut store, told());
        publish(&mut store, &mut held);
        let next = told();
        once(&format!("{name}, ingested"), || ingest(&mut store, next));
        once(&format!("{name}, published"), || publish(&mut store, &mut held));
        let mut both = || (ingest(&mut store, told()), publish(&mut store, &mut held));
        c.bench_function(&format!("store/{name} ingested, 10,000 tasks"), |b| {
            b.iter_custom(|rounds| (0..rounds).map(|_| both().0).sum());
        });
        c.bench_function(&format!("store/{name} published, 10,000 tasks"), |b| {
            b.iter_custom(|rounds| (0..rounds).map(|_| both().1).sum());
        });
    }
}

criterion_group!(benches, lists, changes);

fn main() {
    memory();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
