//! Moving a service's tasks until zones, and in each zone nodes, carry it evenly: one at a time, the next one when all are
//! ready again. Where a task goes is the scheduler's choice, so what there is to move is looked at anew after each; when one
//! has won nothing, the next one would not either. Its tasks are the pods that it controls: a label selector alone finds
//! those of others, too.

use super::eviction::{Evicted, evict};
use super::{Act, Target};
use crate::analysis::spread::{self, Place as Spot};
use crate::backend::BackendError;
use crate::backend::kubernetes::convert::{self, Names};
use crate::backend::kubernetes::index::Place;
use crate::backend::kubernetes::paths::escape;
use crate::backend::kubernetes::raw::{RawNode, RawPod, ReplicaSet, condition};
use crate::model::{Expect, Key, Node, ServiceKind, Text};
use serde_json::Value;
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often the replacement is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Longest wait for a replacement before the rest is left where it is.
const PATIENCE: Duration = Duration::from_secs(300);

/// The service whose tasks move.
struct Whose {
    kind: ServiceKind,
    target: Target,
}

impl Whose {
    /// Path of the list of this kind of objects that have the labels it selects by.
    fn path(&self, group: &str, plural: &str) -> String {
        let namespace = self.target.text("/metadata/namespace");
        format!("{group}/namespaces/{namespace}/{plural}?labelSelector={}", escape(&selector(&self.target)))
    }
}

/// How the tasks lie.
struct Lie {
    pods: Vec<RawPod>,
    /// Those to move, by uid.
    moves: Vec<Key>,
}

