//! What an action would do, said before it is done: what changes, where, on how many, and what could go wrong.

mod graceful;
mod manage;
mod marks;
mod node;
mod prune;
mod service;
mod task;

use crate::model::{
    Action, ActionKind, Bound, ClusterKind, ClusterState, Danger, Kind, KindSync, LabelEdit, Link, Node, ObjectRef, TaintEdit,
    Text, World,
};

/// A line of a preview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewLine {
    /// In words.
    pub text: Text,
    /// Whether it is something that could go wrong.
    pub warning: bool,
}

/// What the dialog shows, and what the confirmed intent is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The action in words: `scale shop/web 2→5`; the operation's title.
    pub title: Text,
    /// The object's name, for [`crate::model::Intent::name`] and for typing it.
    pub name: Text,
    /// What happens, then what could go wrong.
    pub lines: Vec<PreviewLine>,
    /// How much confirmation it needs here.
    pub danger: Danger,
    /// The object as it is seen now.
    pub bound: Bound,
    /// The action, with what the platform said of it beforehand.
    pub action: Action,
    /// Why it cannot be done as it stands, though it could be in a moment or otherwise.
    pub held: Option<Text>,
}

/// The lines of a preview as they are put together, and the danger as it rises.
struct Draft {
    lines: Vec<PreviewLine>,
    danger: Danger,
    action: Action,
    held: Option<Text>,
}

impl Draft {
    /// What happens.
    fn fact(&mut self, words: impl Into<Text>) {
        self.lines.push(PreviewLine { text: words.into(), warning: false });
    }

    /// What could go wrong.
    fn warn(&mut self, words: impl Into<Text>) {
        self.lines.push(PreviewLine { text: words.into(), warning: true });
    }

    /// It needs at least this much confirmation.
    fn at_least(&mut self, danger: Danger) {
        self.danger = self.danger.max(danger);
    }
}

/// What `action` on `object` would do.
///
/// # Errors
///
/// Why it cannot be done, in words: the object is gone, the cluster is read-only, away, or not capable of it.
pub fn preview(world: &World, object: &ObjectRef, action: &Action) -> Result<Preview, Text> {
    let state = world.cluster(&object.cluster).ok_or_else(|| Text::from(format!("there is no cluster {}", object.cluster)))?;
    admitted(state, object, action)?;
    if let Some(why) = refused(state, object, action.kind()) {
        return Err(why);
    }
    let spec = action.kind().spec();
    let mut draft = Draft { lines: Vec::new(), danger: spec.danger, action: action.clone(), held: None };
    let known = counted(state, action.kind(), &mut draft);
    let (name, bound, subject) = match object.kind {
        Kind::Service => {
            let s = state.services.get(&object.key).ok_or_else(gone)?;
            known.then(|| service::consequences(state, s, action, &mut draft)).transpose()?;
            (s.name.clone(), Bound { uid: s.key.clone(), spec_rev: s.spec_rev }, subject(&s.namespace, &s.name))
        }
        Kind::Task => {
            let t = state.tasks.get(&object.key).ok_or_else(gone)?;
            known.then(|| task::consequences(state, t, action, &mut draft));
            (t.name.clone(), Bound { uid: t.key.clone(), spec_rev: 0 }, t.name.to_string())
        }
        Kind::Node => {
            let n = state.nodes.get(&object.key).ok_or_else(gone)?;
            known.then(|| node::consequences(state, n, action, &mut draft)).transpose()?;
            (n.name.clone(), Bound { uid: n.uid.clone(), spec_rev: n.spec_rev }, format!("node {}", n.name))
        }
        Kind::Event => return Err(Text::new("nothing can be done to an event")),
    };
    let change = match (action, state.services.get(&object.key)) {
        (Action::Scale { to }, Some(s)) => format!(" {}→{to}", s.desired.unwrap_or(0)),
        (Action::DeleteTask { grace: Some(n) } | Action::ForceDelete { grace: Some(n) }, _) => format!(" within {n} s"),
        (Action::Redeploy { pull: true }, Some(_)) => " with its image pulled".to_owned(),
        (Action::SetImage { image, .. }, Some(_)) => format!(" {image}"),
        (Action::RollBack { to: Some(to) }, Some(_)) if state.cluster.kind != ClusterKind::Swarm => format!(" to revision {to}"),
        (Action::Label { edits }, None) => format!(" {}", edits.iter().map(LabelEdit::words).collect::<Vec<_>>().join(" ")),
        (Action::Taint { edits }, None) => format!(" {}", edits.iter().map(TaintEdit::words).collect::<Vec<_>>().join(" ")),
        _ => String::new(),
    };
    // the token is the swarm's, whichever node was looked at
    let subject = match action {
        Action::RotateToken { managers, .. } => if *managers { "of managers" } else { "of workers" }.to_owned(),
        _ => subject,
    };
    let danger = if state.cluster.protected { draft.danger.raised() } else { draft.danger };
    let title = Text::from(format!("{} {subject}{}", spec.label, change.trim_end()));
    Ok(Preview { title, name, lines: draft.lines, danger, bound, action: draft.action, held: draft.held })
}

