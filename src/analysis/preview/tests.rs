//! Each preview as a row: the fleet, the action, and every line of the dialog (`!` stands before what could go wrong).

use super::*;
use crate::analysis::fixture::{Fixture, kept, node, service, small, task};
use crate::model::{
    Answer, Autoscaler, Availability, Budget, ClusterId, ClusterKind, Earlier, Effect, Found, Key, Node, NodeState, Propagation,
    Rollout, RolloutState, Service, ServiceKind, Survey, Taint, Task, TaskState, UpdateStrategy, World,
};
use std::sync::Arc;

pub(super) fn seen(fixture: &Fixture, kind: Kind, key: &str, action: &Action) -> Result<(String, Danger, Vec<String>), String> {
    let world = World { clusters: vec![fixture.state()], ..World::default() };
    let object = ObjectRef { cluster: ClusterId::from("prod"), kind, key: Key::from(key) };
    preview(&world, &object, action).map_err(|why| why.to_string()).map(|p| {
        let lines = p.lines.iter().map(|l| format!("{}{}", if l.warning { "! " } else { "" }, l.text)).collect();
        (p.title.to_string(), p.danger, lines)
    })
}

/// [`small`], with the agent on its second node, too.
pub(super) fn fleet(kind: ClusterKind) -> Fixture {
    let mut fleet = small(kind);
    fleet.task(task("a2", "agent", "n2"));
    fleet
}

#[test]
fn scaling_says_how_many_and_where_and_to_zero_needs_the_name() {
    let fleet = fleet(ClusterKind::Kubernetes);
    let (title, danger, lines) = seen(&fleet, Kind::Service, "web", &Action::Scale { to: 5 }).unwrap();
    assert_eq!((title.as_str(), danger), ("scale shop/web 3→5", Danger::Reversible));
    assert_eq!(lines, ["starts 2 more tasks", "spread afterwards, if the scheduler evens out: a 3 · b 2  (now 2 · 1)"]);
    let (_, danger, lines) = seen(&fleet, Kind::Service, "web", &Action::Scale { to: 0 }).unwrap();
    assert_eq!(danger, Danger::Destructive);
    assert_eq!(lines[1], "! nothing of it runs any more until it is scaled up again");
    let refused = seen(&fleet, Kind::Service, "agent", &Action::Scale { to: 5 }).unwrap_err();
    assert_eq!(refused, "a daemonset runs one task on every fitting node; it has no number to change");
    let mut fleet = fleet;
    for (min, from, to, danger, words) in [
        (2, 3, 4, Danger::Disruptive, "sets this number itself and may undo it: hpa, 2 to 9"),
        (2, 3, 1, Danger::Disruptive, "sets it back to 2 soon: hpa, 2 to 9"),
        (2, 3, 10, Danger::Disruptive, "sets it back to 9 soon: hpa, 2 to 9"),
        (2, 3, 0, Danger::Destructive, "stops until it is scaled up again by hand: hpa, 2 to 9"),
        // it may be let to go down to none, and then comes back from there
        (0, 3, 0, Danger::Destructive, "sets this number itself and may undo it: hpa, 0 to 9"),
        (2, 0, 3, Danger::Disruptive, "begins again and sets this number itself: hpa, 2 to 9"),
    ] {
        let autoscaler = Some(Autoscaler { name: Text::new("hpa"), min, max: 9 });
        fleet.service(Service { autoscaler, ..service("web", from) });
        let (_, found, lines) = seen(&fleet, Kind::Service, "web", &Action::Scale { to }).unwrap();
        assert_eq!(found, danger, "{from} to {to}");
        assert!(lines.contains(&format!("! the autoscaler {words}")), "{from} to {to}: {lines:?}");
    }
}

#[test]
fn nothing_is_counted_before_all_of_it_is_seen() {
    use crate::model::{Change, Delta, Link};
    let mut fleet = fleet(ClusterKind::Kubernetes);
    let held = |fleet: &Fixture, kind, key: &str, action| {
        let world = World { clusters: vec![fleet.state()], ..World::default() };
        let object = ObjectRef { cluster: ClusterId::from("prod"), kind, key: Key::from(key) };
        preview(&world, &object, &action).unwrap().held.map(|why| why.to_string())
    };
    assert_eq!(held(&fleet, Kind::Node, "n1", Action::Evacuate), None);
    fleet.delta(Delta::Link(Link::Connecting)).delta(Delta::Link(Link::Live));
    fleet.delta(Delta::Service(Change::End));
    for (kind, key, action) in [
        (Kind::Node, "n1", Action::Evacuate),
        (Kind::Node, "n1", Action::Pause),
        (Kind::Service, "web", Action::Rebalance),
        (Kind::Task, "w1", Action::Reschedule),
    ] {
        assert_eq!(held(&fleet, kind, key, action.clone()).as_deref(), Some("wait until the tasks have been read"), "{action:?}");
    }
    assert_eq!(held(&fleet, Kind::Service, "web", Action::Scale { to: 4 }), None, "it counts none of them");
    fleet.delta(Delta::Task(Change::Failed("forbidden".into())));
    let (_, _, lines) = seen(&fleet, Kind::Node, "n1", &Action::Evacuate).unwrap();
    assert_eq!(lines[0], "! the tasks cannot be read, so what moves is not known: forbidden");
    fleet.delta(Delta::Task(Change::Narrowed("only namespace shop".into())));
    let (_, _, lines) = seen(&fleet, Kind::Node, "n1", &Action::Evacuate).unwrap();
    assert_eq!(lines[0], "! not all tasks are counted here: only namespace shop");
}

