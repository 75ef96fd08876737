//! Evacuations of generated clusters, broken off at any request and gone on with: a server in memory that judges evictions as
//! Kubernetes does, in paused time. A failing one prints its seed; `QUARTERDECK_SEED=…` runs that one alone, and
//! `QUARTERDECK_SCENARIOS=…` sets how many there are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::backend::kubernetes::convert::scheduling_rev;
use crate::backend::kubernetes::credentials::Credentials;
use crate::backend::kubernetes::raw::RawNode;
use crate::model::{Action, Bound, ClusterId, Key, Kind, ObjectRef};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// Scenarios of a normal run.
const SCENARIOS: u64 = 200;
/// Longest that an operator would wait.
const PATIENCE: Duration = Duration::from_secs(1_800);
const NODE: &str = "n1";

/// Numbers that follow from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
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
    /// How long its pods take to end and to start.
    ends: Duration,
    starts: Duration,
}

/// The cluster, and what was seen to be wrong with what it was asked.
struct Cluster {
    apps: Vec<App>,
    /// By uid.
    pods: HashMap<String, Pod>,
    budgets: Vec<Budget>,
    cordoned: bool,
    version: u64,
    made: u64,
    evicted: HashSet<String>,
    wrong: Vec<String>,
    /// The request that breaks off, counted down, and whether it has its effect all the same.
    breaks: Option<(u64, bool)>,
}

impl Cluster {
    fn generated(chance: &mut Chance) -> Self {
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
            cluster.apps.push(App { owner, namespace, ends, starts: Duration::from_secs(1 + chance.below(40)) });
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
    fn pass(&mut self) {
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
            json!({ "metadata": meta, "spec": { "nodeName": NODE }, "status": { "phase": "Running" } })
        };
        let items: Vec<Value> = self.pods.iter().filter(|(_, pod)| pod.here).map(row).collect();
        json!({ "items": items })
    }

    fn answer(&mut self, method: &Method, path: &str, body: &Value) -> (u16, Value) {
        self.pass();
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
    fn staying(&self) -> Vec<String> {
        let stays = |pod: &Pod| !self.apps[pod.app].owner.elsewhere();
        self.pods.iter().filter(|(_, pod)| stays(pod)).map(|(uid, _)| uid.clone()).collect()
    }

    /// Pods that must have been told to go.
    fn left(&self) -> Vec<&str> {
        let movable = |pod: &&Pod| {
            let App { owner, namespace, .. } = self.apps[pod.app];
            let budgets = self.budgets.iter().filter(|budget| budget.app == pod.app).count();
            pod.here && pod.gone_at.is_none() && owner.elsewhere() && namespace == "shop" && budgets < 2
        };
        self.pods.values().filter(movable).map(|pod| pod.name.as_str()).collect()
    }

    /// Whether something holds the evacuation up for ever.
    fn stuck(&self) -> bool {
        self.left().iter().all(|name| {
            let app = self.pods.values().find(|pod| pod.name == *name).map(|pod| pod.app);
            self.budgets.iter().any(|budget| Some(budget.app) == app && budget.freed_at.is_none())
        })
    }
}

/// A client of the cluster, and what tells that a request was broken off.
fn api(cluster: &Arc<Mutex<Cluster>>) -> (Api, Arc<Notify>) {
    let broken = Arc::new(Notify::new());
    let (cluster, told) = (Arc::clone(cluster), Arc::clone(&broken));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (cluster, told) = (Arc::clone(&cluster), Arc::clone(&told));
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let path = parts.uri.path_and_query().unwrap().as_str().to_owned();
            let (answer, breaks) = {
                let mut cluster = cluster.lock();
                let breaks = match &mut cluster.breaks {
                    Some((0, effect)) => Some(*effect),
                    Some((left, _)) => {
                        *left -= 1;
                        None
                    }
                    None => None,
                };
                let answer = if breaks == Some(false) { (0, Value::Null) } else { cluster.answer(&parts.method, &path, &body) };
                (answer, breaks)
            };
            if breaks.is_some() {
                told.notify_one();
                std::future::pending::<()>().await;
            }
            // an answer takes its time, so that nothing happens at once
            tokio::time::sleep(Duration::from_millis(20)).await;
            let (code, body) = answer;
            Ok::<_, tower::BoxError>(Response::builder().status(code).body(Full::new(Bytes::from(body.to_string()))).unwrap())
        }
    });
    (Api::new(Client::new(service, "default"), Arc::new(Credentials::default()), "memory"), broken)
}

