//! Scale and redeploy.

use super::{Act, LISTS, Target};
use crate::backend::BackendError;
use crate::backend::kubernetes::http::Write;
use crate::model::{Expect, ServiceKind, Text};
use parking_lot::Mutex;
use serde_json::{Value, json};

impl Act<'_> {
    /// Through the scale subresource, for which rights are often given alone.
    pub(super) async fn scale(&self, to: u32) -> Result<Expect, BackendError> {
        let answer: Value = self
            .patch_service(Write::MergePatch, "/scale", |kind, target| match kind {
                ServiceKind::Deployment | ServiceKind::StatefulSet | ServiceKind::ReplicaSet => Ok(json!({
                    "metadata": { "uid": target.text("/metadata/uid"), "resourceVersion": target.version() },
                    "spec": { "replicas": to }
                })),
                ServiceKind::DaemonSet => Err(self.unsupported("it runs one task on each fitting node")),
                _ => Err(self.unsupported("the number of its tasks is not a setting of it")),
            })
            .await?;
        // a Scale does not tell the object's generation: read it, without taking what others change later for ours
        let service = self.intent.object.key.clone();
        let spec_rev = match self.after(&answer).await {
            Some(generation) => generation,
            None => self.intent.bound.spec_rev + 1,
        };
        Ok(Expect::Scaled { service, spec_rev, to })
    }

    async fn after(&self, scale: &Value) -> Option<u64> {
        let (kind, place) = self.index.lock().services.get(&self.intent.object.key).cloned()?;
        let path = crate::backend::kubernetes::paths::workload(kind, &place)?;
        let target = Target { value: self.api.get(&path).await.ok()?, path };
        let same = target.number("/spec/replicas") == scale.pointer("/spec/replicas")?.as_u64()?;
        same.then(|| target.number("/metadata/generation"))
    }

    /// What `kubectl rollout restart` does: a changed annotation on the pod template makes it a new definition.
    pub(super) async fn redeploy(&self) -> Result<Expect, BackendError> {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let answer = self
            .patch_service(Write::MergePatch, "", |kind, target| {
                self.can_roll(kind, target)?;
                Ok(json!({
                    "metadata": { "uid": target.text("/metadata/uid"), "resourceVersion": target.version() },
                    "spec": { "template": { "metadata": { "annotations": { "kubectl.kubernetes.io/restartedAt": now } } } }
                }))
            })
            .await?;
        Ok(self.converged(&answer))
    }

    /// What `kubectl set image` does: one container of the template, by its name; all else of it stays.
    pub(super) async fn set_image(&self, container: &str, image: &str) -> Result<Expect, BackendError> {
        // of a CronJob, which keeps no definition before this one
        let before = Mutex::new(None);
        let answer = self
            .patch_service(Write::StrategicPatch, "", |kind, target| {
                let template = if kind == ServiceKind::CronJob { "/spec/jobTemplate/spec/template" } else { "/spec/template" };
                if kind != ServiceKind::CronJob {
                    self.can_roll(kind, target)?;
                }
                // no two containers of a template have the same name, in whichever list they are
                let held = LISTS.iter().find_map(|list| {
                    let all = target.value.pointer(&format!("{template}/spec/{list}")).and_then(Value::as_array)?;
                    Some((*list, all.iter().find(|held| held.get("name") == Some(&json!(container)))?))
                });
                // a patch with a name that is not there would add a container
                let Some((list, held)) = held else {
                    return Err(self.changed(&format!("it has no container {container}")));
                };
                let image_now = held.get("image").and_then(Value::as_str).map(Text::new);
                *before.lock() = image_now.filter(|_| kind == ServiceKind::CronJob);
                let mut spec = json!({ "spec": { list: [{ "name": container, "image": image }] } });
                for name in template.trim_start_matches("/spec/").rsplit('/') {
                    spec = json!({ name: spec });
                }
                Ok(json!({
                    "metadata": { "uid": target.text("/metadata/uid"), "resourceVersion": target.version() },
                    "spec": spec
                }))
            })
            .await?;
        Ok(match (self.converged(&answer), before.into_inner()) {
            (Expect::Converged { service, spec_rev }, Some(before)) => Expect::Imaged { service, spec_rev, before },
            (expect, _) => expect,
        })
    }

    /// Refuses where a new definition would not become new tasks.
    pub(super) fn can_roll(&self, kind: ServiceKind, target: &Target) -> Result<(), BackendError> {
        match kind {
            ServiceKind::Deployment if target.value.pointer("/spec/paused") == Some(&Value::Bool(true)) => {
                Err(self.unsupported("its rollout is paused; resume it first"))
            }
            ServiceKind::Deployment => Ok(()),
            ServiceKind::StatefulSet | ServiceKind::DaemonSet => {
                if target.text("/spec/updateStrategy/type") == "OnDelete" {
                    return Err(self.unsupported("its update strategy is OnDelete: delete its tasks one by one instead"));
                }
                Ok(())
            }
            _ => Err(self.unsupported("only deployments, statefulsets and daemonsets replace their tasks")),
        }
    }

    /// Expects what an answered patch wrote.
    pub(super) fn converged(&self, answer: &Value) -> Expect {
        let generation = answer.pointer("/metadata/generation").and_then(Value::as_u64);
        Expect::Converged { service: self.intent.object.key.clone(), spec_rev: generation.unwrap_or(self.intent.bound.spec_rev) }
    }
}