#[test]
fn evacuating_tells_what_moves_what_waits_what_stays_and_the_spread_after() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    fleet.task(task("bare", "", "n1"));
    let (title, danger, lines) = seen(&fleet, Kind::Node, "n1", &Action::Evacuate).unwrap();
    assert_eq!((title.as_str(), danger), ("evacuate node n1", Danger::Destructive));
    assert_eq!(
        lines,
        [
            "no new tasks are placed here; moves 3 tasks of 2 services",
            "! 1 task waits: shop/cart may lose none now (budget cart-pdb: min available 1)",
            "2 can move now",
            "1 task stays: agent runs on every node",
            "! 1 task stays: bare belongs to no service, nothing would make a new one",
            "! shop/cart has one task only and will not serve for a while",
            "spread afterwards: web a 0 · b 3  (was 2 · 1)",
            "what tasks keep on the node's own disk (emptyDir) is lost",
        ]
    );
    fleet.node(Node { availability: Availability::Paused, ..node("n2", "b") });
    let (_, _, lines) = seen(&fleet, Kind::Node, "n1", &Action::Evacuate).unwrap();
    assert!(lines.contains(&"! no other node takes tasks: they will wait until one does".to_owned()), "{lines:?}");
}

#[test]
fn evacuating_moves_what_a_controller_of_another_kind_makes_again_and_leaves_what_is_the_nodes() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    for (key, controller) in [("db-1", "Cluster"), ("db-2", "Cluster"), ("etcd-n1", "Node"), ("lost", "DaemonSet")] {
        fleet.task(kept(key, controller, "n1"));
    }
    let (_, _, lines) = seen(&fleet, Kind::Node, "n1", &Action::Evacuate).unwrap();
    let others = "moves 2 tasks of no service here, which their controller makes again: db-1 (Cluster), db-2 (Cluster); \
                  whether a budget holds them is seen when they are told to go";
    for line in [
        "no new tasks are placed here; moves 3 tasks of 2 services",
        others,
        "2 tasks stay: a DaemonSet, agent run on every node",
        "1 task stays: etcd-n1 belongs to the node itself",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}: {lines:?}");
    }
    assert!(!lines.iter().any(|line| line.contains("nothing would make a new one")), "{lines:?}");
    // alone on a node that takes nothing already
    let mut fleet = Fixture::of(ClusterKind::Kubernetes);
    fleet.node(Node { availability: Availability::Paused, ..node("n1", "a") }).node(node("n2", "b")).task(kept("rc", "RC", "n1"));
    let (_, _, lines) = seen(&fleet, Kind::Node, "n1", &Action::Evacuate).unwrap();
    let one = "moves 1 task of no service here, which its controller makes again: rc (RC); \
               whether a budget holds it is seen when it is told to go";
    assert_eq!(lines[..2], ["no new tasks are placed here", one]);
    // and one by one
    let (_, _, lines) = seen(&fleet, Kind::Task, "rc", &Action::Reschedule).unwrap();
    assert_eq!(lines, ["evicts it from n1; its controller (RC) makes a new one where the scheduler puts it"]);
    let (_, danger, lines) = seen(&fleet, Kind::Task, "rc", &Action::DeleteTask { grace: None }).unwrap();
    assert_eq!((danger, lines[0].as_str()), (Danger::Destructive, "ends it; its controller (RC) makes a new one"));
    fleet.task(kept("etcd-n1", "Node", "n1"));
    let refused = seen(&fleet, Kind::Task, "etcd-n1", &Action::Reschedule).unwrap_err();
    assert_eq!(refused, "it is a static pod: it belongs to its node");
    let (_, _, lines) = seen(&fleet, Kind::Task, "etcd-n1", &Action::DeleteTask { grace: None }).unwrap();
    assert_eq!(lines[0], "it is a static pod: its node shows it again, and what runs goes on");
}

#[test]
fn a_swarm_says_that_its_drain_moves_all_at_once() {
    let (_, _, lines) = seen(&fleet(ClusterKind::Swarm), Kind::Node, "n1", &Action::Drain).unwrap();
    assert_eq!(lines[1], "! Swarm moves all at once and stops each before its replacement starts");
    assert_eq!(lines[2], "the node stays drained");
    let (_, _, lines) = seen(&fleet(ClusterKind::Swarm), Kind::Node, "n1", &Action::Evacuate).unwrap();
    assert_eq!(lines[1], "as many more start elsewhere first: no service has fewer than it wants meanwhile");
    assert!(!lines.iter().any(|line| line.contains("will not serve")), "{lines:?}");
    let (_, _, lines) = seen(&fleet(ClusterKind::Swarm), Kind::Task, "w1", &Action::Reschedule).unwrap();
    assert_eq!(lines[1], "! Swarm cannot move a single task: all 2 tasks of the service on n1 move");
}

#[test]
fn moving_or_deleting_a_task_says_what_becomes_of_its_service() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    let (_, danger, lines) = seen(&fleet, Kind::Task, "c1", &Action::Reschedule).unwrap();
    assert_eq!(danger, Danger::Disruptive);
    assert_eq!(
        lines[1..],
        [
            "! waits: budget cart-pdb allows no task to be taken away now (min available 1)",
            "! it is the only ready task of cart: nothing serves until the new one is ready",
        ]
    );
    fleet.task(task("bare", "", "n1"));
    let (_, danger, lines) = seen(&fleet, Kind::Task, "bare", &Action::DeleteTask { grace: None }).unwrap();
    assert_eq!((danger, lines[0].as_str()), (Danger::Destructive, "! it belongs to no service: nothing makes a new one"));
    let (title, _, lines) = seen(&fleet, Kind::Task, "bare", &Action::DeleteTask { grace: Some(0) }).unwrap();
    assert_eq!(title, "delete bare within 0 s");
    assert!(lines[1].starts_with("! it is killed at once") && lines[2].contains("it may go on, unseen"), "{lines:?}");
}

