//! Carries out actions. Each reads its object again and refuses if it is no longer what the operator saw.

mod constraint;
mod engine;
mod evacuation;
mod join;
#[cfg(test)]
mod leftover_tests;
#[cfg(test)]
mod moving_tests;
mod node;
mod prune;
mod pull;
mod rebalance;
mod rest;
mod room;
#[cfg(test)]
mod scripted_tests;
mod service;
mod surplus;
mod task;
mod temporary;
mod write;
#[cfg(test)]
mod write_tests;

use super::client::Docker;
use crate::backend::difference::difference;
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Action, ActionKind, Expect, Found, Intent, Key, ObjectRef, Progress, Secret, Text};
use serde_json::Value;
use std::sync::Arc;
use write::{Target, read};

/// Carries out an action; see [`crate::backend::Backend::execute`].
pub async fn execute(docker: &Docker, intent: &Intent, progress: &ProgressSink) -> Result<Expect, BackendError> {
    if docker.is_swarm() {
        match &intent.action {
            Action::Scale { to } => service::scale(docker, intent, *to).await,
            Action::SetImage { image, .. } => service::set_image(docker, intent, image).await,
            Action::Redeploy { pull } => service::redeploy(docker, intent, *pull).await,
            Action::Rebalance => rebalance::rebalance(docker, intent, progress).await,
            Action::RollBack { to } => service::roll_back(docker, intent, *to).await,
            Action::DeleteService { .. } => service::delete(docker, intent).await,
            Action::Reschedule => task::reschedule(docker, intent, progress).await,
            Action::DeleteTask { grace: None | Some(0) } => task::delete(docker, intent).await,
            Action::DeleteTask { .. } => {
                Err(unsupported(intent, "the container of a swarm's task is removed at once, there is no grace to choose"))
            }
            Action::Pause | Action::Activate | Action::Drain => node::set(docker, intent).await,
            Action::Promote => node::set_role(docker, intent, true).await,
            Action::Demote => node::set_role(docker, intent, false).await,
            Action::Label { edits } => node::label(docker, intent, edits).await,
            Action::Taint { .. } => {
                Err(unsupported(intent, "a swarm has no taints; pause the node, or label it and place services by that"))
            }
            Action::Prune { volumes, seen } => prune::prune(docker, intent, *volumes, seen, progress).await,
            Action::RotateToken { managers, version } => join::rotate(docker, intent, *managers, *version).await,
            Action::RemoveNode { force } => node::remove(docker, intent, *force).await,
            Action::Evacuate => evacuation::evacuate(docker, intent, progress).await,
            Action::Start | Action::Stop | Action::Restart | Action::Kill | Action::ForceDelete { .. } => {
                Err(unsupported(intent, "a swarm starts and stops tasks by itself; scale the service, or redeploy it"))
            }
            Action::Hold | Action::Resume => Err(unsupported(intent, "a swarm pauses a rollout only by itself, after a failure")),
            Action::Trigger => Err(unsupported(intent, "a swarm runs nothing by the clock")),
        }
    } else {
        match &intent.action {
            Action::Redeploy { pull } => engine::restart(docker, intent, *pull, progress).await,
            Action::Start => engine::start(docker, intent).await,
            Action::Stop => engine::stop(docker, intent).await,
            Action::Restart => engine::restart_one(docker, intent).await,
            Action::Kill => engine::kill(docker, intent).await,
            Action::DeleteTask { .. } => engine::delete(docker, intent).await,
            Action::ForceDelete { grace } => engine::delete_by_force(docker, intent, *grace).await,
            Action::Scale { .. } => Err(unsupported(
                intent,
                "an engine keeps no number of tasks; use `docker compose up --scale` with its Compose file",
            )),
            Action::RollBack { .. } => {
                Err(unsupported(intent, "an engine keeps no earlier definition; deploy its Compose file again"))
            }
            Action::Prune { volumes, seen } => prune::prune(docker, intent, *volumes, seen, progress).await,
            Action::Promote | Action::Demote | Action::RemoveNode { .. } | Action::RotateToken { .. } => {
                Err(unsupported(intent, "a single engine belongs to no swarm"))
            }
            Action::Reschedule | Action::Rebalance | Action::Evacuate | Action::Drain | Action::Pause | Action::Activate => {
                Err(unsupported(intent, "a single engine has no other node to move to"))
            }
            Action::Label { .. } | Action::Taint { .. } => {
                Err(unsupported(intent, "an engine has the labels of its own configuration; nothing is placed by them"))
            }
            Action::SetImage { .. } => {
                Err(unsupported(intent, "a container keeps the image it was made with; deploy its Compose file again"))
            }
            Action::DeleteService { .. } => Err(unsupported(intent, "an engine has containers only; delete them one by one")),
            Action::Hold | Action::Resume | Action::Trigger => {
                Err(unsupported(intent, "an engine rolls nothing out and runs nothing by the clock"))
            }
        }
    }
}

/// See [`crate::backend::Backend::take_back`].
pub async fn take_back(docker: &Docker, intent: &Intent) -> Result<Option<String>, BackendError> {
    let what = match intent.action {
        Action::Evacuate if docker.is_swarm() => return evacuation::take_back(docker, intent).await,
        Action::Reschedule if docker.is_swarm() => "its old node is allowed again",
        Action::Rebalance if docker.is_swarm() => "took back what it had for the time being",
        _ => return Ok(None),
    };
    let back = temporary::back(&docker.http, intent, &intent.bound.uid).await?;
    Ok((!back.names.is_empty()).then(|| format!("{what} ({}){}", back.names.join(", "), back.ended)))
}

/// See [`crate::backend::Backend::survey`].
pub async fn survey(docker: &Docker, object: &ObjectRef, action: ActionKind) -> Result<Found, BackendError> {
    match action {
        ActionKind::Prune => prune::survey(docker).await,
        ActionKind::RotateToken => join::survey(docker).await,
        ActionKind::Redeploy => Ok(Found::Pulls(Arc::default())),
        ActionKind::RollBack => earlier(docker, &object.key).await,
        _ => Err(BackendError::Unsupported(format!("there is nothing to ask {} before", object.kind.word()))),
    }
}

/// What the definition before the present one would change.
async fn earlier(docker: &Docker, service: &Key) -> Result<Found, BackendError> {
    let target = Target { table: "services", id: service.to_string() };
    let current = read(&docker.http, &target).await.map_err(|err| docker.failed("read its definition", &err))?;
    let of = |(number, then): (u64, Value)| (number, difference(&current.spec, &then).into_iter().map(Text::from).collect());
    Ok(Found::Earlier(current.previous.clone().map(of).into_iter().collect()))
}

/// See [`crate::backend::Backend::join`].
pub async fn join(docker: &Docker, managers: bool) -> Result<(Secret, Text), BackendError> {
    join::join(docker, managers).await
}

fn unsupported(intent: &Intent, why: &str) -> BackendError {
    BackendError::Unsupported(format!("{} {}: {why}", intent.action.kind().spec().label, intent.name))
}

fn changed(intent: &Intent, how: &str) -> BackendError {
    BackendError::Changed(format!("{} {}: {how}; nothing was done, look again", intent.action.kind().spec().label, intent.name))
}

fn report(progress: &ProgressSink, done: usize, total: usize, note: impl Into<Text>) {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    progress.report(Progress { done: number(done), total: number(total), note: note.into() });
}
