//! The nodes pane.

use super::PaneId;
use super::cells;
use super::list::{List, plain};
use crate::input::{Command, Scope};
use crate::model::{Availability, ClusterState, Kind, Level, Node, NodeState, ObjectRef, Text};
use crate::theme::Role;
use crate::ui::cx::{Cx, Place, Subject};
use crate::ui::outcome::{Go, Outcome};
use crate::ui::view::rows::{Beside, By, Reads, Rows, Sort, Source};
use crate::ui::widget::table::{CellText, Column, Fit};
use crate::util::humanize;
use std::sync::Arc;

/// See the module's description.
pub struct Nodes;

const CLUSTER: usize = 0;
const NAME: usize = 1;
const STATE: usize = 2;
const ZONE: usize = 3;
const ROLE: usize = 4;
const WHY: usize = 5;
const TASKS: usize = 6;
const CPU: usize = 7;
const CPU_RESERVED: usize = 8;
const CPU_ALL: usize = 9;
const TREND: usize = 10;
const MEMORY: usize = 11;
const MEMORY_RESERVED: usize = 12;
const MEMORY_ALL: usize = 13;
const VERSION: usize = 14;
const AGE: usize = 15;

/// Share of what a node can give, in percent, from which it is coloured.
const FULL: u64 = 90;

const COLUMNS: &[Column] = &[
    Column { title: "CLUSTER", fit: Fit::Name, min: 7, max: 16, priority: 0, grow: false },
    Column { title: "NAME", fit: Fit::Name, min: 12, max: 36, priority: 0, grow: false },
    Column { title: "STATE", fit: Fit::Words, min: 9, max: 13, priority: 0, grow: false },
    Column { title: "ZONE", fit: Fit::Name, min: 4, max: 14, priority: 2, grow: false },
    Column { title: "ROLE", fit: Fit::Words, min: 6, max: 13, priority: 5, grow: false },
    Column { title: "WHY", fit: Fit::Words, min: 10, max: 60, priority: 2, grow: true },
    Column { title: "TASKS", fit: Fit::Number, min: 5, max: 8, priority: 3, grow: false },
    Column { title: "CPU", fit: Fit::Number, min: 4, max: 4, priority: 3, grow: false },
    Column { title: "RSV", fit: Fit::Number, min: 4, max: 4, priority: 4, grow: false },
    Column { title: "OF", fit: Fit::Number, min: 3, max: 5, priority: 4, grow: false },
    Column { title: "10 MIN", fit: Fit::Words, min: 10, max: 10, priority: 6, grow: false },
    Column { title: "MEM", fit: Fit::Number, min: 4, max: 4, priority: 3, grow: false },
    Column { title: "RSV", fit: Fit::Number, min: 4, max: 4, priority: 4, grow: false },
    Column { title: "OF", fit: Fit::Number, min: 5, max: 6, priority: 4, grow: false },
    Column { title: "VERSION", fit: Fit::Words, min: 7, max: 14, priority: 7, grow: false },
    Column { title: "AGE", fit: Fit::Number, min: 4, max: 4, priority: 4, grow: false },
];

impl Source for Nodes {
    type Row = Node;

