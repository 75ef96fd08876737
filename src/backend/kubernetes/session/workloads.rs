//! Steps of the kinds that services are joined from.

use super::super::convert::{Names, image_name, service};
use super::super::follow::Step;
use super::super::raw::{
    Autoscaler, ControllerRevision, CronJob, DaemonSet, Deployment, DisruptionBudget, Job, Listed, ReplicaSet, StatefulSet,
    Template,
};
use super::services::{AUTOSCALERS, BUDGETS, Feed, REVISIONS, uid};
use super::{Session, absent};
use crate::model::{Change, Delta, Key, Service, Text};

/// A kind whose objects are services.
pub(super) trait Work: Listed {
    /// Its row.
    fn row(&self, names: &mut Names) -> Service;
    /// Its pod template.
    fn template(&mut self) -> &mut Template;
}

macro_rules! work {
    ($($kind:ident $convert:ident $($field:ident).+;)*) => {$(
        impl Work for $kind {
            fn row(&self, names: &mut Names) -> Service {
                let mut row = service::$convert(self, names);
                row.rollout.note = self.metadata.told(row.rollout.note.take());
                row
            }
            fn template(&mut self) -> &mut Template {
                &mut self.$($field).+
            }
        }
    )*};
}

work! {
    Deployment deployment spec.template;
    StatefulSet stateful_set spec.template;
    DaemonSet daemon_set spec.template;
    ReplicaSet replica_set spec.template;
    Job job spec.template;
    CronJob cron_job spec.job_template.spec.template;
}

