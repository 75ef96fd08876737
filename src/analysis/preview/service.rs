//! What an action on a service would do.

mod delete;
mod held;
mod image;
mod rebalance;
mod redeploy;

use super::Draft;
use crate::analysis::reasons::count;
use crate::analysis::spread;
use crate::model::{
    Action, ActionKind, Answer, ClusterKind, ClusterState, Danger, Found, RolloutState, Service, ServiceKind, Text, UpdateStrategy,
};

/// Tasks named one by one; of more the first and the last are.
const NAMED: usize = 4;

pub(super) fn consequences(state: &ClusterState, service: &Service, action: &Action, draft: &mut Draft) -> Result<(), Text> {
    match action {
        Action::Scale { to } => scale(state, service, *to, draft)?,
        Action::Redeploy { pull } => redeploy::redeploy(state, service, *pull, draft),
        Action::RollBack { to } => roll_back(state, service, *to, draft)?,
        Action::Rebalance => rebalance::rebalance(state, service, draft)?,
        Action::DeleteService { propagation } => delete::delete(state, service, *propagation, draft),
        Action::SetImage { container, image } => image::set(state, service, container, image, draft)?,
        Action::Hold => held::hold(service, draft),
        Action::Resume => held::resume(service, draft),
        Action::Trigger => held::trigger(service, draft),
        _ => {}
    }
    again(service, action, draft);
    let renews = matches!(action, Action::Redeploy { .. } | Action::RollBack { .. } | Action::Rebalance | Action::SetImage { .. });
    if let (Action::Rebalance, Some(words)) = (action, waited_for(service)) {
        draft.fact(words);
    } else if service.rollout.state == RolloutState::Progressing && renews {
        draft.warn("a rollout of it is under way; this begins another one on top");
    }
    Ok(())
}

/// That any change of a swarm's job runs it once more, from the beginning.
fn again(service: &Service, action: &Action, draft: &mut Draft) {
    let tasks = match action {
        _ if service.kind != ServiceKind::SwarmJob => return,
        Action::Scale { to } => *to,
        Action::Redeploy { .. } | Action::RollBack { .. } => service.desired.unwrap_or(service.current),
        _ => return,
    };
    draft.warn(format!("any change of it runs the whole job again: {}", count(tasks, "task")));
    draft.at_least(Danger::Disruptive);
}

/// That a swarm's rollout is waited for before tasks are moved, where one is under way: any other change would end it.
pub(super) fn waited_for(service: &Service) -> Option<String> {
    let moves = matches!(service.rollout.state, RolloutState::Progressing | RolloutState::RollingBack);
    let words = || format!("a rollout of {} is under way: its end is waited for first", service.name);
    (moves && service.kind == ServiceKind::Replicated).then(words)
}

/// Why a swarm's tasks are not moved while it has paused their rollout.
pub(super) fn paused(service: &Service) -> Option<Text> {
    let paused = service.kind == ServiceKind::Replicated && service.rollout.state == RolloutState::Paused;
    let words =
        || format!("the rollout of {} is paused, and any change would let it go on: redeploy or roll back first", service.name);
    paused.then(|| Text::from(words()))
}