#[test]
fn rebalancing_and_rolling_back_say_what_they_find() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    let refused = seen(&fleet, Kind::Service, "web", &Action::Rebalance).unwrap_err();
    assert_eq!(refused, "its tasks are spread as evenly as the nodes that take them allow, nothing would move");
    let refused = seen(&fleet, Kind::Service, "cart", &Action::Rebalance).unwrap_err();
    assert_eq!(refused, "its one task may stay where it is, nothing would move");
    fleet.service(service("idle", 0));
    let refused = seen(&fleet, Kind::Service, "idle", &Action::Rebalance).unwrap_err();
    assert_eq!(refused, "it has no tasks, nothing would move");
    fleet.task(task("w3", "web", "n1"));
    let (_, _, lines) = seen(&fleet, Kind::Service, "web", &Action::Rebalance).unwrap();
    assert_eq!(
        lines,
        [
            "moves 1 of 3 tasks, one at a time, each after the one before is ready again",
            "each is told to go before its new one starts: it has one fewer meanwhile",
            "spread now: a 3 · b 0",
            "spread afterwards, if the scheduler evens out: a 2 · b 1",
        ]
    );
    let (_, _, lines) = seen(&fleet, Kind::Service, "web", &Action::RollBack { to: None }).unwrap();
    assert_eq!(lines[0], "goes back to revision 6");
    fleet.service(Service { previous: None, ..service("web", 3) });
    let refused = seen(&fleet, Kind::Service, "web", &Action::RollBack { to: None }).unwrap_err();
    assert_eq!(refused, "there is no earlier definition to go back to");
}

#[test]
fn a_protected_cluster_raises_every_step_and_one_that_is_away_refuses() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    let mut state = (*fleet.state()).clone();
    state.cluster.protected = true;
    let world = World { clusters: vec![Arc::new(state)], ..World::default() };
    let object = ObjectRef { cluster: ClusterId::from("prod"), kind: Kind::Service, key: Key::from("web") };
    assert_eq!(preview(&world, &object, &Action::Redeploy { pull: false }).unwrap().danger, Danger::Disruptive);
    fleet.delta(crate::model::Delta::Link(Link::Connecting));
    let refused = seen(&fleet, Kind::Service, "web", &Action::Redeploy { pull: false }).unwrap_err();
    assert_eq!(refused, "prod is connecting: what is seen may be old, so nothing is sent");
}

#[test]
fn an_empty_node_has_nothing_to_give_away() {
    let mut fleet = Fixture::of(ClusterKind::Kubernetes);
    fleet.node(node("n1", "a")).node(node("n2", "b"));
    let (_, _, lines) = seen(&fleet, Kind::Node, "n1", &Action::Evacuate).unwrap();
    assert_eq!(lines, ["no new tasks are placed here; it has none that would move"]);
    fleet.node(Node { availability: Availability::Paused, ..node("n1", "a") });
    let refused = seen(&fleet, Kind::Node, "n1", &Action::Evacuate).unwrap_err();
    assert_eq!(refused, "it is paused already and has no tasks that would move");
    // a drain is more than a pause
    assert!(seen(&fleet, Kind::Node, "n1", &Action::Drain).is_ok());
    fleet.service(service("web", 1)).task(task("w1", "web", "n1"));
    assert!(seen(&fleet, Kind::Node, "n1", &Action::Evacuate).is_ok());
}

#[test]
fn what_a_platform_would_refuse_for_the_kind_of_a_thing_is_refused_before() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    fleet.task(task("bare", "", "n1"));
    fleet.service(Service { kind: ServiceKind::Job, ..service("migrate", 1) });
    for (kind, key, action, why) in [
        (Kind::Service, "agent", Action::Rebalance, "a daemonset runs one task on every fitting node; there is nothing to move"),
        (Kind::Service, "migrate", Action::Redeploy { pull: false }, "a job does not replace its tasks"),
        (Kind::Service, "migrate", Action::Scale { to: 2 }, "the number of tasks of a job is not a setting of it"),
        (Kind::Task, "bare", Action::Reschedule, "no service would make it again; delete it if that is meant"),
        (Kind::Task, "a1", Action::Reschedule, "its service runs one on each node: it would come back here"),
        (Kind::Task, "w1", Action::Start, "it runs already"),
    ] {
        assert_eq!(seen(&fleet, kind, key, &action).unwrap_err(), why);
    }
    assert!(seen(&fleet, Kind::Service, "agent", &Action::Redeploy { pull: false }).is_ok());
}

