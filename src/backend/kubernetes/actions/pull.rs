//! Redeploying with images pulled. Whether a node pulls an image that it has is a setting of each container, so that is set
//! in the same patch that makes new tasks.

use super::{Act, LISTS, Target};
use crate::backend::BackendError;
use crate::backend::kubernetes::http::{Api, Write};
use crate::model::{Expect, Found, Pull, Text};
use serde_json::{Map, Value, json};

impl Act<'_> {
    /// As [`Act::redeploy`], and every container has its image pulled.
    pub(super) async fn redeploy_pulled(&self) -> Result<Expect, BackendError> {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let answer = self
            .patch_service(Write::StrategicPatch, "", |kind, target| {
                self.can_roll(kind, target)?;
                Ok(patch(target, &now))
            })
            .await?;
        Ok(self.converged(&answer))
    }
}

fn patch(target: &Target, now: &str) -> Value {
    let mut spec = Map::new();
    for list in LISTS {
        let names = containers(&target.value, list).filter(|one| policy(one) != "Always").filter_map(|one| one.get("name"));
        let all: Vec<Value> = names.map(|name| json!({ "name": name, "imagePullPolicy": "Always" })).collect();
        if !all.is_empty() {
            spec.insert(list.to_owned(), all.into());
        }
    }
    let mut template = json!({ "metadata": { "annotations": { "kubectl.kubernetes.io/restartedAt": now } } });
    if !spec.is_empty() {
        template["spec"] = spec.into();
    }
    json!({
        "metadata": { "uid": target.text("/metadata/uid"), "resourceVersion": target.version() },
        "spec": { "template": template }
    })
}

fn containers<'a>(object: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    object.pointer(&format!("/spec/template/spec/{list}")).and_then(Value::as_array).into_iter().flatten()
}

/// The server writes it into every template.
fn policy(container: &Value) -> &str {
    container.get("imagePullPolicy").and_then(Value::as_str).unwrap_or("IfNotPresent")
}

/// Whether nodes pull the images of the workload at `path`.
pub(super) async fn survey(api: &Api, path: &str) -> Result<Found, BackendError> {
    let value: Value = api.get(path).await.map_err(|failure| failure.about("read its definition"))?;
    Ok(Found::Pulls(pulls(&value).collect()))
}

fn pulls(object: &Value) -> impl Iterator<Item = Pull> {
    let text = |one: &Value, field: &str| Text::new(one.get(field).and_then(Value::as_str).unwrap_or_default());
    LISTS.into_iter().flat_map(|list| containers(object, list)).map(move |one| Pull {
        container: text(one, "name"),
        image: text(one, "image"),
        policy: Text::new(policy(one)),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_containers_that_are_not_pulled_anyway_are_patched_and_with_the_restart() {
        let object = json!({
            "metadata": { "uid": "u", "resourceVersion": "7" },
            "spec": { "template": { "spec": {
                "initContainers": [{ "name": "seed", "image": "seed:1", "imagePullPolicy": "Never" }],
                "containers": [
                    { "name": "main", "image": "web:1", "imagePullPolicy": "IfNotPresent" },
                    { "name": "proxy", "image": "envoy", "imagePullPolicy": "Always" }
                ]
            } } }
        });
        let all: Vec<String> = pulls(&object).map(|one| format!("{} {} {}", one.container, one.image, one.policy)).collect();
        assert_eq!(all, ["seed seed:1 Never", "main web:1 IfNotPresent", "proxy envoy Always"]);
        let mut target = Target { path: String::new(), value: object };
        let restart = json!({ "annotations": { "kubectl.kubernetes.io/restartedAt": "now" } });
        let always = |name: &str| json!([{ "name": name, "imagePullPolicy": "Always" }]);
        let spec = json!({ "initContainers": always("seed"), "containers": always("main") });
        let want = json!({
            "metadata": { "uid": "u", "resourceVersion": "7" },
            "spec": { "template": { "metadata": restart, "spec": spec } }
        });
        assert_eq!(patch(&target, "now"), want);
        for path in ["initContainers/0", "containers/0"] {
            *target.value.pointer_mut(&format!("/spec/template/spec/{path}/imagePullPolicy")).unwrap() = json!("Always");
        }
        assert_eq!(patch(&target, "now").pointer("/spec/template/spec"), None);
    }
}
