//! How the log view draws itself: its title, its lines, and why there are none.

use super::Logs;
use super::line;
use super::window::{Row, Source};
use crate::input::{Command, Scope};
use crate::model::{Kind, LogItem, LogTarget, Tail, TailState, TaskState, Text};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::pane::list::grouped;
use crate::ui::pane::say;
use crate::ui::view::clock;
use crate::ui::view::filter::Query;
use crate::ui::widget::pen::Pen;
use crate::ui::widget::title;
use crate::util::width::width;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;

impl Logs {
    pub(super) fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, focus: bool) {
        let area = area.intersection(buf.area);
        let body = self.title(area, buf, cx, focus);
        self.height = usize::from(body.height);
        let Some(tail) = self.now(cx).filter(|_| body.width > 0) else {
            return say(body, buf, cx, &self.empty(cx), Role::Dim);
        };
        let named = tail.target.object.kind == Kind::Service || has_containers(tail, cx);
        let widest = if named { labels(&self.rows(tail), tail).max(self.labels) } else { 0 };
        let look = line::Look { task: widest, time: !self.no_time, side: if self.cut { self.side } else { 0 }, query: &self.query };
        // it grows at once and never shrinks: lines hold still
        self.labels = widest;
        self.wrap_at = usize::from(body.width).saturating_sub(look.prefix(body.width)).max(8);
        let rows = self.rows(tail);
        let seqs = || rows.iter().filter_map(|row| if let Row::Part { seq, .. } = row { Some(*seq) } else { None });
        self.first = seqs().next().unwrap_or(0);
        self.last = seqs().next_back().unwrap_or(self.first);
        if rows.is_empty() {
            let words = match (&tail.state, self.query.is_empty()) {
                (TailState::Failed(_), _) | (_, true) => self.empty(cx),
                _ => Text::from(format!("nothing matches /{} · esc clears the filter", self.typed.text())),
            };
            let role = if matches!(tail.state, TailState::Failed(_)) { Role::Failing } else { Role::Dim };
            return say(body, buf, cx, &words, role);
        }
        draw_rows(&rows, tail, body, buf, cx, &look);
    }

    fn title(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, focus: bool) -> Rect {
        let mut cursor = None;
        let (typed, typing) = (&self.typed, self.typing);
        let tail = self.now(cx);
        let rest = title::title(buf, area, cx, "logs", focus, |pen| {
            let Some(target) = &self.target else { return };
            title::part(pen, cx, cx.name_of(&target.object), Role::Strong);
            if target.previous {
                title::part(pen, cx, "the run before the last restart", Role::Warning);
            }
            let new = tail.map_or(0, |tail| tail.buffer.range().end.saturating_sub(self.last + 1));
            match (self.held, new) {
                (false, _) => state(pen, cx, tail, "following"),
                (true, 0) => state(pen, cx, tail, "holding"),
                (true, n) => state(pen, cx, tail, &format!("holding · {} lines below", grouped_lines(n))),
            }
            if typing || !typed.text().is_empty() {
                pen.put(" · /", cx.style(Role::Key));
                let room = pen.room().saturating_sub(14).min(40);
                let x = typed.draw(pen, cx.style(Role::Input), room);
                cursor = (typing && focus).then_some(Position { x, y: area.y });
                title::part(pen, cx, format_args!("{} match", self.found.lines), Role::Match);
            }
            if let Some(tail) = tail {
                lost(pen, cx, tail);
            }
        });
        self.cursor = cursor;
        rest
    }

    fn empty(&self, cx: &Cx<'_>) -> Text {
        match self.now(cx).map(|tail| &tail.state) {
            _ if self.target.is_none() => {
                let key = cx.keymap.key_for(Command::Logs, &[Scope::Task, Scope::List, Scope::Global]).unwrap_or("l");
                Text::from(format!("no log is open: put the cursor on a task or a service and press {key}"))
            }
            Some(TailState::Following(1..)) if self.cleared > 0 => Text::new("cleared; new lines come as they are written"),
            state => why_empty(state, self.target.as_ref(), cx),
        }
    }
}

/// Columns of the longest name of a task in these rows.
fn labels(rows: &[Row], tail: &Tail) -> usize {
    let items = rows.iter().filter_map(|row| if let Row::Part { seq, .. } = row { tail.buffer.get(*seq) } else { None });
    items.map(|item| if let LogItem::Line(line) = item { width(&line.task) } else { 0 }).max().unwrap_or(0)
}

