//! Against a real engine or swarm: `DOCKER_HOST=… cargo test --lib docker::real -- --ignored --nocapture`. They are ignored
//! elsewhere because they need one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod engine;
mod held;
mod nodes;
mod storm;
mod swarm;

use super::{Env, discover};
use crate::backend::{Backend, BackendError, Connector, LogRequest, ProgressSink, Sink};
use crate::model::{
    Action, Availability, Bound, ClusterState, Expect, Fact, Intent, Interest, Key, Kind, LogLine, NodeState, ObjectRef,
    RolloutState, Store, Stream, TaskState, Text,
};
use crate::util::time::Timestamp;
use futures::StreamExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// A session with the engine of `DOCKER_HOST`, its facts in a store.
pub struct Session {
    pub backend: Arc<dyn Backend>,
    pub interest: watch::Sender<Interest>,
    pub cluster: crate::model::ClusterId,
    facts: mpsc::Receiver<Fact>,
    store: Store,
    pub changes: usize,
    watcher: tokio::task::JoinHandle<()>,
}

impl Session {
    pub async fn open() -> Self {
        Self::at(&std::env::var("DOCKER_HOST").expect("DOCKER_HOST must be set")).await
    }

    /// The same with the engine at this address.
    pub async fn at(host: &str) -> Self {
        let var = |name: &str| (name == "DOCKER_HOST").then(|| host.to_owned());
        let found = discover(&Env { var: &var, home: None, socket: PathBuf::from("/nonexistent") });
        let connector = found.first().expect("an engine was named");
        let row = connector.cluster();
        let backend = connector.connect().await.unwrap();
        let (sender, facts) = mpsc::channel(1_024);
        let (interest, interested) = watch::channel(Interest { usage: true, tasks: true });
        let sink = Sink::new(row.id.clone(), sender, interested);
        let watching = Arc::clone(&backend);
        let watcher = tokio::spawn(async move { println!("session over: {}", watching.watch(&sink).await) });
        let cluster = row.id.clone();
        Self { backend, interest, cluster, facts, store: Store::new([row]), changes: 0, watcher }
    }

    pub fn state(&self) -> &ClusterState {
        self.store.world().cluster(&self.cluster).unwrap()
    }

    /// Applies facts until `test` holds, for at most `limit`.
    pub async fn until(&mut self, what: &str, limit: Duration, test: impl Fn(&ClusterState) -> bool) -> Duration {
        let began = Instant::now();
        while !test(self.state()) {
            let Ok(fact) = tokio::time::timeout_at(began + limit, self.facts.recv()).await else {
                self.print();
                panic!("not within {limit:?}: {what}");
            };
            self.changes += 1;
            self.store.apply(fact.expect("the session is over"), Timestamp::now());
        }
        println!("{what}: after {:?}", began.elapsed());
        began.elapsed()
    }

    /// What the operator is told besides.
    pub fn notices(&self) -> Vec<String> {
        self.store.world().notices.iter().map(|notice| notice.text.to_string()).collect()
    }

    /// Whether the backend has ended the session.
    pub fn is_over(&self) -> bool {
        self.watcher.is_finished()
    }

    /// Applies facts for a while.
    pub async fn during(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(Some(fact)) = tokio::time::timeout_at(end, self.facts.recv()).await {
            self.changes += 1;
            self.store.apply(fact, Timestamp::now());
        }
        tokio::time::sleep_until(end).await;
    }

