//! Events of the engine and of the swarm.

use super::wire::Happened;
use super::{STACK, told, words};
use crate::model::{Event, Key, Kind, Severity, Text};
use crate::util::time::Timestamp;
use std::collections::HashMap;

/// Label that a swarm puts on its tasks' containers.
pub const TASK_ID: &str = "com.docker.swarm.task.id";

/// The row of an event; `in_swarm` decides whether a container stands for a task of the swarm or is the task itself.
pub fn event(message: &Happened, in_swarm: bool) -> Event {
    let Happened { kind, action, actor, time, time_nano: nanos, odd } = message;
    let (id, attributes) = (actor.id.as_str(), &actor.attributes);
    let attribute = |name: &str| attributes.get(name).map(String::as_str);
    let at = if *nanos > 0 { nanos / 1_000_000 } else { time.saturating_mul(1_000) };
    let about = match kind.as_str() {
        "service" => Some((Kind::Service, Key::new(id))),
        "node" => Some((Kind::Node, Key::new(id))),
        "container" if in_swarm => attribute(TASK_ID).map(|task| (Kind::Task, Key::new(task))),
        "container" => Some((Kind::Task, Key::new(id))),
        _ => None,
    };
    let name = attribute("com.docker.swarm.task.name").filter(|_| in_swarm).or_else(|| attribute("name")).unwrap_or(id);
    let namespace = attribute(STACK).or_else(|| attribute("com.docker.compose.project")).unwrap_or_default();
    Event {
        key: Key::from(format!("{nanos}/{kind}/{action}/{id}").as_str()),
        at: Timestamp(at),
        severity: severity(action, attributes),
        about,
        object: Text::from(format!("{kind} {name}")),
        namespace: Text::new(namespace),
        reason: Text::new(action),
        message: told(odd.as_ref(), Some(Text::from(describe(action, attributes)))).unwrap_or_default(),
        count: 1,
    }
}

fn severity(action: &str, attributes: &HashMap<String, String>) -> Severity {
    let is = |name: &str, value: &str| attributes.get(name).is_some_and(|held| held == value);
    let bad = action == "oom"
        || action.ends_with("unhealthy")
        || (action == "die" && !is("exitCode", "0"))
        || is("state.new", "down")
        || attributes.get("updatestate.new").is_some_and(|state| state == "paused" || state.starts_with("rollback"));
    if bad { Severity::Warning } else { Severity::Normal }
}

/// What changed: swarm events carry `WHAT.old` and `WHAT.new` (moby `daemon/cluster/noderunner.go`).
fn describe(action: &str, attributes: &HashMap<String, String>) -> String {
    let mut changes: Vec<String> = attributes
        .iter()
        .filter_map(|(name, new)| {
            let what = name.strip_suffix(".new")?;
            let old = attributes.get(&format!("{what}.old")).map_or("", String::as_str);
            let what = if what == "updatestate" { "update" } else { what };
            Some(match old {
                "" => format!("{what} {}", words::image(new)),
                old => format!("{what} {} → {}", words::image(old), words::image(new)),
            })
        })
        .collect();
    if !changes.is_empty() {
        changes.sort_unstable();
        return changes.join(", ");
    }
    let exit = attributes.get("exitCode").and_then(|code| code.parse().ok());
    let image = attributes.get("image").map(|image| words::image(image));
    match (action, exit, image) {
        ("die", Some(code), _) => words::exit(code),
        ("oom", ..) => "out of memory: the kernel killed a process of it".to_owned(),
        ("kill", ..) => format!("signal {} was sent", attributes.get("signal").map_or("", String::as_str)),
        ("start" | "create", _, Some(image)) => format!("image {image}"),
        _ => String::new(),
    }
}