impl Act<'_> {
    pub(super) async fn rebalance(&self) -> Result<Expect, BackendError> {
        let (kind, target) = self.service().await?;
        if !matches!(kind, ServiceKind::Deployment | ServiceKind::StatefulSet | ServiceKind::ReplicaSet) {
            return Err(self.unsupported("where its tasks run is not the scheduler's free choice"));
        }
        let of = Whose { kind, target };
        let whole = usize::try_from(of.target.number("/spec/replicas")).unwrap_or(usize::MAX);
        let (mut done, mut total) = (0, 0);
        let mut last: Option<(usize, Text)> = None;
        loop {
            let lie = self.lie(&of).await?;
            if let Some((before, name)) = last.take().filter(|(before, _)| lie.moves.len() >= *before) {
                return Err(BackendError::Protocol(format!(
                    "{} stopped after {done} of {total}: the scheduler has put the one in the place of {name} where nothing is won \
                     ({before} were too many before, {} are now); room, affinity or spread rules hold the others where they are",
                    self.doing(),
                    lie.moves.len()
                )));
            }
            total = total.max(done + lie.moves.len());
            let Some(pod) = lie.moves.first().and_then(|key| lie.pods.iter().find(|pod| pod.metadata.uid == **key)) else { break };
            // not while another one is away already
            self.wait_whole(&of, None, whole, done, total).await?;
            self.move_one(pod, done, total).await?;
            self.wait_whole(&of, Some(&pod.metadata.uid), whole, done, total).await?;
            last = Some((lie.moves.len(), Text::new(&pod.metadata.name)));
            done += 1;
        }
        self.report(done, total, if done == 0 { "it is even already" } else { "moved" });
        Ok(Expect::Converged { service: self.intent.object.key.clone(), spec_rev: self.intent.bound.spec_rev })
    }

    /// Where its tasks are now, and which of them to move.
    async fn lie(&self, of: &Whose) -> Result<Lie, BackendError> {
        let nodes: Vec<RawNode> = self.list("/api/v1/nodes").await?;
        let mut names = Names::default();
        let selects = of.target.value.pointer("/spec/template/spec/nodeSelector").and_then(Value::as_object);
        let suits = |node: &Node| {
            let mut rules = selects.into_iter().flatten();
            rules.all(|(key, value)| node.label(key).map(Text::as_str) == value.as_str())
        };
        let spot = |raw: &RawNode| {
            let node = convert::node(raw, &mut names);
            Spot { available: spread::takes(&node) && suits(&node), node: node.key, zone: node.zone }
        };
        let spots: Vec<Spot> = nodes.iter().map(spot).collect();
        let pods = self.own(of).await?;
        let placed = pods.iter().filter(|pod| is_live(pod) && !pod.spec.node_name.is_empty());
        let mut placed: Vec<(Key, Key)> = placed.map(|pod| (Key::new(&pod.metadata.uid), Key::new(&pod.spec.node_name))).collect();
        placed.sort_unstable();
        Ok(Lie { moves: spread::moves(&placed, &spots), pods })
    }

    /// The pods that it controls, those of a Deployment through its ReplicaSets. What has the same labels beside them (a job
    /// of the same chart, a canary) is not its own.
    async fn own(&self, of: &Whose) -> Result<Vec<RawPod>, BackendError> {
        let mut pods: Vec<RawPod> = self.list(&of.path("/api/v1", "pods")).await?;
        let mut owners = HashSet::from([of.target.text("/metadata/uid").into()]);
        if of.kind == ServiceKind::Deployment {
            // after the pods, so that none is of a set that is not in this list
            let mut sets: Vec<ReplicaSet> = self.list(&of.path("/apis/apps/v1", "replicasets")).await?;
            sets.retain(|set| set.metadata.controller().is_some_and(|owner| owners.contains(&owner.uid)));
            owners = sets.into_iter().map(|set| set.metadata.uid).collect();
        }
        pods.retain(|pod| pod.metadata.controller().is_some_and(|owner| owners.contains(&owner.uid)));
        Ok(pods)
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

    /// Waits until as many tasks are ready as are wanted, without the one that was told to go.
    async fn wait_whole(
        &self,
        of: &Whose,
        gone: Option<&str>,
        whole: usize,
        done: usize,
        total: usize,
    ) -> Result<(), BackendError> {
        let began = Instant::now();
        loop {
            let pods = self.own(of).await?;
            let serves = |pod: &&RawPod| is_ready(pod) && gone.is_none_or(|gone| pod.metadata.uid != *gone);
            let ready = pods.iter().filter(serves).count();
            if ready >= whole {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(BackendError::Protocol(format!(
                    "stopped after {} of {total} tasks of {}: {ready} of {whole} are ready, and no more became so within {} min; \
                     the others stay",
                    done + usize::from(gone.is_some()),
                    self.intent.name,
                    PATIENCE.as_secs() / 60
                )));
            }
            self.report(done, total, &format!("waits until all are ready: {ready} of {whole}"));
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
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::ProgressSink;
    use crate::backend::kubernetes::actions::execute;
    use crate::backend::kubernetes::index::Shared;
    use crate::backend::kubernetes::scripted::server;
    use crate::model::{Action, Bound, ClusterId, Intent, Kind, ObjectRef};
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

    fn nodes(taint: bool) -> (u16, String) {
        let node = |(name, zone): (&str, &str)| {
            let mut node = json!({
                "metadata": { "name": name, "uid": name, "labels": { "topology.kubernetes.io/zone": zone } },
                "status": { "conditions": [{ "type": "Ready", "status": "True" }] }
            });
            if taint && zone == "b" {
                node["spec"] = json!({ "taints": [{ "key": "k", "effect": "NoSchedule" }] });
            }
            node
        };
        let nodes = [("n1", "a"), ("n2", "a"), ("n3", "b")].map(node);
        (200, json!({ "items": nodes }).to_string())
    }

    /// Pods as `name@node`, all ready and made by `web`, or by another one as `owner/name@node`.
    fn pods(all: &str) -> (u16, String) {
        let pod = |text: &str| {
            let (name, node) = text.split_once('@').unwrap();
            let (owner, name) = name.split_once('/').unwrap_or(("web", name));
            json!({
                "metadata": { "name": name, "namespace": "shop", "uid": name, "ownerReferences": [owned(owner)] },
                "spec": { "nodeName": node },
                "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] }
            })
        };
        (200, json!({ "items": all.split(' ').map(pod).collect::<Vec<_>>() }).to_string())
    }

    fn owned(by: &str) -> Value {
        json!({ "kind": "K", "uid": by, "controller": true })
    }

    /// What a rebalance of the StatefulSet `web` with four tasks comes to, and the pods it told to go.
    async fn run(script: Vec<(u16, String)>) -> (Result<Expect, BackendError>, Vec<String>) {
        run_of(ServiceKind::StatefulSet, script).await
    }

    async fn run_of(kind: ServiceKind, script: Vec<(u16, String)>) -> (Result<Expect, BackendError>, Vec<String>) {
        let web = json!({
            "metadata": { "name": "web", "namespace": "shop", "uid": "web", "generation": 7 },
            "spec": { "replicas": 4, "selector": { "matchLabels": { "app": "web" } } }
        });
        let (api, asked) = server([vec![(200, web.to_string())], script].concat()).await;
        let index = Shared::default();
        let place = Place { namespace: "shop".into(), name: "web".into() };
        index.lock().services.insert("web".into(), (kind, place));
        let object = ObjectRef { cluster: ClusterId::from("c"), kind: Kind::Service, key: "web".into() };
        let bound = Bound { uid: "web".into(), spec_rev: 7 };
        let intent = Intent { object, name: "web".into(), action: Action::Rebalance, bound };
        let progress = ProgressSink::new().0;
        let done = tokio::time::timeout(Duration::from_millis(500), execute(&api, &index, &intent, &progress)).await;
        let asked = asked.lock();
        let evicted =
            asked.iter().filter_map(|line| line.split_once("/pods/")?.1.split_once("/eviction")).map(|(name, _)| name.into());
        (done.unwrap_or_else(|_| Err(BackendError::Protocol("it waits".into()))), evicted.collect())
    }

    #[tokio::test]
    async fn zones_come_first_and_what_there_is_to_move_is_looked_at_anew() {
        let taken = || (201, "{}".to_owned());
        let (one, two, three) = (pods("p1@n1 p2@n1 p3@n2 p4@n2"), pods("p1@n1 p2@n1 p3@n2 p5@n3"), pods("p1@n1 p3@n2 p5@n3 p6@n3"));
        let (done, evicted) = run(vec![
            nodes(false),
            one.clone(),
            one,
            taken(),
            two.clone(),
            nodes(false),
            two.clone(),
            two,
            taken(),
            three.clone(),
            nodes(false),
            three,
        ])
        .await;
        assert_eq!(done, Ok(Expect::Converged { service: "web".into(), spec_rev: 7 }));
        assert_eq!(evicted, ["p4", "p2"]);
        // where only a tainted node could take them nothing is told to go
        let (done, evicted) = run(vec![nodes(true), pods("p1@n1 p2@n1 p3@n2 p4@n2")]).await;
        assert!(done.is_ok() && evicted.is_empty(), "{done:?} {evicted:?}");
    }

    #[tokio::test]
    async fn when_the_scheduler_puts_a_task_where_nothing_is_won_no_other_is_told_to_go() {
        let (before, after) = (pods("p1@n1 p2@n1 p3@n2 p4@n2"), pods("p1@n1 p2@n1 p3@n2 p5@n2"));
        let script = vec![nodes(false), before.clone(), before, (201, "{}".to_owned()), after.clone(), nodes(false), after];
        let (done, evicted) = run(script).await;
        assert_eq!(evicted.len(), 1);
        let why = done.unwrap_err().to_string();
        assert!(why.contains("stopped after 1 of 2") && why.contains("where nothing is won"), "{why}");
    }

    #[tokio::test]
    async fn only_pods_that_the_service_keeps_running_are_counted_and_told_to_go() {
        let even = Ok(Expect::Converged { service: "web".into(), spec_rev: 7 });
        // a job's pods have the labels that the service selects by, too
        let with_job = pods("p1@n1 p2@n2 p3@n3 p4@n3 job/j1@n1 job/j2@n1 job/j3@n1");
        assert_eq!(run(vec![nodes(false), with_job]).await, (even.clone(), vec![]));
        // theirs being ready does not let one go while the service is short
        let (done, evicted) =
            run(vec![nodes(false), pods("p1@n1 p2@n1 p3@n2 job/j1@n2"), pods("p1@n1 p2@n1 p3@n2 job/j1@n2")]).await;
        assert_eq!((done, evicted), (Err(BackendError::Protocol("it waits".into())), vec![]));
        // a deployment keeps its pods running through its ReplicaSets
        let set = |name: &str, of: &str| json!({ "metadata": { "name": name, "uid": name, "ownerReferences": [owned(of)] } });
        let sets = (200, json!({ "items": [set("s1", "web"), set("s2", "web"), set("canary", "web-canary")] }).to_string());
        let with_canary = pods("s1/p1@n1 s2/p2@n2 s1/p3@n3 s1/p4@n3 canary/c1@n1 canary/c2@n1 canary/c3@n1");
        assert_eq!(run_of(ServiceKind::Deployment, vec![nodes(false), with_canary, sets]).await, (even, vec![]));
    }
}
