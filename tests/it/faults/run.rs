//! One run: an engine against a server with a fault, and what came of it.

use super::fault::{Cell, Fault, Phase};
use super::server::{Server, Stage, State, TOKENS};
use super::writer::{self, Dice};
use crate::oracle::{FALSE, equal, watch_over};
use parking_lot::Mutex;
use quarterdeck::backend::Connector;
use quarterdeck::backend::kubernetes::{Proxies, discover_files};
use quarterdeck::engine::{Engine, Options};
use quarterdeck::model::{Action, Bound, Intent, Kind, Link, ObjectRef, OpState, Request, Text, World};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

/// After the end of a fault the rows must be right within this time.
const EQUAL: Duration = Duration::from_secs(60);
/// Between two changes at the server, on average.
const CHANGE: Duration = Duration::from_millis(300);
/// How often all objects are looked at where that is what finds the fault.
const AUDIT: Duration = Duration::from_secs(4);
/// In the busiest second after a fault at most so many times as many requests as in the whole first list.
const MOST: usize = 3;
/// So many pods a node has at least when it is evacuated.
const ENOUGH: usize = 4;
/// An evacuation must be done so soon after a fault; the pods of the server end within seconds.
const EVACUATED: Duration = Duration::from_secs(90);
/// An authority, so that not all those of the machine are read for every connection. There is no TLS here.
const AUTHORITY: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJiakNDQVJXZ0F3SUJBZ0lVVFRLaGVseDBxSWhOMmdXaTlvaFNCTDFTSUxVd0NnWUlLb1pJemowRUF3SXcKRERFS01BZ0dBMVVFQXd3QmREQWdGdzB5TmpFeE1qUXhNekEyTXpoYUdBOHlNVEkyTVRBek1URXpNRFl6T0ZvdwpEREVLTUFnR0ExVUVBd3dCZERCWk1CTUdCeXFHU000OUFnRUdDQ3FHU000OUF3RUhBMElBQkV2TUZEL2YySDNYCkNYTTMyT0hVUEtEcXdwTWJWN1RpZWZZczVkQXpYWUpscndYYXVqTE8yNFljUVlrSmF3enFjUjkxVE1pNVJJeEQKaHF5V2RjZ01hczZqVXpCUk1CMEdBMVVkRGdRV0JCVGtxcEtTeDlDd1VPbStLdzNjQUlvTzEzNDNaVEFmQmdOVgpIU01FR0RBV2dCVGtxcEtTeDlDd1VPbStLdzNjQUlvTzEzNDNaVEFQQmdOVkhSTUJBZjhFQlRBREFRSC9NQW9HCkNDcUdTTTQ5QkFNQ0EwY0FNRVFDSUVqSlZZMXI4TVY5eGRwZzFteWtiNGlYc1ZrZXV5bS8vdVZPY1J3YnRJQWcKQWlBdDkveDF1QnJKMkpkSGVLdmFCNTlHK1NwUDd5UVJQVGFnejVYaE9KZW9adz09Ci0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0=";

/// What came of a run.
pub struct Outcome {
    pub cell: Cell,
    pub seed: u64,
    /// How long after the fault the rows were right.
    pub equal: Option<Duration>,
    /// Why they were not, or not for good.
    pub late: Option<String>,
    /// Rows that were shown as live, and were not.
    pub false_live: Option<String>,
    /// Anything else that must not be.
    pub wrong: Option<String>,
    /// Requests of the first list, where it was a good one, and in the busiest second after the fault.
    pub requests: [usize; 2],
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equal = self.equal.map_or_else(|| "never".to_owned(), |after| format!("{:.1} s after", after.as_secs_f64()));
        let [first, after] = self.requests;
        write!(f, "{} seed={} equal {equal}, then at most {after} requests a second (first list {first})", self.cell, self.seed)?;
        for (what, words) in [("late", &self.late), ("false_live", &self.false_live), ("wrong", &self.wrong)] {
            if let Some(words) = words {
                write!(f, "\n    {what}: {words}")?;
            }
        }
        Ok(())
    }
}

