//! What a list says of itself: its title, how fresh it is, and why it is empty.

use super::{List, ListPane};
use crate::model::{KindSync, Link, Text};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::pane::wrapped;
use crate::ui::widget::pen::Pen;
use crate::ui::widget::title;
use crate::util::humanize::Age;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::fmt;

impl<L: List> ListPane<L> {
    pub(super) fn title(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, focus: bool) -> Rect {
        let (typed, typing) = (&self.typed, self.typing);
        let (shown, admitted) = (self.index.len(), self.index.admitted());
        let marked = self.marked.len();
        let mut cursor = None;
        let rest = title::title(buf, area, cx, L::NAME, focus, |pen| {
            place_words(pen, cx);
            if typing || !typed.text().is_empty() {
                pen.put(" · /", cx.style(Role::Key));
                let room = pen.room().saturating_sub(16).min(40);
                let x = typed.draw(pen, cx.style(Role::Input), room);
                cursor = (typing && focus).then_some(Position { x, y: area.y });
                title::part(pen, cx, format_args!("{shown} of {admitted}"), Role::Match);
            } else if admitted > 0 {
                title::part(pen, cx, grouped(admitted), Role::Dim);
            }
            if marked > 0 {
                title::part(pen, cx, format_args!("{marked} marked"), Role::Marked);
            }
            freshness::<L>(pen, cx);
        });
        self.cursor = cursor;
        rest
    }

    pub(super) fn say_empty(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let words = if self.index.admitted() > 0 {
            Text::from(format!("none of {} matches /{} · esc clears the filter", self.index.admitted(), self.typed.text()))
        } else {
            not_yet::<L>(cx).unwrap_or_else(|| L::empty(cx))
        };
        let width = usize::from(area.width.saturating_sub(4)).max(1);
        for (line, y) in wrapped(&words, width).zip(area.y + 1..area.bottom()) {
            Pen::new(buf, area, y).gap(3).put(line, cx.style(Role::Dim));
        }
    }
}

/// What the list is narrowed to, after the name in the title.
fn place_words(pen: &mut Pen<'_>, cx: &Cx<'_>) {
    let narrow = &cx.place.narrow;
    if let Some(cluster) = &narrow.cluster {
        title::part(pen, cx, Text::new(cluster), Role::Strong);
    }
    if let Some(namespace) = &narrow.namespace {
        title::part(pen, cx, namespace, Role::Strong);
    }
    if let Some(subject) = &cx.place.subject {
        let words = Text::from(format!("of {} {}", subject.object.kind.word(), cx.name_of(&subject.object)));
        title::part(pen, cx, &words, Role::Strong);
    }
}

/// Says in the title what is not current: `edge stale 42s`, `prod-eu loading 2,300…`, `stage not read for 5m: …`. Why a
/// cluster was never reached stands in the place of its rows.
fn freshness<L: List>(pen: &mut Pen<'_>, cx: &Cx<'_>) {
    let Some(kind) = L::KIND else { return };
    for state in cx.clusters() {
        let name = cx.many_clusters().then(|| Text::new(&state.cluster.id));
        let mut part = |words: fmt::Arguments<'_>, role| match &name {
            Some(name) => title::part(pen, cx, format_args!("{name} {words}"), role),
            None => title::part(pen, cx, words, role),
        };
        if let Some((since, _)) = state.cluster.link.trouble() {
            part(format_args!("{} {}", state.cluster.link.word(), Age(cx.since(since))), Role::Warning);
        }
        match state.sync_of(kind) {
            KindSync::Loading(n) => part(format_args!("loading {}…", grouped(*n as usize)), Role::Progress),
            KindSync::Narrowed(words) => part(format_args!("{words}"), Role::Warning),
            KindSync::Failed { since, reason } => {
                part(format_args!("not read for {}: {reason}", Age(cx.since(*since))), Role::Warning);
            }
            KindSync::Waiting | KindSync::Live => {}
        }
    }
}

/// Why there are no rows yet, if some cluster has not answered; none if all have.
fn not_yet<L: List>(cx: &Cx<'_>) -> Option<Text> {
    let mut words = Vec::new();
    for state in cx.clusters() {
        let id = &state.cluster.id;
        match &state.cluster.link {
            Link::Connecting => words.push(format!("{id}: connecting…")),
            link => {
                if let Some((_, reason)) = link.trouble() {
                    words.push(format!("{id}: {}: {reason}", link.word()));
                } else if let Some(kind) = L::KIND {
                    match state.sync_of(kind) {
                        KindSync::Waiting | KindSync::Loading(0) => words.push(format!("{id}: loading…")),
                        KindSync::Loading(n) => words.push(format!("{id}: loading {}…", grouped(*n as usize))),
                        KindSync::Failed { reason, .. } => words.push(format!("{id}: {reason}")),
                        KindSync::Live | KindSync::Narrowed(_) => {}
                    }
                }
            }
        }
    }
    (!words.is_empty()).then(|| Text::from(words.join(" · ")))
}

/// `2,300`.
pub fn grouped(n: usize) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        // the thousands, greatest first
        let mut scale = 1;
        while n / scale >= 1_000 {
            scale *= 1_000;
        }
        write!(f, "{}", n / scale)?;
        while scale > 1 {
            scale /= 1_000;
            write!(f, ",{:03}", n / scale % 1_000)?;
        }
        Ok(())
    })
}
