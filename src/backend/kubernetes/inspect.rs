//! One whole object as YAML.

use super::http::Api;
use super::index::Shared;
use super::paths;
use crate::backend::{BackendError, secret};
use crate::model::{Kind, ObjectRef};
use serde_json::Value;

/// The object as YAML, without what is noise or secret.
pub(super) async fn inspect(api: &Api, index: &Shared, object: &ObjectRef) -> Result<String, BackendError> {
    let doing = format!("read {} {}", object.kind.word(), object.key);
    let path = path(index, object).ok_or_else(|| BackendError::NotFound(format!("cannot {doing}: it is not known (any more)")))?;
    let mut value: Value = api.get(&path).await.map_err(|failure| failure.about(&doing))?;
    if !is_same(&value, object) {
        return Err(BackendError::NotFound(format!("cannot {doing}: it is gone, and another one of its name is there")));
    }
    clean(&mut value);
    serde_saphyr::to_string(&value).map_err(|err| BackendError::Protocol(format!("cannot show {doing} as YAML: {err}")))
}

fn path(index: &Shared, object: &ObjectRef) -> Option<String> {
    let index = index.lock();
    Some(match object.kind {
        Kind::Node => paths::node(&object.key),
        Kind::Task => paths::pod(&index.pods.get(&object.key)?.place),
        Kind::Event => {
            let place = index.events.get(&object.key)?;
            format!("/api/v1/namespaces/{}/events/{}", place.namespace, place.name)
        }
        Kind::Service => {
            let (kind, place) = index.services.get(&object.key)?;
            paths::workload(*kind, place)?
        }
    })
}

/// Whether this is the object of the row, and not one that has its name by now. Nodes are known by their name alone.
fn is_same(value: &Value, object: &ObjectRef) -> bool {
    object.kind == Kind::Node || value.pointer("/metadata/uid").and_then(Value::as_str) == Some(&object.key)
}

/// Drops `managedFields` and the copy of the object that `kubectl apply` keeps, and masks what is secret.
fn clean(value: &mut Value) {
    secret::mask(value);
    if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("managedFields");
        if let Some(annotations) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            if annotations.is_empty() {
                meta.remove("annotations");
            }
        }
    }
    if value.get("kind").and_then(Value::as_str) == Some("Secret") {
        for field in ["data", "stringData"] {
            for (_, secret) in value.get_mut(field).and_then(Value::as_object_mut).into_iter().flatten() {
                *secret = Value::from("(masked)");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_that_has_the_name_of_one_that_is_gone_is_not_shown_for_it() {
        let object = |kind, key: &str| ObjectRef { cluster: "c".into(), kind, key: key.into() };
        let value = json!({ "metadata": { "name": "web-0", "uid": "new" } });
        assert!(is_same(&value, &object(Kind::Task, "new")) && !is_same(&value, &object(Kind::Task, "old")));
        assert!(is_same(&value, &object(Kind::Node, "web-0")));
    }

    #[test]
    fn noise_is_dropped_and_secrets_are_masked() {
        let mut secret = json!({
            "kind": "Secret",
            "metadata": {
                "name": "db",
                "managedFields": [1],
                "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"p\":\"cGFzcw==\"}}" }
            },
            "data": { "password": "cGFzcw==" },
            "stringData": { "user": "root" }
        });
        clean(&mut secret);
        let want = json!({
            "kind": "Secret",
            "metadata": { "name": "db" },
            "data": { "password": "(masked)" },
            "stringData": { "user": "(masked)" }
        });
        assert_eq!(secret, want);
    }
}
