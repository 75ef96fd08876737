//! A single engine: states, logs, actions, measurements.

use super::*;
use crate::analysis::rollout::{Verdict, verdict};
use crate::model::{ActionKind, Found, LeftoverKind, Volumes};

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
    // the kernel kills the inner shell. Were the first process itself killed, a busy containerd could tell the engine that it
    // ended before it has read why, and the engine would never say `OOMKilled` (containerd pull request 12714)
    let greedy = "(x=a; while :; do x=$x$x; done); sleep 2; exit 137";
    let oom = Container::run(&["--name", "oom", "-m", "8m", "busybox:qd", "sh", "-c", greedy]);
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
    act(&session, &stop).await.unwrap();
    session.until("stopped", wait, |s| s.tasks.get(tty.0.as_str()).is_some_and(|t| t.state == TaskState::Stopped)).await;
    act(&session, &Intent { action: Action::DeleteTask { grace: None }, ..stop.clone() }).await.unwrap();
    session.until("deleted", wait, |s| s.tasks.get(tty.0.as_str()).is_none() && s.services.get(tty.0.as_str()).is_none()).await;
    let gone = act(&session, &Intent { action: Action::Start, ..stop }).await;
    assert!(matches!(gone, Err(BackendError::NotFound(_))), "{gone:?}");

    let since = task_since(&session, &web1.0);
    let redeploy = intent(&session, Kind::Service, "shop/web", "web", Action::Redeploy { pull: false });
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

#[tokio::test]
#[ignore = "needs a real engine that is no swarm manager in DOCKER_HOST"]
async fn a_container_that_goes_by_itself_when_it_ends_is_deleted_by_force() {
    let mut session = Session::open().await;
    for n in 0..5 {
        let name = format!("brief{n}");
        let one = Container::run(&["--rm", "--name", &name, "--stop-timeout", "1", "busybox:qd", "sleep", "1000"]);
        session.until("running", Duration::from_secs(10), |s| s.tasks.get(one.0.as_str()).is_some_and(|t| t.ready)).await;
        let delete = intent(&session, Kind::Task, &one.0, &name, Action::ForceDelete { grace: Some(1) });
        assert_eq!(act(&session, &delete).await, Ok(Expect::Gone { kind: Kind::Task, key: Key::new(&one.0) }));
        session.until("gone", Duration::from_secs(10), |s| s.tasks.get(one.0.as_str()).is_none()).await;
    }
}

#[tokio::test]
#[ignore = "needs a real engine that is no swarm manager in DOCKER_HOST"]
async fn a_container_is_restarted_killed_and_deleted_and_only_a_stopped_one_without_force() {
    let one = Container::run(&["--name", "one", "--restart=always", "--stop-timeout", "1", "busybox:qd", "sh", "-c", TALK]);
    let mut session = Session::open().await;
    let wait = Duration::from_secs(30);
    let is = |state: TaskState| {
        let id = one.0.clone();
        move |s: &ClusterState| s.tasks.get(id.as_str()).is_some_and(|t| t.state == state)
    };
    session.until("runs", wait, is(TaskState::Running)).await;
    let on = intent(&session, Kind::Task, &one.0, "one", Action::Restart);
    let with = |action: Action| Intent { action, ..on.clone() };
    let refused = |answer: Result<Expect, BackendError>| assert!(matches!(answer, Err(BackendError::Changed(_))), "{answer:?}");

    refused(act(&session, &with(Action::DeleteTask { grace: None })).await);
    let Ok(Expect::Restarted { before, .. }) = act(&session, &on).await else { panic!("it was not restarted") };
    session.until("restarted", wait, |s| s.tasks.get(one.0.as_str()).is_some_and(|t| t.ready && t.since > before)).await;

    // one that is killed is not started again, whatever its policy says
    act(&session, &with(Action::Kill)).await.unwrap();
    session.until("killed", wait, is(TaskState::Stopped)).await;
    session.during(Duration::from_secs(3)).await;
    assert!(is(TaskState::Stopped)(session.state()));
    refused(act(&session, &with(Action::Kill)).await);
    refused(act(&session, &with(Action::Restart)).await);

    act(&session, &with(Action::DeleteTask { grace: None })).await.unwrap();
    session.until("deleted", wait, |s| s.tasks.get(one.0.as_str()).is_none()).await;
    let two = Container::run(&["--name", "two", "busybox:qd", "sh", "-c", TALK]);
    session.until("another", wait, |s| s.tasks.get(two.0.as_str()).is_some()).await;
    act(&session, &intent(&session, Kind::Task, &two.0, "two", Action::ForceDelete { grace: None })).await.unwrap();
    session.until("deleted by force", wait, |s| s.tasks.get(two.0.as_str()).is_none()).await;
    let gone = act(&session, &with(Action::ForceDelete { grace: None })).await;
    assert!(matches!(gone, Err(BackendError::NotFound(_))), "{gone:?}");

    // it says itself whether it was asked to end, in a folder that outlives it
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("{}:/out", folder.path().display());
    for (grace, asked, least) in [(Some(0), false, 0), (Some(1), true, 1), (None, true, 3)] {
        let script = "trap 'echo asked > /out/asked' TERM; while :; do sleep 0.1; done";
        let args = ["--name", "graced", "--stop-timeout", "3", "-v", &mount, "busybox:qd", "sh", "-c", script];
        let one = Container::run(&args);
        session.until("runs", wait, |s| s.tasks.get(one.0.as_str()).is_some_and(|t| t.ready && t.grace == Some(3))).await;
        let began = Instant::now();
        act(&session, &intent(&session, Kind::Task, &one.0, "graced", Action::ForceDelete { grace })).await.unwrap();
        println!("{grace:?}: {:?}", began.elapsed());
        assert!(began.elapsed() >= Duration::from_secs(least), "it was not given its time");
        session.until("deleted", wait, |s| s.tasks.get(one.0.as_str()).is_none()).await;
        assert_eq!(std::fs::remove_file(folder.path().join("asked")).is_ok(), asked, "{grace:?}");
    }
    let gone = act(&session, &with(Action::ForceDelete { grace: Some(0) })).await;
    assert!(matches!(gone, Err(BackendError::NotFound(_))), "{gone:?}");
}

