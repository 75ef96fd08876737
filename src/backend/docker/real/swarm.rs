//! A swarm's services and tasks.

use super::*;
use crate::analysis::rollout::{Verdict, verdict};
use crate::model::{ActionKind, Found, Propagation};

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
    docker(&["service", "update", "-q", "--detach", "--no-resolve-image", "--env-add", "TOKEN=hunter2", "--image", "app:1", &id]);
    session.until("someone else changes it again", wait, |s| steady(s, &id, "app:1", 5)).await;
    let told = session.backend.survey(&object(&session, Kind::Service, &id), ActionKind::RollBack).await;
    let Ok(Found::Earlier(told)) = told else { panic!("{told:?}") };
    let [(number, lines)] = &*told else { panic!("{told:?}") };
    let lines: Vec<&str> = lines.iter().map(|line| line.as_str()).collect();
    let want = ["- TaskTemplate.ContainerSpec.Env[TOKEN] (masked)", "- TaskTemplate.ContainerSpec.Image app:1"];
    assert!(
        want.iter().all(|line| lines.contains(line)) && lines.contains(&"+ TaskTemplate.ContainerSpec.Image app:2"),
        "{lines:?}"
    );
    let back = intent(&session, Kind::Service, &id, "dk-actions", Action::RollBack { to: Some(*number) });
    act(&session, &back).await.unwrap();
    session.until("back by the number that was told", wait, |s| steady(s, &id, "app:2", 5)).await;
    docker(&["service", "update", "-q", "--detach", "--no-resolve-image", "--image", "app:1", &id]);
    docker(&["service", "update", "-q", "--detach", "--no-resolve-image", "--image", "app:2", &id]);
    session.until("someone else updates the image again", wait, |s| steady(s, &id, "app:2", 5)).await;
    let back = intent(&session, Kind::Service, &id, "dk-actions", Action::RollBack { to: None });
    act(&session, &back).await.unwrap();
    session.until("rolled back", wait, |s| steady(s, &id, "app:1", 5)).await;

    let tasks = |s: &Session| s.state().tasks_of(&id).filter(|t| t.wanted).map(|t| t.key.clone()).collect::<Vec<_>>();
    let old_tasks = tasks(&session);
    let redeploy = intent(&session, Kind::Service, &id, "dk-actions", Action::Redeploy { pull: false });
    act(&session, &redeploy).await.unwrap();
    session.during(Duration::from_secs(1)).await;
    session
        .until("redeployed", wait, |s| {
            steady(s, &id, "app:1", 5) && s.tasks_of(&id).filter(|t| t.wanted).all(|t| !old_tasks.contains(&t.key))
        })
        .await;

    // no registry has it
    let spec = service.spec();
    let pull = intent(&session, Kind::Service, &id, "dk-actions", Action::Redeploy { pull: true });
    let why = act(&session, &pull).await.unwrap_err().to_string();
    assert!(why.contains("asking the registry what app:1 stands for by now") && why.contains("nothing was changed"), "{why}");
    assert_eq!(service.spec(), spec);

    // two writes at once, while a rollout bumps the version
    let again = intent(&session, Kind::Service, &id, "dk-actions", Action::Redeploy { pull: false });
    act(&session, &again).await.unwrap();
    session.during(Duration::from_millis(800)).await;
    let scale = intent(&session, Kind::Service, &id, "dk-actions", Action::Scale { to: 2 });
    act(&session, &scale).await.unwrap();
    session.until("scaled in the middle of a rollout", wait, |s| steady(s, &id, "app:1", 2)).await;
}

