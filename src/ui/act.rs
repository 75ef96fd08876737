//! From a command to the preview of an action.

use super::cx::Cx;
use super::outcome::Outcome;
use super::overlay::confirm::{self, Confirm};
use crate::analysis::preview;
use crate::input::Command;
use crate::model::{
    Action, ActionKind, Availability, Cluster, Kind, NodeState, ObjectRef, Operation, Propagation, Text, Volumes, World,
};
use std::sync::Arc;

/// Most marked objects looked at for the hints of one frame.
const LOOKED_AT: usize = 50;

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
        Command::PromoteNode => ActionKind::Promote,
        Command::DemoteNode => ActionKind::Demote,
        Command::RemoveNode => ActionKind::RemoveNode,
        Command::LabelNode => ActionKind::Label,
        Command::TaintNode => ActionKind::Taint,
        Command::PruneEngine => ActionKind::Prune,
        Command::RotateToken => ActionKind::RotateToken,
        Command::SetImage => ActionKind::SetImage,
        Command::DeleteService => ActionKind::DeleteService,
        Command::RestartTask => ActionKind::Restart,
        Command::KillTask => ActionKind::Kill,
        Command::ForceDelete => ActionKind::ForceDelete,
        Command::HoldService => ActionKind::Hold,
        Command::ResumeService => ActionKind::Resume,
        Command::TriggerService => ActionKind::Trigger,
        Command::PauseNode => ActionKind::Pause,
        Command::ActivateNode => ActionKind::Activate,
        Command::EvacuateNode => ActionKind::Evacuate,
        Command::DrainNode => ActionKind::Drain,
        _ => return None,
    })
}

/// Opens the preview of an action on these objects, or says why it cannot be.
pub fn open_action(kind: ActionKind, objects: Vec<ObjectRef>, cx: &Cx<'_>) -> Outcome {
    let fitting: Vec<ObjectRef> = objects.into_iter().filter(|object| object.kind == kind.spec().on).collect();
    if let Some(why) = refusal(kind, &fitting, cx) {
        return Outcome::Say(why);
    }
    if fitting.len() > cx.max_bulk {
        let (label, many, word) = (kind.spec().label, fitting.len(), kind.spec().on.word());
        return Outcome::say(format!(
            "cannot {label} {many} {word}s at once: {} is the most (max_bulk in the configuration); mark fewer",
            cx.max_bulk
        ));
    }
    if kind == ActionKind::SetImage && fitting.len() > 1 {
        return Outcome::say("an image is set on one service at a time: take the marks away");
    }
    if kind == ActionKind::RotateToken && fitting.len() > 1 {
        return Outcome::say("a swarm has one token for workers and one for managers: take the marks away");
    }
    let Some(action) = begin(kind, &fitting, cx) else {
        return Outcome::say("cannot scale: it has no number of tasks (one runs on each node, or by the clock)");
    };
    match Confirm::new(action, &fitting, cx) {
        Ok(dialog) => Outcome::Preview(Box::new(dialog), fitting),
        Err(why) => Outcome::Say(why),
    }
}

/// Opens the preview of what takes an operation back, or says why nothing can.
pub fn open_undo(op: &Operation, cx: &Cx<'_>) -> Outcome {
    let object = &op.intent.object;
    let cannot = |why: &str| Outcome::Say(Text::from(format!("cannot undo {}: {why}", op.title)));
    if !op.state.ended() {
        return cannot(&format!("it is {}, and only what has ended can be taken back", op.state.word()));
    }
    let Some((action, bound)) = op.undo.as_ref().and_then(|undo| Some((&undo.action, undo.bound.as_ref()?))) else {
        return cannot("nothing would bring back what was before");
    };
    // who changed it since wanted it so, and would lose that
    if let Some(what) = confirm::change(cx.world, object, bound) {
        return cannot(&format!("it {what} since then; look at it and act on what it is now"));
    }
    let objects = std::slice::from_ref(object);
    if let Some(why) = refusal(action.kind(), objects, cx) {
        return Outcome::Say(why);
    }
    match Confirm::new(action.clone(), objects, cx) {
        Ok(dialog) => Outcome::Preview(Box::new(dialog), objects.to_vec()),
        Err(why) => Outcome::Say(why),
    }
}

/// Why an action cannot be asked for on these objects, in words; nothing if it can.
pub fn refusal(kind: ActionKind, objects: &[ObjectRef], cx: &Cx<'_>) -> Option<Text> {
    let (label, on) = (kind.spec().label, kind.spec().on.word());
    let why = match refused(kind, objects, cx)? {
        Refused::NoObject => format!("there is no {on} under the cursor"),
        Refused::ReadOnly => "this is read-only, as --read-only, the configuration or a snapshot makes it".to_owned(),
        Refused::ReadOnlyCluster(cluster) => format!("{} is marked read_only in the configuration", cluster.id),
        Refused::Unknown(cluster) => format!("{} ({}) has no such action", cluster.id, cluster.kind.word()),
    };
    Some(Text::from(format!("cannot {label}: {why}")))
}

