//! Objects with anything wrong in them: nothing panics, none hides another, and the row of the odd one says what could not
//! be read.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::decode::{self, Line};
use super::super::raw::{
    Autoscaler, ControllerRevision, CronJob, DaemonSet, Deployment, DisruptionBudget, Job, Listed, RawEvent, RawNode, RawPod,
    ReplicaSet, StatefulSet,
};
use super::{Names, event, node, pod, service};
use crate::backend::mutation;
use crate::model::Text;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

/// What a row says of its object.
type Told = Option<Text>;

fn cases(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn workload() -> Value {
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"nodeSelector": {"disk": "ssd"}, "containers": [
        {"name": "main", "image": "app:1", "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"cpu": "1"}}}]}});
    json!({
        "metadata": {"name": "web", "namespace": "shop", "generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app": "web"}, "annotations": {"deployment.kubernetes.io/revision": "7"},
            "ownerReferences": [{"kind": "Deployment", "uid": "d", "controller": true}], "finalizers": ["x"]},
        "revision": 3, "data": {"spec": {"template": template}},
        "spec": {"replicas": 3, "parallelism": 2, "completions": 5, "schedule": "0 0 * * *", "minAvailable": "25%",
            "selector": {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
            "scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 9,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}},
            "template": template, "jobTemplate": {"spec": {"template": template}}},
        "status": {"observedGeneration": 3, "replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "availableReplicas": 3,
            "currentRevision": "a", "updateRevision": "b", "desiredNumberScheduled": 3, "currentNumberScheduled": 3,
            "updatedNumberScheduled": 3, "numberReady": 3, "active": 1, "ready": 1, "succeeded": 1, "failed": 1,
            "disruptionsAllowed": 1, "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                "message": "no", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
    })
}

fn happened() -> Value {
    json!({"metadata": {"name": "e", "namespace": "shop"}, "involvedObject": {"kind": "Pod", "name": "p", "namespace": "shop", "uid": "p"},
        "reason": "Pulled", "message": "it was pulled", "type": "Normal", "count": 3, "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": null, "eventTime": "2026-01-01T00:00:00.123456Z", "series": {"count": 3, "lastObservedTime": null}})
}

/// Reads a list with one odd object, and a line of a watch with it alone. `told` makes its row and returns what that says;
/// none for kinds that are no rows.
fn check<T: Listed>(objects: &[Value], at: Index, mutation: &mutation::Mutation, told: impl Fn(&T, &mut Names) -> Option<Told>) {
    let at = at.index(objects.len());
    let mut objects = objects.to_vec();
    for (n, object) in objects.iter_mut().enumerate() {
        object["metadata"]["uid"] = json!(format!("u{n}"));
        object["metadata"]["name"] = json!(format!("n{n}"));
    }
    objects[at] = mutation.of(&objects[at]);
    let said = |place| objects[at].pointer(place).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let named = said("/metadata/uid") && said("/metadata/name");
    let body = json!({ "metadata": { "resourceVersion": "7" }, "items": objects }).to_string();
    let page = decode::page::<T>(body.as_bytes(), &mut |_| {}).unwrap_or_else(|failure| panic!("{}", failure.message));
    let items: Vec<&T> = page.items.iter().flatten().collect();
    let mut names = Names::default();
    for n in (0..objects.len()).filter(|n| *n != at) {
        let other = items.iter().find(|item| item.meta().uid == format!("u{n}")).unwrap_or_else(|| panic!("u{n} is hidden"));
        assert!(other.meta().odd.is_none(), "{:?}", other.meta().odd);
        let _ = told(other, &mut names);
    }
    let sound = serde_json::from_str::<T>(&objects[at].to_string()).is_ok();
    assert_eq!(items.len(), objects.len() - usize::from(!sound && !named), "{}", objects[at]);
    for kind in ["ADDED", "MODIFIED", "DELETED"] {
        let line = json!({ "type": kind, "object": objects[at] }).to_string();
        let read = decode::line::<T>(line.as_bytes()).unwrap_or_else(|failure| panic!("{}", failure.message));
        assert_eq!(read.is_some(), sound || named, "{line}");
        let Some(Line::Added(item) | Line::Modified(item) | Line::Deleted(item)) = read else { continue };
        assert!(!sound || item.meta().odd.is_none());
        if let Some(told) = told(&item, &mut names) {
            let said = told.is_some_and(|words| words.contains("cannot read its "));
            assert_eq!(said, item.meta().odd.is_some(), "{line}");
        }
    }
}

proptest! {
    // a failure prints its smallest input
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_odd_object_hides_no_other_and_its_row_says_what_is_wrong(
        which in 0..12, at in any::<Index>(), mutation in mutation::mutations(), down in any::<bool>(),
    ) {
        let (at, mutation) = (at, &mutation);
        let part = |text: &str, name: &str| cases(text).into_iter().map(|case| case[name].clone()).collect::<Vec<_>>();
        let mut same = [workload(), workload(), workload()];
        if which == 8 {
            same.iter_mut().for_each(|cron_job| cron_job["status"]["active"] = json!([{"name": "a"}]));
        }
        macro_rules! work {
            ($kind:ident $convert:ident) => {
                check::<$kind>(&same, at, mutation, |raw, names| {
                    let row = service::$convert(raw, names);
                    Some(raw.metadata.told(row.rollout.note))
                })
            };
        }
        match which {
            0 | 1 => {
                let pods = part(include_str!("../../../../tests/fixtures/kubernetes/pods.json"), "pod");
                check::<RawPod>(&pods, at, mutation, |raw, names| Some(pod(raw, None, down, names).why));
            }
            2 => {
                let nodes = part(include_str!("../../../../tests/fixtures/kubernetes/nodes.json"), "object");
                check::<RawNode>(&nodes, at, mutation, |raw, names| Some(node(raw, names).why));
            }
            3 => work!(Deployment deployment),
            4 => work!(StatefulSet stateful_set),
            5 => work!(DaemonSet daemon_set),
            6 => work!(ReplicaSet replica_set),
            7 => work!(Job job),
            8 => work!(CronJob cron_job),
            9 => check::<RawEvent>(&[happened(), happened()], at, mutation, |raw, names| Some(Some(event(raw, None, names).message))),
            10 => {
                check::<DisruptionBudget>(&same, at, mutation, |_, _| None);
                check::<Autoscaler>(&same, at, mutation, |_, _| None);
            }
            _ => check::<ControllerRevision>(&same, at, mutation, |_, _| None),
        }
    }
}
