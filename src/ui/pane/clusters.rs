//! The clusters pane.

use super::list::List;
use crate::input::{Command, Scope};
use crate::model::{ClusterState, Key, Keyed, Kind, KindSync, Link, ObjectRef, Text};
use crate::theme::Role;
use crate::ui::cx::{Cx, Place};
use crate::ui::detail::About;
use crate::ui::outcome::{Go, Outcome};
use crate::ui::view::rows::{Beside, By, Rows, Sort, Source};
use crate::ui::widget::bar;
use crate::ui::widget::table::{CellText, Column, Fit};
use crate::util::humanize;
use std::sync::{Arc, LazyLock};

/// See the module's description.
pub struct Clusters;

const NAME: usize = 0;
const KIND: usize = 1;
const STATE: usize = 2;
const NODES: usize = 3;
const SERVICES: usize = 4;
const TASKS: usize = 5;
const CPU: usize = 6;
const CPU_BAR: usize = 7;
const MEMORY: usize = 8;
const MEMORY_BAR: usize = 9;
const WHY: usize = 10;
const VERSION: usize = 11;
const ENDPOINT: usize = 12;

const COLUMNS: &[Column] = &[
    Column { title: "NAME", fit: Fit::Name, min: 10, max: 28, priority: 0, grow: false },
    Column { title: "KIND", fit: Fit::Words, min: 6, max: 10, priority: 1, grow: false },
    Column { title: "STATE", fit: Fit::Words, min: 12, max: 18, priority: 0, grow: false },
    Column { title: "NODES", fit: Fit::Number, min: 5, max: 9, priority: 0, grow: false },
    Column { title: "SERVICES", fit: Fit::Number, min: 8, max: 11, priority: 0, grow: false },
    Column { title: "TASKS", fit: Fit::Number, min: 5, max: 6, priority: 4, grow: false },
    Column { title: "CPU", fit: Fit::Number, min: 4, max: 4, priority: 3, grow: false },
    Column { title: "", fit: Fit::Words, min: 8, max: 8, priority: 6, grow: false },
    Column { title: "MEM", fit: Fit::Number, min: 4, max: 4, priority: 3, grow: false },
    Column { title: "", fit: Fit::Words, min: 8, max: 8, priority: 6, grow: false },
    Column { title: "WHY", fit: Fit::Words, min: 14, max: 80, priority: 2, grow: true },
    Column { title: "VERSION", fit: Fit::Words, min: 7, max: 16, priority: 5, grow: false },
    Column { title: "ADDRESS", fit: Fit::Name, min: 14, max: 44, priority: 7, grow: false },
];

/// The row of a cluster is the only one of its list.
impl Keyed for ClusterState {
    fn key(&self) -> &Key {
        static NONE: LazyLock<Key> = LazyLock::new(|| Key::new(""));
        &NONE
    }
}

impl Source for Clusters {
    type Row = ClusterState;

    fn rows(state: &Arc<ClusterState>) -> Rows<'_, ClusterState> {
        Rows::Cluster(state)
    }

    fn admits(_state: &ClusterState, _row: &ClusterState, _place: &Place) -> bool {
        true
    }

    fn words<'a>(_beside: &'a Beside<'a>, row: &'a ClusterState) -> impl Iterator<Item = &'a str> + Clone {
        let cluster = &row.cluster;
        let said = cluster.version.iter().chain(cluster.link.trouble().map(|(_, why)| why)).map(Text::as_str);
        [cluster.id.as_str(), cluster.kind.word(), cluster.link.word(), &cluster.endpoint].into_iter().chain(said)
    }

    fn by(_beside: &Beside<'_>, row: &ClusterState, column: usize) -> By {
        match column {
            NAME => By::Text(Text::new(&row.cluster.id)),
            KIND => By::Text(Text::new(row.cluster.kind.word())),
            STATE => By::Number(rank(&row.cluster.link)),
            NODES => By::Number(i64::try_from(row.nodes.len()).unwrap_or(i64::MAX)),
            SERVICES => By::Number(i64::try_from(row.services.len()).unwrap_or(i64::MAX)),
            TASKS => By::Number(i64::try_from(row.tasks.len()).unwrap_or(i64::MAX)),
            VERSION => row.cluster.version.clone().map_or(By::NOTHING, By::Text),
            ENDPOINT => By::Text(row.cluster.endpoint.clone()),
            _ => By::NOTHING,
        }
    }

    fn name(_row: &ClusterState) -> (&str, &str) {
        ("", "")
    }
}

impl List for Clusters {
    const NAME: &'static str = "clusters";
    const KIND: Option<Kind> = None;
    const COLUMNS: &'static [Column] = COLUMNS;
    const CLUSTER: Option<usize> = None;
    // no column: the order of the fleet
    const SORT: Sort = Sort { column: COLUMNS.len(), down: false };
    const SORTS: [Option<usize>; 3] = [Some(NAME), None, Some(STATE)];
    const HINTS: &'static [Command] = &[Command::Open, Command::ScopeCluster, Command::Reconnect, Command::Detail];