#[tokio::test]
#[ignore = "needs a real engine that is no swarm manager in DOCKER_HOST, and removes what nothing uses there"]
async fn an_engine_is_pruned_of_what_was_seen_and_of_nothing_else() {
    let has = |args: &[&str], name: &str| docker(args).lines().any(|line| line == name);
    let volumes = |name: &str| has(&["volume", "ls", "-q"], name);
    let networks = |name: &str| has(&["network", "ls", "--format", "{{.Name}}"], name);
    let containers = |name: &str| has(&["ps", "-a", "--format", "{{.Names}}"], name);
    let images = |id: &str| has(&["images", "-a", "-q", "--no-trunc"], id);
    for name in ["dk-free", "dk-lan"] {
        let _ = std::process::Command::new("docker").args(["network", "rm", name]).output();
    }
    docker(&["network", "create", "dk-free"]);
    docker(&["network", "create", "dk-lan"]);
    docker(&["volume", "create", "dk-named"]);
    let talk = ["--name", "dk-keep", "--network", "dk-lan", "-v", "dk-used:/data", "busybox:qd", "sh", "-c", TALK];
    let keep = Container::run(&talk);
    let old =
        Container::run(&["--name", "dk-old", "-v", "/unnamed", "busybox:qd", "sh", "-c", "head -c 3000000 /dev/urandom > /x"]);
    docker(&["wait", &old.0]);
    // a name that goes on to another image leaves one without
    let nameless = docker(&["commit", &old.0, "dk-image:1"]);
    docker(&["commit", "-m", "another", &old.0, "dk-image:1"]);
    let built = built("FROM busybox:qd\nRUN echo one > /one\nRUN head -c 2000000 /dev/urandom > /two\n");
    let mut session = Session::open().await;
    let wait = Duration::from_secs(30);
    session
        .until("both there", wait, |s| {
            s.tasks.get(old.0.as_str()).is_some_and(|t| t.state.ended()) && s.tasks.get(keep.0.as_str()).is_some()
        })
        .await;
    let node = session.state().nodes.iter().next().unwrap().key.clone();
    let seen = async |session: &Session| {
        let found = session.backend.survey(&object(session, Kind::Node, &node), ActionKind::Prune).await.unwrap();
        let Found::Leftovers(seen) = found else { panic!("another answer") };
        seen.iter().for_each(|one| println!("{:?} {} {} B", one.kind, one.name, one.size));
        seen
    };
    let first = seen(&session).await;
    let saw = |kind: LeftoverKind, id: &str| first.iter().any(|one| one.kind == kind && *one.id == *id);
    assert!(saw(LeftoverKind::Container, &old.0) && !saw(LeftoverKind::Container, &keep.0));
    assert!(saw(LeftoverKind::Image, &nameless) && saw(LeftoverKind::NamedVolume, "dk-named"));
    assert!(!saw(LeftoverKind::NamedVolume, "dk-used"), "a container that stays has it");
    let cached = first.iter().filter(|one| one.kind == LeftoverKind::Cache).count();
    assert_eq!(cached > 1, built, "what was built is in the cache");
    let size = first.iter().find(|one| *one.id == *old.0).unwrap().size;
    assert!(size >= 3_000_000, "{size}");

    let late = Container::run(&["--name", "dk-late", "busybox:qd", "true"]);
    docker(&["wait", &late.0]);
    let prune = |volumes, seen| Action::Prune { volumes, seen };
    let kept = intent(&session, Kind::Node, &node, "box", prune(Volumes::Kept, first));
    let expect = act(&session, &kept).await.unwrap();
    let done = |s: &ClusterState| matches!(verdict(s, &expect, Timestamp::now(), Timestamp::now()), Verdict::Done(_));
    session.until("pruned", wait, done).await;
    assert!(!containers("dk-old") && !networks("dk-free") && !images(&nameless));
    assert!(containers("dk-late") && containers("dk-keep") && networks("dk-lan"), "what was not seen, or is used");
    assert!(volumes("dk-named") && volumes("dk-used"), "volumes stay unless asked for");
    assert!(has(&["images", "-q", "--no-trunc", "dk-image:1"], &docker(&["inspect", "-f", "{{.Id}}", "dk-image:1"])));

    let second = seen(&session).await;
    assert!(!second.iter().any(|one| one.kind == LeftoverKind::Cache));
    act(&session, &intent(&session, Kind::Node, &node, "box", prune(Volumes::All, second))).await.unwrap();
    assert!(!volumes("dk-named") && volumes("dk-used") && !containers("dk-late") && containers("dk-keep"));
    let other = Intent { bound: Bound { uid: "another".into(), spec_rev: 0 }, ..kept };
    assert!(matches!(act(&session, &other).await, Err(BackendError::Changed(_))));
    drop(keep);
    docker(&["rmi", "dk-image:1"]);
    docker(&["network", "rm", "dk-lan"]);
    docker(&["volume", "rm", "dk-used"]);
}

