//! Objects of an API server, as far as rows are made of them. A mark that no other change has stands where a row shows it,
//! so that two rows are the same only if they tell of the same change.

pub use crate::oracle::kubernetes::{Resource, owner, text, uid};
use serde_json::{Value, json};

const BORN: &str = "2026-01-01T00:00:00Z";

/// The label that ties the pods of a workload to it.
fn labels(app: &str) -> Value {
    json!({ "app": app })
}

fn template(app: &str, mark: u64) -> Value {
    json!({ "metadata": { "labels": labels(app) }, "spec": { "containers": [{ "name": "main", "image": image(mark) }] } })
}

pub fn image(mark: u64) -> String {
    format!("registry.local/app:{mark}")
}

fn meta(name: &str, uid: &str) -> Value {
    json!({ "name": name, "namespace": "shop", "uid": uid, "generation": 1, "creationTimestamp": BORN })
}

fn owned(mut meta: Value, kind: &str, owner: &str) -> Value {
    meta["ownerReferences"] = json!([{ "kind": kind, "uid": owner, "controller": true }]);
    meta
}

pub fn node(name: &str, uid: &str, mark: u64, unschedulable: bool) -> Value {
    let spec = if unschedulable { json!({ "unschedulable": true }) } else { json!({}) };
    json!({
        "metadata": { "name": name, "uid": uid, "creationTimestamp": BORN },
        "spec": spec,
        "status": {
            "allocatable": { "cpu": "8", "memory": "32Gi", "pods": "110" },
            "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": BORN }],
            "nodeInfo": { "kubeletVersion": format!("v1.{mark}") },
        }
    })
}

pub fn pod(uid: &str, set: &str, node: &str, mark: u64) -> Value {
    json!({
        "metadata": owned(meta(&format!("pod-{uid}"), uid), "ReplicaSet", set),
        "spec": { "nodeName": node, "containers": [{ "name": "main", "image": image(mark) }] },
        "status": pod_status("Running", true),
    })
}

/// How a pod is doing whose container runs, ready or not, or waits in any other phase.
pub fn pod_status(phase: &str, ready: bool) -> Value {
    let status = if ready { "True" } else { "False" };
    let condition = |kind: &str| json!({ "type": kind, "status": status, "lastTransitionTime": BORN });
    let runs = phase == "Running";
    let state =
        if runs { json!({ "running": { "startedAt": BORN } }) } else { json!({ "waiting": { "reason": "ContainerCreating" } }) };
    json!({
        "phase": phase,
        "conditions": [condition("Ready"), condition("ContainersReady")],
        "containerStatuses": [{ "name": "main", "ready": ready, "restartCount": 0, "state": state }],
    })
}

pub fn replica_set(uid: &str, deployment: &str, revision: u64, mark: u64) -> Value {
    let mut meta = owned(meta(&format!("set-{uid}"), uid), "Deployment", deployment);
    meta["annotations"] = json!({ "deployment.kubernetes.io/revision": revision.to_string() });
    json!({ "metadata": meta, "spec": { "replicas": 1, "template": template(deployment, mark) }, "status": { "replicas": 1 } })
}

pub fn deployment(uid: &str, revision: u64, mark: u64) -> Value {
    let mut meta = meta(uid, uid);
    meta["annotations"] = json!({ "deployment.kubernetes.io/revision": revision.to_string() });
    json!({
        "metadata": meta,
        "spec": { "replicas": 10, "template": template(uid, mark) },
        "status": { "observedGeneration": 1, "replicas": 10, "readyReplicas": 10, "updatedReplicas": 10, "availableReplicas": 10 }
    })
}

/// A workload of one of the other kinds.
pub fn workload(uid: &str, mark: u64) -> Value {
    json!({ "metadata": meta(uid, uid), "spec": { "replicas": 1, "template": template(uid, mark) }, "status": { "observedGeneration": 1 } })
}

pub fn cron_job(uid: &str, mark: u64) -> Value {
    json!({ "metadata": meta(uid, uid), "spec": { "schedule": "0 0 * * *", "jobTemplate": { "spec": { "template": template(uid, mark) } } } })
}

pub fn revision(uid: &str, owner: &str, number: u64, mark: u64) -> Value {
    json!({
        "metadata": owned(meta(uid, uid), "StatefulSet", owner),
        "revision": number,
        "data": { "spec": { "template": template(owner, mark) } }
    })
}

pub fn budget(uid: &str, app: &str, allowed: u64) -> Value {
    json!({
        "metadata": meta(uid, uid),
        "spec": { "maxUnavailable": 1, "selector": { "matchLabels": labels(app) } },
        "status": { "disruptionsAllowed": allowed }
    })
}

pub fn autoscaler(uid: &str, deployment: &str, max: u64) -> Value {
    json!({
        "metadata": meta(uid, uid),
        "spec": { "scaleTargetRef": { "kind": "Deployment", "name": deployment }, "minReplicas": 1, "maxReplicas": max }
    })
}

pub fn event(uid: &str, pod: &str, mark: u64) -> Value {
    json!({
        "metadata": meta(uid, uid),
        "involvedObject": { "kind": "Pod", "name": format!("pod-{pod}"), "namespace": "shop", "uid": pod },
        "reason": "Pulled", "type": "Normal", "message": format!("mark {mark}"), "count": 1, "lastTimestamp": BORN
    })
}
