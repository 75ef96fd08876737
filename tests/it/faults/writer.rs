//! What happens at the server all the time: objects come, change and go, in an order that the seed decides.

use super::objects::{self, Resource, owner, text, uid};
use super::truth::Truth;
use crate::oracle::kubernetes::Objects;
use serde_json::{Value, json};
use std::sync::Arc;

/// A small generator of numbers (splitmix64), so that a seed is a story.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(self.below(of.len())) }
    }
}

/// Pods that there are about.
const PODS: usize = 45;
/// Deployments.
const DEPLOYMENTS: usize = 5;

pub fn fill(truth: &mut Truth, dice: &mut Dice) {
    for n in 0..5 {
        let mark = truth.mark();
        truth.put(Resource::Nodes, objects::node(&format!("node-{n}"), &format!("n{mark}"), mark, false));
    }
    for n in 0..DEPLOYMENTS {
        let name = format!("web-{n}");
        let (old, new) = (truth.mark(), truth.mark());
        truth.put(Resource::ReplicaSets, objects::replica_set(&format!("s{old}"), &name, 1, old));
        truth.put(Resource::ReplicaSets, objects::replica_set(&format!("s{new}"), &name, 2, new));
        truth.put(Resource::Deployments, objects::deployment(&name, 2, new));
        truth.put(Resource::Budgets, objects::budget(&format!("budget-{n}"), &name, 1));
    }
    truth.put(Resource::Autoscalers, objects::autoscaler("scaler", "web-0", 10));
    for (resource, name) in [(Resource::StatefulSets, "db"), (Resource::DaemonSets, "agent"), (Resource::Jobs, "job")] {
        let mark = truth.mark();
        truth.put(resource, objects::workload(name, mark));
    }
    let mark = truth.mark();
    truth.put(Resource::CronJobs, objects::cron_job("nightly", mark));
    for number in 1..=2 {
        let mark = truth.mark();
        truth.put(Resource::Revisions, objects::revision(&format!("r{mark}"), "db", number, mark));
    }
    (0..PODS).for_each(|_| add_pod(truth, dice));
    (0..12).for_each(|_| add_event(truth, dice));
}

/// A pod goes, one changes, and one comes.
pub fn lose(truth: &mut Truth, dice: &mut Dice) {
    remove_pod(truth, dice);
    touch_pod(truth, dice);
    add_pod(truth, dice);
}

/// A pod changes and goes in one moment.
pub fn last_words(truth: &mut Truth, dice: &mut Dice) {
    let Some(pod) = dice.one(&truth.now(Resource::Pods)).map(|pod| uid(pod).to_owned()) else { return };
    let held = truth.get(Resource::Pods, &pod).unwrap();
    let mark = truth.mark();
    truth.put(Resource::Pods, objects::pod(&pod, owner(&held), text(&held, "/spec/nodeName"), mark));
    truth.remove(Resource::Pods, &pod);
    add_pod(truth, dice);
}

/// One change.
pub fn step(truth: &mut Truth, dice: &mut Dice) {
    let which = dice.below(100);
    change(truth, dice, which);
}

/// A change of each kind.
pub fn each(truth: &mut Truth, dice: &mut Dice) {
    [0, 50, 59, 64, 70, 72, 74, 76, 79, 82, 86, 88].into_iter().for_each(|which| change(truth, dice, which));
}

fn change(truth: &mut Truth, dice: &mut Dice, which: usize) {
    match which {
        0..30 => touch_pod(truth, dice),
        30..50 => {
            let count = truth.now(Resource::Pods).len();
            if count > PODS - 8 {
                remove_pod(truth, dice);
            }
            if count < PODS + 8 {
                add_pod(truth, dice);
            }
        }
        50..56 => touch_node(truth, dice),
        56..59 => spare_node(truth),
        59..64 => roll(truth, dice),
        64..70 => touch_deployment(truth, dice),
        70..76 => {
            let mark = truth.mark();
            match which {
                70..72 => truth.put(Resource::StatefulSets, objects::workload("db", mark)),
                72..74 => truth.put(Resource::DaemonSets, objects::workload("agent", mark)),
                _ => truth.put(Resource::CronJobs, objects::cron_job("nightly", mark)),
            }
        }
        76..79 => come_and_go(truth, Resource::Jobs, 3, objects::workload),
        79..82 => {
            let next = truth.now(Resource::Revisions).iter().filter_map(|held| held["revision"].as_u64()).max().unwrap_or(0) + 1;
            come_and_go(truth, Resource::Revisions, 3, |uid, mark| objects::revision(uid, "db", next, mark));
        }
        82..86 => {
            let (n, mark) = (dice.below(DEPLOYMENTS), truth.mark());
            truth.put(Resource::Budgets, objects::budget(&format!("budget-{n}"), &format!("web-{n}"), mark));
        }
        86..88 => {
            let mark = truth.mark();
            truth.put(Resource::Autoscalers, objects::autoscaler("scaler", "web-0", mark));
        }
        88..94 => add_event(truth, dice),
        _ => {
            if let Some(event) = dice.one(&truth.now(Resource::Events)) {
                let mark = truth.mark();
                truth.put(Resource::Events, objects::event(uid(event), "any", mark));
            }
        }
    }
}

