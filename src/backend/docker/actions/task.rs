//! Actions on Swarm tasks. The API has no write on tasks: both work by way of something else.

use super::constraint::satisfied;
use super::write::{Target, Update, at, read, write};
use super::{changed, engine, report, unsupported};
use crate::backend::docker::client::Docker;
use crate::backend::docker::transport::http::Http;
use crate::backend::docker::wire;
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Expect, Intent, Key};
use serde_json::{Value, json};
use std::sync::Arc;
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
pub async fn reschedule(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<Expect, BackendError> {
    let doing = format!("rescheduling {}", intent.name);
    let task = current(docker, intent).await?;
    let target = Target { table: "services", id: task.service_id.clone() };
    let service: wire::Service =
        docker.http.get(&format!("/services/{}", target.id)).await.map_err(|e| docker.failed(&doing, &e))?;
    let spec = &service.spec.value;
    if spec.mode.replicated.is_none() {
        return Err(unsupported(
            intent,
            "only tasks of replicated services can run elsewhere; this one belongs to its node or is a job",
        ));
    }
    let nodes: Vec<wire::Node> = docker.http.get("/nodes").await.map_err(|e| docker.failed(&doing, &e))?;
    let fits = |node: &&wire::Node| {
        node.id != task.node_id
            && node.status.state == "ready"
            && node.spec.value.availability == "active"
            && satisfied(node, &spec.task_template.placement.constraints)
    };
    if !nodes.iter().any(|node| fits(&node)) {
        return Err(unsupported(
            intent,
            "no other node is ready, active and satisfies the service's placement; it stays where it is",
        ));
    }
    let constraint = format!("node.id!={}", task.node_id);
    let update = Update { intent, target: &target, doing: "rescheduling", rev: service.spec.rev, query: "" };
    report(progress, 0, 0, "telling the scheduler to avoid its node for now");
    let own = spec.task_template.placement.constraints.iter().filter(|held| **held == constraint).count();
    // from here on the constraint goes away again, however this ends: also when the operation is cancelled by dropping it
    let mut undo = Undo {
        http: Some(Arc::clone(&docker.http)),
        intent: intent.clone(),
        target: target.clone(),
        constraint: constraint.clone(),
        own,
    };
    let added = write(&docker.http, &update, |_, spec| {
        let list = at(spec, &["TaskTemplate", "Placement", "Constraints"]);
        match list {
            Value::Array(all) => all.push(json!(constraint)),
            other => *other = json!([constraint]),
        }
        Ok(())
    });
    let waited = match added.await {
        Ok(_) => wait(docker, intent, &task, progress).await,
        Err(error) => Err(error),
    };
    let removed = undo.now().await;
    match (waited, removed) {
        (Ok(()), Ok(())) => Ok(Expect::Replaced { task: intent.object.key.clone(), service: Some(Key::new(&task.service_id)) }),
        (Err(error), Ok(())) => Err(error),
        (Ok(()), Err(left)) => Err(left),
        (Err(error), Err(left)) => Err(BackendError::Protocol(format!("{error}. And {left}"))),
    }
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

/// Waits until no task of the service is wanted on the node and as many run elsewhere as are wanted.
async fn wait(docker: &Docker, intent: &Intent, moved: &wire::Task, progress: &ProgressSink) -> Result<(), BackendError> {
    let doing = format!("rescheduling {}: looking at the rollout", intent.name);
    let path = format!(
        "/tasks?filters=%7B%22service%22%3A%5B%22{}%22%5D%2C%22desired-state%22%3A%5B%22running%22%2C%22ready%22%5D%7D",
        moved.service_id
    );
    let began = Instant::now();
    let mut most = 0;
    loop {
        let tasks: Vec<wire::Task> = docker.http.get(&path).await.map_err(|e| docker.failed(&doing, &e))?;
        let here = tasks.iter().filter(|task| task.node_id == moved.node_id).count();
        let running = tasks.iter().filter(|task| task.node_id != moved.node_id && task.status.state == "running").count();
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
        let service: wire::Service =
            docker.http.get(&format!("/services/{}", moved.service_id)).await.map_err(|e| docker.failed(&doing, &e))?;
        if let Some(status) =
            service.update_status.filter(|status| status.state == "paused" || status.state.starts_with("rollback"))
        {
            return Err(BackendError::Protocol(format!(
                "rescheduling {}: the swarm stopped the rollout ({}): {}",
                intent.name, status.state, status.message
            )));
        }
        if began.elapsed() > PATIENCE {
            return Err(BackendError::Protocol(format!(
                "rescheduling {}: not over after {} min, {here} tasks are still on the old node",
                intent.name,
                PATIENCE.as_secs() / 60
            )));
        }
        sleep(LOOK).await;
    }
}

/// Takes the temporary constraint away: by [`Undo::now`], or in the background when it is dropped before.
struct Undo {
    http: Option<Arc<Http>>,
    intent: Intent,
    target: Target,
    constraint: String,
    /// How often the service's own definition holds the same constraint.
    own: usize,
}

impl Undo {
    async fn now(&mut self) -> Result<(), BackendError> {
        let Some(http) = self.http.clone() else { return Ok(()) };
        let done = undo(&http, &self.intent, &self.target, &self.constraint, self.own).await;
        self.http = None;
        done
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        let (Some(http), Ok(runtime)) = (self.http.take(), tokio::runtime::Handle::try_current()) else { return };
        let (intent, target, constraint, own) = (self.intent.clone(), self.target.clone(), self.constraint.clone(), self.own);
        runtime.spawn(async move {
            if let Err(error) = undo(&http, &intent, &target, &constraint, own).await {
                tracing::warn!(%error, "a temporary constraint stays");
            }
        });
    }
}

/// Removes one constraint from whatever the service's definition is by now; others' changes stay.
async fn undo(http: &Http, intent: &Intent, target: &Target, constraint: &str, own: usize) -> Result<(), BackendError> {
    let left = |error: &BackendError| {
        BackendError::Protocol(format!(
            "the temporary constraint {constraint} could not be taken away ({error}); \
             run `docker service update --constraint-rm '{constraint}' {}`",
            target.id
        ))
    };
    let current = read(http, target).await.map_err(|e| left(&e.during("reading the service", http.endpoint())))?;
    let held = current.spec.pointer("/TaskTemplate/Placement/Constraints").and_then(Value::as_array);
    if held.is_none_or(|all| all.iter().filter(|c| *c == constraint).count() <= own) {
        return Ok(());
    }
    let update = Update { intent, target, doing: "cleaning up after", rev: current.rev, query: "" };
    let written = write(http, &update, |_, spec| {
        let placement = at(spec, &["TaskTemplate", "Placement"]);
        if let Some(Value::Array(all)) = placement.get_mut("Constraints") {
            if let Some(last) = all.iter().rposition(|c| c == constraint) {
                all.remove(last);
            }
            if all.is_empty()
                && let Some(placement) = placement.as_object_mut()
            {
                placement.remove("Constraints");
            }
        }
        Ok(())
    });
    written.await.map(drop).map_err(|error| left(&error))
}
