//! A swarm's nodes: paused, emptied, killed.

use super::*;
use crate::analysis::rollout::{Verdict, verdict};
use crate::model::{ActionKind, Found, Link, Volumes, World};
use std::sync::atomic::{AtomicBool, Ordering};

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

    for (action, want) in [
        (Action::Pause, Availability::Paused),
        (Action::Activate, Availability::Active),
        (Action::Drain, Availability::Drained),
        (Action::Activate, Availability::Active),
        (Action::Evacuate, Availability::Paused),
    ] {
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

/// The least number of running tasks a service was seen with while `stop` was not set.
fn least(service: String, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<(usize, usize)> {
    let looks = ["service", "ps", "--filter", "desired-state=running", "--format", "{{.CurrentState}}"];
    std::thread::spawn(move || {
        let (mut least, mut times) = (usize::MAX, 0);
        while !stop.load(Ordering::Relaxed) {
            let running = docker(&[&looks[..], &[&service]].concat()).lines().filter(|line| line.starts_with("Running")).count();
            (least, times) = (least.min(running), times + 1);
        }
        (least, times)
    })
}

#[tokio::test]
#[ignore = "needs a real swarm of three nodes in DOCKER_HOST, whose node3 it evacuates"]
async fn a_node_of_a_real_swarm_is_evacuated_and_no_service_has_fewer_than_it_wants() {
    let service = Service::create("dk-whole", &["--replicas", "4", "app:1"]);
    let id = service.0.clone();
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("running", wait, |s| steady(s, &id, "app:1", 4)).await;
    let node3 = session.state().nodes.iter().find(|n| n.name.as_str() == "node3").unwrap().key.clone();
    let there = |s: &ClusterState| s.tasks_of(&Key::new(&id)).filter(|t| t.node.as_ref() == Some(&node3) && t.wanted).count();
    assert!(there(session.state()) > 0, "there is something to move");
    let spec = service.spec();

    // stopped on the way, and cancelled: what was added goes again, and the node is paused
    let asked = intent(&session, Kind::Node, &node3, "node3", Action::Evacuate);
    let stopped = tokio::time::timeout(Duration::from_millis(400), act(&session, &asked)).await;
    assert!(stopped.is_err(), "it was over before it could be stopped");
    assert!(session.backend.take_back(&asked).await.unwrap().is_some());
    let paused = |s: &ClusterState| s.nodes.get(&node3).unwrap().availability == Availability::Paused;
    session.until("as before", wait, |s| paused(s) && steady(s, &id, "app:1", 4) && service.spec() == spec).await;
    assert!(there(session.state()) > 0, "nothing was stopped");

    // as a program that was killed leaves it: two more of the service, and nobody who takes them back
    let of = format!("quarterdeck.evacuation.of.{node3}=2");
    let more = ["--label-add", "quarterdeck.evacuation.wants=4", "--label-add", &of, "--replicas", "6", &id];
    docker(&[&["service", "update", "-q", "--detach", "--no-resolve-image"][..], &more].concat());
    session.until("two more", wait, |s| steady(s, &id, "app:1", 6)).await;
    let words = session.backend.take_back(&asked).await.unwrap();
    let want = "took back the tasks that 1 service had more for it (dk-whole); node3 stays paused";
    assert_eq!(words.as_deref(), Some(want));
    session.until("taken back", wait, |s| steady(s, &id, "app:1", 4) && service.spec() == spec).await;
    assert_eq!(session.backend.take_back(&asked).await.unwrap(), None, "there is nothing left of it");

    let stop = Arc::new(AtomicBool::new(false));
    let watched = least(id.clone(), Arc::clone(&stop));
    let asked = intent(&session, Kind::Node, &node3, "node3", Action::Evacuate);
    act(&session, &asked).await.unwrap();
    session.until("empty", wait, |s| there(s) == 0 && steady(s, &id, "app:1", 4)).await;
    stop.store(true, Ordering::Relaxed);
    let (least, times) = watched.join().unwrap();
    println!("never fewer than {least} of 4, looked at {times} times");
    assert_eq!((least.min(4), service.spec()), (4, spec));
    assert_eq!(session.state().nodes.get(&node3).unwrap().availability, Availability::Paused);
    let back = intent(&session, Kind::Node, &node3, "node3", Action::Activate);
    act(&session, &back).await.unwrap();
    session.until("active again", wait, |s| s.nodes.get(&node3).unwrap().availability == Availability::Active).await;

    // what it would roll back to is the definition that it had meanwhile
    assert_eq!(session.state().services.get(&id).unwrap().previous, None);
    let roll_back = intent(&session, Kind::Service, &id, "dk-whole", Action::RollBack { to: None });
    let refused = act(&session, &roll_back).await;
    assert!(matches!(&refused, Err(BackendError::Unsupported(why)) if why.contains("stood only while")), "{refused:?}");
}

#[tokio::test]
#[ignore = "needs a real swarm of three nodes in DOCKER_HOST, of which node1 and node2 (NODE1_HOST, NODE2_HOST) get an image"]
async fn no_task_of_a_real_swarm_that_runs_ends_for_one_that_cannot_start() {
    for host in ["NODE1_HOST", "NODE2_HOST"] {
        docker(&["-H", &std::env::var(host).expect("NODE1_HOST and NODE2_HOST must be set"), "tag", "app:1", "lone:1"]);
    }
    let away = "node.hostname!=node3";
    let service = Service::create("dk-lone", &["--replicas", "4", "--constraint", away, "--restart-delay", "1s", "lone:1"]);
    let id = service.0.clone();
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("running", wait, |s| steady(s, &id, "lone:1", 4)).await;
    docker(&["service", "update", "-q", "--detach", "--no-resolve-image", "--constraint-rm", away, &id]);
    session.during(Duration::from_secs(4)).await;
    let spec: serde_json::Value = serde_json::from_str(&service.spec()).unwrap();
    let node1 = session.state().nodes.iter().find(|n| n.name.as_str() == "node1").unwrap().key.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let watched = least(id.clone(), Arc::clone(&stop));
    for seconds in [2, 3, 5] {
        session.until("at rest", wait, |s| steady(s, &id, "lone:1", 4)).await;
        for asked in [
            intent(&session, Kind::Service, &id, "dk-lone", Action::Rebalance),
            intent(&session, Kind::Node, &node1, "node1", Action::Evacuate),
        ] {
            // some of what it adds is placed on node3, which has no such image
            let done = tokio::time::timeout(Duration::from_secs(seconds), act(&session, &asked)).await;
            let words = session.backend.take_back(&asked).await.unwrap();
            println!("{done:?}, {words:?}");
            assert!(!words.unwrap_or_default().contains("may have ended"));
            session.during(Duration::from_secs(2)).await;
            session.until("taken back", wait, |s| steady(s, &id, "lone:1", 4)).await;
            assert_eq!(serde_json::from_str::<serde_json::Value>(&service.spec()).unwrap(), spec);
        }
        docker(&["node", "update", "--availability", "active", "node1"]);
        session.until("active", wait, |s| s.nodes.get(&node1).unwrap().availability == Availability::Active).await;
    }
    stop.store(true, Ordering::Relaxed);
    let (least, times) = watched.join().unwrap();
    println!("never fewer than {least} of 4, looked at {times} times");
    assert!(least >= 4);
}

#[tokio::test]
#[ignore = "needs a real swarm of three nodes in DOCKER_HOST"]
async fn nothing_of_a_real_swarm_is_moved_while_it_has_paused_a_rollout() {
    let how = ["--replicas", "3", "--update-failure-action", "pause", "--update-monitor", "1s", "--restart-max-attempts", "1"];
    let service = Service::create("dk-paused", &[&how[..], &["app:1"]].concat());
    let id = service.0.clone();
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("running", wait, |s| steady(s, &id, "app:1", 3)).await;
    docker(&["service", "update", "-q", "--detach", "--no-resolve-image", "--image", "nothing.invalid/none:1", &id]);
    session.until("paused", wait, |s| s.services.get(&id).unwrap().rollout.state == RolloutState::Paused).await;
    let stands = || docker(&["service", "inspect", "--format", "{{json .Spec}} {{.UpdateStatus.State}}", &id]);
    let (before, find) = (stands(), |s: &ClusterState| s.tasks_of(&id).find(|t| t.ready).cloned().unwrap());
    let (task, state) = (find(session.state()), session.state());
    let node = task.node.clone().unwrap();
    let available = || docker(&["node", "inspect", "--format", "{{.Spec.Availability}}", &node]);
    assert!(before.ends_with("paused") && available() == "active");
    let name = state.node_name(&node).to_owned();
    for asked in [
        intent(&session, Kind::Node, &node, &name, Action::Evacuate),
        intent(&session, Kind::Task, &task.key, &task.name, Action::Reschedule),
    ] {
        let why = act(&session, &asked).await.unwrap_err().to_string();
        assert!(why.contains("the rollout of dk-paused is paused"), "{why}");
        assert_eq!((stands(), available()), (before.clone(), "active".to_owned()));
    }
}

#[tokio::test]
#[ignore = "needs a real swarm of three nodes in DOCKER_HOST, whose node3 it empties"]
async fn what_no_other_node_of_a_real_swarm_may_run_and_what_was_short_holds_nothing_up_and_is_said() {
    let wait = Duration::from_secs(90);
    let pinned = Service::create("dk-pinned", &["--constraint", "node.hostname==node3", "app:1"]);
    let one = Service::create("dk-one", &["--replicas", "3", "--replicas-max-per-node", "1", "app:1"]);
    let broken = Service::create("dk-broken", &["--replicas", "2", "nothing.invalid/none:1"]);
    let mut session = Session::open().await;
    session.until("running", wait, |s| steady(s, &pinned.0, "app:1", 1) && steady(s, &one.0, "app:1", 3)).await;
    let specs = [pinned.spec(), one.spec(), broken.spec()];
    let find = |name: &str| session.state().nodes.iter().find(|n| n.name.as_str() == name).unwrap().key.to_string();
    let node3 = find("node3");
    let preview = {
        // what the engine adds beside a session's facts
        let (mut state, about) = (session.state().clone(), session.backend.about());
        (state.cluster.kind, state.cluster.capabilities, state.cluster.link) = (about.kind, about.capabilities, Link::Live);
        let world = World { clusters: vec![Arc::new(state)], ..World::default() };
        crate::analysis::preview::preview(&world, &object(&session, Kind::Node, &node3), &Action::Evacuate).unwrap()
    };
    preview.lines.iter().for_each(|line| println!("  {}{}", if line.warning { "! " } else { "" }, line.text));
    let warns = |what: &str| preview.lines.iter().any(|line| line.warning && line.text.contains(what));
    assert!(warns("dk-pinned ends here and waits") && warns("dk-one has room for 2 of 3"));
    let began = std::time::Instant::now();
    let asked = intent(&session, Kind::Node, &node3, "node3", Action::Evacuate);
    let expect = act(&session, &asked).await.unwrap();
    assert!(began.elapsed() < wait, "{:?}", began.elapsed());
    let Expect::Evacuated { short, .. } = &expect else { panic!("{expect:?}") };
    assert!(short.contains("dk-pinned has 0 of 1 task") && short.contains("dk-one has 2 of 3 tasks"), "{short}");
    let done = |s: &ClusterState| matches!(verdict(s, &expect, Timestamp::now(), Timestamp::now()), Verdict::Done(_));
    session.until("empty", wait, done).await;
    assert_eq!([pinned.spec(), one.spec(), broken.spec()], specs);
    let back = intent(&session, Kind::Node, &node3, "node3", Action::Activate);
    act(&session, &back).await.unwrap();
    session.until("back", wait, |s| steady(s, &pinned.0, "app:1", 1) && steady(s, &one.0, "app:1", 3)).await;
}

/// The zones of the service's wanted tasks, sorted.
fn lie(s: &ClusterState, id: &str) -> Vec<String> {
    let live = s.tasks_of(id).filter(|t| t.wanted && !t.state.ended());
    let mut all: Vec<String> = live.filter_map(|t| Some(s.nodes.get(t.node.as_ref()?)?.zone.as_ref()?.to_string())).collect();
    all.sort();
    all
}

#[tokio::test]
#[ignore = "needs a real swarm of three nodes in DOCKER_HOST"]
async fn a_service_of_a_real_swarm_is_spread_over_zones_and_has_never_fewer_than_it_wants() {
    let wait = Duration::from_secs(60);
    let zone = |node: &str, zone: &str| docker(&["node", "update", "--label-add", &format!("zone={zone}"), node]);
    // where it is made; how it lies then; the zone of node2; how it should lie
    for (made, before, second, after) in [
        ("node.hostname==node1", vec!["a"; 4], "b", vec!["a", "a", "b", "c"]),
        // a swarm itself spreads over nodes: two of one zone look even to it, and one of them must be emptied
        ("node.hostname!=node3", vec!["a", "a"], "a", vec!["a", "c"]),
    ] {
        zone("node2", second);
        let n = u32::try_from(before.len()).unwrap();
        let count = n.to_string();
        let service = Service::create("dk-zones", &["--replicas", &count, "--constraint", made, "app:1"]);
        let id = service.0.clone();
        let mut session = Session::open().await;
        session.until("running", wait, |s| steady(s, &id, "app:1", n)).await;
        docker(&["service", "update", "-q", "--detach", "--no-resolve-image", "--constraint-rm", made, &id]);
        session.during(Duration::from_secs(4)).await;
        session.until("still where it was", wait, |s| steady(s, &id, "app:1", n)).await;
        assert_eq!(lie(session.state(), &id), before);
        let spec = service.spec();
        let stop = Arc::new(AtomicBool::new(false));
        let watched = least(id.clone(), Arc::clone(&stop));
        let asked = intent(&session, Kind::Service, &id, "dk-zones", Action::Rebalance);
        let expect = act(&session, &asked).await;
        stop.store(true, Ordering::Relaxed);
        let (least, times) = watched.join().unwrap();
        println!("never fewer than {least} of {n}, looked at {times} times");
        let expect = expect.unwrap();
        let done = |s: &ClusterState| matches!(verdict(s, &expect, Timestamp::now(), Timestamp::now()), Verdict::Done(_));
        let after: Vec<String> = after.iter().map(ToString::to_string).collect();
        session.until("spread anew", wait, |s| done(s) && lie(s, &id) == after).await;
        assert!(least >= n as usize);
        let (spec, now): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&spec).unwrap(), serde_json::from_str(&service.spec()).unwrap());
        assert_eq!(now, spec);

        // nothing more can be won: nothing is restarted
        let tasks = |s: &ClusterState| s.tasks_of(&id).filter(|t| t.wanted).map(|t| t.key.clone()).collect::<Vec<_>>();
        let held = tasks(session.state());
        act(&session, &intent(&session, Kind::Service, &id, "dk-zones", Action::Rebalance)).await.unwrap();
        session.during(Duration::from_secs(3)).await;
        assert_eq!(tasks(session.state()), held);
    }
    zone("node2", "b");
}