    pub fn print(&self) {
        let state = self.state();
        for n in state.nodes.iter() {
            println!(
                "node {} {} {:?} {:?} {:?} zone {:?} {:?} {:?}",
                n.key, n.name, n.role, n.state, n.availability, n.zone, n.allocatable, n.why
            );
        }
        for s in state.services.iter() {
            println!(
                "service {} ns {:?} {:?} {} {}/{:?} updated {} current {} {:?} prev {:?} place {:?} ports {:?}",
                s.name,
                s.namespace,
                s.kind,
                s.image,
                s.ready,
                s.desired,
                s.updated,
                s.current,
                s.rollout,
                s.previous,
                s.placement,
                s.ports
            );
        }
        let mut tasks: Vec<_> = state.tasks.iter().collect();
        tasks.sort_by(|a, b| (&a.name, a.created).cmp(&(&b.name, b.created)));
        for t in tasks {
            let usage = state.task_usage.get(&t.key).and_then(|series| series.last()).map(|sample| sample.usage);
            println!(
                "task {} {:?} ready {} wanted {} on {:?} why {:?} restarts {} last {:?} {usage:?}",
                t.name,
                t.state,
                t.ready,
                t.wanted,
                t.node.as_ref().map(|n| state.node_name(n)),
                t.why,
                t.restarts,
                t.last_end
            );
        }
        let mut events: Vec<_> = state.events.iter().collect();
        events.sort_by_key(|event| event.at);
        for e in events.iter().rev().take(12).rev() {
            println!("event {:?} {} {} {}", e.severity, e.object, e.reason, e.message);
        }
        println!("no usage: {:?}; {} events; {} changes", state.no_usage, state.events.len(), self.changes);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

#[tokio::test]
#[ignore = "needs a real engine in DOCKER_HOST"]
async fn rows_of_a_real_engine() {
    let mut session = Session::open().await;
    println!("{:?}", session.backend.about());
    session.backend.ping().await.unwrap();
    session
        .until("all tables are whole", Duration::from_secs(15), |state| {
            state.sync.iter().all(|sync| *sync == crate::model::KindSync::Live)
        })
        .await;
    session.during(Duration::from_secs(12)).await;
    session.print();
}

/// Runs the docker program against `DOCKER_HOST`, for what tests need around them.
pub fn docker(args: &[&str]) -> String {
    let out = std::process::Command::new("docker").args(args).output().unwrap();
    assert!(out.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

/// A service that exists as long as the test.
pub struct Service(String);

impl Service {
    fn create(name: &str, args: &[&str]) -> Self {
        let mut all =
            vec!["service", "create", "-q", "--detach", "--no-resolve-image", "--name", name, "--stop-grace-period", "1s"];
        all.extend(args);
        Self(docker(&all))
    }

    fn spec(&self) -> String {
        docker(&["service", "inspect", "--format", "{{json .Spec}}", &self.0])
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = std::process::Command::new("docker").args(["service", "rm", &self.0]).output();
    }
}

pub fn intent(session: &Session, kind: Kind, key: &str, name: &str, action: Action) -> Intent {
    let state = session.state();
    let (uid, spec_rev) = match kind {
        Kind::Service => (Key::new(key), state.services.get(key).unwrap().spec_rev),
        Kind::Node => (Key::new(key), state.nodes.get(key).unwrap().spec_rev),
        _ => (Key::new(key), 0),
    };
    Intent {
        object: ObjectRef { cluster: session.cluster.clone(), kind, key: Key::new(key) },
        name: name.into(),
        action,
        bound: Bound { uid, spec_rev },
    }
}

pub async fn act(session: &Session, intent: &Intent) -> Result<Expect, BackendError> {
    let (progress, mut seen) = ProgressSink::new();
    let work = session.backend.execute(intent, &progress);
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                println!("{:?} {}: {done:?}", intent.action, intent.name);
                return done;
            }
            Ok(()) = seen.changed() => println!("  {:?}", *seen.borrow_and_update()),
        }
    }
}

pub fn steady(state: &ClusterState, id: &str, image: &str, n: u32) -> bool {
    state.services.get(id).is_some_and(|s| {
        s.image.as_str() == image
            && s.desired == Some(n)
            && s.ready == n
            && s.updated == n
            && s.current == n
            && s.rollout.state == RolloutState::Stable
    })
}

/// The first lines of a task's log, until `count` have come.
pub async fn log(session: &Session, task: &str, count: usize, since: Option<Timestamp>) -> Vec<LogLine> {
    let request = LogRequest {
        task: Key::new(task),
        name: "t".into(),
        namespace: Text::default(),
        container: None,
        tail: 100,
        since,
        previous: false,
    };
    let mut stream = session.backend.logs(request);
    let mut all = Vec::new();
    while all.len() < count {
        match tokio::time::timeout(Duration::from_secs(10), stream.next()).await {
            Ok(Some(batch)) => all.extend(batch.unwrap()),
            end => panic!("{} of {count} lines, then {end:?}", all.len()),
        }
    }
    all
}

pub fn object(session: &Session, kind: Kind, key: &str) -> ObjectRef {
    ObjectRef { cluster: session.cluster.clone(), kind, key: Key::new(key) }
}

pub const TALK: &str = "i=0; while :; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 1; done";
