//! A node of four services, before, while and after it is evacuated: every line of the operation's page.

use super::*;
use crate::analysis::fixture::{Fixture, ago, budget, kept, node, service, small, starting, stuck, task};
use crate::model::{Bound, Budget, Kind, Node, ObjectRef, OpId, Progress, ServiceKind, TaskState};

/// [`small`] with a third zone, and a task on n1 that nothing makes again.
fn fleet(kind: ClusterKind) -> Fixture {
    let mut fleet = small(kind);
    fleet.node(node("n3", "c")).task(task("b", "", "n1"));
    fleet
}

fn asked(fleet: &Fixture, kind: Kind, key: &str, action: Action) -> Operation {
    let state = fleet.state();
    let object = ObjectRef { cluster: state.cluster.id.clone(), kind, key: key.into() };
    let intent = Intent { object, name: key.into(), action, bound: Bound { uid: key.into(), spec_rev: 0 } };
    let plan = plan(&World { clusters: vec![state], ..World::default() }, &intent).map(Arc::new);
    Operation {
        id: OpId(1),
        intent,
        title: "evacuate node n1".into(),
        by: Text::default(),
        asked: ago(0),
        ended: None,
        state: OpState::Running,
        progress: Progress::default(),
        undo: None,
        plan,
    }
}

fn lines(fleet: &Fixture, op: &Operation) -> Vec<String> {
    steps(&fleet.state(), op).iter().map(|step| format!("{:?} {} {}", step.fate, step.name, step.words)).collect()
}

/// A task made after the operation began.
fn made(key: &str, of: &str, on: &str) -> Task {
    Task { created: ago(5), ..task(key, of, on) }
}

fn gone(fleet: &mut Fixture, key: &str) {
    fleet.delta(crate::model::Delta::Task(crate::model::Change::Remove(key.into())));
}

#[test]
fn each_task_of_an_evacuation_says_where_to_what_for_or_why() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    let mut op = asked(&fleet, Kind::Node, "n1", Action::Evacuate);
    let waits = "Waits c1 waits: budget cart-pdb allows 0 (min available 1)";
    let stays =
        ["Stays a1 agent runs on every node", "Stays b belongs to no service: nothing would make it again"].map(str::to_owned);
    let all = |first: &[&str]| first.iter().map(|line| (*line).to_owned()).chain(stays.clone()).collect::<Vec<_>>();
    assert_eq!(lines(&fleet, &op), all(&[waits, "Next w1 not yet", "Next w2 not yet"]));
    assert_eq!(summary(&steps(&fleet.state(), &op)), "0 of 3 tasks moved · 1 waits · 2 stay");

    // one ends, and its successor waits for a node; what came elsewhere before is nobody's successor
    fleet.task(Task { state: TaskState::Stopping, wanted: false, ..task("w1", "web", "n1") });
    gone(&mut fleet, "w2");
    fleet.task(Task { node: None, created: ago(5), ..stuck("w4", "web", "no node has 2 cpu free", 5) });
    let want =
        [waits, "Stuck w2 → w4 on no node yet, does not start: no node has 2 cpu free", "Leaving w1 was told to go, and ends"];
    assert_eq!(lines(&fleet, &op), all(&want));

    // a budget that allows some; both have moved, one is not ready yet
    gone(&mut fleet, "w1");
    fleet.service(Service { budget: budget(1), ..service("cart", 1) });
    fleet.task(made("w4", "web", "n2"));
    fleet.task(Task { node: Some("n3".into()), created: ago(2), ..starting("w5", "web", Some("pulling image"), 2) });
    fleet.service(Service { ready: 2, ..service("web", 3) });
    let want = [
        "Starting w2 → w5 on n3 (c), starts: pulling image",
        "Next c1 not yet; budget cart-pdb allows 1 (min available 1)",
        "Moved w1 → w4 on n2 (b), ready",
    ];
    assert_eq!(lines(&fleet, &op), all(&want));
    assert_eq!(summary(&steps(&fleet.state(), &op)), "1 of 3 tasks moved · 1 starts elsewhere · 2 stay");
    let spread: Vec<String> = spreads(&fleet.state(), &op).iter().map(ToString::to_string).collect();
    assert_eq!(spread, ["shop/cart 1 of 1 ready · a 1 · b 0 · c 0", "shop/web 2 of 3 ready · a 0 · b 2 · c 1"]);

    // cancelled: what is still there stays
    fleet.service(service("cart", 1));
    op.state = OpState::Cancelled;
    assert!(
        lines(&fleet, &op).contains(&"Stays c1 is still there: the operation is cancelled".to_owned()),
        "{:?}",
        lines(&fleet, &op)
    );
    op.state = OpState::Paused;
    assert!(lines(&fleet, &op).contains(&"Next c1 not yet: paused".to_owned()), "{:?}", lines(&fleet, &op));
}

