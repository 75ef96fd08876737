//! Pause and resume a rollout, a Job, a CronJob; and run a CronJob now.

use super::{Act, Target};
use crate::backend::BackendError;
use crate::backend::kubernetes::http::Write;
use crate::model::{Expect, Key, ServiceKind};
use serde_json::{Value, json};

/// Longest name of a Job: its tasks have it as a label.
const LONGEST: usize = 63;

impl Act<'_> {
    pub(super) async fn set_held(&self, held: bool) -> Result<Expect, BackendError> {
        let answer = self
            .patch_service(Write::MergePatch, "", |kind, target| {
                let field = match kind {
                    ServiceKind::Deployment => "paused",
                    ServiceKind::Job | ServiceKind::CronJob => "suspend",
                    _ => return Err(self.unsupported("only a deployment, a job or a cronjob can be held")),
                };
                Ok(json!({
                    "metadata": { "uid": target.text("/metadata/uid"), "resourceVersion": target.version() },
                    "spec": { field: held }
                }))
            })
            .await?;
        let service = self.intent.object.key.clone();
        Ok(match self.converged(&answer) {
            // what was held back rolls out now
            expect if !held && answer.pointer("/kind") == Some(&json!("Deployment")) => expect,
            Expect::Converged { spec_rev, .. } => Expect::Held { service, spec_rev, held },
            expect => expect,
        })
    }

    /// What `kubectl create job --from=cronjob/NAME` does.
    pub(super) async fn trigger(&self) -> Result<Expect, BackendError> {
        let (kind, target) = self.service().await?;
        if kind != ServiceKind::CronJob {
            return Err(self.unsupported("only a cronjob can be run"));
        }
        let body = job(&target, jiff::Timestamp::now().as_second());
        let path = format!("/apis/batch/v1/namespaces/{}/jobs", target.text("/metadata/namespace"));
        let made: Value = self.api.write(Write::Create, &path, &body).await.map_err(|failure| self.fail(failure))?;
        let uid = made.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
        Ok(Expect::Began { service: Key::new(uid) })
    }
}