#[tokio::test]
#[ignore = "needs a real swarm in DOCKER_HOST"]
async fn a_service_of_a_real_swarm_gets_another_image_and_is_deleted_as_it_was_seen() {
    let service = Service::create("dk-delete", &["--replicas", "2", "--update-delay", "0s", "--label", "keep=this", "app:1"]);
    let id = service.0.clone();
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("created and running", wait, |s| steady(s, &id, "app:1", 2)).await;
    let (seen_rev, seen_spec) = (session.state().services.get(&id).unwrap().spec_rev, service.spec());
    let set = Action::SetImage { container: Text::default(), image: "app:2".into() };
    act(&session, &intent(&session, Kind::Service, &id, "dk-delete", set)).await.unwrap();
    session.until("has another image", wait, |s| steady(s, &id, "app:2", 2)).await;
    assert!(service.spec().contains(r#""keep":"this""#), "all else of the spec is as it was");
    session.during(Duration::from_secs(6)).await;

    // taken back by the definition that was seen, and by none that has its place by now
    let back = Action::RollBack { to: Some(seen_rev) };
    act(&session, &intent(&session, Kind::Service, &id, "dk-delete", back.clone())).await.unwrap();
    session.until("as it was seen", wait, |s| steady(s, &id, "app:1", 2)).await;
    assert_eq!(service.spec(), seen_spec);
    docker(&["service", "update", "-q", "--detach", "--no-resolve-image", "--image", "app:2", &id]);
    session.until("someone sets another image", wait, |s| steady(s, &id, "app:2", 2)).await;
    docker(&["service", "update", "-q", "--detach", "--no-resolve-image", "--env-add", "MORE=1", &id]);
    docker(&["service", "update", "-q", "--detach", "--no-resolve-image", "--env-rm", "MORE", &id]);
    session.until("and goes there another way", wait, |s| steady(s, &id, "app:2", 2)).await;
    let other = act(&session, &intent(&session, Kind::Service, &id, "dk-delete", back)).await;
    assert!(matches!(&other, Err(BackendError::Changed(why)) if why.contains("previous definition")), "{other:?}");
    let delete = Action::DeleteService { propagation: Propagation::default() };
    let old = intent(&session, Kind::Service, &id, "dk-delete", delete.clone());
    docker(&["service", "scale", "--detach", &format!("{id}=3")]);
    session.until("someone else scales it", wait, |s| steady(s, &id, "app:2", 3)).await;
    let refused = act(&session, &old).await;
    assert!(matches!(refused, Err(BackendError::Changed(_))), "{refused:?}");
    let now = intent(&session, Kind::Service, &id, "dk-delete", delete);
    let expect = act(&session, &now).await.unwrap();
    let done = |s: &ClusterState| matches!(verdict(s, &expect, Timestamp::now(), Timestamp::now()), Verdict::Done(_));
    session.until("deleted", wait, done).await;
    assert!(docker(&["service", "ls", "--quiet", "--filter", &format!("id={id}")]).is_empty());
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

    // one that moved with another of its service is done
    let again = act(&session, &moving).await;
    assert_eq!(again, Ok(Expect::Replaced { task, service: Some(Key::new(&id)) }));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&before).ok(), serde_json::from_str(&service.spec()).ok());

    // cancelled half way: the constraint is taken away
    let (task, name) = session.state().tasks_of(&id).find(|t| t.wanted).map(|t| (t.key.clone(), t.name.clone())).unwrap();
    let moving = intent(&session, Kind::Task, &task, &name, Action::Reschedule);
    assert!(tokio::time::timeout(Duration::from_millis(700), act(&session, &moving)).await.is_err(), "still waiting");
    assert!(service.spec().contains("node.id!="));
    assert!(session.backend.take_back(&moving).await.unwrap().is_some());
    assert!(!service.spec().contains("node.id!="), "{}", service.spec());
}

#[tokio::test]
#[ignore = "needs a real swarm in DOCKER_HOST"]
async fn a_task_of_a_real_swarm_is_deleted_on_its_own_engine_only() {
    let service = Service::create("dk-delete", &["--replicas", "3", "--restart-delay", "0s", "app:1"]);
    let id = service.0.clone();
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("created and running", wait, |s| steady(s, &id, "app:1", 3)).await;
    let here = docker(&["info", "--format", "{{.Swarm.NodeID}}"]);
    let on = |local: bool| {
        let fits = |t: &&Arc<crate::model::Task>| t.wanted && (t.node.as_deref() == Some(here.as_str())) == local;
        session.state().tasks_of(&id).find(fits).map(|t| (t.key.clone(), t.name.clone())).expect("three tasks on three nodes")
    };
    let ((mine, mine_name), (other, other_name)) = (on(true), on(false));

    let refused = act(&session, &intent(&session, Kind::Task, &other, &other_name, Action::DeleteTask { grace: None })).await;
    assert!(matches!(&refused, Err(BackendError::Unsupported(why)) if why.contains("only the engine it runs on")), "{refused:?}");

    let container = docker(&["inspect", "--type", "task", "--format", "{{.Status.ContainerStatus.ContainerID}}", &mine]);
    let expect = act(&session, &intent(&session, Kind::Task, &mine, &mine_name, Action::DeleteTask { grace: None })).await.unwrap();
    assert_eq!(expect, Expect::Replaced { task: mine.clone(), service: Some(Key::new(&id)) });
    session
        .until("another in its place", wait, |s| {
            steady(s, &id, "app:1", 3) && s.tasks_of(&id).filter(|t| t.wanted).all(|t| t.key != mine)
        })
        .await;
    assert!(!docker(&["ps", "-a", "-q", "--no-trunc"]).contains(&container), "its container is gone");
    assert!(session.state().tasks_of(&id).any(|t| t.wanted && t.key == other), "the other one was left alone");
    let again = act(&session, &intent(&session, Kind::Task, &mine, &mine_name, Action::DeleteTask { grace: None })).await;
    assert!(matches!(again, Err(BackendError::Changed(_))), "{again:?}");
}

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
