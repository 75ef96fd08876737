//! Whole objects as YAML.

use super::client::Docker;
use super::convert::engine::service_key;
use super::wire::Container;
use crate::backend::{BackendError, secret};
use crate::model::{Kind, ObjectRef};
use serde_json::Value;

/// The whole object as the engine gives it, with secrets masked; a Compose service is the list of
/// its containers.
pub async fn inspect(docker: &Docker, object: &ObjectRef) -> Result<String, BackendError> {
    let key = object.key.as_str();
    let doing = format!("reading {} {key}", object.kind.word());
    let failed = |e| docker.failed(&doing, &e);
    let get = async |path: String| docker.http.get::<Value>(&path).await.map_err(failed);
    let mut whole = match (object.kind, docker.is_swarm()) {
        (Kind::Node, true) => get(format!("/nodes/{key}")).await?,
        (Kind::Service, true) => get(format!("/services/{key}")).await?,
        (Kind::Task, true) => get(format!("/tasks/{key}")).await?,
        (Kind::Node, false) => get("/info".to_owned()).await?,
        (Kind::Task, false) => get(format!("/containers/{key}/json")).await?,
        (Kind::Service, false) => {
            let all: Vec<Container> = docker.http.get("/containers/json?all=1").await.map_err(failed)?;
            let mut members = Vec::new();
            for container in all.iter().filter(|container| service_key(container) == object.key) {
                members.push(get(format!("/containers/{}/json", container.id)).await?);
            }
            match members.len() {
                0 => return Err(BackendError::NotFound(format!("{doing}: none of its containers is there any more"))),
                1 => members.remove(0),
                _ => Value::Array(members),
            }
        }
        (Kind::Event, _) => return Err(BackendError::Unsupported(format!("{doing}: an engine keeps no events to read again"))),
    };
    secret::mask(&mut whole);
    serde_saphyr::to_string(&whole).map_err(|e| BackendError::Protocol(format!("{doing}: it cannot be written as YAML: {e}")))
}