#[test]
fn a_new_definition_says_which_tasks_keep_theirs_and_is_refused_where_none_would_take_it() {
    let set = |strategy| Service { kind: ServiceKind::StatefulSet, strategy, ..service("db", 3) };
    let mut fleet = Fixture::of(ClusterKind::Kubernetes);
    fleet.service(set(UpdateStrategy::Partition(2)));
    for n in 0..3 {
        fleet.task(Task { name: Text::from(format!("db-{n}")), ..task(&format!("uid-{}", 9 - n), "db", "n1") });
    }
    let image = || Action::SetImage { container: "main".into(), image: "web:2".into() };
    let keep = "the first 2 tasks keep the definition they have (partition): db-0, db-1";
    for (action, replaces) in [
        (image(), "replaces 1 task, a few at a time"),
        (Action::Redeploy { pull: false }, "replaces 1 task by new ones of the same definition, a few at a time"),
        (Action::RollBack { to: None }, "replaces 1 task of the newest definition, a few at a time"),
    ] {
        let (_, _, lines) = seen(&fleet, Kind::Service, "db", &action).unwrap();
        assert!(lines.iter().any(|line| line == replaces) && lines.iter().any(|line| line == keep), "{lines:?}");
    }
    fleet.service(set(UpdateStrategy::Partition(1)));
    let (_, _, lines) = seen(&fleet, Kind::Service, "db", &image()).unwrap();
    assert!(lines.contains(&"the first task keeps the definition it has (partition): db-0".to_owned()), "{lines:?}");
    fleet.service(set(UpdateStrategy::Partition(9)));
    let (_, _, lines) = seen(&fleet, Kind::Service, "db", &image()).unwrap();
    let none = "no task takes it by itself: all 3 keep the definition they have (partition)";
    assert!(lines.contains(&none.to_owned()) && !lines.iter().any(|line| line.contains("replaces")), "{lines:?}");
    for kind in [ServiceKind::StatefulSet, ServiceKind::DaemonSet] {
        fleet.service(Service { kind, ..set(UpdateStrategy::OnDelete) });
        for action in [image(), Action::Redeploy { pull: false }, Action::RollBack { to: None }] {
            let refused = seen(&fleet, Kind::Service, "db", &action).unwrap_err();
            assert_eq!(refused, "its update strategy is OnDelete: delete its tasks one by one instead", "{action:?}");
        }
    }
    fleet.service(set(UpdateStrategy::OnDelete));
    assert!(seen(&fleet, Kind::Service, "db", &Action::Scale { to: 5 }).is_ok());
}

#[test]
fn two_budgets_on_one_task_are_said_before_for_the_server_evicts_it_never() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    let budget = Budget { name: "web-a".into(), allowed: 1, rule: "min available 1".into(), beside: Some("web-b".into()) };
    fleet.service(Service { budget: Some(budget), ..service("web", 3) });
    let (_, _, lines) = seen(&fleet, Kind::Node, "n1", &Action::Evacuate).unwrap();
    let never = "! 2 tasks never go: shop/web has two budgets, web-a and web-b, and the server evicts nothing that two cover";
    assert!(lines.contains(&never.to_owned()) && lines.contains(&"0 can move now".to_owned()), "{lines:?}");
    let one = "! it is never let go: two budgets cover it, web-a and web-b, and the server evicts nothing that two cover";
    let (_, _, lines) = seen(&fleet, Kind::Task, "w1", &Action::Reschedule).unwrap();
    assert!(lines.contains(&one.to_owned()), "{lines:?}");
}