#[tokio::test]
#[ignore = "needs a real swarm of three nodes in DOCKER_HOST"]
async fn a_move_of_a_real_swarm_that_a_killed_program_left_is_gone_on_with_or_taken_back() {
    let service = Service::create("dk-left", &["--replicas", "1", "app:1"]);
    let id = service.0.clone();
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("running", wait, |s| steady(s, &id, "app:1", 1)).await;
    let spec = service.spec();
    let task = |s: &ClusterState| s.tasks_of(&id).find(|t| t.wanted && t.ready).map(|t| (t.key.clone(), t.node.clone().unwrap()));
    for goes_on in [false, true] {
        session.until("its task is ready", wait, |s| task(s).is_some()).await;
        let (key, node) = task(session.state()).unwrap();
        let asked = intent(&session, Kind::Task, &key, "dk-left.1", Action::Reschedule);
        // as a program that was killed leaves it
        let (label, rule) = (format!("quarterdeck.avoids.{key}={node}"), format!("node.id!={node}"));
        let more = ["--label-add", &label, "--constraint-add", &rule, &id];
        docker(&[&["service", "update", "-q", "--detach", "--no-resolve-image"][..], &more].concat());
        session.until("moved", wait, |s| task(s).is_some_and(|(now, on)| now != key && on != node)).await;
        if goes_on {
            let expect = act(&session, &asked).await.unwrap();
            assert_eq!(expect, Expect::Replaced { task: key, service: Some(Key::new(&id)) });
        } else {
            let words = session.backend.take_back(&asked).await.unwrap();
            assert_eq!(words.as_deref(), Some("its old node is allowed again (dk-left)"));
        }
        assert_eq!(session.backend.take_back(&asked).await.unwrap(), None, "there is nothing left of it");
        let (was, now): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&spec).unwrap(), serde_json::from_str(&service.spec()).unwrap());
        assert_eq!(now, was);
    }
}

