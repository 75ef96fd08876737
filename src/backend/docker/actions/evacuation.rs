//! Moving a swarm node's tasks away so that no service ever has fewer than it wants. A swarm's own drain stops each task
//! before the one that takes its place has started; so services get as many more first as they have there, and when those
//! run the node is drained, and when all run elsewhere the number goes back. What no other node may run ends with the drain,
//! and the outcome says so.
//!
//! Where it stands is kept on the services themselves: see [`super::temporary`].

use super::constraint::satisfied;
use super::node::write_availability;
use super::rest::at_rest;
use super::room::{open, room, short};
use super::temporary::{avoided, back, change, for_now, had, more, number, replicas, runs, wanted};
use super::write::{Target, Update, at, write};
use super::{report, unsupported};
use crate::analysis::reasons::count;
use crate::backend::docker::client::Docker;
use crate::backend::docker::transport::http::Http;
use crate::backend::docker::wire;
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Availability, Expect, Intent, Text};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Pause between looks at what runs where.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait for tasks to start or to end; longer than any sensible stop grace period.
const PATIENCE: Duration = Duration::from_secs(600);

/// Pauses the node, starts elsewhere what it runs, drains it, and pauses it when it is empty: a drained node takes tasks
/// again only when it is activated, and so does a paused one, but on a paused node the swarm leaves alone what someone puts
/// there on purpose. If it is stopped on the way the node stays as it is by then, and services go back to what they want.
pub async fn evacuate(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<Expect, BackendError> {
    let node = intent.bound.uid.as_str();
    // from its beginning: one that is gone on with may have added something before
    let moved = async {
        let now: wire::Node = get(&docker.http, intent, &format!("/nodes/{node}")).await?;
        let drained = now.spec.value.availability == "drain";
        if !drained {
            admit(docker, intent, progress).await?;
        }
        report(progress, 0, 0, "pausing, so that nothing new comes");
        let availability = if drained { Availability::Drained } else { Availability::Paused };
        write_availability(docker, intent, availability, "evacuating").await?;
        if !drained {
            start_elsewhere(docker, intent, progress).await?;
            step(docker, intent, ["pause", "drain"], "nothing was drained, and what was added goes again").await?;
        }
        empty(docker, intent, progress).await?;
        settle(docker, intent, progress).await
    };
    let ((), ended) = for_now(docker, intent, node, moved).await?;
    step(docker, intent, ["drain", "pause"], "everything has moved").await?;
    let short = Text::from((left_short(docker, intent).await? + &ended).trim_start_matches("; "));
    Ok(Expect::Evacuated { node: intent.object.key.clone(), short })
}

/// Refuses where what runs on the node has nowhere to go, and waits until no rollout of it is under way.
async fn admit(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<(), BackendError> {
    let node = intent.bound.uid.as_str();
    let mut seen = Seen::now(docker, intent).await?;
    // taking back was broken off: what is avoided for that is no rule to go by
    if seen.services.iter().any(|service| avoided(&service.spec.value.labels, node).next().is_some()) {
        back(&docker.http, intent, node).await?;
        seen = Seen::now(docker, intent).await?;
    }
    let leaves = |service: &&wire::Service| service.spec.value.mode.replicated.is_some() && seen.count(service, node).0 > 0;
    let leaving: Vec<&wire::Service> = seen.services.iter().filter(leaves).collect();
    if !leaving.is_empty() && !seen.nodes.iter().any(|other| other.id != node && open(other)) {
        let why = "no other node takes tasks, so nothing can start elsewhere first; activate one, or drain it";
        return Err(unsupported(intent, why));
    }
    // what was added to some of them before is under way already
    let new = leaving.iter().filter(|service| wanted(&service.spec.value.labels, node).is_none());
    let new: Vec<&str> = new.map(|service| service.id.as_str()).collect();
    at_rest(docker, &format!("evacuating {}", intent.name), &new, progress).await
}

/// Takes the node from one availability to the next, whatever else of it has changed by now: its labels are no matter. Where it has
/// another one, says what has been done by then.
async fn step(docker: &Docker, intent: &Intent, [from, to]: [&str; 2], stands: &str) -> Result<(), BackendError> {
    let target = Target { table: "nodes", id: intent.bound.uid.to_string() };
    let update = Update { intent, target: &target, doing: "evacuating", rev: None, query: "" };
    let written = write(&docker.http, &update, |_, spec| {
        let held = at(spec, &["Availability"]);
        if *held != from && *held != to {
            let held = held.as_str().unwrap_or_default();
            let words = format!("evacuating {}: someone else has set it to {held} meanwhile", intent.name);
            return Err(BackendError::Protocol(words));
        }
        *held = json!(to);
        Ok(())
    });
    written.await.map(drop).map_err(|error| error.and(&format!("; {stands}")))
}

/// What has fewer tasks now than it wants because no other node may run more, in words.
async fn left_short(docker: &Docker, intent: &Intent) -> Result<String, BackendError> {
    let node = intent.bound.uid.as_str();
    let seen = Seen::now(docker, intent).await?;
    let mut all = Vec::new();
    let here = seen.nodes.iter().find(|one| one.id == node);
    for service in &seen.services {
        let (spec, room) = (&service.spec.value, room(service, node, &seen.nodes));
        if !here.is_some_and(|here| satisfied(here, &spec.task_template.placement.constraints)) {
            continue;
        }
        let (runs, wants) = match (&spec.mode.replicated, &spec.mode.replicated_job) {
            (Some(_), _) => (seen.running(service), replicas(service)),
            (None, Some(_)) if room == 0 => {
                let filters = format!("%7B%22service%22%3A%5B%22{}%22%5D%7D", service.id);
                let tasks: Vec<wire::Task> = get(&docker.http, intent, &format!("/tasks?filters={filters}")).await?;
                (0, number(tasks.iter().filter(|task| task.status.state == "pending").count()))
            }
            _ => continue,
        };
        if runs < wants && room < wants {
            all.push((spec.name.clone(), runs, wants));
        }
    }
    Ok(short(&all, &intent.name))
}

/// What the swarm runs and should run.
struct Seen {
    nodes: Vec<wire::Node>,
    services: Vec<wire::Service>,
    tasks: Vec<wire::Task>,
}

impl Seen {
    async fn now(docker: &Docker, intent: &Intent) -> Result<Self, BackendError> {
        // {"desired-state":["running"]}
        let tasks = "/tasks?filters=%7B%22desired-state%22%3A%5B%22running%22%5D%7D";
        Ok(Self {
            nodes: get(&docker.http, intent, "/nodes").await?,
            services: get(&docker.http, intent, "/services").await?,
            tasks: get(&docker.http, intent, tasks).await?,
        })
    }

    /// Tasks of a service on the node, and how many of it run elsewhere and stay: not those on a node that is down or drained, or
    /// that is evacuated itself.
    fn count(&self, service: &wire::Service, node: &str) -> (u32, u32) {
        let of = || self.tasks.iter().filter(|task| task.service_id == service.id);
        let leaves = |other: &str| other == node || wanted(&service.spec.value.labels, other).is_some();
        let stays = |one: &wire::Node| one.status.state == "ready" && one.spec.value.availability != "drain" && !leaves(&one.id);
        let stay: BTreeSet<&str> = self.nodes.iter().filter(|one| stays(one)).map(|one| one.id.as_str()).collect();
        let here = of().filter(|task| task.node_id == node).count();
        let elsewhere = of().filter(|task| task.status.state == "running" && stay.contains(task.node_id.as_str())).count();
        (number(here), number(elsewhere))
    }

    /// How many tasks of a service run, wherever.
    fn running(&self, service: &wire::Service) -> u32 {
        let of = self.tasks.iter().filter(|task| task.service_id == service.id && task.status.state == "running");
        number(of.count())
    }

    /// Why a task of the service has no node, if one has none.
    fn unplaced(&self, service: &wire::Service) -> Option<&str> {
        let of = self.tasks.iter().filter(|task| task.service_id == service.id && task.status.state == "pending");
        of.map(|task| task.status.err.as_str()).find(|err| !err.is_empty())
    }
}

/// Adds as many tasks to each service as it has on the node, and waits until as many as it wants run elsewhere; but not for
/// more than it had before, nor for more than other nodes may run.
async fn start_elsewhere(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<(), BackendError> {
    let node = intent.bound.uid.as_str();
    // what there was room for when it began: that other nodes close meanwhile is no reason to end what runs here
    let nodes: Vec<wire::Node> = get(&docker.http, intent, "/nodes").await?;
    let began = Instant::now();
    let mut total = 0;
    loop {
        let seen = Seen::now(docker, intent).await?;
        let mut waiting: Vec<(&wire::Service, u32)> = Vec::new();
        let mut added = false;
        for service in seen.services.iter().filter(|service| service.spec.value.mode.replicated.is_some()) {
            let labels = &service.spec.value.labels;
            let ((here, elsewhere), room) = (seen.count(service, node), room(service, node, &nodes));
            match wanted(labels, node).map(|wants| wants.min(had(labels, node).unwrap_or(wants)).min(room)) {
                Some(enough) if elsewhere < enough => waiting.push((service, enough - elsewhere)),
                Some(_) => {}
                // what no other node may run ends with the drain, and waits until one may
                None if here > 0 && elsewhere < room => {
                    let running = seen.running(service);
                    let patch = |spec: &mut serde_json::Value| {
                        more(spec, node, here);
                        runs(spec, node, running);
                    };
                    change(&docker.http, intent, &service.id, patch).await?;
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
                 what was added goes again, and the node stays paused",
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
        let missing = |service: &wire::Service| {
            let labels = &service.spec.value.labels;
            let wants = wanted(labels, node)?;
            // one that was short before may stay so
            let had = had(labels, node).filter(|had| *had < wants);
            let all = had.unwrap_or_else(|| replicas(service)).min(room(service, node, &seen.nodes));
            Some(all.saturating_sub(seen.running(service)))
        };
        let missing: u32 = seen.services.iter().filter_map(missing).sum();
        if missing == 0 {
            break;
        }
        report(progress, 0, 0, format!("empty; {} still to start elsewhere", count(missing, "task")));
        sleep(LOOK).await;
    }
    Ok(())
}

/// Takes back what an evacuation that is not gone on with has left, whoever began it. The node stays as it is.
pub async fn take_back(docker: &Docker, intent: &Intent) -> Result<Option<String>, BackendError> {
    let back = back(&docker.http, intent, &intent.bound.uid).await?;
    let nodes: Vec<wire::Node> = get(&docker.http, intent, "/nodes").await?;
    let node = nodes.iter().find(|node| node.id == *intent.bound.uid);
    let stays = match node.map(|node| node.spec.value.availability.as_str()) {
        Some("drain") => format!("; {} stays drained, what ran there may still be ending", intent.name),
        Some("pause") => format!("; {} stays paused", intent.name),
        _ => String::new(),
    };
    Ok((!back.names.is_empty()).then(|| {
        let services = count(number(back.names.len()), "service");
        format!("took back the tasks that {services} had more for it ({}){stays}{}", back.names.join(", "), back.ended)
    }))
}

async fn get<T: DeserializeOwned>(http: &Http, intent: &Intent, path: &str) -> Result<T, BackendError> {
    let doing = format!("evacuating {}: looking at what runs where", intent.name);
    http.get(path).await.map_err(|e| e.during(&doing, http.endpoint()))
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

    #[test]
    fn what_runs_on_a_node_that_it_leaves_too_is_not_counted_as_elsewhere() {
        let node = |(id, availability, state): (&str, &str, &str)| -> wire::Node {
            let spec = json!({ "Availability": availability });
            serde_json::from_value(json!({ "ID": id, "Spec": spec, "Status": { "State": state } })).unwrap()
        };
        let nodes = [
            ("n1", "pause", "ready"),
            ("evacuated", "pause", "ready"),
            ("active", "active", "ready"),
            ("drained", "drain", "ready"),
            ("down", "active", "down"),
            // somebody has paused it: what it has stays there
            ("paused", "pause", "ready"),
        ];
        let task = |(on, _, _): &(&str, &str, &str)| -> wire::Task {
            let status = json!({ "State": "running" });
            serde_json::from_value(json!({ "ID": on, "ServiceID": "s", "NodeID": on, "Status": status })).unwrap()
        };
        let labels = json!({ "quarterdeck.evacuation.wants": "6", "quarterdeck.evacuation.of.evacuated": "1" });
        let spec = json!({ "Name": "web", "Labels": labels, "Mode": { "Replicated": { "Replicas": 7 } } });
        let service: wire::Service = serde_json::from_value(json!({ "ID": "s", "Spec": spec })).unwrap();
        let tasks = nodes.iter().map(task).collect();
        let seen = Seen { nodes: nodes.map(node).into(), services: Vec::new(), tasks };
        assert_eq!(seen.count(&service, "n1"), (1, 2));
    }
}