#[test]
fn holding_says_what_stops_and_resuming_what_begins() {
    use ServiceKind::{CronJob, Job, StatefulSet};
    let progressing = || Rollout { state: RolloutState::Progressing, note: None };
    let paused = || Rollout { state: RolloutState::Paused, note: None };
    let of = |kind, desired, row: Service| Service { kind, desired, ..row };
    let web = || service("it", 3);
    let idle = || Service { current: 0, updated: 0, ready: 0, ..web() };
    let check = |name, row: Service, action: Action, want: Result<(Danger, Vec<&str>), &str>| {
        let mut fleet = Fixture::of(ClusterKind::Kubernetes);
        fleet.service(row);
        let found = seen(&fleet, Kind::Service, "it", &action).map(|(_, danger, lines)| (danger, lines));
        let want = want.map(|(danger, lines)| (danger, lines.into_iter().map(str::to_owned).collect())).map_err(str::to_owned);
        assert_eq!(found, want, "{name}");
    };
    let reversible = |lines: &[&'static str]| Ok((Danger::Reversible, lines.to_vec()));
    let stays = "a new definition makes no new tasks until it is resumed; scaling still works";
    check("at rest", web(), Action::Hold, reversible(&[stays]));
    let under_way = Service { rollout: progressing(), updated: 1, ..web() };
    let where_it_is = "! a rollout is under way: it stays where it is, 1 of 3 tasks renewed";
    check("in a rollout", under_way, Action::Hold, reversible(&[stays, where_it_is]));
    let held = || Service { rollout: paused(), updated: 1, ..web() };
    check("twice", held(), Action::Hold, Err("it is held already"));
    check("not held", web(), Action::Resume, Err("it is not held"));
    check("on", held(), Action::Resume, reversible(&["replaces 2 tasks of an earlier definition, a few at a time"]));
    check("redeployed", held(), Action::Redeploy { pull: false }, Err("its rollout is paused: resume it first"));
    check("rolled back", held(), Action::RollBack { to: None }, Err("its rollout is paused: resume it first"));
    let db = of(StatefulSet, Some(3), web());
    check("db", db, Action::Hold, Err("a statefulset cannot be held; only a deployment, a job or a cronjob can"));
    check("no clock", web(), Action::Trigger, Err("a deployment does not run by the clock"));

    let job = || of(Job, Some(2), Service { rollout: progressing(), current: 2, ..idle() });
    let lost = "! what those tasks did so far is lost unless they keep it themselves";
    let ends = "ends its 2 running tasks; new ones start when it is resumed";
    check("a job", job(), Action::Hold, Ok((Danger::Disruptive, vec![ends, lost])));
    let over = of(Job, Some(0), Service { rollout: Rollout::STABLE, ..idle() });
    check("a job that ended", over, Action::Hold, Err("it has ended"));
    let held_job = Service { suspended: true, current: 0, ..job() };
    check("a held job", held_job, Action::Resume, reversible(&["starts its tasks"]));

    let cron = |suspended, current| of(CronJob, None, Service { suspended, current, ..idle() });
    let clock = "the clock starts no job of it any more until it is resumed";
    check("by the clock", cron(false, 1), Action::Hold, reversible(&[clock, "1 running job of it goes on to its end"]));
    let missed = "! a run it missed meanwhile may start at once";
    check("again", cron(true, 0), Action::Resume, reversible(&["the clock starts jobs of it again", missed]));
    let now = "starts a job from its template now, beside its schedule";
    let beside = "! 1 running job of it: this one runs beside, whatever its concurrency policy";
    check("now", cron(false, 1), Action::Trigger, reversible(&[now, beside]));
    check("now, held", cron(true, 0), Action::Trigger, reversible(&[now, "it stays suspended: the clock starts none"]));
}

#[test]
fn a_running_container_is_deleted_by_force_only_and_what_is_lost_is_said() {
    let mut fleet = Fixture::of(ClusterKind::Docker);
    fleet.service(Service { kind: ServiceKind::Compose, ..service("web", 1) });
    fleet.task(task("up", "web", "n1")).task(Task { state: TaskState::Stopped, ready: false, ..task("down", "web", "n1") });
    let of = |key: &str, action: Action| seen(&fleet, Kind::Task, key, &action).map(|(_, danger, lines)| (danger, lines));
    let lost = "! its process gets no time to finish: what it has not written yet is lost";
    assert_eq!(of("up", Action::DeleteTask { grace: None }).unwrap_err(), "it runs: stop it first, or delete it by force");
    assert_eq!(of("down", Action::DeleteTask { grace: None }).map(|(danger, _)| danger), Ok(Danger::Destructive));
    assert_eq!(of("down", Action::ForceDelete { grace: None }).unwrap_err(), "it does not run: delete it without force");
    let own = "it is asked to end and killed after its own grace period, 30 s";
    let at_once = "! it is killed at once and gets no time to finish: what it has not written yet is lost";
    let less = "! it is asked to end and killed after 5 s; its own grace period is 30 s";
    for (grace, want) in [(None, own), (Some(0), at_once), (Some(5), less), (Some(60), "it is asked to end and killed after 60 s")]
    {
        let (danger, lines) = of("up", Action::ForceDelete { grace }).unwrap();
        assert_eq!(danger, Danger::Destructive);
        assert!(lines.iter().any(|line| line == want), "{grace:?}: {lines:?}");
    }
    assert_eq!(of("down", Action::Kill).unwrap_err(), "it does not run");
    let (danger, lines) = of("up", Action::Kill).unwrap();
    assert_eq!((danger, lines[1].as_str()), (Danger::Disruptive, lost));
    assert_eq!(lines[2], "! it is the only ready task of web: nothing serves any more");
    assert_eq!(of("down", Action::Restart).unwrap_err(), "it does not run: start it");
    let (danger, lines) = of("up", Action::Restart).unwrap();
    let gap = "! it is the only ready task of web: nothing serves until the new one is ready";
    assert_eq!((danger, lines[1].as_str()), (Danger::Disruptive, gap));
}

#[test]
fn deleting_a_service_says_what_becomes_of_its_tasks_and_needs_the_name() {
    let mut kubernetes = fleet(ClusterKind::Kubernetes);
    kubernetes.service(Service { stack: Some(Text::new("shop-stack")), ..service("web", 3) });
    let of = |fleet: &Fixture, propagation| {
        let (_, danger, lines) = seen(fleet, Kind::Service, "web", &Action::DeleteService { propagation }).unwrap();
        assert_eq!(danger, Danger::Destructive);
        lines
    };
    let background = of(&kubernetes, Propagation::Background);
    assert_eq!(
        background,
        [
            "deletes it; then its 3 tasks end, each within its own grace period",
            "! nothing serves any more",
            "volumes, configuration and addresses stay",
            "! its earlier definitions go with it: there is nothing to roll back to",
            "! it belongs to shop-stack: whatever deploys that makes it again",
        ]
    );
    let foreground = of(&kubernetes, Propagation::Foreground);
    assert_eq!(foreground[0], "ends its 3 tasks first, each within its own grace period, and then deletes it");
    let orphan = of(&kubernetes, Propagation::Orphan);
    assert_eq!(orphan[0], "deletes it; its 3 tasks go on");
    assert!(orphan[1].starts_with("! what goes on belongs to nothing") && !orphan.contains(&background[1]), "{orphan:?}");
    assert!(
        of(&fleet(ClusterKind::Swarm), Propagation::Background).contains(&"networks, volumes, configs and secrets stay".to_owned())
    );
    let mut engine = Fixture::of(ClusterKind::Docker);
    engine.service(Service { kind: ServiceKind::Compose, ..service("web", 3) });
    let why = seen(&engine, Kind::Service, "web", &Action::DeleteService { propagation: Propagation::Background }).unwrap_err();
    assert_eq!(why, "an engine has containers only: delete them one by one");
}

#[test]
fn another_image_is_shown_beside_the_present_one() {
    let set = |container: &str, image: &str| Action::SetImage { container: Text::new(container), image: Text::new(image) };
    let mut kubernetes = fleet(ClusterKind::Kubernetes);
    let beside = Box::new([(Text::new("proxy"), Text::new("envoy:3"))]);
    kubernetes.service(Service { beside, ..service("web", 3) });
    let of = |action: Action| seen(&kubernetes, Kind::Service, "web", &action);
    let (title, danger, lines) = of(set("main", "r:5000/web:2")).unwrap();
    assert_eq!((title.as_str(), danger), ("set image shop/web r:5000/web:2", Danger::Disruptive));
    assert_eq!(lines, ["main: web:1 → r:5000/web:2", "replaces 3 tasks, a few at a time"]);
    assert_eq!(of(set("proxy", "envoy:4")).unwrap().2[0], "proxy: envoy:3 → envoy:4");
    assert_eq!(of(set("main", "web:1")).unwrap().2, ["nothing changes: the image of main is web:1 already"]);
    let latest = "! without a tag of its own it is whatever `latest` is when a node pulls it";
    for loose in ["r:5000/web", "web:latest"] {
        assert_eq!(of(set("main", loose)).unwrap().2[1], latest);
    }
    assert_eq!(of(set("gone", "web:2")).unwrap_err(), "it has no container gone any more");
    let mut swarm = fleet(ClusterKind::Swarm);
    swarm.service(Service { container: Text::default(), ..service("web", 3) });
    let same = seen(&swarm, Kind::Service, "web", &set("", "web:1")).unwrap().2;
    assert_eq!(same, ["nothing changes: its image is web:1 already"]);
    let lines = seen(&swarm, Kind::Service, "web", &set("", "web:2")).unwrap().2;
    assert_eq!(
        (lines[0].as_str(), lines[2].as_str()),
        ("image: web:1 → web:2", "a roll back goes to the present definition then: Swarm keeps one")
    );
    swarm.service(Service { kind: ServiceKind::SwarmJob, ..service("web", 3) });
    let why = seen(&swarm, Kind::Service, "web", &set("", "web:2")).unwrap_err();
    assert_eq!(why, "the tasks of a job keep the image they were made with");
}

#[test]
fn a_roll_back_to_an_older_definition_says_what_differs_and_what_lies_between() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    let earlier = |revision, image| Earlier { revision, image: Text::new(image), made: None };
    let earlier = Box::new([earlier(6, "web:1"), earlier(4, "web:0")]);
    fleet.service(Service { earlier, ..service("web", 3) });
    let to = |revision| seen(&fleet, Kind::Service, "web", &Action::RollBack { to: Some(revision) });
    let (title, danger, lines) = to(4).unwrap();
    assert_eq!((title.as_str(), danger), ("roll back shop/web to revision 4", Danger::Disruptive));
    assert_eq!(
        lines,
        [
            "goes back to revision 4 · image web:0",
            "image: web:1 → web:0",
            "! 1 definition lies between: what that changed is undone, too",
            "replaces 3 tasks of the newest definition, a few at a time",
        ]
    );
    let (_, _, lines) = to(6).unwrap();
    assert_eq!(lines[1], "the image stays as it is; other settings differ");
    assert!(lines.iter().all(|line| !line.contains("between")), "{lines:?}");
    assert_eq!(to(5).unwrap_err(), "the platform no longer keeps revision 5");

    // what else would change, once that is known, and only of the definition that is seen
    let mut state = ClusterState::clone(&fleet.state());
    let all = [(6, vec!["- env[A] 1".into()]), (4, vec!["- env[A] 1".into(), "+ env[A] 2".into()])];
    for (answer, held, want) in [
        (Answer::Asking, true, vec![]),
        (Answer::Failed("no".into()), false, vec!["what else it changes is not known: no"]),
        (
            Answer::Found(Found::Earlier([].into())),
            false,
            vec!["what else it changes is not known: the platform no longer has that definition"],
        ),
        (Answer::Found(Found::Earlier(all.into())), false, vec!["- env[A] 1", "+ env[A] 2"]),
    ] {
        state.surveys = vec![Arc::new(Survey { key: "web".into(), action: ActionKind::RollBack, answer })];
        let world = World { clusters: vec![Arc::new(state.clone())], ..World::default() };
        let object = ObjectRef { cluster: state.cluster.id.clone(), kind: Kind::Service, key: "web".into() };
        let seen = preview(&world, &object, &Action::RollBack { to: Some(4) }).unwrap();
        let told = |line: &&str| line.contains("env[") || line.contains("not known");
        let lines: Vec<&str> = seen.lines.iter().map(|line| line.text.as_str()).filter(told).collect();
        assert_eq!((seen.held.is_some(), lines), (held, want));
    }
}

