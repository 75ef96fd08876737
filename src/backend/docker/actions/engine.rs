//! Actions on the containers of a single engine, through bollard.

use super::{changed, pull, report};
use crate::backend::docker::client::Docker;
use crate::backend::docker::convert::engine::{name, service_key};
use crate::backend::docker::wire::{Container, ContainerDetail};
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Expect, Intent, Key, Kind, Text};
use crate::util::time::Timestamp;
use bollard::errors::Error;
use bollard::query_parameters::{
    KillContainerOptions, RemoveContainerOptionsBuilder, RestartContainerOptions, StartContainerOptions, StopContainerOptions,
    StopContainerOptionsBuilder,
};
use std::time::Duration;
use tokio::time::sleep;

/// Pause between looks at a container that was restarted.
const LOOK: Duration = Duration::from_millis(500);
/// So many looks it must go on running, before the next one is restarted.
const LOOKS: u32 = 4;

/// Restarts the running containers of a service, one after another; the first that does not go on ends it. An engine keeps no
/// definition to make new ones from.
pub async fn restart(docker: &Docker, intent: &Intent, pulls: bool, progress: &ProgressSink) -> Result<Expect, BackendError> {
    let doing = format!("redeploying {}", intent.name);
    let all: Vec<Container> = docker.http.get("/containers/json").await.map_err(|e| docker.failed(&doing, &e))?;
    let running: Vec<&Container> = all.iter().filter(|container| service_key(container) == intent.object.key).collect();
    if running.is_empty() {
        return Err(changed(intent, "none of its containers runs any more"));
    }
    let older = if pulls { pull::pull(docker, &doing, &running, progress).await? } else { Vec::new() };
    let mut tasks = Vec::new();
    for (done, container) in running.iter().enumerate() {
        report(progress, done, running.len(), format!("restarting {}", name(container)));
        let started = start_anew(docker, container, &doing).await.map_err(|error| match error {
            BackendError::Protocol(why) => {
                let rest = if done + 1 < running.len() { ", the others were left as they are" } else { "" };
                BackendError::Protocol(format!("{why}; {done} of {} done{rest}", running.len()))
            }
            other => other,
        })?;
        tasks.push((Key::new(&container.id), started));
    }
    report(progress, running.len(), running.len(), "restarted");
    Ok(Expect::Renewed { tasks: tasks.into(), note: Text::from(pull::older(&older)) })
}

/// Restarts a container and sees it go on; when it started anew.
async fn start_anew(docker: &Docker, container: &Container, doing: &str) -> Result<Timestamp, BackendError> {
    let path = format!("/containers/{}/json", container.id);
    let look = || async { docker.http.get::<ContainerDetail>(&path).await.map_err(|e| docker.failed(doing, &e)) };
    let before = look().await?;
    let answer = patient(docker).restart_container(&container.id, None::<RestartContainerOptions>).await;
    answer.map_err(|e| docker.typed_failed(&format!("{doing}: restarting {}", name(container)), e))?;
    let mut started = None;
    for _ in 0..LOOKS {
        let now = look().await?;
        let ended = |how: &str| Err(BackendError::Protocol(format!("{doing}: {} {how}", name(container))));
        match (now.state.status.as_str(), now.state.started_at) {
            ("running", at) if at > before.state.started_at && now.restart_count <= before.restart_count => started = at,
            ("running", at) if at <= before.state.started_at => return ended("did not start anew"),
            _ => return ended(&format!("ended right after its restart (exit {})", now.state.exit_code)),
        }
        sleep(LOOK).await;
    }
    Ok(started.unwrap_or_default())
}

/// The engine answers once the container has ended, however long its grace period is: the operation has a deadline, which
/// knows it.
fn patient(docker: &Docker) -> bollard::Docker {
    docker.typed.clone().with_timeout(Duration::from_secs(3_600))
}

