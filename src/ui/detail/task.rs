//! Details of a task, and its line in the details of its service.

use super::event;
use super::next;
use super::sheet::Sheet;
use crate::analysis::reasons::count;
use crate::input::Command;
use crate::model::{ClusterState, Event, Kind, ObjectRef, Resources, Task};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::pane::{cells, tasks};
use crate::ui::widget::bar;
use crate::util::humanize;
use crate::util::width::{elide_middle, width};
use std::sync::Arc;

/// Worse is greater.
fn rank(task: &Task) -> u8 {
    match tasks::state_word(task).2 {
        Role::Failing => 3,
        Role::Warning => 2,
        Role::Progress => 1,
        _ => 0,
    }
}

/// Most tasks listed in the details of something else.
pub const LISTED: usize = 60;

/// Puts the worst tasks first.
pub fn sort(tasks: &mut [&Arc<Task>]) {
    tasks.sort_unstable_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.name.cmp(&b.name)));
}

/// The last line of a list of tasks that is not whole.
pub fn more(left: usize, sheet: &mut Sheet) {
    if left > 0 {
        sheet.row(vec![(format!(" +{left} more"), Role::Dim)]);
    }
}

/// A line in the details of its service or node: its name in so many columns, state, where it runs, why.
pub fn line(cx: &Cx<'_>, task: &Task, (name, room): (&str, usize), place: &str, sheet: &mut Sheet) {
    let (sign, word, role) = tasks::state_word(task);
    let name = elide_middle(name, room).into_owned();
    let pad = " ".repeat(room.saturating_sub(width(&name)) + 1);
    let mut pieces = vec![
        (format!(" {name}{pad}"), Role::Text),
        (format!("{sign}{word}"), role),
        (" ".repeat(13usize.saturating_sub(width(sign) + width(word))), Role::Text),
        (format!("{:>4} ", humanize::age_of(cx.since(task.since))), Role::Dim),
        (place.to_owned(), Role::Dim),
    ];
    let restarts = (task.restarts > 0).then(|| (count(task.restarts, "restart"), Role::Dim));
    let why = task.why.as_ref().map(|why| (why.to_string(), Role::Text));
    for (n, (words, role)) in restarts.into_iter().chain(why).enumerate() {
        let gap = if n > 0 || !place.is_empty() { " · " } else { "" };
        pieces.push((format!("{gap}{words}"), role));
    }
    sheet.row(pieces);
}

/// Writes the sheet.
pub fn write(cx: &Cx<'_>, state: &ClusterState, row: &Task, events: &[Arc<Event>], sheet: &mut Sheet) {
    let (sign, word, role) = tasks::state_word(row);
    let since = format!(" for {}", humanize::age_of(cx.since(row.since)));
    sheet.field("state", Role::Dim, &[(sign, role), (word, role), (&since, Role::Dim)]);
    if let Some(why) = &row.why {
        sheet.field("why", Role::Dim, &[(why, role)]);
    }
    if row.restarts > 0 || row.last_end.is_some() {
        let restarts = format!("{}", row.restarts);
        let last = row.last_end.as_ref().map(|end| {
            let at = end.at.map(|at| format!(", {} ago", humanize::age_of(cx.since(at)))).unwrap_or_default();
            format!(" · last ended: {}{at}", end.reason)
        });
        sheet.field("restarts", Role::Dim, &[(&restarts, Role::Strong), (last.as_deref().unwrap_or_default(), Role::Text)]);
    }
    let mut steps = vec![(Command::Logs, "")];
    if row.restarts > 0 {
        steps.insert(0, (Command::LogsPrevious, ""));
    }
    steps.extend([(Command::Events, ""), (Command::Reschedule, "")]);
    let object = ObjectRef { cluster: state.cluster.id.clone(), kind: Kind::Task, key: row.key.clone() };
    next::write(cx, sheet, std::slice::from_ref(&object), &steps);
    if let Some(node) = &row.node {
        let name = crate::util::clean::clean(state.node_name(node));
        let zone =
            state.nodes.get(node).and_then(|node| node.zone.as_ref()).map(|zone| format!(" · zone {zone}")).unwrap_or_default();
        sheet.field("node", Role::Dim, &[(&name, Role::Text), (&zone, Role::Dim)]);
    }
    if let Some(service) = row.service.as_ref().and_then(|key| state.services.get(key)) {
        sheet.fact("service", &service.name);
    }
    sheet.fact("image", &row.image);
    sheet.fact("inside", &row.containers.join(", "));
    sheet.fact("of def.", row.revision.as_deref().unwrap_or_default());
    if let Some(series) = state.task_usage.get(&row.key) {
        let (mut graph, mut words) = (String::new(), String::new());
        bar::spark(&mut graph, series, 20);
        if let Some(usage) = cells::usage(cx, &state.task_usage, &row.key) {
            words.push_str(" cpu ");
            humanize::cpu(&mut words, u64::from(usage.cpu_m));
            words.push_str(" · memory ");
            humanize::bytes(&mut words, usage.mem);
        }
        sheet.field("usage", Role::Dim, &[(&graph, Role::GraphCpu), (&words, Role::Text)]);
    }
    sheet.fact("reserves", &amount(row.requests));
    sheet.fact("at most", &amount(row.limits));
    sheet.fact("made", &format!("{} ago", humanize::age_of(cx.since(row.created))));
    event::last(cx, events, sheet);
}

/// `cpu 100m · memory 128 MiB`; what is zero is left out.
fn amount(amount: Resources) -> String {
    let mut out = String::new();
    if amount.cpu_m > 0 {
        out.push_str("cpu ");
        humanize::cpu(&mut out, amount.cpu_m);
    }
    if amount.mem > 0 {
        out.push_str(if out.is_empty() { "memory " } else { " · memory " });
        humanize::bytes(&mut out, amount.mem);
    }
    out
}
