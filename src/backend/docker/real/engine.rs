//! A single engine: states, logs, actions, measurements.

use super::*;

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
    act(&session, &stop).await.unwrap();
    session.until("stopped", wait, |s| s.tasks.get(tty.0.as_str()).is_some_and(|t| t.state == TaskState::Stopped)).await;
    act(&session, &Intent { action: Action::DeleteTask { grace: None }, ..stop.clone() }).await.unwrap();
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
