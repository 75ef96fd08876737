//! Generated clusters in memory that judge evictions as Kubernetes does, in paused time, and keep in mind what was done that
//! must not be: a budget broken, a pod told to go twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::analysis::fixture;
use crate::backend::kubernetes::convert::{self, Names, scheduling_rev};
use crate::backend::kubernetes::raw::{RawNode, RawPod};
use crate::model::{Action, Bound, ClusterId, Intent, Key, Kind, Node, ObjectRef, Service, ServiceKind, Task};
use http::Method;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// The cluster's name.
pub(crate) const NAME: &str = "memory";
const NODE: &str = "n1";

/// Numbers that follow from a seed (splitmix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    ReplicaSet,
    /// Its pods keep their names and come back only when the old one is gone.
    StatefulSet,
    /// A controller of a kind that we know nothing of.
    Cluster,
    DaemonSet,
    /// Made by the kubelet from a file.
    Static,
    Nobody,
}

impl Owner {
    /// Whether it makes a pod again that goes, on another node.
    fn elsewhere(self) -> bool {
        matches!(self, Self::ReplicaSet | Self::StatefulSet | Self::Cluster)
    }
}

#[derive(Clone, Debug)]
struct Pod {
    name: String,
    app: usize,
    here: bool,
    ready_at: Instant,
    gone_at: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Budget {
    app: usize,
    least: usize,
    /// From then on it allows everything.
    freed_at: Option<Instant>,
}

#[derive(Clone, Debug)]
struct App {
    owner: Owner,
    namespace: &'static str,
    /// Its pods keep something on the node's own disk (emptyDir).
    scratch: bool,
    /// How long its pods take to end and to start.
    ends: Duration,
    starts: Duration,
}

/// How long after that a pod of a namespace that is being taken away is gone.
const GOING: Duration = Duration::from_secs(60);

/// The cluster, and what was seen to be wrong with what it was asked.
pub(crate) struct Cluster {
    apps: Vec<App>,
    /// By uid.
    pods: HashMap<String, Pod>,
    budgets: Vec<Budget>,
    cordoned: bool,
    version: u64,
    made: u64,
    evicted: HashSet<String>,
    pub(crate) wrong: Vec<String>,
    /// Requests that would change something.
    pub(crate) writes: usize,
    /// The request that breaks off, counted down, and whether it has its effect all the same.
    pub(crate) breaks: Option<(u64, bool)>,
}

impl Cluster {
    pub(crate) fn generated(chance: &mut Chance) -> Self {
        let now = Instant::now();
        let mut cluster = Self {
            apps: Vec::new(),
            pods: HashMap::new(),
            budgets: Vec::new(),
            cordoned: false,
            version: 1,
            made: 0,
            evicted: HashSet::new(),
            wrong: Vec::new(),
            writes: 0,
            breaks: None,
        };
        for app in 0..1 + chance.below(6) as usize {
            let owner = match chance.below(8) {
                0 => Owner::DaemonSet,
                1 => Owner::Nobody,
                2 => Owner::Static,
                3 | 4 => Owner::StatefulSet,
                5 => Owner::Cluster,
                _ => Owner::ReplicaSet,
            };
            let namespace = if chance.one_in(8) { "going" } else { "shop" };
            let slow = chance.one_in(3);
            let ends = Duration::from_secs(if slow { 30 + chance.below(60) } else { chance.below(5) });
            let (scratch, starts) = (chance.one_in(3), Duration::from_secs(1 + chance.below(40)));
            cluster.apps.push(App { owner, namespace, scratch, ends, starts });
            let pods = 1 + chance.below(5) as usize;
            for n in 0..pods {
                let here = n == 0 || chance.one_in(2);
                cluster.make(app, format!("app{app}-{n}"), here, now);
            }
            if owner.elsewhere() && namespace == "shop" {
                let freed_at = chance.one_in(2).then(|| now + Duration::from_secs(chance.below(900)));
                let least = match chance.below(4) {
                    0 => continue,
                    // allows none until it is freed
                    1 => pods,
                    _ => pods.saturating_sub(1 + chance.below(2) as usize),
                };
                cluster.budgets.push(Budget { app, least, freed_at });
                if chance.one_in(8) {
                    cluster.budgets.push(Budget { app, least: 0, freed_at: None });
                }
            }
        }
        cluster
    }

