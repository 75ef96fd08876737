//! The first row: how much of the fleet is live, how much is wrong, the newest operation, the time. And the tab row.

use super::cx::Cx;
use super::pane::PANES;
use super::widget::bar;
use super::widget::pen::Pen;
use crate::model::{Level, Link, Text, World};
use crate::theme::Role;
use crate::util::humanize;
use crate::util::time::Timestamp;
use crate::util::width::width;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Counts over the whole fleet, taken once a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    live: usize,
    connecting: usize,
    stale: usize,
    stale_since: Option<Timestamp>,
    unauthorised: usize,
    unreachable: usize,
    failing: usize,
    warning: usize,
}

impl Tally {
    /// Counts.
    pub fn of(world: &World) -> Self {
        let mut tally = Self::default();
        for state in &world.clusters {
            match &state.cluster.link {
                Link::Live => tally.live += 1,
                Link::Connecting => tally.connecting += 1,
                Link::Unauthorised { .. } => tally.unauthorised += 1,
                Link::Unreachable { .. } => tally.unreachable += 1,
                Link::Stale { since, .. } => {
                    tally.stale += 1;
                    tally.stale_since = Some(tally.stale_since.map_or(*since, |held| held.min(*since)));
                }
            }
            for finding in state.findings.iter() {
                match finding.level {
                    Level::Failing => tally.failing += 1,
                    Level::Warning => tally.warning += 1,
                }
            }
        }
        tally
    }
}

/// Draws the header into row `y`.
pub fn draw(area: Rect, y: u16, buf: &mut Buffer, cx: &Cx<'_>, tally: &Tally) {
    let dim = cx.style(Role::Dim);
    let clock = clock(cx);
    let clock_at = area.right().saturating_sub(u16::try_from(width(&clock)).unwrap_or(0) + 1);
    let mut pen = Pen::new(buf, area, y);
    pen.until(clock_at.saturating_sub(1)).gap(1);
    match &cx.place.narrow.cluster {
        Some(cluster) => pen.put(&crate::util::clean::clean(cluster), cx.style(Role::Strong)),
        None => pen.put("all clusters", cx.style(Role::Text)),
    };
    if let Some(namespace) = &cx.place.narrow.namespace {
        pen.put(" · ", dim).put(namespace, cx.style(Role::Strong));
    }
    pen.gap(2);
    let mut first = true;
    let mut part = |pen: &mut Pen<'_>, n: usize, words: &str, role: Role| {
        if n > 0 {
            if !std::mem::take(&mut first) {
                pen.put(" · ", dim);
            }
            pen.put(&format!("{n} {words}"), cx.style(role));
        }
    };
    part(&mut pen, tally.live, "live", Role::Dim);
    part(&mut pen, tally.connecting, "connecting…", Role::Progress);
    let stale = tally.stale_since.map(|since| format!("stale {}", humanize::age_of(cx.since(since)))).unwrap_or_default();
    part(&mut pen, tally.stale, &stale, Role::Warning);
    part(&mut pen, tally.unauthorised, "unauthorised", Role::Warning);
    part(&mut pen, tally.unreachable, "unreachable", Role::Warning);
    if tally.failing + tally.warning > 0 {
        pen.gap(4);
        if tally.failing > 0 {
            pen.put(&format!("✖ {} failing", tally.failing), cx.style(Role::Failing)).gap(2);
        }
        if tally.warning > 0 {
            pen.put(&format!("▲ {} warning", tally.warning), cx.style(Role::Warning)).gap(2);
        }
    }
    operation(&mut pen, cx, clock_at.saturating_sub(3));
    Pen::new(buf, area, y).to(clock_at).put(&clock, dim);
}

/// The newest operation that is not over, right-aligned to end before `end`, as far as there is room.
fn operation(pen: &mut Pen<'_>, cx: &Cx<'_>, end: u16) {
    let running = cx.world.operations.iter().filter(|op| !op.state.ended());
    let (count, newest) = running.fold((0usize, None), |(n, _), op| (n + 1, Some(op)));
    let Some(op) = newest else { return };
    let mut tail = String::new();
    let progress = &op.progress;
    if progress.total > 0 {
        bar::bar(&mut tail, u64::from(progress.done), u64::from(progress.total), 5);
        tail.push_str(&format!(" {}/{}", progress.done, progress.total));
    } else {
        tail.push_str(op.state.word());
    }
    if count > 1 {
        tail.push_str(&format!(" +{}", count - 1));
    }
    let room = usize::from(end.saturating_sub(pen.x()));
    let tail_wide = width(&tail) + 2;
    if room < tail_wide + 8 {
        return;
    }
    let title: Text = op.title.clone();
    let shown = crate::util::width::elide_middle(&title, room - tail_wide - 2);
    let start = end.saturating_sub(u16::try_from(width(&shown) + tail_wide).unwrap_or(u16::MAX));
    pen.to(start.max(pen.x() + 2))
        .put(&shown, cx.style(Role::Text))
        .put("  ", cx.style(Role::Text))
        .put(&tail, cx.style(Role::Progress));
}

fn clock(cx: &Cx<'_>) -> String {
    let offset = if cx.local_time { i64::from(cx.moment.utc_offset) } else { 0 };
    let minutes = (cx.moment.now.0.div_euclid(1_000) + offset).div_euclid(60).rem_euclid(1_440);
    format!("{:02}:{:02}{}", minutes / 60, minutes % 60, if cx.local_time { "" } else { " UTC" })
}

/// Columns the tab row needs.
pub const TABS: u16 = 100;

/// Draws the tab row into row `y`.
pub fn tabs(area: Rect, y: u16, buf: &mut Buffer, cx: &Cx<'_>) {
    let mut pen = Pen::new(buf, area, y);
    pen.gap(1);
    for spec in PANES {
        let Some(command) = spec.command else { continue };
        let here = spec.id == cx.place.pane;
        if let Some(key) = cx.hints.key(command) {
            pen.put(key, cx.style(Role::Key)).gap(1);
        }
        pen.put(spec.name, cx.style(if here { Role::TitleFocus } else { Role::Hint })).gap(2);
    }
}
