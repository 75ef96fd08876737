//! The rows that are shown, as texts of the same make as those of the truth.

use super::rows::Table;
use quarterdeck::model::{Availability, ClusterKind, ClusterState, Keyed, Kind, Service, Table as Rowed, Task, TaskState};
use std::sync::Arc;

/// The texts of a service of Kubernetes, which come from several kinds of objects.
pub fn service_row(
    key: &str,
    image: &str,
    before: Option<&str>,
    allowed: Option<u64>,
    scaler: Option<&str>,
) -> [(String, String); 4] {
    [
        (key.to_owned(), image.to_owned()),
        (format!("{key} before"), format!("{before:?}")),
        (format!("{key} allowed"), format!("{allowed:?}")),
        (format!("{key} scaler"), format!("{scaler:?}")),
    ]
}

/// The text of how a task of Kubernetes is doing, which changes while it is the same task.
pub fn state_row(key: &str, state: TaskState, ready: bool) -> (String, String) {
    (format!("{key} state"), format!("{} ready={ready}", state.word()))
}

fn service_texts(platform: ClusterKind, service: &Service) -> Vec<(String, String)> {
    match platform {
        ClusterKind::Kubernetes => {
            let allowed = service.budget.as_ref().map(|budget| u64::from(budget.allowed));
            let scaler = service.autoscaler.as_ref().map(ToString::to_string);
            service_row(&service.key, &service.image, service.previous.as_deref(), allowed, scaler.as_deref()).into()
        }
        ClusterKind::Swarm => {
            vec![(service.key.to_string(), format!("{} wants {}", service.image, service.desired.unwrap_or_default()))]
        }
        ClusterKind::Docker => vec![(service.key.to_string(), service.image.to_string())],
    }
}

fn task_texts(platform: ClusterKind, task: &Task) -> Vec<(String, String)> {
    let (key, image) = (task.key.to_string(), &task.image);
    let node = task.node.as_deref().unwrap_or_default();
    match platform {
        ClusterKind::Kubernetes => {
            let of = task.service.as_deref().unwrap_or_default().to_owned();
            vec![state_row(&key, task.state, task.ready), (format!("{key} of"), of), (key, format!("{image} on={node}"))]
        }
        // of what has ended a part is shown only
        ClusterKind::Swarm if task.state.ended() => Vec::new(),
        ClusterKind::Swarm => vec![(key, format!("{image} {} on={node}", task.state.word()))],
        ClusterKind::Docker => {
            let runs = matches!(task.state, TaskState::Running | TaskState::Starting);
            vec![(key, format!("{image} runs={runs}"))]
        }
    }
}

/// The rows as they are shown, kept up to date from picture to picture.
#[derive(Default)]
pub struct Shown {
    tables: [Table; 4],
    last: Option<Arc<ClusterState>>,
}

impl Shown {
    pub fn of(&self, kind: Kind) -> &Table {
        &self.tables[kind.index()]
    }

    pub fn follow(&mut self, state: &Arc<ClusterState>) {
        let last = self.last.replace(Arc::clone(state)).filter(|last| last.cluster.kind == state.cluster.kind);
        let last = last.unwrap_or_else(|| {
            // of another platform other texts are made
            self.tables = Default::default();
            Arc::new(ClusterState::new(state.cluster.clone()))
        });
        let platform = state.cluster.kind;
        let [nodes, services, tasks, events] = &mut self.tables;
        changed(nodes, &last.nodes, &state.nodes, |node| {
            let paused = node.availability == Availability::Paused;
            vec![(node.key.to_string(), format!("{} {} paused={paused}", node.uid, node.version))]
        });
        changed(services, &last.services, &state.services, |service| service_texts(platform, service));
        changed(tasks, &last.tasks, &state.tasks, |task| task_texts(platform, task));
        changed(events, &last.events, &state.events, |event| vec![(event.key.to_string(), event.message.to_string())]);
    }
}

fn changed<T: Keyed>(table: &mut Table, last: &Rowed<T>, now: &Rowed<T>, texts: impl Fn(&T) -> Vec<(String, String)>) {
    now.changes_since(last, |old, new| {
        for (key, _) in old.map(|row| texts(row)).into_iter().flatten() {
            table.remove(&key);
        }
        table.extend(new.map(|row| texts(row)).into_iter().flatten());
    });
}