/// Adds one, and takes the oldest away where there are more than `most`.
fn come_and_go(truth: &mut Truth, resource: Resource, most: usize, make: impl FnOnce(&str, u64) -> Value) {
    let mark = truth.mark();
    truth.put(resource, make(&format!("x{mark:08}"), mark));
    let all = truth.now(resource);
    if all.len() > most {
        truth.remove(resource, uid(&all[0]));
    }
}

pub fn add_pod(truth: &mut Truth, dice: &mut Dice) {
    let free = |node: &Arc<Value>| node.pointer("/spec/unschedulable").is_none();
    let nodes: Vec<_> = truth.now(Resource::Nodes).into_iter().filter(free).collect();
    if let Some(node) = dice.one(&nodes) {
        add_pod_to(truth, dice, text(node, "/metadata/name"));
    }
}

pub fn add_pod_to(truth: &mut Truth, dice: &mut Dice, node: &str) {
    let (sets, mark) = (truth.now(Resource::ReplicaSets), truth.mark());
    let Some(set) = dice.one(&sets) else { return };
    truth.put(Resource::Pods, objects::pod(&format!("p{mark:08}"), uid(set), node, mark));
}

fn remove_pod(truth: &mut Truth, dice: &mut Dice) {
    if let Some(pod) = dice.one(&truth.now(Resource::Pods)) {
        truth.remove(Resource::Pods, uid(pod));
    }
}

fn touch_pod(truth: &mut Truth, dice: &mut Dice) {
    if let Some(pod) = dice.one(&truth.now(Resource::Pods)) {
        let mark = truth.mark();
        let mut new = objects::pod(uid(pod), owner(pod), text(pod, "/spec/nodeName"), mark);
        let (phase, ready) = [("Running", true), ("Running", false), ("Pending", false)][dice.below(3)];
        new["status"] = objects::pod_status(phase, ready);
        truth.put(Resource::Pods, new);
    }
}

fn touch_node(truth: &mut Truth, dice: &mut Dice) {
    if let Some(node) = dice.one(&truth.now(Resource::Nodes)) {
        let (mut new, mark) = (Value::clone(node), truth.mark());
        new["status"]["nodeInfo"]["kubeletVersion"] = json!(format!("v1.{mark}"));
        truth.put(Resource::Nodes, new);
    }
}

/// A node joins, or leaves and takes its pods with it; the next one has its name.
fn spare_node(truth: &mut Truth) {
    let spare = truth.now(Resource::Nodes).into_iter().find(|node| text(node, "/metadata/name") == "spare");
    match spare {
        Some(node) => {
            truth.remove(Resource::Nodes, uid(&node));
            for pod in truth.now(Resource::Pods).iter().filter(|pod| text(pod, "/spec/nodeName") == "spare") {
                truth.remove(Resource::Pods, uid(pod));
            }
        }
        None => {
            let mark = truth.mark();
            truth.put(Resource::Nodes, objects::node("spare", &format!("n{mark}"), mark, false));
        }
    }
}

/// A Deployment gets a new definition; its oldest one goes, if nothing runs from it.
fn roll(truth: &mut Truth, dice: &mut Dice) {
    let name = format!("web-{}", dice.below(DEPLOYMENTS));
    let number = |set: &Arc<Value>| -> u64 {
        text(set, "/metadata/annotations/deployment.kubernetes.io~1revision").parse().unwrap_or_default()
    };
    let mut sets: Vec<_> = truth.now(Resource::ReplicaSets).into_iter().filter(|set| owner(set) == name).collect();
    sets.sort_by_key(number);
    let (revision, mark) = (sets.last().map_or(0, number) + 1, truth.mark());
    truth.put(Resource::ReplicaSets, objects::replica_set(&format!("s{mark}"), &name, revision, mark));
    truth.put(Resource::Deployments, objects::deployment(&name, revision, mark));
    let used = |set: &str| truth.now(Resource::Pods).iter().any(|pod| owner(pod) == set);
    if let Some(oldest) = sets.first().map(|set| uid(set).to_owned()).filter(|oldest| sets.len() > 2 && !used(oldest)) {
        truth.remove(Resource::ReplicaSets, &oldest);
    }
}

fn touch_deployment(truth: &mut Truth, dice: &mut Dice) {
    if let Some(held) = dice.one(&truth.now(Resource::Deployments)) {
        let (mut new, mark) = (Value::clone(held), truth.mark());
        new["spec"]["template"]["spec"]["containers"][0]["image"] = json!(objects::image(mark));
        truth.put(Resource::Deployments, new);
    }
}

fn add_event(truth: &mut Truth, dice: &mut Dice) {
    let pod = dice.one(&truth.now(Resource::Pods)).map_or_else(String::new, |pod| uid(pod).to_owned());
    come_and_go(truth, Resource::Events, 15, |uid, mark| objects::event(uid, &pod, mark));
}