/// What the operator's resuming does: the same intent, bound to the node as it is now.
fn intent(cluster: &Cluster) -> Intent {
    let node: RawNode = serde_json::from_value(cluster.node()).unwrap();
    Intent {
        object: ObjectRef { cluster: ClusterId::new("memory"), kind: Kind::Node, key: Key::new(NODE) },
        name: NODE.into(),
        action: Action::Evacuate,
        bound: Bound { uid: "node-uid".into(), spec_rev: scheduling_rev(&node) },
    }
}

/// Runs one scenario and gives how often it was broken off and how it ended.
async fn scenario(seed: u64) -> (u32, &'static str) {
    let mut chance = Chance(seed);
    let cluster = Arc::new(Mutex::new(Cluster::generated(&mut chance)));
    let stays = cluster.lock().staying();
    let mut breaks = 0;
    let ended = loop {
        cluster.lock().breaks = (breaks < 8 && !chance.one_in(4)).then(|| (chance.below(12), chance.one_in(2)));
        let (api, broken) = api(&cluster);
        let (index, intent, (progress, reports)) = (Shared::default(), intent(&cluster.lock()), ProgressSink::new());
        let run = timeout(PATIENCE, execute(&api, &index, &intent, &progress));
        tokio::select! {
            ended = run => break (ended, reports.borrow().note.to_string()),
            () = broken.notified() => {}
        }
        breaks += 1;
        tokio::time::sleep(Duration::from_secs(chance.below(60))).await;
    };
    let mut cluster = cluster.lock();
    cluster.pass();
    assert_eq!(cluster.wrong.first(), None, "and {} more", cluster.wrong.len().saturating_sub(1));
    assert!(cluster.cordoned);
    assert!(stays.iter().all(|uid| cluster.pods.contains_key(uid)), "what nothing would make again is gone");
    let twice = cluster.budgets.iter().any(|a| cluster.budgets.iter().filter(|b| b.app == a.app).count() > 1);
    let how = match ended {
        (Ok(Ok(expect)), _) => {
            assert!(matches!(expect, Expect::NodeEmpty { .. }), "it may be said to be done before all that leaves has left");
            assert!(cluster.left().is_empty(), "{:?} were not told to go", cluster.left());
            "done"
        }
        (Ok(Err(error)), _) => {
            assert!(twice && error.to_string().contains("more than one PodDisruptionBudget"), "{error}");
            assert!(cluster.left().is_empty(), "{:?} were not told to go", cluster.left());
            "refused by two budgets"
        }
        (Err(_), note) => {
            assert!(!cluster.left().is_empty() && cluster.stuck(), "it waits for nothing: {note}");
            assert!(note.contains("waits for budget app"), "{note}");
            "waits for its budget"
        }
    };
    (breaks, how)
}

#[tokio::test(start_paused = true)]
async fn evacuations_broken_off_anywhere_go_on_move_nothing_twice_and_heed_every_budget() {
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse::<u64>().unwrap());
    let seeds = match number("QUARTERDECK_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("QUARTERDECK_SCENARIOS").unwrap_or(SCENARIOS),
    };
    let (mut breaks, mut ended) = (0, HashMap::<&str, u32>::new());
    for seed in seeds {
        let run = tokio::spawn(scenario(seed)).await;
        let (broken, how) = run.unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        breaks += broken;
        *ended.entry(how).or_default() += 1;
    }
    println!("broken off {breaks} times; {ended:?}");
}
