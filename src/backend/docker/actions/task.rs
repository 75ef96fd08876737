//! Actions on Swarm tasks. The API has no write on tasks: both work by way of something else.

use super::constraint::satisfied;
use super::rest::at_rest;
use super::room::open;
use super::temporary::{avoid, avoided, for_now, has};
use super::write::{Target, Update, write};
use super::{changed, engine, report, unsupported};
use crate::backend::docker::client::Docker;
use crate::backend::docker::wire;
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Expect, Intent, Key};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Pause between looks at a rollout.
const LOOK: Duration = Duration::from_secs(1);
/// How long a rollout may take before the constraint is taken away again.
const PATIENCE: Duration = Duration::from_secs(600);

/// Deletes a task by removing its container, which only its own engine can do.
pub async fn delete(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    let task = current(docker, intent).await?;
    let container = &task.status.container_status.container_id;
    if task.node_id != docker.info.swarm.node_id || container.is_empty() {
        return Err(unsupported(
            intent,
            "a swarm cannot delete a task, only the engine it runs on can; connect to that engine, or reschedule the task",
        ));
    }
    engine::remove(docker, container, intent, true).await?;
    Ok(Expect::Replaced { task: intent.object.key.clone(), service: Some(Key::new(&task.service_id)) })
}

/// Moves a service's tasks off the task's node: adds the constraint `node.id!=NODE`, waits until they have rolled, and takes
/// the constraint away again. Tasks elsewhere stay as they are, because their nodes satisfy the constraint (swarmkit
/// `orchestrator/task.go`). Both writes count as updates: the previous definition that roll back goes to is then this one.
/// What a program that was killed has left of it is gone on with.
pub async fn reschedule(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<Expect, BackendError> {
    let doing = format!("rescheduling {}", intent.name);
    let services: Vec<wire::Service> = docker.http.get("/services").await.map_err(|e| docker.failed(&doing, &e))?;
    let left = services.iter().find_map(|service| {
        let node = avoided(&service.spec.value.labels, &intent.bound.uid).next()?;
        Some((service.id.clone(), node.to_owned()))
    });
    if left.is_none()
        && let Some(service) = moved(docker, intent).await?
    {
        report(progress, 1, 1, "it has moved already, with another task of its service");
        return Ok(Expect::Replaced { task: intent.object.key.clone(), service: Some(service) });
    }
    for_now(docker, intent, &intent.bound.uid, async {
        let (service, node) = match left {
            Some(left) => left,
            None => forbid(docker, intent, &services, progress).await?,
        };
        wait(docker, intent, &service, &node, progress).await?;
        Ok(Expect::Replaced { task: intent.object.key.clone(), service: Some(Key::new(&service)) })
    })
    .await
    .map(|(done, _)| done)
}

/// Its service, if another task runs in its place on another node by now: one asked for together with others of its service
/// moves with them.
async fn moved(docker: &Docker, intent: &Intent) -> Result<Option<Key>, BackendError> {
    let doing = format!("rescheduling {}", intent.name);
    let path = format!("/tasks/{}", intent.bound.uid);
    let task: wire::Task = docker.http.get(&path).await.map_err(|e| docker.failed(&doing, &e))?;
    if matches!(task.desired_state.as_str(), "running" | "ready") || task.slot == 0 {
        return Ok(None);
    }
    let now = wanted_of(docker, &doing, &task.service_id).await?;
    let elsewhere = now.iter().any(|one| one.slot == task.slot && !one.node_id.is_empty() && one.node_id != task.node_id);
    Ok(elsewhere.then(|| Key::new(&task.service_id)))
}

/// Forbids the task's node to its service, and returns both.
async fn forbid(
    docker: &Docker,
    intent: &Intent,
    services: &[wire::Service],
    progress: &ProgressSink,
) -> Result<(String, String), BackendError> {
    let doing = format!("rescheduling {}", intent.name);
    let task = current(docker, intent).await?;
    at_rest(docker, &doing, &[task.service_id.as_str()], progress).await?;
    // a rollout that was waited for may have replaced it
    let task = current(docker, intent).await?;
    let service = services.iter().find(|service| service.id == task.service_id);
    let service = service.ok_or_else(|| changed(intent, "its service is gone"))?;
    let spec = &service.spec.value;
    if spec.mode.replicated.is_none() {
        return Err(unsupported(
            intent,
            "only tasks of replicated services can run elsewhere; this one belongs to its node or is a job",
        ));
    }
    let nodes: Vec<wire::Node> = docker.http.get("/nodes").await.map_err(|e| docker.failed(&doing, &e))?;
    let fits =
        |node: &wire::Node| node.id != task.node_id && open(node) && satisfied(node, &spec.task_template.placement.constraints);
    if !nodes.iter().any(fits) {
        return Err(unsupported(
            intent,
            "no other node is ready, active and satisfies the service's placement; it stays where it is",
        ));
    }
    let target = Target { table: "services", id: service.id.clone() };
    let update = Update { intent, target: &target, doing: "rescheduling", rev: Some(service.spec.rev), query: "" };
    report(progress, 0, 0, "telling the scheduler to avoid its node for now");
    write(&docker.http, &update, |_, spec| {
        avoid(spec, &intent.bound.uid, &[task.node_id.as_str()]);
        Ok(())
    })
    .await?;
    Ok((service.id.clone(), task.node_id))
}

/// The task as it is now; refused when the swarm has given it up already.
async fn current(docker: &Docker, intent: &Intent) -> Result<wire::Task, BackendError> {
    let doing = format!("reading task {}", intent.name);
    let task: wire::Task = docker.http.get(&format!("/tasks/{}", intent.bound.uid)).await.map_err(|e| docker.failed(&doing, &e))?;
    if matches!(task.desired_state.as_str(), "running" | "ready") {
        Ok(task)
    } else {
        Err(changed(intent, "the swarm has replaced it already"))
    }
}

/// The tasks of a service that the swarm wants to run.
pub async fn wanted_of(docker: &Docker, doing: &str, service: &str) -> Result<Vec<wire::Task>, BackendError> {
    let path = format!(
        "/tasks?filters=%7B%22service%22%3A%5B%22{service}%22%5D%2C%22desired-state%22%3A%5B%22running%22%2C%22ready%22%5D%7D"
    );
    docker.http.get(&path).await.map_err(|e| docker.failed(doing, &e))
}

/// Refuses to wait for a service whose rollout the swarm has stopped, or from which somebody has taken away what was added.
pub async fn goes_on(docker: &Docker, doing: &str, service: &str, whose: &str) -> Result<(), BackendError> {
    let service: wire::Service = docker.http.get(&format!("/services/{service}")).await.map_err(|e| docker.failed(doing, &e))?;
    match service.update_status.filter(|status| status.state == "paused" || status.state.starts_with("rollback")) {
        // one that it rolls back has the definition before, and so nothing of what was added
        Some(status) => {
            Err(BackendError::Protocol(format!("{doing}: the swarm stopped the rollout ({}): {}", status.state, status.message)))
        }
        None if has(&service.spec.value.labels, whose) => Ok(()),
        None => Err(BackendError::Changed(format!("{doing}: someone else has written its service anew meanwhile; look again"))),
    }
}

/// Waits until no task of the service is wanted on the node and as many run elsewhere as are wanted.
async fn wait(docker: &Docker, intent: &Intent, service: &str, node: &str, progress: &ProgressSink) -> Result<(), BackendError> {
    let doing = format!("rescheduling {}", intent.name);
    let began = Instant::now();
    let mut most = 0;
    loop {
        let tasks = wanted_of(docker, &doing, service).await?;
        let here = tasks.iter().filter(|task| task.node_id == node).count();
        let running = tasks.iter().filter(|task| task.node_id != node && task.status.state == "running").count();
        most = most.max(here);
        if here == 0 && running == tasks.len() {
            report(progress, most, most, "moved");
            return Ok(());
        }
        let others = if most > 1 { " (all tasks of the service on that node move)" } else { "" };
        report(
            progress,
            most - here,
            most,
            format!("{here} still on the old node, {running} of {} run elsewhere{others}", tasks.len()),
        );
        goes_on(docker, &doing, service, &intent.bound.uid).await?;
        if began.elapsed() > PATIENCE {
            return Err(BackendError::Protocol(format!(
                "{doing}: not over after {} min, {here} tasks are still on the old node",
                PATIENCE.as_secs() / 60
            )));
        }
        sleep(LOOK).await;
    }
}