    fn rows(state: &Arc<ClusterState>) -> Rows<'_, Node> {
        Rows::Table(&state.nodes)
    }

    fn admits(_state: &ClusterState, _row: &Node, _place: &Place) -> bool {
        true
    }

    fn words<'a>(beside: &'a Beside<'a>, row: &'a Node) -> impl Iterator<Item = &'a str> + Clone {
        let state = [row.state.word(), row.availability.word()];
        let said = [&row.role, &row.version, &row.address].into_iter().chain(&row.zone).chain(&row.why).chain(row.pressure.iter());
        [beside.state.cluster.id.as_str(), &row.name].into_iter().chain(state).chain(said.map(Text::as_str))
    }

    fn by(beside: &Beside<'_>, row: &Node, column: usize) -> By {
        let state = beside.state;
        let used = || cells::measured(&state.node_usage, &row.key);
        let share = |part: u64, whole: u64| By::Number(i64::try_from(part * 10_000 / whole.max(1)).unwrap_or(i64::MAX));
        let load = || state.node_loads.get(&row.key);
        match column {
            STATE => By::Number(rank(row)),
            ZONE => row.zone.clone().map_or(By::NOTHING, By::Text),
            ROLE => By::Text(row.role.clone()),
            WHY => row.why.clone().map_or(By::NOTHING, By::Text),
            TASKS => By::Number(i64::try_from(state.load_of(&row.key)).unwrap_or(i64::MAX)),
            CPU | TREND => used().map_or(By::NOTHING, |u| share(u64::from(u.cpu_m), row.allocatable.cpu_m)),
            CPU_RESERVED => share(load().map_or(0, |load| load.reserved.cpu_m), row.allocatable.cpu_m),
            CPU_ALL => By::Number(i64::try_from(row.allocatable.cpu_m).unwrap_or(i64::MAX)),
            MEMORY => used().map_or(By::NOTHING, |u| share(u.mem, row.allocatable.mem)),
            MEMORY_RESERVED => share(load().map_or(0, |load| load.reserved.mem), row.allocatable.mem),
            MEMORY_ALL => By::Number(i64::try_from(row.allocatable.mem).unwrap_or(i64::MAX)),
            VERSION => By::Text(row.version.clone()),
            AGE => By::Number(-row.created.0),
            _ => By::NOTHING,
        }
    }

    fn name(row: &Node) -> (&str, &str) {
        ("", &row.name)
    }

    fn reads(column: usize, _place: &Place) -> Reads {
        let usage = matches!(column, TASKS | CPU | CPU_RESERVED | TREND | MEMORY | MEMORY_RESERVED);
        Reads { usage: usage.then_some(Kind::Node), ..Reads::default() }
    }
}

impl List for Nodes {
    const NAME: &'static str = "nodes";
    const KIND: Option<Kind> = Some(Kind::Node);
    const COLUMNS: &'static [Column] = COLUMNS;
    const CLUSTER: Option<usize> = Some(CLUSTER);
    const SORT: Sort = Sort { column: NAME, down: false };
    const SORTS: [Option<usize>; 3] = [Some(NAME), Some(AGE), Some(STATE)];
    const HINTS: &'static [Command] = &[
        Command::Open,
        Command::PauseNode,
        Command::ActivateNode,
        Command::EvacuateNode,
        Command::DrainNode,
        Command::PromoteNode,
        Command::DemoteNode,
        Command::RemoveNode,
        Command::LabelNode,
        Command::TaintNode,
        Command::PruneEngine,
        Command::JoinSwarm,
        Command::RotateToken,
        Command::Events,
        Command::Metrics,
        Command::Inspect,
        Command::Detail,
    ];

    fn cell(cx: &Cx<'_>, state: &ClusterState, row: &Node, column: usize, out: &mut CellText) {
        let used = || cells::usage(cx, &state.node_usage, &row.key);
        let reserved = || state.node_loads.get(&row.key).map(|load| load.reserved).unwrap_or_default();
        match column {
            NAME => out.put(&row.name, Role::Text),
            STATE => state_cell(row, out),
            ZONE => out.put(row.zone.as_deref().unwrap_or("-"), Role::Dim),
            ROLE => out.put(&row.role, Role::Dim),
            WHY => why_cell(cx, state, row, out),
            TASKS => {
                out.fmt(Role::Text, format_args!("{}", state.load_of(&row.key)));
                if let Some(most) = row.max_tasks {
                    out.fmt(Role::Dim, format_args!("/{most}"));
                }
            }
            CPU => percent(out, used().map(|u| u64::from(u.cpu_m)), row.allocatable.cpu_m),
            CPU_RESERVED => percent(out, Some(reserved().cpu_m), row.allocatable.cpu_m),
            CPU_ALL => out.with(Role::Dim, |out| humanize::cpu(out, row.allocatable.cpu_m)),
            TREND => cells::trend(out, &state.node_usage, &row.key, 10),
            MEMORY => percent(out, used().map(|u| u.mem), row.allocatable.mem),
            MEMORY_RESERVED => percent(out, Some(reserved().mem), row.allocatable.mem),
            MEMORY_ALL => out.with(Role::Dim, |out| humanize::bytes_short(out, row.allocatable.mem)),
            VERSION => out.put(&row.version, Role::Dim),
            AGE => cells::age(out, cx, row.created),
            _ => {}
        }
    }

    fn object(state: &ClusterState, row: &Node) -> Option<ObjectRef> {
        Some(ObjectRef { cluster: state.cluster.id.clone(), kind: Kind::Node, key: row.key.clone() })
    }

    fn scopes(_state: &ClusterState, _row: &Node) -> &'static [Scope] {
        &[Scope::Node, Scope::List]
    }

    fn open(state: &ClusterState, row: &Node) -> Outcome {
        Self::object(state, row).map_or(Outcome::Handled, |object| Outcome::Go(Go::For(PaneId::Tasks, Subject::of(object))))
    }

    fn plain(state: &ClusterState, row: &Node) -> Option<Text> {
        plain(state, Self::object(state, row))
    }

    fn empty(_cx: &Cx<'_>) -> Text {
        Text::new("the clusters shown have no nodes")
    }
}

