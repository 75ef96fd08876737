//! What deleting a service would do.

use crate::analysis::preview::Draft;
use crate::analysis::reasons::count;
use crate::model::{ClusterKind, ClusterState, Propagation, Service, ServiceKind};

pub(super) fn delete(state: &ClusterState, service: &Service, propagation: Propagation, draft: &mut Draft) {
    let kubernetes = state.cluster.kind == ClusterKind::Kubernetes;
    let live = state.tasks_of(&service.key).filter(|task| !task.state.ended()).count();
    let tasks = match service.kind {
        ServiceKind::CronJob => count(service.current, "running job"),
        _ => count(u32::try_from(live).unwrap_or(u32::MAX), "task"),
    };
    draft.fact(match propagation {
        Propagation::Background => format!("deletes it; then its {tasks} end, each within its own grace period"),
        Propagation::Foreground => format!("ends its {tasks} first, each within its own grace period, and then deletes it"),
        Propagation::Orphan => format!("deletes it; its {tasks} go on"),
    });
    if propagation == Propagation::Orphan {
        draft.warn("what goes on belongs to nothing: nobody replaces a task that is lost, or takes it away");
    } else if service.ready > 0 && !service.kind.runs_to_completion() {
        draft.warn("nothing serves any more");
    }
    draft.fact(match service.kind {
        ServiceKind::StatefulSet => "claims of its volumes stay, unless its own policy says otherwise",
        _ if kubernetes => "volumes, configuration and addresses stay",
        _ => "networks, volumes, configs and secrets stay",
    });
    if service.previous.is_some() && propagation != Propagation::Orphan {
        draft.warn("its earlier definitions go with it: there is nothing to roll back to");
    }
    if let Some(scaler) = &service.autoscaler {
        draft.fact(format!("its autoscaler stays and has nothing to scale: {scaler}"));
    }
    if let Some(stack) = &service.stack {
        draft.warn(format!("it belongs to {stack}: whatever deploys that makes it again"));
    }
}
