//! Why tasks of a service are not running, grouped by equal words: `image not found: web:1.3 (3 tasks)`.

use crate::model::{ClusterState, Task, TaskState, Text};
use crate::util::time::Timestamp;

/// Tasks that share a reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The reason in words.
    pub why: Text,
    /// How many tasks have it.
    pub tasks: u32,
    /// Since when the first of them is in its state.
    pub since: Timestamp,
    /// Whether one of them has failed or cannot go on, rather than being under way.
    pub stuck: bool,
}

/// The reasons of the tasks of `service` that are wanted and not ready: the stuck first, then the most frequent, then
/// by words, so that equal facts give equal order.
pub fn of_service(state: &ClusterState, service: &str) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for task in state.tasks_of(service).filter(|t| t.wanted && !t.ready) {
        let Some(why) = words(task) else { continue };
        let stuck = stuck(task);
        match reasons.iter_mut().find(|r| r.why == why) {
            Some(reason) => {
                reason.tasks += 1;
                reason.since = reason.since.min(task.since);
                reason.stuck |= stuck;
            }
            None => reasons.push(Reason { why, tasks: 1, since: task.since, stuck }),
        }
    }
    reasons.sort_by(|a, b| b.stuck.cmp(&a.stuck).then(b.tasks.cmp(&a.tasks)).then_with(|| a.why.cmp(&b.why)));
    reasons
}

/// The reason of one task; none when it is well on its way and says nothing.
fn words(task: &Task) -> Option<Text> {
    if let Some(why) = &task.why {
        return Some(why.clone());
    }
    match task.state {
        TaskState::Pending => Some(Text::new("not placed on a node yet")),
        TaskState::Lost => Some(Text::new("on a node that does not answer")),
        TaskState::Failed => Some(task.last_end.as_ref().map_or_else(|| Text::new("failed"), |end| end.reason.clone())),
        TaskState::Running => Some(Text::new("running, not ready")),
        TaskState::Starting => Some(Text::new("starting")),
        TaskState::Stopping | TaskState::Succeeded | TaskState::Stopped => None,
    }
}

/// Whether something went wrong, as against a start that is under way.
fn stuck(task: &Task) -> bool {
    match task.state {
        TaskState::Failed | TaskState::Lost => true,
        TaskState::Pending | TaskState::Starting => {
            task.restarts > 0 || task.last_end.is_some() || task.why.as_ref().is_some_and(|why| !under_way(why))
        }
        TaskState::Running | TaskState::Stopping | TaskState::Succeeded | TaskState::Stopped => false,
    }
}

/// How the words of a start that is well on its way begin, in all backends. Anything else that a task which has not run
/// yet says of itself is a reason for not starting.
const UNDER_WAY: [&str; 7] = [
    "pulling image",
    "preparing",
    "waiting for",
    "ready to start",
    "starting",
    "container is being made",
    "not ready: the startup check",
];

fn under_way(why: &str) -> bool {
    UNDER_WAY.iter().any(|begin| why.starts_with(begin)) || (why.starts_with("init container") && why.contains(" runs ("))
}

/// `image not found: web:1.3 (3 tasks)`: the first reason in one line; empty if there is none.
pub fn line(reasons: &[Reason]) -> String {
    match reasons.first() {
        None => String::new(),
        Some(reason) => format!("{} ({})", reason.why, count(reason.tasks, "task")),
    }
}

/// `1 task`, `3 tasks`.
pub fn count(n: u32, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}
