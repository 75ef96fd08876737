//! What is wrong with a service.

use crate::analysis::reasons::{self, Reason, count};
use crate::model::{ClusterState, Finding, Key, Kind, KindSync, Level, RolloutState, Service, ServiceKind, Task, TaskState, Text};
use crate::util::time::Timestamp;
use crate::util::{humanize, width};
use std::time::Duration;

/// Time a rollout without failing tasks may take before it is worth a look.
const PATIENCE: Duration = Duration::from_secs(2 * 60);
/// A lone container that failed longer ago is forgotten: whoever needed it has seen to it.
const MISSED: Duration = Duration::from_secs(24 * 60 * 60);
/// A restart that is longer ago is forgotten.
const RECENT: Duration = Duration::from_secs(60 * 60);
/// Longest reason: what a platform says can be pages.
const WHY: usize = 200;

/// What is wrong with the service `key`.
pub fn service(state: &ClusterState, key: &Key, now: Timestamp) -> Option<Finding> {
    let service = state.services.get(key)?;
    let found = if service.kind.runs_to_completion() {
        job(state, service, now)
    } else {
        given_up(state, service)
            .or_else(|| incomplete(state, service, now))
            .or_else(|| held_up(state, service))
            .or_else(|| restarting(state, service, now))
            .or_else(|| fell(state, service, now))
            .or_else(|| nearly_full(state, service))
    }?;
    let name = if service.namespace.is_empty() || service.name.starts_with(service.namespace.as_str()) {
        service.name.clone()
    } else {
        Text::from(format!("{}/{}", service.namespace, service.name))
    };
    Some(Finding {
        key: Finding::key_of(Some((Kind::Service, key))),
        object: Some((Kind::Service, key.clone())),
        level: found.level,
        subject: name,
        headline: Text::from(found.headline),
        why: Text::new(&width::elide_end(&found.why, WHY)),
        extra: Text::from(found.extra),
        since: found.since,
    })
}

/// Whether time alone may tell of trouble: something about it is not as it should be, and a rule waits for how long it
/// lasts.
pub fn waits(state: &ClusterState, service: &Service) -> bool {
    service.kind.runs_to_completion()
        || service.kind == ServiceKind::Container
        || service.rollout.state != RolloutState::Stable
        || service.is_short()
        || state.service_loads.get(&service.key).is_some_and(|load| load.coming_back > 0)
}

struct Found {
    level: Level,
    headline: String,
    why: String,
    extra: String,
    since: Option<Timestamp>,
}

/// `2/5 ready`.
fn ready(service: &Service) -> String {
    service.desired.map_or_else(|| format!("{} ready", service.ready), |desired| format!("{}/{desired} ready", service.ready))
}

/// Broken while fewer than wanted serve; else what runs still serves.
fn level(service: &Service) -> Level {
    if service.is_short() { Level::Failing } else { Level::Warning }
}

/// The rollout was given up or paused by the platform.
fn given_up(state: &ClusterState, service: &Service) -> Option<Found> {
    let what = match service.rollout.state {
        RolloutState::Failed => "rollout failed",
        RolloutState::Paused => "rollout paused",
        RolloutState::RollingBack => "rolling back",
        RolloutState::Stable | RolloutState::Progressing => return None,
    };
    let reasons = reasons::of_service(state, &service.key);
    let note = service.rollout.note.as_ref().map(Text::to_string);
    let paused = service.rollout.state == RolloutState::Paused;
    let whole = service.desired.is_none_or(|desired| service.ready >= desired && service.updated >= desired);
    if paused && whole {
        // someone holds it on purpose, and all of it serves
        return None;
    }
    let why = match (reasons.first(), note) {
        (Some(reason), _) => format!("{what}: {}", reason.why),
        (None, Some(note)) => format!("{what}: {note}"),
        (None, None) => what.to_owned(),
    };
    let extra = reasons.first().map(|r| count(r.tasks, "task")).unwrap_or_default();
    let since = reasons.first().map(|r| r.since).or(service.changed);
    Some(Found { level: level(service), headline: ready(service), why, extra, since })
}

/// Fewer serve than wanted.
fn incomplete(state: &ClusterState, service: &Service, now: Timestamp) -> Option<Found> {
    let desired = service.desired.filter(|_| service.is_short())?;
    let reasons = reasons::of_service(state, &service.key);
    let headline = ready(service);
    if let Some(Reason { why, tasks, since, stuck: true }) = reasons.first() {
        let level = if healing(state, service) { Level::Warning } else { Level::Failing };
        return Some(Found { level, headline, why: why.to_string(), extra: count(*tasks, "task"), since: Some(*since) });
    }
    // the tasks that would explain it have not been listed
    if reasons.is_empty() && matches!(state.sync_of(Kind::Task), KindSync::Waiting | KindSync::Loading(_)) {
        return None;
    }
    // tasks are on their way, or the platform has not begun to make them
    let first = reasons.iter().map(|reason| reason.since).min();
    // the counts may have come before the tasks that explain them
    let seen = state.shortfalls.get(&service.key).map(|short| short.since);
    let since = first.into_iter().chain(seen).chain(service.changed).max().unwrap_or(service.created);
    if now.since(since) < PATIENCE {
        return None;
    }
    let missing = desired - service.ready;
    let (why, extra) = match reasons.first() {
        Some(reason) => (reason.why.to_string(), count(reason.tasks, "task")),
        None => ("the platform has not made the missing tasks".to_owned(), format!("{} missing", count(missing, "task"))),
    };
    Some(Found { level: Level::Failing, headline, why, extra, since: Some(since) })
}

