//! Actions on Swarm nodes.

use super::write::{Target, Update, at, read, write};
use super::{changed, report};
use crate::backend::docker::client::Docker;
use crate::backend::docker::wire;
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Action, Availability, Expect, Intent, Kind};
use bollard::query_parameters::DeleteNodeOptionsBuilder;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Pause between looks at what still runs on a node.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait for a drained node to become empty; longer than any sensible stop grace period.
const PATIENCE: Duration = Duration::from_secs(600);

/// Pauses, activates or drains.
pub async fn set(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    let (availability, doing) = match intent.action {
        Action::Pause => (Availability::Paused, "pausing"),
        Action::Drain => (Availability::Drained, "draining"),
        _ => (Availability::Active, "activating"),
    };
    let node = intent.object.key.clone();
    write_availability(docker, intent, intent.bound.spec_rev, availability, doing).await?;
    Ok(match availability {
        Availability::Drained => Expect::NodeEmpty { node, availability },
        Availability::Active | Availability::Paused => Expect::NodeIs { node, availability },
    })
}

/// Promotes to manager, or demotes to worker. The swarm does it a moment after it has taken the spec.
pub async fn set_role(docker: &Docker, intent: &Intent, manages: bool) -> Result<Expect, BackendError> {
    let (role, doing) = if manages { ("manager", "promoting") } else { ("worker", "demoting") };
    let target = Target { table: "nodes", id: intent.bound.uid.to_string() };
    let update = Update { intent, target: &target, doing, rev: intent.bound.spec_rev, query: "" };
    let written = write(&docker.http, &update, |_, spec| {
        *at(spec, &["Role"]) = json!(role);
        Ok(())
    });
    written.await?;
    Ok(Expect::NodeManages { node: intent.object.key.clone(), manages })
}

/// Takes a node out of its swarm. The Engine API takes no version for that: it is read just before. One that is up is
/// refused by the swarm itself, if not by `force`.
pub async fn remove(docker: &Docker, intent: &Intent, force: bool) -> Result<Expect, BackendError> {
    let doing = format!("removing {}", intent.name);
    let target = Target { table: "nodes", id: intent.bound.uid.to_string() };
    let current = read(&docker.http, &target).await.map_err(|e| docker.failed(&doing, &e))?;
    if current.rev != intent.bound.spec_rev {
        return Err(changed(intent, "someone else has changed it meanwhile"));
    }
    let options = DeleteNodeOptionsBuilder::new().force(force).build();
    docker.typed.delete_node(&intent.bound.uid, Some(options)).await.map_err(|e| docker.typed_failed(&doing, e))?;
    Ok(Expect::Gone { kind: Kind::Node, key: intent.object.key.clone() })
}

/// Drains, waits until nothing runs there, then pauses: a drained node takes tasks again only when it is activated, and so
/// does a paused one, but on a paused node the swarm leaves alone what someone puts there on purpose.
pub async fn evacuate(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<Expect, BackendError> {
    report(progress, 0, 0, "draining");
    let rev = write_availability(docker, intent, intent.bound.spec_rev, Availability::Drained, "evacuating").await?;
    let began = Instant::now();
    let mut total = 0;
    loop {
        let (left, down) = left(docker, intent).await?;
        total = total.max(left);
        if left == 0 || down {
            break;
        }
        report(progress, total - left, total, format!("{left} tasks still run on {}", intent.name));
        if began.elapsed() > PATIENCE {
            return Err(BackendError::Protocol(format!(
                "evacuating {}: after {} min {left} of {total} tasks still run there; the node stays drained",
                intent.name,
                PATIENCE.as_secs() / 60
            )));
        }
        sleep(LOOK).await;
    }
    report(progress, total, total, "empty; pausing, so that nothing comes back");
    write_availability(docker, intent, rev, Availability::Paused, "evacuating").await?;
    Ok(Expect::NodeEmpty { node: intent.object.key.clone(), availability: Availability::Paused })
}

async fn write_availability(
    docker: &Docker,
    intent: &Intent,
    rev: u64,
    availability: Availability,
    doing: &str,
) -> Result<u64, BackendError> {
    let word = match availability {
        Availability::Active => "active",
        Availability::Paused => "pause",
        Availability::Drained => "drain",
    };
    let target = Target { table: "nodes", id: intent.bound.uid.to_string() };
    let update = Update { intent, target: &target, doing, rev, query: "" };
    write(&docker.http, &update, |_, spec| {
        *at(spec, &["Availability"]) = json!(word);
        Ok(())
    })
    .await
}

/// How many tasks may still run on the node, and whether it is down (then its tasks report no more and run elsewhere).
async fn left(docker: &Docker, intent: &Intent) -> Result<(usize, bool), BackendError> {
    let doing = format!("evacuating {}: looking at what still runs", intent.name);
    let filters = format!("%7B%22node%22%3A%5B%22{}%22%5D%7D", intent.bound.uid);
    let tasks: Vec<wire::Task> =
        docker.http.get(&format!("/tasks?filters={filters}")).await.map_err(|e| docker.failed(&doing, &e))?;
    let node: wire::Node = docker.http.get(&format!("/nodes/{}", intent.bound.uid)).await.map_err(|e| docker.failed(&doing, &e))?;
    let runs = |task: &&wire::Task| {
        matches!(task.status.state.as_str(), "assigned" | "accepted" | "preparing" | "ready" | "starting" | "running")
    };
    Ok((tasks.iter().filter(runs).count(), node.status.state == "down"))
}
