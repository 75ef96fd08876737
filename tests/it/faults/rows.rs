//! The rows that the truth comes to, as texts; what they were before; and the rows that are shown, as texts of the same make.
//! What a row has from objects of several kinds are several texts: each may be older than the others.

use super::objects::{Resource, owner, text, uid};
use super::truth::Truth;
use quarterdeck::model::{Availability, ClusterState, Keyed, Kind, Table as Rowed};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub type Table = BTreeMap<String, String>;

/// How long it is remembered what a row was.
const KEPT: Duration = Duration::from_secs(240);

/// Until when a text was so; none where there was none.
type Was = (Instant, Option<String>);

#[derive(Default)]
pub struct Rows {
    now: [Table; 4],
    /// What each was before.
    past: HashMap<(Kind, String), Vec<Was>>,
}

impl Rows {
    /// An object is new, different or gone.
    pub fn follow(&mut self, truth: &Truth, resource: Resource, object: &Value, gone: bool) {
        let now = Instant::now();
        let (kind, rows) = match resource {
            Resource::Nodes => (Kind::Node, vec![node_row(object)]),
            Resource::Pods => (Kind::Task, pod_row(truth, object).into()),
            Resource::Events => (Kind::Event, vec![event_row(object)]),
            // what others are joined with
            _ => {
                self.renew(truth, Kind::Service);
                return if resource == Resource::ReplicaSets {
                    self.renew(truth, Kind::Task)
                };
            }
        };
        for (key, row) in rows {
            self.set(kind, key, (!gone).then_some(row), now);
        }
    }

    /// Everything may be different.
    pub fn renew(&mut self, truth: &Truth, kind: Kind) {
        let (new, now) = (expected(truth, kind), Instant::now());
        let gone: Vec<String> = self.of(kind).keys().filter(|key| !new.contains_key(*key)).cloned().collect();
        gone.into_iter().for_each(|key| self.set(kind, key, None, now));
        new.into_iter().for_each(|(key, row)| self.set(kind, key, Some(row), now));
    }

    fn set(&mut self, kind: Kind, key: String, row: Option<String>, now: Instant) {
        let table = &mut self.now[kind.index()];
        if table.get(&key) == row.as_ref() {
            return;
        }
        let was = match row {
            Some(row) => table.insert(key.clone(), row),
            None => table.remove(&key),
        };
        let past = self.past.entry((kind, key)).or_default();
        past.retain(|(until, _)| now - *until < KEPT);
        past.push((now, was));
    }

    pub fn of(&self, kind: Kind) -> &Table {
        &self.now[kind.index()]
    }

    /// Since when a row is no longer as it is shown; none if it was never so.
    fn until(&self, kind: Kind, key: &str, shown: Option<&String>) -> Option<Instant> {
        let past = self.past.get(&(kind, key.to_owned()))?;
        past.iter().rev().find(|(_, was)| was.as_ref() == shown).map(|(until, _)| *until)
    }

    /// The rows that are not as they are shown, in words, and since when each is not; none if it never was.
    pub fn wrong(&self, kind: Kind, shown: &Table) -> Vec<(String, Option<Instant>)> {
        let now = self.of(kind);
        if now == shown {
            return Vec::new();
        }
        let keys: std::collections::BTreeSet<&String> = now.keys().chain(shown.keys()).collect();
        let differs = keys.into_iter().filter(|key| now.get(*key) != shown.get(*key));
        let words = |key: &String| {
            let (shown, is) = (shown.get(key), now.get(key));
            (format!("{} {key}: shown {shown:?}, is {is:?}", kind.word()), self.until(kind, key, shown))
        };
        differs.map(words).collect()
    }
}

fn expected(truth: &Truth, kind: Kind) -> Table {
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

fn pod_row(truth: &Truth, pod: &Value) -> [(String, String); 2] {
    let own = format!("{} on={}", text(pod, "/spec/containers/0/image"), text(pod, "/spec/nodeName"));
    let service = truth.get(Resource::ReplicaSets, owner(pod)).map(|set| owner(&set).to_owned());
    [(uid(pod).to_owned(), own), (format!("{} of", uid(pod)), service.unwrap_or_default())]
}

fn services(truth: &Truth) -> Table {
    let mut holders: HashMap<String, Vec<(u64, String)>> = HashMap::new();
    for set in truth.now(Resource::ReplicaSets) {
        let revision = text(&set, "/metadata/annotations/deployment.kubernetes.io~1revision").parse().unwrap();
        let image = text(&set, "/spec/template/spec/containers/0/image").to_owned();
        holders.entry(owner(&set).to_owned()).or_default().push((revision, image));
    }
    for held in truth.now(Resource::Revisions) {
        let image = text(&held, "/data/spec/template/spec/containers/0/image").to_owned();
        holders.entry(owner(&held).to_owned()).or_default().push((held["revision"].as_u64().unwrap(), image));
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
            let previous = held.get(1).map(|(revision, image)| format!("revision {revision} · image {image}"));
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

fn service_row(key: &str, image: &str, before: Option<&str>, allowed: Option<u64>, scaler: Option<&str>) -> [(String, String); 4] {
    [
        (key.to_owned(), image.to_owned()),
        (format!("{key} before"), format!("{before:?}")),
        (format!("{key} allowed"), format!("{allowed:?}")),
        (format!("{key} scaler"), format!("{scaler:?}")),
    ]
}

/// The rows as they are shown, kept up to date from picture to picture.
#[derive(Default)]
pub struct Shown {
    tables: [Table; 4],
    last: Option<Arc<ClusterState>>,
}

impl Shown {
    pub fn of(&self, kind: Kind) -> &Table {
        &self.tables[kind.index()]
    }

    pub fn follow(&mut self, state: &Arc<ClusterState>) {
        let empty = Arc::new(ClusterState::new(state.cluster.clone()));
        let last = self.last.replace(Arc::clone(state)).unwrap_or(empty);
        let [nodes, services, tasks, events] = &mut self.tables;
        changed(nodes, &last.nodes, &state.nodes, |node| {
            let paused = node.availability == Availability::Paused;
            vec![(node.key.to_string(), format!("{} {} paused={paused}", node.uid, node.version))]
        });
        changed(services, &last.services, &state.services, |service| {
            let allowed = service.budget.as_ref().map(|budget| u64::from(budget.allowed));
            service_row(
                &service.key,
                &service.image,
                service.previous.as_deref(),
                allowed,
                service.autoscaler.as_ref().map(ToString::to_string).as_deref(),
            )
            .into()
        });
        changed(tasks, &last.tasks, &state.tasks, |task| {
            let own = format!("{} on={}", task.image, task.node.as_deref().unwrap_or_default());
            let of = task.service.as_deref().unwrap_or_default().to_owned();
            vec![(task.key.to_string(), own), (format!("{} of", task.key), of)]
        });
        changed(events, &last.events, &state.events, |event| vec![(event.key.to_string(), event.message.to_string())]);
    }
}

fn changed<T: Keyed>(table: &mut Table, last: &Rowed<T>, now: &Rowed<T>, texts: impl Fn(&T) -> Vec<(String, String)>) {
    now.changes_since(last, |old, new| {
        for (key, _) in old.map(|row| texts(row)).into_iter().flatten() {
            table.remove(&key);
        }
        table.extend(new.map(|row| texts(row)).into_iter().flatten());
    });
}
