//! Details of a node.

use super::event;
use super::next;
use super::sheet::Sheet;
use super::task;
use crate::analysis::reasons::count;
use crate::input::Command;
use crate::model::{Availability, ClusterState, Event, Kind, Node, NodeState, ObjectRef, Taint};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::pane::cells;
use crate::ui::widget::bar;
use crate::util::humanize;
use std::sync::Arc;

/// Writes the sheet.
pub fn write(cx: &Cx<'_>, state: &ClusterState, row: &Node, events: &[Arc<Event>], sheet: &mut Sheet) {
    let role = match row.state {
        NodeState::Ready => Role::Strong,
        NodeState::Unknown => Role::Warning,
        NodeState::NotReady | NodeState::Down => Role::Failing,
    };
    let since = row.since.map(|at| format!(" for {}", humanize::age_of(cx.since(at)))).unwrap_or_default();
    let availability = match row.availability {
        Availability::Active => "",
        Availability::Paused => " · paused: takes no new tasks",
        Availability::Drained => " · drained: takes no tasks and gives away those it has",
    };
    sheet.field("state", Role::Dim, &[(row.state.word(), role), (&since, Role::Dim), (availability, Role::Warning)]);
    let finding = state.finding_of(Kind::Node, &row.key).map(|finding| &finding.why).filter(|why| !why.is_empty());
    if let Some(why) = finding.or(row.why.as_ref()) {
        sheet.field("why", Role::Dim, &[(why, role)]);
    }
    if !row.pressure.is_empty() {
        sheet.field("pressure", Role::Dim, &[(&row.pressure.join(", "), Role::Warning)]);
    }
    let most = row.max_tasks.map(|most| format!(" of at most {most}")).unwrap_or_default();
    sheet.field("tasks", Role::Dim, &[(&state.load_of(&row.key).to_string(), Role::Strong), (&most, Role::Dim)]);
    let mut steps = vec![(Command::Open, " its tasks")];
    match row.availability {
        Availability::Active => steps.extend([(Command::PauseNode, ""), (Command::EvacuateNode, "")]),
        Availability::Paused | Availability::Drained => steps.extend([(Command::ActivateNode, ""), (Command::EvacuateNode, "")]),
    }
    let object = ObjectRef { cluster: state.cluster.id.clone(), kind: Kind::Node, key: row.key.clone() };
    next::write(cx, sheet, std::slice::from_ref(&object), &steps);
    let reserved = state.node_loads.get(&row.key).map(|load| load.reserved).unwrap_or_default();
    let used = cells::usage(cx, &state.node_usage, &row.key);
    share(sheet, "cpu", used.map(|u| u64::from(u.cpu_m)), reserved.cpu_m, row.allocatable.cpu_m, humanize::cpu, Role::GraphCpu);
    share(sheet, "memory", used.map(|u| u.mem), reserved.mem, row.allocatable.mem, humanize::bytes, Role::GraphMemory);
    match (state.node_usage.get(&row.key), &state.no_usage) {
        (Some(series), _) => {
            let mut graph = String::new();
            bar::spark(&mut graph, series, 30);
            sheet.field("10 min", Role::Dim, &[(&graph, Role::GraphCpu), (" cpu", Role::Dim)]);
        }
        (None, Some(why)) => sheet.field("usage", Role::Dim, &[(why, Role::Dim)]),
        (None, None) => {}
    }
    sheet.fact("zone", row.zone.as_deref().unwrap_or_default());
    sheet.fact("role", &row.role);
    sheet.fact("address", &row.address);
    sheet.fact("version", &row.version);
    let taints: Vec<String> = row.taints.iter().map(Taint::words).collect();
    sheet.fact("taints", &taints.join(" · "));
    let labels: Vec<String> = row.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    sheet.fact("labels", &labels.join(" · "));
    sheet.fact("joined", &format!("{} ago", humanize::age_of(cx.since(row.created))));
    event::last(cx, events, sheet);
    tasks(cx, state, row, sheet);
}

/// Its tasks, worst first. They stand at the end: where there is not room for all, it is they that are cut.
fn tasks(cx: &Cx<'_>, state: &ClusterState, row: &Node, sheet: &mut Sheet) {
    let mut tasks: Vec<_> = state.tasks_on(&row.key).collect();
    if tasks.is_empty() {
        return;
    }
    task::sort(&mut tasks);
    sheet.heading(&count(u32::try_from(tasks.len()).unwrap_or(u32::MAX), "task"));
    for task in tasks.iter().take(task::LISTED) {
        let room = (sheet.width() / 2).clamp(8, 40);
        task::line(cx, task, (&task.name, room), "", sheet);
    }
    task::more(tasks.len().saturating_sub(task::LISTED), sheet);
}

/// `cpu  ███░░░░░░░ 2.1 used of 8.0 · 4.5 reserved`.
fn share(sheet: &mut Sheet, label: &str, used: Option<u64>, reserved: u64, all: u64, unit: fn(&mut String, u64), role: Role) {
    if all == 0 {
        return;
    }
    let (mut meter, mut words, mut aside) = (String::new(), String::new(), String::from(" · "));
    if let Some(used) = used {
        bar::bar(&mut meter, used, all, 10);
        words.push(' ');
        unit(&mut words, used);
        words.push_str(" used of ");
    }
    unit(&mut words, all);
    if used.is_none() {
        words.push_str(" in all, use not measured");
    }
    unit(&mut aside, reserved);
    aside.push_str(" reserved");
    sheet.field(label, Role::Dim, &[(&meter, role), (&words, Role::Text), (&aside, Role::Dim)]);
}
