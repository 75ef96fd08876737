//! Why a pod is not running and ready, in words an operator reads at night.

use super::super::raw::{ContainerSpec, ContainerStatus, RawPod, Terminated, condition};
use super::{bytes, image_name, unschedulable};
use crate::util::humanize::bytes_of;

/// Longest message of a kubelet that is passed on.
const MESSAGE: usize = 200;

/// A reason in words.
pub(super) struct Why {
    /// The words.
    pub words: String,
    /// See [`crate::model::Task::stuck`].
    pub stuck: bool,
}

impl Why {
    /// It does not pass by itself.
    pub fn stuck(words: impl Into<String>) -> Self {
        Self { words: words.into(), stuck: true }
    }

    /// A step on the way.
    fn passing(words: impl Into<String>) -> Self {
        Self { words: words.into(), stuck: false }
    }
}

/// Why `pod` is not running and ready; none if it is, or if it ended well.
pub(super) fn why(pod: &RawPod) -> Option<Why> {
    match pod.status.phase.as_str() {
        "Succeeded" => None,
        "Failed" => Some(Why::stuck(failed(pod))),
        _ if pod.metadata.deletion_timestamp.0.is_some() => ending(pod).map(Why::stuck),
        _ => init(pod).or_else(|| containers(pod).map(Why::stuck)).or_else(|| conditions(pod)),
    }
}

fn ending(pod: &RawPod) -> Option<String> {
    let finalizers = &pod.metadata.finalizers;
    (!finalizers.is_empty()).then(|| format!("waits for finalizer {}", finalizers.join(", ")))
}

fn failed(pod: &RawPod) -> String {
    let status = &pod.status;
    match status.reason.as_str() {
        "Evicted" => format!("evicted: {}", evicted(&status.message)),
        "NodeLost" => "its node was lost".to_owned(),
        "NodeShutdown" | "Terminated" => "its node was shut down".to_owned(),
        "DeadlineExceeded" => "it ran longer than its deadline".to_owned(),
        "Preempting" => "it made room for a pod of higher priority".to_owned(),
        "NodeAffinity" => "its node no longer matches its node selector".to_owned(),
        "OutOfcpu" | "OutOfmemory" | "OutOfpods" => format!("its node had no room left: {}", short(&status.message)),
        _ => {
            let ended = status.init_container_statuses.iter().chain(&status.container_statuses);
            let bad = ended.filter_map(|c| Some((c, c.state.terminated.as_ref()?))).find(|(_, t)| t.exit_code != 0);
            match bad {
                Some((container, ended)) => end_words(pod, &container.name, ended),
                None if !status.message.is_empty() => short(&status.message),
                None if !status.reason.is_empty() => status.reason.to_string(),
                None => "failed".to_owned(),
            }
        }
    }
}

/// `The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. …`
fn evicted(message: &str) -> String {
    match message.split_once("low on resource: ").and_then(|(_, rest)| rest.split('.').next()) {
        Some(resource) => format!("its node was low on {resource}"),
        None => short(message),
    }
}

fn init(pod: &RawPod) -> Option<Why> {
    let statuses = &pod.status.init_container_statuses;
    let all = pod.spec.init_containers.len();
    for (i, spec) in pod.spec.init_containers.iter().enumerate() {
        let Some(status) = statuses.iter().find(|s| s.name == spec.name) else { continue };
        if status.state.terminated.as_ref().is_some_and(|t| t.exit_code == 0) || (spec.is_sidecar() && status.started == Some(true))
        {
            continue;
        }
        if let Some(words) = stuck(pod, spec, status) {
            return Some(Why::stuck(format!("init container {}: {words}", spec.name)));
        }
        if status.state.running.is_some() {
            return Some(Why::passing(format!("init container {} runs ({} of {all})", spec.name, i + 1)));
        }
    }
    None
}

fn containers(pod: &RawPod) -> Option<String> {
    let several = pod.spec.containers.len() > 1;
    pod.spec.containers.iter().find_map(|spec| {
        let status = pod.status.container_statuses.iter().find(|s| s.name == spec.name)?;
        let words = stuck(pod, spec, status)?;
        Some(if several { format!("{}: {words}", spec.name) } else { words })
    })
}

/// What keeps a container from running.
fn stuck(pod: &RawPod, spec: &ContainerSpec, status: &ContainerStatus) -> Option<String> {
    if let Some(ended) = &status.state.terminated {
        return (ended.exit_code != 0 || !pod.status.phase.is_empty() && pod.status.phase == "Running")
            .then(|| end_words(pod, &spec.name, ended));
    }
    let waiting = status.state.waiting.as_ref()?;
    let image = image_name(&spec.image);
    let message = waiting.message.as_str();
    Some(match waiting.reason.as_str() {
        "CrashLoopBackOff" => {
            let last = status.last_state.terminated.as_ref();
            let end = last.map_or_else(|| "its end".to_owned(), |t| end_words(pod, &spec.name, t));
            match delay(message) {
                Some(delay) => format!("restarting after {end}, next try in up to {delay}"),
                None => format!("restarting after {end}"),
            }
        }
        "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" => pull(image, message),
        "InvalidImageName" => format!("the image name {image} is not valid"),
        "ErrImageNeverPull" => format!("image {image} is not on the node, and may not be pulled (imagePullPolicy Never)"),
        "CreateContainerConfigError" => format!("cannot start: {}", missing(message)),
        "CreateContainerError" | "RunContainerError" | "StartError" => format!("cannot start: {}", short(message)),
        _ => return None,
    })
}

