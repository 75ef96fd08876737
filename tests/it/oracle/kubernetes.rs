//! The rows that objects of an API server come to.

use super::rows::{Rows, Table};
use super::shown::{service_row, state_row};
use quarterdeck::model::{Kind, TaskState};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// What is listed and watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    Nodes,
    ReplicaSets,
    Budgets,
    Autoscalers,
    Revisions,
    Pods,
    Deployments,
    StatefulSets,
    DaemonSets,
    Jobs,
    CronJobs,
    Events,
}

impl Resource {
    pub const ALL: [Self; 12] = [
        Self::Nodes,
        Self::ReplicaSets,
        Self::Budgets,
        Self::Autoscalers,
        Self::Revisions,
        Self::Pods,
        Self::Deployments,
        Self::StatefulSets,
        Self::DaemonSets,
        Self::Jobs,
        Self::CronJobs,
        Self::Events,
    ];

    /// Path of its list over all namespaces.
    pub fn path(self) -> &'static str {
        match self {
            Self::Nodes => "/api/v1/nodes",
            Self::Pods => "/api/v1/pods",
            Self::Events => "/api/v1/events",
            Self::ReplicaSets => "/apis/apps/v1/replicasets",
            Self::Deployments => "/apis/apps/v1/deployments",
            Self::StatefulSets => "/apis/apps/v1/statefulsets",
            Self::DaemonSets => "/apis/apps/v1/daemonsets",
            Self::Revisions => "/apis/apps/v1/controllerrevisions",
            Self::Jobs => "/apis/batch/v1/jobs",
            Self::CronJobs => "/apis/batch/v1/cronjobs",
            Self::Budgets => "/apis/policy/v1/poddisruptionbudgets",
            Self::Autoscalers => "/apis/autoscaling/v2/horizontalpodautoscalers",
        }
    }

    pub fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.path() == path)
    }
}

/// All objects that there are.
pub trait Objects {
    /// Those of a resource.
    fn now(&self, resource: Resource) -> Vec<Arc<Value>>;
    /// One of them.
    fn get(&self, resource: Resource, uid: &str) -> Option<Arc<Value>>;
}

/// An object is new, different or gone.
pub fn follow(rows: &mut Rows, truth: &impl Objects, resource: Resource, object: &Value, gone: bool) {
    let now = Instant::now();
    let (kind, new) = match resource {
        Resource::Nodes => (Kind::Node, vec![node_row(object)]),
        Resource::Pods => (Kind::Task, pod_row(truth, object).into()),
        Resource::Events => (Kind::Event, vec![event_row(object)]),
        // what others are joined with
        _ => {
            rows.renew(Kind::Service, expected(truth, Kind::Service));
            if resource == Resource::ReplicaSets {
                rows.renew(Kind::Task, expected(truth, Kind::Task));
            }
            return;
        }
    };
    for (key, row) in new {
        rows.set(kind, key, (!gone).then_some(row), now);
    }
}

/// The rows of a kind.
pub fn expected(truth: &impl Objects, kind: Kind) -> Table {
    match kind {
        Kind::Node => truth.now(Resource::Nodes).iter().map(|node| node_row(node)).collect(),
        Kind::Task => truth.now(Resource::Pods).iter().flat_map(|pod| pod_row(truth, pod)).collect(),
        Kind::Event => truth.now(Resource::Events).iter().map(|event| event_row(event)).collect(),
        Kind::Service => services(truth),
    }
}

fn event_row(event: &Value) -> (String, String) {
    (uid(event).to_owned(), text(event, "/message").to_owned())
}

fn node_row(node: &Value) -> (String, String) {
    let paused = node.pointer("/spec/unschedulable").and_then(Value::as_bool).unwrap_or_default();
    let row = format!("{} {} paused={paused}", uid(node), text(node, "/status/nodeInfo/kubeletVersion"));
    (text(node, "/metadata/name").to_owned(), row)
}

fn pod_row(truth: &impl Objects, pod: &Value) -> [(String, String); 3] {
    let own = format!("{} on={}", text(pod, "/spec/containers/0/image"), text(pod, "/spec/nodeName"));
    let service = truth.get(Resource::ReplicaSets, owner(pod)).map(|set| owner(&set).to_owned());
    let (state, ready) = pod_state(truth, pod);
    [(uid(pod).to_owned(), own), (format!("{} of", uid(pod)), service.unwrap_or_default()), state_row(uid(pod), state, ready)]
}