impl Session<'_> {
    pub(super) async fn workload<T: Work>(&mut self, feed: Feed, step: Step<T>) {
        let deltas = match step {
            Step::Begin => self.services.begin(feed),
            Step::Item(mut raw) => {
                let row = raw.row(&mut self.names);
                self.services.upsert(feed, row, raw.template())
            }
            Step::Gone(raw) => self.services.remove(feed, &uid(raw.meta())),
            Step::End(only) => self.services.end(feed, only),
            Step::Failed(why) => self.services.failed(feed, why),
            Step::Absent => self.services.failed(feed, absent::<T>()),
        };
        self.send(deltas).await;
    }

    /// A ReplicaSet is a definition of its Deployment; one that nothing owns is a service of its own.
    pub(super) async fn set(&mut self, step: Step<ReplicaSet>) {
        let news = matches!(step, Step::End(_) | Step::Failed(_) | Step::Absent);
        self.set_step(step).await;
        if news {
            self.pods_stand().await;
        }
    }

    async fn set_step(&mut self, step: Step<ReplicaSet>) {
        let deltas = match step {
            Step::Begin => {
                self.sets.begin();
                self.services.begin(Feed::ReplicaSets)
            }
            Step::Item(raw) => self.set_item(raw).await,
            Step::Gone(raw) => {
                let key = uid(&raw.metadata);
                self.sets.gone(&key);
                self.set_gone(&key)
            }
            Step::End(only) => {
                let mut deltas: Vec<Delta> = self.sets.end().iter().flat_map(|key| self.set_gone(key)).collect();
                deltas.extend(self.services.end(Feed::ReplicaSets, only));
                deltas
            }
            Step::Failed(why) => self.services.failed(Feed::ReplicaSets, why),
            Step::Absent => self.services.failed(Feed::ReplicaSets, absent::<ReplicaSet>()),
        };
        self.send(deltas).await;
    }

    async fn set_item(&mut self, mut raw: ReplicaSet) -> Vec<Delta> {
        let key = uid(&raw.metadata);
        self.sets.seen(&key);
        let before = self.owners.of_set(&key).cloned();
        let service = self.owners.learn(&raw, &mut self.names);
        if before.is_some_and(|before| before != service) {
            self.handed_over(&raw.metadata).await;
        }
        for (_, mut row) in self.orphans.remove(&key).into_iter().flatten() {
            row.service = Some(service.clone());
            self.silent.belongs(&row.key, &service);
            if let Some(entry) = self.index.lock().pods.get_mut(&row.key) {
                entry.service = Some(service.clone());
            }
            self.sink.send(Delta::Task(Change::Upsert(row))).await;
        }
        let meta = &raw.metadata;
        if service != key {
            let Some(revision) = meta.annotations.revision.as_deref().and_then(|r| r.parse().ok()) else { return Vec::new() };
            // one that was rolled back to is older than its use
            let since = meta.creation_timestamp.0.filter(|_| meta.annotations.revision_history.is_none());
            let image = self.names.text(image(&raw.spec.template));
            return self.services.define(&service, &key, revision, image, since);
        }
        // controllers of other makers keep old ones at zero: those are no services
        if meta.controller().is_some() && raw.spec.replicas == Some(0) {
            return self.services.remove(Feed::ReplicaSets, &key);
        }
        let row = raw.row(&mut self.names);
        self.services.upsert(Feed::ReplicaSets, row, raw.template())
    }

    fn set_gone(&mut self, key: &Key) -> Vec<Delta> {
        self.owners.forget(key);
        let mut deltas = self.services.undefine(key);
        deltas.extend(self.services.remove(Feed::ReplicaSets, key));
        deltas
    }

    /// A definition of a StatefulSet or DaemonSet.
    pub(super) async fn revision(&mut self, step: Step<ControllerRevision>) {
        let deltas = match step {
            Step::Begin => {
                self.revisions.begin();
                Vec::new()
            }
            Step::Item(raw) => {
                let key = uid(&raw.metadata);
                self.revisions.seen(&key);
                let owner = raw.metadata.controller().map(|o| Key::new(&o.uid));
                let image = self.names.text(image(&raw.data.spec.template));
                // whether it came back by a roll back cannot be seen on it: only the first is surely as old as it looks
                let since = raw.metadata.creation_timestamp.0.filter(|_| raw.revision == 1);
                owner.map(|owner| self.services.define(&owner, &key, raw.revision, image, since)).unwrap_or_default()
            }
            Step::Gone(raw) => {
                let key = uid(&raw.metadata);
                self.revisions.gone(&key);
                self.services.undefine(&key)
            }
            Step::End(_) => {
                let gone = self.revisions.end();
                let mut deltas: Vec<Delta> = gone.iter().flat_map(|key| self.services.undefine(key)).collect();
                deltas.extend(self.services.unknown(REVISIONS, None));
                deltas
            }
            Step::Failed(why) => self.services.unknown(REVISIONS, Some(not_known(REVISIONS, &why))),
            Step::Absent => self.services.unknown(REVISIONS, None),
        };
        self.send(deltas).await;
    }

    pub(super) async fn budget(&mut self, step: Step<DisruptionBudget>) {
        let deltas = match step {
            Step::Begin => {
                self.budgets.begin();
                Vec::new()
            }
            Step::Item(raw) => {
                self.budgets.seen(&uid(&raw.metadata));
                self.services.budget(raw, &mut self.names)
            }
            Step::Gone(raw) => {
                let key = uid(&raw.metadata);
                self.budgets.gone(&key);
                self.services.no_budget(&key)
            }
            Step::End(_) => {
                let mut deltas: Vec<Delta> = self.budgets.end().iter().flat_map(|key| self.services.no_budget(key)).collect();
                deltas.extend(self.services.unknown(BUDGETS, None));
                deltas
            }
            Step::Failed(why) => self.services.unknown(BUDGETS, Some(not_known(BUDGETS, &why))),
            Step::Absent => self.services.unknown(BUDGETS, None),
        };
        self.send(deltas).await;
    }

    pub(super) async fn autoscaler(&mut self, step: Step<Autoscaler>) {
        let deltas = match step {
            Step::Begin => {
                self.autoscalers.begin();
                Vec::new()
            }
            Step::Item(raw) => {
                self.autoscalers.seen(&uid(&raw.metadata));
                self.services.autoscaler(&raw, &mut self.names)
            }
            Step::Gone(raw) => {
                let key = uid(&raw.metadata);
                self.autoscalers.gone(&key);
                self.services.no_autoscaler(&key)
            }
            Step::End(_) => {
                let gone = self.autoscalers.end();
                let mut deltas: Vec<Delta> = gone.iter().flat_map(|key| self.services.no_autoscaler(key)).collect();
                deltas.extend(self.services.unknown(AUTOSCALERS, None));
                deltas
            }
            Step::Failed(why) => self.services.unknown(AUTOSCALERS, Some(not_known(AUTOSCALERS, &why))),
            Step::Absent => self.services.unknown(AUTOSCALERS, None),
        };
        self.send(deltas).await;
    }

    async fn send(&self, deltas: Vec<Delta>) {
        for delta in deltas {
            self.sink.send(delta).await;
        }
    }
}

/// Words for what adds to services, is no row of its own, and cannot be read.
fn not_known(what: &str, why: &str) -> Text {
    Text::from(format!("{what} are not known: {why}"))
}

fn image(template: &Template) -> &str {
    template.spec.containers.first().map_or("", |c| image_name(&c.image))
}