/// `secret "db" not found`, `couldn't find key user in Secret shop/db`.
fn missing(message: &str) -> String {
    match message.strip_suffix(" not found").map(|head| head.replace('"', "")) {
        Some(what) => format!("{what} does not exist"),
        None => short(message),
    }
}

/// Words of a registry's refusal, as container runtimes pass them on.
fn pull(image: &str, message: &str) -> String {
    let text = message.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    // `not found` last: a host that is not found is no missing image
    if has(&["no such host", "connection refused", "i/o timeout", "network is unreachable", "deadline exceeded", "tls:", "x509"]) {
        return format!("cannot pull image {image}: the registry cannot be reached");
    }
    if has(&[
        "unauthorized",
        "authentication required",
        "access denied",
        "access to the resource is denied",
        "403 forbidden",
        "401",
    ]) {
        return format!("cannot pull image {image}: access denied, or it does not exist (check the pull secret)");
    }
    if has(&["toomanyrequests", "rate limit", "429"]) {
        return format!("cannot pull image {image}: the registry's rate limit is reached");
    }
    if has(&["not found", "manifest unknown", "name unknown", "does not exist"]) {
        return format!("image not found: {image}");
    }
    if has(&["no match for platform", "no matching manifest"]) {
        return format!("image {image} is not built for this node's platform");
    }
    let cause = message.split_once(": ErrImagePull: ").map(|(_, cause)| cause);
    match cause.or((!text.starts_with("back-off pulling image")).then_some(message)).map(str::trim).filter(|c| !c.is_empty()) {
        Some(cause) => format!("cannot pull image {image}: {}", short(cause)),
        None => format!("cannot pull image {image}"),
    }
}

/// `back-off 5m0s restarting failed container=web pod=…`: `5m`.
fn delay(message: &str) -> Option<String> {
    let raw = message.strip_prefix("back-off ")?.split(' ').next()?;
    Some(raw.strip_suffix("m0s").map_or_else(|| raw.to_owned(), |m| format!("{m}m")))
}

/// How a container ended: `exit 1`, `out of memory (limit 256 MiB)`, `signal 9`.
pub(super) fn end_words(pod: &RawPod, container: &str, ended: &Terminated) -> String {
    match ended.reason.as_str() {
        "OOMKilled" => {
            let limit = pod
                .spec
                .containers
                .iter()
                .chain(&pod.spec.init_containers)
                .find(|c| c.name == container)
                .and_then(|c| c.resources.limits.memory.as_ref());
            match limit {
                Some(limit) => format!("out of memory (limit {})", bytes_of(bytes(limit))),
                None => "out of memory (no limit of its own: the node ran out)".to_owned(),
            }
        }
        "ContainerCannotRun" | "StartError" => format!("failed start: {}", short(&ended.message)),
        "DeadlineExceeded" => "running longer than its deadline".to_owned(),
        _ if ended.signal != 0 => format!("signal {}", ended.signal),
        _ => match ended.exit_code {
            137 => "exit 137 (killed)".to_owned(),
            143 => "exit 143 (told to end)".to_owned(),
            126 => "exit 126 (command cannot be run)".to_owned(),
            127 => "exit 127 (command not found)".to_owned(),
            139 => "exit 139 (segmentation fault)".to_owned(),
            code => format!("exit {code}"),
        },
    }
}

fn conditions(pod: &RawPod) -> Option<Why> {
    let status = &pod.status;
    if let Some(scheduled) = condition(&status.conditions, "PodScheduled").filter(|c| c.status == "False") {
        return Some(Why::stuck(match scheduled.reason.as_str() {
            "SchedulingGated" => "held back by its scheduling gates".to_owned(),
            _ => unschedulable::plain(&scheduled.message),
        }));
    }
    let creating = |c: &ContainerStatus| c.state.waiting.as_ref().is_some_and(|w| w.reason == "ContainerCreating");
    if status.phase == "Pending" {
        let creates = status.container_statuses.iter().any(creating);
        return creates.then(|| Why::passing("preparing volumes, network and image"));
    }
    let ready = condition(&status.conditions, "Ready").filter(|c| c.status == "False")?;
    let unready: Vec<&ContainerStatus> = status.container_statuses.iter().filter(|c| !c.ready).collect();
    if unready.is_empty() {
        return Some(Why::stuck(if pod.spec.readiness_gates.is_empty() {
            "its node stopped reporting"
        } else {
            "a readiness gate is not met"
        }));
    }
    let starting = unready
        .iter()
        .any(|c| c.started == Some(false) && pod.spec.containers.iter().any(|s| s.name == c.name && s.startup_probe.is_some()));
    let names: Vec<&str> = unready.iter().map(|c| c.name.as_str()).collect();
    let of = if pod.spec.containers.len() > 1 { format!(" of {}", names.join(", ")) } else { String::new() };
    Some(match ready.reason.as_str() {
        _ if starting => Why::passing(format!("not ready: the startup check{of} has not passed yet")),
        "ContainersNotReady" => Why::stuck(format!("not ready: the readiness check{of} does not pass")),
        _ => Why::stuck(short(&ready.message)),
    })
}

fn short(message: &str) -> String {
    let message = message.trim();
    if message.chars().count() <= MESSAGE {
        return message.to_owned();
    }
    message.chars().take(MESSAGE - 1).chain(['…']).collect()
}
