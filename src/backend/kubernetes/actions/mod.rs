//! Carries out actions: each reads the object first, holds it against what the operator saw, and writes with
//! preconditions. A write is sent once; one that met a newer version is made anew only if what the operator saw still holds.

mod delete;
#[cfg(test)]
pub(crate) mod evacuation_tests;
mod eviction;
mod held;
mod marks;
mod node;
mod pull;
mod rebalance;
mod rollback;
mod service;
mod task;

use super::failure::Failure;
use super::http::{Api, Write};
use super::index::{PodEntry, Shared};
use super::paths;
use crate::backend::{BackendError, ProgressSink};
use crate::model::{Action, ActionKind, Expect, Found, Intent, ObjectRef, Progress, ServiceKind, Text};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Where a template keeps its containers.
const LISTS: [&str; 2] = ["initContainers", "containers"];

/// How often a write is made anew because only the object's status changed in between.
const CONFLICTS: usize = 5;

/// See [`crate::backend::Backend::survey`].
pub(super) async fn survey(api: &Api, index: &Shared, object: &ObjectRef, action: ActionKind) -> Result<Found, BackendError> {
    let nothing = || BackendError::Unsupported(format!("there is nothing to ask before one can {}", action.spec().label));
    let known = index.lock().services.get(&object.key).cloned();
    let (kind, place) = known.ok_or_else(nothing)?;
    match action {
        ActionKind::Redeploy => pull::survey(api, &paths::workload(kind, &place).ok_or_else(nothing)?).await,
        ActionKind::RollBack => rollback::survey(api, kind, &place.namespace, &object.key).await,
        _ => Err(nothing()),
    }
}

/// Carries out `intent`.
pub(super) async fn execute(api: &Api, index: &Shared, intent: &Intent, progress: &ProgressSink) -> Result<Expect, BackendError> {
    let act = Act { api, index, intent, progress };
    match &intent.action {
        Action::Scale { to } => act.scale(*to).await,
        Action::Redeploy { pull: false } => act.redeploy().await,
        Action::Redeploy { pull: true } => act.redeploy_pulled().await,
        Action::RollBack { to } => act.roll_back(*to).await,
        Action::Rebalance => act.rebalance().await,
        Action::Reschedule => act.reschedule().await,
        Action::DeleteTask { grace } => act.delete_task(*grace).await,
        Action::Pause => act.set_paused(true).await,
        Action::Activate => act.set_paused(false).await,
        Action::Evacuate | Action::Drain => act.evacuate().await,
        Action::Promote | Action::Demote | Action::RemoveNode { .. } => {
            Err(BackendError::Unsupported("only a swarm promotes, demotes and removes its nodes".to_owned()))
        }
        Action::Prune { .. } => {
            Err(BackendError::Unsupported("the kubelet of a node removes what it does not need by itself".to_owned()))
        }
        Action::RotateToken { .. } => {
            Err(BackendError::Unsupported("only a swarm has join tokens; `kubeadm token create` makes one here".to_owned()))
        }
        Action::Label { edits } => act.label(edits).await,
        Action::Taint { edits } => act.taint(edits).await,
        Action::ForceDelete { .. } => {
            Err(BackendError::Unsupported("a pod is deleted by force when its grace is 0: delete it so".to_owned()))
        }
        Action::Hold => act.set_held(true).await,
        Action::Resume => act.set_held(false).await,
        Action::Trigger => act.trigger().await,
        Action::DeleteService { propagation } => act.delete_service(*propagation).await,
        Action::SetImage { container, image } => act.set_image(container, image).await,
        Action::Start | Action::Stop | Action::Restart | Action::Kill => {
            Err(BackendError::Unsupported("Kubernetes has no stopped containers: scale the service instead".to_owned()))
        }
    }
}

/// An action under way.
struct Act<'a> {
    api: &'a Api,
    index: &'a Shared,
    intent: &'a Intent,
    progress: &'a ProgressSink,
}

/// An object that was read just now, and where it is.
struct Target {
    path: String,
    value: Value,
}

impl Target {
    fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, pointer: &str) -> u64 {
        self.value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
    }

    fn version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }
}

