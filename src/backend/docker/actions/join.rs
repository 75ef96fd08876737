//! Tokens that let machines join a swarm.

use super::changed;
use super::write::{Target, read};
use crate::backend::BackendError;
use crate::backend::docker::client::Docker;
use crate::backend::docker::transport::HttpError;
use crate::backend::docker::wire::Node;
use crate::model::{Expect, Found, Intent, Secret, Text};
use serde::Deserialize;
use serde_json::value::RawValue;

/// `GET /swarm`. Never printed: it holds the tokens.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Swarm {
    version: Version,
    spec: Box<RawValue>,
    join_tokens: Tokens,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    index: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tokens {
    worker: String,
    manager: String,
}

async fn look(docker: &Docker, doing: &str) -> Result<Swarm, BackendError> {
    docker.http.get("/swarm").await.map_err(|e| docker.failed(doing, &e))
}

/// See [`crate::backend::Backend::survey`].
pub async fn survey(docker: &Docker) -> Result<Found, BackendError> {
    Ok(Found::Swarm(look(docker, "asking how the swarm stands").await?.version.index))
}

/// See [`crate::backend::Backend::join`].
pub async fn join(docker: &Docker, managers: bool) -> Result<(Secret, Text), BackendError> {
    let doing = "asking how to join the swarm";
    let swarm = look(docker, doing).await?;
    let own = format!("/nodes/{}", docker.info.swarm.node_id);
    let node: Node = docker.http.get(&own).await.map_err(|e| docker.failed(doing, &e))?;
    let address = node.manager_status.map(|manager| manager.addr).unwrap_or_default();
    let token = if managers { swarm.join_tokens.manager } else { swarm.join_tokens.worker };
    if token.is_empty() {
        return Err(BackendError::Protocol(format!("{doing}: the swarm gave no token")));
    }
    Ok((Secret::new(&token), Text::new(&address)))
}

/// Makes a new token. Bound to the version of the swarm that was seen, and to the node it was looked at from.
pub async fn rotate(docker: &Docker, intent: &Intent, managers: bool, version: Option<u64>) -> Result<Expect, BackendError> {
    let (who, query) = if managers { ("managers", "rotateManagerToken") } else { ("workers", "rotateWorkerToken") };
    let doing = format!("rotating the join token of {who}");
    let target = Target { table: "nodes", id: intent.bound.uid.to_string() };
    let node = read(&docker.http, &target).await.map_err(|e| docker.failed(&doing, &e))?;
    if node.rev != intent.bound.spec_rev {
        return Err(changed(intent, "someone else has changed the node meanwhile"));
    }
    let before = look(docker, &doing).await?;
    if version != Some(before.version.index) {
        return Err(changed(intent, "the swarm itself has changed since it was asked, perhaps by another rotation"));
    }
    let path = format!("/swarm/update?version={}&{query}=true", before.version.index);
    match docker.http.post(&path, before.spec.get().to_owned()).await {
        Ok(_) => {}
        Err(error) if error.is_out_of_sequence() => return Err(changed(intent, "the swarm itself has changed just now")),
        Err(HttpError::NoAnswer(cause)) => {
            return Err(BackendError::Unreachable(format!(
                "{doing} on {}: {cause}; whether the swarm has taken it is not known, look before trying again",
                docker.http.endpoint()
            )));
        }
        Err(error) => return Err(docker.failed(&doing, &error)),
    }
    let after = look(docker, &format!("{doing}: the swarm has taken it; reading it back")).await?;
    let of = |tokens: &Tokens, managers: bool| if managers { tokens.manager.clone() } else { tokens.worker.clone() };
    if of(&before.join_tokens, managers) == of(&after.join_tokens, managers) {
        return Err(BackendError::Protocol(format!("{doing}: the swarm took it, and the token is still the one from before")));
    }
    let other = if managers { "workers" } else { "managers" };
    let same = of(&before.join_tokens, !managers) == of(&after.join_tokens, !managers);
    let other =
        if same { format!("that of {other} is as it was") } else { format!("that of {other} was changed too, by someone else") };
    Ok(Expect::Seen { gone: Box::default(), whole: true, note: format!("{who} join with another token now; {other}").into() })
}
