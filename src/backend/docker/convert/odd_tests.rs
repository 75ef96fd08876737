//! Real answers with anything wrong in one of their objects: nothing panics, no other object is hidden or different, and
//! the row of the odd one says what could not be read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{engine, event, swarm, wire};
use crate::backend::mutation;
use proptest::prelude::*;
use proptest::sample::Index;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Debug;

const NODES: &str = include_str!("../../../../tests/fixtures/docker/swarm/nodes.json");
const SERVICES: &str = include_str!("../../../../tests/fixtures/docker/swarm/services.json");
const TASKS: &str = include_str!("../../../../tests/fixtures/docker/swarm/tasks.json");
const SAID: &str = "cannot read its ";

fn list(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn read<T: wire::Object>(objects: &[Value]) -> Vec<T> {
    wire::all(serde_json::to_string(objects).unwrap().as_bytes()).unwrap()
}

/// A list with one of its objects mutated, and which.
struct Case {
    objects: Vec<Value>,
    at: usize,
    /// It still says which it is.
    named: bool,
    /// All of it can be read.
    sound: bool,
}

impl Case {
    fn new<T: DeserializeOwned>(objects: &[Value], at: Index, mutation: &mutation::Mutation, id: &str) -> Self {
        let at = at.index(objects.len());
        let mut objects = objects.to_vec();
        objects[at] = mutation.of(&objects[at]);
        let named = objects[at][id].is_string();
        // as text: some of it may be nested deeper than is read
        let sound = serde_json::from_str::<T>(&objects[at].to_string()).is_ok();
        Self { objects, at, named, sound }
    }

    /// Reads it: the others are as ever.
    fn read<T: wire::Object + Debug>(&self, before: &[Value], odd: impl Fn(&T) -> Option<&String>) -> Vec<T> {
        let (now, was) = (read::<T>(&self.objects), read::<T>(before));
        assert_eq!(now.len(), was.len() - usize::from(!self.named), "{}", self.objects[self.at]);
        let others = |all: &[T]| {
            all.iter().enumerate().filter(|(n, _)| *n != self.at).map(|(_, one)| format!("{one:?}")).collect::<Vec<_>>()
        };
        if self.named {
            assert_eq!(others(&now), others(&was));
            assert!(self.sound || only_nulls(&self.objects[self.at]) || odd(&now[self.at]).is_some(), "{}", self.objects[self.at]);
            assert!(!self.sound || odd(&now[self.at]).is_none());
        }
        now
    }
}

/// Whether there is a null, which is no fault and yet nothing that is read at once.
fn only_nulls(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().any(only_nulls),
        Value::Array(items) => items.iter().any(only_nulls),
        _ => false,
    }
}

fn containers() -> Vec<Value> {
    (0..3)
        .map(|n| {
            json!({
                "Id": format!("{n:064x}"), "Names": [format!("/web-{n}")], "Image": "app:1@sha256:00", "Created": 1_767_225_600,
                "State": "running", "Status": "Up 3 months (unhealthy)", "Labels": {"com.docker.compose.project": "shop",
                "com.docker.compose.service": format!("web-{n}"), "com.docker.compose.config-hash": "ab"},
                "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}],
            })
        })
        .collect()
}

fn detail() -> Value {
    json!({
        "Created": "2026-01-01T00:00:00.5Z", "RestartCount": 3, "Config": {"Tty": false},
        "State": {"Status": "exited", "OOMKilled": true, "ExitCode": 137, "Error": "", "StartedAt": "2026-01-01T00:00:01Z",
            "FinishedAt": "2026-01-01T00:00:02Z", "Health": {"Status": "unhealthy", "FailingStreak": 3}},
        "HostConfig": {"Memory": 1 << 30, "MemoryReservation": 1 << 20, "NanoCpus": 1_500_000_000, "RestartPolicy": {"Name": "always"}},
    })
}