    fn make(&mut self, app: usize, name: String, here: bool, ready_at: Instant) {
        self.made += 1;
        self.pods.insert(format!("uid-{}", self.made), Pod { name, app, here, ready_at, gone_at: None });
    }

    /// What happens by itself until now.
    pub(crate) fn pass(&mut self) {
        let now = Instant::now();
        let gone: Vec<String> =
            self.pods.iter().filter(|(_, pod)| pod.gone_at.is_some_and(|at| at <= now)).map(|(uid, _)| uid.clone()).collect();
        for uid in gone {
            let pod = self.pods.remove(&uid).unwrap();
            let App { owner, namespace, starts, .. } = self.apps[pod.app];
            if owner == Owner::StatefulSet && namespace == "shop" {
                // on the same node again, if it takes pods
                let here = !self.cordoned;
                self.make(pod.app, pod.name, here, pod.gone_at.unwrap() + starts);
            }
        }
    }

    fn healthy(&self, app: usize) -> usize {
        let now = Instant::now();
        self.pods.values().filter(|pod| pod.app == app && pod.gone_at.is_none() && pod.ready_at <= now).count()
    }

    fn evict(&mut self, namespace: &str, name: &str, body: &Value) -> (u16, Value) {
        let now = Instant::now();
        if !self.cordoned {
            self.wrong.push(format!("{name} was evicted before its node was cordoned"));
        }
        let held = self.pods.iter().find(|(_, pod)| pod.name == name && self.apps[pod.app].namespace == namespace);
        let Some((uid, pod)) = held.map(|(uid, pod)| (uid.clone(), pod.clone())) else {
            return (404, json!({ "message": "not found", "code": 404 }));
        };
        match body.pointer("/deleteOptions/preconditions/uid").and_then(Value::as_str) {
            None => self.wrong.push(format!("{name} was evicted by its name only")),
            Some(meant) if meant != uid => {
                return (409, json!({ "message": format!("the UID in the precondition ({meant}) does not match"), "code": 409 }));
            }
            Some(_) => {}
        }
        let App { owner, starts, ends, .. } = self.apps[pod.app];
        if !owner.elsewhere() || !pod.here {
            self.wrong.push(format!("{name} of {owner:?} was evicted"));
        }
        if pod.gone_at.is_some() {
            return (201, json!({}));
        }
        if namespace == "going" {
            // whoever takes the namespace away comes to its pods
            self.pods.get_mut(&uid).unwrap().gone_at = Some(now + GOING);
            let cause = json!([{ "reason": "NamespaceTerminating" }]);
            return (403, json!({ "message": "the namespace is being terminated", "code": 403, "details": { "causes": cause } }));
        }
        let budgets: Vec<&Budget> = self.budgets.iter().filter(|budget| budget.app == pod.app).collect();
        if budgets.len() > 1 {
            return (500, json!({ "message": "This pod has more than one PodDisruptionBudget", "code": 500 }));
        }
        let ready = pod.ready_at <= now;
        if let Some(budget) = budgets.first().filter(|budget| budget.freed_at.is_none_or(|at| at > now))
            && ready
            && self.healthy(pod.app) <= budget.least
        {
            let message = format!("The disruption budget app{} needs {} healthy pods", pod.app, budget.least);
            let cause = json!([{ "reason": "DisruptionBudget", "message": message }]);
            return (429, json!({ "message": "Cannot evict pod", "code": 429, "details": { "causes": cause } }));
        }
        if !self.evicted.insert(uid.clone()) {
            self.wrong.push(format!("{name} was moved twice"));
        }
        self.pods.get_mut(&uid).unwrap().gone_at = Some(now + ends);
        if matches!(owner, Owner::ReplicaSet | Owner::Cluster) {
            self.made += 1;
            let name = format!("{}-{}", pod.name, self.made);
            self.make(pod.app, name, false, now + starts);
        }
        (201, json!({}))
    }