#[test]
fn what_is_gone_without_a_successor_says_whether_one_is_missing() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    fleet.service(Service { kind: ServiceKind::Job, ..service("job", 1) }).task(task("j1", "job", "n1"));
    let op = asked(&fleet, Kind::Node, "n1", Action::Drain);
    for key in ["w1", "w2", "c1", "j1"] {
        gone(&mut fleet, key);
    }
    // scaled down to one meanwhile
    fleet.service(Service { ready: 1, ..service("web", 1) }).service(Service { ready: 0, ..service("cart", 1) });
    let found = lines(&fleet, &op);
    for line in
        ["Starting c1 is gone; a new one is not there yet", "Moved j1 has ended", "Moved w1 is gone; web has the 1 task it wants"]
    {
        assert!(found.contains(&line.to_owned()), "{line}: {found:?}");
    }
    fleet.delta(crate::model::Delta::Service(crate::model::Change::Remove("web".into())));
    assert!(lines(&fleet, &op).contains(&"Moved w2 is gone, and so is its service".to_owned()));
}

#[test]
fn a_swarm_starts_first_and_the_one_of_the_same_slot_is_the_successor() {
    let mut fleet = fleet(ClusterKind::Swarm);
    fleet.service(service("cart", 1));
    let op = asked(&fleet, Kind::Node, "n1", Action::Evacuate);
    fleet.task(Task { node: None, created: ago(5), ..stuck("w9", "web", "no suitable node", 5) });
    assert!(lines(&fleet, &op).contains(&"Waits w1 waits for the one that takes its place: no suitable node".to_owned()));
    fleet.task(made("w9", "web", "n3"));
    for key in ["w1", "w2"] {
        // a swarm keeps what it has replaced for its story
        fleet.task(Task { wanted: false, state: TaskState::Stopped, ready: false, ..task(key, "web", "n1") });
    }
    fleet.task(Task { name: "w2".into(), ..made("w2-new", "web", "n2") });
    let found = lines(&fleet, &op);
    assert!(found.contains(&"Moved w1 → w9 on n3 (c), ready".to_owned()), "{found:?}");
    assert!(found.contains(&"Moved w2 → on n2 (b), ready".to_owned()), "{found:?}");
}

