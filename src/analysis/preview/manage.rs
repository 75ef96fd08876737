//! What promoting, demoting and removing a node of a swarm would do: a swarm acts only while more than half of its managers
//! reach each other.

use super::{Draft, prune};
use crate::analysis::quorum::{lost, quorum};
use crate::analysis::reasons::count;
use crate::model::{Action, ActionKind, Answer, ClusterState, Danger, Found, Node, NodeState, Text};

/// How many managers there are, and how many of them answer.
fn managers(state: &ClusterState) -> (u32, u32) {
    let all = state.nodes.iter().filter(|node| node.is_manager());
    all.fold((0, 0), |(all, up), node| (all + 1, up + u32::from(answers(node))))
}

/// Whether a manager answers the others.
fn answers(node: &Node) -> bool {
    node.state == NodeState::Ready && node.pressure.is_empty()
}

/// Why these cannot all be demoted, if the managers that are left could act no more without them.
pub(super) fn demoted(state: &ClusterState, nodes: &[&Node]) -> Option<Text> {
    let (all, up) = managers(state);
    let going = nodes.iter().filter(|node| node.is_manager());
    let (all, up) = going.fold((all, up), |(all, up), node| (all - 1, up - u32::from(answers(node))));
    match (all, nodes.len()) {
        (0, 1) => Some(Text::new("it is the only manager: the swarm would end")),
        (0, _) => Some(Text::new("these are all its managers: the swarm would end")),
        _ => lost(all, up).map(Text::from),
    }
}

/// Why this node has no such action.
pub(super) fn refused(state: &ClusterState, node: &Node, action: ActionKind) -> Option<Text> {
    Some(match action {
        ActionKind::Promote if node.is_manager() => Text::new("it is a manager already"),
        ActionKind::Promote if node.state != NodeState::Ready => Text::from(format!("it is {}", node.state.word())),
        ActionKind::Demote if !node.is_manager() => Text::new("it is no manager"),
        ActionKind::Demote => return demoted(state, &[node]),
        ActionKind::Prune => return prune::refused(state, node),
        ActionKind::RemoveNode if node.is_manager() => Text::new("it is a manager: demote it first"),
        _ => return None,
    })
}

pub(super) fn promote(state: &ClusterState, draft: &mut Draft) {
    let (all, _) = managers(state);
    draft.fact(format!("makes it a manager: {} then", count(all + 1, "manager")));
    spare(all + 1, draft);
    draft.warn("a manager holds the keys and the state of the whole swarm");
}

pub(super) fn demote(state: &ClusterState, node: &Node, draft: &mut Draft) {
    let (all, _) = managers(state);
    draft.fact(format!("makes it a worker: {} left", count(all - 1, "manager")));
    spare(all - 1, draft);
    draft.fact("its tasks stay");
    if node.role.as_str() == "leader" {
        draft.warn("it leads the swarm: nothing is scheduled until the others have chosen another leader");
    }
}

/// How many managers may fail.
fn spare(managers: u32, draft: &mut Draft) {
    let spare = managers - quorum(managers);
    let words = match spare {
        0 => "none of them may fail".to_owned(),
        n => format!("{n} of them may fail"),
    };
    let even = if managers.is_multiple_of(2) { ", no more than with one fewer" } else { "" };
    let words = format!("{words}{even}");
    if spare == 0 { draft.warn(words) } else { draft.fact(words) }
}

pub(super) fn remove(node: &Node, force: bool, draft: &mut Draft) -> Result<(), Text> {
    match (node.state, force) {
        (NodeState::Down, _) => draft.fact("takes it out of the list; its engine must join anew to come back"),
        (state, false) => return Err(Text::from(format!("it is {}, not down", state.word()))),
        (state, true) => {
            draft.warn(format!("it is {}, not down: drain it first and let its engine leave the swarm", state.word()));
            draft.warn("the swarm forgets it at once");
            draft.at_least(Danger::Destructive);
        }
    }
    Ok(())
}

/// What a new token would do. The swarm itself, and not the node, is what must be as it was seen.
pub(super) fn rotate(state: &ClusterState, node: &Node, managers: bool, draft: &mut Draft) {
    let (who, joined) = if managers { ("manager", "managers") } else { ("worker", "workers") };
    draft.fact(format!("makes a new token for {joined}; the one there is ends at once"));
    draft.fact("nodes that have joined stay as they are");
    draft.warn(format!("whoever has the old {who} token can no longer join: machines that are being set up, scripts, templates"));
    match state.survey(&node.key, ActionKind::RotateToken) {
        Answer::Found(Found::Swarm(version)) => draft.action = Action::RotateToken { managers, version: Some(*version) },
        Answer::Failed(why) => {
            draft.warn(why.clone());
            draft.held = Some(Text::new("the swarm did not say how it stands: close this and try again"));
        }
        _ => draft.held = Some(Text::new("asking the swarm how it stands")),
    }
}
