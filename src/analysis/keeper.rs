//! Who makes a task again when it goes, and so what becomes of it when its node is emptied. The preview of an evacuation, its
//! steps, the word that it is done and what the Kubernetes backend evicts all go by this.

use crate::model::{ClusterState, Service, Task, Text};

/// Who makes a task again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keeper<'a> {
    /// Its service, on whatever node takes it.
    Service(&'a Service),
    /// A controller that is no service here, by its kind (`Cluster`); on whatever node takes it.
    Other(&'a Text),
    /// One that runs a task on every node, by its name: it would not make this one anywhere else.
    EveryNode(&'a str),
    /// Its node by itself: a static pod.
    Node,
    /// Nobody.
    Nobody,
}

impl Keeper<'_> {
    /// Whether the task leaves a node that is emptied, and comes back on another.
    pub fn moves(&self) -> bool {
        matches!(self, Self::Service(_) | Self::Other(_))
    }
}

/// Who makes `task` again.
pub fn keeper<'a>(state: &'a ClusterState, task: &'a Task) -> Keeper<'a> {
    if let Some(service) = task.service.as_ref().and_then(|key| state.services.get(key)) {
        return if service.kind.one_per_node() { Keeper::EveryNode(&service.name) } else { Keeper::Service(service) };
    }
    match &task.controller {
        None => Keeper::Nobody,
        Some(kind) => match kind.as_str() {
            "Node" => Keeper::Node,
            "DaemonSet" => Keeper::EveryNode("a DaemonSet"),
            _ => Keeper::Other(kind),
        },
    }
}
