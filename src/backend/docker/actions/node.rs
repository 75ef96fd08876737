//! Actions on Swarm nodes.

use super::write::{Target, Update, at, write};
use crate::backend::BackendError;
use crate::backend::docker::client::Docker;
use crate::model::{Action, Availability, Expect, Intent};
use serde_json::json;

/// Pauses, activates or drains.
pub async fn set(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    let (availability, doing) = match intent.action {
        Action::Pause => (Availability::Paused, "pausing"),
        Action::Drain => (Availability::Drained, "draining"),
        _ => (Availability::Active, "activating"),
    };
    let node = intent.object.key.clone();
    write_availability(docker, intent, intent.bound.spec_rev, availability, doing).await?;
    Ok(match availability {
        Availability::Drained => Expect::NodeEmpty { node, availability },
        Availability::Active | Availability::Paused => Expect::NodeIs { node, availability },
    })
}

/// Writes the availability and returns the number of the node's spec as it is then.
pub(super) async fn write_availability(
    docker: &Docker,
    intent: &Intent,
    rev: u64,
    availability: Availability,
    doing: &str,
) -> Result<u64, BackendError> {
    let word = match availability {
        Availability::Active => "active",
        Availability::Paused => "pause",
        Availability::Drained => "drain",
    };
    let target = Target { table: "nodes", id: intent.bound.uid.to_string() };
    let update = Update { intent, target: &target, doing, rev, query: "" };
    write(&docker.http, &update, |_, spec| {
        *at(spec, &["Availability"]) = json!(word);
        Ok(())
    })
    .await
}
