//! What each platform can be asked, for the backends and for the simulated fleet, which behaves as they do.

use crate::model::ActionKind::{
    Activate, DeleteService, DeleteTask, Demote, Drain, Evacuate, ForceDelete, Hold, Kill, Label, Pause, Promote, Prune, Rebalance,
    Redeploy, RemoveNode, Reschedule, Restart, Resume, RollBack, RotateToken, Scale, SetImage, Start, Stop, Taint, Trigger,
};
use crate::model::{ActionKind, Capabilities, ClusterKind};

/// What can be asked of a cluster of this kind; whether this user may is the server's to say.
pub(super) const fn capabilities(kind: ClusterKind) -> Capabilities {
    match kind {
        ClusterKind::Kubernetes => Capabilities::of(KUBERNETES),
        ClusterKind::Swarm => Capabilities::of(SWARM),
        ClusterKind::Docker => Capabilities::of(&[Redeploy, DeleteTask, ForceDelete, Start, Stop, Restart, Kill, Prune]),
    }
}

const KUBERNETES: &[ActionKind] = &[
    Scale,
    Redeploy,
    RollBack,
    Rebalance,
    Reschedule,
    DeleteTask,
    Pause,
    Activate,
    Evacuate,
    Drain,
    Hold,
    Resume,
    Trigger,
    DeleteService,
    SetImage,
    Label,
    Taint,
];

const SWARM: &[ActionKind] = &[
    Scale,
    Redeploy,
    RollBack,
    Rebalance,
    Reschedule,
    DeleteTask,
    DeleteService,
    SetImage,
    Promote,
    Demote,
    RemoveNode,
    Label,
    Pause,
    Activate,
    Evacuate,
    Drain,
    Prune,
    RotateToken,
];