    fn node(&self) -> Value {
        json!({ "metadata": { "name": NODE, "uid": "node-uid", "resourceVersion": self.version.to_string() },
                "spec": { "unschedulable": self.cordoned } })
    }

    fn listed(&self) -> Value {
        let row = |(uid, pod): (&String, &Pod)| {
            let app = &self.apps[pod.app];
            let mut meta = json!({ "name": pod.name, "namespace": app.namespace, "uid": uid });
            match app.owner {
                Owner::Nobody => {}
                Owner::Static => meta["annotations"] = json!({ "kubernetes.io/config.mirror": "x" }),
                owner => meta["ownerReferences"] = json!([{ "kind": format!("{owner:?}"), "uid": "o", "controller": true }]),
            }
            if pod.gone_at.is_some() {
                meta["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            }
            let mut spec = json!({ "nodeName": NODE });
            if app.scratch {
                spec["volumes"] = json!([{ "name": "scratch", "emptyDir": {} }]);
            }
            json!({ "metadata": meta, "spec": spec, "status": { "phase": "Running" } })
        };
        let items: Vec<Value> = self.pods.iter().filter(|(_, pod)| pod.here).map(row).collect();
        json!({ "items": items })
    }

    pub(super) fn answer(&mut self, method: &Method, path: &str, body: &Value) -> (u16, Value) {
        self.pass();
        self.writes += usize::from(method != Method::GET);
        let parts: Vec<&str> = path.trim_start_matches('/').split(['/', '?']).collect();
        match (method.as_str(), parts.as_slice()) {
            ("GET", ["api", "v1", "nodes", NODE]) => (200, self.node()),
            ("PATCH", ["api", "v1", "nodes", NODE]) => {
                if body.pointer("/metadata/resourceVersion").and_then(Value::as_str) != Some(&self.version.to_string()) {
                    return (409, json!({ "message": "modified", "code": 409 }));
                }
                self.version += 1;
                self.cordoned = body.pointer("/spec/unschedulable") == Some(&json!(true));
                (200, self.node())
            }
            ("GET", ["api", "v1", "pods", ..]) => (200, self.listed()),
            ("POST", ["api", "v1", "namespaces", namespace, "pods", name, "eviction"]) => self.evict(namespace, name, body),
            _ => {
                self.wrong.push(format!("it was asked {method} {path}"));
                (404, json!({ "message": "no such thing", "code": 404 }))
            }
        }
    }

    /// Uids of pods that nothing would make again, or that belong to the node.
    pub(crate) fn staying(&self) -> Vec<String> {
        let stays = |pod: &Pod| !self.apps[pod.app].owner.elsewhere();
        self.pods.iter().filter(|(_, pod)| stays(pod)).map(|(uid, _)| uid.clone()).collect()
    }

    /// Pods that must have been told to go.
    pub(crate) fn left(&self) -> Vec<&str> {
        let movable = |pod: &&Pod| {
            let App { owner, namespace, .. } = self.apps[pod.app];
            let budgets = self.budgets.iter().filter(|budget| budget.app == pod.app).count();
            pod.here && pod.gone_at.is_none() && owner.elsewhere() && namespace == "shop" && budgets < 2
        };
        self.pods.values().filter(movable).map(|pod| pod.name.as_str()).collect()
    }

    /// Whether something holds the evacuation up for ever.
    pub(crate) fn stuck(&self) -> bool {
        self.left().iter().all(|name| {
            let app = self.pods.values().find(|pod| pod.name == *name).map(|pod| pod.app);
            self.budgets.iter().any(|budget| Some(budget.app) == app && budget.freed_at.is_none())
        })
    }

    /// Holds at the end of every story.
    pub(crate) fn assert_sound(&self, stays: &[String]) {
        assert_eq!(self.wrong.first(), None, "and {} more", self.wrong.len().saturating_sub(1));
        assert!(self.cordoned);
        assert!(stays.iter().all(|uid| self.pods.contains_key(uid)), "what nothing would make again is gone");
    }

    /// Whether some pods have two budgets.
    pub(crate) fn has_two_budgets(&self) -> bool {
        self.budgets.iter().any(|a| self.budgets.iter().filter(|b| b.app == a.app).count() > 1)
    }

    /// What is special about it, in words.
    pub(crate) fn kinds(&self) -> BTreeSet<&'static str> {
        let mut kinds = BTreeSet::new();
        for (n, app) in self.apps.iter().enumerate() {
            kinds.insert(match app.owner {
                Owner::ReplicaSet => "other name",
                Owner::StatefulSet => "same name",
                Owner::Cluster => "other controller",
                Owner::DaemonSet => "daemon set",
                Owner::Static => "static",
                Owner::Nobody => "bare",
            });
            let pods = self.pods.values().filter(|pod| pod.app == n).count();
            let budgets: Vec<&Budget> = self.budgets.iter().filter(|budget| budget.app == n).collect();
            let none = budgets.first().filter(|budget| budget.least == pods);
            kinds.extend(
                [
                    (app.namespace == "going").then_some("terminating namespace"),
                    (app.scratch && app.owner.elsewhere()).then_some("emptyDir"),
                    (app.ends >= Duration::from_secs(30)).then_some("slow end"),
                    (budgets.len() > 1).then_some("two budgets"),
                    none.map(|budget| if budget.freed_at.is_some() { "budget of none, freed later" } else { "budget of none" }),
                ]
                .into_iter()
                .flatten(),
            );
        }
        kinds
    }

    fn raw_node(&self) -> RawNode {
        serde_json::from_value(self.node()).unwrap()
    }

    /// What the operator means who looks at the node now.
    pub(crate) fn intent(&self) -> Intent {
        Intent {
            object: ObjectRef { cluster: ClusterId::new(NAME), kind: Kind::Node, key: Key::new(NODE) },
            name: NODE.into(),
            action: Action::Evacuate,
            bound: Bound { uid: "node-uid".into(), spec_rev: scheduling_rev(&self.raw_node()) },
        }
    }

    /// What a watch would tell of: changes whenever the rows do.
    pub(super) fn picture(&mut self) -> (bool, Vec<(String, bool)>) {
        self.pass();
        let here = self.pods.iter().filter(|(_, pod)| pod.here);
        let mut here: Vec<_> = here.map(|(uid, pod)| (uid.clone(), pod.gone_at.is_some())).collect();
        here.sort_unstable();
        (self.cordoned, here)
    }

    /// The rows of the node, of all services, and of the tasks on the node.
    pub(super) fn rows(&self) -> (Node, Vec<Service>, Vec<Task>) {
        let names = &mut Names::default();
        let key = |app: usize| format!("app{app}");
        let service = |(n, app): (usize, &App)| {
            let kind = match app.owner {
                Owner::ReplicaSet => ServiceKind::Deployment,
                Owner::StatefulSet => ServiceKind::StatefulSet,
                Owner::DaemonSet => ServiceKind::DaemonSet,
                Owner::Cluster | Owner::Static | Owner::Nobody => return None,
            };
            Some(Service { kind, ..fixture::service(&key(n), 1) })
        };
        let services: Vec<Service> = self.apps.iter().enumerate().filter_map(service).collect();
        let pods: Vec<RawPod> = serde_json::from_value(self.listed()["items"].take()).unwrap();
        let mut task = |pod: RawPod| {
            let of = Key::new(&key(self.pods[pod.metadata.uid.as_str()].app));
            let of = services.iter().any(|service| service.key == of).then_some(of);
            convert::pod(&pod, of, false, names)
        };
        let tasks = pods.into_iter().map(&mut task).collect();
        (convert::node(&self.raw_node(), names), services, tasks)
    }
}
