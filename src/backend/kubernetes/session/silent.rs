//! Pods of nodes that do not answer. Their rows say so, and a pod need not change itself when its node answers again: how it
//! is shown then is kept from when it was read.

use super::Session;
use crate::model::{Change, Delta, Key, Task};
use std::collections::HashMap;

/// Rows of pods as they are once their node answers, by the pod.
#[derive(Default)]
pub(super) struct Silent(HashMap<Key, Task>);

impl Silent {
    /// A pod of a node that does not answer was read.
    pub fn keep(&mut self, row: Task) {
        self.0.insert(row.key.clone(), row);
    }

    /// A pod is gone, or was read while its node answers.
    pub fn forget(&mut self, pod: &Key) {
        self.0.remove(pod);
    }

    /// It became known what a pod belongs to.
    pub fn belongs(&mut self, pod: &Key, service: &Key) {
        if let Some(row) = self.0.get_mut(pod) {
            row.service = Some(service.clone());
        }
    }
}

impl Session<'_> {
    /// A node answers, or is gone.
    pub(super) async fn node_answers(&mut self, node: &Key) {
        if !self.down.remove(node) {
            return;
        }
        let rows: Vec<Task> = self.silent.0.extract_if(|_, row| row.node.as_ref() == Some(node)).map(|(_, row)| row).collect();
        for row in rows {
            for orphan in self.orphans.values_mut().filter_map(|pods| pods.get_mut(&row.key)) {
                orphan.clone_from(&row);
            }
            self.sink.send(Delta::Task(Change::Upsert(row))).await;
        }
    }
}