#[tokio::test]
#[ignore = "needs a real swarm in DOCKER_HOST, whose manager node1 it kills"]
async fn a_killed_manager_ends_the_session_and_a_new_one_begins_when_it_is_back() {
    let mut session = Session::open().await;
    session.until("listed", Duration::from_secs(10), |s| s.nodes.iter().count() == 3).await;
    testbed(&["kill", "1"]);
    let began = Instant::now();
    while !session.is_over() {
        assert!(began.elapsed() < Duration::from_secs(15), "the session goes on without an engine");
        session.during(Duration::from_millis(100)).await;
    }
    println!("over after {:?}", began.elapsed());
    assert!(session.backend.ping().await.is_err());
    testbed(&["start", "1"]);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut again = Session::open().await;
    let ready = |s: &ClusterState| s.nodes.iter().filter(|n| n.state == NodeState::Ready).count() == 3;
    again.until("all nodes are ready again", Duration::from_secs(60), ready).await;
}

#[tokio::test]
#[ignore = "needs a real swarm of three nodes in DOCKER_HOST, whose node2 it labels"]
async fn a_node_of_a_real_swarm_is_labelled_and_tasks_that_no_longer_fit_leave_it() {
    let label = |line: &str| Action::Label { edits: crate::analysis::edits::labels(line, false).unwrap() };
    let wait = Duration::from_secs(30);
    docker(&["node", "update", "--label-add", "dk-kept=é=1", "node2"]);
    let mut session = Session::open().await;
    session.until("three nodes", wait, |s| s.nodes.iter().count() == 3).await;
    let node2 = session.state().nodes.iter().find(|n| n.name.as_str() == "node2").unwrap().key.clone();
    let shows = |s: &ClusterState, key: &str, value: Option<&str>| {
        s.nodes.get(&node2).unwrap().label(key).map(|value| value.as_str()) == value
    };
    session.until("the label of before", wait, |s| shows(s, "dk-kept", Some("é=1"))).await;
    let set = intent(&session, Kind::Node, &node2, "node2", label("dk-here=yes dk-none-"));
    let expect = act(&session, &set).await.unwrap();
    let done = |s: &ClusterState| matches!(verdict(s, &expect, Timestamp::now(), Timestamp::now()), Verdict::Done(_));
    session.until("labelled", wait, done).await;
    assert!(shows(session.state(), "dk-kept", Some("é=1")), "others stay");
    let stale = act(&session, &set).await;
    assert!(matches!(stale, Err(BackendError::Changed(_))), "{stale:?}");
    let service = Service::create("dk-label", &["--replicas", "2", "--constraint", "node.labels.dk-here==yes", "app:1"]);
    let id = service.0.clone();
    session.until("both on node2", wait * 2, |s| steady(s, &id, "app:1", 2)).await;
    let unset = intent(&session, Kind::Node, &node2, "node2", label("dk-here-"));
    act(&session, &unset).await.unwrap();
    session.until("no longer labelled", wait, |s| shows(s, "dk-here", None)).await;
    let left = |s: &ClusterState| s.tasks_of(&id).filter(|t| t.node.as_ref() == Some(&node2) && !t.state.ended()).count();
    session.until("its tasks left", wait * 2, |s| left(s) == 0).await;
    docker(&["node", "update", "--label-rm", "dk-kept", "node2"]);
}