/// A server with a kubeconfig, and an engine that is to follow it.
pub struct Bench {
    pub server: Arc<Server>,
    pub engine: Engine,
    file: PathBuf,
    writes: watch::Sender<bool>,
    _folder: tempfile::TempDir,
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl Bench {
    pub async fn start(cell: Cell, seed: u64) -> Self {
        Self::with(cell, seed, Vec::new(), Options::default()).await
    }

    /// The same, in a fleet with others, and with these options.
    pub async fn with(cell: Cell, seed: u64, others: Vec<Arc<dyn Connector>>, options: Options) -> Self {
        let (server, task) = Server::start(cell, seed).await;
        {
            let mut state = server.state.lock();
            let State { truth, dice, .. } = &mut *state;
            (0..60).for_each(|_| writer::step(truth, dice));
        }
        let (writes, writing) = watch::channel(true);
        let writer = tokio::spawn(write(Arc::clone(&server), writing, seed));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        kubeconfig(&file, &server, TOKENS[0]);
        let context = discover_files(std::slice::from_ref(&file), &Proxies::default()).contexts.remove(0);
        let context = if cell.fault == Fault::Lost { context.audited_every(AUDIT) } else { context };
        if matches!(cell.phase, Phase::FirstPage | Phase::LaterPage) {
            server.arm();
        }
        let engine = Engine::start([vec![Arc::new(context) as Arc<dyn Connector>], others].concat(), options);
        Self { server, engine, file, writes, _folder: folder, _tasks: [task, writer].map(AbortOnDropHandle::new) }
    }

    /// Changes at the server stop, and the rows must be right before long.
    pub async fn equal(&self, within: Duration) -> Result<(), String> {
        self.writes.send_replace(false);
        let right = equal(&*self.server, &self.engine, within).await;
        self.writes.send_replace(true);
        right
    }
}

pub async fn run(cell: Cell, seed: u64, long: bool) -> Outcome {
    let bench = Bench::start(cell, seed).await;
    let found = Arc::new(Mutex::new(None));
    let oracle = watch_over(Arc::clone(&bench.server), bench.engine.world.clone(), Arc::clone(&found));
    let _oracle = AbortOnDropHandle::new(tokio::spawn(oracle));
    let mut outcome = Outcome { cell, seed, equal: None, late: None, false_live: None, wrong: None, requests: [0; 2] };
    if let Err(why) = story(&bench, long, &mut outcome).await {
        outcome.late = Some(why);
    }
    outcome.false_live = found.lock().take().filter(|_| !cell.fault.is_hidden());
    let last = bench.engine.shutdown().await;
    outcome.wrong = outcome.wrong.or_else(|| untrue(&bench.server, &last));
    outcome
}

/// From the first list to the end of the fault and after it. What is late is an error.
async fn story(bench: &Bench, long: bool, outcome: &mut Outcome) -> Result<(), String> {
    let mut dice = Dice::new(outcome.seed ^ 0x5eed);
    let (cell, server) = (outcome.cell, &bench.server);
    if matches!(cell.phase, Phase::Steady | Phase::Evacuation) {
        bench.equal(Duration::from_secs(40)).await.map_err(|why| format!("before the fault: {why}"))?;
        outcome.requests[0] = server.state.lock().asked.len();
        sleep(Duration::from_millis(1_000 + dice.next() % 1_000)).await;
        if cell.phase == Phase::Steady {
            server.begin();
        } else {
            fill(server);
            server.arm();
            order(&bench.engine, Action::Evacuate).await?;
        }
    }
    let mut stage = server.stage.subscribe();
    let began = timeout(Duration::from_secs(40), stage.wait_for(|stage| *stage == Stage::Under)).await.is_ok();
    if !began {
        let ops: Vec<String> =
            bench.engine.world.borrow().operations.iter().map(|op| format!("{}: {}", op.state.word(), op.progress.note)).collect();
        return Err(format!("the fault never began; operations: {ops:?}"));
    }
    sleep(cell.fault.lasts(&mut dice, long)).await;
    if cell.fault == Fault::RefusedForEver {
        let mut world = bench.engine.world.clone();
        let said = world.wait_for(|world| matches!(world.clusters[0].cluster.link, Link::Unauthorised { .. }));
        if timeout(FALSE, said).await.is_err() {
            let link = &bench.engine.world.borrow().clusters[0].cluster.link;
            outcome.wrong = Some(format!("refused for good, and the link is {link:?}"));
        }
        kubeconfig(&bench.file, server, TOKENS[1]);
    }
    server.end();
    let ended = Instant::now();
    sleep(Duration::from_secs(2)).await;
    bench.equal(EQUAL.saturating_sub(ended.elapsed())).await?;
    outcome.equal = Some(ended.elapsed());
    // and they must be followed from there on
    sleep(Duration::from_secs(2)).await;
    bench.equal(FALSE).await.map_err(|why| format!("right once, and not followed from there: {why}"))?;
    let asked: Vec<_> = server.state.lock().asked.iter().filter(|(at, _)| *at >= ended).cloned().collect();
    outcome.requests[1] = busiest(&asked);
    let [first, after] = outcome.requests;
    if first > 0 && after > MOST * first {
        outcome.wrong.get_or_insert(format!("{after} requests in a second after the fault, and {first} in the whole first list"));
    }
    // what was restored from an older copy has no paused node any more
    if cell.phase == Phase::Evacuation && cell.fault != Fault::Restored {
        evacuated(&bench.engine).await.map_err(|why| format!("the evacuation: {why}"))?;
    }
    Ok(())
}

/// Puts tasks on the node that is evacuated where there are too few of them: the fault begins with one of them.
fn fill(server: &Server) {
    {
        let mut state = server.state.lock();
        for _ in here(&state)..ENOUGH {
            let State { truth, dice, .. } = &mut *state;
            writer::add_pod_to(truth, dice, "node-0");
        }
    }
    server.tell();
}

/// Pods on the node that is evacuated.
fn here(state: &State) -> usize {
    state.truth.rows.of(Kind::Task).values().filter(|row| row.ends_with(" on=node-0")).count()
}

/// Waits until the evacuation is done; one that was paused is gone on with.
async fn evacuated(engine: &Engine) -> Result<(), String> {
    let mut world = engine.world.clone();
    let end = Instant::now() + EVACUATED;
    loop {
        let op = world.borrow().operations.last().map(|op| (op.id, op.state, op.progress.note.to_string()));
        match op {
            Some((_, OpState::Done, _)) => return Ok(()),
            Some((id, OpState::Paused, _)) => {
                engine.requests.send(Request::Resume(id)).await.map_err(|err| err.to_string())?;
                sleep(Duration::from_secs(1)).await;
            }
            Some((_, state, note)) if state.ended() => return Err(format!("it is {}: {note}", state.word())),
            other if Instant::now() > end => return Err(format!("it does not end: {other:?}")),
            _ => drop(timeout(Duration::from_secs(1), world.changed()).await),
        }
    }
}

async fn write(server: Arc<Server>, mut writing: watch::Receiver<bool>, seed: u64) {
    let mut dice = Dice::new(seed ^ 0xfeed);
    while writing.wait_for(|on| *on).await.is_ok() {
        {
            let mut state = server.state.lock();
            let shuffled = server.cell().fault == Fault::Shuffled && state.stage == Stage::Under;
            let State { truth, dice, .. } = &mut *state;
            writer::step(truth, dice);
            if shuffled {
                writer::last_words(truth, dice);
            }
        }
        server.tell();
        sleep(CHANGE.mul_f64(0.5 + (dice.next() % 1_000) as f64 / 1_000.0)).await;
    }
}

fn kubeconfig(file: &Path, server: &Server, token: &str) {
    let text = format!(
        "clusters: [{{name: c, cluster: {{server: 'http://{}', certificate-authority-data: {AUTHORITY}}}}}]\nusers: [{{name: u, user: {{token: {token}}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n",
        server.address
    );
    std::fs::write(file, text).unwrap();
}

/// Has this done with the first node.
pub async fn order(engine: &Engine, action: Action) -> Result<(), String> {
    let world = Arc::clone(&engine.world.borrow());
    let state = &world.clusters[0];
    let Some(node) = state.nodes.get("node-0") else { return Err("there is no node-0".to_owned()) };
    let object = ObjectRef { cluster: state.cluster.id.clone(), kind: Kind::Node, key: node.key.clone() };
    let bound = Bound { uid: node.uid.clone(), spec_rev: node.spec_rev };
    let intent = Intent { object, name: node.name.clone(), action, bound };
    engine.requests.send(Request::Execute { intent, title: Text::new("work on node-0") }).await.map_err(|err| err.to_string())
}

/// Requests in the busiest second.
pub fn busiest(asked: &[(Instant, String)]) -> usize {
    let mut most = 0;
    let mut from = 0;
    for (at, (time, _)) in asked.iter().enumerate() {
        while *time - asked[from].0 > Duration::from_secs(1) {
            from += 1;
        }
        most = most.max(at - from + 1);
    }
    most
}

/// What was said or done that is not true: an evacuation that is done while its node is not empty, a pod told to go twice,
/// a loss that was repaired and not told.
fn untrue(server: &Server, world: &World) -> Option<String> {
    let state = server.state.lock();
    if let Some((pod, times)) = state.evicted.iter().find(|(_, times)| **times > 1) {
        return Some(format!("{pod} was told to go {times} times"));
    }
    if server.cell().fault == Fault::Lost && !world.notices.iter().any(|notice| notice.warning && notice.text.contains("pods")) {
        return Some("nothing was said of what was lost".to_owned());
    }
    let done = world.operations.iter().any(|op| op.state == OpState::Done);
    let left = here(&state);
    let paused = state.truth.rows.of(Kind::Node)["node-0"].ends_with("paused=true");
    (done && (left > 0 || !paused)).then(|| format!("the evacuation is done: {left} pods are left, paused {paused}"))
}