#[test]
fn what_moves_one_service_is_planned_as_it_is_done() {
    let mut fleet = Fixture::of(ClusterKind::Kubernetes);
    fleet.node(node("n1", "a")).node(node("n2", "a")).node(node("n3", "b")).service(service("web", 3));
    for (key, on) in [("w1", "n1"), ("w2", "n1"), ("w3", "n2")] {
        fleet.task(task(key, "web", on));
    }
    let planned = |fleet: &Fixture, kind, key, action| {
        let op = asked(fleet, kind, key, action);
        op.plan.map(|plan| plan.tasks.iter().map(|task| task.key.to_string()).collect::<Vec<_>>())
    };
    // two zones carry three as two and one: which one goes is seen on the way
    let op = asked(&fleet, Kind::Service, "web", Action::Rebalance);
    let fates = |fleet: &Fixture| steps(&fleet.state(), &op).iter().map(|step| step.fate).collect::<Vec<_>>();
    assert_eq!(fates(&fleet), [Fate::Next, Fate::Stays, Fate::Stays]);
    // none can come to a zone whose only node is tainted, or does not suit
    let tainted = crate::model::Taint { key: "k".into(), value: Text::default(), effect: crate::model::Effect::NoSchedule };
    fleet.node(Node { taints: Box::new([tainted]), ..node("n3", "b") });
    assert_eq!(fates(&fleet), [Fate::Stays; 3]);
    fleet.node(node("n3", "b")).service(Service { placement: Some("disk=ssd".into()), ..service("web", 3) });
    assert_eq!(fates(&fleet), [Fate::Stays; 3]);
    assert_eq!(planned(&fleet, Kind::Task, "w1", Action::Reschedule), Some(vec!["w1".to_owned()]));
    assert_eq!(planned(&fleet, Kind::Service, "web", Action::Redeploy { pull: false }), None);
    let mut swarm = Fixture::of(ClusterKind::Swarm);
    swarm.service(service("web", 2)).task(task("w1", "web", "n1")).task(task("w2", "web", "n1"));
    let both = Some(vec!["w1".to_owned(), "w2".to_owned()]);
    assert_eq!(planned(&swarm, Kind::Task, "w1", Action::Reschedule), both);
}

#[test]
fn a_task_that_comes_back_to_the_node_it_was_on_says_so() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    let op = asked(&fleet, Kind::Task, "w1", Action::Reschedule);
    gone(&mut fleet, "w1");
    fleet.task(made("w4", "web", "n1"));
    assert_eq!(lines(&fleet, &op), ["Moved w1 → w4 on n1 (a) again, ready"]);
    let words = |fleet: &Fixture, op: &Operation| landed(&fleet.state(), op).map(|words| words.to_string());
    let again = "w4 runs on n1, as before: the scheduler has put it there again";
    assert_eq!(words(&fleet, &op).as_deref(), Some(again));
    fleet.task(made("w4", "web", "n2"));
    assert_eq!(words(&fleet, &op).as_deref(), Some("w4 runs on n2"));
    // the others that an operation moves are told one by one
    let all = asked(&fleet, Kind::Node, "n1", Action::Evacuate);
    assert_eq!(words(&fleet, &all), None);
}

#[test]
fn two_budgets_on_one_task_are_what_it_waits_for() {
    let mut fleet = fleet(ClusterKind::Kubernetes);
    let two = Budget { name: "a".into(), allowed: 1, rule: "min available 1".into(), beside: Some("b".into()) };
    fleet.service(Service { budget: Some(two), ..service("cart", 1) });
    let op = asked(&fleet, Kind::Node, "n1", Action::Evacuate);
    assert_eq!(lines(&fleet, &op)[0], "Waits c1 two budgets cover it, a and b: the server does not evict it");
}

#[test]
fn a_task_of_no_service_leaves_if_a_controller_makes_it_again_and_stays_if_it_is_its_nodes() {
    let mut fleet = Fixture::kubernetes();
    fleet.node(node("n1", "a")).node(node("n2", "b"));
    fleet.task(kept("db-1", "Cluster", "n1")).task(kept("etcd-n1", "Node", "n1")).task(kept("log-x", "DaemonSet", "n1"));
    let mut op = asked(&fleet, Kind::Node, "n1", Action::Evacuate);
    let stays = ["Stays etcd-n1 belongs to the node itself", "Stays log-x a DaemonSet runs on every node"];
    assert_eq!(lines(&fleet, &op), [&["Next db-1 not yet"], &stays[..]].concat());
    fleet.task(Task { state: TaskState::Stopping, wanted: false, ..kept("db-1", "Cluster", "n1") });
    assert_eq!(lines(&fleet, &op), [&["Leaving db-1 was told to go, and ends"], &stays[..]].concat());
    gone(&mut fleet, "db-1");
    assert_eq!(lines(&fleet, &op), [&["Moved db-1 is gone"], &stays[..]].concat());
    fleet.task(kept("db-1", "Cluster", "n1"));
    op.state = OpState::Cancelled;
    assert_eq!(lines(&fleet, &op)[0], "Stays db-1 is still there: the operation is cancelled");
}
