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
    reasons.sort_unstable_by(|a, b| b.stuck.cmp(&a.stuck).then(b.tasks.cmp(&a.tasks)).then_with(|| a.why.cmp(&b.why)));
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
        TaskState::Pending | TaskState::Starting => task.stuck || task.restarts > 0 || task.last_end.is_some(),
        TaskState::Running | TaskState::Stopping | TaskState::Succeeded | TaskState::Stopped => false,
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::analysis::fixture::{self, Fixture, ago, starting, stuck, task};
    use crate::model::Ending;

    fn reasons(tasks: Vec<Task>) -> Vec<(String, u32, bool)> {
        let mut fixture = Fixture::kubernetes();
        fixture.service(fixture::service("web", 5));
        for task in tasks {
            fixture.task(task);
        }
        of_service(&fixture.state(), "web").into_iter().map(|r| (r.why.to_string(), r.tasks, r.stuck)).collect()
    }

    #[test]
    fn equal_words_are_one_reason_and_the_stuck_stand_first() {
        let found = reasons(vec![
            starting("t1", "web", Some("pulling image web:2"), 5),
            starting("t2", "web", Some("pulling image web:2"), 5),
            starting("t3", "web", Some("pulling image web:2"), 5),
            stuck("t4", "web", "no node has room", 60),
            stuck("t5", "web", "image not found: web:3", 60),
            stuck("t6", "web", "image not found: web:3", 90),
            task("t7", "web", "n1"),
            stuck("t8", "other", "not of this service", 60),
        ]);
        let want = [("image not found: web:3", 2, true), ("no node has room", 1, true), ("pulling image web:2", 3, false)];
        assert_eq!(found, want.map(|(why, tasks, stuck)| (why.to_owned(), tasks, stuck)));
    }

    #[test]
    fn a_reason_is_as_old_as_its_first_task() {
        let mut fixture = Fixture::kubernetes();
        fixture.service(fixture::service("web", 2));
        fixture.task(stuck("t1", "web", "image not found: web:3", 60)).task(stuck("t2", "web", "image not found: web:3", 90));
        assert_eq!(of_service(&fixture.state(), "web")[0].since, ago(90));
    }

    #[test]
    fn each_state_has_its_words() {
        let end = |reason: &str| Some(Ending { at: Some(ago(30)), exit: 1, reason: Text::new(reason) });
        let of = |state, last_end, restarts| Task { state, ready: false, why: None, last_end, restarts, ..task("t", "web", "n1") };
        let table = [
            (of(TaskState::Pending, None, 0), Some(("not placed on a node yet", false))),
            (of(TaskState::Starting, None, 0), Some(("starting", false))),
            // a start after a failed run is no first start
            (of(TaskState::Starting, None, 1), Some(("starting", true))),
            (of(TaskState::Starting, end("exit 1"), 0), Some(("starting", true))),
            (of(TaskState::Running, None, 3), Some(("running, not ready", false))),
            (of(TaskState::Failed, end("exit 7"), 0), Some(("exit 7", true))),
            (of(TaskState::Failed, None, 0), Some(("failed", true))),
            (of(TaskState::Lost, None, 0), Some(("on a node that does not answer", true))),
            (of(TaskState::Stopping, None, 0), None),
            (of(TaskState::Succeeded, None, 0), None),
            (of(TaskState::Stopped, None, 0), None),
            // nobody waits for a task that is no longer wanted, nor for one that is ready
            (Task { wanted: false, ..of(TaskState::Failed, None, 0) }, None),
            (task("t", "web", "n1"), None),
        ];
        for (task, want) in table {
            let words = format!("{} after {} restarts", task.state.word(), task.restarts);
            let want: Vec<_> = want.into_iter().map(|(why, stuck)| (why.to_owned(), 1, stuck)).collect();
            assert_eq!(reasons(vec![task]), want, "{words}");
        }
    }

    #[test]
    fn a_line_counts_in_words() {
        assert_eq!(line(&[]), "");
        let reason = |tasks| Reason { why: Text::new("image not found: x"), tasks, since: ago(1), stuck: true };
        assert_eq!(line(&[reason(1), reason(4)]), "image not found: x (1 task)");
        assert_eq!(line(&[reason(3)]), "image not found: x (3 tasks)");
    }
}
