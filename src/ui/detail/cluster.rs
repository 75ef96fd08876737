//! Details of a cluster.

use super::next;
use super::sheet::Sheet;
use crate::input::Command;
use crate::model::{ActionKind, ClusterState, Finding, Kind, KindSync, Level, Link};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::pane::list::grouped;
use crate::ui::widget::bar;
use crate::util::humanize;
use std::sync::Arc;

/// Findings listed.
const FINDINGS: usize = 12;

/// Writes the sheet.
pub fn write(cx: &Cx<'_>, state: &ClusterState, sheet: &mut Sheet) {
    let cluster = &state.cluster;
    let role = match cluster.link {
        Link::Live => Role::Strong,
        Link::Connecting => Role::Progress,
        Link::Stale { .. } => Role::Warning,
        Link::Unauthorised { .. } | Link::Unreachable { .. } => Role::Failing,
    };
    let since = cluster.link.trouble().map(|(since, _)| format!(" for {}", humanize::age_of(cx.since(since)))).unwrap_or_default();
    sheet.field("state", Role::Dim, &[(cluster.link.word(), role), (&since, Role::Dim)]);
    if let Some((_, reason)) = cluster.link.trouble() {
        sheet.field("why", Role::Dim, &[(reason, role)]);
        next::write(cx, sheet, &[], &[(Command::Reconnect, " now")]);
    }
    sheet.fact("platform", &format!("{} {}", cluster.kind.word(), cluster.version.as_deref().unwrap_or_default()));
    sheet.fact("address", &cluster.endpoint);
    if cluster.protected {
        sheet.fact("guard", "protected: every action asks for more confirmation");
    }
    if cluster.read_only || cx.read_only {
        sheet.fact("guard", "read only: no action is sent");
    }
    let missing: Vec<&str> =
        ActionKind::ALL.iter().filter(|kind| !cluster.capabilities.can(**kind)).map(|kind| kind.spec().label).collect();
    if cluster.link.is_live() && !missing.is_empty() && missing.len() < ActionKind::ALL.len() {
        sheet.fact("cannot", &missing.join(", "));
    }
    let totals = cx.totals(&cluster.id);
    if let Some(used) = totals.used {
        meter(sheet, "cpu", used.cpu_m, totals.allocatable.cpu_m, humanize::cpu, Role::GraphCpu);
        meter(sheet, "memory", used.mem, totals.allocatable.mem, humanize::bytes, Role::GraphMemory);
    } else if let Some(why) = &state.no_usage {
        sheet.field("usage", Role::Dim, &[(why, Role::Dim)]);
    }
    for kind in Kind::ALL {
        let rows = match kind {
            Kind::Node => state.nodes.len(),
            Kind::Service => state.services.len(),
            Kind::Task => state.tasks.len(),
            Kind::Event => state.events.len(),
        };
        let (words, role) = match state.sync_of(kind) {
            KindSync::Waiting => (" · not listed yet".to_owned(), Role::Dim),
            KindSync::Loading(n) => (format!(" · loading {}…", grouped(*n as usize)), Role::Progress),
            KindSync::Live => (String::new(), Role::Dim),
            KindSync::Narrowed(words) => (format!(" · {words}"), Role::Warning),
            KindSync::Failed { since, reason } => {
                (format!(" · not read for {}: {reason}", humanize::age_of(cx.since(*since))), Role::Warning)
            }
        };
        sheet.field(&format!("{}s", kind.word()), Role::Dim, &[(&grouped(rows).to_string(), Role::Text), (&words, role)]);
    }
    findings(cx, state, sheet);
}

fn meter(sheet: &mut Sheet, label: &str, used: u64, all: u64, unit: fn(&mut String, u64), role: Role) {
    let (mut meter, mut words) = (String::new(), String::from(" "));
    bar::bar(&mut meter, used, all, 12);
    unit(&mut words, used);
    words.push_str(" used of ");
    unit(&mut words, all);
    sheet.field(label, Role::Dim, &[(&meter, role), (&words, Role::Text)]);
}

fn findings(cx: &Cx<'_>, state: &ClusterState, sheet: &mut Sheet) {
    let mut findings: Vec<&Arc<Finding>> = state.findings.iter().filter(|finding| finding.object.is_some()).collect();
    if findings.is_empty() {
        return;
    }
    findings.sort_unstable_by(|a, b| b.level.cmp(&a.level).then(b.since.cmp(&a.since)).then_with(|| a.key.cmp(&b.key)));
    sheet.heading(&format!("{} in trouble", findings.len()));
    for finding in findings.iter().take(FINDINGS) {
        let (sign, role) = if finding.level == Level::Failing { (" ✖ ", Role::Failing) } else { (" ▲ ", Role::Warning) };
        let since = finding.since.map(|at| humanize::age_of(cx.since(at))).unwrap_or_default();
        sheet.row(vec![
            (sign.to_owned(), role),
            (format!("{since:>4} "), Role::Dim),
            (finding.subject.to_string(), Role::Text),
            (format!(" {}", finding.headline), role),
            (format!(" · {}", finding.why), Role::Dim),
        ]);
    }
}