/// The Job that this CronJob's template makes at the second `now`.
fn job(cron: &Target, now: i64) -> Value {
    let template = |pointer: &str| cron.value.pointer(pointer).filter(|value| !value.is_null()).cloned();
    let suffix = format!("-manual-{now}");
    let name = cron.text("/metadata/name");
    // names of objects are ASCII
    let short = name.get(..LONGEST - suffix.len()).unwrap_or(name).trim_end_matches(['-', '.']);
    let mut annotations = template("/spec/jobTemplate/metadata/annotations").unwrap_or_else(|| json!({}));
    annotations["cronjob.kubernetes.io/instantiate"] = json!("manual");
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": format!("{short}{suffix}"),
            "labels": template("/spec/jobTemplate/metadata/labels"),
            "annotations": annotations,
            // without blockOwnerDeletion, which asks for a right of its own
            "ownerReferences": [{
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "name": name,
                "uid": cron.text("/metadata/uid"),
                "controller": true
            }]
        },
        "spec": template("/spec/jobTemplate/spec")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::backend::ProgressSink;
    use crate::backend::kubernetes::actions::execute;
    use crate::backend::kubernetes::index::{Place, Shared};
    use crate::backend::kubernetes::scripted::server;
    use crate::model::{Action, Bound, ClusterId, Intent, Kind, ObjectRef, Propagation};

    /// The Deployment `shop/web` as the server tells it.
    fn web(generation: u64, version: &str) -> (u16, String) {
        let value = json!({
            "kind": "Deployment",
            "metadata": { "name": "web", "namespace": "shop", "uid": "the-uid", "generation": generation, "resourceVersion": version }
        });
        (200, value.to_string())
    }

    async fn hold(script: Vec<(u16, String)>) -> (Result<Expect, BackendError>, Vec<String>) {
        act(Action::Hold, script).await
    }

    /// What comes of an action on `shop/web`, seen at generation 7, and what the server was asked.
    async fn act(action: Action, script: Vec<(u16, String)>) -> (Result<Expect, BackendError>, Vec<String>) {
        let (api, asked) = server(script).await;
        let key = Key::from("the-uid");
        let index = Shared::default();
        let place = Place { namespace: "shop".into(), name: "web".into() };
        index.lock().services.insert(key.clone(), (ServiceKind::Deployment, place));
        let object = ObjectRef { cluster: ClusterId::from("c"), kind: Kind::Service, key: key.clone() };
        let bound = Bound { uid: key, spec_rev: 7 };
        let intent = Intent { object, name: "web".into(), action, bound };
        let done = execute(&api, &index, &intent, &ProgressSink::new().0).await;
        let asked = asked.lock().clone();
        (done, asked)
    }

    #[tokio::test]
    async fn a_conflict_is_tried_again_with_the_new_version_while_the_specification_is_what_was_seen() {
        let conflict = || (409, r#"{"message":"the object has been modified"}"#.to_owned());
        let (done, asked) = hold(vec![web(7, "1"), conflict(), web(7, "2"), web(8, "3")]).await;
        assert_eq!(done, Ok(Expect::Held { service: "the-uid".into(), spec_rev: 8, held: true }));
        let (path, body) = asked[3].split_once(' ').unwrap();
        assert_eq!(path, "/apis/apps/v1/namespaces/shop/deployments/web");
        let want = json!({ "metadata": { "uid": "the-uid", "resourceVersion": "2" }, "spec": { "paused": true } });
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), want);
        // between the two someone changed what it is
        let (done, asked) = hold(vec![web(7, "1"), conflict(), web(8, "2")]).await;
        assert!(matches!(done, Err(BackendError::Changed(_))), "{done:?}");
        assert_eq!(asked.len(), 3, "nothing more was written: {asked:?}");
    }

    #[tokio::test]
    async fn a_deletion_says_which_object_in_which_version_it_means_and_is_tried_again_only_for_what_was_seen() {
        let delete = || Action::DeleteService { propagation: Propagation::Foreground };
        let conflict = || (409, r#"{"message":"the ResourceVersion in the precondition does not match"}"#.to_owned());
        let (done, asked) = act(delete(), vec![web(7, "1"), conflict(), web(7, "2"), (200, "{}".to_owned())]).await;
        assert_eq!(done, Ok(Expect::Deleted { service: "the-uid".into(), tasks: true }));
        let body: Value = serde_json::from_str(asked[3].split_once(' ').unwrap().1).unwrap();
        assert_eq!(body["preconditions"], json!({ "uid": "the-uid", "resourceVersion": "2" }));
        assert_eq!(body["propagationPolicy"], "Foreground");
        let (done, asked) = act(delete(), vec![web(7, "1"), conflict(), web(8, "2")]).await;
        assert!(matches!(done, Err(BackendError::Changed(_))), "{done:?}");
        assert_eq!(asked.len(), 3, "nothing more was written: {asked:?}");
    }

    #[tokio::test]
    async fn an_image_is_set_on_the_container_of_that_name_in_the_version_that_was_read() {
        let with = |name: &str| {
            let value = json!({
                "kind": "Deployment",
                "metadata": { "name": "web", "namespace": "shop", "uid": "the-uid", "generation": 7, "resourceVersion": "4" },
                "spec": { "template": { "spec": {
                    "initContainers": [{ "name": "seed", "image": "seed:1" }],
                    "containers": [{ "name": name, "image": "web:1" }]
                } } }
            });
            (200, value.to_string())
        };
        let set = || Action::SetImage { container: "main".into(), image: "web:2".into() };
        let (done, asked) = act(set(), vec![with("main"), web(8, "5")]).await;
        assert_eq!(done, Ok(Expect::Converged { service: "the-uid".into(), spec_rev: 8 }));
        let body: Value = serde_json::from_str(asked[1].split_once(' ').unwrap().1).unwrap();
        let want = json!({
            "metadata": { "uid": "the-uid", "resourceVersion": "4" },
            "spec": { "template": { "spec": { "containers": [{ "name": "main", "image": "web:2" }] } } }
        });
        assert_eq!(body, want);
        let seed = Action::SetImage { container: "seed".into(), image: "seed:2".into() };
        let (_, asked) = act(seed, vec![with("main"), web(8, "5")]).await;
        let body: Value = serde_json::from_str(asked[1].split_once(' ').unwrap().1).unwrap();
        let want = json!({ "template": { "spec": { "initContainers": [{ "name": "seed", "image": "seed:2" }] } } });
        assert_eq!(body["spec"], want, "one that runs before the others");
        let (done, asked) = act(set(), vec![with("other")]).await;
        assert!(matches!(done, Err(BackendError::Changed(_))), "{done:?}");
        assert_eq!(asked.len(), 1, "nothing was written: {asked:?}");
    }

    fn cron(name: &str) -> Target {
        let value = json!({
            "metadata": { "name": name, "namespace": "shop", "uid": "the-uid" },
            "spec": { "jobTemplate": {
                "metadata": { "labels": { "app": "sweep" }, "annotations": { "note": "kept" } },
                "spec": { "fieldOfTheFuture": [1], "template": { "spec": { "restartPolicy": "Never" } } }
            } }
        });
        Target { path: String::new(), value }
    }

    #[test]
    fn a_job_by_hand_has_its_cronjobs_template_whole_and_belongs_to_it() {
        let made = job(&cron("sweep"), 1_700_000_000);
        let meta = &made["metadata"];
        assert_eq!(meta["name"], "sweep-manual-1700000000");
        assert_eq!(meta["annotations"], json!({ "note": "kept", "cronjob.kubernetes.io/instantiate": "manual" }));
        assert_eq!(meta["labels"], json!({ "app": "sweep" }));
        assert_eq!(made["spec"], cron("sweep").value["spec"]["jobTemplate"]["spec"]);
        let owner = json!({ "apiVersion": "batch/v1", "kind": "CronJob", "name": "sweep", "uid": "the-uid", "controller": true });
        assert_eq!(meta["ownerReferences"], json!([owner]));
    }

    #[test]
    fn its_name_fits_into_a_label_however_long_its_cronjobs_is() {
        let made = job(&cron(&format!("{}-{}", "a".repeat(44), "b".repeat(10))), 1_700_000_000);
        let name = made["metadata"]["name"].as_str().unwrap();
        assert_eq!(name, format!("{}-manual-1700000000", "a".repeat(44)));
        assert!(name.len() <= LONGEST);
    }
}
