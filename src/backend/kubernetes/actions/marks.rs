//! Labels and taints of nodes.

use super::Act;
use crate::backend::BackendError;
use crate::model::{Expect, LabelEdit, TaintEdit};
use serde_json::{Map, Value, json};

impl Act<'_> {
    pub(super) async fn label(&self, edits: &[LabelEdit]) -> Result<Expect, BackendError> {
        let labels: Map<String, Value> =
            edits.iter().map(|edit| (edit.key.to_string(), edit.value.as_deref().map_or(Value::Null, Value::from))).collect();
        self.patch_node(|_| Some(json!({ "metadata": { "labels": labels } }))).await?;
        Ok(Expect::NodeLabels { node: self.intent.object.key.clone(), edits: edits.into() })
    }

    pub(super) async fn taint(&self, edits: &[TaintEdit]) -> Result<Expect, BackendError> {
        self.patch_node(|node| {
            let old = node.pointer("/spec/taints").and_then(Value::as_array).cloned().unwrap_or_default();
            Some(json!({ "spec": { "taints": tainted(old, edits) } }))
        })
        .await?;
        Ok(Expect::NodeTaints { node: self.intent.object.key.clone(), edits: edits.into() })
    }
}

/// These taints after the changes; others stay as they are, with all that stands in them. A merge patch takes the list whole.
fn tainted(mut taints: Vec<Value>, edits: &[TaintEdit]) -> Vec<Value> {
    for edit in edits {
        let text = |taint: &Value, field: &str| taint.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        if let TaintEdit::Set(new) = edit {
            let same = |taint: &Value| {
                edit.covers(&text(taint, "key"), &text(taint, "effect")) && text(taint, "value") == new.value.as_str()
            };
            // one that is there keeps since when it is
            if taints.iter().any(same) {
                continue;
            }
        }
        taints.retain(|taint| !edit.covers(&text(taint, "key"), &text(taint, "effect")));
        if let TaintEdit::Set(new) = edit {
            let mut taint = json!({ "key": new.key.as_str(), "effect": new.effect.word() });
            if !new.value.is_empty() {
                taint["value"] = json!(new.value.as_str());
            }
            taints.push(taint);
        }
    }
    taints
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::execute;
    use super::*;
    use crate::analysis::edits::{labels, taints};
    use crate::backend::ProgressSink;
    use crate::backend::kubernetes::convert::scheduling_rev;
    use crate::backend::kubernetes::index::Shared;
    use crate::backend::kubernetes::raw::RawNode;
    use crate::backend::kubernetes::scripted;
    use crate::model::{Action, Bound, ClusterId, Intent, Key, Kind, ObjectRef};

    fn node(version: &str, zone: &str) -> Value {
        json!({
            "metadata": { "name": "n1", "uid": "the-uid", "resourceVersion": version, "labels": { "zone": zone, "old": "x" } },
            "spec": { "taints": [
                { "key": "dedicated", "value": "db", "effect": "NoSchedule" },
                { "key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z" },
                { "key": "kept", "effect": "OfTheFuture", "more": 1 }
            ] }
        })
    }

    async fn act(action: Action, answers: Vec<(u16, String)>) -> (Result<Expect, BackendError>, Vec<String>) {
        let (api, asked) = scripted::server(answers).await;
        let object = ObjectRef { cluster: ClusterId::from("c"), kind: Kind::Node, key: Key::from("n1") };
        let seen: RawNode = serde_json::from_value(node("1", "a")).unwrap();
        let bound = Bound { uid: Key::from("the-uid"), spec_rev: scheduling_rev(&seen) };
        let intent = Intent { object, name: "n1".into(), action, bound };
        let done = execute(&api, &Shared::default(), &intent, &ProgressSink::new().0).await;
        let asked = asked.lock().clone();
        (done, asked)
    }

    fn body(asked: &str) -> Value {
        serde_json::from_str(asked.split_once(' ').unwrap().1).unwrap()
    }

    #[tokio::test]
    async fn only_the_labels_named_are_written_in_the_version_that_was_read() {
        let edits = || labels("zone=b old-", true).unwrap();
        let answer = |version: &str, zone: &str| (200, node(version, zone).to_string());
        let conflict = (409, r#"{"message":"the object has been modified"}"#.to_owned());
        let (done, asked) =
            act(Action::Label { edits: edits() }, vec![answer("1", "a"), conflict.clone(), answer("2", "a"), answer("3", "b")])
                .await;
        assert_eq!(done, Ok(Expect::NodeLabels { node: "n1".into(), edits: edits() }));
        let meta = json!({ "uid": "the-uid", "resourceVersion": "2", "labels": { "zone": "b", "old": null } });
        assert_eq!(body(&asked[3]), json!({ "metadata": meta }));
        // someone gave it another zone between the two
        let (done, asked) = act(Action::Label { edits: edits() }, vec![answer("1", "a"), conflict, answer("2", "c")]).await;
        assert!(matches!(done, Err(BackendError::Changed(_))), "{done:?}");
        assert_eq!(asked.len(), 3, "nothing more was written: {asked:?}");
    }

    #[tokio::test]
    async fn other_taints_stay_whole() {
        let edits = || taints("dedicated=gpu:NoSchedule gone- node.kubernetes.io/unreachable:NoExecute").unwrap();
        let answer = (200, node("1", "a").to_string());
        let (done, asked) = act(Action::Taint { edits: edits() }, vec![answer.clone(), answer]).await;
        assert_eq!(done, Ok(Expect::NodeTaints { node: "n1".into(), edits: edits() }));
        let want = json!([
            { "key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z" },
            { "key": "kept", "effect": "OfTheFuture", "more": 1 },
            { "key": "dedicated", "value": "gpu", "effect": "NoSchedule" }
        ]);
        assert_eq!(body(&asked[1])["spec"]["taints"], want);
        assert_eq!(body(&asked[1])["metadata"], json!({ "uid": "the-uid", "resourceVersion": "1" }));
    }
}
