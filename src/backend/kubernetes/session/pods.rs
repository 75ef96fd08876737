//! Pods: their rows, what is remembered of them, and how far they are right.

use super::super::convert;
use super::super::index::{Place, PodEntry};
use super::super::raw::RawPod;
use super::services::Feed;
use super::{Session, Step, absent};
use crate::model::{Change, Delta, Key, Task, Text};

impl Session<'_> {
    pub(super) async fn pod(&mut self, step: Step<RawPod>) {
        if matches!(step, Step::End(_) | Step::Failed(_) | Step::Absent) {
            self.rows.cancel();
        }
        let change = match step {
            Step::Begin => {
                self.pods.begin();
                self.handovers.clear();
                Change::Begin
            }
            Step::Item(raw) => {
                let row = self.task(&raw);
                self.pods.seen(&row.key);
                let place = Place { namespace: row.namespace.clone(), name: row.name.clone() };
                let entry = PodEntry { place, service: row.service.clone(), leaves: leaves(&row) };
                self.index.lock().pods.insert(row.key.clone(), entry);
                Change::Upsert(row)
            }
            Step::Gone(raw) => {
                let key = Key::new(&raw.metadata.uid);
                self.pods.gone(&key);
                self.forget_pod(&key);
                Change::Remove(key)
            }
            Step::End(only) => {
                // said for each: a row may have been sent once more since this list began, when its ReplicaSet became known
                for key in self.pods.end() {
                    self.forget_pod(&key);
                    self.sink.send(Delta::Task(Change::Remove(key))).await;
                }
                // the index outlives a session: what was in it before this one's first list may be gone
                self.index.lock().pods.retain(|key, _| self.pods.holds(key));
                self.pods_whole = Some(only);
                self.pods_stand().await;
                return;
            }
            Step::Failed(why) => Change::Failed(why),
            Step::Absent => Change::Failed(absent::<RawPod>()),
        };
        if matches!(change, Change::Begin | Change::Failed(_)) {
            self.pods_whole = None;
        }
        self.sink.send(Delta::Task(change)).await;
    }

    /// Says how far the rows of pods are right, once they are listed: while their ReplicaSets are not known, they may not say
    /// what they belong to.
    pub(super) async fn pods_stand(&self) {
        let (Some(only), Some(sets)) = (&self.pods_whole, self.services.unread(Feed::ReplicaSets)) else { return };
        let mut words: Vec<String> = only.iter().map(Text::to_string).collect();
        let sets = sets.filter(|sets| only.as_ref() != Some(*sets)).map(Text::as_str);
        let handed = (!self.handovers.is_empty()).then_some("pods of a replicaset that changed its owner could not be read");
        words.extend(sets.or(handed).map(|why| format!("services of tasks are not known: {why}")));
        let change = if words.is_empty() { Change::End } else { Change::Narrowed(words.join("; ").into()) };
        self.sink.send(Delta::Task(change)).await;
    }

    /// The row of a pod, with its service as far as it is known; remembered if it is not.
    fn task(&mut self, raw: &RawPod) -> Task {
        let down = self.down.contains(raw.spec.node_name.as_str());
        let owner = raw.metadata.controller();
        let service = owner.and_then(|owner| self.owners.service_of(&owner.kind, &owner.uid, &mut self.names));
        let row = convert::pod(raw, service, down, &mut self.names);
        if down {
            self.silent.keep(convert::pod(raw, row.service.clone(), false, &mut self.names));
        } else {
            self.silent.forget(&row.key);
        }
        if let Some(owner) = owner.filter(|o| o.kind == "ReplicaSet") {
            if row.service.is_none() {
                self.orphans.entry(Key::new(&owner.uid)).or_default().insert(row.key.clone(), row.clone());
            } else if !self.orphans.is_empty() {
                self.forget_orphan(&row.key);
            }
        }
        row
    }

    fn forget_pod(&mut self, key: &Key) {
        self.index.lock().pods.remove(key);
        self.silent.forget(key);
        self.forget_orphan(key);
    }

    fn forget_orphan(&mut self, key: &Key) {
        self.orphans.retain(|_, pods| {
            pods.remove(key);
            !pods.is_empty()
        });
    }
}

/// The node that an evacuation would move a task from: see the plan of the action.
fn leaves(task: &Task) -> Option<Key> {
    let moves = task.wanted && !task.state.ended() && !matches!(task.controller.as_deref(), None | Some("DaemonSet" | "Node"));
    task.node.clone().filter(|_| moves)
}
