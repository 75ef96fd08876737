//! Conversions against recorded and hand-made objects of `tests/fixtures/kubernetes/`.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::raw::{CronJob, DaemonSet, Deployment, Job, RawNode, RawPod, StatefulSet};
use super::{Names, node, pod, scheduling_rev, service};
use crate::model::{Resources, RolloutState, Service, UpdateStrategy};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn cases(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn pods_say_where_they_are_and_why_in_words() {
    for case in cases(include_str!("../../../../tests/fixtures/kubernetes/pods.json")) {
        let name = case["case"].as_str().unwrap();
        let raw = RawPod::deserialize(&case["pod"]).unwrap();
        let row = pod(&raw, Some("s".into()), false, &mut Names::default());
        assert_eq!(row.state.word(), case["state"], "{name}");
        assert_eq!(row.ready, case["ready"].as_bool().unwrap(), "{name}");
        assert_eq!(row.why.as_deref(), case["why"].as_str(), "{name}");
        assert_eq!(row.last_end.as_ref().map(|e| &*e.reason), case["last"].as_str(), "{name}");
        assert_eq!(u64::from(row.restarts), case["restarts"].as_u64().unwrap_or(0), "{name}");
        if let Some(since) = case["since"].as_i64() {
            assert_eq!(row.since.0, since, "{name}");
        }
        assert_eq!(row.revision.as_deref(), Some("7d9f"), "{name}");
    }
}

#[test]
fn a_pod_on_a_silent_node_is_lost_whatever_it_last_reported() {
    let cases = cases(include_str!("../../../../tests/fixtures/kubernetes/pods.json"));
    let raw = RawPod::deserialize(&cases[0]["pod"]).unwrap();
    let row = pod(&raw, None, true, &mut Names::default());
    assert_eq!((row.state.word(), row.ready), ("lost", false));
    assert_eq!(&*row.image, "registry.local/web:1.3");
    assert_eq!(row.requests, Resources { cpu_m: 250, mem: 128 << 20 });
    // one container without a cpu limit: none
    assert_eq!(row.limits, Resources { cpu_m: 0, mem: 256 << 20 });
}

#[test]
fn a_service_tells_which_of_its_tasks_take_a_new_definition_by_themselves() {
    let set = |update: Value, updated: u32| -> Service {
        let raw = json!({ "spec": { "replicas": 3, "updateStrategy": update }, "status": {
            "replicas": 3, "updatedReplicas": updated, "currentRevision": "a", "updateRevision": "b"
        } });
        service::stateful_set(&serde_json::from_value(raw).unwrap(), &mut Names::default())
    };
    let partition = |n: u32| json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": n } });
    let told = |row: Service| (row.strategy, row.rollout.state, row.is_held());
    assert_eq!(told(set(partition(0), 1)), (UpdateStrategy::Rolling, RolloutState::Progressing, false));
    assert_eq!(told(set(partition(2), 1)), (UpdateStrategy::Partition(2), RolloutState::Paused, false));
    assert_eq!(told(set(partition(2), 0)), (UpdateStrategy::Partition(2), RolloutState::Progressing, false));
    let by_hand = || json!({ "type": "OnDelete" });
    assert_eq!(told(set(by_hand(), 1)), (UpdateStrategy::OnDelete, RolloutState::Paused, false));
    // its controller never takes what all of them have for the present definition
    assert_eq!(told(set(by_hand(), 3)), (UpdateStrategy::OnDelete, RolloutState::Stable, false));
    let raw = json!({ "spec": { "updateStrategy": by_hand() } });
    let row = service::daemon_set(&serde_json::from_value(raw).unwrap(), &mut Names::default());
    assert_eq!(row.strategy, UpdateStrategy::OnDelete);
}

#[test]
fn a_pod_tells_the_kind_of_what_keeps_it_running_and_a_mirror_pod_is_its_nodes() {
    let owner = |kind: &str, controller| json!({ "ownerReferences": [{ "kind": kind, "uid": "o", "controller": controller }] });
    for (metadata, want) in [
        (json!({}), None),
        (owner("Cluster", true), Some("Cluster")),
        (owner("Cluster", false), None),
        (owner("Node", true), Some("Node")),
        (json!({ "annotations": { "kubernetes.io/config.mirror": "x" } }), Some("Node")),
    ] {
        let raw: RawPod = serde_json::from_value(json!({ "metadata": metadata })).unwrap();
        assert_eq!(pod(&raw, None, false, &mut Names::default()).controller.as_deref(), want, "{metadata}");
    }
}

#[test]
fn requests_are_the_larger_of_start_and_run_with_sidecars_counted_in_both() {
    let cpu = |n: &str| json!({ "requests": { "cpu": n } });
    let raw: RawPod = serde_json::from_value(json!({ "spec": {
        "containers": [{ "name": "a", "resources": cpu("300m") }, { "name": "b", "resources": cpu("200m") }],
        "initContainers": [
            { "name": "early", "resources": cpu("400m") },
            { "name": "side", "restartPolicy": "Always", "resources": cpu("100m") },
            { "name": "late", "resources": cpu("900m") }
        ],
        "overhead": { "cpu": "10m" }
    } }))
    .unwrap();
    assert_eq!(pod(&raw, None, false, &mut Names::default()).requests.cpu_m, 1_010);
}

#[test]
fn a_workload_names_its_containers_and_those_last_that_run_before_the_others() {
    let raw: Deployment = serde_json::from_value(json!({ "spec": { "template": { "spec": {
        "initContainers": [{ "name": "seed", "image": "registry.local/seed:1" }],
        "containers": [{ "name": "main", "image": "web:1" }, { "name": "proxy", "image": "proxy:2" }]
    } } } }))
    .unwrap();
    let row = service::deployment(&raw, &mut Names::default());
    let images: Vec<(&str, &str)> = row.images().map(|(name, image)| (name.as_str(), image.as_str())).collect();
    assert_eq!(images, [("main", "web:1"), ("proxy", "proxy:2"), ("seed", "registry.local/seed:1")]);
}

#[test]
fn workloads_say_where_their_rollout_stands() {
    fn read<T: DeserializeOwned>(value: &Value) -> T {
        serde_json::from_value(value.clone()).unwrap()
    }
    for case in cases(include_str!("../../../../tests/fixtures/kubernetes/services.json")) {
        let (object, names) = (&case["object"], &mut Names::default());
        let kind = case["kind"].as_str().unwrap();
        let row: Service = match kind {
            "Deployment" => service::deployment(&read::<Deployment>(object), names),
            "StatefulSet" => service::stateful_set(&read::<StatefulSet>(object), names),
            "DaemonSet" => service::daemon_set(&read::<DaemonSet>(object), names),
            "Job" => service::job(&read::<Job>(object), names),
            "CronJob" => service::cron_job(&read::<CronJob>(object), names),
            _ => panic!("unknown kind {kind}"),
        };
        let state = match row.rollout.state {
            RolloutState::Stable => "stable",
            RolloutState::Progressing => "progressing",
            RolloutState::Paused => "paused",
            RolloutState::RollingBack => "rolling back",
            RolloutState::Failed => "failed",
        };
        let got = json!([state, row.rollout.note.as_deref(), row.ready, row.desired]);
        assert_eq!(got, case["want"], "{kind}: {}", case["case"]);
        assert_eq!(&*row.image, "registry.local/web:1.3");
        if kind == "Deployment" {
            assert_eq!(row.revision.as_deref(), Some("7"));
            assert_eq!(row.stack.as_deref(), Some("store"));
        }
    }
}

#[test]
fn nodes_say_whether_they_can_be_used_and_why_not() {
    for case in cases(include_str!("../../../../tests/fixtures/kubernetes/nodes.json")) {
        let raw = RawNode::deserialize(&case["object"]).unwrap();
        let row = node(&raw, &mut Names::default());
        let pressure: Vec<&str> = row.pressure.iter().map(|p| p.as_str()).collect();
        let got = json!([row.state.word(), row.availability.word(), row.why.as_deref(), pressure, row.role.as_str()]);
        assert_eq!(got, case["want"], "{}", case["case"]);
        assert_eq!(row.allocatable, Resources { cpu_m: 3_920, mem: 16 << 30 });
        assert_eq!((row.max_tasks, row.address.as_str()), (Some(110), "10.0.0.7"));
    }
}

#[test]
fn a_nodes_health_does_not_change_its_specification_but_a_cordon_and_a_taint_do() {
    let rev = |spec: Value| scheduling_rev(&serde_json::from_value::<RawNode>(json!({ "spec": spec })).unwrap());
    let plain = rev(json!({}));
    let lost = json!({ "taints": [{ "key": "node.kubernetes.io/unreachable", "effect": "NoExecute" }] });
    assert_eq!(plain, rev(lost));
    assert_ne!(plain, rev(json!({ "unschedulable": true })));
    let taint = |value: &str| json!({ "taints": [{ "key": "dedicated", "value": value, "effect": "NoSchedule" }] });
    assert_ne!(plain, rev(taint("gpu")));
    assert_ne!(rev(taint("gpu")), rev(taint("db")));
    let object = json!({ "metadata": { "labels": { "zone": "a" } }, "spec": taint("db") });
    let raw = serde_json::from_value::<RawNode>(object).unwrap();
    assert_ne!(scheduling_rev(&raw), rev(taint("db")), "labels are what tasks are placed by");
    let row = node(&raw, &mut Names::default());
    assert_eq!(row.label("zone").map(|zone| zone.as_str()), Some("a"));
    assert_eq!(row.taints.iter().map(|taint| taint.words()).collect::<Vec<_>>(), ["dedicated=db:NoSchedule"]);
}