#[tokio::test]
#[ignore = "needs a real swarm of three nodes in DOCKER_HOST, of which it promotes and demotes node2"]
async fn a_worker_of_a_real_swarm_is_promoted_and_demoted_and_one_that_is_up_is_not_removed() {
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("listed", wait, |s| s.nodes.iter().filter(|n| n.state == NodeState::Ready).count() == 3).await;
    let node2 = session.state().nodes.iter().find(|n| n.name.as_str() == "node2").unwrap().key.clone();
    for (action, role) in [(Action::Promote, "manager"), (Action::Demote, "worker")] {
        let asked = intent(&session, Kind::Node, &node2, "node2", action);
        let expect = act(&session, &asked).await.unwrap();
        let done = |s: &ClusterState| matches!(verdict(s, &expect, Timestamp::now(), Timestamp::now()), Verdict::Done(_));
        session.until(role, wait, done).await;
        assert_eq!(session.state().nodes.get(&node2).unwrap().role.as_str(), role);
        let stale = act(&session, &asked).await;
        assert!(matches!(stale, Err(BackendError::Changed(_))), "{stale:?}");
        // a manager that was just made is not a part of all at once
        session.during(Duration::from_secs(3)).await;
    }
    let up = act(&session, &intent(&session, Kind::Node, &node2, "node2", Action::RemoveNode { force: false })).await;
    assert!(up.is_err_and(|why| why.to_string().contains("not down")));
    let leader = session.state().nodes.iter().find(|n| n.role.as_str() == "leader").unwrap().key.clone();
    let last = act(&session, &intent(&session, Kind::Node, &leader, "node1", Action::Demote)).await;
    assert!(last.is_err(), "the swarm itself keeps its last manager: {last:?}");
}

