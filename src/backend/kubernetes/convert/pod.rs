//! Pods.

use super::super::raw::{Amounts, ContainerStatus, RawPod, Resources as RawResources, condition};
use super::{Names, bytes, millicores, why};
use crate::model::{Ending, Key, Resources, Task, TaskState, Text};
use crate::util::time::Timestamp;
use std::time::Duration;

/// The row of a pod. `service` is the row that keeps it running, `node_down` whether its node's kubelet is silent.
pub(in super::super) fn pod(raw: &RawPod, service: Option<Key>, node_down: bool, names: &mut Names) -> Task {
    let meta = &raw.metadata;
    let lost = node_down || silent(raw);
    let state = state(raw, lost);
    let created = meta.creation_timestamp.0.unwrap_or_default();
    let why = if state == TaskState::Lost {
        Some(why::Why::stuck("its node does not answer: nobody knows whether it runs"))
    } else {
        why::why(raw)
    };
    let ready = matches!(state, TaskState::Running | TaskState::Starting)
        && condition(&raw.status.conditions, "Ready").is_some_and(|c| c.status == "True");
    let revision = meta.labels.pod_template_hash.as_ref().or(meta.labels.controller_revision_hash.as_ref());
    // a mirror pod may belong to whatever its file says: what runs belongs to its node
    let controller =
        if meta.annotations.mirror.is_some() { Some("Node") } else { meta.controller().map(|owner| owner.kind.as_str()) };
    let counted = |c: &&ContainerStatus| raw.spec.init_containers.iter().all(|s| s.name != c.name || s.is_sidecar());
    Task {
        key: Key::new(&meta.uid),
        name: Text::new(&meta.name),
        namespace: names.text(&meta.namespace),
        service,
        controller: controller.map(|kind| names.text(kind)),
        node: (!raw.spec.node_name.is_empty()).then(|| names.key(&raw.spec.node_name)),
        state,
        ready,
        wanted: meta.deletion_timestamp.0.is_none(),
        stuck: why.as_ref().is_some_and(|why| why.stuck),
        why: meta.told(why.map(|why| names.text(&why.words))),
        since: since(raw, state).unwrap_or(created),
        image: names.text(raw.spec.containers.first().map_or("", |c| image_name(&c.image))),
        restarts: statuses(raw).filter(counted).fold(0, |sum, c| sum.saturating_add(c.restart_count)),
        last_end: last_end(raw),
        revision: revision.map(|r| names.text(r)),
        requests: requests(raw),
        limits: limits(raw),
        containers: raw.spec.containers.iter().map(|c| names.text(&c.name)).collect(),
        grace: raw.spec.grace.and_then(|seconds| u32::try_from(seconds).ok()),
        created,
    }
}

/// An image without its digest: `web:1.2@sha256:…` is `web:1.2`.
pub(in super::super) fn image_name(image: &str) -> &str {
    image.split_once('@').map_or(image, |(name, _)| name)
}

/// The node controller writes `Ready=False` over a pod whose containers all are ready when the pod's node falls silent.
/// It is how a pod shows it when its update arrives before the node's.
fn silent(raw: &RawPod) -> bool {
    let all_ready = !raw.status.container_statuses.is_empty() && raw.status.container_statuses.iter().all(|c| c.ready);
    raw.status.reason == "NodeLost"
        || raw.status.phase == "Running"
            && all_ready
            && raw.spec.readiness_gates.is_empty()
            && condition(&raw.status.conditions, "Ready").is_some_and(|c| c.status == "False")
            && condition(&raw.status.conditions, "ContainersReady").is_none_or(|c| c.status == "True")
}

fn state(raw: &RawPod, lost: bool) -> TaskState {
    match raw.status.phase.as_str() {
        "Succeeded" => return TaskState::Succeeded,
        "Failed" => return TaskState::Failed,
        _ => {}
    }
    if lost || raw.status.phase == "Unknown" {
        return TaskState::Lost;
    }
    if raw.metadata.deletion_timestamp.0.is_some() {
        return TaskState::Stopping;
    }
    if raw.status.phase == "Running" {
        let runs = raw.status.container_statuses.iter().any(|c| c.state.running.is_some());
        return if runs || raw.status.container_statuses.is_empty() { TaskState::Running } else { TaskState::Starting };
    }
    if raw.spec.node_name.is_empty() { TaskState::Pending } else { TaskState::Starting }
}