fn percent(out: &mut CellText, part: Option<u64>, whole: u64) {
    match part {
        Some(part) => {
            let full = whole > 0 && part.saturating_mul(100) >= whole.saturating_mul(FULL);
            out.with(if full { Role::Warning } else { Role::Text }, |out| humanize::percent(out, part, whole));
        }
        None => out.put("-", Role::Dim),
    }
}

fn state_cell(row: &Node, out: &mut CellText) {
    match (row.state, row.availability) {
        (NodeState::Down | NodeState::NotReady, _) => {
            out.put("✖ ", Role::Failing);
            out.put(row.state.word(), Role::Failing);
        }
        (NodeState::Unknown, _) => out.put("▲ unknown", Role::Warning),
        (NodeState::Ready, Availability::Active) if !row.pressure.is_empty() => out.put("▲ pressure", Role::Warning),
        (NodeState::Ready, Availability::Active) => out.put("ready", Role::Dim),
        (NodeState::Ready, availability) => {
            out.put("▲ ", Role::Warning);
            out.put(availability.word(), Role::Warning);
        }
    }
}

fn why_cell(cx: &Cx<'_>, state: &ClusterState, row: &Node, out: &mut CellText) {
    let finding = state.finding_of(Kind::Node, &row.key);
    if let Some(finding) = finding.filter(|finding| !finding.why.is_empty()) {
        out.put(&finding.why, if finding.level == Level::Failing { Role::Text } else { Role::Dim });
    } else if let Some(why) = &row.why {
        out.put(why, Role::Text);
    } else {
        for (n, pressure) in row.pressure.iter().enumerate() {
            out.put(if n > 0 { ", " } else { "" }, Role::Warning);
            out.put(pressure, Role::Warning);
        }
    }
    if let Some(since) = row.since.filter(|_| row.state != NodeState::Ready) {
        out.with(Role::Dim, |out| {
            out.push_str(" · since ");
            humanize::age(out, cx.since(since));
        });
    }
}

/// Worse is greater.
fn rank(row: &Node) -> i64 {
    match row.state {
        NodeState::Down => 6,
        NodeState::NotReady => 5,
        NodeState::Unknown => 4,
        NodeState::Ready if !row.pressure.is_empty() => 3,
        NodeState::Ready if row.availability == Availability::Drained => 2,
        NodeState::Ready => i64::from(row.availability != Availability::Active),
    }
}
