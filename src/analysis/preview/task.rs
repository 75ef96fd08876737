//! What an action on one task would do.

use super::{Draft, service, subject};
use crate::analysis::keeper::{Keeper, keeper};
use crate::analysis::reasons::count;
use crate::model::{Action, ActionKind, ClusterKind, ClusterState, Danger, Service, Task, Text};

pub(super) fn consequences(state: &ClusterState, task: &Task, action: &Action, draft: &mut Draft) {
    let owner = task.service.as_ref().and_then(|key| state.services.get(key));
    match action {
        Action::Reschedule => reschedule(state, task, draft),
        Action::DeleteTask { grace } => delete(state, task, *grace, draft),
        Action::ForceDelete { grace } => delete_by_force(task, *grace, draft),
        Action::Restart => restart(task, owner.map(|s| &**s), draft),
        Action::Kill => kill(owner.map(|s| &**s), draft),
        Action::Start => draft.fact("starts the container with the definition it was made with"),
        Action::Stop => draft.fact("asks its process to end and kills it after its grace period; it stays stopped until started"),
        _ => {}
    }
}

/// Why a task of this kind, or as it is now, has no such action.
pub(super) fn refused(state: &ClusterState, task: &Task, action: ActionKind) -> Option<Text> {
    let why = match action {
        ActionKind::Reschedule if task.state.ended() => "it has ended: there is nothing to move".to_owned(),
        ActionKind::Reschedule => match keeper(state, task) {
            Keeper::Nobody if task.service.is_none() => "no service would make it again; delete it if that is meant".to_owned(),
            Keeper::EveryNode(_) => "its service runs one on each node: it would come back here".to_owned(),
            Keeper::Node => "it is a static pod: it belongs to its node".to_owned(),
            Keeper::Service(owner) => return service::paused(owner),
            _ => return None,
        },
        ActionKind::DeleteTask if state.cluster.engine.is_some() && state.cluster.engine != task.node => {
            let node = task.node.as_ref().map_or("it is on no node yet", |key| state.node_name(key));
            format!("a swarm cannot delete a task, only the engine it runs on can; connect to {node}, or move the task elsewhere")
        }
        ActionKind::DeleteTask if state.cluster.kind == ClusterKind::Docker && !task.state.ended() => {
            "it runs: stop it first, or delete it by force".to_owned()
        }
        ActionKind::ForceDelete if task.state.ended() => "it does not run: delete it without force".to_owned(),
        ActionKind::Restart if task.state.ended() => "it does not run: start it".to_owned(),
        ActionKind::Kill if task.state.ended() => "it does not run".to_owned(),
        ActionKind::Start if !task.state.ended() => "it runs already".to_owned(),
        ActionKind::Stop if task.state.ended() => "it does not run".to_owned(),
        _ => return None,
    };
    Some(Text::from(why))
}

fn reschedule(state: &ClusterState, task: &Task, draft: &mut Draft) {
    let keeper = keeper(state, task);
    let node = task.node.as_ref().map_or("no node yet", |key| state.node_name(key));
    if state.cluster.kind == ClusterKind::Swarm {
        let here = task
            .service
            .as_ref()
            .map_or(1, |key| state.tasks_of(key).filter(|t| t.wanted && !t.state.ended() && t.node == task.node).count());
        let here = u32::try_from(here).unwrap_or(u32::MAX);
        draft.fact(format!("forbids {node} to its service, waits until {} moved, then allows it again", count(here, "task")));
        if here > 1 {
            draft.warn(format!("Swarm cannot move a single task: all {here} tasks of the service on {node} move"));
        }
        if let Keeper::Service(owner) = keeper {
            service::waited_for(owner).into_iter().for_each(|words| draft.fact(words));
        }
        draft.fact("what a roll back would go to is overwritten: Swarm keeps one earlier definition");
    } else {
        let by = if let Keeper::Other(kind) = keeper { format!("controller ({kind})") } else { "service".to_owned() };
        draft.fact(format!("evicts it from {node}; its {by} makes a new one where the scheduler puts it"));
    }
    match keeper {
        Keeper::Service(owner) => {
            if state.cluster.kind == ClusterKind::Kubernetes {
                service::budget(owner, draft);
            }
            last_one(owner, draft);
        }
        Keeper::Nobody => lost(draft),
        Keeper::Other(_) | Keeper::EveryNode(_) | Keeper::Node => {}
    }
}

