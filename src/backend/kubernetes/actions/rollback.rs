//! Roll back to an earlier definition, as `kubectl rollout undo` does: from an earlier ReplicaSet of a Deployment, from
//! an earlier ControllerRevision of a StatefulSet or DaemonSet. Templates are passed on as raw JSON, whatever they hold.

use super::{Act, Target};
use crate::backend::BackendError;
use crate::backend::difference::difference;
use crate::backend::kubernetes::http::{Api, Write};
use crate::model::{Distance, Expect, Found, ServiceKind, Text};
use serde_json::{Value, json};

/// Why the present definition was made, in the words of whoever made it; goes with the definition.
const CAUSE: &str = "kubernetes.io/change-cause";

impl Act<'_> {
    pub(super) async fn roll_back(&self, to: Option<u64>) -> Result<Expect, BackendError> {
        let (kind, target) = self.service().await?;
        self.can_roll(kind, &target)?;
        let namespace = target.text("/metadata/namespace");
        let held: Vec<Value> = self.list(&definitions(kind, namespace)).await?;
        let previous = earlier(held, target.text("/metadata/uid"), to).ok_or_else(|| match to {
            Some(to) => self.changed(&format!("revision {to} is no longer kept, or is the present one")),
            None => self.unsupported("there is no earlier definition to go back to"),
        })?;
        let answer = match kind {
            ServiceKind::Deployment => {
                let template = template(&previous).ok_or_else(|| self.unsupported("the earlier definition has no template"))?;
                self.patch_service(Write::JsonPatch, "", |_, now| Ok(deployment_patch(now, &template, &previous))).await?
            }
            _ => self.patch_service(Write::StrategicPatch, "", |_, now| Ok(revision_patch(now, &previous))).await?,
        };
        Ok(self.converged(&answer))
    }
}

/// A definition before the present one, which has the highest revision of those that `owner` controls: the one with this
/// revision, or the second highest.
fn earlier(held: Vec<Value>, owner: &str, to: Option<u64>) -> Option<Value> {
    owned(held, owner).into_iter().skip(1).find(|(revision, _)| to.is_none_or(|to| to == *revision)).map(|(_, object)| object)
}

/// The definitions that `owner` controls, the present one first.
fn owned(held: Vec<Value>, owner: &str) -> Vec<(u64, Value)> {
    let mut owned: Vec<(u64, Value)> = held
        .into_iter()
        .filter(|object| {
            let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
            owners
                .into_iter()
                .flatten()
                .any(|o| o.get("controller") == Some(&Value::Bool(true)) && o.get("uid") == Some(&json!(owner)))
        })
        .filter_map(|object| Some((revision(&object)?, object)))
        .collect();
    // of two with the same number (see the session's services) the newer one is the present
    owned.sort_by_cached_key(|(revision, object)| {
        let returned = object.pointer("/metadata/annotations/deployment.kubernetes.io~1revision-history").is_some();
        let made = object.pointer("/metadata/creationTimestamp").and_then(Value::as_str).unwrap_or_default().to_owned();
        std::cmp::Reverse((*revision, returned, made))
    });
    owned
}

/// What the earlier definitions of a workload would change.
pub(super) async fn survey(api: &Api, kind: ServiceKind, namespace: &str, owner: &str) -> Result<Found, BackendError> {
    let list: Value =
        api.get(&definitions(kind, namespace)).await.map_err(|failure| failure.about("read its earlier definitions"))?;
    let held = list.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(Found::Earlier(compare(held, owner).into()))
}

/// Where the earlier definitions of workloads are kept.
fn definitions(kind: ServiceKind, namespace: &str) -> String {
    let plural = if kind == ServiceKind::Deployment { "replicasets" } else { "controllerrevisions" };
    format!("/apis/apps/v1/namespaces/{namespace}/{plural}")
}

fn compare(held: Vec<Value>, owner: &str) -> Vec<Distance> {
    let template = |object: &Value| template(object).or_else(|| object.pointer("/data/spec/template").cloned()).unwrap_or_default();
    let mut all = owned(held, owner).into_iter();
    let Some((_, now)) = all.next() else { return Vec::new() };
    let now = template(&now);
    all.map(|(number, then)| (number, difference(&now, &template(&then)).into_iter().map(Text::from).collect())).collect()
}

fn revision(object: &Value) -> Option<u64> {
    let annotated = object.pointer("/metadata/annotations/deployment.kubernetes.io~1revision").and_then(Value::as_str);
    annotated.and_then(|raw| raw.parse().ok()).or_else(|| object.get("revision")?.as_u64())
}

