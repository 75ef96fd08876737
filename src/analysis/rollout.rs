//! Whether the facts show that an operation has happened. The platform's own word that it took a request is never
//! enough: counts, revisions and tasks must agree.

use super::keeper::{Keeper, keeper};
use super::preview::subject;
use super::reasons::{self, count};
use crate::model::{
    Availability, ClusterKind, ClusterState, Expect, Key, Kind, KindSync, Node, NodeState, Progress, RolloutState, Service,
    ServiceKind, TaskState, Text, UpdateStrategy,
};
use crate::util::time::Timestamp;
use std::time::Duration;

/// How long facts from before a write may still arrive after it.
const OLD_FACTS: Duration = Duration::from_secs(15);

/// By then a row shows what the platform has answered to have made: a watch that is silent for longer has been given up.
const SHOWN: Duration = Duration::from_secs(90);

/// What the facts say of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not yet, and what it waits for.
    Pending(Progress),
    /// It has happened; in words.
    Done(Text),
    /// It will not happen by itself; why.
    Failed(Text),
}

/// Holds `expect` against the facts of its cluster. `taken` is when the platform took the request.
pub fn verdict(state: &ClusterState, expect: &Expect, taken: Timestamp, now: Timestamp) -> Verdict {
    match expect {
        Expect::Nothing => Verdict::Done(Text::new("done")),
        Expect::Converged { service, spec_rev } | Expect::Imaged { service, spec_rev, .. } => {
            converged(state, service, *spec_rev, taken, now)
        }
        Expect::Scaled { service, spec_rev, to } => scaled(state, service, *spec_rev, *to, taken, now),
        Expect::Gone { kind, key } => gone(state, *kind, key),
        Expect::Deleted { service, tasks } => deleted(state, service, *tasks),
        Expect::Replaced { task, service } => replaced(state, task, service.as_ref()),
        Expect::NodeIs { node, availability } => node_is(state, node, *availability),
        Expect::NodeManages { node, manages } => node_manages(state, node, *manages),
        Expect::NodeLabels { node, edits } => node_shows(state, node, |node| edits.iter().find(|e| !e.holds(node)).map(|e| &e.key)),
        Expect::NodeTaints { node, edits } => {
            node_shows(state, node, |node| edits.iter().find(|e| !e.holds(node)).map(|e| e.key()))
        }
        Expect::NodeEmpty { node, availability } => node_empty(state, node, *availability),
        Expect::Evacuated { node, short } => match node_empty(state, node, Availability::Paused) {
            Verdict::Done(words) if !short.is_empty() => done(format!("{words}; {short}")),
            verdict => verdict,
        },
        Expect::Held { service, spec_rev, held } => is_held(state, service, *spec_rev, *held),
        Expect::Began { service } if now.since(taken) > SHOWN && state.services.get(service).is_none() => {
            match state.sync_of(Kind::Service) {
                // to have been made was its purpose: with a short time to live it goes when it has ended
                KindSync::Live => done("the job was made, and is gone already"),
                KindSync::Narrowed(_) | KindSync::Failed { .. } => done("the job was made; how it goes cannot be seen here"),
                KindSync::Waiting | KindSync::Loading(_) => began(state, service),
            }
        }
        Expect::Began { service } => began(state, service),
        Expect::Restarted { task, before } => restarted(state, task, *before, taken),
        Expect::Renewed { tasks, note } => renewed(state, tasks, note),
        Expect::Seen { gone, whole, note } => seen(state, gone, *whole, note),
        Expect::TaskRuns { task, runs } => task_runs(state, task, *runs, taken),
    }
}

fn pending(done: u32, total: u32, note: impl Into<Text>) -> Verdict {
    Verdict::Pending(Progress { done, total, note: note.into() })
}

fn done(words: impl Into<Text>) -> Verdict {
    Verdict::Done(words.into())
}

fn failed(words: impl Into<Text>) -> Verdict {
    Verdict::Failed(words.into())
}

