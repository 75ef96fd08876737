//! Actions on Swarm services.

use super::pull::pinned;
use super::write::{Target, Update, at, read, write};
use super::{changed, unsupported};
use crate::backend::BackendError;
use crate::backend::docker::FOR_NOW;
use crate::backend::docker::client::Docker;
use crate::model::{Expect, Intent};
use serde_json::{Value, json};

pub fn target(intent: &Intent) -> Target {
    Target { table: "services", id: intent.object.key.to_string() }
}

fn update<'a>(intent: &'a Intent, target: &'a Target, doing: &'a str, query: &'a str) -> Update<'a> {
    Update { intent, target, doing, rev: Some(intent.bound.spec_rev), query }
}

fn converged(intent: &Intent, spec_rev: u64) -> Expect {
    Expect::Converged { service: intent.object.key.clone(), spec_rev }
}

/// Deletes the service. The Engine API takes no version for that: it is read just before.
pub async fn delete(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    let doing = format!("deleting {}", intent.name);
    let current = read(&docker.http, &target(intent)).await.map_err(|e| docker.failed(&doing, &e))?;
    if current.rev != intent.bound.spec_rev {
        return Err(changed(intent, "someone else has changed its definition meanwhile"));
    }
    docker.typed.delete_service(&intent.object.key).await.map_err(|e| docker.typed_failed(&doing, e))?;
    Ok(Expect::Deleted { service: intent.object.key.clone(), tasks: true })
}

/// Changes the number of tasks.
pub async fn scale(docker: &Docker, intent: &Intent, to: u32) -> Result<Expect, BackendError> {
    let target = target(intent);
    let update = update(intent, &target, "scaling", "");
    let rev = write(&docker.http, &update, |_, spec| {
        let mode = at(spec, &["Mode"]);
        if mode.get("Replicated").is_some() {
            *at(mode, &["Replicated", "Replicas"]) = json!(to);
        } else if mode.get("ReplicatedJob").is_some() {
            *at(mode, &["ReplicatedJob", "TotalCompletions"]) = json!(to);
        } else {
            return Err(unsupported(intent, "a global service runs one task on every node; its placement decides on which"));
        }
        Ok(())
    });
    Ok(converged(intent, rev.await?))
}

/// Changes the image. Each node finds out itself what its tag stands for.
pub async fn set_image(docker: &Docker, intent: &Intent, image: &str) -> Result<Expect, BackendError> {
    let target = target(intent);
    let update = update(intent, &target, "setting the image of", "");
    let rev = write(&docker.http, &update, |_, spec| {
        *at(spec, &["TaskTemplate", "ContainerSpec", "Image"]) = json!(image);
        Ok(())
    });
    Ok(converged(intent, rev.await?))
}

/// Makes new tasks from the same definition, wherever the scheduler then finds the most room: `docker service update
/// --force`; and with the image that its tag stands for by now, if it is to be pulled.
pub async fn redeploy(docker: &Docker, intent: &Intent, pull: bool) -> Result<Expect, BackendError> {
    const IMAGE: [&str; 3] = ["TaskTemplate", "ContainerSpec", "Image"];
    let target = target(intent);
    let mut image = None;
    if pull {
        let doing = format!("redeploying {}", intent.name);
        let mut current = read(&docker.http, &target).await.map_err(|e| docker.failed(&doing, &e))?;
        let held = at(&mut current.spec, &IMAGE).as_str().unwrap_or_default().to_owned();
        image = Some(pinned(docker, &intent.name, &held).await?);
    }
    let update = update(intent, &target, "redeploying", "");
    let rev = write(&docker.http, &update, |_, spec| {
        let counter = at(spec, &["TaskTemplate", "ForceUpdate"]);
        *counter = json!(counter.as_u64().unwrap_or_default() + 1);
        if let Some(image) = &image {
            *at(spec, &IMAGE) = json!(image);
        }
        Ok(())
    });
    Ok(converged(intent, rev.await?))
}

/// Goes back to the previous definition, if it is the one with this number where one is given. There is one; going back swaps
/// the two. One that stood only while tasks were moved is none: it would have more tasks, or avoid nodes, for good.
pub async fn roll_back(docker: &Docker, intent: &Intent, to: Option<u64>) -> Result<Expect, BackendError> {
    let target = target(intent);
    let update = update(intent, &target, "rolling back", "&rollback=previous");
    let for_now = |spec: &Value| spec["Labels"].as_object().is_some_and(|all| all.keys().any(|name| name.starts_with(FOR_NOW)));
    let rev = write(&docker.http, &update, |current, _| match (&current.previous, to) {
        (None, _) => Err(unsupported(intent, "it has no previous definition: it was never changed since it was made")),
        (Some((_, spec)), _) if for_now(spec) => Err(unsupported(
            intent,
            "the previous definition that the swarm keeps stood only while its tasks were moved (evacuate, reschedule or \
             rebalance); deploy the one that you mean",
        )),
        (Some((previous, _)), Some(to)) if *previous != to => {
            Err(changed(intent, "its previous definition is another one by now than was seen then"))
        }
        _ => Ok(()),
    });
    Ok(converged(intent, rev.await?))
}
