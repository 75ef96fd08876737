//! Previews of what is asked of the nodes of a swarm.
#![allow(clippy::unwrap_used)]

use super::tests::seen;
use super::*;
use crate::analysis::fixture::{Fixture, node, service, task};
use crate::model::{Availability, ClusterId, Key, NodeState, Rollout, RolloutState, Service, ServiceKind, World};

#[test]
fn the_quorum_is_counted_over_all_that_are_demoted_together() {
    let mut fleet = Fixture::of(ClusterKind::Swarm);
    for key in ["n1", "n2", "n3", "n4", "n5"] {
        let state = if key == "n5" { NodeState::Down } else { NodeState::Ready };
        fleet.node(Node { role: Text::new("manager"), state, ..node(key, "a") });
    }
    let world = World { clusters: vec![fleet.state()], ..World::default() };
    let of = |keys: &[&str], action: &Action| {
        let objects: Vec<ObjectRef> =
            keys.iter().map(|key| ObjectRef { cluster: ClusterId::from("prod"), kind: Kind::Node, key: Key::from(*key) }).collect();
        together(&world, &objects, action).map(|why| why.to_string())
    };
    let lost = |up: u32, of: u32, must: u32| {
        Some(format!("the swarm could act no more: {up} of {of} managers would answer, {must} must; bring the others back first"))
    };
    assert_eq!(of(&["n1"], &Action::Demote), None);
    assert_eq!(of(&["n1", "n2"], &Action::Demote), None, "2 of 3 answer");
    assert_eq!(of(&["n1", "n2", "n3"], &Action::Demote), lost(1, 2, 2));
    assert_eq!(of(&["n1", "n2", "n5"], &Action::Demote), None, "the one that is down is among them");
    let all = of(&["n1", "n2", "n3", "n4", "n5"], &Action::Demote);
    assert_eq!(all.as_deref(), Some("these are all its managers: the swarm would end"));
    assert_eq!(of(&["n1", "n2", "n3"], &Action::Pause), None);
    // n5 is down: one of the others must be left to take what leaves
    assert_eq!(of(&["n1", "n2", "n3"], &Action::Evacuate), None);
    let none = "no other node takes tasks, so nothing can start elsewhere first: activate one, or leave one of these out";
    assert_eq!(of(&["n1", "n2", "n3", "n4"], &Action::Evacuate).as_deref(), Some(none));
    assert_eq!(of(&["n1", "n2", "n3", "n4"], &Action::Drain), None);
}

#[test]
fn the_last_node_that_takes_tasks_is_drained_but_not_evacuated() {
    let mut fleet = Fixture::of(ClusterKind::Swarm);
    fleet.node(node("n1", "")).node(Node { availability: Availability::Paused, ..node("n2", "") });
    fleet.service(Service { kind: ServiceKind::Replicated, ..service("web", 1) }).task(task("w1", "web", "n1"));
    let why = "no other node takes tasks, so nothing can start elsewhere first: activate one, or drain it";
    assert_eq!(seen(&fleet, Kind::Node, "n1", &Action::Evacuate).unwrap_err(), why);
    let waits = "! no other node takes tasks: they will wait until one does".to_owned();
    assert!(seen(&fleet, Kind::Node, "n1", &Action::Drain).unwrap().2.contains(&waits));
}

#[test]
fn removing_a_node_that_runs_says_what_ends_there_for_good() {
    let mut fleet = Fixture::of(ClusterKind::Swarm);
    fleet.node(node("n1", "")).node(node("n2", ""));
    fleet.service(Service { kind: ServiceKind::Global, ..service("agent", 2) }).task(task("a2", "agent", "n2"));
    let lines = |fleet: &Fixture| seen(fleet, Kind::Node, "n2", &Action::RemoveNode { force: true }).unwrap().2;
    let ready = "! it is ready, not down: drain it first and let its engine leave the swarm";
    let always = [ready, "! the swarm forgets it at once"];
    assert_eq!(lines(&fleet), [&always[..], &["1 task ends here: agent runs on every node"]].concat());
    fleet.service(Service { kind: ServiceKind::Replicated, ..service("web", 2) });
    fleet.task(task("w1", "web", "n2")).task(task("w2", "web", "n2"));
    let moves = "! 2 tasks end there; new ones start where another node may run what it ran";
    assert_eq!(lines(&fleet), [&always[..], &[moves, "1 task ends here: agent runs on every node"]].concat());
}