#[test]
fn the_quorum_is_counted_before_a_manager_goes() {
    let role = |key: &str, role: &str, state| Node { role: Text::new(role), state, ..node(key, "a") };
    let swarm = |roles: &[(&str, &str, NodeState)]| {
        let mut fleet = Fixture::of(ClusterKind::Swarm);
        for (key, name, state) in roles {
            fleet.node(role(key, name, *state));
        }
        fleet
    };
    use NodeState::{Down, Ready};
    let three = swarm(&[
        ("n1", "leader", Ready),
        ("n2", "manager", Ready),
        ("n3", "manager", Ready),
        ("n4", "worker", Ready),
        ("n5", "worker", Down),
    ]);
    let of = |fleet: &Fixture, key: &str, action: Action| {
        seen(fleet, Kind::Node, key, &action).map(|(_, danger, lines)| (danger, lines))
    };
    let (danger, lines) = of(&three, "n1", Action::Demote).unwrap();
    assert_eq!(danger, Danger::Disruptive);
    assert_eq!(
        lines,
        [
            "makes it a worker: 2 managers left",
            "! none of them may fail, no more than with one fewer",
            "its tasks stay",
            "! it leads the swarm: nothing is scheduled until the others have chosen another leader",
        ]
    );
    let (_, lines) = of(&three, "n4", Action::Promote).unwrap();
    assert_eq!(lines[..2], ["makes it a manager: 4 managers then", "1 of them may fail, no more than with one fewer"]);
    for (key, action, why) in [
        ("n4", Action::Demote, "it is no manager"),
        ("n2", Action::Promote, "it is a manager already"),
        ("n5", Action::Promote, "it is down"),
        ("n2", Action::RemoveNode { force: true }, "it is a manager: demote it first"),
        ("n4", Action::RemoveNode { force: false }, "it is ready, not down"),
    ] {
        assert_eq!(of(&three, key, action).unwrap_err(), why);
    }
    assert_eq!(of(&three, "n5", Action::RemoveNode { force: false }).unwrap().0, Danger::Disruptive);
    assert_eq!(of(&three, "n4", Action::RemoveNode { force: true }).unwrap().0, Danger::Destructive);
    let shaky = swarm(&[("n1", "leader", Ready), ("n2", "manager", Ready), ("n3", "manager", Down)]);
    let lost = "the swarm could act no more: 1 of 2 managers would answer, 2 must; bring the others back first";
    assert_eq!(of(&shaky, "n2", Action::Demote).unwrap_err(), lost);
    assert!(of(&shaky, "n3", Action::Demote).is_ok(), "the one that is down is the one to go");
    let one = swarm(&[("n1", "leader", Ready)]);
    assert_eq!(of(&one, "n1", Action::Demote).unwrap_err(), "it is the only manager: the swarm would end");
}

