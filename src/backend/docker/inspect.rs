//! Whole objects as YAML.

use super::client::Docker;
use super::convert::engine::service_key;
use super::wire::Container;
use crate::backend::BackendError;
use crate::model::{Kind, ObjectRef};
use serde_json::Value;

/// Words in the name of an environment variable whose value is not for the screen.
const SECRET: [&str; 5] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "KEY"];
/// What stands for a masked value.
const MASK: &str = "(masked)";

/// The whole object as the engine gives it, with secrets in environment variables masked; a Compose service is the list of
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
    mask(&mut whole);
    serde_saphyr::to_string(&whole).map_err(|e| BackendError::Protocol(format!("{doing}: it cannot be written as YAML: {e}")))
}

/// Masks values of environment lists (`Env: ["NAME=value"]`) wherever they stand.
fn mask(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(mask),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match field {
                    Value::Array(lines) if name == "Env" => lines.iter_mut().for_each(mask_line),
                    other => mask(other),
                }
            }
        }
        _ => {}
    }
}

fn mask_line(line: &mut Value) {
    let Some((name, _)) = line.as_str().and_then(|line| line.split_once('=')) else { return };
    let upper = name.to_ascii_uppercase();
    if SECRET.iter().any(|word| upper.contains(word)) {
        *line = Value::String(format!("{name}={MASK}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_environments_are_masked_at_any_depth_and_the_rest_stays() {
        let mut value = serde_json::json!({
            "Spec": {"TaskTemplate": {"ContainerSpec": {"Env": ["DB_PASSWORD=hunter2", "API_KEY=a=b", "MODE=fast", "github_token=x", "BARE"]}}},
            "PreviousSpec": {"TaskTemplate": {"ContainerSpec": {"Env": ["MY_SECRET=old"]}}},
            "Labels": {"key": "kept"},
        });
        mask(&mut value);
        let text = value.to_string();
        assert!(!text.contains("hunter2") && !text.contains("a=b") && !text.contains("old") && !text.contains("=x"));
        assert!(text.contains("MODE=fast") && text.contains("\"BARE\"") && text.contains("\"key\":\"kept\""));
        assert!(text.contains("DB_PASSWORD=(masked)"));
    }
}
