//! The tasks pane: pods, Swarm tasks, containers.

use super::PaneId;
use super::cells;
use super::list::{List, plain};
use crate::input::{Command, Scope};
use crate::model::{ClusterKind, ClusterState, Interest, Kind, ObjectRef, Task, TaskState, Text};
use crate::theme::Role;
use crate::ui::cx::{Cx, Place, Subject};
use crate::ui::outcome::{Go, Outcome};
use crate::ui::view::naming;
use crate::ui::view::rows::{Beside, By, Reads, Rows, Sort, Source};
use crate::ui::widget::table::{CellText, Column, Fit};
use std::sync::Arc;

/// See the module's description.
pub struct Tasks;

const CLUSTER: usize = 0;
const NAME: usize = 1;
const STATE: usize = 2;
const RESTARTS: usize = 3;
const NODE: usize = 4;
const WHY: usize = 5;
const CPU: usize = 6;
const TREND: usize = 7;
const MEMORY: usize = 8;
const AGE: usize = 9;
const IMAGE: usize = 10;

const COLUMNS: &[Column] = &[
    Column { title: "CLUSTER", fit: Fit::Name, min: 7, max: 16, priority: 0, grow: false },
    Column { title: "NAME", fit: Fit::Name, min: 14, max: 48, priority: 0, grow: false },
    Column { title: "STATE", fit: Fit::Words, min: 9, max: 13, priority: 0, grow: false },
    Column { title: "REST", fit: Fit::Number, min: 4, max: 5, priority: 2, grow: false },
    Column { title: "NODE", fit: Fit::Name, min: 8, max: 24, priority: 3, grow: false },
    Column { title: "WHY", fit: Fit::Words, min: 12, max: 80, priority: 1, grow: true },
    Column { title: "CPU", fit: Fit::Number, min: 4, max: 5, priority: 4, grow: false },
    Column { title: "10 MIN", fit: Fit::Words, min: 10, max: 10, priority: 6, grow: false },
    Column { title: "MEM", fit: Fit::Number, min: 5, max: 6, priority: 4, grow: false },
    Column { title: "AGE", fit: Fit::Number, min: 4, max: 4, priority: 1, grow: false },
    Column { title: "IMAGE", fit: Fit::Name, min: 8, max: 28, priority: 7, grow: false },
];

impl Source for Tasks {
    type Row = Task;

    fn rows(state: &Arc<ClusterState>) -> Rows<'_, Task> {
        Rows::Table(&state.tasks)
    }

    fn admits(state: &ClusterState, row: &Task, place: &Place) -> bool {
        match &place.subject {
            Some(Subject { object, .. }) => {
                object.cluster == state.cluster.id
                    && match object.kind {
                        Kind::Service => row.service.as_ref() == Some(&object.key),
                        Kind::Node => row.node.as_ref() == Some(&object.key) && !story(state, row),
                        Kind::Task => row.key == object.key,
                        Kind::Event => false,
                    }
            }
            None => place.narrow.admits_namespace(&row.namespace) && !story(state, row),
        }
    }

    fn words<'a>(beside: &'a Beside<'a>, row: &'a Task) -> impl Iterator<Item = &'a str> + Clone {
        let own = [beside.state.cluster.id.as_str(), &row.namespace, &row.name, state_word(row).1, &row.image];
        own.into_iter().chain(row.why.as_deref()).chain(row.node.iter().map(|node| beside.node_name(node)))
    }

    fn by(beside: &Beside<'_>, row: &Task, column: usize) -> By {
        let usage = || cells::measured(&beside.state.task_usage, &row.key);
        match column {
            STATE => By::Number(rank(row)),
            RESTARTS => By::Number(i64::from(row.restarts)),
            NODE => row.node.as_ref().map_or(By::NOTHING, |node| By::Text(beside.node_text(node))),
            WHY => row.why.clone().map_or(By::NOTHING, By::Text),
            CPU | TREND => usage().map_or(By::NOTHING, |u| By::Number(i64::from(u.cpu_m))),
            MEMORY => usage().map_or(By::NOTHING, |u| By::Number(i64::try_from(u.mem).unwrap_or(i64::MAX))),
            AGE => By::Number(-row.created.0),
            IMAGE => By::Text(row.image.clone()),
            _ => By::NOTHING,
        }
    }

    fn name(row: &Task) -> (&str, &str) {
        (&row.namespace, &row.name)
    }

    fn reads(column: usize, _place: &Place) -> Reads {
        Reads { usage: matches!(column, CPU | TREND | MEMORY).then_some(Kind::Task), nodes: true, ..Reads::default() }
    }
}

