//! Whether a service is at rest. A swarm forgets where a rollout stands, and what a roll back would go to, with any other change
//! of the service: one that it has paused after a failure would go on, and one under way could no longer go back by itself.

use super::report;
use crate::backend::docker::client::Docker;
use crate::backend::docker::wire;
use crate::backend::{BackendError, ProgressSink};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Pause between looks.
const LOOK: Duration = Duration::from_secs(1);
/// Longest wait for the end of rollouts.
const PATIENCE: Duration = Duration::from_secs(600);

/// Waits until no rollout of these services is under way.
///
/// # Errors
/// Where the swarm has paused one, or one is not over in time.
pub async fn at_rest(docker: &Docker, doing: &str, services: &[&str], progress: &ProgressSink) -> Result<(), BackendError> {
    let began = Instant::now();
    loop {
        let all: Vec<wire::Service> = docker.http.get("/services").await.map_err(|e| docker.failed(doing, &e))?;
        let mut moving = None;
        for service in all.iter().filter(|service| services.contains(&service.id.as_str())) {
            let (name, status) = (&service.spec.value.name, service.update_status.as_ref());
            match status.map_or("", |status| status.state.as_str()) {
                state @ ("paused" | "rollback_paused") => {
                    return Err(BackendError::Protocol(format!(
                        "{doing}: the rollout of {name} is {state} ({}), and any change of it would let that go on; redeploy it or \
                         roll it back first",
                        status.map_or("", |status| status.message.as_str())
                    )));
                }
                "updating" | "rollback_started" => moving = Some(name),
                _ => {}
            }
        }
        let Some(name) = moving else { return Ok(()) };
        if began.elapsed() > PATIENCE {
            let minutes = PATIENCE.as_secs() / 60;
            return Err(BackendError::Protocol(format!(
                "{doing}: a rollout of {name} is not over after {minutes} min; try again when it is"
            )));
        }
        report(progress, 0, 0, format!("waiting for the end of a rollout of {name}"));
        sleep(LOOK).await;
    }
}