/// The rollout predicate. Kubernetes: `metadata.generation` written, `status.observedGeneration` caught up, and then
/// updated = ready = all = wanted, as `kubectl rollout status` asks and, beyond it, with no old task left but those that
/// its update strategy leaves as they are. Swarm has only a hash of the spec, which does not say which of two is newer.
fn converged(state: &ClusterState, key: &Key, written: u64, taken: Timestamp, now: Timestamp) -> Verdict {
    let Some(service) = state.services.get(key) else { return failed("the service is gone: someone removed it meanwhile") };
    let desired = service.desired.unwrap_or(0);
    let mut newer = false;
    if service.spec_rev != written {
        let ordered = state.cluster.kind == ClusterKind::Kubernetes;
        if ordered && service.spec_rev > written {
            newer = true;
        } else if !ordered && matches!(service.rollout.state, RolloutState::RollingBack | RolloutState::Failed) {
            return failed(with_reasons(state, service, "the platform rolled it back"));
        } else if !ordered && now.since(taken) > OLD_FACTS {
            return failed("someone else changed the service meanwhile: what was asked for here no longer holds");
        } else {
            return pending(0, desired, "waiting for the cluster to show the change");
        }
    }
    if service.observed_rev < service.spec_rev && state.cluster.kind == ClusterKind::Kubernetes {
        return pending(0, desired, "waiting for the platform's controllers to see the change");
    }
    if service.rollout.state == RolloutState::Failed {
        return failed(with_reasons(state, service, "the rollout failed"));
    }
    if service.kind.runs_to_completion() || service.desired.is_none() {
        return done("the platform has the new definition");
    }
    let whole = service.ready == desired && service.updated >= service.renews() && service.current == desired;
    match service.rollout.state {
        RolloutState::Stable | RolloutState::Paused if whole => {
            let mut words = match desired {
                0 => "scaled to none: nothing runs".to_owned(),
                n => format!("{n} of {n} ready"),
            };
            words.push_str(&kept(service, desired));
            if newer {
                words.push_str("; someone else changed the definition again meanwhile");
            }
            done(words)
        }
        RolloutState::Paused if state.cluster.kind == ClusterKind::Swarm => {
            failed(with_reasons(state, service, "the swarm paused the update"))
        }
        RolloutState::Paused if service.is_held() && service.updated < desired => {
            failed("the rollout is held: someone paused this service; resume it to let it go on")
        }
        _ => pending(progress(service, desired), desired, waiting(state, service, desired)),
    }
}

/// A number of tasks may be somebody else's too: an autoscaler's, which sets it back, soon or later.
fn scaled(state: &ClusterState, key: &Key, written: u64, to: u32, taken: Timestamp, now: Timestamp) -> Verdict {
    let Some(service) = state.services.get(key) else { return converged(state, key, written, taken, now) };
    let scaler = service.autoscaler.as_ref();
    if let (true, Some(wants)) = (service.spec_rev > written, service.desired.filter(|wants| *wants != to)) {
        return failed(match scaler {
            Some(scaler) => format!("set to {to}, and then to {wants}: the autoscaler sets this number ({scaler})"),
            None => format!("set to {to}, and then someone else set it to {wants}"),
        });
    }
    // a held Deployment is scaled with the definitions it has
    if service.kind == ServiceKind::Deployment && service.is_held() && service.spec_rev >= written {
        let seen = service.observed_rev >= service.spec_rev;
        return if seen && service.ready == to && service.current == to {
            done(format!("{to} of {to} ready; its rollout stays paused"))
        } else {
            pending(service.ready.min(to), to, waiting(state, service, to))
        };
    }
    if service.rollout.state == RolloutState::Failed && service.spec_rev >= written {
        return scaled_beside(state, service, to, taken, now);
    }
    match (converged(state, key, written, taken, now), scaler) {
        // an autoscaler lets a service of none alone
        (Verdict::Done(words), Some(scaler)) if to > 0 => {
            done(format!("{words}; the autoscaler may set another number ({scaler})"))
        }
        (verdict, _) => verdict,
    }
}