impl List for Tasks {
    const NAME: &'static str = "tasks";
    const KIND: Option<Kind> = Some(Kind::Task);
    const COLUMNS: &'static [Column] = COLUMNS;
    const CLUSTER: Option<usize> = Some(CLUSTER);
    const SORT: Sort = Sort { column: NAME, down: false };
    const SORTS: [Option<usize>; 3] = [Some(NAME), Some(AGE), Some(STATE)];
    const HINTS: &'static [Command] = &[
        Command::Logs,
        Command::Reschedule,
        Command::RestartTask,
        Command::StopTask,
        Command::StartTask,
        Command::DeleteTask,
        Command::LogsPrevious,
        Command::Inspect,
        Command::Events,
        Command::Detail,
    ];

    fn cell(cx: &Cx<'_>, state: &ClusterState, row: &Task, column: usize, out: &mut CellText) {
        let text = if story(state, row) { Role::Dim } else { Role::Text };
        match column {
            NAME => {
                if cx.place.narrow.namespace.is_none()
                    && cx.place.subject.as_ref().is_none_or(|subject| subject.object.kind != Kind::Service)
                    && let Some(prefix) = naming::prefix(&row.namespace, &row.name)
                {
                    out.fmt(Role::Dim, format_args!("{prefix}/"));
                }
                out.put(&row.name, text);
            }
            STATE => state_cell(row, out),
            RESTARTS => match row.restarts {
                0 => out.put("0", Role::Dim),
                n => out.fmt(text, format_args!("{n}")),
            },
            NODE => match &row.node {
                Some(node) => out.put(&crate::util::clean::clean(state.node_name(node)), Role::Dim),
                None => out.put("-", Role::Dim),
            },
            WHY => {
                if let Some(why) = &row.why {
                    out.put(why, text);
                } else if let Some(end) = row.last_end.as_ref().filter(|_| row.restarts > 0) {
                    out.fmt(Role::Dim, format_args!("last ended: {}", end.reason));
                }
            }
            CPU => cells::cpu(out, cells::usage(cx, &state.task_usage, &row.key)),
            TREND => cells::trend(out, &state.task_usage, &row.key, 10),
            MEMORY => cells::memory(out, cells::usage(cx, &state.task_usage, &row.key)),
            AGE => cells::age(out, cx, row.created),
            IMAGE => out.put(cells::short_image(&row.image), Role::Dim),
            _ => {}
        }
    }

    fn object(state: &ClusterState, row: &Task) -> Option<ObjectRef> {
        Some(ObjectRef { cluster: state.cluster.id.clone(), kind: Kind::Task, key: row.key.clone() })
    }

    fn scopes(_state: &ClusterState, _row: &Task) -> &'static [Scope] {
        &[Scope::Task, Scope::List]
    }

    fn open(state: &ClusterState, row: &Task) -> Outcome {
        Self::object(state, row).map_or(Outcome::Handled, |object| Outcome::Go(Go::For(PaneId::Logs, Subject::of(object))))
    }

    fn plain(state: &ClusterState, row: &Task) -> Option<Text> {
        plain(state, Self::object(state, row))
    }

    fn empty(cx: &Cx<'_>) -> Text {
        match &cx.place.subject {
            Some(subject) => Text::from(format!("{} {} has no tasks", subject.object.kind.word(), cx.name_of(&subject.object))),
            None => Text::new("there are no tasks here: nothing runs"),
        }
    }

    fn interest() -> Interest {
        Interest { usage: true, tasks: true }
    }
}

/// Kept for its story only: neither wanted nor alive. Only a Swarm has such tasks; elsewhere what has ended is still a thing
/// one can look into, start again or delete.
fn story(state: &ClusterState, row: &Task) -> bool {
    state.cluster.kind == ClusterKind::Swarm && !row.wanted && row.state.ended()
}

/// Sign, word and role of a task's state.
pub fn state_word(row: &Task) -> (&'static str, &'static str, Role) {
    match row.state {
        TaskState::Running if row.ready => ("", "running", Role::Dim),
        TaskState::Running => ("▲ ", "not ready", Role::Warning),
        TaskState::Pending | TaskState::Starting if row.why.is_some() => ("▲ ", row.state.word(), Role::Warning),
        TaskState::Pending | TaskState::Starting => ("◔ ", row.state.word(), Role::Progress),
        TaskState::Failed | TaskState::Lost if row.wanted => ("✖ ", row.state.word(), Role::Failing),
        TaskState::Stopping | TaskState::Succeeded | TaskState::Stopped | TaskState::Failed | TaskState::Lost => {
            ("", row.state.word(), Role::Dim)
        }
    }
}

fn state_cell(row: &Task, out: &mut CellText) {
    let (sign, word, role) = state_word(row);
    out.put(sign, role);
    out.put(word, role);
}

/// Worse is greater.
fn rank(row: &Task) -> i64 {
    match (state_word(row).2, row.state) {
        (Role::Failing, _) => 5,
        (Role::Warning, _) => 4,
        (Role::Progress, _) => 3,
        (_, TaskState::Stopping) => 2,
        (_, TaskState::Running) => 1,
        _ => 0,
    }
}