#[test]
fn a_graceful_drain_says_which_services_no_other_node_may_run() {
    let mut fleet = Fixture::of(ClusterKind::Swarm);
    for name in ["n1", "n2", "n3"] {
        let labels = if name == "n1" { Box::from([("disk".into(), "ssd".into())]) } else { Box::default() };
        fleet.node(Node { labels, ..node(name, "") });
    }
    let swarm = |key: &str, desired: u32, placement: Option<&str>| Service {
        kind: ServiceKind::Replicated,
        placement: placement.map(Text::new),
        ..service(key, desired)
    };
    fleet.service(swarm("web", 3, None)).task(task("w1", "web", "n1")).task(task("w2", "web", "n2")).task(task("w3", "web", "n3"));
    let lines = |fleet: &Fixture| seen(fleet, Kind::Node, "n1", &Action::Evacuate).unwrap().2;
    let promise = "as many more start elsewhere first: no service has fewer than it wants meanwhile";
    assert_eq!(lines(&fleet)[1], promise);
    // one that is short already is not waited for
    fleet.service(Service { ready: 2, ..swarm("web", 3, None) });
    assert_eq!(lines(&fleet)[1], "as many more start elsewhere first: no service has fewer meanwhile than it has now");
    fleet.service(swarm("web", 3, None));
    for (placement, stays) in [
        ("node.hostname==n1", false),
        ("node.hostname != N1 · node.labels.disk == ssd", false),
        ("node.id == n1", false),
        ("node.role==manager", false),
        ("node.labels.disk==ssd", false),
        ("node.platform.os==linux", true),
        ("node.hostname!=n2", true),
    ] {
        fleet.service(swarm("pin", 1, Some(placement))).task(task("p1", "pin", "n1"));
        let found = lines(&fleet);
        let said = found.iter().any(|line| line.starts_with("! shop/pin ends here"));
        assert_eq!(said, !stays, "{placement}: {found:?}");
        assert_eq!(found[1] == promise, stays, "{placement}: {found:?}");
    }
    fleet.service(swarm("pin", 1, Some("node.hostname==n1")));
    let want = [
        "as many more of the other services start elsewhere first: none of those has fewer than it wants meanwhile",
        "! shop/pin ends here and waits: no other node may run it, so it has 0 of 1 until n1 is activated",
    ];
    assert_eq!(lines(&fleet)[1..3], want);
    // as many as fit: one a node
    fleet.service(swarm("pin", 3, Some("at most 1 a node"))).task(task("p2", "pin", "n2")).task(task("p3", "pin", "n3"));
    let found = lines(&fleet);
    assert_eq!(found[2], "! shop/pin has room for 2 of 3 on other nodes: the rest waits until n1 is activated", "{found:?}");
    // what runs to its end begins again elsewhere, or waits
    fleet.service(Service { kind: ServiceKind::SwarmJob, ..swarm("pin", 3, None) });
    let found = lines(&fleet);
    assert_eq!(found[2], "! shop/pin is a job: what it does here is cut off, and begins again elsewhere", "{found:?}");
    assert!(found[1].contains("of the other services"));
    fleet.service(Service { kind: ServiceKind::SwarmJob, ..swarm("pin", 3, Some("node.id==n1")) });
    let found = lines(&fleet);
    let waits = "! shop/pin is a job: what it does here is cut off, and begins again when n1 is activated";
    assert_eq!(found[2], waits, "{found:?}");
}

#[test]
fn a_rollout_is_waited_for_before_tasks_are_moved_and_one_that_is_paused_refuses_that() {
    let fleet = |state: RolloutState| {
        let mut fleet = Fixture::of(ClusterKind::Swarm);
        fleet.node(node("n1", "")).node(node("n2", "")).node(node("n3", ""));
        fleet.service(Service { kind: ServiceKind::Replicated, rollout: Rollout { state, note: None }, ..service("web", 2) });
        fleet.task(task("w1", "web", "n1")).task(task("w2", "web", "n1"));
        fleet
    };
    let moves =
        [(Kind::Node, "n1", Action::Evacuate), (Kind::Service, "web", Action::Rebalance), (Kind::Task, "w1", Action::Reschedule)];
    for (kind, key, action) in &moves {
        let why = seen(&fleet(RolloutState::Paused), *kind, key, action).unwrap_err();
        assert_eq!(why, "the rollout of web is paused, and any change would let it go on: redeploy or roll back first");
        for state in [RolloutState::Progressing, RolloutState::RollingBack, RolloutState::Stable] {
            let (_, _, lines) = seen(&fleet(state), *kind, key, action).unwrap();
            let waits = lines.iter().any(|line| line == "a rollout of web is under way: its end is waited for first");
            assert_eq!(waits, state != RolloutState::Stable, "{action:?}: {lines:?}");
            assert!(!lines.iter().any(|line| line.contains("another one on top")), "{lines:?}");
        }
    }
    assert!(seen(&fleet(RolloutState::Paused), Kind::Node, "n1", &Action::Drain).is_ok());
    let (_, danger, lines) = seen(&fleet(RolloutState::Paused), Kind::Service, "web", &Action::Scale { to: 3 }).unwrap();
    let goes_on = "! its rollout is paused: any change lets it go on, and so does this one".to_owned();
    assert!(danger == Danger::Disruptive && lines.contains(&goes_on), "{danger:?} {lines:?}");
}

#[test]
fn any_change_of_a_job_runs_all_of_it_again() {
    let mut fleet = Fixture::of(ClusterKind::Swarm);
    fleet.node(node("n1", "a")).node(node("n2", "b")).service(Service { kind: ServiceKind::SwarmJob, ..service("job", 3) });
    for (action, tasks) in [
        (Action::Scale { to: 5 }, 5),
        (Action::Scale { to: 3 }, 3),
        (Action::Redeploy { pull: false }, 3),
        (Action::RollBack { to: None }, 3),
    ] {
        let (_, danger, lines) = seen(&fleet, Kind::Service, "job", &action).unwrap();
        let again = format!("! any change of it runs the whole job again: {tasks} tasks");
        assert!(danger >= Danger::Disruptive && lines.contains(&again), "{action:?}: {danger:?} {lines:?}");
        let other = ["starts", "stops", "nothing changes", "replaces", "spread afterwards", "goes on"];
        assert!(!lines.iter().any(|line| other.iter().any(|word| line.contains(word))), "{action:?}: {lines:?}");
    }
}