/// Starts a container.
pub async fn start(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    let answer = docker.typed.start_container(&intent.bound.uid, None::<StartContainerOptions>).await;
    answer.map_err(|e| docker.typed_failed(&format!("starting {}", intent.name), e))?;
    Ok(Expect::TaskRuns { task: intent.object.key.clone(), runs: true })
}

/// Stops a container, with the grace period it was made with.
pub async fn stop(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    let answer = patient(docker).stop_container(&intent.bound.uid, None::<StopContainerOptions>).await;
    answer.map_err(|e| docker.typed_failed(&format!("stopping {}", intent.name), e))?;
    Ok(Expect::TaskRuns { task: intent.object.key.clone(), runs: false })
}

/// Stops a container, with the grace period it was made with, and starts it again.
pub async fn restart_one(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    let doing = format!("restarting {}", intent.name);
    let path = format!("/containers/{}/json", intent.bound.uid);
    let now: ContainerDetail = docker.http.get(&path).await.map_err(|e| docker.failed(&doing, &e))?;
    if !matches!(now.state.status.as_str(), "running" | "paused" | "restarting") {
        return Err(changed(intent, "it does not run any more"));
    }
    let answer = patient(docker).restart_container(&intent.bound.uid, None::<RestartContainerOptions>).await;
    answer.map_err(|e| docker.typed_failed(&doing, e))?;
    Ok(Expect::Restarted { task: intent.object.key.clone(), before: now.state.started_at.unwrap_or_default() })
}

/// Ends a container's process at once. The engine does not start it again, whatever its restart policy.
pub async fn kill(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    let answer = docker.typed.kill_container(&intent.bound.uid, None::<KillContainerOptions>).await;
    answer.map_err(|e| match conflict(&e) {
        true => changed(intent, "it does not run any more"),
        false => docker.typed_failed(&format!("killing {}", intent.name), e),
    })?;
    Ok(Expect::TaskRuns { task: intent.object.key.clone(), runs: false })
}

/// Removes a container; its volumes stay. One that runs is refused by the engine itself.
pub async fn delete(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    remove(docker, &intent.bound.uid, intent, false).await?;
    Ok(Expect::Gone { kind: Kind::Task, key: intent.object.key.clone() })
}

/// Stops a container within `grace` seconds, or those it was made with, and removes it.
pub async fn delete_by_force(docker: &Docker, intent: &Intent, grace: Option<u32>) -> Result<Expect, BackendError> {
    let stops = grace != Some(0);
    if stops {
        let options = grace.map(|seconds| StopContainerOptionsBuilder::new().t(i32::try_from(seconds).unwrap_or(i32::MAX)).build());
        let answer = patient(docker).stop_container(&intent.bound.uid, options).await;
        answer.map_err(|e| docker.typed_failed(&format!("deleting {}: stopping it first", intent.name), e))?;
    }
    match remove(docker, &intent.bound.uid, intent, true).await {
        // one that was made with `--rm` goes by itself once it has ended
        Err(BackendError::NotFound(_)) if stops => {}
        done => done?,
    }
    Ok(Expect::Gone { kind: Kind::Task, key: intent.object.key.clone() })
}

/// Removes the container `id` for `intent`; one that the engine is removing already is as good as removed by force.
pub async fn remove(docker: &Docker, id: &str, intent: &Intent, force: bool) -> Result<(), BackendError> {
    let options = RemoveContainerOptionsBuilder::new().force(force).v(false).build();
    match docker.typed.remove_container(id, Some(options)).await {
        Err(e) if conflict(&e) && !force => Err(changed(intent, "it runs, or is being removed already")),
        Err(Error::DockerResponseServerError { status_code: 409, message }) if message.contains("already in progress") => Ok(()),
        answer => answer.map_err(|e| docker.typed_failed(&format!("deleting {}", intent.name), e)),
    }
}

/// Whether the engine says that the container is in no state for it.
fn conflict(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 409, .. })
}
