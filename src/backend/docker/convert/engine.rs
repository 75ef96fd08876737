//! A single engine: Compose services and lone containers.

use super::{Rows, told, words};
use crate::backend::docker::wire::{Container, ContainerDetail, Info};
use crate::model::{
    Availability, Ending, Key, Node, NodeState, Resources, Rollout, RolloutState, Service, ServiceKind, Task, TaskState, Text,
    UpdateStrategy,
};
use crate::util::humanize;
use crate::util::time::Timestamp;
use std::collections::{BTreeMap, HashMap};

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const ONE_OFF: &str = "com.docker.compose.oneoff";
const CONFIG: &str = "com.docker.compose.config-hash";

/// All rows of an engine. Details of containers may be missing: then only what the list says is known.
pub fn engine(info: &Info, containers: &[Container], details: &HashMap<String, ContainerDetail>) -> Rows {
    let node = node(info);
    let mut of_service: BTreeMap<Key, Vec<(&Container, Task)>> = BTreeMap::new();
    for raw in containers {
        let task = task(raw, details.get(&raw.id), &node.key);
        of_service.entry(service_key(raw)).or_default().push((raw, task));
    }
    let services = of_service.iter().filter_map(|(key, members)| service(key, members)).collect();
    let tasks = of_service.into_values().flatten().map(|(_, task)| task).collect();
    Rows { nodes: vec![node], services, tasks }
}

fn node(info: &Info) -> Node {
    let zone = info.labels.iter().find_map(|label| label.strip_prefix("zone="));
    let worker = info.swarm.local_node_state == "active" && !info.swarm.control_available;
    Node {
        key: Key::new(&info.id),
        uid: Key::new(&info.id),
        spec_rev: 0,
        name: Text::new(&info.name),
        labels: Box::default(),
        taints: Box::default(),
        zone: zone.map(Text::new),
        // a worker's own engine is shown alone, since only managers know the swarm
        role: Text::new(if worker { "engine (swarm worker)" } else { "engine" }),
        state: NodeState::Ready,
        since: None,
        why: told(info.odd.as_ref(), None),
        availability: Availability::Active,
        pressure: Box::default(),
        allocatable: Resources { cpu_m: info.cpus.saturating_mul(1_000), mem: info.mem_total },
        max_tasks: None,
        version: Text::new(&info.server_version),
        address: Text::default(),
        created: Timestamp::default(),
    }
}

/// Project and service of a container that Compose keeps running; `docker compose run` containers stand alone.
fn compose(raw: &Container) -> Option<(&str, &str)> {
    let one_off = raw.labels.get(ONE_OFF).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    Some((raw.labels.get(PROJECT)?.as_str(), raw.labels.get(SERVICE)?.as_str())).filter(|_| !one_off)
}

/// The service a container belongs to: its Compose service, or itself.
pub fn service_key(raw: &Container) -> Key {
    compose(raw).map_or_else(|| Key::new(&raw.id), |(project, service)| Key::from(format!("{project}/{service}").as_str()))
}

/// A container's name without the slash that the engine puts before it.
pub fn name(raw: &Container) -> &str {
    raw.names.first().map_or_else(|| raw.id.get(..12).unwrap_or(&raw.id), |name| name.trim_start_matches('/'))
}

fn service(key: &Key, members: &[(&Container, Task)]) -> Option<Service> {
    // the newest container is made from the newest definition
    let (raw, newest) = members.iter().max_by_key(|(_, task)| task.created)?;
    let count =
        |test: &dyn Fn(&Task) -> bool| u32::try_from(members.iter().filter(|(_, task)| test(task)).count()).unwrap_or(u32::MAX);
    let compose = compose(raw);
    let project = raw.labels.get(PROJECT).map(|project| Text::new(project));
    let moving = members.iter().any(|(_, task)| task.state == TaskState::Starting && task.last_end.is_none());
    Some(Service {
        key: key.clone(),
        spec_rev: 0,
        observed_rev: 0,
        name: compose.map_or_else(|| newest.name.clone(), |(_, service)| Text::new(service)),
        namespace: project.clone().unwrap_or_default(),
        kind: if compose.is_some() { ServiceKind::Compose } else { ServiceKind::Container },
        stack: project,
        image: newest.image.clone(),
        container: Text::default(),
        beside: Box::default(),
        desired: Some(count(&|task| task.wanted)),
        ready: count(&|task| task.ready),
        updated: count(&|task| task.wanted && task.revision == newest.revision),
        current: count(&|task| !task.state.ended()),
        rollout: Rollout { state: if moving { RolloutState::Progressing } else { RolloutState::Stable }, note: None },
        revision: None,
        previous: None,
        earlier: Box::default(),
        budget: None,
        autoscaler: None,
        suspended: false,
        strategy: UpdateStrategy::Rolling,
        placement: None,
        ports: ports(members),
        created: members.iter().map(|(_, task)| task.created).min().unwrap_or_default(),
        changed: None,
    })
}

