//! Cordon, uncordon, and moving a node's tasks away.

use super::eviction::{AGAIN, Evicted, evict};
use super::{Act, CONFLICTS, Target};
use crate::backend::BackendError;
use crate::backend::kubernetes::convert::scheduling_rev;
use crate::backend::kubernetes::http::Write;
use crate::backend::kubernetes::index::Place;
use crate::backend::kubernetes::paths;
use crate::backend::kubernetes::paths::escape;
use crate::backend::kubernetes::raw::{RawNode, RawPod};
use crate::model::{Availability, Expect, Text};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Act<'_> {
    pub(super) async fn set_paused(&self, paused: bool) -> Result<Expect, BackendError> {
        self.write_paused(paused).await?;
        let availability = if paused { Availability::Paused } else { Availability::Active };
        Ok(Expect::NodeIs { node: self.intent.object.key.clone(), availability })
    }

    async fn write_paused(&self, paused: bool) -> Result<(), BackendError> {
        self.patch_node(|node| {
            let spec = json!({ "unschedulable": if paused { json!(true) } else { Value::Null } });
            (is_paused(node) != paused).then(|| json!({ "spec": spec }))
        })
        .await
    }

    /// An error if the node takes tasks again, which rows may not show yet: somebody had it do so while its tasks were moved,
    /// or the server was restored from a copy in which it did.
    async fn still_paused(&self) -> Result<(), BackendError> {
        if is_paused(&self.node().await?.value) {
            Ok(())
        } else {
            Err(self.changed("it takes tasks again: it was activated meanwhile"))
        }
    }

    /// The node of the intent as it is now, refused if another took its name.
    async fn node(&self) -> Result<Target, BackendError> {
        let path = paths::node(&self.intent.object.key);
        let target = Target { value: self.read(&path).await?, path };
        self.same_object(&target)?;
        Ok(target)
    }

    /// Patches the node of the intent, held against what the operator saw, with what `make` says of it as it is now.
    pub(super) async fn patch_node(&self, make: impl Fn(&Value) -> Option<Value>) -> Result<(), BackendError> {
        let mut conflicts = 0;
        loop {
            let target = self.node().await?;
            let node = RawNode::deserialize(&target.value).map_err(|err| self.changed(&format!("it cannot be read: {err}")))?;
            if scheduling_rev(&node) != self.intent.bound.spec_rev {
                return Err(self.changed("someone paused, activated, labelled or tainted it in between"));
            }
            let Some(mut body) = make(&target.value) else { return Ok(()) };
            body["metadata"]["uid"] = json!(target.text("/metadata/uid"));
            body["metadata"]["resourceVersion"] = json!(target.version());
            match self.api.write::<Value>(Write::MergePatch, &target.path, &body).await {
                Ok(_) => return Ok(()),
                // heartbeats change the version too: read again and hold it against what was seen
                Err(failure) if failure.status() == Some(409) && conflicts < CONFLICTS => conflicts += 1,
                Err(failure) => return Err(self.fail(failure)),
            }
        }
    }

    /// Cordons, then evicts every task that another node can run, asking again while budgets refuse, until none is left.
    /// Ends when the last one was told to go; the node stays cordoned, also when it is cancelled.
    pub(super) async fn evacuate(&self) -> Result<Expect, BackendError> {
        self.write_paused(true).await?;
        let node = self.intent.object.key.clone();
        let path = format!("/api/v1/pods?fieldSelector={}", escape(&format!("spec.nodeName={node}")));
        let mut asked: BTreeMap<String, Asked> = BTreeMap::new();
        loop {
            let here = plan(self.list(&path).await?);
            // before any is told to go: what took its place might come back to this node
            self.still_paused().await?;
            // those that went by themselves meanwhile
            asked.retain(|uid, came| matches!(came, Asked::Told) || here.movable.iter().any(|pod| pod.uid == *uid));
            let open: Vec<&Movable> =
                here.movable.iter().filter(|pod| !matches!(asked.get(&pod.uid), Some(Asked::Told | Asked::Refused(_)))).collect();
            let refused = asked.values().filter(|came| matches!(came, Asked::Refused(_))).count();
            let total = told(&asked) + open.len() + refused;
            if open.is_empty() {
                if let Some(first) = asked.into_values().find_map(Asked::refusal) {
                    self.report(total - refused, total, &first.to_string());
                    return Err(first);
                }
                self.report(total, total, &here.stays);
                return Ok(Expect::NodeEmpty { node, availability: Availability::Paused });
            }
            let mut wait = AGAIN;
            let mut reasons: Vec<String> = Vec::new();
            for pod in open {
                // why it waits stays to be read while it is asked again
                if !asked.contains_key(&pod.uid) {
                    self.report(told(&asked), total, &format!("moving {}/{}", pod.place.namespace, pod.place.name));
                }
                let came = match evict(self.api, &pod.place, &pod.uid).await {
                    Ok(Evicted::Taken | Evicted::Gone) => Asked::Told,
                    // without an answer nobody knows whether it was told: the next look at the node shows it
                    Err(failure) if failure.status().is_none_or(|code| code == 401) => {
                        return Err(self.fail(failure));
                    }
                    Err(failure) => Asked::Refused(self.fail(failure)),
                    Ok(Evicted::NotNow(why, after)) => {
                        wait = wait.max(after);
                        reasons.push(format!("{}/{} {why}", pod.place.namespace, pod.place.name));
                        Asked::NotNow
                    }
                };
                asked.insert(pod.uid.clone(), came);
            }
            if !reasons.is_empty() {
                let more = if reasons.len() > 1 { format!(" and {} more", reasons.len() - 1) } else { String::new() };
                self.report(told(&asked), total, &format!("{}{more}", reasons.first().map_or("", String::as_str)));
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// What came of asking for a pod to be evicted.
enum Asked {
    Told,
    /// A budget is in the way, the server is overloaded, or the pod cannot be evicted yet; it is asked for again.
    NotNow,
    /// The server will not let it go however often it is asked (several budgets on one pod, a webhook).
    Refused(BackendError),
}

impl Asked {
    fn refusal(self) -> Option<BackendError> {
        if let Self::Refused(error) = self { Some(error) } else { None }
    }
}

fn told(asked: &BTreeMap<String, Asked>) -> usize {
    asked.values().filter(|came| matches!(came, Asked::Told)).count()
}

fn is_paused(node: &Value) -> bool {
    node.pointer("/spec/unschedulable").and_then(Value::as_bool).unwrap_or_default()
}

/// A pod that another node can run.
#[derive(Debug, PartialEq, Eq)]
struct Movable {
    uid: String,
    place: Place,
}

/// What is on a node.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// Pods that can be told to go, and have not been yet.
    movable: Vec<Movable>,
    /// What stays, in words: pods that nothing would make again do, as without `--force` of `kubectl drain`.
    stays: String,
}

fn plan(pods: Vec<RawPod>) -> Plan {
    let mut movable = Vec::new();
    let mut bare: Vec<String> = Vec::new();
    for pod in pods {
        let meta = &pod.metadata;
        let ended = matches!(pod.status.phase.as_str(), "Succeeded" | "Failed");
        let owner = meta.controller().map(|o| o.kind.as_str());
        if ended
            || meta.deletion_timestamp.0.is_some()
            || meta.annotations.mirror.is_some()
            || matches!(owner, Some("DaemonSet" | "Node"))
        {
            continue;
        }
        if owner.is_none() {
            bare.push(format!("{}/{}", meta.namespace, meta.name));
            continue;
        }
        let place = Place { namespace: Text::new(&meta.namespace), name: Text::new(&meta.name) };
        movable.push(Movable { uid: meta.uid.to_string(), place });
    }
    let stays = match bare.as_slice() {
        [] => "all tasks were told to go".to_owned(),
        [one] => format!("{one} stays: no service would make it again"),
        [first, rest @ ..] => format!("{first} and {} more stay: no service would make them again", rest.len()),
    };
    Plan { movable, stays }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::execute;
    use super::*;
    use crate::backend::ProgressSink;
    use crate::backend::kubernetes::index::Shared;
    use crate::backend::kubernetes::scripted;
    use crate::model::{Action, Bound, Intent, Kind, ObjectRef};

    fn node(paused: bool) -> (u16, Value) {
        (200, json!({ "metadata": { "name": "n1", "uid": "u" }, "spec": { "unschedulable": paused } }))
    }

    fn pods(names: &[&str]) -> (u16, Value) {
        let owner = json!([{ "kind": "ReplicaSet", "uid": "o", "controller": true }]);
        let pod = |name: &&str| json!({ "metadata": { "name": name, "namespace": "n", "uid": name, "ownerReferences": owner } });
        (200, json!({ "items": names.iter().map(pod).collect::<Vec<_>>() }))
    }

    /// The evacuation of a node that is cordoned already, and how many requests it made.
    async fn evacuated(answers: Vec<(u16, Value)>) -> (Result<Expect, BackendError>, usize) {
        let (done, asked, _) = run(vec![node(true)].into_iter().chain(answers).collect(), Action::Evacuate).await;
        (done, asked)
    }

    /// What came of an action with all of its answers, how many requests it made, and what its reports said.
    async fn run(answers: Vec<(u16, Value)>, action: Action) -> (Result<Expect, BackendError>, usize, Vec<String>) {
        let seen: RawNode = serde_json::from_value(node(true).1).unwrap();
        let script = answers.into_iter().map(|(code, body)| (code, body.to_string()));
        let (api, asked) = scripted::server(script.collect()).await;
        let object = ObjectRef { cluster: "c".into(), kind: Kind::Node, key: "n1".into() };
        let bound = Bound { uid: "u".into(), spec_rev: scheduling_rev(&seen) };
        let intent = Intent { object, name: "n1".into(), action, bound };
        let (sink, mut reports) = ProgressSink::new();
        let listen = tokio::spawn(async move {
            let mut notes = Vec::new();
            while reports.changed().await.is_ok() {
                notes.push(reports.borrow_and_update().note.to_string());
            }
            notes
        });
        let done = execute(&api, &Shared::default(), &intent, &sink).await;
        drop(sink);
        let asked = asked.lock().len();
        (done, asked, listen.await.unwrap())
    }

    #[tokio::test]
    async fn a_pod_that_is_refused_holds_up_no_other_and_is_no_matter_once_it_is_gone() {
        let denied = || (403, json!({ "message": "admission webhook \"guard\" denied the request" }));
        let begin = || [pods(&["a", "b"]), node(true), denied(), (201, json!({}))];
        let (done, asked) = evacuated([&begin()[..], &[pods(&[]), node(true)]].concat()).await;
        assert_eq!((done, asked), (Ok(Expect::NodeEmpty { node: "n1".into(), availability: Availability::Paused }), 7));
        let (done, asked) = evacuated([&begin()[..], &[pods(&["a"]), node(true)]].concat()).await;
        assert!(matches!(&done, Err(BackendError::Forbidden(why)) if why.contains("guard")), "{done:?}");
        assert_eq!(asked, 7);
    }

    #[tokio::test]
    async fn no_more_tasks_go_from_a_node_that_takes_them_again_and_it_is_not_called_evacuated() {
        let begin = || vec![pods(&["a"]), node(true), (201, json!({}))];
        let mut other = node(true);
        other.1["metadata"]["uid"] = json!("v");
        for (left, now, why) in [
            (&[][..], node(false), "takes tasks again"),
            (&["b"], node(false), "takes tasks again"),
            (&[], other, "of the same name"),
        ] {
            let (done, asked) = evacuated([begin(), vec![pods(left), now]].concat()).await;
            assert!(matches!(&done, Err(BackendError::Changed(words)) if words.contains(why)), "{done:?}");
            assert_eq!(asked, 6, "nothing more was written");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_busy_is_asked_again_for_the_node_and_the_report_says_so() {
        let busy = || (429, json!({ "message": "busy", "details": { "retryAfterSeconds": 1 } }));
        let waits = "waits: the server is overloaded: busy";
        let answers = vec![busy(), node(true), pods(&[]), busy(), node(true)];
        let (done, asked, notes) = run(answers, Action::Evacuate).await;
        assert_eq!((done, asked), (Ok(Expect::NodeEmpty { node: "n1".into(), availability: Availability::Paused }), 5));
        assert_eq!(notes.iter().filter(|note| *note == waits).count(), 2, "{notes:?}");
        assert_eq!(notes.last().unwrap(), "all tasks were told to go");
        // what was said before comes back once it answers
        let (done, _, notes) = run(vec![busy(), node(true)], Action::Pause).await;
        assert_eq!(done, Ok(Expect::NodeIs { node: "n1".into(), availability: Availability::Paused }));
        assert_eq!(notes, [waits, ""]);
    }

    #[test]
    fn pods_of_daemonsets_static_ended_and_leaving_pods_are_left_alone_and_bare_ones_are_named() {
        let pod = |uid: &str, owner: &str, more: Value| -> RawPod {
            let mut value = json!({ "metadata": { "name": uid, "namespace": "n", "uid": uid }, "status": { "phase": "Running" } });
            if !owner.is_empty() {
                value["metadata"]["ownerReferences"] = json!([{ "kind": owner, "uid": "o", "controller": true }]);
            }
            for (key, field) in more.as_object().unwrap() {
                value["metadata"][key] = field.clone();
            }
            serde_json::from_value(value).unwrap()
        };
        let mut ended = pod("ended", "Job", json!({}));
        ended.status.phase = "Succeeded".into();
        let plan = plan(vec![
            pod("web", "ReplicaSet", json!({})),
            pod("agent", "DaemonSet", json!({})),
            pod("static", "Node", json!({ "annotations": { "kubernetes.io/config.mirror": "x" } })),
            pod("going", "ReplicaSet", json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" })),
            pod("bare", "", json!({})),
            ended,
        ]);
        assert_eq!(plan.movable.iter().map(|p| p.uid.as_str()).collect::<Vec<_>>(), ["web"]);
        assert_eq!(plan.stays, "n/bare stays: no service would make it again");
    }
}