/// Why a service of this kind has no such action.
pub(super) fn refused(state: &ClusterState, service: &Service, action: ActionKind) -> Option<Text> {
    use ServiceKind::{CronJob, DaemonSet, Deployment, Job, ReplicaSet, StatefulSet};
    let (kind, word) = (service.kind, service.kind.word());
    let kubernetes = state.cluster.kind == ClusterKind::Kubernetes;
    let per_node = || format!("a {word} runs one task on every fitting node");
    let why = match action {
        ActionKind::Hold | ActionKind::Resume | ActionKind::Trigger => return held::refused(service, action).map(Text::from),
        ActionKind::DeleteService if matches!(kind, ServiceKind::Compose | ServiceKind::Container) => {
            "an engine has containers only: delete them one by one".to_owned()
        }
        ActionKind::SetImage if matches!(kind, Job | ServiceKind::SwarmJob | ReplicaSet) => {
            format!("the tasks of a {word} keep the image they were made with")
        }
        ActionKind::SetImage if matches!(kind, ServiceKind::Compose | ServiceKind::Container) => {
            "a container keeps the image it was made with: deploy its Compose file again".to_owned()
        }
        ActionKind::Redeploy | ActionKind::RollBack | ActionKind::SetImage if kind == Deployment && service.is_held() => {
            "its rollout is paused: resume it first".to_owned()
        }
        ActionKind::Redeploy | ActionKind::RollBack | ActionKind::SetImage if service.strategy == UpdateStrategy::OnDelete => {
            "its update strategy is OnDelete: delete its tasks one by one instead".to_owned()
        }
        ActionKind::Scale if kind.one_per_node() => format!("{}; it has no number to change", per_node()),
        ActionKind::Scale if matches!(kind, Job | CronJob) => format!("the number of tasks of a {word} is not a setting of it"),
        ActionKind::Scale if service.desired.is_none() => format!("a {word} has no number of tasks"),
        ActionKind::Redeploy if kubernetes && !matches!(kind, Deployment | StatefulSet | DaemonSet) => {
            format!("a {word} does not replace its tasks")
        }
        ActionKind::RollBack if service.previous.is_none() && state.cluster.kind == ClusterKind::Swarm => {
            "there is no earlier definition to go back to; one that stood only while tasks were moved is none".to_owned()
        }
        ActionKind::RollBack if service.previous.is_none() => "there is no earlier definition to go back to".to_owned(),
        ActionKind::Rebalance if kind.one_per_node() => format!("{}; there is nothing to move", per_node()),
        ActionKind::Rebalance if !kubernetes && kind != ServiceKind::Replicated => {
            format!("where the tasks of a {word} run is not the scheduler's free choice")
        }
        ActionKind::Rebalance if paused(service).is_some() => return paused(service),
        ActionKind::Rebalance if kubernetes && !matches!(kind, Deployment | StatefulSet | ReplicaSet) => {
            format!("where the tasks of a {word} run is not the scheduler's free choice")
        }
        _ => return None,
    };
    Some(Text::from(why))
}

fn scale(state: &ClusterState, service: &Service, to: u32, draft: &mut Draft) -> Result<(), Text> {
    let from = service.desired.ok_or_else(|| Text::from(format!("a {} has no number of tasks", service.kind.word())))?;
    match to.cmp(&from) {
        _ if service.kind == ServiceKind::SwarmJob => {}
        std::cmp::Ordering::Equal => draft.fact(format!("nothing changes: {} wanted already", count(from, "task"))),
        std::cmp::Ordering::Greater => draft.fact(format!("starts {}", count(to - from, "more task"))),
        std::cmp::Ordering::Less => {
            draft.fact(format!("stops {} of {}; the platform chooses which", from - to, count(from, "task")))
        }
    }
    if to == 0 && from > 0 {
        draft.warn("nothing of it runs any more until it is scaled up again");
        draft.at_least(Danger::Destructive);
    }
    if paused(service).is_some() {
        draft.warn("its rollout is paused: any change lets it go on, and so does this one");
        draft.at_least(Danger::Disruptive);
    }
    if to != from && service.kind != ServiceKind::SwarmJob {
        let zones = spread::zones(state, &service.key);
        if zones.len() > 1 {
            let after = spread::forecast(&zones, None, 0, i64::from(to) - i64::from(from), None);
            let now = zones.iter().map(|z| z.tasks.to_string()).collect::<Vec<_>>().join(" · ");
            draft.fact(format!("spread afterwards, if the scheduler evens out: {}  (now {now})", spread::words(&after)));
        }
    }
    if let Some(autoscaler) = &service.autoscaler {
        draft.warn(match to {
            // Kubernetes docs, "Horizontal Pod Autoscaling": none means that it is switched off
            0 if autoscaler.min > 0 => format!("the autoscaler stops until it is scaled up again by hand: {autoscaler}"),
            to if to < autoscaler.min => format!("the autoscaler sets it back to {} soon: {autoscaler}", autoscaler.min),
            to if to > autoscaler.max => format!("the autoscaler sets it back to {} soon: {autoscaler}", autoscaler.max),
            _ if from == 0 => format!("the autoscaler begins again and sets this number itself: {autoscaler}"),
            _ => format!("the autoscaler sets this number itself and may undo it: {autoscaler}"),
        });
        draft.at_least(Danger::Disruptive);
    }
    Ok(())
}

