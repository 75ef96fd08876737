//! The first row: how much of the fleet is live, how much is wrong, the newest operation, the time. And the tab row.

use super::cx::Cx;
use super::pane::PANES;
use super::widget::bar;
use super::widget::pen::Pen;
use crate::model::{Level, Link, Text, World};
use crate::theme::Role;
use crate::util::humanize::Age;
use crate::util::time::Timestamp;
use crate::util::width::{width, written};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::fmt;

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

/// Draws the header into row `y`. Where there is no room for all, words give way in order: that all clusters are shown,
/// the words beside the counts of trouble. The counts themselves stay.
pub fn draw(area: Rect, y: u16, buf: &mut Buffer, cx: &Cx<'_>, tally: &Tally) {
    let dim = cx.style(Role::Dim);
    let clock_wide = if cx.local_time { 5 } else { 9 };
    let clock_at = area.right().saturating_sub(clock_wide + 1);
    let links = links(tally);
    let stale = tally.stale_since.map(|since| Age(cx.since(since)));
    let shown = || links.iter().filter(|(n, ..)| *n > 0);
    let link_wide = |(n, word, _): &(usize, &str, Role)| {
        written(n) + 1 + width(word) + stale_age(word, stale).map_or(0, |age| 1 + written(age))
    };
    let links_wide: usize = shown().map(link_wide).sum::<usize>() + shown().count().saturating_sub(1) * 3;
    let room = usize::from(clock_at.saturating_sub(area.x)).saturating_sub(2);
    let trouble_wide = |words: bool| if words { 32 } else { 12 } * usize::from(tally.failing + tally.warning > 0);
    let narrow = &cx.place.narrow;
    let mut pen = Pen::new(buf, area, y);
    pen.until(clock_at.saturating_sub(1)).gap(1);
    match &narrow.cluster {
        Some(cluster) => {
            pen.put(&crate::util::clean::clean(cluster), cx.style(Role::Strong)).gap(2);
        }
        None if room >= 14 + links_wide + trouble_wide(true) => {
            pen.put("all clusters  ", cx.style(Role::Text));
        }
        None => {}
    }
    if let Some(namespace) = &narrow.namespace {
        pen.put(namespace, cx.style(Role::Strong)).gap(2);
    }
    let words = usize::from(pen.room()) >= links_wide + trouble_wide(true);
    if !words {
        // the trouble first: it must not be what is cut
        trouble(&mut pen, cx, tally, false);
    }
    for (at, (n, word, role)) in shown().enumerate() {
        let style = cx.style(*role);
        pen.put(if at > 0 { " · " } else { "" }, dim).say(n, style).gap(1).put(word, style);
        if let Some(age) = stale_age(word, stale) {
            pen.gap(1).say(age, style);
        }
    }
    if words {
        pen.gap(3);
        trouble(&mut pen, cx, tally, true);
    }
    operation(&mut pen, cx, clock_at.saturating_sub(3));
    Pen::new(buf, area, y).to(clock_at).say(clock(cx), dim);
}

/// The word of a stale link, after which its age is said.
const STALE: &str = "stale";

fn links(tally: &Tally) -> [(usize, &'static str, Role); 5] {
    [
        (tally.live, "live", Role::Dim),
        (tally.connecting, "connecting…", Role::Progress),
        (tally.stale, STALE, Role::Warning),
        (tally.unauthorised, "unauthorised", Role::Warning),
        (tally.unreachable, "unreachable", Role::Warning),
    ]
}

fn stale_age(word: &str, age: Option<Age>) -> Option<Age> {
    age.filter(|_| word == STALE)
}

fn trouble(pen: &mut Pen<'_>, cx: &Cx<'_>, tally: &Tally, words: bool) {
    for (n, sign, word, role) in [(tally.failing, "✖", " failing", Role::Failing), (tally.warning, "▲", " warning", Role::Warning)]
    {
        if n > 0 {
            let style = cx.style(role);
            pen.put(sign, style).gap(1).say(n, style).put(if words { word } else { "" }, style).gap(2);
        }
    }
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

fn clock(cx: &Cx<'_>) -> impl fmt::Display {
    let offset = if cx.local_time { i64::from(cx.moment.utc_offset) } else { 0 };
    let minutes = (cx.moment.now.0.div_euclid(1_000) + offset).div_euclid(60).rem_euclid(1_440);
    let zone = if cx.local_time { "" } else { " UTC" };
    fmt::from_fn(move |f| write!(f, "{:02}:{:02}{zone}", minutes / 60, minutes % 60))
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
        if let Some(key) = cx.key(command) {
            pen.put(key, cx.style(Role::Key)).gap(1);
        }
        pen.put(spec.name, cx.style(if here { Role::TitleFocus } else { Role::Hint })).gap(2);
    }
}
