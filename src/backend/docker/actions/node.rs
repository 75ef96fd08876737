//! Actions on Swarm nodes.

use super::changed;
use super::write::{Target, Update, at, read, write};
use crate::analysis::quorum;
use crate::backend::BackendError;
use crate::backend::docker::client::Docker;
use crate::backend::docker::wire;
use crate::model::{Action, Availability, Expect, Intent, Kind, LabelEdit};
use bollard::query_parameters::DeleteNodeOptionsBuilder;
use serde_json::{Value, json};

/// Pauses, activates or drains.
pub async fn set(docker: &Docker, intent: &Intent) -> Result<Expect, BackendError> {
    let (availability, doing) = match intent.action {
        Action::Pause => (Availability::Paused, "pausing"),
        Action::Drain => (Availability::Drained, "draining"),
        _ => (Availability::Active, "activating"),
    };
    let node = intent.object.key.clone();
    write_availability(docker, intent, availability, doing).await?;
    Ok(match availability {
        Availability::Drained => Expect::NodeEmpty { node, availability },
        Availability::Active | Availability::Paused => Expect::NodeIs { node, availability },
    })
}

/// Promotes to manager, or demotes to worker. The swarm does it a moment after it has taken the spec.
pub async fn set_role(docker: &Docker, intent: &Intent, manages: bool) -> Result<Expect, BackendError> {
    let (role, doing) = if manages { ("manager", "promoting") } else { ("worker", "demoting") };
    if !manages {
        keeps_quorum(docker, intent).await?;
    }
    let target = Target { table: "nodes", id: intent.bound.uid.to_string() };
    let update = Update { intent, target: &target, doing, rev: Some(intent.bound.spec_rev), query: "" };
    let written = write(&docker.http, &update, |_, spec| {
        *at(spec, &["Role"]) = json!(role);
        Ok(())
    });
    written.await?;
    Ok(Expect::NodeManages { node: intent.object.key.clone(), manages })
}

/// Refuses to demote a manager if those that are left by now could act no more without it.
async fn keeps_quorum(docker: &Docker, intent: &Intent) -> Result<(), BackendError> {
    let doing = format!("demoting {}: looking at the managers", intent.name);
    let nodes: Vec<wire::Node> = docker.http.get("/nodes").await.map_err(|e| docker.failed(&doing, &e))?;
    let left = nodes.iter().filter(|node| node.id != *intent.bound.uid).filter_map(|node| node.manager_status.as_ref());
    let (all, up) = left.fold((0, 0), |(all, up), one| (all + 1, up + u32::from(one.reachability == "reachable")));
    match quorum::lost(all, up) {
        None => Ok(()),
        Some(why) => Err(changed(intent, &why)),
    }
}

/// Sets labels, or takes them away.
pub async fn label(docker: &Docker, intent: &Intent, edits: &[LabelEdit]) -> Result<Expect, BackendError> {
    let target = Target { table: "nodes", id: intent.bound.uid.to_string() };
    let update = Update { intent, target: &target, doing: "labelling", rev: Some(intent.bound.spec_rev), query: "" };
    let written = write(&docker.http, &update, |_, spec| {
        labelled(spec, edits);
        Ok(())
    });
    written.await?;
    Ok(Expect::NodeLabels { node: intent.object.key.clone(), edits: edits.into() })
}

/// Writes labels into a node's spec, which is sent whole.
fn labelled(spec: &mut Value, edits: &[LabelEdit]) {
    let labels = at(spec, &["Labels"]);
    for edit in edits {
        match (&edit.value, labels.as_object_mut()) {
            (Some(value), _) => *at(labels, &[&edit.key]) = json!(value.as_str()),
            (None, Some(labels)) => drop(labels.remove(edit.key.as_str())),
            (None, None) => {}
        }
    }
}

/// Takes a node out of its swarm. The Engine API takes no version for that: it is read just before. One that is up is
/// refused by the swarm itself, if not by `force`.
pub async fn remove(docker: &Docker, intent: &Intent, force: bool) -> Result<Expect, BackendError> {
    let doing = format!("removing {}", intent.name);
    let target = Target { table: "nodes", id: intent.bound.uid.to_string() };
    let current = read(&docker.http, &target).await.map_err(|e| docker.failed(&doing, &e))?;
    if current.rev != intent.bound.spec_rev {
        return Err(changed(intent, "someone else has changed it meanwhile"));
    }
    let options = DeleteNodeOptionsBuilder::new().force(force).build();
    docker.typed.delete_node(&intent.bound.uid, Some(options)).await.map_err(|e| docker.typed_failed(&doing, e))?;
    Ok(Expect::Gone { kind: Kind::Node, key: intent.object.key.clone() })
}

/// Writes the availability, if the node is as it was seen.
pub(super) async fn write_availability(
    docker: &Docker,
    intent: &Intent,
    availability: Availability,
    doing: &str,
) -> Result<(), BackendError> {
    let word = match availability {
        Availability::Active => "active",
        Availability::Paused => "pause",
        Availability::Drained => "drain",
    };
    let target = Target { table: "nodes", id: intent.bound.uid.to_string() };
    let update = Update { intent, target: &target, doing, rev: Some(intent.bound.spec_rev), query: "" };
    write(&docker.http, &update, |_, spec| {
        *at(spec, &["Availability"]) = json!(word);
        Ok(())
    })
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::analysis::edits::labels;

    #[test]
    fn only_the_labels_named_change() {
        let edits = labels("zone=b old- gone- new=", false).unwrap();
        let mut spec = json!({ "Role": "worker", "Labels": { "zone": "a", "old": "x", "kept": "1" }, "FieldOfTheFuture": 1 });
        labelled(&mut spec, &edits);
        let want = json!({ "zone": "b", "kept": "1", "new": "" });
        assert_eq!(spec, json!({ "Role": "worker", "Labels": want, "FieldOfTheFuture": 1 }));
        // a swarm leaves out what is empty
        for none in [json!({}), json!({ "Labels": null })] {
            let mut spec = none;
            labelled(&mut spec, &edits);
            assert_eq!(spec["Labels"], json!({ "zone": "b", "new": "" }));
        }
    }
}