#[test]
fn a_swarms_task_is_deleted_on_its_own_engine_only() {
    let mut fleet = fleet(ClusterKind::Swarm);
    let (kind, version) = (ClusterKind::Swarm, Text::new("28"));
    let capabilities = crate::model::Capabilities::of(&ActionKind::ALL);
    fleet.delta(crate::model::Delta::About { kind, version, capabilities, engine: Some(Key::from("n1")) });
    assert!(seen(&fleet, Kind::Task, "w1", &Action::DeleteTask { grace: None }).is_ok());
    let why = seen(&fleet, Kind::Task, "w3", &Action::DeleteTask { grace: None }).unwrap_err();
    assert_eq!(why, "a swarm cannot delete a task, only the engine it runs on can; connect to n2, or move the task elsewhere");
}

#[test]
fn a_roll_back_says_where_to_and_how_many_it_replaces() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    let mut lines = |updated: u32, previous: Option<&str>| {
        fleet.service(Service { updated, previous: previous.map(Text::new), ..service("web", 3) });
        seen(&fleet, Kind::Service, "web", &Action::RollBack { to: None }).map(|(_, danger, lines)| (danger, lines[..2].to_vec()))
    };
    let to = "goes back to image web:0";
    let words = |what: &str| (Danger::Disruptive, vec![to.to_owned(), what.to_owned()]);
    assert_eq!(lines(3, Some("image web:0")), Ok(words("replaces 3 tasks of the newest definition, a few at a time")));
    // the rollout stopped at the first
    assert_eq!(lines(1, Some("image web:0")), Ok(words("replaces 1 task of the newest definition, a few at a time")));
    assert_eq!(lines(0, Some("image web:0")), Ok(words("no task has the newest definition yet: what runs goes on")));
    assert_eq!(lines(3, None), Err("there is no earlier definition to go back to".to_owned()));
}

#[test]
fn a_swarm_is_spread_by_zone_first_then_by_node_and_has_never_fewer_than_it_wants() {
    let mut fleet = Fixture::of(ClusterKind::Swarm);
    for (name, zone) in [("n1", "a"), ("n2", "a"), ("n3", "a"), ("n4", "b")] {
        fleet.node(node(name, zone));
    }
    fleet.service(Service { kind: ServiceKind::Replicated, ..service("web", 4) });
    for (key, on) in [("w1", "n1"), ("w2", "n2"), ("w3", "n3"), ("w4", "n3")] {
        fleet.task(task(key, "web", on));
    }
    let lines = |fleet: &Fixture| seen(fleet, Kind::Service, "web", &Action::Rebalance).map(|(_, _, lines)| lines);
    let want = [
        "starts 2 more tasks in the zones that have the fewest, then ends as many where the most are",
        "it never has fewer than the 4 it wants meanwhile",
        "what a roll back would go to is overwritten: Swarm keeps one earlier definition",
        "spread now: a 4 · b 0",
        "spread afterwards, if the scheduler evens out: a 2 · b 2",
    ];
    assert_eq!(lines(&fleet), Ok(want.map(str::to_owned).to_vec()));
    // the zones lie well, the nodes of one do not
    fleet.task(task("w1", "web", "n4")).task(task("w2", "web", "n4"));
    let found = lines(&fleet).unwrap();
    assert_eq!(found[3..], ["spread now: a 2 · b 2", "by node, if the scheduler evens out: n3 2 → 1 · n1 0 → 1"], "{found:?}");
    // no node of the other zone suits: what lies in one zone stays there
    fleet.task(task("w1", "web", "n1")).task(task("w2", "web", "n2")).task(task("w4", "web", "n1"));
    let placement = Some(Text::new("node.labels.disk == ssd"));
    for name in ["n1", "n2", "n3"] {
        fleet.node(Node { labels: Box::new([("disk".into(), "ssd".into())]), ..node(name, "a") });
    }
    fleet.service(Service { kind: ServiceKind::Replicated, placement, ..service("web", 4) });
    let refused = "its tasks are spread as evenly as the nodes that take them allow, nothing would move";
    assert_eq!(lines(&fleet), Err(refused.to_owned()));
}