/// Why an action cannot be asked for.
enum Refused<'a> {
    /// None of the objects is of its kind.
    NoObject,
    /// Nothing may be changed anywhere.
    ReadOnly,
    /// Nothing may be changed in this cluster.
    ReadOnlyCluster(&'a Cluster),
    /// The platform of this cluster knows no such action.
    Unknown(&'a Cluster),
}

/// The same without the words: frames ask for each key they may hint.
fn refused<'a>(kind: ActionKind, objects: &[ObjectRef], cx: &Cx<'a>) -> Option<Refused<'a>> {
    if !objects.iter().any(|object| object.kind == kind.spec().on) {
        return Some(Refused::NoObject);
    }
    if cx.read_only {
        return Some(Refused::ReadOnly);
    }
    let mut clusters = objects.iter().filter_map(|object| cx.world.cluster(&object.cluster)).map(|state| &state.cluster);
    clusters.find_map(|cluster| match cluster {
        _ if cluster.read_only => Some(Refused::ReadOnlyCluster(cluster)),
        _ if !cluster.capabilities.can(kind) => Some(Refused::Unknown(cluster)),
        _ => None,
    })
}

/// Whether a command can do something for one of these objects, so that its key may be hinted. Commands that are no
/// action always can.
pub fn fits(command: Command, objects: &[ObjectRef], cx: &Cx<'_>) -> bool {
    objects.iter().take(LOOKED_AT).any(|object| fits_one(command, object, cx)) || objects.is_empty() && kind_of(command).is_none()
}

fn fits_one(command: Command, object: &ObjectRef, cx: &Cx<'_>) -> bool {
    let Some(state) = cx.world.cluster(&object.cluster) else { return kind_of(command).is_none() };
    if command == Command::LogsPrevious {
        return state.tasks.get(&object.key).is_some_and(|task| task.restarts > 0 || task.last_end.is_some());
    }
    if command == Command::JoinSwarm {
        return state.cluster.capabilities.can(ActionKind::RotateToken);
    }
    let Some(kind) = kind_of(command) else { return true };
    if refused(kind, std::slice::from_ref(object), cx).is_some() || preview::refused(state, object, kind).is_some() {
        return false;
    }
    // asking again for what it is already is no error, but no advice either
    let node = state.nodes.get(&object.key).filter(|_| object.kind == Kind::Node).map(|node| node.availability);
    match (kind, node) {
        (ActionKind::Pause, Some(now)) => now == Availability::Active,
        (ActionKind::Activate, Some(now)) => now != Availability::Active,
        (ActionKind::Drain, Some(now)) => now != Availability::Drained,
        _ => true,
    }
}

/// The action to begin with: a number begins with the present one of the first object that has one.
fn begin(kind: ActionKind, objects: &[ObjectRef], cx: &Cx<'_>) -> Option<Action> {
    Some(match kind {
        ActionKind::Scale => Action::Scale { to: objects.iter().find_map(|object| desired(cx.world, object))? },
        ActionKind::Redeploy => Action::Redeploy { pull: false },
        ActionKind::RollBack => Action::RollBack { to: None },
        ActionKind::Rebalance => Action::Rebalance,
        ActionKind::Reschedule => Action::Reschedule,
        ActionKind::DeleteTask => Action::DeleteTask { grace: None },
        ActionKind::Pause => Action::Pause,
        ActionKind::Activate => Action::Activate,
        ActionKind::Evacuate => Action::Evacuate,
        ActionKind::Drain => Action::Drain,
        ActionKind::Start => Action::Start,
        ActionKind::Stop => Action::Stop,
        ActionKind::DeleteService => Action::DeleteService { propagation: Propagation::default() },
        ActionKind::Promote => Action::Promote,
        ActionKind::Demote => Action::Demote,
        ActionKind::RemoveNode => {
            let down = |object: &ObjectRef| {
                let node = cx.world.cluster(&object.cluster).and_then(|state| state.nodes.get(&object.key));
                node.is_some_and(|node| node.state == NodeState::Down)
            };
            Action::RemoveNode { force: !objects.iter().all(down) }
        }
        ActionKind::SetImage => {
            let object = objects.first()?;
            let service = cx.world.cluster(&object.cluster)?.services.get(&object.key)?;
            Action::SetImage { container: service.container.clone(), image: service.image.clone() }
        }
        ActionKind::Label => Action::Label { edits: Box::default() },
        ActionKind::Taint => Action::Taint { edits: Box::default() },
        ActionKind::Prune => Action::Prune { volumes: Volumes::default(), seen: Arc::default() },
        ActionKind::RotateToken => Action::RotateToken { managers: false, version: None },
        ActionKind::Restart => Action::Restart,
        ActionKind::Kill => Action::Kill,
        ActionKind::ForceDelete => Action::ForceDelete { grace: None },
        ActionKind::Hold => Action::Hold,
        ActionKind::Resume => Action::Resume,
        ActionKind::Trigger => Action::Trigger,
    })
}

/// The number of tasks a service is meant to have, where a number can be set.
pub fn desired(world: &World, object: &ObjectRef) -> Option<u32> {
    let service = world.cluster(&object.cluster)?.services.get(&object.key)?;
    service.desired.filter(|_| !service.kind.one_per_node())
}