fn task(raw: &Container, detail: Option<&ContainerDetail>, node: &Key) -> Task {
    let state = state(raw, detail);
    let compose = compose(raw);
    let policy = detail.map_or("", |detail| detail.host_config.restart_policy.name.as_str());
    let restarts_itself = !matches!(policy, "" | "no");
    let created = Timestamp(raw.created.saturating_mul(1_000));
    let ended = detail.filter(|detail| detail.state.finished_at.is_some()).map(|detail| Ending {
        at: detail.state.finished_at,
        exit: detail.state.exit_code,
        reason: Text::from(ending(detail)),
    });
    let since = detail.and_then(|detail| if state.ended() { detail.state.finished_at } else { detail.state.started_at });
    let name = Text::new(name(raw));
    Task {
        key: Key::new(&raw.id),
        namespace: raw.labels.get(PROJECT).map(|project| Text::new(project)).unwrap_or_default(),
        service: Some(service_key(raw)),
        controller: None,
        node: Some(node.clone()),
        state,
        ready: state == TaskState::Running && raw.state == "running" && health(raw).is_none(),
        // what ended well or was stopped is not missed; what failed is, where something keeps it running
        wanted: !state.ended() || (state == TaskState::Failed && (compose.is_some() || restarts_itself)),
        why: told(raw.odd.as_ref().or(detail.and_then(|detail| detail.odd.as_ref())), why(raw, state, detail)),
        stuck: matches!(state, TaskState::Failed) || raw.state == "restarting",
        since: since.unwrap_or(created),
        image: Text::new(words::image(&raw.image)),
        restarts: detail.map_or(0, |detail| detail.restart_count),
        last_end: ended,
        revision: raw.labels.get(CONFIG).map(|hash| Text::new(hash)),
        requests: detail.map_or_else(Resources::default, |d| Resources { cpu_m: 0, mem: d.host_config.memory_reservation }),
        limits: detail.map_or_else(Resources::default, |d| Resources {
            cpu_m: d.host_config.nano_cpus / 1_000_000,
            mem: d.host_config.memory,
        }),
        containers: Box::new([name.clone()]),
        // an engine's own default (moby `container.DefaultStopTimeout`)
        grace: detail.and_then(|detail| u32::try_from(detail.config.stop_timeout.unwrap_or(10)).ok()),
        created,
        name,
    }
}

fn state(raw: &Container, detail: Option<&ContainerDetail>) -> TaskState {
    match raw.state.as_str() {
        // a failing check says that it takes no work, not that it starts
        "running" if health(raw) == Some("starting") => TaskState::Starting,
        "running" | "paused" => TaskState::Running,
        "restarting" => TaskState::Starting,
        "removing" => TaskState::Stopping,
        "dead" => TaskState::Failed,
        "exited" => exited(raw, detail),
        // created, never started
        _ => TaskState::Stopped,
    }
}

/// How to read an exited container: nothing restarts `always` and `unless-stopped` containers only after a stop by hand,
/// which leaves exit code 0, 137 or 143 (moby `container/restartmanager`).
fn exited(raw: &Container, detail: Option<&ContainerDetail>) -> TaskState {
    let code = detail.map_or_else(|| exit_code(&raw.status), |detail| Some(detail.state.exit_code));
    let policy = detail.map_or("", |detail| detail.host_config.restart_policy.name.as_str());
    let oom = detail.is_some_and(|detail| detail.state.oom_killed);
    match code {
        _ if oom => TaskState::Failed,
        _ if matches!(policy, "always" | "unless-stopped") => TaskState::Stopped,
        Some(0) => TaskState::Succeeded,
        Some(137 | 143) => TaskState::Stopped,
        _ => TaskState::Failed,
    }
}

/// `Exited (137) 2 hours ago` → 137.
fn exit_code(status: &str) -> Option<i32> {
    status.split_once('(')?.1.split_once(')')?.0.parse().ok()
}

/// What its health check says, where it is not well: `starting` or `unhealthy`.
fn health(raw: &Container) -> Option<&'static str> {
    if raw.status.ends_with("(unhealthy)") {
        Some("unhealthy")
    } else if raw.status.ends_with("(health: starting)") {
        Some("starting")
    } else {
        None
    }
}

fn why(raw: &Container, state: TaskState, detail: Option<&ContainerDetail>) -> Option<Text> {
    let ended = || detail.map(ending);
    let words = match (state, raw.state.as_str()) {
        (TaskState::Running, "paused") => Some("paused".to_owned()),
        (TaskState::Running, _) => health(raw).map(|_| match detail.and_then(|detail| detail.state.health.as_ref()) {
            Some(health) if health.failing_streak > 0 => {
                format!("its health check failed {} times in a row", health.failing_streak)
            }
            _ => "its health check fails".to_owned(),
        }),
        (TaskState::Starting, "restarting") => {
            Some(ended().map_or("restarting".to_owned(), |end| format!("restarting after {end}")))
        }
        (TaskState::Starting, _) => Some("started, not healthy yet".to_owned()),
        (TaskState::Failed, _) => Some(ended().unwrap_or_else(|| exit_code(&raw.status).map_or("failed".to_owned(), words::exit))),
        (TaskState::Stopped, "created") => Some(match detail.map(|detail| detail.state.error.as_str()) {
            Some(error) if !error.is_empty() => format!("could not be started: {error}"),
            _ => "created, never started".to_owned(),
        }),
        _ => None,
    };
    words.map(Text::from)
}

fn ending(detail: &ContainerDetail) -> String {
    if detail.state.oom_killed {
        match detail.host_config.memory {
            0 => "out of memory".to_owned(),
            limit => format!("out of memory (limit {})", humanize::bytes_of(limit)),
        }
    } else if !detail.state.error.is_empty() {
        detail.state.error.clone()
    } else {
        words::exit(detail.state.exit_code)
    }
}

fn ports(members: &[(&Container, Task)]) -> Option<Text> {
    let mut all: Vec<String> = members
        .iter()
        .flat_map(|(raw, _)| &raw.ports)
        .filter_map(|port| port.public_port.map(|public| format!("{public}→{}/{}", port.private_port, port.r#type)))
        .collect();
    all.sort_unstable();
    // IPv4 and IPv6 are listed apart
    all.dedup();
    (!all.is_empty()).then(|| Text::from(all.join(", ")))
}