/// The template without the label that its ReplicaSet added.
fn template(set: &Value) -> Option<Value> {
    let mut template = set.pointer("/spec/template")?.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    Some(template)
}

fn deployment_patch(now: &Target, template: &Value, previous: &Value) -> Value {
    let mut operations = vec![
        json!({ "op": "test", "path": "/metadata/uid", "value": now.text("/metadata/uid") }),
        // a version that is not the present one makes the server refuse with a conflict
        json!({ "op": "replace", "path": "/metadata/resourceVersion", "value": now.version() }),
        json!({ "op": "replace", "path": "/spec/template", "value": template }),
    ];
    let cause = |of: &Value| of.pointer("/metadata/annotations").and_then(|all| all.get(CAUSE)).cloned();
    let path = format!("/metadata/annotations/{}", CAUSE.replace('/', "~1"));
    match (cause(previous), cause(&now.value)) {
        (Some(old), _) if now.value.pointer("/metadata/annotations").is_some() => {
            operations.push(json!({ "op": "add", "path": path, "value": old }));
        }
        (None, Some(_)) => operations.push(json!({ "op": "remove", "path": path })),
        _ => {}
    }
    Value::Array(operations)
}

/// A ControllerRevision's data is the patch itself (`$patch: replace` on the template).
fn revision_patch(now: &Target, previous: &Value) -> Value {
    let mut patch = previous.get("data").cloned().unwrap_or_else(|| json!({}));
    patch["metadata"] = json!({ "uid": now.text("/metadata/uid"), "resourceVersion": now.version() });
    patch
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn set(uid: &str, owner: &str, revision: &str) -> Value {
        json!({
            "metadata": {
                "uid": uid,
                "annotations": { "deployment.kubernetes.io/revision": revision },
                "ownerReferences": [{ "uid": owner, "controller": true }]
            },
            "spec": { "template": { "metadata": { "labels": { "app": "web", "pod-template-hash": "x" } }, "spec": { "unknown": 1 } } }
        })
    }

    #[test]
    fn the_previous_definition_is_the_second_newest_of_this_owner_by_number_not_by_text() {
        let held = vec![set("a", "me", "9"), set("b", "me", "10"), set("c", "other", "11"), set("d", "me", "2")];
        let found = earlier(held.clone(), "me", None).unwrap();
        assert_eq!(found.pointer("/metadata/uid"), Some(&json!("a")));
        assert!(earlier(vec![set("a", "me", "1")], "me", None).is_none());
        let mut other = held.clone();
        other[0]["spec"]["template"]["spec"]["unknown"] = json!(2);
        assert_eq!(compare(other, "me"), [(9, vec!["- spec.unknown 1".into(), "+ spec.unknown 2".into()]), (2, vec![])]);
        let chosen = earlier(held.clone(), "me", Some(2)).unwrap();
        assert_eq!(chosen.pointer("/metadata/uid"), Some(&json!("d")));
        assert!(earlier(held.clone(), "me", Some(10)).is_none(), "the present one");
        assert!(earlier(held, "me", Some(11)).is_none(), "another owner's");
        // the same number twice: the newer one is the present, whatever it is called
        let at = |uid: &str, made: &str| {
            let mut object = set(uid, "me", "2");
            object["metadata"]["creationTimestamp"] = json!(made);
            object
        };
        for twins in [["a", "b"], ["b", "a"]] {
            let held = twins.map(|uid| at(uid, if uid == "a" { "2026-01-01T00:00:02Z" } else { "2026-01-01T00:00:01Z" }));
            assert_eq!(earlier(held.into(), "me", None).unwrap().pointer("/metadata/uid"), Some(&json!("b")));
        }
        let template = template(&found).unwrap();
        assert_eq!(template, json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "unknown": 1 } }));
    }

    #[test]
    fn a_revision_is_sent_as_it_is_with_a_precondition() {
        let now = Target { path: String::new(), value: json!({ "metadata": { "uid": "u", "resourceVersion": "7" } }) };
        let revision = json!({ "revision": 3, "data": { "spec": { "template": { "$patch": "replace", "x": 1 } } } });
        let want = json!({
            "spec": { "template": { "$patch": "replace", "x": 1 } },
            "metadata": { "uid": "u", "resourceVersion": "7" }
        });
        assert_eq!(revision_patch(&now, &revision), want);
    }
}
