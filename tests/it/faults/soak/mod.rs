//! A day with a fault every ten minutes, told in short: the ten minutes in which all is well again are two or three seconds.
//! What grows with the number of faults and connections grows as it does in a day; what grows with the hours does not show.
//! (tokio's paused clock would jump over every wait for a socket, and with it every deadline: it proves nothing here.)
//!
//! A Kubernetes and a Docker engine in one session. What counts is how many there are of what could grow; time and memory
//! are printed. `tests/soak` runs it.

use super::fault::{Cell, Fault, Phase};
use super::run::Bench;
use super::{chosen, seed};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use quarterdeck::backend::docker::{Env, discover};
use quarterdeck::model::{Link, World};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

/// Faults of a day.
const DAY: usize = 144;
/// Faults of the short form.
const SHORT: usize = 12;
/// Faults whose end is seen at once.
const QUICK: [Fault; 6] = [Fault::Reset, Fault::RefusedOnce, Fault::Closed, Fault::GoneInStream, Fault::Truncated, Fault::Restored];
/// By so many more may a count be in the last third than it was in the first.
const PLAY: usize = 6;
/// Events that a Docker engine tells of for each fault.
const EVENTS: u64 = 150;

/// Events that it remembers for those who come later.
const REMEMBERED: u64 = 256;

/// A Docker engine of one container, which can be away.
struct Engine {
    address: std::net::SocketAddr,
    away: watch::Sender<bool>,
    events: Arc<watch::Sender<u64>>,
    _task: AbortOnDropHandle<()>,
}

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

impl Engine {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (away, events) = (watch::channel(false).0, Arc::new(watch::channel(0).0));
        let task = tokio::spawn(serve(listener, away.subscribe(), Arc::clone(&events)));
        Self { address, away, events, _task: AbortOnDropHandle::new(task) }
    }
}