/// Why an action that could be done to each of these objects cannot be done to all of them together; nothing if it can.
pub fn together(world: &World, objects: &[ObjectRef], action: &Action) -> Option<Text> {
    if !matches!(action, Action::Demote | Action::Evacuate) {
        return None;
    }
    world.clusters.iter().find_map(|state| {
        let of = objects.iter().filter(|object| object.cluster == state.cluster.id);
        let nodes: Vec<&Node> = of.filter_map(|object| state.nodes.get(&object.key).map(|node| &**node)).collect();
        match (action, nodes.len()) {
            (_, 0) | (Action::Evacuate, 1) => None,
            (Action::Evacuate, _) => node::unplaced(state, &nodes),
            _ => manage::demoted(state, &nodes),
        }
    })
}

/// Whether all that is counted for this action has been read: right after the start, none seen is nothing to go by.
fn counted(state: &ClusterState, kind: ActionKind, draft: &mut Draft) -> bool {
    use ActionKind::{Drain, Evacuate, Pause, Rebalance, RemoveNode, Reschedule};
    if !matches!(kind, Pause | Evacuate | Drain | RemoveNode | Rebalance | Reschedule) {
        return true;
    }
    for kind in [Kind::Service, Kind::Task] {
        let kinds = format!("{}s", kind.word());
        match state.sync_of(kind) {
            KindSync::Live => {}
            KindSync::Narrowed(words) => draft.warn(format!("not all {kinds} are counted here: {words}")),
            KindSync::Waiting | KindSync::Loading(_) => {
                draft.held = Some(Text::from(format!("wait until the {kinds} have been read")))
            }
            KindSync::Failed { reason, .. } => {
                draft.warn(format!("the {kinds} cannot be read, so what moves is not known: {reason}"));
            }
        }
    }
    draft.held.is_none()
}

/// Why this sort of object can never be asked for this, by what it is now and by what the platform said when it was asked
/// whether we may; nothing if it can. What the backends would
/// refuse for the same reason is refused here, before it is confirmed, and its key is not hinted.
pub fn refused(state: &ClusterState, object: &ObjectRef, kind: ActionKind) -> Option<Text> {
    if let Some(why) = state.denied(object.kind, &object.key, kind) {
        return Some(why.clone());
    }
    match object.kind {
        Kind::Service => state.services.get(&object.key).and_then(|s| service::refused(state, s, kind)),
        Kind::Task => state.tasks.get(&object.key).and_then(|t| task::refused(state, t, kind)),
        Kind::Node => state.nodes.get(&object.key).and_then(|n| manage::refused(state, n, kind)),
        Kind::Event => None,
    }
}

/// `shop/web`; in Swarm the stack's name is in the service's already.
pub(super) fn subject(namespace: &str, name: &str) -> String {
    if namespace.is_empty() || name.starts_with(&format!("{namespace}_")) { name.to_owned() } else { format!("{namespace}/{name}") }
}

fn gone() -> Text {
    Text::new("it is gone: someone removed it")
}

fn admitted(state: &ClusterState, object: &ObjectRef, action: &Action) -> Result<(), Text> {
    let (cluster, kind) = (&state.cluster, action.kind());
    let spec = kind.spec();
    if spec.on != object.kind {
        return Err(Text::from(format!("{} works on a {}, not on a {}", spec.label, spec.on.word(), object.kind.word())));
    }
    if cluster.read_only {
        return Err(Text::from(format!("{} is read-only here", cluster.id)));
    }
    if !cluster.capabilities.can(kind) {
        return Err(Text::from(format!("{} {} cannot {}", cluster.kind.word(), cluster.id, spec.label)));
    }
    match &cluster.link {
        Link::Live => Ok(()),
        link => Err(Text::from(format!("{} is {}: what is seen may be old, so nothing is sent", cluster.id, link.word()))),
    }
}

#[cfg(test)]
#[path = "preview/engine_tests.rs"]
mod engine_tests;
#[cfg(test)]
#[path = "preview/redeploy_tests.rs"]
mod redeploy_tests;
#[cfg(test)]
#[path = "preview/swarm_tests.rs"]
mod swarm_tests;
#[cfg(test)]
#[path = "preview/tests.rs"]
mod tests;
