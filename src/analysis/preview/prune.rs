//! What pruning an engine would remove, as the engine said when it was asked.

use super::Draft;
use crate::model::{
    Action, ActionKind, Answer, ClusterKind, ClusterState, Danger, Found, Leftover, LeftoverKind, Node, Text, Volumes,
};
use crate::util::humanize;

/// Names said of each kind before the rest is only counted.
const NAMED: usize = 5;

/// Why this node cannot be pruned: each engine answers for itself only.
pub(super) fn refused(state: &ClusterState, node: &Node) -> Option<Text> {
    if state.cluster.kind != ClusterKind::Swarm || state.cluster.engine.as_ref() == Some(&node.key) {
        return None;
    }
    Some(Text::from(match &state.cluster.engine {
        Some(engine) => format!("only {} answers here: connect to the engine of {} itself", state.node_name(engine), node.name),
        None => format!("which node answers here is not known: connect to the engine of {} itself", node.name),
    }))
}

pub(super) fn consequences(state: &ClusterState, node: &Node, volumes: Volumes, draft: &mut Draft) {
    let seen = match state.survey(&node.key, ActionKind::Prune) {
        Answer::Found(Found::Leftovers(seen)) => seen,
        Answer::Failed(why) => {
            draft.warn(why.clone());
            draft.held = Some(Text::new("it did not say what it has: close this and try again"));
            return;
        }
        _ => {
            draft.fact("asking the engine what it has that nothing uses; it measures its disk, which takes a while on a full one");
            draft.held = Some(Text::new("wait for its answer"));
            return;
        }
    };
    draft.action = Action::Prune { volumes, seen: seen.clone() };
    let of = |kind: LeftoverKind| seen.iter().filter(move |one| one.kind == kind);
    let (mut going, mut back) = (0, 0);
    for kind in LeftoverKind::ALL {
        let all: Vec<&Leftover> = of(kind).collect();
        if all.is_empty() {
            continue;
        }
        let (words, size) = said(kind, &all);
        if !volumes.take(kind) {
            draft.fact(format!("kept: {words}"));
            continue;
        }
        going += all.len();
        back += size;
        match kind {
            LeftoverKind::Volume | LeftoverKind::NamedVolume => {
                draft.warn(format!("removes {words}; what is in them is lost for good"));
                draft.at_least(Danger::Destructive);
            }
            LeftoverKind::Container => {
                draft.fact(format!("removes {words}"));
                draft.warn("their logs and what they wrote go with them, and none of them can be started again");
            }
            _ => draft.fact(format!("removes {words}")),
        }
    }
    if going == 0 {
        draft.fact("nothing is unused but what is kept");
        draft.held = Some(Text::new("there is nothing to remove"));
        return;
    }
    if back > 0 {
        draft.fact(format!("{} or more come back", bytes(back)));
    }
    draft.fact("only what was found goes, one after the other; what stops or is used from now on stays");
}

/// `3 stopped containers: a, b and c · 1.2 MiB`, and how many bytes they are.
fn said(kind: LeftoverKind, all: &[&Leftover]) -> (String, u64) {
    let size = all.iter().map(|one| one.size).sum();
    let (one, many) = kind.words();
    let mut words = format!("{} {}", all.len(), if all.len() == 1 { one } else { many });
    // images without a name and records of a cache have ids only, which say nothing
    if !matches!(kind, LeftoverKind::Image | LeftoverKind::Cache) {
        let mut names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        names.sort_unstable();
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        words = format!("{words}: {}", names.join(", "));
        if more > 0 {
            words = format!("{words} and {more} more");
        }
    }
    if kind != LeftoverKind::Network {
        words = format!("{words} · {}", bytes(size));
    }
    (words, size)
}

fn bytes(size: u64) -> String {
    let mut words = String::new();
    humanize::bytes(&mut words, size);
    words
}