/// How a pod is doing, and whether it is ready.
fn pod_state(truth: &impl Objects, pod: &Value) -> (TaskState, bool) {
    let has = |of: &Value, kind: &str, status: &str| {
        let all = of.pointer("/status/conditions").and_then(Value::as_array);
        all.into_iter().flatten().any(|held| text(held, "/type") == kind && text(held, "/status") == status)
    };
    let node = text(pod, "/spec/nodeName");
    let down = truth.now(Resource::Nodes).iter().any(|of| text(of, "/metadata/name") == node && has(of, "Ready", "Unknown"));
    let containers = pod.pointer("/status/containerStatuses").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    // what the node controller writes over pods of a node that fell silent
    let silenced = !containers.is_empty()
        && containers.iter().all(|held| held["ready"] == true)
        && has(pod, "Ready", "False")
        && !has(pod, "ContainersReady", "False");
    let state = match text(pod, "/status/phase") {
        "Succeeded" => TaskState::Succeeded,
        "Failed" => TaskState::Failed,
        "Unknown" => TaskState::Lost,
        phase if down || phase == "Running" && silenced => TaskState::Lost,
        _ if pod.pointer("/metadata/deletionTimestamp").is_some() => TaskState::Stopping,
        "Running" if containers.is_empty() || containers.iter().any(|held| held.pointer("/state/running").is_some()) => {
            TaskState::Running
        }
        "Running" => TaskState::Starting,
        _ if node.is_empty() => TaskState::Pending,
        _ => TaskState::Starting,
    };
    (state, matches!(state, TaskState::Running | TaskState::Starting) && has(pod, "Ready", "True"))
}

fn services(truth: &impl Objects) -> Table {
    let mut holders: HashMap<String, Vec<(u64, bool, String, String)>> = HashMap::new();
    for set in truth.now(Resource::ReplicaSets) {
        let revision = text(&set, "/metadata/annotations/deployment.kubernetes.io~1revision").parse().unwrap();
        let image = text(&set, "/spec/template/spec/containers/0/image").to_owned();
        // of two with the same number the one that came back, or the newer one, is the present
        let returned = set.pointer("/metadata/annotations/deployment.kubernetes.io~1revision-history").is_some();
        let made = set.pointer("/metadata/creationTimestamp").and_then(Value::as_str).unwrap_or_default().to_owned();
        holders.entry(owner(&set).to_owned()).or_default().push((revision, returned, made, image));
    }
    for held in truth.now(Resource::Revisions) {
        let image = text(&held, "/data/spec/template/spec/containers/0/image").to_owned();
        holders.entry(owner(&held).to_owned()).or_default().push((held["revision"].as_u64().unwrap(), false, String::new(), image));
    }
    let (budgets, autoscalers) = (truth.now(Resource::Budgets), truth.now(Resource::Autoscalers));
    let mut rows = Table::new();
    for resource in [Resource::Deployments, Resource::StatefulSets, Resource::DaemonSets, Resource::Jobs, Resource::CronJobs] {
        for object in truth.now(resource) {
            let name = uid(&object);
            let template = if resource == Resource::CronJobs { "/spec/jobTemplate/spec/template" } else { "/spec/template" };
            let image = text(&object, &format!("{template}/spec/containers/0/image"));
            let mut held = holders.remove(name).unwrap_or_default();
            held.sort_unstable_by(|a, b| b.cmp(a));
            let previous = held.get(1).map(|(revision, _, _, image)| format!("revision {revision} · image {image}"));
            let allowed = budgets
                .iter()
                .filter(|budget| text(budget, "/spec/selector/matchLabels/app") == name)
                .filter_map(|budget| budget.pointer("/status/disruptionsAllowed")?.as_u64())
                .min();
            let of_it =
                |scaler: &&Arc<Value>| resource == Resource::Deployments && text(scaler, "/spec/scaleTargetRef/name") == name;
            let scaler = autoscalers
                .iter()
                .find(of_it)
                .map(|scaler| format!("{}, 1 to {}", text(scaler, "/metadata/name"), scaler["spec"]["maxReplicas"]));
            rows.extend(service_row(name, image, previous.as_deref(), allowed, scaler.as_deref()));
        }
    }
    rows
}

pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub fn owner(object: &Value) -> &str {
    text(object, "/metadata/ownerReferences/0/uid")
}
