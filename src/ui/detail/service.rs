//! Details of a service.

use super::event;
use super::next;
use super::sheet::Sheet;
use super::task::{self, LISTED as TASKS};
use crate::analysis::reasons::count;
use crate::input::Command;
use crate::model::{ClusterState, Event, Kind, Level, ObjectRef, RolloutState, Service, ServiceKind, Task};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::pane::{cells, services};
use crate::ui::widget::bar;
use crate::util::clean::clean;
use crate::util::humanize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Writes the sheet.
pub fn write(cx: &Cx<'_>, state: &ClusterState, row: &Service, events: &[Arc<Event>], sheet: &mut Sheet) {
    let finding = state.finding_of(Kind::Service, &row.key);
    ready(cx, state, row, sheet);
    if let Some(finding) = finding {
        let role = if finding.level == Level::Failing { Role::Failing } else { Role::Warning };
        let mut pieces = vec![(if finding.why.is_empty() { &*finding.headline } else { &*finding.why }, role)];
        let extra = format!(" · {}", finding.extra);
        if !finding.extra.is_empty() {
            pieces.push((&extra, Role::Dim));
        }
        sheet.field("why", Role::Dim, &pieces);
    }
    rollout(cx, row, sheet);
    steps(cx, state, row, sheet);
    spread(state, row, sheet);
    usage(cx, state, row, sheet);
    if let Some(budget) = &row.budget {
        let words = match (&budget.beside, budget.allowed) {
            (Some(other), _) => format!("two cover its tasks, {} and {other}: the server evicts none of them", budget.name),
            (None, 0) => format!("none may be taken away now ({}: {})", budget.name, budget.rule),
            (None, n) => format!("{n} may be taken away now ({}: {})", budget.name, budget.rule),
        };
        sheet.field(
            "budget",
            Role::Dim,
            &[(&words, if budget.allowed == 0 || budget.beside.is_some() { Role::Warning } else { Role::Text })],
        );
    }
    sheet.fact("kind", row.kind.word());
    sheet.fact("image", &row.image);
    sheet.fact("scaler", &row.autoscaler.as_ref().map(ToString::to_string).unwrap_or_default());
    sheet.fact("runs on", row.placement.as_deref().unwrap_or_default());
    sheet.fact("ports", row.ports.as_deref().unwrap_or_default());
    sheet.fact("stack", row.stack.as_deref().unwrap_or_default());
    tasks(cx, state, row, sheet);
    event::last(cx, events, sheet);
}

fn ready(cx: &Cx<'_>, state: &ClusterState, row: &Service, sheet: &mut Sheet) {
    let counts = match (row.desired, services::state_word(row)) {
        (_, Some((_, word, _))) if row.kind.runs_to_completion() => word.to_owned(),
        (Some(want), _) => format!("{}/{want} ready", row.ready),
        (None, _) => format!("{} running", row.ready),
    };
    let since = state.finding_of(Kind::Service, &row.key).and_then(|finding| finding.since);
    let since = since.map(|at| format!(" · for {}", humanize::age_of(cx.since(at)))).unwrap_or_default();
    let made = format!(" · made {} ago", humanize::age_of(cx.since(row.created)));
    sheet.field("state", Role::Dim, &[(&counts, Role::Strong), (&since, Role::Dim), (&made, Role::Dim)]);
}

fn rollout(cx: &Cx<'_>, row: &Service, sheet: &mut Sheet) {
    if row.kind.runs_to_completion() {
        let label = if row.kind == ServiceKind::CronJob { "runs" } else { "so far" };
        return sheet.fact(label, row.rollout.note.as_deref().unwrap_or_default());
    }
    let Some((_, word, _)) = services::state_word(row) else {
        if let Some(revision) = &row.revision {
            let changed = row.changed.map(|at| format!(" · changed {} ago", humanize::age_of(cx.since(at)))).unwrap_or_default();
            sheet.field("rollout", Role::Dim, &[(&format!("whole, at revision {revision}"), Role::Text), (&changed, Role::Dim)]);
        }
        return;
    };
    let role = match row.rollout.state {
        RolloutState::Failed => Role::Failing,
        RolloutState::Paused | RolloutState::RollingBack => Role::Warning,
        RolloutState::Stable | RolloutState::Progressing => Role::Progress,
    };
    let revision = row.revision.as_ref().map(|revision| format!(" at revision {revision}")).unwrap_or_default();
    let updated = row.desired.map(|want| format!(" · {} of {want} of the newest definition", row.updated)).unwrap_or_default();
    // the colon stays with the words before it, also where the note begins a line of its own
    let (colon, note) = row.rollout.note.as_ref().map_or(("", String::new()), |note| (":", format!(" {note}")));
    let revision = format!("{revision}{colon}");
    sheet.field("rollout", Role::Dim, &[(word, role), (&revision, Role::Text), (&note, Role::Text), (&updated, Role::Dim)]);
}