fn roll_back(state: &ClusterState, service: &Service, to: Option<u64>, draft: &mut Draft) -> Result<(), Text> {
    let Some(previous) = &service.previous else {
        return Err(Text::new("there is no earlier definition to go back to"));
    };
    // a swarm keeps one: that it is the one meant is seen when it is asked for
    match to.filter(|_| state.cluster.kind != ClusterKind::Swarm) {
        None => draft.fact(format!("goes back to {previous}")),
        Some(to) => {
            let there = service.earlier.iter().find(|earlier| earlier.revision == to);
            let there = there.ok_or_else(|| Text::from(format!("the platform no longer keeps revision {to}")))?;
            draft.fact(format!("goes back to revision {to} · image {}", there.image));
            draft.fact(match there.image == service.image {
                true => "the image stays as it is; other settings differ".to_owned(),
                false => format!("image: {} → {}", service.image, there.image),
            });
            let between = service.earlier.iter().filter(|earlier| earlier.revision > to).count();
            if between > 0 {
                draft.warn(format!(
                    "{} {} between: what that changed is undone, too",
                    count(u32::try_from(between).unwrap_or(u32::MAX), "definition"),
                    if between == 1 { "lies" } else { "lie" }
                ));
            }
        }
    }
    differences(state, service, to, draft);
    match service.updated.min(service.desired.unwrap_or(service.current)) {
        _ if service.kind == ServiceKind::SwarmJob => {}
        0 => draft.fact("no task has the newest definition yet: what runs goes on"),
        newest => replaces(state, service, newest, " of the newest definition", draft),
    }
    if state.cluster.kind == ClusterKind::Swarm {
        draft.fact("rolling back once more returns to the present definition");
    }
    alone(state, service, draft);
    Ok(())
}

/// What else it would change. It is not confirmed before the platform has told, or failed to.
fn differences(state: &ClusterState, service: &Service, to: Option<u64>, draft: &mut Draft) {
    let all = match state.survey(&service.key, ActionKind::RollBack) {
        Answer::Found(Found::Earlier(all)) => all,
        Answer::Failed(why) => return draft.warn(format!("what else it changes is not known: {why}")),
        _ => {
            draft.held = Some(Text::new("asking what else it changes"));
            return;
        }
    };
    match all.iter().find(|(number, _)| to.is_none_or(|to| to == *number)) {
        Some((_, lines)) => lines.iter().for_each(|line| draft.fact(line.clone())),
        None => draft.warn("what else it changes is not known: the platform no longer has that definition"),
    }
}

/// That `tasks` of it are replaced, as far as its update strategy renews them, and which keep the definition they have.
fn replaces(state: &ClusterState, service: &Service, tasks: u32, which: &str, draft: &mut Draft) {
    let (all, renews) = (service.desired.unwrap_or(service.current), service.renews());
    if renews == 0 && all > 0 {
        let all = if all == 1 {
            "its one task keeps the definition it has".into()
        } else {
            format!("all {all} keep the definition they have")
        };
        draft.fact(format!("no task takes it by itself: {all} (partition)"));
        return;
    }
    draft.fact(format!("replaces {}{which}, a few at a time", count(tasks.min(renews), "task")));
    let first = match all - renews {
        0 => return,
        1 => "the first task keeps the definition it has".to_owned(),
        n => format!("the first {n} tasks keep the definition they have"),
    };
    // in the order of their ordinals: `db-10` comes after `db-9`
    let mut names: Vec<(u64, &str)> = state
        .tasks_of(&service.key)
        .filter(|task| task.wanted && !task.state.ended())
        .filter_map(|task| Some((task.name.rsplit_once('-')?.1.parse().ok()?, task.name.as_str())))
        .collect();
    names.sort_unstable();
    let names: Vec<&str> = names.into_iter().map(|(_, name)| name).take((all - renews) as usize).collect();
    let names = match names.as_slice() {
        [] => String::new(),
        [first, .., last] if names.len() > NAMED => format!(": {first} to {last}"),
        names => format!(": {}", names.join(", ")),
    };
    draft.fact(format!("{first} (partition){names}"));
}

/// Says so where there is no second task to serve meanwhile.
pub(super) fn alone(state: &ClusterState, service: &Service, draft: &mut Draft) {
    if service.desired == Some(1) && service.renews() > 0 && !service.kind.runs_to_completion() {
        // Deployments start the new one first; Swarm, StatefulSets and engines stop the old one first
        let gap = !(state.cluster.kind == ClusterKind::Kubernetes && service.kind == ServiceKind::Deployment);
        if gap {
            draft.warn(format!("{} has one task: it does not serve until the new one is ready", service.name));
        }
    }
}

/// What the budget says about taking one task away.
pub(super) fn budget(service: &Service, draft: &mut Draft) {
    let Some(budget) = &service.budget else { return };
    if let Some(other) = &budget.beside {
        draft.warn(format!(
            "it is never let go: two budgets cover it, {} and {other}, and the server evicts nothing that two cover",
            budget.name
        ));
    } else if budget.allowed == 0 {
        draft.warn(format!("waits: budget {} allows no task to be taken away now ({})", budget.name, budget.rule));
    } else {
        draft.fact(format!("budget {} allows {} to be away ({})", budget.name, count(budget.allowed, "task"), budget.rule));
    }
}
