//! The fleet pane: what is wrong anywhere, worst first.

use super::list::{List, plain};
use crate::analysis::reasons::count;
use crate::input::{Command, Scope};
use crate::model::{ClusterState, Finding, Kind, KindSync, Level, Link, ObjectRef, Text};
use crate::theme::Role;
use crate::ui::cx::{Cx, Place};
use crate::ui::detail::About;
use crate::ui::outcome::{Go, Outcome};
use crate::ui::view::naming;
use crate::ui::view::rows::{Beside, By, Reads, Rows, Sort, Source};
use crate::ui::widget::table::{CellText, Column, Fit};
use crate::util::humanize;
use std::sync::Arc;

/// See the module's description.
pub struct Fleet;

const LEVEL: usize = 0;
const CLUSTER: usize = 1;
const SUBJECT: usize = 2;
const HEADLINE: usize = 3;
const WHY: usize = 4;
const EXTRA: usize = 5;
const SINCE: usize = 6;

const COLUMNS: &[Column] = &[
    Column { title: " ", fit: Fit::Words, min: 1, max: 1, priority: 0, grow: false },
    Column { title: "CLUSTER", fit: Fit::Name, min: 7, max: 16, priority: 0, grow: false },
    Column { title: "WHAT", fit: Fit::Name, min: 12, max: 36, priority: 0, grow: false },
    Column { title: "STATE", fit: Fit::Words, min: 9, max: 20, priority: 0, grow: false },
    Column { title: "WHY", fit: Fit::Words, min: 24, max: 110, priority: 0, grow: true },
    Column { title: "", fit: Fit::Words, min: 8, max: 28, priority: 2, grow: false },
    Column { title: "FOR", fit: Fit::Number, min: 4, max: 5, priority: 0, grow: false },
];

impl Source for Fleet {
    type Row = Finding;

    fn rows(state: &Arc<ClusterState>) -> Rows<'_, Finding> {
        Rows::Table(&state.findings)
    }

    fn admits(state: &ClusterState, row: &Finding, place: &Place) -> bool {
        let namespace = row.object.as_ref().and_then(|(kind, key)| naming::namespace(state, *kind, key));
        namespace.is_none_or(|namespace| place.narrow.admits_namespace(&namespace))
    }

    fn words<'a>(beside: &'a Beside<'a>, row: &'a Finding) -> impl Iterator<Item = &'a str> + Clone {
        let level = if row.level == Level::Failing { "failing" } else { "warning" };
        [beside.state.cluster.id.as_str(), &row.subject, &row.headline, &row.why, &row.extra, level].into_iter()
    }

    fn by(_beside: &Beside<'_>, row: &Finding, column: usize) -> By {
        match column {
            // of equal badness the newest is what the pager beeps for
            LEVEL => By::Number(row.level as i64 * (1 << 50) + row.since.map_or(0, |at| at.0)),
            SUBJECT => By::Text(row.subject.clone()),
            HEADLINE => By::Text(row.headline.clone()),
            WHY => By::Text(row.why.clone()),
            SINCE => row.since.map_or(By::NOTHING, |at| By::Number(-at.0)),
            _ => By::NOTHING,
        }
    }

    fn name(row: &Finding) -> (&str, &str) {
        ("", &row.subject)
    }

    fn reads(_column: usize, place: &Place) -> Reads {
        // the namespace of what a finding is about stands in its own row
        let narrowed = place.narrow.namespace.is_some();
        Reads { services: narrowed, tasks: narrowed, ..Reads::default() }
    }
}

impl List for Fleet {
    const NAME: &'static str = "trouble";
    const KIND: Option<Kind> = None;
    const COLUMNS: &'static [Column] = COLUMNS;
    const CLUSTER: Option<usize> = Some(CLUSTER);
    const SORT: Sort = Sort { column: LEVEL, down: true };
    const SORTS: [Option<usize>; 3] = [Some(SUBJECT), Some(SINCE), Some(LEVEL)];
    const HINTS: &'static [Command] =
        &[Command::Open, Command::Logs, Command::Events, Command::Tasks, Command::Detail, Command::RollBack, Command::Redeploy];

    fn cell(cx: &Cx<'_>, _state: &ClusterState, row: &Finding, column: usize, out: &mut CellText) {
        match column {
            LEVEL => match row.level {
                Level::Failing => out.put("✖", Role::Failing),
                Level::Warning => out.put("▲", Role::Warning),
            },
            SUBJECT => out.put(&row.subject, Role::Strong),
            HEADLINE => out.put(&row.headline, if row.level == Level::Failing { Role::Failing } else { Role::Warning }),
            WHY => out.put(&row.why, Role::Text),
            EXTRA => out.put(&row.extra, Role::Dim),
            SINCE => match row.since {
                Some(since) => out.with(Role::Dim, |out| humanize::age(out, cx.since(since))),
                None => out.put("-", Role::Dim),
            },
            _ => {}
        }
    }

    fn object(state: &ClusterState, row: &Finding) -> Option<ObjectRef> {
        let (kind, key) = row.object.clone()?;
        Some(ObjectRef { cluster: state.cluster.id.clone(), kind, key })
    }

    fn about(state: &ClusterState, row: &Finding) -> Option<About> {
        Some(Self::object(state, row).map_or_else(|| About::Cluster(state.cluster.id.clone()), About::Object))
    }

    fn scopes(_state: &ClusterState, row: &Finding) -> &'static [Scope] {
        super::scopes_of(row.object.as_ref().map(|(kind, _)| *kind))
    }

    fn open(state: &ClusterState, row: &Finding) -> Outcome {
        Outcome::Go(match Self::object(state, row) {
            Some(object) => Go::To(object),
            None => Go::Cluster(state.cluster.id.clone()),
        })
    }

    fn plain(state: &ClusterState, row: &Finding) -> Option<Text> {
        plain(state, Self::object(state, row)).or_else(|| Some(Text::new(&state.cluster.id)))
    }

    fn stale(state: &ClusterState, row: &Finding) -> bool {
        // that the cluster is away is itself current
        row.object.is_some() && !state.cluster.link.is_live()
    }

    fn empty(cx: &Cx<'_>) -> Text {
        let mut unread = cx.clusters().filter(|state| is_unread(state)).map(|state| &state.cluster.id);
        if let Some(first) = unread.next() {
            return Text::from(match unread.count() {
                0 => format!("nothing wrong so far: {first} is still being read"),
                more => format!("nothing wrong so far: {first} and {more} more are still being read"),
            });
        }
        let sum = |of: &dyn Fn(&ClusterState) -> usize| cx.clusters().map(|state| of(state)).sum::<usize>() as u32;
        let live = sum(&|state| usize::from(matches!(state.cluster.link, Link::Live)));
        let nodes = count(sum(&|state| state.nodes.len()), "node");
        let services = count(sum(&|state| state.services.len()), "service");
        Text::from(format!("nothing is wrong: {} live, {nodes}, {services} as wanted", count(live, "cluster")))
    }
}

/// Whether what is wrong there cannot be known yet.
fn is_unread(state: &ClusterState) -> bool {
    let reading = |kind| matches!(state.sync_of(kind), KindSync::Waiting | KindSync::Loading(_));
    state.cluster.link.is_live() && [Kind::Node, Kind::Service, Kind::Task].into_iter().any(reading)
}