/// A number set where a rollout had failed before: what that added does not become ready by another number, and stays
/// beside the old tasks until there is another definition.
fn scaled_beside(state: &ClusterState, service: &Service, to: u32, taken: Timestamp, now: Timestamp) -> Verdict {
    if service.observed_rev < service.spec_rev {
        return pending(0, to, "waiting for the platform's controllers to see the change");
    }
    let beside = service.current.saturating_sub(to);
    // counts may be of before they were scaled
    let settled = beside == 0 || to > 0 && now.since(taken) > OLD_FACTS;
    if service.ready != to || service.current < to || !settled {
        return pending(service.ready.min(to), to, waiting(state, service, to));
    }
    let words = match to {
        0 => "scaled to none: nothing runs".to_owned(),
        n => format!("{n} of {n} ready"),
    };
    let beside = match beside {
        0 => String::new(),
        1 => ": 1 task of it stays beside them".to_owned(),
        n => format!(": {n} tasks of it stay beside them"),
    };
    done(format!("{words}; the rollout before had failed{beside}"))
}

/// The tasks that its update strategy leaves as they are.
fn kept(service: &Service, desired: u32) -> String {
    match (desired.saturating_sub(service.updated), service.strategy) {
        (0, _) | (_, UpdateStrategy::Rolling) => String::new(),
        (1, UpdateStrategy::Partition(_)) => "; 1 task keeps the definition it had (partition)".to_owned(),
        (n, UpdateStrategy::Partition(_)) => format!("; {n} tasks keep the definition they had (partition)"),
        (1, UpdateStrategy::OnDelete) => "; 1 task takes the new definition when it is deleted (OnDelete)".to_owned(),
        (n, UpdateStrategy::OnDelete) => format!("; {n} tasks take the new definition when they are deleted (OnDelete)"),
    }
}

fn progress(service: &Service, desired: u32) -> u32 {
    let updated = service.updated + desired.saturating_sub(service.renews());
    if service.current > desired { desired.min(service.ready).min(updated) } else { service.ready.min(updated) }
}

/// What it waits for: `3 of 5 ready; 2 starting: pulling image`.
fn waiting(state: &ClusterState, service: &Service, desired: u32) -> String {
    let mut words = format!("{} of {desired} ready", service.ready);
    let renews = service.renews();
    if service.updated < renews {
        words.push_str(&format!("; {} of {renews} renewed", service.updated));
    }
    if service.current > desired {
        words.push_str(&format!("; {} still to end", count(service.current - desired, "task")));
    }
    if let Some(first) = reasons::of_service(state, &service.key).first() {
        words.push_str(&format!("; {}: {}", first.tasks, first.why));
    }
    words
}

/// `what: note; image not found: x (3 tasks)`.
fn with_reasons(state: &ClusterState, service: &Service, what: &str) -> String {
    let mut words = what.to_owned();
    let reasons = reasons::of_service(state, &service.key);
    let line = reasons::line(&reasons);
    if !line.is_empty() {
        words.push_str(&format!(": {line}"));
    } else if let Some(note) = &service.rollout.note {
        words.push_str(&format!(": {note}"));
    }
    words
}

fn gone(state: &ClusterState, kind: Kind, key: &Key) -> Verdict {
    let there = match kind {
        Kind::Node => state.nodes.get(key).is_some(),
        Kind::Service => state.services.get(key).is_some(),
        Kind::Task => state.tasks.get(key).is_some_and(|task| task.wanted || !task.state.ended()),
        Kind::Event => state.events.get(key).is_some(),
    };
    if there {
        pending(0, 1, format!("waiting for the {} to end", kind.word()))
    } else {
        done(format!("the {} is gone", kind.word()))
    }
}

/// What the backend saw itself, once the rows agree as far as they show it.
fn seen(state: &ClusterState, gone: &[Key], whole: bool, note: &Text) -> Verdict {
    let there = gone.iter().filter(|key| state.tasks.get(key).is_some()).count();
    match (there, whole) {
        (0, true) => done(note.clone()),
        (0, false) => failed(note.clone()),
        (n, _) => pending(0, 0, format!("{note}; {} still shown", count(u32::try_from(n).unwrap_or(u32::MAX), "task"))),
    }
}

