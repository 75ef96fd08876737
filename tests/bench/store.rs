//! What the store costs with 10,000 tasks on 1,000 nodes: a batch of changes and its publish, and resident memory.
//!
//! `cargo bench --profile perf --bench store`

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a bench stops at the first surprise")]

use criterion::{BatchSize, Criterion, criterion_group};
use quarterdeck::backend::sim::{Fleet, Options, PICTURE_EPOCH, Scenario};
use quarterdeck::model::{
    Availability, Change, Cluster, ClusterId, ClusterKind, Delta, Fact, Key, Kind, Link, Node, NodeState, Resources, Rollout,
    Series, Service, ServiceKind, Store, Task, TaskState, Text, Usage,
};
use quarterdeck::util::time::Timestamp;
use std::hint::black_box;
use std::time::Duration;

const NODES: u32 = 1_000;
const SERVICES: u32 = 500;
const TASKS: u32 = 10_000;
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

fn uid(kind: u32, n: u32) -> Key {
    Key::new(&format!("{kind:08x}-9d1c-4f4e-a8b0-{n:012x}"))
}

/// A row as a watch decodes it: every text its own allocation, the worst case.
fn task(n: u32) -> Task {
    let service = n % SERVICES;
    Task {
        key: uid(3, n),
        name: format!("service-{service:04}-7d9f8b6c5d-x{n:04}").into(),
        namespace: format!("team-{:02}", service / 20).into(),
        service: Some(uid(2, service)),
        node: Some(Key::new(&format!("node-a-{:04}", n % NODES))),
        state: TaskState::Running,
        ready: true,
        wanted: true,
        why: None,
        stuck: false,
        since: PICTURE_EPOCH,
        image: format!("registry.local/service-{service:04}:1.3").into(),
        restarts: 0,
        last_end: None,
        revision: Some("7d9f8b6c5d".into()),
        requests: Resources { cpu_m: 100, mem: 128 << 20 },
        limits: Resources { cpu_m: 0, mem: 256 << 20 },
        containers: vec![Text::from(format!("service-{service:04}"))].into_boxed_slice(),
        created: PICTURE_EPOCH,
    }
}

fn service(n: u32) -> Service {
    let tasks = TASKS / SERVICES;
    Service {
        key: uid(2, n),
        spec_rev: 3,
        observed_rev: 3,
        name: format!("service-{n:04}").into(),
        namespace: format!("team-{:02}", n / 20).into(),
        kind: ServiceKind::Deployment,
        stack: None,
        image: format!("registry.local/service-{n:04}:1.3").into(),
        desired: Some(tasks),
        ready: tasks,
        updated: tasks,
        current: tasks,
        rollout: Rollout::STABLE,
        revision: Some("3".into()),
        previous: Some("revision 2".into()),
        budget: None,
        autoscaler: None,
        suspended: false,
        placement: None,
        ports: None,
        created: PICTURE_EPOCH,
        changed: Some(PICTURE_EPOCH),
    }
}

fn node(n: u32) -> Node {
    let name = format!("node-a-{n:04}");
    Node {
        key: Key::new(&name),
        uid: uid(1, n),
        spec_rev: 1,
        name: name.into(),
        zone: Some("zone-a".into()),
        role: "worker".into(),
        state: NodeState::Ready,
        since: Some(PICTURE_EPOCH),
        why: None,
        availability: Availability::Active,
        pressure: Box::default(),
        allocatable: Resources { cpu_m: 64_000, mem: 256 << 30 },
        max_tasks: Some(250),
        version: "v1.33.4".into(),
        address: "10.20.0.11".into(),
        created: PICTURE_EPOCH,
    }
}

fn list(store: &mut Store) {
    let mut send = |delta| store.apply(fact(delta), PICTURE_EPOCH);
    send(Delta::Node(Change::Begin));
    (0..NODES).for_each(|n| send(Delta::Node(Change::Upsert(node(n)))));
    send(Delta::Node(Change::End));
    send(Delta::Service(Change::Begin));
    (0..SERVICES).for_each(|n| send(Delta::Service(Change::Upsert(service(n)))));
    send(Delta::Service(Change::End));
    send(Delta::Task(Change::Begin));
    (0..TASKS).for_each(|n| send(Delta::Task(Change::Upsert(task(n)))));
    send(Delta::Task(Change::End));
}

fn sweep(store: &mut Store, at: Timestamp) {
    let usage = Usage { cpu_m: 120, mem: 96 << 20, net: Some((1_000, 2_000)) };
    let nodes = (0..NODES).map(|n| (Key::new(&format!("node-a-{n:04}")), usage)).collect();
    store.apply(fact(Delta::Usage { of: Kind::Node, at, rows: nodes }), at);
    let tasks = (0..TASKS).map(|n| (uid(3, n), usage)).collect();
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
    println!("memory/{TASKS} tasks, {NODES} nodes, rows        +{:6.1} MiB", mib(rows.saturating_sub(empty)));
    for n in 0..Series::CAPACITY as u64 {
        sweep(&mut store, PICTURE_EPOCH.plus(Duration::from_secs(10 * n)));
        store.publish();
    }
    println!("memory/with 10 minutes of measurements    +{:6.1} MiB", mib(resident().saturating_sub(empty)));
    drop((store, kept));
}

/// The simulated fleet with all its rows in a store: the whole process.
fn simulated() -> Store {
    let scenario = Scenario::sized(NODES, SERVICES, TASKS).expect("a scenario");
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

fn publish(c: &mut Criterion) {
    let mut store = simulated();
    let rows: Vec<Task> = store.world().clusters[0].tasks.iter().map(|t| Task::clone(t)).collect();
    let mut round = 0;
    // a reader holds the picture before, as the screen does, so that every publish copies what it must
    let mut held = store.publish();
    c.bench_function("store/100 deltas and a publish, 10,000 tasks", |b| {
        b.iter_batched(
            || batch(&rows, &mut round),
            |facts| {
                for fact in facts {
                    store.apply(fact, PICTURE_EPOCH);
                }
                held = store.publish();
                black_box(&held);
            },
            BatchSize::PerIteration,
        );
    });
    c.bench_function("store/publish after one delta, 10,000 tasks", |b| {
        b.iter_batched(
            || batch(&rows, &mut round).remove(0),
            |fact| {
                store.apply(fact, PICTURE_EPOCH);
                held = store.publish();
                black_box(&held);
            },
            BatchSize::PerIteration,
        );
    });
}

criterion_group!(benches, publish);

fn main() {
    memory();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
