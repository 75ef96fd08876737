//! An API server that is killed and started again, an etcd that is restored from an older copy, a node that dies.

use super::real::{at, insist, list, required, run, testbed};
use super::wire::{Far, Wire};
use super::{Bench, Reading, times};
use crate::faults::writer::Dice;
use crate::oracle::kubernetes::{Objects, Resource, expected, uid};
use quarterdeck::backend::Connector;
use quarterdeck::backend::kubernetes::{Proxies, discover_files};
use quarterdeck::model::{Kind, NodeState, TaskState};
use serde_json::Value;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// After an outage of an API server the picture must be equal within this time.
const WITHIN: Duration = Duration::from_secs(45);
/// What is listed, as kubectl calls it.
const ALL: &str = "nodes,pods,replicasets,deployments,statefulsets,daemonsets,jobs,cronjobs,pdb,hpa,controllerrevisions,events";

#[derive(Default)]
struct Listed(HashMap<Resource, Vec<Arc<Value>>>);

impl Objects for Listed {
    fn now(&self, resource: Resource) -> Vec<Arc<Value>> {
        self.0.get(&resource).cloned().unwrap_or_default()
    }

    fn get(&self, resource: Resource, wanted: &str) -> Option<Arc<Value>> {
        self.0.get(&resource)?.iter().find(|object| uid(object) == wanted).cloned()
    }
}

fn resource(kind: &str) -> Option<Resource> {
    Some(match kind {
        "Node" => Resource::Nodes,
        "Pod" => Resource::Pods,
        "ReplicaSet" => Resource::ReplicaSets,
        "Deployment" => Resource::Deployments,
        "StatefulSet" => Resource::StatefulSets,
        "DaemonSet" => Resource::DaemonSets,
        "Job" => Resource::Jobs,
        "CronJob" => Resource::CronJobs,
        "PodDisruptionBudget" => Resource::Budgets,
        "HorizontalPodAutoscaler" => Resource::Autoscalers,
        "ControllerRevision" => Resource::Revisions,
        "Event" => Resource::Events,
        _ => return None,
    })
}

async fn read(kubectl: String) -> Option<Reading> {
    let out = super::real::attempt(&kubectl, &["get", ALL, "-A", "-o", "json", "--request-timeout=5s"]).await;
    let answer: Value = out.status.success().then(|| serde_json::from_slice(&out.stdout).ok())??;
    let mut listed = Listed::default();
    for object in list(answer.get("items")?) {
        listed.0.entry(resource(at(object, "/kind"))?).or_default().push(Arc::new(object.clone()));
    }
    Some(Kind::ALL.into_iter().map(|kind| (kind, expected(&listed, kind))).collect())
}

fn connector(file: PathBuf) -> Arc<dyn Connector> {
    Arc::new(discover_files(&[file], &Proxies::default()).contexts.remove(0))
}

async fn start(platform: &'static str) -> Bench {
    let (kubectl, file) = (required("KUBECTL"), PathBuf::from(required("KUBECONFIG")));
    let reader = kubectl.clone();
    fill(&kubectl).await;
    Bench::start(platform, WITHIN, connector(file), move || read(reader.clone())).await
}

async fn fill(kubectl: &str) {
    insist(kubectl, &["delete", "namespace", "outages", "--ignore-not-found"]).await;
    insist(kubectl, &["create", "namespace", "outages"]).await;
    for name in ["one", "two", "three"] {
        create(kubectl, name).await;
    }
}

async fn create(kubectl: &str, name: &str) {
    insist(kubectl, &["-n", "outages", "create", "deployment", name, "--image=registry.local/app:1", "--replicas=4"]).await;
}

