//! Moving a service's tasks until zones and nodes carry it evenly: one at a time, the next one when the last is whole again.

use super::eviction::{Evicted, evict};
use super::{Act, Target};
use crate::analysis::spread::{self, Place as Spot};
use crate::backend::BackendError;
use crate::backend::kubernetes::convert::{self, Names};
use crate::backend::kubernetes::index::Place;
use crate::backend::kubernetes::paths::escape;
use crate::backend::kubernetes::raw::{RawNode, RawPod, condition};
use crate::model::{Expect, Key, ServiceKind, Text};
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often the replacement is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Longest wait for a replacement before the rest is left where it is.
const PATIENCE: Duration = Duration::from_secs(300);

impl Act<'_> {
    pub(super) async fn rebalance(&self) -> Result<Expect, BackendError> {
        let (kind, target) = self.service().await?;
        if !matches!(kind, ServiceKind::Deployment | ServiceKind::StatefulSet | ServiceKind::ReplicaSet) {
            return Err(self.unsupported("where its tasks run is not the scheduler's free choice"));
        }
        let namespace = target.text("/metadata/namespace");
        let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={}", escape(&selector(&target)));
        let nodes: Vec<RawNode> = self.list("/api/v1/nodes").await?;
        let mut names = Names::default();
        let spots: Vec<Spot> = nodes
            .iter()
            .map(|raw| {
                let node = convert::node(raw, &mut names);
                Spot { available: spread::open(node.state, node.availability), node: node.key, zone: node.zone }
            })
            .collect();
        let pods: Vec<RawPod> = self.list(&path).await?;
        let live: HashMap<Key, &RawPod> = pods.iter().filter(|p| is_live(p)).map(|p| (Key::new(&p.metadata.uid), p)).collect();
        let mut placed: Vec<(Key, Key)> = live
            .iter()
            .filter(|(_, p)| !p.spec.node_name.is_empty())
            .map(|(key, p)| (key.clone(), Key::new(&p.spec.node_name)))
            .collect();
        placed.sort();
        let moves = spread::moves(&placed, &spots);
        let whole = pods.iter().filter(|p| is_ready(p)).count();
        for (done, key) in moves.iter().enumerate() {
            let Some(pod) = live.get(key) else { continue };
            self.move_one(pod, done, moves.len()).await?;
            self.wait_whole(&path, key, whole, done, moves.len()).await?;
        }
        let note = if moves.is_empty() { "it is even already" } else { "moved" };
        self.report(moves.len(), moves.len(), note);
        Ok(Expect::Converged { service: self.intent.object.key.clone(), spec_rev: self.intent.bound.spec_rev })
    }

    async fn move_one(&self, pod: &RawPod, done: usize, total: usize) -> Result<(), BackendError> {
        let meta = &pod.metadata;
        let place = Place { namespace: Text::new(&meta.namespace), name: Text::new(&meta.name) };
        loop {
            self.report(done, total, &format!("moving {} from {}", meta.name, pod.spec.node_name));
            match evict(self.api, &place, &meta.uid).await.map_err(|failure| self.fail(failure))? {
                Evicted::Taken | Evicted::Gone => return Ok(()),
                Evicted::NotNow(why, wait) => {
                    self.report(done, total, &format!("{} {why}", meta.name));
                    sleep(wait).await;
                }
            }
        }
    }

    /// Waits until as many tasks are ready as were, without the one that was told to go.
    async fn wait_whole(&self, path: &str, gone: &Key, whole: usize, done: usize, total: usize) -> Result<(), BackendError> {
        let began = Instant::now();
        loop {
            let pods: Vec<RawPod> = self.list(path).await?;
            if pods.iter().filter(|p| is_ready(p) && p.metadata.uid != **gone).count() >= whole {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(BackendError::Protocol(format!(
                    "stopped after {} of {total} tasks of {}: the new task did not become ready within {} min; the others stay",
                    done + 1,
                    self.intent.name,
                    PATIENCE.as_secs() / 60
                )));
            }
            self.report(done, total, "waits for the new task to be ready");
            sleep(LOOK).await;
        }
    }
}

fn is_live(pod: &RawPod) -> bool {
    pod.metadata.deletion_timestamp.0.is_none() && !matches!(pod.status.phase.as_str(), "Succeeded" | "Failed")
}

fn is_ready(pod: &RawPod) -> bool {
    is_live(pod) && condition(&pod.status.conditions, "Ready").is_some_and(|c| c.status == "True")
}

/// `spec.selector` as the query parameter writes it.
fn selector(target: &Target) -> String {
    let selector = target.value.pointer("/spec/selector");
    let labels = selector.and_then(|s| s.get("matchLabels")).and_then(Value::as_object);
    let mut parts: Vec<String> =
        labels.into_iter().flatten().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    let rules = selector.and_then(|s| s.get("matchExpressions")).and_then(Value::as_array);
    for rule in rules.into_iter().flatten() {
        let key = rule.get("key").and_then(Value::as_str).unwrap_or_default();
        let values: Vec<&str> =
            rule.get("values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        match rule.get("operator").and_then(Value::as_str) {
            Some("In") => parts.push(format!("{key} in ({})", values.join(","))),
            Some("NotIn") => parts.push(format!("{key} notin ({})", values.join(","))),
            Some("Exists") => parts.push(key.to_owned()),
            Some("DoesNotExist") => parts.push(format!("!{key}")),
            _ => {}
        }
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_selector_is_written_as_the_query_parameter_wants_it() {
        let value = json!({ "spec": { "selector": {
            "matchLabels": { "app": "web" },
            "matchExpressions": [
                { "key": "tier", "operator": "In", "values": ["a", "b"] },
                { "key": "old", "operator": "DoesNotExist" }
            ]
        } } });
        assert_eq!(selector(&Target { path: String::new(), value }), "app=web,tier in (a,b),!old");
    }
}