#[tokio::test]
#[ignore = "needs a real swarm of three nodes in DOCKER_HOST, whose node3 (NODE3_HOST) it kills, removes and lets join anew"]
async fn a_node_of_a_real_swarm_that_is_down_is_removed() {
    let third = std::env::var("NODE3_HOST").expect("NODE3_HOST must be set");
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    let ready = |s: &ClusterState| s.nodes.iter().filter(|n| n.state == NodeState::Ready).count() == 3;
    session.until("all are ready", wait, ready).await;
    let node3 = session.state().nodes.iter().find(|n| n.name.as_str() == "node3").unwrap().key.clone();
    testbed(&["kill", "3"]);
    session.until("node3 is down", wait, |s| s.nodes.get(&node3).unwrap().state == NodeState::Down).await;
    let remove = intent(&session, Kind::Node, &node3, "node3", Action::RemoveNode { force: false });
    let expect = act(&session, &remove).await.unwrap();
    assert_eq!(expect, Expect::Gone { kind: Kind::Node, key: node3.clone() });
    session.until("removed", wait, |s| s.nodes.get(&node3).is_none()).await;
    let again = act(&session, &remove).await;
    assert!(matches!(again, Err(BackendError::NotFound(_))), "{again:?}");

    let token = docker(&["swarm", "join-token", "-q", "worker"]);
    testbed(&["start", "3"]);
    docker(&["-H", &third, "swarm", "leave", "--force"]);
    let own = ["--advertise-addr", "10.77.0.3", "--listen-addr", "10.77.0.3:2377", "10.77.0.1:2377"];
    docker(&[&["-H", &third, "swarm", "join", "--token", &token][..], &own].concat());
    docker(&["node", "update", "--label-add", "zone=c", "node3"]);
    session.until("all are ready again", wait, ready).await;
}