fn deleted(state: &ClusterState, key: &Key, with_tasks: bool) -> Verdict {
    let live = u32::try_from(state.tasks_of(key).filter(|t| t.wanted || !t.state.ended()).count()).unwrap_or(u32::MAX);
    match (state.services.get(key), with_tasks) {
        (Some(_), true) if live > 0 => pending(0, 2, format!("{} still to end", count(live, "task"))),
        (Some(_), _) => pending(0, 2, "waiting for the service to go"),
        (None, true) if live > 0 => pending(1, 2, format!("the service is gone; {} still to end", count(live, "task"))),
        (None, true) => done("the service and its tasks are gone"),
        (None, false) => done("the service is gone; its tasks go on"),
    }
}

fn replaced(state: &ClusterState, task: &Key, service: Option<&Key>) -> Verdict {
    if state.tasks.get(task).is_some_and(|task| task.wanted || !task.state.ended()) {
        return pending(0, 2, "waiting for the old task to end");
    }
    let Some(key) = service else { return done("the task is gone") };
    let Some(service) = state.services.get(key) else { return failed("the task is gone, and so is its service") };
    let desired = service.desired.unwrap_or(0);
    // counts may lag behind the tasks they speak of: both must agree
    let serving = state.tasks_of(key).filter(|t| t.wanted && t.ready).count();
    if service.kind.runs_to_completion() || (service.ready >= desired && serving >= desired as usize) {
        return done(format!("the task is gone, and {} of {desired} are ready", service.ready));
    }
    pending(1, 2, format!("the old task is gone; {}", waiting(state, service, desired)))
}

fn node_is(state: &ClusterState, key: &Key, availability: Availability) -> Verdict {
    match state.nodes.get(key) {
        None => failed("the node is gone"),
        Some(node) if node.availability == availability => done(format!("the node is {}", availability.word())),
        Some(node) => pending(0, 1, format!("the node is still {}", node.availability.word())),
    }
}

fn node_manages(state: &ClusterState, key: &Key, manages: bool) -> Verdict {
    match state.nodes.get(key) {
        None => failed("the node is gone"),
        Some(node) if node.is_manager() == manages => done(format!("the node is a {}", if manages { "manager" } else { "worker" })),
        Some(node) => pending(0, 1, format!("the node is still a {}", node.role)),
    }
}

/// Whether a node shows all that was written on it; `missing` is the key of what it does not show yet.
fn node_shows<'a>(state: &ClusterState, key: &Key, missing: impl Fn(&Node) -> Option<&'a Text>) -> Verdict {
    match state.nodes.get(key).map(|node| missing(node)) {
        None => failed("the node is gone"),
        Some(None) => done("the node shows it"),
        Some(Some(key)) => pending(0, 1, format!("waiting for the node to show it: {key}")),
    }
}

fn node_empty(state: &ClusterState, key: &Key, availability: Availability) -> Verdict {
    let Some(node) = state.nodes.get(key) else { return failed("the node is gone") };
    if node.availability != availability {
        return pending(0, 0, format!("the node is still {}", node.availability.word()));
    }
    let (mut left, mut own, mut first, mut bare) = (0, 0, None, Vec::new());
    for task in state.tasks_on(key) {
        match keeper(state, task) {
            Keeper::Service(_) | Keeper::Other(_) => {
                left += 1;
                first = first.or(Some(&task.name));
            }
            Keeper::EveryNode(_) | Keeper::Node => own += 1,
            Keeper::Nobody => bare.push(subject(&task.namespace, &task.name)),
        }
    }
    bare.sort_unstable();
    let mut stays = String::new();
    if own > 0 {
        stays.push_str(&format!("; {} of the node itself {}", count(own, "task"), if own == 1 { "stays" } else { "stay" }));
    }
    match bare.as_slice() {
        [] => {}
        [one] => stays.push_str(&format!("; {one} stays: nothing would make it again")),
        [one, rest @ ..] => stays.push_str(&format!("; {one} and {} more stay: nothing would make them again", rest.len())),
    }
    let empty = if bare.is_empty() { " and empty" } else { "" };
    match first {
        None => done(format!("the node is {}{empty}{stays}", availability.word())),
        Some(name) if node.state == NodeState::Down => {
            pending(0, 0, format!("{} left on a node that is down, {name} among them", count(left, "task")))
        }
        Some(name) => pending(0, 0, format!("{} left, {name} among them", count(left, "task"))),
    }
}

