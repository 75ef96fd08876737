//! The events pane.

use super::cells;
use super::list::List;
use crate::input::{Command, Scope};
use crate::model::{ClusterState, Event, Interest, Kind, ObjectRef, Severity, Text};
use crate::theme::Role;
use crate::ui::cx::{Cx, Place};
use crate::ui::detail::About;
use crate::ui::outcome::{Go, Outcome};
use crate::ui::view::rows::{Beside, By, Reads, Rows, Sort, Source};
use crate::ui::widget::table::{CellText, Column, Fit};
use std::sync::Arc;

/// See the module's description.
pub struct Events;

const AGE: usize = 0;
const CLUSTER: usize = 1;
const OBJECT: usize = 2;
const REASON: usize = 3;
const COUNT: usize = 4;
const MESSAGE: usize = 5;

const COLUMNS: &[Column] = &[
    Column { title: "AGE", fit: Fit::Number, min: 4, max: 5, priority: 0, grow: false },
    Column { title: "CLUSTER", fit: Fit::Name, min: 7, max: 16, priority: 1, grow: false },
    Column { title: "OBJECT", fit: Fit::Name, min: 12, max: 40, priority: 0, grow: false },
    Column { title: "REASON", fit: Fit::Words, min: 8, max: 22, priority: 1, grow: false },
    Column { title: "N", fit: Fit::Number, min: 3, max: 5, priority: 2, grow: false },
    Column { title: "MESSAGE", fit: Fit::Words, min: 12, max: 160, priority: 0, grow: true },
];

impl Source for Events {
    type Row = Event;

    fn rows(state: &Arc<ClusterState>) -> Rows<'_, Event> {
        Rows::Table(&state.events)
    }

    fn admits(state: &ClusterState, row: &Event, place: &Place) -> bool {
        match &place.subject {
            Some(subject) => subject.object.cluster == state.cluster.id && concerns(state, row, &subject.object),
            None => place.narrow.admits_namespace(&row.namespace),
        }
    }

    fn words<'a>(beside: &'a Beside<'a>, row: &'a Event) -> impl Iterator<Item = &'a str> + Clone {
        let severity = if row.severity == Severity::Warning { "warning" } else { "normal" };
        [beside.state.cluster.id.as_str(), &row.namespace, &row.object, &row.reason, &row.message, severity].into_iter()
    }

    fn by(_beside: &Beside<'_>, row: &Event, column: usize) -> By {
        match column {
            AGE => By::Number(-row.at.0),
            OBJECT => By::Text(row.object.clone()),
            REASON => By::Text(row.reason.clone()),
            COUNT => By::Number(i64::from(row.count)),
            MESSAGE => By::Text(row.message.clone()),
            _ => By::NOTHING,
        }
    }

    fn name(row: &Event) -> (&str, &str) {
        (&row.namespace, &row.object)
    }

    fn reads(_column: usize, place: &Place) -> Reads {
        // an event may come before the task that makes it the service's
        Reads { tasks: place.subject.is_some(), ..Reads::default() }
    }
}

impl List for Events {
    const NAME: &'static str = "events";
    const KIND: Option<Kind> = Some(Kind::Event);
    const COLUMNS: &'static [Column] = COLUMNS;
    const CLUSTER: Option<usize> = Some(CLUSTER);
    const SORT: Sort = Sort { column: AGE, down: false };
    const SORTS: [Option<usize>; 3] = [Some(OBJECT), Some(AGE), Some(REASON)];
    const HINTS: &'static [Command] = &[Command::Open, Command::Copy, Command::Sort, Command::Detail];

    fn cell(cx: &Cx<'_>, _state: &ClusterState, row: &Event, column: usize, out: &mut CellText) {
        let warning = row.severity == Severity::Warning;
        match column {
            AGE => cells::age(out, cx, row.at),
            OBJECT => out.put(&row.object, Role::Text),
            REASON => {
                out.put(if warning { "▲ " } else { "  " }, Role::Warning);
                out.put(&row.reason, if warning { Role::Warning } else { Role::Text });
            }
            COUNT if row.count > 1 => out.fmt(Role::Dim, format_args!("{}×", row.count)),
            MESSAGE => out.put(&row.message, if warning { Role::Text } else { Role::Dim }),
            _ => {}
        }
    }

    fn object(state: &ClusterState, row: &Event) -> Option<ObjectRef> {
        let (kind, key) = row.about.clone()?;
        Some(ObjectRef { cluster: state.cluster.id.clone(), kind, key })
    }

    fn about(state: &ClusterState, row: &Event) -> Option<About> {
        Some(About::Object(ObjectRef { cluster: state.cluster.id.clone(), kind: Kind::Event, key: row.key.clone() }))
    }

    fn scopes(_state: &ClusterState, row: &Event) -> &'static [Scope] {
        super::scopes_of(row.about.as_ref().map(|(kind, _)| *kind))
    }

    fn open(state: &ClusterState, row: &Event) -> Outcome {
        match Self::object(state, row) {
            Some(object) => Outcome::Go(Go::To(object)),
            None => Outcome::say(format!("{} is not in any of the lists", row.object)),
        }
    }

    fn plain(_state: &ClusterState, row: &Event) -> Option<Text> {
        Some(row.message.clone())
    }

    fn empty(cx: &Cx<'_>) -> Text {
        match &cx.place.subject {
            Some(subject) => Text::from(format!(
                "no events of {} {}: platforms forget them after about an hour",
                subject.object.kind.word(),
                cx.name_of(&subject.object)
            )),
            None => Text::new("no events: nothing has happened since Quarterdeck looked"),
        }
    }

    fn interest() -> Interest {
        Interest::default()
    }
}

/// Whether an event is about an object, or about a task of the service it is.
pub fn concerns(state: &ClusterState, row: &Event, object: &ObjectRef) -> bool {
    let Some((kind, key)) = &row.about else { return false };
    if (*kind, key) == (object.kind, &object.key) {
        return true;
    }
    object.kind == Kind::Service
        && *kind == Kind::Task
        && state.tasks.get(key).is_some_and(|task| task.service.as_ref() == Some(&object.key))
}