#[test]
fn a_user_who_sees_no_nodes_is_not_told_that_tasks_lie_evenly() {
    let mut fleet = Fixture::of(ClusterKind::Kubernetes);
    fleet.service(service("web", 2)).task(task("w1", "web", "n1")).task(task("w2", "web", "n1"));
    let refused = seen(&fleet, Kind::Service, "web", &Action::Rebalance).unwrap_err();
    assert_eq!(refused, "no node can be seen here: which tasks should move where cannot be told");
    assert!(seen(&fleet, Kind::Service, "web", &Action::Scale { to: 3 }).is_ok());
}

fn labels(line: &str) -> Action {
    Action::Label { edits: crate::analysis::edits::labels(line, false).unwrap() }
}

fn taints(line: &str) -> Action {
    Action::Taint { edits: crate::analysis::edits::taints(line).unwrap() }
}

#[test]
fn labels_say_old_and_new_and_which_services_are_placed_by_them() {
    let placed = |kind: ClusterKind, rule: &str| {
        let mut fleet = fleet(kind);
        fleet.node(Node { labels: Box::new([("zone".into(), "a".into()), ("disk".into(), "ssd".into())]), ..node("n1", "a") });
        fleet.service(Service { placement: Some(Text::new(rule)), ..service("web", 3) });
        fleet
    };
    let of = |fleet: &Fixture, line: &str| seen(fleet, Kind::Node, "n1", &labels(line)).unwrap();
    let swarm = placed(ClusterKind::Swarm, "node.labels.disk == ssd · node.role == worker · spread over node.labels.zone");
    let (title, danger, lines) = of(&swarm, "disk- zone=b a-");
    assert_eq!((title.as_str(), danger), ("label node n1 disk- zone=b a-", Danger::Disruptive));
    let moves = "! shop/web no longer fits here: 2 tasks of it here end and start elsewhere";
    assert_eq!(lines, ["disk: ssd → none", "zone: a → b", "it has no label a", moves]);
    assert_eq!(of(&swarm, "").2, ["it has zone=a  disk=ssd"]);
    // nothing is placed by it, nothing moves
    assert_eq!(of(&swarm, "zone=b").1, Danger::Reversible);
    assert_eq!(of(&swarm, "disk=ssd").2, ["disk is ssd already"]);
    let not = placed(ClusterKind::Swarm, "node.labels.disk!=ssd · node.labels.gpu==1");
    assert_eq!(of(&not, "disk-").2[1], "shop/web is placed by it, and fits here as little as before");
    assert_eq!(of(&not, "disk- gpu=1").2[2], "shop/web fits here then: tasks of it may come");

    let kubernetes = placed(ClusterKind::Kubernetes, "disk=ssd, node.kubernetes.io/pool=x");
    let (_, danger, lines) = of(&kubernetes, "node.kubernetes.io/pool=x");
    assert_eq!((danger, lines[1].as_str()), (Danger::Reversible, "shop/web fits here then: tasks of it may come"));
    let kubernetes = placed(ClusterKind::Kubernetes, "disk=ssd");
    let (_, danger, lines) = of(&kubernetes, "disk=hdd kubernetes.io/os=x");
    assert_eq!(danger, Danger::Disruptive);
    assert_eq!(lines[2], "! shop/web no longer fits here: 2 tasks of it here stay, and no new ones come");
    assert!(lines[3].starts_with("! kubernetes.io/os is set by the node's kubelet"), "{lines:?}");
}

#[test]
fn a_taint_says_what_it_deletes_as_far_as_that_is_known() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    let taint = Taint { key: "dedicated".into(), value: "db".into(), effect: Effect::NoSchedule };
    fleet.node(Node { taints: Box::new([taint]), ..node("n1", "a") });
    let of = |line: &str| seen(&fleet, Kind::Node, "n1", &taints(line)).unwrap();
    let (title, danger, lines) = of("dedicated=gpu:NoSchedule");
    assert_eq!((title.as_str(), danger), ("taint node n1 dedicated=gpu:NoSchedule", Danger::Reversible));
    assert_eq!(lines[0], "dedicated=db:NoSchedule → dedicated=gpu:NoSchedule");
    let (_, danger, lines) = of("off:NoExecute");
    assert_eq!(danger, Danger::Destructive);
    assert_eq!(lines[2], "! up to 4 tasks would be deleted: shop/agent (1), shop/cart (1), shop/web (2)");
    assert_eq!(lines[3], "! which of them tolerate it is not known here: look at their tolerations");
    let (_, danger, lines) = of("dedicated-");
    assert_eq!(danger, Danger::Reversible);
    assert_eq!(lines, ["takes away dedicated=db:NoSchedule: new tasks may be placed here again"]);
    assert_eq!(of("off:NoExecute-").2, ["off:NoExecute-: so already"]);
    assert!(of("node.kubernetes.io/unreachable-").2[0].starts_with("! node.kubernetes.io/unreachable is set and taken away by"));
}
