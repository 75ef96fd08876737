//! Swarm's and the engine's messages in words an operator reads at night.

use crate::backend::docker::wire::{Amounts, Placement, TaskSpec};
use crate::util::humanize;

/// An image reference without its digest (`web:1.3@sha256:…` → `web:1.3`).
pub fn image(reference: &str) -> &str {
    reference.split_once('@').map_or(reference, |(name, _)| name)
}

/// How a process ended.
pub fn exit(code: i32) -> String {
    match code {
        137 => "exit 137 (killed)".to_owned(),
        139 => "exit 139 (segmentation fault)".to_owned(),
        143 => "exit 143 (terminated)".to_owned(),
        127 => "exit 127 (command not found)".to_owned(),
        126 => "exit 126 (command cannot be run)".to_owned(),
        code => format!("exit {code}"),
    }
}

/// Why a task failed or was rejected, from `Status.Err`.
pub fn failure(err: &str, exit_code: i32, spec: &TaskSpec) -> String {
    let err = err.trim();
    if err.starts_with("task: non-zero exit") {
        return exit(exit_code);
    }
    if err.contains("unhealthy container") {
        return "killed: its health check failed".to_owned();
    }
    if err.starts_with("No such image") || err.contains("pull access denied") || err.contains("manifest unknown") {
        return format!("image not found: {}", image(&spec.container_spec.image));
    }
    if err.contains("executable file not found") || err.contains("no such file or directory: unknown") {
        return format!("its command cannot be started: {err}");
    }
    if err.is_empty() && exit_code != 0 { exit(exit_code) } else { err.to_owned() }
}

/// Why the scheduler finds no node, from `Status.Err`: `no suitable node (REASON on N nodes; …)`. The reasons are those
/// of swarmkit `manager/scheduler/filter.go`, `Explain`.
pub fn unplaced(err: &str, spec: &TaskSpec) -> String {
    let Some(reasons) = err.strip_prefix("no suitable node").map(|rest| rest.trim().trim_start_matches('(').trim_end_matches(')'))
    else {
        return err.to_owned();
    };
    let mut reasons: Vec<&str> = reasons.split("; ").filter(|reason| !reason.is_empty()).collect();
    // what broke before what was never meant to fit: a narrow screen cuts the end
    reasons.sort_by_key(|reason| !reason.ends_with("not available for new tasks"));
    match reasons.as_slice() {
        [] => "no node takes it".to_owned(),
        // the only reason there is holds for all nodes
        [one] => only_reason(one, spec),
        several => {
            let words: Vec<String> = several.iter().map(|reason| reason_words(reason, spec)).collect();
            format!("no node takes it: {}", words.join("; "))
        }
    }
}

fn only_reason(reason: &str, spec: &TaskSpec) -> String {
    if reason.starts_with("scheduling constraints not satisfied") && !spec.placement.constraints.is_empty() {
        format!("no node satisfies {}", spec.placement.constraints.join(" and "))
    } else if reason.starts_with("insufficient resources") {
        format!("no node has the room it reserves ({})", amounts(&spec.resources.reservations))
    } else if reason.ends_with("not available for new tasks") {
        "no node takes tasks: all are down, paused or drained".to_owned()
    } else {
        reason_words(reason, spec)
    }
}

fn reason_words(reason: &str, spec: &TaskSpec) -> String {
    let nodes = reason.rsplit_once(" on ").map_or(reason, |(_, nodes)| nodes);
    if reason.starts_with("scheduling constraints not satisfied") && !spec.placement.constraints.is_empty() {
        format!("{nodes} not satisfying {}", spec.placement.constraints.join(" and "))
    } else if reason.starts_with("insufficient resources") {
        format!("{nodes} without the room it reserves ({})", amounts(&spec.resources.reservations))
    } else if reason.ends_with("not available for new tasks") {
        format!("{} down, paused or drained", reason.trim_end_matches(" not available for new tasks"))
    } else if reason.starts_with("max replicas per node limit") {
        format!("every node has its {} tasks already", spec.placement.max_replicas)
    } else if reason.starts_with("host-mode port already in use") {
        format!("{nodes} with the port in use already")
    } else {
        reason.to_owned()
    }
}

fn amounts(amounts: &Amounts) -> String {
    let mut cpu = String::new();
    humanize::cpu(&mut cpu, amounts.nano_cpus / 1_000_000);
    match (amounts.nano_cpus, amounts.memory_bytes) {
        (0, 0) => "generic resources".to_owned(),
        (0, mem) => humanize::bytes_of(mem),
        (_, 0) => format!("cpu {cpu}"),
        (_, mem) => format!("cpu {cpu}, {}", humanize::bytes_of(mem)),
    }
}

/// Placement in one line.
pub fn placement(placement: &Placement) -> Option<String> {
    let spread =
        placement.preferences.iter().filter_map(|p| p.spread.as_ref()).map(|s| format!("spread over {}", s.spread_descriptor));
    let most = (placement.max_replicas > 0).then(|| format!("at most {} a node", placement.max_replicas));
    let all: Vec<String> = placement.constraints.iter().cloned().chain(spread).chain(most).collect();
    (!all.is_empty()).then(|| all.join(" · "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_schedulers_reasons_become_words_with_what_the_service_asks_for() {
        let spec: TaskSpec = serde_json::from_str(
            r#"{"ContainerSpec":{"Image":"web:1@sha256:00"},"Resources":{"Reservations":{"NanoCPUs":500000000,"MemoryBytes":268435456}},
                "Placement":{"Constraints":["node.labels.ssd == true"],"MaxReplicas":2}}"#,
        )
        .unwrap();
        for (err, want) in [
            ("no suitable node (scheduling constraints not satisfied on 3 nodes)", "no node satisfies node.labels.ssd == true"),
            ("no suitable node (insufficient resources on 1 node)", "no node has the room it reserves (cpu 500m, 256 MiB)"),
            (
                "no suitable node (scheduling constraints not satisfied on 1 node; 2 nodes not available for new tasks)",
                "no node takes it: 2 nodes down, paused or drained; 1 node not satisfying node.labels.ssd == true",
            ),
            ("no suitable node (max replicas per node limit exceed)", "every node has its 2 tasks already"),
            ("no suitable node (unsupported platform on 3 nodes)", "unsupported platform on 3 nodes"),
            ("something new", "something new"),
        ] {
            assert_eq!(unplaced(err, &spec), want);
        }
        for (err, code, want) in [
            ("task: non-zero exit (1)", 1, "exit 1"),
            ("task: non-zero exit (137): dockerexec: unhealthy container", 137, "exit 137 (killed)"),
            ("dockerexec: unhealthy container", 0, "killed: its health check failed"),
            ("No such image: web:1@sha256:00", 0, "image not found: web:1"),
            (
                "invalid mount config for type \"bind\": bind source path does not exist: /x",
                0,
                "invalid mount config for type \"bind\": bind source path does not exist: /x",
            ),
        ] {
            assert_eq!(failure(err, code, &spec), want);
        }
    }
}