/// A rollout that went wrong wants going back; tasks that keep ending want their last words; the rest wants a look.
fn steps(cx: &Cx<'_>, state: &ClusterState, row: &Service, sheet: &mut Sheet) {
    let bad = state.finding_of(Kind::Service, &row.key).is_some();
    let restarts = state.service_loads.get(&row.key).is_some_and(|load| load.restarts > 0);
    let back = row.previous.as_ref().map(|previous| format!(" to {previous}"));
    let mut steps: Vec<(Command, &str)> = Vec::new();
    if let Some(back) = back.as_deref().filter(|_| bad && !matches!(row.rollout.state, RolloutState::Stable)) {
        steps.push((Command::RollBack, back));
    }
    if row.is_held() {
        steps.push((Command::ResumeService, ""));
    }
    if bad && restarts {
        steps.push((Command::LogsPrevious, ""));
    }
    if bad {
        steps.extend([(Command::Logs, ""), (Command::Events, ""), (Command::Tasks, "")]);
    }
    let object = ObjectRef { cluster: state.cluster.id.clone(), kind: Kind::Service, key: row.key.clone() };
    next::write(cx, sheet, std::slice::from_ref(&object), &steps);
}

/// Ready of all live tasks, by zone (by node where no zones are known).
fn spread(state: &ClusterState, row: &Service, sheet: &mut Sheet) {
    let mut zones: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for task in state.tasks_of(&row.key).filter(|task| task.wanted && !task.state.ended()) {
        let node = task.node.as_ref().and_then(|key| state.nodes.get(key));
        let place = match (&task.node, node) {
            (None, _) => "no node yet",
            (Some(_), Some(node)) => node.zone.as_deref().unwrap_or(&node.name),
            (Some(_), None) => "unknown node",
        };
        let (ready, all) = zones.entry(place).or_default();
        *ready += u32::from(task.ready);
        *all += 1;
    }
    let mut pieces: Vec<(String, Role)> = Vec::new();
    for (zone, (ready, all)) in zones {
        let gap = if pieces.is_empty() { "" } else { " · " };
        pieces.push((format!("{gap}{zone} {ready}/{all}"), if ready < all { Role::Strong } else { Role::Text }));
    }
    if !pieces.is_empty() {
        let pieces: Vec<(&str, Role)> = pieces.iter().map(|(text, role)| (text.as_str(), *role)).collect();
        sheet.field("spread", Role::Dim, &pieces);
    }
}

fn usage(cx: &Cx<'_>, state: &ClusterState, row: &Service, sheet: &mut Sheet) {
    match (state.service_usage.get(&row.key), &state.no_usage) {
        (Some(series), _) => {
            let (mut graph, mut words) = (String::new(), String::new());
            bar::spark(&mut graph, series, 20);
            if let Some(usage) = cells::usage(cx, &state.service_usage, &row.key) {
                words.push_str(" cpu ");
                humanize::cpu(&mut words, u64::from(usage.cpu_m));
                words.push_str(" · memory ");
                humanize::bytes(&mut words, usage.mem);
            }
            sheet.field("usage", Role::Dim, &[(&graph, Role::GraphCpu), (&words, Role::Text)]);
        }
        (None, Some(why)) => sheet.field("usage", Role::Dim, &[(why, Role::Dim)]),
        (None, None) => {}
    }
}

fn tasks(cx: &Cx<'_>, state: &ClusterState, row: &Service, sheet: &mut Sheet) {
    let mut tasks: Vec<&Arc<Task>> = state.tasks_of(&row.key).filter(|task| task.wanted || !task.state.ended()).collect();
    if tasks.is_empty() {
        return;
    }
    task::sort(&mut tasks);
    sheet.heading(&count(u32::try_from(tasks.len()).unwrap_or(u32::MAX), "task"));
    for task in tasks.iter().take(TASKS) {
        let room = (sheet.width() / 3).clamp(8, 24);
        let node = task.node.as_ref().map(|node| clean(state.node_name(node)));
        let short = task.name.strip_prefix(row.name.as_str()).map(|rest| rest.trim_start_matches(['-', '.', '_']));
        let name = short.filter(|short| !short.is_empty()).unwrap_or(&task.name);
        task::line(cx, task, (name, room), node.as_deref().unwrap_or_default(), sheet);
    }
    task::more(tasks.len().saturating_sub(TASKS), sheet);
}
