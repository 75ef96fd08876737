//! Against a real engine or swarm: `DOCKER_HOST=… cargo test --lib docker::real -- --ignored --nocapture`. They are ignored
//! elsewhere because they need one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

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
        let var = |name: &str| std::env::var(name).ok();
        let found = discover(&Env { var: &var, home: None, socket: PathBuf::from("/nonexistent") });
        let connector = found.first().expect("DOCKER_HOST must be set");
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

    /// Applies facts for a while.
    pub async fn during(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(Some(fact)) = tokio::time::timeout_at(end, self.facts.recv()).await {
            self.changes += 1;
            self.store.apply(fact, Timestamp::now());
        }
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
fn docker(args: &[&str]) -> String {
    let out = std::process::Command::new("docker").args(args).output().unwrap();
    assert!(out.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

/// A service that exists as long as the test.
struct Service(String);

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

fn intent(session: &Session, kind: Kind, key: &str, name: &str, action: Action) -> Intent {
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

async fn act(session: &Session, intent: &Intent) -> Result<Expect, BackendError> {
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

fn steady(state: &ClusterState, id: &str, image: &str, n: u32) -> bool {
    state.services.get(id).is_some_and(|s| {
        s.image.as_str() == image
            && s.desired == Some(n)
            && s.ready == n
            && s.updated == n
            && s.current == n
            && s.rollout.state == RolloutState::Stable
    })
}

#[tokio::test]
#[ignore = "needs a real swarm in DOCKER_HOST"]
async fn services_of_a_real_swarm_scale_redeploy_and_roll_back() {
    let args = ["--replicas", "3", "--update-delay", "0s", "--update-monitor", "1s", "--label", "keep=this", "app:1"];
    let service = Service::create("dk-actions", &args);
    let id = service.0.clone();
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("created and running", wait, |s| steady(s, &id, "app:1", 3)).await;

    let before: serde_json::Value = serde_json::from_str(&service.spec()).unwrap();
    let old = intent(&session, Kind::Service, &id, "dk-actions", Action::Scale { to: 5 });
    let expect = act(&session, &old).await.unwrap();
    session.until("scaled", wait, |s| steady(s, &id, "app:1", 5)).await;
    assert_eq!(expect, Expect::Converged { service: Key::new(&id), spec_rev: session.state().services.get(&id).unwrap().spec_rev });
    let mut after: serde_json::Value = serde_json::from_str(&service.spec()).unwrap();
    after["Mode"]["Replicated"]["Replicas"] = serde_json::json!(3);
    assert_eq!(before, after, "nothing else of the spec has changed");

    let refused = act(&session, &old).await;
    assert!(matches!(refused, Err(BackendError::Changed(_))), "an intent bound to the old spec is refused");

    docker(&["service", "update", "-q", "--detach", "--no-resolve-image", "--image", "app:2", &id]);
    session.until("someone else updates the image", wait, |s| steady(s, &id, "app:2", 5)).await;
    println!("previous: {:?}", session.state().services.get(&id).unwrap().previous);
    let back = intent(&session, Kind::Service, &id, "dk-actions", Action::RollBack);
    act(&session, &back).await.unwrap();
    session.until("rolled back", wait, |s| steady(s, &id, "app:1", 5)).await;

    let tasks = |s: &Session| s.state().tasks_of(&id).filter(|t| t.wanted).map(|t| t.key.clone()).collect::<Vec<_>>();
    let old_tasks = tasks(&session);
    let redeploy = intent(&session, Kind::Service, &id, "dk-actions", Action::Redeploy);
    act(&session, &redeploy).await.unwrap();
    session.during(Duration::from_secs(1)).await;
    session
        .until("redeployed", wait, |s| {
            steady(s, &id, "app:1", 5) && s.tasks_of(&id).filter(|t| t.wanted).all(|t| !old_tasks.contains(&t.key))
        })
        .await;

    // two writes at once, while a rollout bumps the version
    let again = intent(&session, Kind::Service, &id, "dk-actions", Action::Redeploy);
    act(&session, &again).await.unwrap();
    session.during(Duration::from_millis(800)).await;
    let scale = intent(&session, Kind::Service, &id, "dk-actions", Action::Scale { to: 2 });
    act(&session, &scale).await.unwrap();
    session.until("scaled in the middle of a rollout", wait, |s| steady(s, &id, "app:1", 2)).await;
}

#[tokio::test]
#[ignore = "needs a real swarm in DOCKER_HOST"]
async fn one_task_of_a_real_swarm_moves_and_leaves_no_constraint() {
    let service = Service::create("dk-move", &["--replicas", "3", "--update-monitor", "1s", "app:1"]);
    let id = service.0.clone();
    let before = service.spec();
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("created and running", wait, |s| steady(s, &id, "app:1", 3)).await;
    let all: Vec<_> =
        session.state().tasks_of(&id).filter(|t| t.wanted).map(|t| (t.key.clone(), t.node.clone(), t.name.clone())).collect();
    let (task, node, name) = all[0].clone();
    let others: Vec<_> = all.iter().filter(|(_, on, _)| *on != node).map(|(key, ..)| key.clone()).collect();
    let moving = intent(&session, Kind::Task, &task, &name, Action::Reschedule);
    act(&session, &moving).await.unwrap();
    session
        .until("moved", wait, |s| steady(s, &id, "app:1", 3) && s.tasks_of(&id).filter(|t| t.wanted).all(|t| t.node != node))
        .await;
    session.during(Duration::from_secs(4)).await;
    let now: Vec<_> = session.state().tasks_of(&id).filter(|t| t.wanted).map(|t| t.key.clone()).collect();
    assert!(others.iter().all(|key| now.contains(key)), "tasks on other nodes were left alone");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&before).unwrap(),
        serde_json::from_str::<serde_json::Value>(&service.spec()).unwrap()
    );

    // cancelled half way: the constraint goes away all the same
    let (task, name) = session.state().tasks_of(&id).find(|t| t.wanted).map(|t| (t.key.clone(), t.name.clone())).unwrap();
    let moving = intent(&session, Kind::Task, &task, &name, Action::Reschedule);
    assert!(tokio::time::timeout(Duration::from_millis(700), act(&session, &moving)).await.is_err(), "still waiting");
    assert!(service.spec().contains("node.id!="));
    session.during(Duration::from_secs(2)).await;
    assert!(!service.spec().contains("node.id!="), "{}", service.spec());
}

/// The first lines of a task's log, until `count` have come.
async fn log(session: &Session, task: &str, count: usize, since: Option<Timestamp>) -> Vec<LogLine> {
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

fn object(session: &Session, kind: Kind, key: &str) -> ObjectRef {
    ObjectRef { cluster: session.cluster.clone(), kind, key: Key::new(key) }
}

const TALK: &str = "i=0; while :; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 1; done";

#[tokio::test]
#[ignore = "needs a real swarm in DOCKER_HOST"]
async fn logs_usage_and_objects_of_a_real_swarm() {
    let plain = Service::create("dk-talk", &["--mode", "global", "--env", "API_TOKEN=hunter2", "busybox:qd", "sh", "-c", TALK]);
    let tty = Service::create("dk-tty", &["--mode", "global", "--tty", "busybox:qd", "sh", "-c", TALK]);
    let ids = (plain.0.clone(), tty.0.clone());
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("created and running", wait, |s| steady(s, &ids.0, "busybox:qd", 3) && steady(s, &ids.1, "busybox:qd", 3)).await;
    session.during(Duration::from_secs(3)).await;
    for (service, terminal) in [(&ids.0, false), (&ids.1, true)] {
        let tasks: Vec<_> = session.state().tasks_of(service).filter(|t| t.wanted).cloned().collect();
        for task in tasks {
            let lines = log(&session, &task.key, 4, None).await;
            println!("{} {}: {:?} {:?}", task.name, task.key, lines[0], lines[1]);
            assert!(lines.iter().all(|line| line.at.is_some()));
            let words = |line: &LogLine| line.text.split(' ').next().map(str::to_owned);
            assert!(
                lines.iter().any(|line| words(line).as_deref() == Some("out"))
                    && lines.iter().any(|line| words(line).as_deref() == Some("err"))
            );
            let on_err = lines.iter().filter(|line| line.stream == Stream::Err).count();
            assert_eq!(on_err == 0, terminal, "a terminal has one stream");
            let last = lines.last().unwrap().at.unwrap();
            let later = log(&session, &task.key, 2, Some(last)).await;
            assert!(later.iter().all(|line| line.at.unwrap() >= last));
        }
    }
    session
        .until("measurements of the manager's own tasks", wait, |s| {
            s.tasks_of(&ids.0).any(|t| s.task_usage.get(&t.key).is_some_and(|u| u.last().is_some_and(|u| u.usage.mem > 0)))
        })
        .await;
    session.print();
    let yaml = session.backend.inspect(&object(&session, Kind::Service, &ids.0)).await.unwrap();
    assert!(yaml.contains("API_TOKEN=(masked)") && !yaml.contains("hunter2"), "{yaml}");
    println!("{}", yaml.lines().take(30).collect::<Vec<_>>().join("\n"));
    let node = session.state().nodes.iter().next().unwrap().key.clone();
    assert!(session.backend.inspect(&object(&session, Kind::Node, &node)).await.unwrap().contains("Hostname"));
}

/// A container that exists as long as the test.
struct Container(String);

impl Container {
    fn run(args: &[&str]) -> Self {
        let mut all = vec!["run", "-d"];
        all.extend(args);
        Self(docker(&all))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = std::process::Command::new("docker").args(["rm", "-f", &self.0]).output();
    }
}

#[tokio::test]
#[ignore = "needs a real engine that is no swarm manager in DOCKER_HOST"]
async fn containers_of_a_real_engine() {
    let compose = |n: &str, policy: &str| {
        let service = format!("com.docker.compose.service={n}");
        let policy = format!("--restart={policy}");
        vec!["--label".to_owned(), "com.docker.compose.project=shop".to_owned(), "--label".to_owned(), service, policy]
    };
    let run = |extra: Vec<String>, rest: &[&str]| {
        let all: Vec<&str> = extra.iter().map(String::as_str).chain(rest.iter().copied()).collect();
        Container::run(&all)
    };
    let web1 = run(compose("web", "always"), &["--name", "shop_web_1", "busybox:qd", "sh", "-c", TALK]);
    let _web2 = run(compose("web", "always"), &["--name", "shop_web_2", "busybox:qd", "sh", "-c", TALK]);
    let crash = run(compose("crash", "on-failure:2"), &["--name", "shop_crash_1", "busybox:qd", "sh", "-c", "sleep 1; exit 3"]);
    let _migrate = run(compose("migrate", "no"), &["--name", "shop_migrate_1", "busybox:qd", "true"]);
    let sick = Container::run(&[
        "--name",
        "sick",
        "--health-cmd",
        "false",
        "--health-interval",
        "1s",
        "--health-retries",
        "2",
        "busybox:qd",
        "sleep",
        "1000",
    ]);
    let oom = Container::run(&["--name", "oom", "-m", "8m", "busybox:qd", "sh", "-c", "x=a; while :; do x=$x$x; done"]);
    let tty = Container::run(&["--name", "term", "-t", "busybox:qd", "sh", "-c", TALK]);
    let mut session = Session::open().await;
    let wait = Duration::from_secs(30);
    session
        .until("all in their states", wait, |s| {
            let is = |id: &str, state: TaskState| s.tasks.get(id).is_some_and(|t| t.state == state);
            s.services.get("shop/web").is_some_and(|web| web.ready == 2 && web.desired == Some(2))
                && is(&crash.0, TaskState::Failed)
                && is(&oom.0, TaskState::Failed)
                && s.tasks
                    .get(sick.0.as_str())
                    .is_some_and(|t| t.why.as_deref().is_some_and(|why| why.contains("health check failed")))
                && s.services.get("shop/migrate").is_some_and(|m| m.desired == Some(0))
        })
        .await;
    session.print();
    let task = |id: &str| session.state().tasks.get(id).unwrap().clone();
    assert_eq!(task(&oom.0).why.as_deref(), Some("out of memory (limit 8.0 MiB)"));
    assert_eq!((task(&crash.0).why.as_deref(), task(&crash.0).restarts), (Some("exit 3"), 2));
    assert!(!task(&sick.0).ready);

    assert!(log(&session, &web1.0, 4, None).await.iter().any(|line| line.stream == Stream::Err));
    assert!(log(&session, &tty.0, 4, None).await.iter().all(|line| line.stream == Stream::Out));

    let stop = intent(&session, Kind::Task, &tty.0, "term", Action::Stop);
    act(&session, &stop).await.unwrap();
    session.until("stopped", wait, |s| s.tasks.get(tty.0.as_str()).is_some_and(|t| t.state == TaskState::Stopped)).await;
    act(&session, &Intent { action: Action::Start, ..stop.clone() }).await.unwrap();
    session.until("started", wait, |s| s.tasks.get(tty.0.as_str()).is_some_and(|t| t.ready)).await;
    act(&session, &Intent { action: Action::DeleteTask, ..stop.clone() }).await.unwrap();
    session.until("deleted", wait, |s| s.tasks.get(tty.0.as_str()).is_none() && s.services.get(tty.0.as_str()).is_none()).await;
    let gone = act(&session, &Intent { action: Action::Start, ..stop }).await;
    assert!(matches!(gone, Err(BackendError::NotFound(_))), "{gone:?}");

    let since = task_since(&session, &web1.0);
    let redeploy = intent(&session, Kind::Service, "shop/web", "web", Action::Redeploy);
    act(&session, &redeploy).await.unwrap();
    session.until("restarted", wait, |s| s.tasks.get(web1.0.as_str()).is_some_and(|t| t.since > since && t.ready)).await;
    let refused = act(&session, &Intent { action: Action::Scale { to: 3 }, ..redeploy }).await;
    assert!(matches!(refused, Err(BackendError::Unsupported(_))));
    session
        .until("measurements", wait, |s| s.node_usage.iter().next().is_some() && s.service_usage.get("shop/web").is_some())
        .await;
    assert!(session.backend.inspect(&object(&session, Kind::Service, "shop/web")).await.unwrap().contains("shop_web_2"));
}

fn task_since(session: &Session, key: &str) -> Timestamp {
    session.state().tasks.get(key).unwrap().since
}

/// Runs the testbed's script for the swarm, which ends and starts its nodes.
fn testbed(args: &[&str]) {
    let script =
        std::env::var("TESTBED_SWARM").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/testbed/swarm").to_owned());
    let out = std::process::Command::new(script).args(args).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[tokio::test]
#[ignore = "needs a real swarm of three nodes in DOCKER_HOST, whose node3 it empties and kills"]
async fn a_node_of_a_real_swarm_is_paused_emptied_and_killed() {
    let service = Service::create("dk-node", &["--replicas", "6", "app:1"]);
    let every = Service::create("dk-every", &["--mode", "global", "app:1"]);
    let (id, every) = (service.0.clone(), every.0.clone());
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("created and running", wait, |s| steady(s, &id, "app:1", 6) && steady(s, &every, "app:1", 3)).await;
    session.interest.send_replace(Interest::default());
    let node3 = session.state().nodes.iter().find(|n| n.name.as_str() == "node3").unwrap().key.clone();
    let is = |s: &ClusterState, want: Availability| s.nodes.get(&node3).unwrap().availability == want;
    let there = |s: &ClusterState| s.tasks.iter().filter(|t| t.node.as_ref() == Some(&node3) && !t.state.ended()).count();

    for (action, want) in
        [(Action::Pause, Availability::Paused), (Action::Activate, Availability::Active), (Action::Evacuate, Availability::Paused)]
    {
        let asked = intent(&session, Kind::Node, &node3, "node3", action);
        let expect = act(&session, &asked).await.unwrap();
        session.until(&format!("{want:?}"), wait, |s| is(s, want)).await;
        if let Expect::NodeEmpty { .. } = expect {
            session.until("empty", wait, |s| there(s) == 0 && steady(s, &id, "app:1", 6)).await;
            session.during(Duration::from_secs(5)).await;
            assert_eq!(there(session.state()), 0, "nothing came back");
        }
        let stale = act(&session, &asked).await;
        assert!(matches!(stale, Err(BackendError::Changed(_))));
    }
    let back = intent(&session, Kind::Node, &node3, "node3", Action::Activate);
    act(&session, &back).await.unwrap();
    session.until("active again", wait, |s| is(s, Availability::Active) && steady(s, &every, "app:1", 3)).await;
    let spread = intent(&session, Kind::Service, &id, "dk-node", Action::Rebalance);
    act(&session, &spread).await.unwrap();
    session.during(Duration::from_secs(2)).await;
    session.until("rebalanced", wait * 2, |s| steady(s, &id, "app:1", 6) && there(s) >= 3).await;

    testbed(&["kill", "3"]);
    session.until("node3 is down", Duration::from_secs(40), |s| s.nodes.get(&node3).unwrap().state == NodeState::Down).await;
    let late = Timestamp::now().since(session.state().nodes.get(&node3).unwrap().since.unwrap());
    println!("{late:?} after the platform knew");
    assert!(late < Duration::from_secs(15));
    session
        .until("its tasks are lost", Duration::from_secs(5), |s| {
            s.tasks.iter().filter(|t| t.node.as_ref() == Some(&node3) && !t.state.ended()).all(|t| t.state == TaskState::Lost)
        })
        .await;
    session.print();
    session.until("others took over", wait, |s| steady(s, &id, "app:1", 6)).await;
    session.during(Duration::from_secs(3)).await;
    session.print();
    testbed(&["start", "3"]);
    session
        .until("node3 is back", wait, |s| s.nodes.get(&node3).unwrap().state == NodeState::Ready && steady(s, &every, "app:1", 3))
        .await;
}