impl Act<'_> {
    /// What is being done, for errors: `scale web`.
    fn doing(&self) -> String {
        let spec = self.intent.action.kind().spec();
        format!("{} {} {}", spec.label, spec.on.word(), self.intent.name)
    }

    fn fail(&self, failure: Failure) -> BackendError {
        failure.about(&self.doing())
    }

    fn changed(&self, what: &str) -> BackendError {
        BackendError::Changed(format!("did not {}: {what}; look again and confirm anew", self.doing()))
    }

    fn unsupported(&self, why: &str) -> BackendError {
        BackendError::Unsupported(format!("cannot {}: {why}", self.doing()))
    }

    fn unknown(&self) -> BackendError {
        BackendError::NotFound(format!("cannot {}: it is gone", self.doing()))
    }

    fn report(&self, done: usize, total: usize, note: &str) {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.progress.report(Progress { done: count(done), total: count(total), note: Text::new(note) });
    }

    /// The service of the intent as it is now, held against what the operator saw.
    async fn service(&self) -> Result<(ServiceKind, Target), BackendError> {
        let known = self.index.lock().services.get(&self.intent.object.key).cloned();
        let (kind, place) = known.ok_or_else(|| self.unknown())?;
        let path = paths::workload(kind, &place).ok_or_else(|| self.unsupported("it is no workload of Kubernetes"))?;
        let value = self.api.get(&path).await.map_err(|failure| self.fail(failure))?;
        let target = Target { path, value };
        self.same_object(&target)?;
        if target.number("/metadata/generation") != self.intent.bound.spec_rev {
            return Err(self.changed("its specification was changed by someone in between"));
        }
        Ok((kind, target))
    }

    fn same_object(&self, target: &Target) -> Result<(), BackendError> {
        if target.text("/metadata/uid") == &*self.intent.bound.uid {
            Ok(())
        } else {
            Err(self.changed("it was deleted and another one of the same name was made in between"))
        }
    }

    /// The service's patch, made by `make` from what it is now and sent with its version as a precondition.
    async fn patch_service(
        &self,
        how: Write,
        suffix: &str,
        make: impl Fn(ServiceKind, &Target) -> Result<Value, BackendError>,
    ) -> Result<Value, BackendError> {
        let mut conflicts = 0;
        loop {
            let (kind, target) = self.service().await?;
            let body = make(kind, &target)?;
            match self.api.write(how, &format!("{}{suffix}", target.path), &body).await {
                Ok(answer) => return Ok(answer),
                // its status moved on: what the operator saw is held against it again before the next try
                Err(failure) if failure.status() == Some(409) && conflicts < CONFLICTS => conflicts += 1,
                Err(failure) => return Err(self.fail(failure)),
            }
        }
    }

    /// The pod of the intent as it is now, held against what the operator saw.
    async fn pod(&self) -> Result<(PodEntry, Target), BackendError> {
        let known = self.index.lock().pods.get(&self.intent.object.key).cloned();
        let entry = known.ok_or_else(|| self.unknown())?;
        let path = paths::pod(&entry.place);
        let value = match self.api.get(&path).await {
            Ok(value) => value,
            Err(failure) if failure.status() == Some(404) => return Err(self.changed("the pod is gone")),
            Err(failure) => return Err(self.fail(failure)),
        };
        let target = Target { path, value };
        self.same_object(&target)?;
        Ok((entry, target))
    }

    /// The objects of a list.
    async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, BackendError> {
        #[derive(serde::Deserialize)]
        struct List<T> {
            items: Option<Vec<T>>,
        }
        Ok(self.read::<List<T>>(path).await?.items.unwrap_or_default())
    }

    /// What is at `path`. A server that is too busy for it is asked again when it likes, and the report says so meanwhile.
    async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, BackendError> {
        let mut before = None;
        loop {
            match self.api.get(path).await {
                Ok(read) => {
                    if let Some(before) = before {
                        self.progress.report(before);
                    }
                    return Ok(read);
                }
                Err(failure) if failure.status() == Some(429) => {
                    let shown = before.get_or_insert_with(|| self.progress.latest());
                    let note = Text::new(&format!("waits: {}", eviction::overloaded(&failure)));
                    self.progress.report(Progress { note, ..shown.clone() });
                    tokio::time::sleep(eviction::again(&failure)).await;
                }
                Err(failure) => return Err(self.fail(failure)),
            }
        }
    }
}
