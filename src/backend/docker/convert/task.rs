//! Swarm tasks: what a slot runs now, and the story of what it ran before.

use super::{STACK, resources, told, wire, words};
use crate::model::{Ending, Key, Node, NodeState, Task, TaskState, Text};
use std::collections::HashMap;

/// Ended tasks kept of each slot.
const HISTORY: usize = 2;

/// A task's row and what it came from.
pub struct Converted<'a> {
    /// As listed.
    pub raw: &'a wire::Task,
    /// The row.
    pub row: Task,
}

/// Where a task stands within its service: slot, or node in global services.
type Slot<'a> = (&'a str, u64, &'a str);

fn slot(raw: &wire::Task) -> Slot<'_> {
    (&raw.service_id, raw.slot, if raw.slot == 0 { &raw.node_id } else { "" })
}

/// The rows of all tasks, oldest first within each slot.
pub fn tasks<'a>(
    tasks: &'a [wire::Task],
    services: &HashMap<&str, &wire::Service>,
    nodes: &HashMap<&str, &Node>,
) -> Vec<Converted<'a>> {
    let mut slots: HashMap<Slot<'a>, Vec<&'a wire::Task>> = HashMap::new();
    for raw in tasks {
        slots.entry(slot(raw)).or_default().push(raw);
    }
    let mut all = Vec::with_capacity(tasks.len());
    for mut story in slots.into_values() {
        story.sort_unstable_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        let mut failures = 0;
        let mut last_end: Option<Ending> = None;
        for raw in story {
            let owner = services.get(raw.service_id.as_str()).copied();
            let row = task(
                raw,
                services.get(raw.service_id.as_str()).copied(),
                nodes.get(raw.node_id.as_str()).copied(),
                failures,
                last_end.as_ref(),
            );
            if row.state == TaskState::Failed {
                failures += 1;
                last_end = Some(Ending {
                    at: raw.status.timestamp,
                    exit: raw.status.container_status.exit_code,
                    reason: row.why.clone().unwrap_or_default(),
                });
            }
            // a removed job leaves its tasks behind for ever
            if owner.is_some() || !row.state.ended() {
                all.push(Converted { raw, row });
            }
        }
    }
    all
}

/// The rows without the older part of each slot's history: Swarm keeps five ended tasks a slot, which would bury those
/// that matter.
pub fn with_short_history(mut all: Vec<Converted<'_>>) -> Vec<Task> {
    let mut kept: HashMap<Slot<'_>, usize> = HashMap::new();
    all.sort_unstable_by(|a, b| (b.row.created, &b.row.key).cmp(&(a.row.created, &a.row.key)));
    all.retain(|one| {
        if !one.row.state.ended() || one.row.wanted {
            return true;
        }
        let count = kept.entry(slot(one.raw)).or_default();
        *count += 1;
        *count <= HISTORY
    });
    all.into_iter().map(|one| one.row).collect()
}

fn task(raw: &wire::Task, service: Option<&wire::Service>, node: Option<&Node>, failures: u32, last_end: Option<&Ending>) -> Task {
    let down = node.filter(|node| node.state == NodeState::Down);
    let state = state(raw, down.is_some());
    // a job's task is wanted until it has completed
    let wanted = match raw.desired_state.as_str() {
        "running" | "ready" | "accepted" | "assigned" | "new" => true,
        "complete" => !state.ended(),
        _ => false,
    };
    let owner = service.map_or_else(|| short(&raw.service_id), |service| service.spec.value.name.as_str());
    // slots of replicated services count from 1, those of replicated jobs from 0, global ones have none
    let job = service.is_some_and(|service| service.spec.value.mode.replicated_job.is_some());
    let name = match (raw.slot, node) {
        (slot, _) if job => format!("{owner}.{slot}"),
        (0, Some(node)) => format!("{owner}.{}", node.name),
        (0, None) => format!("{owner}.{}", short(&raw.node_id)),
        (slot, _) => format!("{owner}.{slot}"),
    };
    let name = Text::from(name);
    Task {
        key: Key::new(&raw.id),
        namespace: service
            .and_then(|service| service.spec.value.labels.get(STACK))
            .map(|stack| Text::new(stack))
            .unwrap_or_default(),
        service: (!raw.service_id.is_empty()).then(|| Key::new(&raw.service_id)),
        controller: None,
        node: (!raw.node_id.is_empty()).then(|| Key::new(&raw.node_id)),
        state,
        ready: state == TaskState::Running && wanted,
        wanted,
        why: told(raw.odd.as_ref(), why(raw, state, down, last_end).map(Text::from)),
        stuck: matches!(state, TaskState::Failed | TaskState::Lost) || state == TaskState::Pending && !raw.status.err.is_empty(),
        since: match down {
            Some(Node { since: Some(since), .. }) if state == TaskState::Lost => *since,
            _ => raw.status.timestamp.or(raw.created_at).unwrap_or_default(),
        },
        image: Text::new(words::image(&raw.spec.container_spec.image)),
        restarts: failures,
        last_end: last_end.cloned(),
        revision: Some(Text::from(format!("{:016x}", raw.spec.rev))),
        requests: resources(&raw.spec.resources.reservations),
        limits: resources(&raw.spec.resources.limits),
        containers: Box::new([name.clone()]),
        grace: None,
        created: raw.created_at.unwrap_or_default(),
        name,
    }
}

/// Task states of swarmkit `api/types.proto`. A node that is down leaves the last state it reported for 24 h, so that a
/// task reads `running` though nobody knows: it is lost.
fn state(raw: &wire::Task, node_down: bool) -> TaskState {
    let ending = matches!(raw.desired_state.as_str(), "shutdown" | "remove" | "orphaned");
    match raw.status.state.as_str() {
        "complete" => TaskState::Succeeded,
        "shutdown" | "remove" | "orphaned" => TaskState::Stopped,
        "failed" | "rejected" => TaskState::Failed,
        _ if node_down => TaskState::Lost,
        "new" | "allocated" | "pending" if ending => TaskState::Stopped,
        "new" | "allocated" | "pending" => TaskState::Pending,
        _ if ending => TaskState::Stopping,
        "running" => TaskState::Running,
        _ => TaskState::Starting,
    }
}

fn why(raw: &wire::Task, state: TaskState, down: Option<&Node>, last_end: Option<&Ending>) -> Option<String> {
    let after = |words: &str| match last_end {
        Some(end) => Some(format!("restarting after {}", end.reason)),
        None => Some(words.to_owned()).filter(|words| !words.is_empty()),
    };
    match state {
        TaskState::Running | TaskState::Succeeded | TaskState::Stopping => None,
        TaskState::Lost => Some(format!("node {} is down", down.map_or("", |node| node.name.as_str()))),
        TaskState::Failed => Some(words::failure(&raw.status.err, raw.status.container_status.exit_code, &raw.spec)),
        TaskState::Stopped => (raw.status.state == "orphaned").then(|| "its node was down for too long".to_owned()),
        TaskState::Pending if !raw.status.err.is_empty() => Some(words::unplaced(&raw.status.err, &raw.spec)),
        TaskState::Pending => after("waiting for the scheduler"),
        TaskState::Starting => match raw.status.state.as_str() {
            "assigned" | "accepted" => after("waiting for its node to take it"),
            "preparing" => after("preparing: image, networks, volumes"),
            "ready" => after("ready to start, waits for the task before it"),
            "starting" => after("starting, not healthy yet"),
            _ => after(&raw.status.message),
        },
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
