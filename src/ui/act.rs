//! From a command to the preview of an action.

use super::cx::Cx;
use super::outcome::Outcome;
use crate::input::Command;
use crate::model::{ActionKind, ObjectRef};

/// The action a command asks for.
pub fn kind_of(command: Command) -> Option<ActionKind> {
    Some(match command {
        Command::Scale => ActionKind::Scale,
        Command::Redeploy => ActionKind::Redeploy,
        Command::RollBack => ActionKind::RollBack,
        Command::Rebalance => ActionKind::Rebalance,
        Command::Reschedule => ActionKind::Reschedule,
        Command::DeleteTask => ActionKind::DeleteTask,
        Command::StartTask => ActionKind::Start,
        Command::StopTask => ActionKind::Stop,
        Command::PauseNode => ActionKind::Pause,
        Command::ActivateNode => ActionKind::Activate,
        Command::EvacuateNode => ActionKind::Evacuate,
        Command::DrainNode => ActionKind::Drain,
        _ => return None,
    })
}

/// Opens the preview of an action on these objects, or says why it cannot be.
pub fn open_action(kind: ActionKind, objects: Vec<ObjectRef>, cx: &Cx<'_>) -> Outcome {
    let label = kind.spec().label;
    let fitting: Vec<ObjectRef> = objects.into_iter().filter(|object| object.kind == kind.spec().on).collect();
    let Some(first) = fitting.first() else {
        return Outcome::say(format!("cannot {label}: there is no {} under the cursor", kind.spec().on.word()));
    };
    if cx.read_only {
        return Outcome::say(format!("cannot {label}: Quarterdeck was started with --read-only"));
    }
    for object in &fitting {
        let Some(state) = cx.world.cluster(&object.cluster) else { continue };
        let cluster = &state.cluster;
        if cluster.read_only {
            return Outcome::say(format!("cannot {label}: {} is marked read_only in the configuration", cluster.id));
        }
        if !cluster.capabilities.can(kind) {
            return Outcome::say(format!("cannot {label}: {} ({}) has no such action", cluster.id, cluster.kind.word()));
        }
    }
    Outcome::say(format!("cannot {label} {} yet: this build has no confirmation dialog", cx.name_of(first)))
}
