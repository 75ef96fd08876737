//! Details of an event, and the last events of an object.

use super::sheet::Sheet;
use crate::model::{ClusterState, Event, ObjectRef, Severity};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::pane::events::concerns;
use crate::util::humanize;
use std::sync::Arc;

/// Events listed with an object.
const LAST: usize = 8;

/// Writes the sheet.
pub fn write(cx: &Cx<'_>, state: &ClusterState, row: &Event, sheet: &mut Sheet) {
    let role = if row.severity == Severity::Warning { Role::Warning } else { Role::Text };
    let count = if row.count > 1 { format!(" · {} times", row.count) } else { String::new() };
    let age = format!(" · {} ago", humanize::age_of(cx.since(row.at)));
    sheet.field("reason", Role::Dim, &[(&row.reason, role), (&age, Role::Dim), (&count, Role::Dim)]);
    sheet.fact("object", &row.object);
    sheet.fact("says", &row.message);
    if let Some((kind, key)) = &row.about {
        let object = ObjectRef { cluster: state.cluster.id.clone(), kind: *kind, key: key.clone() };
        last(cx, state, &object, sheet);
    }
}

/// The newest events of an object, and of the tasks of a service.
pub fn last(cx: &Cx<'_>, state: &ClusterState, object: &ObjectRef, sheet: &mut Sheet) {
    let mut events: Vec<&Arc<Event>> = state.events.iter().filter(|event| concerns(state, event, object)).collect();
    if events.is_empty() {
        return;
    }
    events.sort_unstable_by(|a, b| b.at.cmp(&a.at).then_with(|| a.key.cmp(&b.key)));
    sheet.heading("last events");
    for event in events.iter().take(LAST) {
        let role = if event.severity == Severity::Warning { Role::Text } else { Role::Dim };
        let times = if event.count > 1 { format!(" {}×", event.count) } else { String::new() };
        sheet.row(vec![
            (format!(" {:>4} ", humanize::age_of(cx.since(event.at))), Role::Dim),
            (format!("{}{times}", event.reason), if role == Role::Text { Role::Warning } else { role }),
            (format!(" {}", event.message), role),
        ]);
    }
}
