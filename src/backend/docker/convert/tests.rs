//! Rows from what a real swarm of three nodes answered (moby 20.10): healthy, stuck, crashing, given up, paused, a job.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{Rows, swarm, wire};
use crate::model::{NodeState, RolloutState, Service, ServiceKind, Task, TaskState};
use crate::util::time::Timestamp;
use std::collections::HashMap;

const NODES: &str = include_str!("../../../../tests/fixtures/docker/swarm/nodes.json");
const SERVICES: &str = include_str!("../../../../tests/fixtures/docker/swarm/services.json");
const TASKS: &str = include_str!("../../../../tests/fixtures/docker/swarm/tasks.json");

fn lists() -> (Vec<wire::Node>, Vec<wire::Service>, Vec<wire::Task>) {
    (serde_json::from_str(NODES).unwrap(), serde_json::from_str(SERVICES).unwrap(), serde_json::from_str(TASKS).unwrap())
}

fn rows() -> Rows {
    let (nodes, services, tasks) = lists();
    swarm(&nodes, &services, &tasks, &HashMap::new())
}

fn service<'a>(rows: &'a Rows, name: &str) -> &'a Service {
    rows.services.iter().find(|service| service.name.as_str() == name).unwrap()
}

fn tasks<'a>(rows: &'a Rows, name: &str) -> Vec<&'a Task> {
    rows.tasks.iter().filter(|task| task.name.as_str() == name).collect()
}

#[test]
fn services_are_counted_from_their_tasks() {
    use RolloutState::{Failed, Paused, Stable};
    let rows = rows();
    for (name, ready, desired, updated, rollout) in [
        ("shop_api", 2, 2, 2, Stable),
        ("fx_every", 3, 3, 3, Stable),
        ("fx_ssd", 0, 2, 2, Stable),
        ("fx_big", 0, 1, 1, Stable),
        ("fx_noimage", 0, 1, 0, Failed),
        ("fx_job", 3, 3, 3, Stable),
        ("fx_paused", 1, 3, 2, Paused),
    ] {
        let row = service(&rows, name);
        assert_eq!((row.ready, row.desired, row.updated, row.rollout.state), (ready, Some(desired), updated, rollout), "{name}");
        assert_eq!(row.spec_rev, row.observed_rev);
        assert_ne!(row.spec_rev, 0);
    }
    assert_eq!(service(&rows, "fx_job").kind, ServiceKind::SwarmJob);
    assert_eq!(service(&rows, "fx_every").kind, ServiceKind::Global);
    assert_eq!(service(&rows, "fx_paused").previous.as_deref(), Some("image app:1"));
    assert!(service(&rows, "fx_paused").rollout.note.as_deref().unwrap().starts_with("update paused due to failure"));
    let note = service(&rows, "fx_noimage").rollout.note.clone();
    assert_eq!(note.as_deref(), Some("1 task is not restarted any more (restart policy): image not found: nosuch:9"));
    let api = service(&rows, "shop_api");
    assert_eq!((api.namespace.as_str(), api.stack.as_deref()), ("shop", Some("shop")));
    assert_eq!(api.ports.as_deref(), Some("18080→80/tcp (host)"));
    assert_eq!(api.placement.as_deref(), Some("spread over node.labels.zone"));
}

#[test]
fn an_update_of_a_service_goes_on_until_the_last_of_its_tasks_runs() {
    let (nodes, services, tasks) = lists();
    let with = |state: &str, starting: bool| {
        let (mut services, mut tasks) = (services.clone(), tasks.clone());
        let api = services.iter_mut().find(|service| service.spec.value.name == "shop_api").unwrap();
        api.update_status = Some(wire::UpdateStatus { state: state.into(), ..wire::UpdateStatus::default() });
        let of = |task: &&mut wire::Task| task.service_id == api.id && task.status.state == "running";
        let one = tasks.iter_mut().find(of).filter(|_| starting);
        one.into_iter().for_each(|task| task.status.state = "preparing".into());
        let row = service(&swarm(&nodes, &services, &tasks, &HashMap::new()), "shop_api").clone();
        (row.ready, row.updated, row.rollout.state)
    };
    assert_eq!(with("updating", true), (1, 1, RolloutState::Progressing));
    assert_eq!(with("updating", false), (2, 2, RolloutState::Progressing), "the swarm still watches it");
    assert_eq!(with("completed", true), (1, 2, RolloutState::Progressing), "this one is started for another reason");
}

