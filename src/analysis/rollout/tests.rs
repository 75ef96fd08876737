#![allow(clippy::unwrap_used)]
use super::*;
use crate::analysis::fixture::{self, Fixture, NOW, ago, kept, starting, stuck, task};
use crate::model::{Autoscaler, Change, Delta, Effect, Ending, Node, Rollout, ServiceKind, Taint, Task, UpdateStrategy};

/// What a verdict must be: its words, beside how far it is.
#[derive(Debug, PartialEq)]
enum Want {
    Pending(u32, u32, &'static str),
    Done(&'static str),
    Failed(&'static str),
}
use Want::{Done, Failed, Pending};

fn hold(name: &str, fixture: &Fixture, expect: &Expect, taken: u64, want: &Want) {
    let found = verdict(&fixture.state(), expect, ago(taken), NOW);
    let same = match (&found, want) {
        (Verdict::Pending(p), Pending(done, total, note)) => (p.done, p.total, p.note.as_str()) == (*done, *total, *note),
        (Verdict::Done(words), Done(want)) | (Verdict::Failed(words), Failed(want)) => words.as_str() == *want,
        _ => false,
    };
    assert!(same, "{name}: {found:?}, wanted {want:?}");
}

/// The verdict on specification 7 of the service `web`, `taken` seconds after it was taken.
fn converged(name: &str, kind: ClusterKind, service: Service, tasks: Vec<Task>, taken: u64, want: Want) {
    let mut fixture = Fixture::of(kind);
    fixture.service(service);
    for task in tasks {
        fixture.task(task);
    }
    hold(name, &fixture, &Expect::Converged { service: Key::from("web"), spec_rev: 7 }, taken, &want);
}

fn at(state: RolloutState, note: Option<&str>) -> Rollout {
    Rollout { state, note: note.map(Text::new) }
}

fn web(ready: u32, updated: u32, current: u32, desired: u32) -> Service {
    Service { ready, updated, current, ..fixture::service("web", desired) }
}

#[test]
fn a_kubernetes_rollout_is_done_when_generation_counts_and_tasks_agree() {
    let check = |name, service, want| converged(name, ClusterKind::Kubernetes, service, vec![], 1, want);
    check("whole", web(5, 5, 5, 5), Done("5 of 5 ready"));
    check("scaled to none", web(0, 0, 0, 0), Done("scaled to none: nothing runs"));
    check(
        "the old specification",
        Service { spec_rev: 6, ..web(5, 5, 5, 5) },
        Pending(0, 5, "waiting for the cluster to show the change"),
    );
    check(
        "counts of before the write",
        Service { observed_rev: 6, ..web(5, 5, 5, 5) },
        Pending(0, 5, "waiting for the platform's controllers to see the change"),
    );
    let twice = Service { spec_rev: 9, observed_rev: 9, ..web(5, 5, 5, 5) };
    check("changed again meanwhile", twice, Done("5 of 5 ready; someone else changed the definition again meanwhile"));
    check("not all ready", web(3, 5, 5, 5), Pending(3, 5, "3 of 5 ready"));
    check("not all renewed", web(5, 2, 5, 5), Pending(2, 5, "5 of 5 ready; 2 of 5 renewed"));
    check("the old still there", web(5, 5, 7, 5), Pending(5, 5, "5 of 5 ready; 2 tasks still to end"));
    let moving = Service { rollout: at(RolloutState::Progressing, None), ..web(5, 5, 5, 5) };
    check("the platform says it goes on", moving, Pending(5, 5, "5 of 5 ready"));
    let daemon = Service { kind: ServiceKind::DaemonSet, ..web(3, 3, 3, 3) };
    check("one a node", daemon, Done("3 of 3 ready"));
    check("by the clock", Service { kind: ServiceKind::CronJob, ..web(0, 0, 0, 1) }, Done("the platform has the new definition"));
}

#[test]
fn a_rollout_that_fails_says_why() {
    let check = |name, service, tasks, want| converged(name, ClusterKind::Kubernetes, service, tasks, 1, want);
    let failed = |note| Service { rollout: at(RolloutState::Failed, note), ..web(2, 1, 3, 3) };
    let tasks = vec![stuck("t1", "web", "image not found: web:3", 60)];
    check("by its tasks", failed(Some("deadline")), tasks, Failed("the rollout failed: image not found: web:3 (1 task)"));
    check("by its note", failed(Some("deadline exceeded")), vec![], Failed("the rollout failed: deadline exceeded"));
    check("without a word", failed(None), vec![], Failed("the rollout failed"));
    let paused = Service { rollout: at(RolloutState::Paused, None), ..web(3, 1, 3, 3) };
    check("held", paused, vec![], Failed("the rollout is held: someone paused this service; resume it to let it go on"));
    let waits = vec![starting("t1", "web", Some("pulling image web:2"), 3)];
    check("what it waits for", web(2, 3, 3, 3), waits, Pending(2, 3, "2 of 3 ready; 1: pulling image web:2"));

    let fixture = Fixture::kubernetes();
    let expect = Expect::Converged { service: Key::from("web"), spec_rev: 7 };
    hold("gone", &fixture, &expect, 1, &Failed("the service is gone: someone removed it meanwhile"));
}

#[test]
fn a_swarm_update_is_held_against_its_hash_and_its_own_word() {
    let check = |name, service, taken, want| converged(name, ClusterKind::Swarm, service, vec![], taken, want);
    check("whole", web(2, 2, 2, 2), 1, Done("2 of 2 ready"));
    let other = |state, note| Service { spec_rev: 99, rollout: at(state, note), ..web(2, 2, 2, 2) };
    let soon = Pending(0, 2, "waiting for the cluster to show the change");
    check("another hash at once is an old fact", other(RolloutState::Stable, None), 3, soon);
    let late = Failed("someone else changed the service meanwhile: what was asked for here no longer holds");
    check("another hash later is another's change", other(RolloutState::Stable, None), 16, late);
    let back = Failed("the platform rolled it back: update paused due to failure");
    check("rolled back", other(RolloutState::RollingBack, Some("update paused due to failure")), 3, back);
    let paused = Service { rollout: at(RolloutState::Paused, Some("task failed")), ..web(1, 1, 2, 2) };
    check("paused", paused, 3, Failed("the swarm paused the update: task failed"));
}

#[test]
fn what_is_deleted_is_gone_when_it_no_longer_runs() {
    let mut fixture = Fixture::of(ClusterKind::Swarm);
    let gone = |key: &str| Expect::Gone { kind: Kind::Task, key: Key::from(key) };
    hold("no row", &fixture, &gone("t1"), 1, &Done("the task is gone"));
    fixture.task(task("t1", "web", "n1"));
    hold("runs", &fixture, &gone("t1"), 1, &Pending(0, 1, "waiting for the task to end"));
    fixture.task(Task { wanted: false, ..task("t1", "web", "n1") });
    hold("told to end", &fixture, &gone("t1"), 1, &Pending(0, 1, "waiting for the task to end"));
    // Swarm keeps the row of an ended task for its story
    fixture.task(Task { wanted: false, state: TaskState::Stopped, ..task("t1", "web", "n1") });
    hold("ended", &fixture, &gone("t1"), 1, &Done("the task is gone"));
    fixture.node(fixture::node("n1", "a"));
    let node = Expect::Gone { kind: Kind::Node, key: Key::from("n1") };
    hold("a node", &fixture, &node, 1, &Pending(0, 1, "waiting for the node to end"));
}

#[test]
fn a_task_is_replaced_when_it_is_gone_and_its_service_whole() {
    let expect = |service: Option<&str>| Expect::Replaced { task: Key::from("t1"), service: service.map(Key::from) };
    let mut fixture = Fixture::kubernetes();
    hold("a lone one", &fixture, &expect(None), 1, &Done("the task is gone"));
    hold("of no service", &fixture, &expect(Some("web")), 1, &Failed("the task is gone, and so is its service"));
    fixture.service(web(2, 2, 2, 2)).task(task("t1", "web", "n1")).task(task("t2", "web", "n2"));
    hold("still there", &fixture, &expect(Some("web")), 1, &Pending(0, 2, "waiting for the old task to end"));
    fixture.task(Task { wanted: false, state: TaskState::Stopped, ready: false, ..task("t1", "web", "n1") });
    // the service's own count may be of before
    hold("one short", &fixture, &expect(Some("web")), 1, &Pending(1, 2, "the old task is gone; 2 of 2 ready"));
    fixture.task(task("t3", "web", "n3"));
    hold("whole", &fixture, &expect(Some("web")), 1, &Done("the task is gone, and 2 of 2 are ready"));
}

#[test]
fn a_node_has_the_availability_and_no_tasks_but_its_own() {
    let paused = || Node { availability: Availability::Paused, ..fixture::node("n1", "a") };
    let expect = Expect::NodeEmpty { node: Key::from("n1"), availability: Availability::Paused };
    let is = Expect::NodeIs { node: Key::from("n1"), availability: Availability::Paused };
    let mut fixture = Fixture::kubernetes();
    hold("no node", &fixture, &is, 1, &Failed("the node is gone"));
    hold("no node to empty", &fixture, &expect, 1, &Failed("the node is gone"));
    fixture.node(fixture::node("n1", "a"));
    hold("not yet", &fixture, &is, 1, &Pending(0, 1, "the node is still active"));
    hold("not yet, to empty", &fixture, &expect, 1, &Pending(0, 0, "the node is still active"));
    fixture.node(paused());
    hold("paused", &fixture, &is, 1, &Done("the node is paused"));
    hold("paused and empty", &fixture, &expect, 1, &Done("the node is paused and empty"));
    fixture.service(web(1, 1, 1, 1)).task(task("t1", "web", "n1"));
    hold("one left", &fixture, &expect, 1, &Pending(0, 0, "1 task left, t1 among them"));
    fixture.node(Node { state: NodeState::Down, ..paused() });
    hold("left on a dead node", &fixture, &expect, 1, &Pending(0, 0, "1 task left on a node that is down, t1 among them"));
    fixture.node(paused()).task(Task { state: TaskState::Succeeded, ..task("t1", "web", "n1") });
    fixture.service(Service { kind: ServiceKind::DaemonSet, ..fixture::service("agent", 3) }).task(task("t2", "agent", "n1"));
    hold("its own stay", &fixture, &expect, 1, &Done("the node is paused and empty; 1 task of the node itself stays"));
    fixture.task(task("b1", "", "n1")).task(Task { state: TaskState::Stopping, wanted: false, ..task("t1", "web", "n1") });
    hold("what leaves has not left", &fixture, &expect, 1, &Pending(0, 0, "1 task left, t1 among them"));
    fixture.delta(crate::model::Delta::Task(crate::model::Change::Remove(Key::from("t1"))));
    let one = "the node is paused; 1 task of the node itself stays; shop/b1 stays: nothing would make it again";
    hold("a bare one stays", &fixture, &expect, 1, &Done(one));
    fixture.task(task("b2", "", "n1"));
    let two = "the node is paused; 1 task of the node itself stays; shop/b1 and 1 more stay: nothing would make them again";
    hold("bare ones stay", &fixture, &expect, 1, &Done(two));
    fixture.task(kept("db-1", "Cluster", "n1")).task(kept("etcd-n1", "Node", "n1")).task(kept("lost", "DaemonSet", "n1"));
    hold("another controller's leaves", &fixture, &expect, 1, &Pending(0, 0, "1 task left, db-1 among them"));
    fixture.delta(crate::model::Delta::Task(crate::model::Change::Remove(Key::from("db-1"))));
    let own = "the node is paused; 3 tasks of the node itself stay; shop/b1 and 1 more stay: nothing would make them again";
    hold("what the node runs by itself stays", &fixture, &expect, 1, &Done(own));
}

#[test]
fn a_container_runs_or_is_stopped() {
    let expect = |runs| Expect::TaskRuns { task: Key::from("t1"), runs };
    let mut fixture = Fixture::of(ClusterKind::Docker);
    hold("gone, to run", &fixture, &expect(true), 1, &Failed("the task is gone"));
    hold("gone, to stop", &fixture, &expect(false), 1, &Done("the task is gone"));
    fixture.task(task("t1", "", "n1"));
    hold("runs", &fixture, &expect(true), 1, &Done("running"));
    hold("runs still", &fixture, &expect(false), 1, &Pending(0, 1, "it is running"));
    fixture.task(Task { state: TaskState::Stopped, ..task("t1", "", "n1") });
    hold("stopped", &fixture, &expect(false), 1, &Done("stopped"));
    hold("stopped still", &fixture, &expect(true), 1, &Pending(0, 1, "it is stopped"));
    let last_end = Some(Ending { at: Some(ago(1)), exit: 127, reason: Text::new("exit 127 (command not found)") });
    fixture.task(Task { state: TaskState::Failed, since: ago(1), last_end, ..task("t1", "", "n1") });
    let why = "it started and ended at once: exit 127 (command not found)";
    hold("ended at once", &fixture, &expect(true), 5, &Failed(why));
    // that was the run before
    hold("failed before it was asked for", &fixture, &expect(true), 0, &Pending(0, 1, "it is failed"));
    hold("nothing to wait for", &fixture, &Expect::Nothing, 0, &Done("done"));
}

#[test]
fn a_number_that_was_set_back_is_not_done_and_an_autoscaler_is_named() {
    let check = |name, service: Service, to, want| {
        let mut fixture = Fixture::of(ClusterKind::Kubernetes);
        fixture.service(service);
        hold(name, &fixture, &Expect::Scaled { service: Key::from("web"), spec_rev: 7, to }, 1, &want);
    };
    let held = |service| Service { autoscaler: Some(Autoscaler { name: Text::new("web"), min: 2, max: 3 }), ..service };
    let newer = |service| Service { spec_rev: 8, observed_rev: 8, ..service };
    check("as asked", web(5, 5, 5, 5), 5, Done("5 of 5 ready"));
    check("as asked for now", held(web(5, 5, 5, 5)), 5, Done("5 of 5 ready; the autoscaler may set another number (web, 2 to 3)"));
    check("not yet", held(web(3, 5, 5, 5)), 5, Pending(3, 5, "3 of 5 ready"));
    check(
        "not shown yet",
        Service { spec_rev: 6, ..web(2, 2, 2, 2) },
        5,
        Pending(0, 2, "waiting for the cluster to show the change"),
    );
    check(
        "set back",
        held(newer(web(3, 3, 3, 3))),
        5,
        Failed("set to 5, and then to 3: the autoscaler sets this number (web, 2 to 3)"),
    );
    check("set by someone", newer(web(3, 3, 3, 3)), 5, Failed("set to 5, and then someone else set it to 3"));
    check("to none", held(web(0, 0, 0, 0)), 0, Done("scaled to none: nothing runs"));
    let paused = |service| Service { rollout: at(RolloutState::Paused, None), ..service };
    check("in a paused rollout", paused(web(5, 0, 5, 5)), 5, Done("5 of 5 ready; its rollout stays paused"));
    check("on its way in one", paused(web(3, 0, 5, 5)), 5, Pending(3, 5, "3 of 5 ready; 0 of 5 renewed"));
}

#[test]
fn a_rollout_is_done_when_those_tasks_are_renewed_that_take_a_definition_by_themselves() {
    use UpdateStrategy::{OnDelete, Partition};
    let of = |strategy, state, row: Service| {
        let kind = ServiceKind::StatefulSet;
        Service { kind, strategy, rollout: at(state, Some("held by its settings")), ..row }
    };
    let check = |name, service, want| converged(name, ClusterKind::Kubernetes, service, vec![], 1, want);
    let (moves, rests) = (RolloutState::Progressing, RolloutState::Paused);
    check("on its way", of(Partition(2), moves, web(3, 0, 3, 3)), Pending(2, 3, "3 of 3 ready; 0 of 1 renewed"));
    check("renewed and not ready", of(Partition(2), rests, web(2, 1, 3, 3)), Pending(2, 3, "2 of 3 ready"));
    let two = "3 of 3 ready; 2 tasks keep the definition they had (partition)";
    check("renewed", of(Partition(2), rests, web(3, 1, 3, 3)), Done(two));
    let one = "3 of 3 ready; 1 task keeps the definition it had (partition)";
    check("all but one", of(Partition(1), rests, web(3, 2, 3, 3)), Done(one));
    let all = "3 of 3 ready; 3 tasks keep the definition they had (partition)";
    check("none takes it", of(Partition(5), rests, web(3, 0, 3, 3)), Done(all));
    check("all have it", of(Partition(2), RolloutState::Stable, web(3, 3, 3, 3)), Done("3 of 3 ready"));
    let by_hand = "3 of 3 ready; 2 tasks take the new definition when they are deleted (OnDelete)";
    check("by hand", of(OnDelete, rests, web(3, 1, 3, 3)), Done(by_hand));

    let scaled = |name, service, want| {
        let mut fixture = Fixture::of(ClusterKind::Kubernetes);
        fixture.service(service);
        hold(name, &fixture, &Expect::Scaled { service: Key::from("web"), spec_rev: 7, to: 5 }, 1, &want);
    };
    scaled("more by hand, not yet", of(OnDelete, moves, web(3, 0, 5, 5)), Pending(3, 5, "3 of 5 ready"));
    let more = "5 of 5 ready; 3 tasks take the new definition when they are deleted (OnDelete)";
    scaled("more by hand", of(OnDelete, rests, web(5, 2, 5, 5)), Done(more));
}

#[test]
fn a_number_is_judged_by_counts_whatever_the_rollout_before_it_came_to() {
    let check = |name, service: Service, to, taken, want| {
        let mut fixture = Fixture::of(ClusterKind::Kubernetes);
        fixture.service(Service { rollout: at(RolloutState::Failed, Some("deadline exceeded")), ..service });
        hold(name, &fixture, &Expect::Scaled { service: Key::from("web"), spec_rev: 7, to }, taken, &want);
    };
    let unseen = Pending(0, 0, "waiting for the platform's controllers to see the change");
    check("not noticed yet", Service { observed_rev: 6, ..web(2, 1, 3, 0) }, 0, 1, unseen);
    check("some still end", web(0, 0, 1, 0), 0, 1, Pending(0, 0, "0 of 0 ready; 1 task still to end"));
    check("to none", web(0, 0, 0, 0), 0, 1, Done("scaled to none: nothing runs; the rollout before had failed"));
    check("to more", web(3, 1, 6, 5), 5, 60, Pending(3, 5, "3 of 5 ready; 1 of 5 renewed; 1 task still to end"));
    check("to fewer", web(2, 2, 2, 2), 2, 1, Done("2 of 2 ready; the rollout before had failed"));
    // what the failed rollout had added stays beside them; at first the counts may be of before
    check(
        "the new one beside them, at first",
        web(2, 1, 3, 2),
        2,
        1,
        Pending(2, 2, "2 of 2 ready; 1 of 2 renewed; 1 task still to end"),
    );
    let beside = "2 of 2 ready; the rollout before had failed: 1 task of it stays beside them";
    check("the new one beside them", web(2, 1, 3, 2), 2, 16, Done(beside));
}

#[test]
fn a_service_is_held_once_its_controllers_have_seen_it_and_runs_once_it_has_a_task() {
    let check = |name, service: Service, held, want| {
        let mut fixture = Fixture::of(ClusterKind::Kubernetes);
        fixture.service(service);
        hold(name, &fixture, &Expect::Held { service: Key::from("web"), spec_rev: 7, held }, 1, &want);
    };
    let paused = || Service { rollout: at(RolloutState::Paused, None), ..web(5, 5, 5, 5) };
    let job = |suspended, current| Service {
        kind: ServiceKind::Job,
        suspended,
        current,
        rollout: at(RolloutState::Progressing, None),
        ..web(0, 0, 0, 1)
    };
    let unseen = Pending(0, 0, "waiting for the cluster to show the change");
    check("the row of before", Service { spec_rev: 6, ..web(5, 5, 5, 5) }, true, unseen);
    let unnoticed = Pending(0, 0, "waiting for the platform's controllers to see the change");
    check("not noticed yet", Service { observed_rev: 6, ..paused() }, true, unnoticed);
    check("held", paused(), true, Done("it is held"));
    check("set back", web(5, 5, 5, 5), true, Failed("someone else resumed it meanwhile"));
    check("held again", paused(), false, Failed("someone else held it meanwhile"));
    check("a job with tasks", job(true, 2), true, Pending(0, 0, "2 tasks still to end"));
    check("a job without", job(true, 0), true, Done("it is held"));
    check("a job that goes on", job(false, 0), false, Pending(0, 1, "web waits for its first task"));
    check("a job that runs", job(false, 1), false, Done("web runs"));
    let cron = Service { kind: ServiceKind::CronJob, desired: None, ..web(0, 0, 0, 0) };
    check("by the clock again", cron, false, Done("it goes on"));

    let began = Expect::Began { service: Key::from("web") };
    let mut fixture = Fixture::of(ClusterKind::Kubernetes);
    hold("not there yet", &fixture, &began, 80, &Pending(0, 1, "waiting for the job to show"));
    // the cluster had made it, and a row would show by now: it ended, and its time to live was over
    hold("not there any more", &fixture, &began, 91, &Done("the job was made, and is gone already"));
    fixture.delta(Delta::Service(Change::Failed(Text::new("may not"))));
    hold("out of sight", &fixture, &began, 91, &Done("the job was made; how it goes cannot be seen here"));
    fixture.delta(Delta::Service(Change::Begin));
    hold("read anew", &fixture, &began, 91, &Pending(0, 1, "waiting for the job to show"));
    fixture.delta(Delta::Service(Change::End));
    fixture.service(job(false, 1));
    hold("runs", &fixture, &began, 1, &Done("web runs"));
    fixture.service(Service { rollout: at(RolloutState::Stable, None), ..job(false, 0) });
    hold("over", &fixture, &began, 1, &Done("web ran to its end"));
    fixture.service(Service { rollout: at(RolloutState::Failed, Some("given up after 1 failed tasks")), ..job(false, 0) });
    hold("failed", &fixture, &began, 1, &Failed("web failed: given up after 1 failed tasks"));
}

#[test]
fn a_container_has_restarted_when_it_runs_and_not_since_before() {
    let check = |name, state, since, want| {
        let mut fixture = Fixture::of(ClusterKind::Docker);
        fixture.task(Task { state, since: ago(since), last_end: None, ..task("t1", "", "n1") });
        hold(name, &fixture, &Expect::Restarted { task: Key::from("t1"), before: ago(100) }, 10, &want);
    };
    check("as it was", TaskState::Running, 100, Pending(0, 1, "waiting for it to start anew"));
    check("on its way", TaskState::Stopping, 100, Pending(0, 1, "it is stopping"));
    check("anew", TaskState::Running, 12, Done("running"));
    check("in vain", TaskState::Failed, 5, Failed("it started and ended at once: no reason given"));
}

#[test]
fn containers_are_renewed_when_each_has_started_anew_and_is_ready() {
    let expect = Expect::Renewed { tasks: Box::new([("t1".into(), ago(20)), ("t2".into(), ago(10))]), note: Text::default() };
    let check = |name, second: (TaskState, u64, bool), want| {
        let mut fixture = Fixture::of(ClusterKind::Docker);
        fixture.task(Task { since: ago(20), ..task("t1", "web", "n1") });
        let (state, since, ready) = second;
        fixture.task(Task { state, ready, since: ago(since), last_end: None, ..task("t2", "web", "n1") });
        hold(name, &fixture, &expect, 5, &want);
    };
    let waits = "waiting for t2 to show that it started anew";
    check("the row of before", (TaskState::Running, 3_600, true), Pending(1, 2, waits));
    check("ended by the restart", (TaskState::Failed, 11, false), Pending(1, 2, waits));
    check("its health is looked at", (TaskState::Running, 10, false), Pending(1, 2, "t2 is not ready yet"));
    check("anew", (TaskState::Running, 10, true), Done("2 of 2 started anew and ready"));
    check("started once more since", (TaskState::Running, 3, true), Done("2 of 2 started anew and ready"));
    check("ended, and well", (TaskState::Succeeded, 7, false), Failed("t2 started anew and ended: no reason given"));
    let mut fixture = Fixture::of(ClusterKind::Docker);
    fixture.task(Task { since: ago(20), ..task("t1", "web", "n1") });
    hold("gone", &fixture, &expect, 5, &Failed("one of its containers is gone: someone removed it meanwhile"));
}

#[test]
fn a_service_is_deleted_when_its_tasks_are_gone_too_unless_they_were_to_stay() {
    let expect = |tasks| Expect::Deleted { service: Key::from("web"), tasks };
    let mut fixture = Fixture::of(ClusterKind::Kubernetes);
    fixture.service(web(1, 1, 1, 1)).task(task("w1", "web", "n1"));
    hold("foreground", &fixture, &expect(true), 1, &Pending(0, 2, "1 task still to end"));
    hold("there", &fixture, &expect(false), 1, &Pending(0, 2, "waiting for the service to go"));
    fixture.delta(crate::model::Delta::Service(crate::model::Change::Remove(Key::from("web"))));
    hold("tasks left", &fixture, &expect(true), 1, &Pending(1, 2, "the service is gone; 1 task still to end"));
    hold("orphans", &fixture, &expect(false), 1, &Done("the service is gone; its tasks go on"));
    fixture.delta(crate::model::Delta::Task(crate::model::Change::Remove(Key::from("w1"))));
    hold("all gone", &fixture, &expect(true), 1, &Done("the service and its tasks are gone"));
}

#[test]
fn a_node_is_promoted_when_it_shows_as_a_manager() {
    let role = |role: &str| Node { role: Text::new(role), ..fixture::node("n1", "a") };
    let expect = |manages| Expect::NodeManages { node: Key::from("n1"), manages };
    let mut fixture = Fixture::of(ClusterKind::Swarm);
    fixture.node(role("worker"));
    hold("not yet", &fixture, &expect(true), 1, &Pending(0, 1, "the node is still a worker"));
    hold("demoted", &fixture, &expect(false), 1, &Done("the node is a worker"));
    fixture.node(role("leader"));
    hold("promoted", &fixture, &expect(true), 1, &Done("the node is a manager"));
    hold("leads still", &fixture, &expect(false), 1, &Pending(0, 1, "the node is still a leader"));
}

#[test]
fn labels_and_taints_are_written_when_the_node_shows_all_of_them() {
    let with = |labels: &[(&str, &str)], taints: &[Taint]| Node {
        labels: labels.iter().map(|(k, v)| (Text::new(k), Text::new(v))).collect(),
        taints: taints.into(),
        ..fixture::node("n1", "a")
    };
    let edits = crate::analysis::edits::labels("zone=b old-", true).unwrap();
    let expect = Expect::NodeLabels { node: Key::from("n1"), edits };
    let mut fixture = Fixture::kubernetes();
    fixture.node(with(&[("zone", "a"), ("old", "x")], &[]));
    hold("not yet", &fixture, &expect, 1, &Pending(0, 1, "waiting for the node to show it: zone"));
    fixture.node(with(&[("zone", "b"), ("old", "x")], &[]));
    hold("half", &fixture, &expect, 1, &Pending(0, 1, "waiting for the node to show it: old"));
    fixture.node(with(&[("zone", "b")], &[]));
    hold("all", &fixture, &expect, 1, &Done("the node shows it"));
    let taint = |value: &str| Taint { key: "d".into(), value: value.into(), effect: Effect::NoSchedule };
    let edits = crate::analysis::edits::taints("d=2:NoSchedule e-").unwrap();
    let expect = Expect::NodeTaints { node: Key::from("n1"), edits };
    fixture.node(with(&[], &[taint("1")]));
    hold("another value", &fixture, &expect, 1, &Pending(0, 1, "waiting for the node to show it: d"));
    fixture.node(with(&[], &[taint("2")]));
    hold("tainted", &fixture, &expect, 1, &Done("the node shows it"));
}

#[test]
fn what_the_backend_saw_itself_counts_once_the_rows_agree() {
    let mut fixture = Fixture::of(ClusterKind::Docker);
    let expect = |whole| Expect::Seen { gone: Box::new(["old".into(), "x".into()]), whole, note: "2 of 2 removed".into() };
    fixture.task(task("old", "", "n1")).task(task("other", "", "n1"));
    hold("still shown", &fixture, &expect(true), 1, &Pending(0, 0, "2 of 2 removed; 1 task still shown"));
    fixture.delta(crate::model::Delta::Task(crate::model::Change::Remove("old".into())));
    hold("gone", &fixture, &expect(true), 1, &Done("2 of 2 removed"));
    hold("not all of it", &fixture, &expect(false), 1, &Failed("2 of 2 removed"));
}