    fn cell(cx: &Cx<'_>, state: &ClusterState, row: &ClusterState, column: usize, out: &mut CellText) {
        let totals = cx.totals(&state.cluster.id);
        let cluster = &row.cluster;
        match column {
            NAME => {
                out.put(&crate::util::clean::clean(&cluster.id), Role::Text);
            }
            KIND => out.put(cluster.kind.word(), Role::Dim),
            STATE => state_cell(cx, &cluster.link, out),
            // nothing was listed: none of them known is not none of them there
            NODES if row.nodes.is_empty() && unread(row, Kind::Node) => out.put("-", Role::Dim),
            SERVICES if row.services.is_empty() && unread(row, Kind::Service) => out.put("-", Role::Dim),
            TASKS if row.tasks.is_empty() && unread(row, Kind::Task) => out.put("-", Role::Dim),
            NODES => count(out, totals.nodes_ready, row.nodes.len()),
            SERVICES => count(out, row.services.len().saturating_sub(totals.services_bad), row.services.len()),
            TASKS => out.fmt(Role::Text, format_args!("{}", row.tasks.len())),
            CPU => percent(out, totals.used.map(|u| u.cpu_m), totals.allocatable.cpu_m),
            CPU_BAR => meter(out, totals.used.map(|u| u.cpu_m), totals.allocatable.cpu_m, Role::GraphCpu),
            MEMORY => percent(out, totals.used.map(|u| u.mem), totals.allocatable.mem),
            MEMORY_BAR => meter(out, totals.used.map(|u| u.mem), totals.allocatable.mem, Role::GraphMemory),
            WHY => match (cluster.link.trouble(), &row.no_usage) {
                (Some((_, why)), _) => out.put(why, Role::Text),
                (None, Some(why)) => out.put(why, Role::Dim),
                (None, None) => {
                    let notes = [(cluster.protected, "protected"), (cluster.read_only, "read only")];
                    for (n, (_, note)) in notes.iter().filter(|(is, _)| *is).enumerate() {
                        out.put(if n > 0 { " · " } else { "" }, Role::Dim);
                        out.put(note, Role::Dim);
                    }
                }
            },
            VERSION => out.put(cluster.version.as_deref().unwrap_or("-"), Role::Dim),
            ENDPOINT => out.put(&cluster.endpoint, Role::Dim),
            _ => {}
        }
    }

    fn object(_state: &ClusterState, _row: &ClusterState) -> Option<ObjectRef> {
        None
    }

    fn about(state: &ClusterState, _row: &ClusterState) -> Option<About> {
        Some(About::Cluster(state.cluster.id.clone()))
    }

    fn scopes(_state: &ClusterState, _row: &ClusterState) -> &'static [Scope] {
        &[Scope::Cluster, Scope::List]
    }

    fn open(state: &ClusterState, _row: &ClusterState) -> Outcome {
        Outcome::Go(Go::Cluster(state.cluster.id.clone()))
    }

    fn plain(state: &ClusterState, _row: &ClusterState) -> Option<Text> {
        Some(Text::new(&state.cluster.id))
    }

    fn stale(_state: &ClusterState, _row: &ClusterState) -> bool {
        false
    }

    fn empty(_cx: &Cx<'_>) -> Text {
        Text::new("no clusters")
    }
}

/// Worse is greater.
fn rank(link: &Link) -> i64 {
    match link {
        Link::Live => 0,
        Link::Connecting => 1,
        Link::Stale { .. } => 2,
        Link::Unauthorised { .. } => 3,
        Link::Unreachable { .. } => 4,
    }
}

/// The connection in a word, and since when.
pub fn state_cell(cx: &Cx<'_>, link: &Link, out: &mut CellText) {
    match link {
        Link::Live => out.put("live", Role::Dim),
        Link::Connecting => out.put("◔ connecting…", Role::Progress),
        link => {
            let role = if rank(link) > 2 { Role::Failing } else { Role::Warning };
            out.put(if rank(link) > 2 { "✖ " } else { "▲ " }, role);
            out.put(link.word(), role);
            if let Some((since, _)) = link.trouble() {
                out.with(role, |out| {
                    out.push(' ');
                    humanize::age(out, cx.since(since));
                });
            }
        }
    }
}

/// Whether this kind has never been read whole.
fn unread(state: &ClusterState, kind: Kind) -> bool {
    !matches!(state.sync_of(kind), KindSync::Live | KindSync::Narrowed(_))
}

fn count(out: &mut CellText, good: usize, all: usize) {
    out.fmt(if good < all { Role::Strong } else { Role::Text }, format_args!("{good}/{all}"));
}

fn percent(out: &mut CellText, part: Option<u64>, whole: u64) {
    match part {
        Some(part) => out.with(Role::Text, |out| humanize::percent(out, part, whole)),
        None => out.put("-", Role::Dim),
    }
}

fn meter(out: &mut CellText, part: Option<u64>, whole: u64, role: Role) {
    if let Some(part) = part {
        out.with(role, |out| bar::bar(out, part, whole, 8));
    }
}