proptest! {
    // a failure prints its smallest input
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_odd_object_of_a_swarm_hides_no_other_and_its_row_says_what_is_wrong(
        which in 0..3, at in any::<Index>(), mutation in mutation::mutations(),
    ) {
        let lists = [list(NODES), list(SERVICES), list(TASKS)];
        let (mut nodes, mut services, mut tasks) = (read(&lists[0]), read(&lists[1]), read(&lists[2]));
        let whole = swarm(&nodes, &services, &tasks, &HashMap::new());
        let case = match which {
            0 => {
                let case = Case::new::<wire::Node>(&lists[0], at, &mutation, "ID");
                nodes = case.read(&lists[0], |node: &wire::Node| node.odd.as_ref());
                case
            }
            1 => {
                let case = Case::new::<wire::Service>(&lists[1], at, &mutation, "ID");
                services = case.read(&lists[1], |service: &wire::Service| service.odd.as_ref());
                case
            }
            _ => {
                let case = Case::new::<wire::Task>(&lists[2], at, &mutation, "ID");
                tasks = case.read(&lists[2], |task: &wire::Task| task.odd.as_ref());
                case
            }
        };
        let rows = swarm(&nodes, &services, &tasks, &HashMap::new());
        prop_assert_eq!(rows.nodes.len(), nodes.len());
        prop_assert_eq!(rows.services.len(), services.len());
        let told = |rows: &super::Rows| {
            let nodes = rows.nodes.iter().filter_map(|node| node.why.clone());
            let notes = rows.services.iter().filter_map(|service| service.rollout.note.clone());
            nodes.chain(notes).chain(rows.tasks.iter().filter_map(|task| task.why.clone())).any(|words| words.contains(SAID))
        };
        prop_assert!(!told(&whole));
        let odd = nodes.iter().filter_map(|node| node.odd.as_ref()).chain(services.iter().filter_map(|service| service.odd.as_ref()));
        // an old task of a slot may be left out with what is wrong with it
        if odd.count() > 0 {
            prop_assert!(told(&rows));
        }
        if which == 0 {
            let id = lists[0][case.at]["ID"].as_str().unwrap();
            for node in whole.nodes.iter().filter(|node| node.key.as_str() != id) {
                let same = rows.nodes.contains(node);
                prop_assert!(same || !case.named, "{node:?}");
            }
        }
    }

    #[test]
    fn an_odd_container_hides_no_other_and_its_row_says_what_is_wrong(
        at in any::<Index>(), mutation in mutation::mutations(), of_detail in mutation::mutations(), of_info in mutation::mutations(),
    ) {
        let before = containers();
        let case = Case::new::<wire::Container>(&before, at, &mutation, "Id");
        let containers: Vec<wire::Container> = case.read(&before, |container: &wire::Container| container.odd.as_ref());
        let odd = of_detail.of(&detail());
        let read: wire::ContainerDetail = wire::one(odd.to_string().as_bytes()).unwrap();
        let details = HashMap::from([(containers[0].id.clone(), read.clone())]);
        let info = json!({"ID": "e", "Name": "e", "NCPU": 8, "MemTotal": 1_u64 << 34, "ServerVersion": "24.0.0", "Labels": ["zone=a"],
            "Swarm": {"NodeID": "", "LocalNodeState": "inactive", "ControlAvailable": false}});
        let info: wire::Info = wire::one(of_info.of(&info).to_string().as_bytes()).unwrap();
        let rows = engine::engine(&info, &containers, &details);
        prop_assert_eq!(rows.tasks.len(), containers.len());
        prop_assert_eq!(rows.nodes.len(), 1);
        prop_assert_eq!(rows.nodes[0].why.is_some(), info.odd.is_some());
        for container in &containers {
            let row = rows.tasks.iter().find(|row| row.key.as_str() == container.id).unwrap();
            let wrong = container.odd.is_some() || container.id == containers[0].id && read.odd.is_some();
            prop_assert_eq!(row.why.as_ref().is_some_and(|why| why.contains(SAID)), wrong, "{:?}", row);
        }
    }

    #[test]
    fn an_odd_event_is_an_event(mutation in mutation::mutations(), in_swarm in any::<bool>()) {
        let real = json!({"Type": "container", "Action": "die", "Actor": {"ID": "c1", "Attributes": {"exitCode": "1", "image": "app:1",
            "name": "web", "com.docker.swarm.task.id": "t1", "state.new": "down"}}, "scope": "local", "time": 1_767_225_600,
            "timeNano": 1_767_225_600_123_456_789_i64});
        let odd: wire::Happened = wire::one(mutation.of(&real).to_string().as_bytes()).unwrap();
        let row = event::event(&odd, in_swarm);
        prop_assert_eq!(row.message.contains(SAID), odd.odd.is_some());
    }
}