/// Why a log has no lines.
fn why_empty(state: Option<&TailState>, target: Option<&LogTarget>, cx: &Cx<'_>) -> Text {
    if let Some(TailState::Failed(why)) = state {
        return why.clone();
    }
    if let Some(words) = target.filter(|target| !target.previous).and_then(|target| not_begun(target, cx)) {
        return words;
    }
    match state {
        Some(TailState::Ended) => Text::new("there are no lines"),
        Some(TailState::Following(0)) => Text::new("no task of it runs now; lines come when one does"),
        Some(TailState::Following(_)) => Text::new("no lines yet"),
        None | Some(TailState::Opening | TailState::Failed(_)) => Text::new("opening…"),
    }
}

/// What a task that has not started waits for.
fn not_begun(target: &LogTarget, cx: &Cx<'_>) -> Option<Text> {
    let task = cx.world.cluster(&target.object.cluster)?.tasks.get(&target.object.key)?;
    let waits = target.object.kind == Kind::Task && matches!(task.state, TaskState::Pending | TaskState::Starting);
    let why = task.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    waits.then(|| Text::from(format!("it has not started yet{why}: lines come when it does")))
}

/// Says in a title how it stands with a log; `following` is what is said while lines come.
pub fn state(pen: &mut Pen<'_>, cx: &Cx<'_>, tail: Option<&Arc<Tail>>, following: &str) {
    let Some(tail) = tail else { return title::part(pen, cx, "opening…", Role::Progress) };
    match &tail.state {
        TailState::Opening => title::part(pen, cx, "opening…", Role::Progress),
        TailState::Ended => title::part(pen, cx, "ended", Role::Dim),
        TailState::Failed(_) => title::part(pen, cx, "cannot be read", Role::Failing),
        TailState::Following(n) => {
            if let Some(all) = tasks_of(&tail.target, cx) {
                title::part(pen, cx, format_args!("{n} of {all} tasks"), Role::Dim);
            }
            title::part(pen, cx, following, if following == "following" { Role::Dim } else { Role::Progress });
        }
    }
}

/// Says how many lines are missing: where they come fast the gap itself has left the view before anyone reads it.
fn lost(pen: &mut Pen<'_>, cx: &Cx<'_>, tail: &Tail) {
    match tail.buffer.lost() {
        0 => {}
        1 => title::part(pen, cx, "1 line left out", Role::Gap),
        n => title::part(pen, cx, format_args!("{} lines left out", grouped_lines(n)), Role::Gap),
    }
}

/// A number of lines, for people.
pub(super) fn grouped_lines(n: u64) -> impl std::fmt::Display {
    grouped(usize::try_from(n).unwrap_or(usize::MAX))
}

/// Draws the last lines of a log, each cut to one row.
pub fn last_lines(tail: &Tail, body: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let source = Source { buffer: &tail.buffer, from: 0, only: None, marks: &[], wrap: None };
    let rows = source.last_rows(usize::from(body.height));
    if rows.is_empty() {
        let role = if matches!(tail.state, TailState::Failed(_)) { Role::Failing } else { Role::Dim };
        return say(body, buf, cx, &why_empty(Some(&tail.state), Some(&tail.target), cx), role);
    }
    let query = Query::default();
    let named = tail.target.object.kind == Kind::Service || has_containers(tail, cx);
    let task = if named { labels(&rows, tail) } else { 0 };
    draw_rows(&rows, tail, body, buf, cx, &line::Look { task, time: true, side: 0, query: &query });
}

fn draw_rows(rows: &[Row], tail: &Tail, body: Rect, buf: &mut Buffer, cx: &Cx<'_>, look: &line::Look<'_>) {
    for (row, y) in rows.iter().zip(body.y..body.bottom()) {
        let row_area = Rect { y, height: 1, ..body };
        match row {
            Row::Begin => {
                Pen::new(buf, row_area, y).put("⋯ lines before this are no longer kept", cx.style(Role::Gap));
            }
            Row::Mark(at) => {
                let mut pen = Pen::new(buf, row_area, y);
                pen.put(&format!("── {} ", clock::time(cx, *at)), cx.style(Role::Marked));
                pen.fill_to(row_area.right(), "─", cx.style(Role::Marked));
            }
            Row::Part { seq, text, first } => {
                if let Some(item) = tail.buffer.get(*seq) {
                    line::draw(item, text.clone(), *first, row_area, buf, cx, look);
                }
            }
        }
    }
}

/// How many tasks a service's log could follow.
fn tasks_of(target: &LogTarget, cx: &Cx<'_>) -> Option<usize> {
    let state = cx.world.cluster(&target.object.cluster)?;
    (target.object.kind == Kind::Service).then(|| state.tasks_of(&target.object.key).filter(|task| task.wanted).count())
}

/// Whether lines of a task's log must say which container they are of.
fn has_containers(tail: &Tail, cx: &Cx<'_>) -> bool {
    let object = &tail.target.object;
    let task = cx.world.cluster(&object.cluster).and_then(|state| state.tasks.get(&object.key));
    tail.target.container.is_none() && task.is_some_and(|task| task.containers.len() > 1)
}