async fn serve(listener: TcpListener, mut away: watch::Receiver<bool>, events: Arc<watch::Sender<u64>>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = away.changed() => {
                connections.shutdown().await;
                continue;
            }
        };
        let Ok((stream, _)) = accepted else { return };
        if *away.borrow() {
            continue;
        }
        let events = Arc::clone(&events);
        connections.spawn(async move {
            let answer = service_fn(move |request| std::future::ready(Ok::<_, Infallible>(answer(&request, &events))));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

fn answer(request: &Request<Incoming>, events: &watch::Sender<u64>) -> Response<Body> {
    let path = request.uri().path();
    let at = path.strip_prefix("/v1.43").unwrap_or(path);
    let whole = |value: Value| StreamBody::new(futures::stream::iter([Ok(Frame::data(Bytes::from(value.to_string())))]).boxed());
    let state = json!({"Status": "running", "ExitCode": 0});
    Response::new(match at {
        "/version" => whole(json!({"Version": "24.0.0", "ApiVersion": "1.43", "MinAPIVersion": "1.12"})),
        "/info" => whole(json!({"ID": "e", "Name": "e", "NCPU": 8, "ServerVersion": "24.0.0"})),
        "/containers/json" => whole(json!([{"Id": "c1", "Names": ["/web"], "Image": "app:1", "State": "running", "Status": "Up",
            "Created": 1_767_225_600}])),
        "/containers/c1/json" => whole(json!({"Id": "c1", "State": state, "Config": {"Tty": false}})),
        "/events" => {
            let lines = futures::stream::unfold(
                (events.subscribe(), events.borrow().saturating_sub(REMEMBERED)),
                |(mut news, mut told)| async move {
                    let newest = *news.wait_for(|newest| *newest > told).await.ok()?;
                    let mut lines = String::new();
                    while told < newest {
                        told += 1;
                        let nanos = 1_767_225_600_000_000_000 + told;
                        lines.push_str(
                            &json!({"Type": "container", "Action": "start", "Actor": {"ID": "c1"}, "timeNano": nanos}).to_string(),
                        );
                        lines.push('\n');
                    }
                    Some((Ok(Frame::data(Bytes::from(lines))), (news, told)))
                },
            );
            StreamBody::new(lines.boxed())
        }
        _ => whole(json!("OK")),
    })
}

/// How many there are of what could grow.
#[derive(Clone, Copy, Default)]
struct Counts {
    tasks: usize,
    files: usize,
    /// Kilobytes.
    resident: usize,
    rows: usize,
    derived: usize,
    events: usize,
    notices: usize,
    operations: usize,
}

impl Counts {
    fn of(world: &World) -> Self {
        let sum = |count: fn(&quarterdeck::model::ClusterState) -> usize| world.clusters.iter().map(|state| count(state)).sum();
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
        Self {
            tasks: Handle::current().metrics().num_alive_tasks(),
            files: std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
            resident: resident.unwrap_or_default(),
            rows: sum(|s| s.nodes.len() + s.services.len() + s.tasks.len()),
            derived: sum(|s| {
                let loads = s.node_loads.len() + s.service_loads.len() + s.shortfalls.len() + s.findings.len() + s.rights.len();
                loads + s.node_usage.len() + s.task_usage.len() + s.service_usage.len()
            }),
            events: sum(|s| s.events.len()),
            notices: world.notices.len(),
            operations: world.operations.len(),
        }
    }

    /// What there is of each most of the time: connections come and go.
    fn usual(of: &[Self]) -> Self {
        let middle = |count: fn(&Self) -> usize| {
            let mut all: Vec<usize> = of.iter().map(count).collect();
            all.sort_unstable();
            all[all.len() / 2]
        };
        Self {
            tasks: middle(|c| c.tasks),
            files: middle(|c| c.files),
            resident: middle(|c| c.resident),
            rows: middle(|c| c.rows),
            derived: middle(|c| c.derived),
            events: middle(|c| c.events),
            notices: middle(|c| c.notices),
            operations: middle(|c| c.operations),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tasks, files, resident, rows, derived, events, notices, operations } = self;
        write!(
            f,
            "tasks={tasks} files={files} resident_kb={resident} rows={rows} derived={derived} events={events} notices={notices} operations={operations}"
        )
    }
}

/// What is counted at the end of each fault; `alone` in the process, files are ours.
async fn day(faults: usize, alone: bool) {
    let (seed, began) = (seed(), Instant::now());
    let engine = Engine::start().await;
    let host = format!("tcp://{}", engine.address);
    let var = |name: &str| (name == "DOCKER_HOST").then(|| host.clone());
    let docker = discover(&Env { var: &var, home: None, socket: PathBuf::from("/nonexistent") }).remove(0);
    let cell = Cell { fault: QUICK[0], phase: Phase::Steady };
    let bench = Bench::beside(cell, seed, vec![Arc::new(docker)]).await;
    let told = AtomicU64::new(0);
    let mut counts: Vec<Counts> = Vec::new();
    for n in 0..faults {
        bench.equal(Duration::from_secs(60)).await.unwrap_or_else(|why| panic!("before fault {n}, seed {seed}: {why}"));
        live(&bench).await;
        bench.server.renew(QUICK[n % QUICK.len()]);
        bench.server.begin();
        engine.away.send_replace(true);
        sleep(Duration::from_millis(500)).await;
        bench.server.end();
        engine.away.send_replace(false);
        bench.equal(Duration::from_secs(60)).await.unwrap_or_else(|why| panic!("after fault {n}, seed {seed}: {why}"));
        live(&bench).await;
        engine.events.send_replace(told.fetch_add(EVENTS, SeqCst) + EVENTS);
        sleep(Duration::from_millis(1_500)).await;
        counts.push(Counts::of(&bench.engine.world.borrow().clone()));
        if alone {
            println!("fault {n} {:?}: {}", QUICK[n % QUICK.len()], counts[n]);
        }
    }
    let third = faults / 3;
    let (first, last) = (Counts::usual(&counts[..third]), Counts::usual(&counts[faults - third..]));
    let slope = (last.resident as f64 - first.resident as f64) / (faults - third) as f64;
    println!(
        "soak faults={faults} seed={seed} seconds={:.0} resident_kb_per_fault={slope:.1}; first third: {first}; last third: {last}",
        began.elapsed().as_secs_f64()
    );
    assert!(last.tasks <= first.tasks + PLAY, "tasks: {} and then {}", first.tasks, last.tasks);
    assert!(!alone || last.files <= first.files + PLAY, "files: {} and then {}", first.files, last.files);
    assert!(last.derived <= first.derived + 4 * PLAY, "derived rows: {} and then {}", first.derived, last.derived);
    assert!(last.rows <= first.rows + 4 * PLAY, "rows: {} and then {}", first.rows, last.rows);
    assert!(last.events <= 2 * 2_000 && last.notices <= 100 && last.operations <= 200, "{last}");
    let all = told.load(SeqCst) as usize;
    assert!(last.events >= (all / 2).min(1_800), "{} events of {all} are shown: the engine was not followed", last.events);
}

/// Waits until both clusters are.
async fn live(bench: &Bench) {
    let mut world = bench.engine.world.clone();
    let live = world.wait_for(|world| world.clusters.iter().all(|state| state.cluster.link == Link::Live));
    tokio::time::timeout(Duration::from_secs(60), live).await.expect("not live within 60 s").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_grows_with_the_number_of_faults() {
    day(SHORT, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes half an hour: tests/soak --full"]
async fn nothing_grows_in_a_day_of_faults() {
    day(chosen("QUARTERDECK_FAULTS").map_or(DAY, |faults| faults.parse().unwrap()), true).await;
}