/// Paused and resumed in Kubernetes only, where generations are ordered.
fn is_held(state: &ClusterState, key: &Key, written: u64, held: bool) -> Verdict {
    let Some(service) = state.services.get(key) else { return failed("the service is gone: someone removed it meanwhile") };
    if service.spec_rev < written {
        return pending(0, 0, "waiting for the cluster to show the change");
    }
    if service.is_held() != held {
        return failed(format!("someone else {} it meanwhile", if held { "resumed" } else { "held" }));
    }
    if service.observed_rev < service.spec_rev {
        return pending(0, 0, "waiting for the platform's controllers to see the change");
    }
    match (held, service.kind) {
        (true, ServiceKind::Job) if service.current > 0 => {
            pending(0, 0, format!("{} still to end", count(service.current, "task")))
        }
        (true, _) => done("it is held"),
        (false, ServiceKind::Job) => began(state, key),
        (false, _) => done("it goes on"),
    }
}

fn began(state: &ClusterState, key: &Key) -> Verdict {
    let Some(service) = state.services.get(key) else { return pending(0, 1, "waiting for the job to show") };
    match service.rollout.state {
        RolloutState::Failed => failed(with_reasons(state, service, &format!("{} failed", service.name))),
        RolloutState::Stable => done(format!("{} ran to its end", service.name)),
        _ if service.current > 0 => done(format!("{} runs", service.name)),
        _ => pending(0, 1, format!("{} waits for its first task", service.name)),
    }
}

fn restarted(state: &ClusterState, key: &Key, before: Timestamp, taken: Timestamp) -> Verdict {
    match state.tasks.get(key) {
        Some(task) if task.state == TaskState::Running && task.since <= before => pending(0, 1, "waiting for it to start anew"),
        _ => task_runs(state, key, true, taken),
    }
}

/// By the engine's own clock: rows from before a restart speak of an earlier start.
fn renewed(state: &ClusterState, tasks: &[(Key, Timestamp)], note: &Text) -> Verdict {
    let mut ready = 0;
    let mut waits = None;
    for (key, started) in tasks {
        match state.tasks.get(key) {
            None => return failed("one of its containers is gone: someone removed it meanwhile"),
            Some(task) if task.since >= *started && task.state.ended() => {
                let why = task.why.as_ref().or(task.last_end.as_ref().map(|end| &end.reason));
                let why = why.map_or("no reason given", |why| why.as_str());
                return failed(format!("{} started anew and ended: {why}", task.name));
            }
            Some(task) if task.since >= *started && task.ready => ready += 1,
            Some(task) if task.since >= *started => waits = waits.or(Some(format!("{} is not ready yet", task.name))),
            Some(task) => waits = waits.or(Some(format!("waiting for {} to show that it started anew", task.name))),
        }
    }
    let total = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
    match waits {
        Some(waits) => pending(ready, total, waits),
        None if note.is_empty() => done(format!("{ready} of {total} started anew and ready")),
        None => done(format!("{ready} of {total} started anew and ready; {note}")),
    }
}

fn task_runs(state: &ClusterState, key: &Key, runs: bool, taken: Timestamp) -> Verdict {
    let Some(task) = state.tasks.get(key) else {
        return if runs { failed("the task is gone") } else { done("the task is gone") };
    };
    match (runs, task.state) {
        (true, TaskState::Running) => done("running"),
        (true, TaskState::Failed) if task.since > taken => {
            let why = task.why.as_ref().or(task.last_end.as_ref().map(|end| &end.reason));
            failed(format!("it started and ended at once: {}", why.map_or("no reason given", |t| t.as_str())))
        }
        (false, state) if state.ended() => done("stopped"),
        (_, state) => pending(0, 1, format!("it is {}", state.word())),
    }
}

#[cfg(test)]
mod tests;
