//! Details of one object: beside the list where there is room, in place of it where there is none.

mod cluster;
mod event;
mod next;
mod node;
mod service;
mod sheet;
mod task;

use super::cx::Cx;
use super::view::naming::Name;
use super::widget::pen::Pen;
use super::widget::title;
use crate::model::{ClusterId, ClusterState, Kind, ObjectRef, Text};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sheet::Sheet;
use std::sync::Arc;

/// What details are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A row of a cluster.
    Object(ObjectRef),
    /// A cluster itself.
    Cluster(ClusterId),
}

impl About {
    /// Its cluster.
    pub fn cluster(&self) -> &ClusterId {
        match self {
            Self::Object(object) => &object.cluster,
            Self::Cluster(id) => id,
        }
    }
}

/// What a sheet was made of; it is made anew when any of it differs.
struct Made {
    about: About,
    state: Arc<ClusterState>,
    second: i64,
    width: u16,
    sheet: Sheet,
}

/// The details of whatever is pointed at, and how far they are scrolled.
#[derive(Default)]
pub struct Detail {
    made: Option<Made>,
    last: event::Last,
    scroll: usize,
    page: usize,
}

impl Detail {
    /// Scrolls by lines.
    pub fn scroll(&mut self, by: isize) {
        self.scroll = self.scroll.saturating_add_signed(by);
    }

    /// Lines that were in view at the last frame.
    pub fn page(&self) -> usize {
        self.page
    }

    /// Draws title and sheet into `area`.
    pub fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, about: Option<&About>, focus: bool) {
        let name = about.map_or_else(|| Text::new("details").into(), |about| name(cx, about));
        let body = title::title(buf, area, cx, name, focus, |pen| {
            if let Some(About::Object(object)) = about {
                title::part(pen, cx, object.kind.word(), Role::Dim);
                if cx.many_clusters() {
                    title::part(pen, cx, Text::new(&object.cluster), Role::Dim);
                }
            }
        });
        let Some(about) = about else { return };
        self.page = usize::from(body.height);
        let lines = self.sheet(cx, about, body.width).lines();
        self.scroll = self.scroll.min(lines.saturating_sub(self.page));
        let scroll = self.scroll;
        let Some(made) = &self.made else { return };
        for (n, y) in (scroll..lines).zip(body.top()..body.bottom()) {
            let mut pen = Pen::new(buf, body, y);
            pen.gap(1);
            for (text, role) in made.sheet.line(n) {
                pen.put_elided(text, usize::MAX, cx.style(*role));
            }
        }
        if lines > scroll + self.page && body.height > 0 {
            let more = format!(" {} more lines ↓ ", lines - scroll - self.page);
            let mut pen = Pen::new(buf, body, body.bottom() - 1);
            let start = body.right().saturating_sub(u16::try_from(more.chars().count()).unwrap_or(0) + 1);
            pen.to(start).put(&more, cx.style(Role::Dim));
        }
    }

    /// The sheet, made anew only when what it says may have changed: another object, another picture, another second.
    fn sheet(&mut self, cx: &Cx<'_>, about: &About, width: u16) -> &Sheet {
        let second = cx.moment.now.0.div_euclid(1_000);
        let state = cx.world.cluster(about.cluster());
        if self.made.as_ref().is_some_and(|made| made.about != *about) {
            self.scroll = 0;
        }
        let fresh = self.made.as_ref().is_some_and(|made| {
            made.about == *about
                && made.second == second
                && made.width == width
                && state.is_some_and(|s| Arc::ptr_eq(s, &made.state))
        });
        if !fresh {
            let mut sheet = Sheet::new(usize::from(width.saturating_sub(2)));
            if let Some(state) = state {
                write(cx, state, about, &mut self.last, &mut sheet);
                self.made = Some(Made { about: about.clone(), state: Arc::clone(state), second, width, sheet });
            } else {
                self.made = None;
            }
        }
        static GONE: Sheet = Sheet::EMPTY;
        self.made.as_ref().map_or(&GONE, |made| &made.sheet)
    }
}

fn name<'a>(cx: &Cx<'a>, about: &About) -> Name<'a> {
    match about {
        About::Object(object) => cx.name_of(object),
        About::Cluster(id) => Text::new(id).into(),
    }
}

fn write(cx: &Cx<'_>, state: &ClusterState, about: &About, last: &mut event::Last, sheet: &mut Sheet) {
    let About::Object(object) = about else { return cluster::write(cx, state, sheet) };
    if let Some((since, reason)) = state.cluster.link.trouble() {
        sheet.field(
            state.cluster.link.word(),
            Role::Warning,
            &[(&format!("since {}: {reason}", crate::util::humanize::age_of(cx.since(since))), Role::Warning)],
        );
    }
    let key = &object.key;
    let known = match object.kind {
        Kind::Service => state.services.get(key).map(|row| service::write(cx, state, row, last.of(state, object), sheet)),
        Kind::Node => state.nodes.get(key).map(|row| node::write(cx, state, row, last.of(state, object), sheet)),
        Kind::Task => state.tasks.get(key).map(|row| task::write(cx, state, row, last.of(state, object), sheet)),
        Kind::Event => state.events.get(key).map(|row| {
            let about = row.about.as_ref().map(|(kind, key)| ObjectRef { kind: *kind, key: key.clone(), ..object.clone() });
            event::write(cx, row, about.as_ref().map_or(&[], |about| last.of(state, about)), sheet);
        }),
    };
    if known.is_none() {
        sheet.words(&format!("this {} is gone", object.kind.word()), Role::Dim);
    }
}