#[tokio::test]
#[ignore = "needs a real swarm in DOCKER_HOST, whose join tokens it makes anew"]
async fn the_join_tokens_of_a_real_swarm_are_made_anew_one_by_one() {
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("listed", wait, |s| s.nodes.iter().any(|n| n.role.as_str() == "leader")).await;
    let leader = session.state().nodes.iter().find(|n| n.role.as_str() == "leader").unwrap().key.clone();
    let tokens = || ["worker", "manager"].map(|role| docker(&["swarm", "join-token", "-q", role]));
    let version = async |session: &Session| {
        let found = session.backend.survey(&object(session, Kind::Node, &leader), ActionKind::RotateToken).await.unwrap();
        let Found::Swarm(version) = found else { panic!("another answer") };
        version
    };
    let mut before = tokens();
    for managers in [false, true] {
        let seen = version(&session).await;
        let rotate = Action::RotateToken { managers, version: Some(seen) };
        let asked = intent(&session, Kind::Node, &leader, "node1", rotate);
        let expect = act(&session, &asked).await.unwrap();
        assert!(matches!(verdict(session.state(), &expect, Timestamp::now(), Timestamp::now()), Verdict::Done(_)));
        let (after, which) = (tokens(), usize::from(managers));
        assert!(before[which] != after[which] && before[1 - which] == after[1 - which]);
        let (token, address) = session.backend.join(managers).await.unwrap();
        assert_eq!((token.reveal(), address.as_str()), (after[which].as_str(), "10.77.0.1:2377"));
        let stale = act(&session, &asked).await;
        assert!(matches!(stale, Err(BackendError::Changed(_))), "{stale:?}");
        assert_eq!(tokens(), after, "one that is out of date changes nothing");
        before = after;
    }
}