#[test]
fn what_stood_only_while_tasks_were_moved_is_nothing_to_go_back_to() {
    let (nodes, mut services, tasks) = lists();
    let paused = services.iter_mut().find(|service| service.spec.value.name == "fx_paused").unwrap();
    paused.previous_spec.as_mut().unwrap().labels.insert("quarterdeck.avoids.t1".into(), "n1".into());
    assert_eq!(service(&swarm(&nodes, &services, &tasks, &HashMap::new()), "fx_paused").previous, None);
}

#[test]
fn tasks_say_why_they_do_not_run() {
    let rows = rows();
    let stuck = tasks(&rows, "fx_ssd.2");
    assert_eq!((stuck[0].state, stuck[0].why.as_deref()), (TaskState::Pending, Some("no node satisfies node.labels.ssd==true")));
    let big = tasks(&rows, "fx_big.1");
    assert_eq!(big[0].why.as_deref(), Some("no node has the room it reserves (100 GiB)"));
    let missing = tasks(&rows, "fx_noimage.1");
    assert!(missing.iter().all(|task| task.state == TaskState::Failed && task.why.as_deref() == Some("image not found: nosuch:9")));
    assert_eq!(missing.len(), 2, "of a longer history");
    let crashing = tasks(&rows, "fx_crash.1");
    let now = crashing.iter().find(|task| task.wanted).unwrap();
    assert_eq!(now.restarts, 4);
    assert_eq!(now.last_end.as_ref().map(|end| (end.exit, end.reason.as_str())), Some((3, "exit 3")));
    assert_eq!(tasks(&rows, "fx_job.0").len(), 1, "slots of jobs count from 0");
    let api = tasks(&rows, "shop_api.1");
    assert_eq!((api[0].requests.mem, api[0].limits.mem), (64 << 20, 128 << 20));
}

#[test]
fn a_task_is_only_as_alive_as_its_node() {
    let (mut nodes, services, tasks) = lists();
    let node3 = nodes.iter_mut().find(|node| node.description.hostname == "node3").unwrap();
    node3.status.state = "down".to_owned();
    let id = node3.id.clone();
    let since = HashMap::from([(id.clone(), Timestamp(7))]);
    let rows = swarm(&nodes, &services, &tasks, &since);
    let row = rows.nodes.iter().find(|node| node.key.as_str() == id).unwrap();
    assert_eq!(
        (row.state, row.since, row.zone.as_deref(), row.role.as_str()),
        (NodeState::Down, Some(Timestamp(7)), Some("c"), "worker")
    );
    let there = rows.tasks.iter().find(|task| task.name.as_str() == "fx_every.node3").unwrap();
    assert_eq!((there.state, there.ready, there.since), (TaskState::Lost, false, Timestamp(7)));
    assert_eq!(there.why.as_deref(), Some("node node3 is down"));
    assert_eq!(service(&rows, "fx_every").ready, 2);
}

#[test]
fn what_is_new_to_us_costs_its_meaning_and_no_list() {
    let mut nodes: serde_json::Value = serde_json::from_str(NODES).unwrap();
    nodes[0]["Status"]["State"] = "hibernating".into();
    let nodes: Vec<wire::Node> = serde_json::from_value(nodes).unwrap();
    let mut tasks: serde_json::Value = serde_json::from_str(TASKS).unwrap();
    tasks[0]["Status"]["State"] = "thawing".into();
    tasks[0]["Status"]["ContainerStatus"] = serde_json::Value::Null;
    let tasks: Vec<wire::Task> = serde_json::from_value(tasks).unwrap();
    let rows = swarm(&nodes, &serde_json::from_str::<Vec<wire::Service>>(SERVICES).unwrap(), &tasks, &HashMap::new());
    assert_eq!(rows.nodes[0].state, NodeState::Unknown);
    assert_eq!(rows.services.len(), 8);
}