fn delete(state: &ClusterState, task: &Task, grace: Option<u32>, draft: &mut Draft) {
    if state.cluster.kind == ClusterKind::Docker {
        draft.fact("removes the container and what it wrote into itself; volumes stay");
        draft.warn("nothing makes a new one");
        return;
    }
    let owner = task.service.as_ref().and_then(|key| state.services.get(key));
    match (owner, keeper(state, task)) {
        (Some(owner), _) => {
            draft.fact(format!("ends it; {} makes a new one", subject(&owner.namespace, &owner.name)));
            if let Some(budget) = owner.budget.as_ref().filter(|budget| budget.allowed == 0) {
                draft.warn(format!("a delete does not ask budget {}, which allows no task to be taken away now", budget.name));
            }
            last_one(owner, draft);
        }
        (None, Keeper::Other(kind)) => draft.fact(format!("ends it; its controller ({kind}) makes a new one")),
        (None, Keeper::EveryNode(name)) => draft.fact(format!("ends it; {name} makes a new one")),
        (None, Keeper::Node) => draft.fact("it is a static pod: its node shows it again, and what runs goes on"),
        (None, _) => lost(draft),
    }
    match state.cluster.kind {
        ClusterKind::Kubernetes => {
            self::grace(task, grace, draft);
            if grace == Some(0) {
                draft.warn("the server forgets it without waiting for its node: where that does not answer it may go on, unseen");
            }
        }
        // its container is removed: who asks it to end first has ended it well, and some services make no new one then
        _ => self::grace(task, Some(0), draft),
    }
}

fn delete_by_force(task: &Task, grace: Option<u32>, draft: &mut Draft) {
    draft.fact("ends its process and removes the container and what it wrote into itself; volumes stay");
    self::grace(task, grace, draft);
    draft.warn("nothing makes a new one");
}

/// How long its process has.
fn grace(task: &Task, grace: Option<u32>, draft: &mut Draft) {
    match (grace, task.grace) {
        (Some(0), _) => draft.warn("it is killed at once and gets no time to finish: what it has not written yet is lost"),
        (Some(n), Some(own)) if n < own => {
            draft.warn(format!("it is asked to end and killed after {n} s; its own grace period is {own} s"));
        }
        (Some(n), _) => draft.fact(format!("it is asked to end and killed after {n} s")),
        (None, Some(0)) => draft.warn("it is killed at once: its own grace period is 0 s"),
        (None, Some(own)) => draft.fact(format!("it is asked to end and killed after its own grace period, {own} s")),
        (None, None) => draft.fact("it is asked to end and killed after its own grace period"),
    }
}

fn restart(task: &Task, owner: Option<&Service>, draft: &mut Draft) {
    draft.fact("asks its process to end, kills it after its grace period, and starts it again; the definition stays as it is");
    if task.ready
        && let Some(owner) = owner
    {
        last_one(owner, draft);
    }
}

fn kill(owner: Option<&Service>, draft: &mut Draft) {
    draft.fact("ends its process at once (SIGKILL); it stays stopped until started");
    draft.warn("its process gets no time to finish: what it has not written yet is lost");
    if let Some(owner) = owner.filter(|owner| owner.ready <= 1) {
        draft.warn(format!("it is the only ready task of {}: nothing serves any more", owner.name));
    }
}

fn last_one(owner: &Service, draft: &mut Draft) {
    if owner.ready <= 1 && !owner.kind.runs_to_completion() {
        draft.warn(format!("it is the only ready task of {}: nothing serves until the new one is ready", owner.name));
    }
}

fn lost(draft: &mut Draft) {
    draft.warn("it belongs to no service: nothing makes a new one");
    draft.at_least(Danger::Destructive);
}