#[tokio::test]
#[ignore = "needs a real swarm in DOCKER_HOST, whose manager's engine it prunes"]
async fn the_engine_of_a_manager_is_pruned_and_its_services_go_on() {
    let service = Service::create("dk-prune", &["--replicas", "2", "--constraint", "node.role==manager", "app:1"]);
    let id = service.0.clone();
    let mut session = Session::open().await;
    let wait = Duration::from_secs(60);
    session.until("running", wait, |s| steady(s, &id, "app:1", 2)).await;
    let own = session.backend.about().engine.unwrap();
    let ended = ["ps", "-aq", "--filter", "label=com.docker.swarm.service.name=dk-prune", "--filter", "status=exited"];
    docker(&["service", "update", "--force", "--detach", "dk-prune"]);
    session.during(Duration::from_secs(3)).await;
    session.until("running anew", wait, |s| steady(s, &id, "app:1", 2)).await;
    assert!(!docker(&ended).is_empty(), "nothing has ended");
    let found = session.backend.survey(&object(&session, Kind::Node, &own), ActionKind::Prune).await.unwrap();
    let Found::Leftovers(seen) = found else { panic!("another answer") };
    let prune = Action::Prune { volumes: Volumes::Kept, seen };
    let expect = act(&session, &intent(&session, Kind::Node, &own, "node1", prune)).await.unwrap();
    assert!(matches!(&expect, Expect::Seen { gone, whole: true, .. } if gone.is_empty()), "{expect:?}");
    assert_eq!(docker(&ended), "");
    session.during(Duration::from_secs(5)).await;
    assert!(steady(session.state(), &id, "app:1", 2), "its tasks were not touched");
}