/// A workload gets another image, another size, or loses a pod; or what was told of all of them is deleted, as it would be
/// after an hour: of more than 2,000 events the newest are shown.
async fn change(kubectl: &str, dice: &mut Dice) {
    let of = ["deployment/one", "deployment/two", "deployment/three"][dice.below(3)];
    match dice.below(12) {
        0..4 => {
            let image = format!("*=registry.local/app:{}", 1 + dice.below(9));
            insist(kubectl, &["-n", "outages", "set", "image", of, &image]).await;
        }
        4..8 => {
            let replicas = format!("--replicas={}", 1 + dice.below(8));
            insist(kubectl, &["-n", "outages", "scale", of, &replicas]).await;
        }
        8 => drop(insist(kubectl, &["-n", "outages", "delete", "events", "--all"]).await),
        _ => {
            let pods = insist(kubectl, &["-n", "outages", "get", "pods", "-o", "name"]).await;
            let pods: Vec<&str> = pods.lines().collect();
            if !pods.is_empty() {
                insist(kubectl, &["-n", "outages", "delete", "--wait=false", "--ignore-not-found", pods[dice.below(pods.len())]])
                    .await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the testbed's API server in KUBECONFIG and KUBECTL: tests/outages"]
async fn an_api_server_that_was_killed_is_shown_as_it_is_soon_after() {
    let kubectl = required("KUBECTL");
    let mut bench = start("kubernetes").await;
    let mut dice = Dice::new(bench.dice.next());
    for round in 0..times(2) {
        let longest = if round % 5 == 4 { 40_000 } else { 8_000 };
        let lasts = Duration::from_millis(bench.dice.next() % longest);
        let (seen, mut after) = (Arc::clone(&bench.seen), Dice::new(dice.next()));
        let outage = async {
            let pods = run(&kubectl, &["-n", "outages", "get", "pods", "-o", "jsonpath={.items[*].metadata.name}"]).await;
            testbed("kube", &["kill", "kube-apiserver"]).await;
            seen.leave(true);
            // behind its back, if there are any at this moment
            for pod in pods.split_whitespace().take(2) {
                testbed("kube", &["forget", "outages", pod]).await;
            }
            sleep(lasts).await;
            seen.leave(false);
            testbed("kube", &["start", "kube-apiserver"]).await;
            for _ in 0..3 {
                change(&kubectl, &mut dice).await;
            }
        };
        let name = format!("API server killed for {:.1} s", lasts.as_secs_f64());
        bench.round(&name, outage, change(&kubectl, &mut after)).await;
    }
    bench.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the testbed's API server in KUBECONFIG and KUBECTL: tests/outages"]
async fn of_what_came_after_the_copy_that_an_etcd_was_restored_from_nothing_stays() {
    let kubectl = required("KUBECTL");
    let mut bench = start("restored").await;
    let mut dice = Dice::new(bench.dice.next());
    for round in 0..times(1).min(5) {
        let mut after = Dice::new(dice.next());
        let outage = async {
            testbed("kube", &["snapshot"]).await;
            create(&kubectl, &format!("newer-{round}")).await;
            for _ in 0..4 {
                change(&kubectl, &mut dice).await;
            }
            // what is newer than the copy must be on screen, to be taken away again
            sleep(Duration::from_secs(5)).await;
            testbed("kube", &["restore"]).await;
        };
        bench.round("etcd restored from an older copy", outage, change(&kubectl, &mut after)).await;
        let left = run(&kubectl, &["-n", "outages", "get", "deployments", "-o", "name"]).await;
        assert!(!left.contains("newer"), "the testbed did not restore: {left}");
    }
    bench.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the testbed's API server in KUBECONFIG and KUBECTL: tests/outages"]
async fn pods_of_a_node_that_sends_no_heartbeat_are_not_shown_as_running() {
    let kubectl = required("KUBECTL");
    let bench = start("node").await;
    sleep(Duration::from_secs(5)).await;
    let node = "node-3";
    let state = || Arc::clone(&bench.engine.world.borrow().clusters[0]);
    let here = || state().tasks.iter().filter(|task| task.node.as_deref() == Some(node)).cloned().collect::<Vec<_>>();
    assert!(here().iter().any(|task| task.state == TaskState::Running), "nothing runs on {node}");
    testbed("kube", &["node-kill", node]).await;
    let killed = Instant::now();
    let ready = ["get", "node", node, "-o", "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}"];
    while run(&kubectl, &ready).await == "True" {
        sleep(Duration::from_millis(200)).await;
    }
    let known = Instant::now();
    loop {
        let down = state().nodes.get(node).is_some_and(|node| node.state == NodeState::Down);
        let running: Vec<_> = here().into_iter().filter(|task| task.state == TaskState::Running || task.ready).collect();
        if down && running.is_empty() {
            break;
        }
        assert!(known.elapsed() < crate::oracle::FALSE, "down {down}; still shown as running: {running:?}");
        sleep(Duration::from_millis(100)).await;
    }
    let words: Vec<String> = here().iter().take(2).map(|task| format!("{} {:?}", task.state.word(), task.why)).collect();
    println!(
        "node: said {:.1} s after the cluster knew, which was {:.1} s after its death; its pods: {}",
        known.elapsed().as_secs_f64(),
        (known - killed).as_secs_f64(),
        words.join("; ")
    );
    testbed("kube", &["node-start", node]).await;
    let back = Instant::now();
    while state().nodes.get(node).is_none_or(|node| node.state != NodeState::Ready) {
        assert!(back.elapsed() < Duration::from_secs(45), "{node} is not shown as ready again");
        sleep(Duration::from_millis(100)).await;
    }
    println!("node: ready again {:.1} s after its heart beat again", back.elapsed().as_secs_f64());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the testbed's API server in KUBECONFIG and KUBECTL: tests/outages"]
async fn an_api_server_over_a_wire_that_fails_is_shown_as_it_is_soon_after() {
    let (kubectl, config) = (required("KUBECTL"), std::fs::read_to_string(required("KUBECONFIG")).unwrap());
    let (before, rest) = config.split_once("https://127.0.0.1:").expect("the testbed's API server is on this machine");
    let (port, after) = rest.split_once('\n').unwrap();
    let (wire, _lies) = Wire::to(Far::Port(port.parse().unwrap())).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, format!("{before}https://127.0.0.1:{}\n{after}", wire.port)).unwrap();
    fill(&kubectl).await;
    let reader = kubectl.clone();
    let change = async |dice: &mut Dice| change(&kubectl, dice).await;
    Wire::faults("kubernetes over a wire", &wire, connector(file), move || read(reader.clone()), change).await;
}
