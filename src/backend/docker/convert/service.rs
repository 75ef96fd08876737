//! A Swarm service, counted from its tasks.

use super::task::Converted;
use super::{STACK, told, wire, words};
use crate::backend::docker::FOR_NOW;
use crate::model::{Key, Rollout, RolloutState, Service, ServiceKind, TaskState, Text, UpdateStrategy};
use std::collections::HashMap;

/// The row of a service with these tasks.
pub fn service(raw: &wire::Service, tasks: &[&Converted<'_>]) -> Service {
    let spec = &raw.spec.value;
    let kind = kind(&spec.mode);
    let newest = spec.task_template.rev;
    let iteration = raw.job_status.as_ref().map(|job| job.job_iteration);
    // an update goes on until the last of its tasks runs: that they all exist is not yet all of it
    let updating = raw.update_status.as_ref().is_some_and(|status| status.state == "updating");
    let mut count = Count::default();
    let mut newest_of_slot: HashMap<(u64, &str), &Converted<'_>> = HashMap::new();
    for one in tasks.iter().copied() {
        let Converted { raw: task, row } = one;
        // earlier runs of a job are over
        if iteration.is_some() && task.job_iteration != iteration {
            continue;
        }
        let slot = (task.slot, if task.slot == 0 { task.node_id.as_str() } else { "" });
        let held = newest_of_slot.entry(slot).or_insert(one);
        if (row.created, &row.key) > (held.row.created, &held.row.key) {
            *held = one;
        }
        let done = kind == ServiceKind::SwarmJob && row.state == TaskState::Succeeded;
        count.wanted += u32::from(row.wanted || done);
        count.ready += u32::from(row.ready || done);
        count.updated += u32::from((row.wanted || done) && task.spec.rev == newest && (row.ready || !updating));
        // what is lost and already replaced is of no account any more
        let live = !row.state.ended() && (row.wanted || row.state != TaskState::Lost);
        count.current += u32::from(live);
        count.moving |= live && !row.wanted;
        count.moving |= row.wanted && row.last_end.is_none() && in_motion(row.state, &task.status.err);
    }
    let desired = match kind {
        ServiceKind::Replicated => spec.mode.replicated.as_ref().and_then(|mode| mode.replicas).unwrap_or(1),
        ServiceKind::SwarmJob if spec.mode.replicated_job.is_some() => {
            spec.mode.replicated_job.as_ref().and_then(|job| job.total_completions.or(job.max_concurrent)).unwrap_or(1)
        }
        _ => count.wanted,
    };
    let mut given_up = newest_of_slot
        .values()
        .filter(|one| !one.row.wanted && one.row.state == TaskState::Failed && kind != ServiceKind::Global)
        .peekable();
    let converging = count.moving || count.updated != desired || count.wanted != desired;
    let rollout = match given_up.peek() {
        Some(one) if count.wanted < desired && !count.moving => given_up_words(one, desired - count.wanted),
        _ => rollout(raw.update_status.as_ref(), converging),
    };
    let rollout = Rollout { note: told(raw.odd.as_ref(), rollout.note), ..rollout };
    let stack = spec.labels.get(STACK).map(|stack| Text::new(stack));
    Service {
        key: Key::new(&raw.id),
        spec_rev: raw.spec.rev,
        observed_rev: raw.spec.rev,
        name: Text::new(&spec.name),
        namespace: stack.clone().unwrap_or_default(),
        kind,
        stack,
        image: Text::new(words::image(&spec.task_template.container_spec.image)),
        container: Text::default(),
        beside: Box::default(),
        desired: Some(desired),
        ready: count.ready,
        updated: count.updated,
        current: count.current,
        rollout,
        revision: None,
        previous: raw.previous_spec.as_ref().filter(|previous| !for_now(previous)).map(|it| Text::from(difference(spec, it))),
        earlier: Box::default(),
        budget: None,
        autoscaler: None,
        suspended: false,
        strategy: UpdateStrategy::Rolling,
        placement: words::placement(&spec.task_template.placement).map(Text::from),
        ports: ports(&raw.endpoint.ports),
        created: raw.created_at.unwrap_or_default(),
        changed: raw.updated_at,
    }
}

#[derive(Default)]
struct Count {
    wanted: u32,
    ready: u32,
    updated: u32,
    current: u32,
    moving: bool,
}

/// Whether a wanted task is on its way; one that finds no node is stuck, not moving.
fn in_motion(state: TaskState, err: &str) -> bool {
    match state {
        TaskState::Starting => true,
        TaskState::Pending => err.is_empty(),
        _ => false,
    }
}

fn kind(mode: &wire::Mode) -> ServiceKind {
    if mode.replicated_job.is_some() || mode.global_job.is_some() {
        ServiceKind::SwarmJob
    } else if mode.global.is_some() {
        ServiceKind::Global
    } else {
        ServiceKind::Replicated
    }
}

/// `UpdateStatus` speaks of updates only; scaling and replacing lost tasks show in the tasks.
fn rollout(status: Option<&wire::UpdateStatus>, converging: bool) -> Rollout {
    let message = status.map(|status| status.message.as_str()).unwrap_or_default();
    let (state, note) = match status.map(|status| status.state.as_str()) {
        Some("updating") => (RolloutState::Progressing, ""),
        Some("paused") => (RolloutState::Paused, message),
        Some("rollback_started") => (RolloutState::RollingBack, message),
        Some("rollback_paused") => (RolloutState::Failed, message),
        Some("rollback_completed") if !converging => (RolloutState::Stable, message),
        _ if converging => (RolloutState::Progressing, ""),
        _ => (RolloutState::Stable, ""),
    };
    Rollout { state, note: (!note.is_empty()).then(|| Text::new(note)) }
}

/// The restart policy allows no more attempts: nothing more will happen by itself.
fn given_up_words(one: &Converted<'_>, tasks: u32) -> Rollout {
    let why = one.row.why.as_deref().unwrap_or("it failed");
    let subject = if tasks == 1 { "1 task is".to_owned() } else { format!("{tasks} tasks are") };
    let note = Text::from(format!("{subject} not restarted any more (restart policy): {why}"));
    Rollout { state: RolloutState::Failed, note: Some(note) }
}

/// Whether a definition stood only while tasks were moved: nobody goes back there.
fn for_now(spec: &wire::ServiceSpec) -> bool {
    spec.labels.keys().any(|name| name.starts_with(FOR_NOW))
}

/// What differs in the previous definition, in words; roll back goes there.
fn difference(now: &wire::ServiceSpec, previous: &wire::ServiceSpec) -> String {
    let mut parts = Vec::new();
    let images =
        (words::image(&now.task_template.container_spec.image), words::image(&previous.task_template.container_spec.image));
    if now.task_template.container_spec.image != previous.task_template.container_spec.image {
        // the same tag may have stood for another image
        let digest = if images.0 == images.1 { " as it was before" } else { "" };
        parts.push(format!("image {}{digest}", images.1));
    }
    let replicas = |spec: &wire::ServiceSpec| spec.mode.replicated.as_ref().map(|mode| mode.replicas.unwrap_or(1));
    if let (Some(a), Some(b)) = (replicas(now), replicas(previous))
        && a != b
    {
        parts.push(format!("{b} {}", if b == 1 { "replica" } else { "replicas" }));
    }
    if now.task_template.placement != previous.task_template.placement {
        parts.push(match words::placement(&previous.task_template.placement) {
            Some(placement) => format!("placement {placement}"),
            None => "no placement rules".to_owned(),
        });
    }
    if now.task_template.resources != previous.task_template.resources {
        parts.push("other reservations or limits".to_owned());
    }
    if parts.is_empty() {
        let forced = now.task_template.force_update != previous.task_template.force_update;
        parts.push(format!("image {}{}", images.1, if forced { " unchanged (tasks made anew)" } else { ", other settings" }));
    }
    parts.join(" · ")
}

fn ports(ports: &[wire::Port]) -> Option<Text> {
    let all: Vec<String> = ports
        .iter()
        .filter(|port| port.published_port > 0)
        .map(|port| {
            let host = if port.publish_mode == "host" { " (host)" } else { "" };
            format!("{}→{}/{}{host}", port.published_port, port.target_port, port.protocol)
        })
        .collect();
    (!all.is_empty()).then(|| Text::from(all.join(", ")))
}