/// Whether a rollout replaces tasks and all that were wanted before still serve.
fn healing(state: &ClusterState, service: &Service) -> bool {
    service.rollout.state == RolloutState::Progressing
        && service
            .desired
            .is_some_and(|desired| state.tasks_of(&service.key).filter(|t| t.ready && t.wanted).count() >= desired as usize)
}

/// All that were wanted before still serve, but the new definition's tasks do not start. Nobody else says so until the
/// rollout's deadline has passed.
fn held_up(state: &ClusterState, service: &Service) -> Option<Found> {
    if service.rollout.state != RolloutState::Progressing {
        return None;
    }
    let Reason { why, tasks, since, .. } = reasons::of_service(state, &service.key).into_iter().find(|reason| reason.stuck)?;
    let why = format!("the new tasks do not start: {why}");
    Some(Found { level: Level::Warning, headline: ready(service), why, extra: count(tasks, "task"), since: Some(since) })
}

/// All serve, but tasks die again and again.
fn restarting(state: &ClusterState, service: &Service, now: Timestamp) -> Option<Found> {
    if state.service_loads.get(&service.key)?.coming_back == 0 {
        return None;
    }
    let ended = |task: &Task| {
        let end = task.last_end.as_ref().filter(|_| task.comes_back())?;
        let at = end.at.unwrap_or(task.since);
        (now.since(at) < RECENT).then(|| (at, end.reason.clone(), task.restarts))
    };
    let mut ends: Vec<_> = state.tasks_of(&service.key).filter_map(|task| ended(task)).collect();
    ends.sort_unstable_by(|a, b| b.cmp(a));
    let (at, reason, _) = ends.first()?;
    let restarts: u32 = ends.iter().map(|(_, _, n)| n).sum();
    let why = format!("restarting, last time: {reason}");
    let extra = format!("{} of {}", count(restarts, "restart"), count(u32::try_from(ends.len()).unwrap_or(u32::MAX), "task"));
    Some(Found { level: level(service), headline: ready(service), why, extra, since: Some(*at) })
}

/// A lone container that failed, and that nothing starts again.
fn fell(state: &ClusterState, service: &Service, now: Timestamp) -> Option<Found> {
    // the many tasks of others are not looked through
    if service.kind != ServiceKind::Container {
        return None;
    }
    let failed = |task: &Task| {
        let fell = task.state == TaskState::Failed && !task.wanted && now.since(task.since) < MISSED;
        fell.then(|| (task.since, task.why.clone()))
    };
    let (since, why) = state.tasks_of(&service.key).find_map(|task| failed(task))?;
    let why = why.map_or_else(|| "failed".to_owned(), |why| why.to_string());
    Some(Found {
        level: Level::Warning,
        headline: "failed".to_owned(),
        why,
        extra: "nothing starts it again".to_owned(),
        since: Some(since),
    })
}

/// Tasks that are about to be killed for memory.
fn nearly_full(state: &ClusterState, service: &Service) -> Option<Found> {
    // most tasks have no limit, and need not be looked at
    state.service_loads.get(&service.key).filter(|load| load.limited > 0)?;
    state.service_usage.get(&service.key)?;
    let full = |task: &Task| {
        let limit = Some(task.limits.mem).filter(|limit| *limit > 0 && task.state == TaskState::Running)?;
        let used = state.task_usage.get(&task.key)?.last()?.usage.mem;
        (u128::from(used) * 10 >= u128::from(limit) * 9).then_some(limit)
    };
    let limits: Vec<u64> = state.tasks_of(&service.key).filter_map(|task| full(task)).collect();
    let limit = limits.iter().min()?;
    Some(Found {
        level: Level::Warning,
        headline: ready(service),
        why: format!("memory above 90% of its limit ({})", humanize::bytes_of(*limit)),
        extra: count(u32::try_from(limits.len()).unwrap_or(u32::MAX), "task"),
        since: None,
    })
}

/// A Job fails when the platform says so, or when its newest task failed and none runs or went well since.
fn job(state: &ClusterState, service: &Service, now: Timestamp) -> Option<Found> {
    let reasons = reasons::of_service(state, &service.key);
    if service.rollout.state == RolloutState::Failed {
        let last = newest(state, service).and_then(end_words);
        let why = match (last, &service.rollout.note) {
            (Some(end), Some(note)) => format!("{end}: {note}"),
            (Some(end), None) => end,
            (None, note) => note.as_ref().map_or_else(|| "failed".to_owned(), Text::to_string),
        };
        let since = newest(state, service).map(|t| t.since).or(service.changed);
        return Some(Found { level: Level::Failing, headline: "failed".to_owned(), why, extra: String::new(), since });
    }
    let stuck = reasons.into_iter().find(|r| r.stuck && now.since(r.since) >= PATIENCE)?;
    let newest = newest(state, service)?;
    if newest.state == TaskState::Succeeded || newest.state == TaskState::Running {
        return None;
    }
    Some(Found {
        level: Level::Warning,
        headline: newest.state.word().to_owned(),
        why: stuck.why.to_string(),
        extra: count(stuck.tasks, "task"),
        since: Some(stuck.since),
    })
}

fn newest<'a>(state: &'a ClusterState, service: &Service) -> Option<&'a Task> {
    state.tasks_of(&service.key).max_by(|a, b| a.created.cmp(&b.created).then_with(|| a.key.cmp(&b.key))).map(|t| &**t)
}

fn end_words(task: &Task) -> Option<String> {
    task.last_end.as_ref().map(|end| end.reason.to_string()).or_else(|| task.why.as_ref().map(Text::to_string))
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
