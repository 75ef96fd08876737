//! What the tag of an image stands for by now: in a swarm, which writes that into a service, and on an engine, which keeps it.

use super::report;
use crate::backend::docker::client::Docker;
use crate::backend::docker::convert::engine::name;
use crate::backend::docker::wire::{Container, ContainerDetail};
use crate::backend::{BackendError, ProgressSink};
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures::TryStreamExt;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// Longest silence of an engine that pulls.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Distribution {
    descriptor: Descriptor,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

/// The image as `docker service update --image` writes it: its name and tag, and the digest that the registry says they stand
/// for.
pub async fn pinned(docker: &Docker, service: &str, image: &str) -> Result<String, BackendError> {
    let doing = format!("redeploying {service}");
    let name = image.split('@').next().unwrap_or(image);
    if image.contains('@') && with_tag(name) != name {
        return Err(BackendError::Unsupported(format!(
            "{doing}: its image has a digest and no tag, there is nothing newer to pull; set another image"
        )));
    }
    // also in what is written, or the next one would find a digest and no tag
    let name = with_tag(name);
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "./:_-".contains(c)) {
        return Err(BackendError::Unsupported(format!("{doing}: its image {name} is no name that a registry could be asked for")));
    }
    let found: Result<Distribution, _> = docker.http.get_slow(&format!("/distribution/{name}/json")).await;
    match found {
        Ok(found) => Ok(format!("{name}@{}", found.descriptor.digest)),
        Err(error) => {
            let error = docker.failed(&format!("{doing}: asking the registry what {name} stands for by now"), &error);
            Err(BackendError::Unsupported(format!(
                "{error}; nothing was changed. No login is sent to the registry from here: where it wants one, use `docker service \
                 update --force --with-registry-auth --image {name} {service}`"
            )))
        }
    }
}

/// The name of an image with its tag, and with the one that it stands for where it has none.
fn with_tag(name: &str) -> String {
    let tagged = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if tagged { name.to_owned() } else { format!("{name}:latest") }
}

/// Pulls the images that these containers were made with, by their tags; the names of those that run an older one by then.
pub async fn pull(docker: &Docker, doing: &str, all: &[&Container], progress: &ProgressSink) -> Result<Vec<String>, BackendError> {
    let mut made = Vec::new();
    for container in all {
        let path = format!("/containers/{}/json", container.id);
        let detail: ContainerDetail = docker.http.get(&path).await.map_err(|e| docker.failed(doing, &e))?;
        made.push((name(container).to_owned(), detail.config.image, detail.image));
    }
    // what has a digest, or is an ID, never stands for another image
    let fixed = |image: &str| image.is_empty() || image.contains('@') || image.starts_with("sha256:");
    let images: BTreeSet<&str> = made.iter().map(|(_, image, _)| image.as_str()).filter(|image| !fixed(image)).collect();
    let mut older = Vec::new();
    for image in images {
        report(progress, 0, all.len(), format!("pulling {image}"));
        let from = with_tag(image);
        let options = CreateImageOptionsBuilder::new().from_image(&from).build();
        let engine = docker.typed.clone().with_timeout(PATIENCE);
        let pulled = engine.create_image(Some(options), None, None).try_for_each(|_| std::future::ready(Ok(()))).await;
        pulled.map_err(|e| {
            let error = docker.typed_failed(&format!("{doing}: pulling {image}"), e);
            BackendError::Protocol(format!("{error}; nothing was restarted"))
        })?;
        let now =
            docker.typed.inspect_image(&from).await.map_err(|e| docker.typed_failed(&format!("{doing}: reading {image}"), e))?;
        let id = now.id.unwrap_or_default();
        older.extend(made.iter().filter(|(_, of, held)| of == image && *held != id).map(|(name, ..)| name.clone()));
    }
    older.sort_unstable();
    Ok(older)
}

/// What is said of containers that run an older image than was pulled.
pub fn older(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("{one} still runs the older image: whoever made it must make it anew (`docker compose up`)"),
        all => {
            let names = all.join(", ");
            format!("{names} still run the older image: whoever made them must make them anew (`docker compose up`)")
        }
    }
}