/// Builds an image and removes it again, so that only the build cache is left of it. False where there is no client that can.
fn built(file: &str) -> bool {
    use std::io::Write;
    let client = std::env::var("DOCKER").unwrap_or_else(|_| "docker".to_owned());
    let mut build = std::process::Command::new(client);
    build.args(["build", "-q", "-t", "dk-built:1", "-"]).env("DOCKER_BUILDKIT", "1").stdin(std::process::Stdio::piped());
    let mut build = build.spawn().unwrap();
    build.stdin.take().unwrap().write_all(file.as_bytes()).unwrap();
    let done = build.wait().unwrap().success();
    if done {
        docker(&["rmi", "dk-built:1"]);
    } else {
        println!("SKIPPED: this client builds without a cache of its own");
    }
    done
}

#[tokio::test]
#[ignore = "needs a real engine that is no swarm manager in DOCKER_HOST"]
async fn containers_that_end_slowly_are_redeployed_and_one_that_ends_after_its_restart_ends_it() {
    let run = |service: &str, script: &str| {
        let label = format!("com.docker.compose.service={service}");
        let labels = ["--label", "com.docker.compose.project=shop", "--label", &label, "--stop-timeout", "4"];
        Container::run(&[&labels[..], &["busybox:qd", "sh", "-c", script]].concat())
    };
    // a first process without a handler does not end when it is asked to
    let slow: Vec<Container> = (0..3).map(|_| run("slow", "sleep 1000")).collect();
    // by the order of the list the newest is restarted first
    let good = run("once", "sleep 1000");
    let _once = run("once", "test -e /was && exit 3; touch /was; sleep 1000");
    let mut session = Session::open().await;
    let wait = Duration::from_secs(30);
    let ready = |s: &ClusterState, of: &str, n| {
        let seen = s.tasks_of(&Key::new(of)).filter(|task| task.ready).count();
        seen == n as usize && s.services.get(of).is_some_and(|service| service.ready == n)
    };
    session.until("all run", wait, |s| ready(s, "shop/slow", 3) && ready(s, "shop/once", 2)).await;
    let before = slow.iter().map(|one| task_since(&session, &one.0)).max().unwrap();
    let redeploy = |of, session: &Session| intent(session, Kind::Service, of, of, Action::Redeploy { pull: false });
    let expect = act(&session, &redeploy("shop/slow", &session)).await.unwrap();
    let done = |s: &ClusterState| matches!(verdict(s, &expect, Timestamp::now(), Timestamp::now()), Verdict::Done(_));
    session.until("each is seen anew", wait, done).await;
    assert!(slow.iter().all(|one| task_since(&session, &one.0) > before));

    let since = task_since(&session, &good.0);
    let why = act(&session, &redeploy("shop/once", &session)).await.unwrap_err().to_string();
    assert!(why.contains("ended right after its restart (exit 3); 0 of 2 done, the others were left as they are"), "{why}");
    session.until("one is left", wait, |s| ready(s, "shop/once", 1)).await;
    assert_eq!(task_since(&session, &good.0), since);

    // no registry has it: nothing is restarted
    let pull = Intent { action: Action::Redeploy { pull: true }, ..redeploy("shop/slow", &session) };
    let why = act(&session, &pull).await.unwrap_err().to_string();
    assert!(why.contains("pulling busybox:qd") && why.ends_with("nothing was restarted"), "{why}");
}
