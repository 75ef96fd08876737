//! Moving a swarm node's tasks away so that no service ever has fewer than it wants. A swarm's own drain stops each task
//! before the one that takes its place has started; so services get as many more first as they have there, and when those
//! run the node is drained, and when all run elsewhere the number goes back.
//!
//! Where it stands is kept on the services themselves, in labels, which change no task: whoever goes on after a crash finds
//! what was added and does not add it again, and a number that somebody else has set meanwhile is left as it is.

use super::constraint::satisfied;
use super::node::write_availability;
use super::report;
use super::write::{Target, Update, at, read, write};
use crate::analysis::reasons::count;
use crate::backend::docker::client::Docker;
use crate::backend::docker::transport::http::Http;
use crate::backend::docker::wire;
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Availability, Expect, Intent};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The number of tasks a service wants, while it has more for an evacuation.
const WANTS: &str = "quarterdeck.evacuation.wants";
/// Before the ID of a node: how many more a service has until its tasks there are gone.
const MORE: &str = "quarterdeck.evacuation.of.";

/// Pause between looks at what runs where.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait for tasks to start or to end; longer than any sensible stop grace period.
const PATIENCE: Duration = Duration::from_secs(600);

/// Pauses the node, starts elsewhere what it runs, drains it, and pauses it when it is empty: a drained node takes tasks
/// again only when it is activated, and so does a paused one, but on a paused node the swarm leaves alone what someone puts
/// there on purpose. If it is stopped on the way the node stays as it is by then, and services go back to what they want.
pub async fn evacuate(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<Expect, BackendError> {
    let node = intent.bound.uid.as_str();
    report(progress, 0, 0, "pausing, so that nothing new comes");
    let now: wire::Node = get(&docker.http, intent, &format!("/nodes/{node}")).await?;
    let availability = if now.spec.value.availability == "drain" { Availability::Drained } else { Availability::Paused };
    let mut rev = write_availability(docker, intent, intent.bound.spec_rev, availability, "evacuating").await?;
    let back = Back { http: Arc::clone(&docker.http), intent: intent.clone(), armed: true };
    if availability == Availability::Paused {
        start_elsewhere(docker, intent, progress).await?;
        rev = write_availability(docker, intent, rev, Availability::Drained, "evacuating").await?;
    }
    empty(docker, intent, progress).await?;
    settle(docker, intent, progress).await?;
    back.now().await?;
    write_availability(docker, intent, rev, Availability::Paused, "evacuating").await?;
    Ok(Expect::NodeEmpty { node: intent.object.key.clone(), availability: Availability::Paused })
}

/// What the swarm runs and should run.
struct Seen {
    services: Vec<wire::Service>,
    tasks: Vec<wire::Task>,
}

impl Seen {
    async fn now(docker: &Docker, intent: &Intent) -> Result<Self, BackendError> {
        // {"desired-state":["running"]}
        let tasks = "/tasks?filters=%7B%22desired-state%22%3A%5B%22running%22%5D%7D";
        Ok(Self { services: get(&docker.http, intent, "/services").await?, tasks: get(&docker.http, intent, tasks).await? })
    }

    /// Tasks of a service on the node, and how many of it run elsewhere.
    fn count(&self, service: &wire::Service, node: &str) -> (u32, u32) {
        let of = self.tasks.iter().filter(|task| task.service_id == service.id);
        let (here, elsewhere): (Vec<_>, Vec<_>) = of.partition(|task| task.node_id == node);
        let running = elsewhere.iter().filter(|task| task.status.state == "running").count();
        (number(here.len()), number(running))
    }

    /// Why a task of the service has no node, if one has none.
    fn unplaced(&self, service: &wire::Service) -> Option<&str> {
        let of = self.tasks.iter().filter(|task| task.service_id == service.id && task.status.state == "pending");
        of.map(|task| task.status.err.as_str()).find(|err| !err.is_empty())
    }
}

/// Adds as many tasks to each service as it has on the node, and waits until as many as it wants run elsewhere.
async fn start_elsewhere(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<(), BackendError> {
    let node = intent.bound.uid.as_str();
    let nodes: Vec<wire::Node> = get(&docker.http, intent, "/nodes").await?;
    let began = Instant::now();
    let mut total = 0;
    loop {
        let seen = Seen::now(docker, intent).await?;
        let mut waiting: Vec<(&wire::Service, u32)> = Vec::new();
        let mut added = false;
        for service in seen.services.iter().filter(|service| movable(service, node, &nodes)) {
            let (here, elsewhere) = seen.count(service, node);
            match wanted(&service.spec.value.labels, node) {
                Some(wants) if elsewhere < wants => waiting.push((service, wants - elsewhere)),
                Some(_) => {}
                None if here > 0 => {
                    change(&docker.http, intent, service, |spec| more(spec, node, here)).await?;
                    total += here;
                    added = true;
                }
                None => {}
            }
        }
        if added {
            continue;
        }
        let Some((first, _)) = waiting.first() else { return Ok(()) };
        let left: u32 = waiting.iter().map(|(_, n)| n).sum();
        let name = &first.spec.value.name;
        let why = seen.unplaced(first).map(|why| format!(" ({why})")).unwrap_or_default();
        if began.elapsed() > PATIENCE {
            return Err(BackendError::Protocol(format!(
                "evacuating {}: {} to take the place of those there did not start within {} min, first of {name}{why}; \
                 nothing was stopped, and the node stays paused",
                intent.name,
                count(left, "task"),
                PATIENCE.as_secs() / 60
            )));
        }
        total = total.max(left);
        report(
            progress,
            (total - left) as usize,
            total as usize,
            format!("starting {} elsewhere first: {name}{why}", count(left, "task")),
        );
        sleep(LOOK).await;
    }
}

/// Whether the service's tasks can run elsewhere at all. The others end with the drain and wait until a node takes them.
fn movable(service: &wire::Service, node: &str, nodes: &[wire::Node]) -> bool {
    let spec = &service.spec.value;
    let takes = |other: &wire::Node| {
        other.id != node
            && other.status.state == "ready"
            && other.spec.value.availability == "active"
            && satisfied(other, &spec.task_template.placement.constraints)
    };
    spec.mode.replicated.is_some() && nodes.iter().any(takes)
}

/// Waits until nothing runs on the node.
async fn empty(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<(), BackendError> {
    let began = Instant::now();
    let mut total = 0;
    loop {
        let (left, down) = left(docker, intent).await?;
        total = total.max(left);
        if left == 0 || down {
            return Ok(());
        }
        report(progress, total - left, total, format!("still on {}: {}", intent.name, count(number(left), "task")));
        if began.elapsed() > PATIENCE {
            return Err(BackendError::Protocol(format!(
                "evacuating {}: after {} min {left} of {total} tasks still run there; the node stays drained",
                intent.name,
                PATIENCE.as_secs() / 60
            )));
        }
        sleep(LOOK).await;
    }
}

/// Waits until all tasks run elsewhere, more than are wanted for now: when the number goes back the swarm may end any of
/// them. What does not start is not waited for longer than for anything else.
async fn settle(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<(), BackendError> {
    let node = intent.bound.uid.as_str();
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let seen = Seen::now(docker, intent).await?;
        let marked = seen.services.iter().filter(|service| wanted(&service.spec.value.labels, node).is_some());
        let missing: u32 = marked.map(|service| replicas(service).saturating_sub(seen.count(service, node).1)).sum();
        if missing == 0 {
            break;
        }
        report(progress, 0, 0, format!("empty; {} still to start elsewhere", count(missing, "task")));
        sleep(LOOK).await;
    }
    Ok(())
}

/// Takes back what was added for the evacuation: by [`Back::now`], or in the background when it is dropped before.
struct Back {
    http: Arc<Http>,
    intent: Intent,
    armed: bool,
}

impl Back {
    async fn now(mut self) -> Result<(), BackendError> {
        self.armed = false;
        back(&self.http, &self.intent).await.map(drop)
    }
}

impl Drop for Back {
    fn drop(&mut self) {
        let (true, Ok(runtime)) = (self.armed, tokio::runtime::Handle::try_current()) else { return };
        let (http, intent) = (Arc::clone(&self.http), self.intent.clone());
        runtime.spawn(async move {
            if let Err(error) = back(&http, &intent).await {
                tracing::warn!(%error, "services keep more tasks than they want");
            }
        });
    }
}

/// Takes back what was added, and returns the names of the services that had more.
async fn back(http: &Http, intent: &Intent) -> Result<Vec<String>, BackendError> {
    let node = intent.bound.uid.as_str();
    let services: Vec<wire::Service> = get(http, intent, "/services").await?;
    let mut names = Vec::new();
    // by the label of this node alone: also where somebody has taken away the number that goes with it
    for service in services.iter().filter(|service| service.spec.value.labels.contains_key(&format!("{MORE}{node}"))) {
        change(http, intent, service, |spec| fewer(spec, node)).await?;
        names.push(service.spec.value.name.to_string());
    }
    Ok(names)
}

/// Takes back what an evacuation that is not gone on with has left, whoever began it. The node stays as it is.
pub async fn take_back(docker: &Docker, intent: &Intent) -> Result<Option<String>, BackendError> {
    let names = back(&docker.http, intent).await?;
    let nodes: Vec<wire::Node> = get(&docker.http, intent, "/nodes").await?;
    let node = nodes.iter().find(|node| node.id == *intent.bound.uid);
    let stays = match node.map(|node| node.spec.value.availability.as_str()) {
        Some("drain") => format!("; {} stays drained, what ran there may still be ending", intent.name),
        Some("pause") => format!("; {} stays paused", intent.name),
        _ => String::new(),
    };
    Ok((!names.is_empty()).then(|| {
        let services = count(number(names.len()), "service");
        format!("took back the tasks that {services} had more for it ({}){stays}", names.join(", "))
    }))
}

/// Changes the spec of a service, whatever it is by now.
async fn change(http: &Http, intent: &Intent, service: &wire::Service, patch: impl Fn(&mut Value)) -> Result<(), BackendError> {
    let target = Target { table: "services", id: service.id.clone() };
    let current = read(http, &target).await.map_err(|e| e.during("reading a service", http.endpoint()))?;
    let update = Update { intent, target: &target, doing: "evacuating", rev: current.rev, query: "" };
    write(http, &update, |_, spec| {
        patch(spec);
        Ok(())
    })
    .await
    .map(drop)
}

/// How many tasks the service wants, if it has more of them because of this node.
fn wanted(labels: &wire::Labels, node: &str) -> Option<u32> {
    labels.get(&format!("{MORE}{node}"))?;
    labels.get(WANTS)?.parse().ok()
}

fn replicas(service: &wire::Service) -> u32 {
    service.spec.value.mode.replicated.as_ref().and_then(|mode| mode.replicas).unwrap_or(1)
}

/// So many tasks more, until those on the node are gone.
fn more(spec: &mut Value, node: &str, n: u32) {
    let held = at(spec, &["Mode", "Replicated", "Replicas"]).as_u64().unwrap_or(1);
    let labels = at(spec, &["Labels"]);
    if labels.get(WANTS).is_none() {
        *at(labels, &[WANTS]) = json!(held.to_string());
    }
    *at(labels, &[&format!("{MORE}{node}")]) = json!(n.to_string());
    *at(spec, &["Mode", "Replicated", "Replicas"]) = json!(held + u64::from(n));
}

/// As many as there were before, unless somebody else has set another number meanwhile.
fn fewer(spec: &mut Value, node: &str) {
    let held = at(spec, &["Mode", "Replicated", "Replicas"]).as_u64().unwrap_or(1);
    let none = &mut Map::new();
    let labels = at(spec, &["Labels"]).as_object_mut().unwrap_or(none);
    let count = |value: &Value| value.as_str().and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    let added: u64 = labels.iter().filter(|(name, _)| name.starts_with(MORE)).map(|(_, n)| count(n)).sum();
    let wants = labels.get(WANTS).map(count);
    let mine = labels.remove(&format!("{MORE}{node}")).as_ref().map_or(0, count);
    if !labels.keys().any(|name| name.starts_with(MORE)) {
        labels.remove(WANTS);
    }
    if wants.is_some_and(|wants| wants + added == held) {
        *at(spec, &["Mode", "Replicated", "Replicas"]) = json!(held - mine);
    }
}

async fn get<T: DeserializeOwned>(http: &Http, intent: &Intent, path: &str) -> Result<T, BackendError> {
    let doing = format!("evacuating {}: looking at what runs where", intent.name);
    http.get(path).await.map_err(|e| e.during(&doing, http.endpoint()))
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// How many tasks may still run on the node, and whether it is down (then its tasks report no more and run elsewhere).
async fn left(docker: &Docker, intent: &Intent) -> Result<(usize, bool), BackendError> {
    let filters = format!("%7B%22node%22%3A%5B%22{}%22%5D%7D", intent.bound.uid);
    let tasks: Vec<wire::Task> = get(&docker.http, intent, &format!("/tasks?filters={filters}")).await?;
    let node: wire::Node = get(&docker.http, intent, &format!("/nodes/{}", intent.bound.uid)).await?;
    let runs = |task: &&wire::Task| {
        matches!(task.status.state.as_str(), "assigned" | "accepted" | "preparing" | "ready" | "starting" | "running")
    };
    Ok((tasks.iter().filter(runs).count(), node.status.state == "down"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn spec(replicas: u64) -> Value {
        json!({ "Name": "web", "Labels": { "team": "shop" }, "Mode": { "Replicated": { "Replicas": replicas } } })
    }

    fn held(spec: &Value) -> u64 {
        spec["Mode"]["Replicated"]["Replicas"].as_u64().unwrap()
    }

    #[test]
    fn what_was_added_is_taken_back_in_any_order_and_leaves_nothing() {
        for order in [["a", "b"], ["b", "a"]] {
            let mut changed = spec(3);
            more(&mut changed, "a", 2);
            more(&mut changed, "b", 1);
            assert_eq!((held(&changed), &changed["Labels"][WANTS]), (6, &json!("3")));
            order.iter().for_each(|node| fewer(&mut changed, node));
            assert_eq!(changed, spec(3));
        }
        let mut bare = json!({ "Mode": { "Replicated": { "Replicas": 1 } } });
        more(&mut bare, "a", 1);
        fewer(&mut bare, "a");
        assert_eq!(held(&bare), 1);
    }

    #[test]
    fn a_number_that_somebody_has_set_meanwhile_stays() {
        let mut changed = spec(3);
        more(&mut changed, "a", 2);
        changed["Mode"]["Replicated"]["Replicas"] = json!(10);
        fewer(&mut changed, "a");
        assert_eq!(changed, spec(10));
        // a stack was deployed again: the labels are gone with the number
        let mut deployed = spec(3);
        fewer(&mut deployed, "a");
        assert_eq!(deployed, spec(3));
    }
}