fn since(raw: &RawPod, state: TaskState) -> Option<Timestamp> {
    let transition = |kind| condition(&raw.status.conditions, kind).and_then(|c| c.last_transition_time.0);
    let ends = || raw.status.container_statuses.iter().filter_map(|c| c.state.terminated.as_ref()?.finished_at.0).max();
    match state {
        TaskState::Pending => None,
        TaskState::Starting => {
            // a container that keeps failing starts again and again: it is the first failure that counts, and its time
            // is that of the last moment the pod was ready
            transition("ContainersReady").or_else(|| transition("PodScheduled"))
        }
        TaskState::Running | TaskState::Lost => {
            let started = raw.status.container_statuses.iter().filter_map(|c| c.state.running.as_ref()?.started_at.0).max();
            transition("Ready").or(started)
        }
        TaskState::Stopping => {
            // the time by which it must be gone, minus the grace it got
            let grace = Duration::from_secs(raw.metadata.deletion_grace_period_seconds.unwrap_or(0));
            raw.metadata.deletion_timestamp.0.map(|t| t.minus(grace))
        }
        TaskState::Succeeded | TaskState::Failed | TaskState::Stopped => ends().or_else(|| transition("Ready")),
    }
}

fn statuses(raw: &RawPod) -> impl Iterator<Item = &ContainerStatus> {
    raw.status.container_statuses.iter().chain(&raw.status.init_container_statuses)
}

/// The last run that ended, of any container; a run that ended well counts only when the container was started again.
fn last_end(raw: &RawPod) -> Option<Ending> {
    let good_init = |c: &ContainerStatus| raw.status.init_container_statuses.iter().any(|i| std::ptr::eq(i, c));
    statuses(raw)
        .filter_map(|c| Some((c, c.state.terminated.as_ref().or(c.last_state.terminated.as_ref())?)))
        .filter(|(c, ended)| ended.exit_code != 0 || !good_init(c))
        .max_by_key(|(_, ended)| ended.finished_at.0)
        .map(|(container, ended)| Ending {
            at: ended.finished_at.0,
            exit: ended.exit_code,
            reason: Text::from(why::end_words(raw, &container.name, ended)),
        })
}

/// What the scheduler sets aside: the larger of what the containers need together and what any init container needs beside
/// the sidecars started before it, plus overhead (Kubernetes docs, "Sidecar containers", "Resource sharing").
fn requests(raw: &RawPod) -> Resources {
    let mut running = Resources::default();
    let mut peak = Resources::default();
    for init in &raw.spec.init_containers {
        let own = amount(&init.resources.requests);
        if init.is_sidecar() {
            running = running.plus(own);
            peak = larger(peak, running);
        } else {
            peak = larger(peak, running.plus(own));
        }
    }
    let all = raw.spec.containers.iter().fold(running, |sum, c| sum.plus(amount(&c.resources.requests)));
    let sum = larger(peak, all);
    over(&raw.spec.resources.requests, sum).plus(amount(&raw.spec.overhead))
}

/// The sum of the containers' limits; zero (no limit) as soon as one of them has none.
fn limits(raw: &RawPod) -> Resources {
    let each: Vec<&RawResources> = raw
        .spec
        .containers
        .iter()
        .chain(raw.spec.init_containers.iter().filter(|c| c.is_sidecar()))
        .map(|c| &c.resources)
        .collect();
    let sum = each.iter().fold(Resources::default(), |sum, r| sum.plus(amount(&r.limits)));
    let (cpu, mem) = (each.iter().all(|r| r.limits.cpu.is_some()), each.iter().all(|r| r.limits.memory.is_some()));
    let sum = Resources { cpu_m: if cpu { sum.cpu_m } else { 0 }, mem: if mem { sum.mem } else { 0 } };
    over(&raw.spec.resources.limits, sum)
}

/// What the pod as a whole asks for stands above the sum of its containers.
fn over(whole: &Amounts, sum: Resources) -> Resources {
    Resources {
        cpu_m: whole.cpu.as_ref().map_or(sum.cpu_m, |q| millicores(q)),
        mem: whole.memory.as_ref().map_or(sum.mem, |q| bytes(q)),
    }
}

fn amount(of: &Amounts) -> Resources {
    over(of, Resources::default())
}

fn larger(a: Resources, b: Resources) -> Resources {
    Resources { cpu_m: a.cpu_m.max(b.cpu_m), mem: a.mem.max(b.mem) }
}
