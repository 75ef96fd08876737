//! The log view: the lines of one task or of all tasks of a service, with every loss shown where it happened.
//!
//! It follows the end, or holds its place by the number of a line while new ones come and old ones go. A filter shows
//! only what matches (and all gaps); going to the next match shows it among its neighbours.

mod line;
mod window;

use super::Pane;
use crate::input::{Command, Scope};
use crate::model::{Interest, Kind, LogItem, LogTarget, ObjectRef, Request, Tail, TailId, TailState, Text};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::outcome::Outcome;
use crate::ui::view::clock;
use crate::ui::view::filter::Query;
use crate::ui::widget::input::{LineEdit, TextInput};
use crate::ui::widget::pen::Pen;
use crate::ui::widget::title;
use crate::ui::{Effect, act};
use crate::util::time::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;
use window::{Found, Row, Source};

/// Marks kept; the oldest goes first.
const MARKS: usize = 100;
/// Columns that one step to the side goes.
const SIDE: usize = 20;

/// See the module's description.
#[derive(Default)]
pub struct Logs {
    /// The open view, if there is one.
    tail: Option<TailId>,
    /// Views opened so far: each gets a number of its own, so that late lines of a closed one are never taken for ours.
    opened: u64,
    target: Option<LogTarget>,
    held: bool,
    top: u64,
    cleared: u64,
    marks: Vec<(u64, Timestamp)>,
    cut: bool,
    no_time: bool,
    side: usize,
    typed: LineEdit,
    typing: bool,
    query: Query,
    /// Only what matches is shown.
    filtering: bool,
    found: Found,
    /// What the last frame showed.
    first: u64,
    last: u64,
    height: usize,
    wrap_at: usize,
    cursor: Option<Position>,
}

impl Logs {
    fn now<'a>(&self, cx: &Cx<'a>) -> Option<&'a Arc<Tail>> {
        cx.world.tail(self.tail?)
    }

    fn source<'a>(&'a self, tail: &'a Tail) -> Source<'a> {
        Source {
            buffer: &tail.buffer,
            from: self.cleared,
            only: (self.filtering && !self.query.is_empty()).then_some(&self.found),
            marks: &self.marks,
            wrap: (!self.cut).then_some(self.wrap_at),
        }
    }

    fn open(&mut self, target: LogTarget) -> Effect {
        self.opened += 1;
        let id = TailId(self.opened);
        let keep = Self { opened: self.opened, cut: self.cut, no_time: self.no_time, ..Self::default() };
        *self = Self { tail: Some(id), target: Some(target.clone()), ..keep };
        Effect::Request(Request::Tail { id, target })
    }

    fn close(&mut self) -> Option<Effect> {
        self.tail.take().map(|id| Effect::Request(Request::Untail(id)))
    }

    fn refilter(&mut self, cx: &Cx<'_>) {
        self.query = Query::new(self.typed.text());
        self.filtering = true;
        self.found = Found::default();
        self.update(cx);
    }

    fn update(&mut self, cx: &Cx<'_>) {
        if let Some(tail) = self.now(cx).filter(|_| !self.query.is_empty()) {
            self.found.follow(&tail.buffer, &self.query);
        }
    }

    fn clear_filter(&mut self) {
        self.typed = LineEdit::default();
        self.query = Query::default();
        self.typing = false;
        self.filtering = false;
        self.found = Found::default();
    }

    /// Holds the view at an item.
    fn hold(&mut self, seq: u64) -> Outcome {
        self.held = true;
        self.top = seq;
        Outcome::Handled
    }

    fn scroll(&mut self, command: Command, cx: &Cx<'_>) -> Outcome {
        let Some(tail) = self.now(cx) else { return Outcome::Handled };
        let source = self.source(tail);
        let end = source.before(u64::MAX);
        let to = match command {
            Command::Up => source.before(self.first),
            Command::PageUp => source.page_above(self.first, self.height),
            Command::Top => source.at_or_after(0),
            // the last line in view becomes the first; at the end there is nowhere to go
            Command::PageDown if end != Some(self.last) => Some(self.last.max(self.first + 1)),
            Command::Down if end != Some(self.last) => source.at_or_after(self.first + 1),
            _ => None,
        };
        match to {
            Some(seq) => self.hold(seq),
            None => Outcome::Handled,
        }
    }

    /// Goes to a match, shown among its neighbours.
    fn search(&mut self, forward: bool, cx: &Cx<'_>) -> Outcome {
        let Some(tail) = self.now(cx) else { return Outcome::Handled };
        if self.query.is_empty() {
            return Outcome::say("type / and what to look for first");
        }
        let mut source = self.source(tail);
        source.only = Some(&self.found);
        let is_line = |seq: &u64| matches!(tail.buffer.get(*seq), Some(LogItem::Line(_)));
        let mut at = if self.held && !self.filtering { self.top } else { u64::MAX };
        let mut step = || -> Option<u64> {
            at = if forward && at != u64::MAX { source.at_or_after(at + 1)? } else { source.before(at)? };
            Some(at)
        };
        let next = std::iter::from_fn(&mut step).find(is_line);
        match next {
            Some(seq) => {
                self.filtering = false;
                self.hold(seq)
            }
            None if self.found.lines == 0 => Outcome::say(format!("nothing matches /{}", self.typed.text())),
            None => Outcome::say(if forward { "there is no match further down" } else { "there is no match further up" }),
        }
    }

    fn copy(&self, cx: &Cx<'_>) -> Outcome {
        let Some(tail) = self.now(cx) else { return Outcome::say("nothing to copy here") };
        let rows = self.rows(tail);
        let lines: Vec<&str> = rows
            .iter()
            .filter_map(|row| match row {
                Row::Part { seq, first: true, .. } => tail.buffer.get(*seq),
                _ => None,
            })
            .filter_map(|item| match item {
                LogItem::Line(line) => Some(line.text.as_str()),
                _ => None,
            })
            .collect();
        if lines.is_empty() {
            return Outcome::say("there is no line in view to copy");
        }
        Outcome::Effects(vec![Effect::Copy(lines.join("\n"))])
    }

    fn rows(&self, tail: &Tail) -> Vec<Row> {
        let source = self.source(tail);
        if self.held { source.rows_at(self.top, self.height) } else { source.last_rows(self.height) }
    }

    fn title(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, focus: bool) -> Rect {
        let mut cursor = None;
        let (typed, typing) = (&self.typed, self.typing);
        let tail = self.now(cx);
        let rest = title::title(buf, area, cx, "logs", focus, |pen| {
            let Some(target) = &self.target else { return };
            title::part(pen, cx, &cx.name_of(&target.object), Role::Strong);
            if target.previous {
                title::part(pen, cx, "the run before the last restart", Role::Warning);
            }
            match tail.map(|tail| &tail.state) {
                None | Some(TailState::Opening) => title::part(pen, cx, "opening…", Role::Progress),
                Some(TailState::Ended) => title::part(pen, cx, "ended", Role::Dim),
                Some(TailState::Failed(_)) => title::part(pen, cx, "cannot be read", Role::Failing),
                Some(TailState::Following(n)) => {
                    if let Some(all) = tasks_of(target, cx) {
                        title::part(pen, cx, &format!("{n} of {all} tasks"), Role::Dim);
                    }
                    let new = tail.map_or(0, |tail| tail.buffer.range().end.saturating_sub(self.last + 1));
                    match (self.held, new) {
                        (false, _) => title::part(pen, cx, "following", Role::Dim),
                        (true, 0) => title::part(pen, cx, "holding", Role::Progress),
                        (true, n) => title::part(pen, cx, &format!("holding · {n} lines below"), Role::Progress),
                    }
                }
            }
            if typing || !typed.text().is_empty() {
                pen.put(" · /", cx.style(Role::Key));
                let room = pen.room().saturating_sub(14).min(40);
                let x = typed.draw(pen, cx.style(Role::Input), room);
                cursor = (typing && focus).then_some(Position { x, y: area.y });
                title::part(pen, cx, &format!("{} match", self.found.lines), Role::Match);
            }
        });
        self.cursor = cursor;
        rest
    }

    fn empty(&self, cx: &Cx<'_>) -> Text {
        match self.now(cx).map(|tail| &tail.state) {
            _ if self.target.is_none() => {
                let key = cx.hints.key(Command::Logs).unwrap_or("l");
                Text::from(format!("no log is open: put the cursor on a task or a service and press {key}"))
            }
            Some(TailState::Failed(why)) => why.clone(),
            Some(TailState::Ended) => Text::new("there are no lines"),
            Some(TailState::Following(0)) => Text::new("no task of it runs now; lines come when one does"),
            Some(TailState::Following(_)) if self.cleared > 0 => Text::new("cleared; new lines come as they are written"),
            Some(TailState::Following(_)) => Text::new("no lines yet"),
            None | Some(TailState::Opening) => Text::new("opening…"),
        }
    }
}

/// How many tasks a service's log could follow.
fn tasks_of(target: &LogTarget, cx: &Cx<'_>) -> Option<usize> {
    let state = cx.world.cluster(&target.object.cluster)?;
    (target.object.kind == Kind::Service).then(|| state.tasks_of(&target.object.key).filter(|task| task.wanted).count())
}

impl Pane for Logs {
    fn sync(&mut self, cx: &Cx<'_>) -> bool {
        self.update(cx);
        true
    }

    fn enter(&mut self, cx: &Cx<'_>) -> Outcome {
        let target = match &cx.place.subject {
            Some(subject) if matches!(subject.object.kind, Kind::Service | Kind::Task) => {
                Some(LogTarget { object: subject.object.clone(), container: None, previous: subject.previous })
            }
            Some(subject) => {
                return Outcome::say(format!("a {} has no log: tasks and services have", subject.object.kind.word()));
            }
            // the log looked at last
            None => self.target.clone(),
        };
        let mut effects: Vec<Effect> = self.close().into_iter().collect();
        effects.extend(target.map(|target| self.open(target)));
        Outcome::Effects(effects)
    }

    fn leave(&mut self, _cx: &Cx<'_>) -> Outcome {
        Outcome::Effects(self.close().into_iter().collect())
    }

    fn command(&mut self, command: Command, cx: &Cx<'_>) -> Outcome {
        match command {
            Command::Up | Command::Down | Command::PageUp | Command::PageDown | Command::Top => return self.scroll(command, cx),
            Command::Bottom => self.held = false,
            Command::LogFollow if self.held => self.held = false,
            Command::LogFollow => return self.hold(self.first),
            Command::Left => self.side = self.side.saturating_sub(SIDE),
            Command::Right if self.cut => self.side += SIDE,
            Command::Right => return Outcome::say("long lines are wrapped; nothing is to the right"),
            Command::LogWrap => {
                self.cut = !self.cut;
                self.side = 0;
            }
            Command::LogTime => self.no_time = !self.no_time,
            Command::LogClear => {
                self.cleared = self.now(cx).map_or(0, |tail| tail.buffer.range().end);
                self.marks.clear();
                self.held = false;
            }
            Command::LogMark => {
                let end = self.now(cx).map_or(0, |tail| tail.buffer.range().end);
                self.marks.push((end, cx.moment.now));
                if self.marks.len() > MARKS {
                    self.marks.remove(0);
                }
            }
            Command::Filter => {
                self.typing = true;
                self.filtering = true;
            }
            Command::SearchNext => return self.search(true, cx),
            Command::SearchPrevious => return self.search(false, cx),
            Command::Copy => return self.copy(cx),
            Command::Back if !self.typed.text().is_empty() => self.clear_filter(),
            command => {
                return match act::kind_of(command) {
                    Some(kind) => Outcome::Act(kind, self.targets(cx)),
                    None => Outcome::Ignored,
                };
            }
        }
        Outcome::Handled
    }

    fn wants_text(&self) -> bool {
        self.typing
    }

    fn text(&mut self, input: TextInput, cx: &Cx<'_>) -> Outcome {
        match input {
            TextInput::Enter | TextInput::Tab => self.typing = false,
            TextInput::Escape => self.clear_filter(),
            TextInput::Up => return self.command(Command::Up, cx),
            TextInput::Down => return self.command(Command::Down, cx),
            TextInput::PageUp => return self.command(Command::PageUp, cx),
            TextInput::PageDown => return self.command(Command::PageDown, cx),
            TextInput::Backspace if self.typed.text().is_empty() => self.clear_filter(),
            input => {
                if self.typed.edit(&input) {
                    self.refilter(cx);
                }
            }
        }
        Outcome::Handled
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, focus: bool) {
        let area = area.intersection(buf.area);
        let body = self.title(area, buf, cx, focus);
        self.height = usize::from(body.height);
        let Some(tail) = self.now(cx).filter(|_| body.width > 0) else {
            return super::say(body, buf, cx, &self.empty(cx), Role::Dim);
        };
        let look = line::Look {
            task: tail.target.object.kind == Kind::Service || has_containers(tail, cx),
            time: !self.no_time,
            side: if self.cut { self.side } else { 0 },
            query: &self.query,
        };
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
            return super::say(body, buf, cx, &words, role);
        }
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
                        line::draw(item, text.clone(), *first, row_area, buf, cx, &look);
                    }
                }
            }
        }
    }

    fn cursor(&self) -> Option<Position> {
        self.cursor
    }

    fn selection(&self, _cx: &Cx<'_>) -> Option<ObjectRef> {
        self.target.as_ref().map(|target| target.object.clone())
    }

    fn scopes(&self, _cx: &Cx<'_>) -> &'static [Scope] {
        &[Scope::Logs, Scope::List]
    }

    fn hints(&self, _cx: &Cx<'_>) -> &'static [Command] {
        &[
            Command::LogFollow,
            Command::LogWrap,
            Command::LogTime,
            Command::LogMark,
            Command::LogClear,
            Command::SearchNext,
            Command::Copy,
        ]
    }

    fn interest(&self) -> Interest {
        Interest { usage: false, tasks: true }
    }
}

/// Whether lines of a task's log must say which container they are of.
fn has_containers(tail: &Tail, cx: &Cx<'_>) -> bool {
    let object = &tail.target.object;
    let task = cx.world.cluster(&object.cluster).and_then(|state| state.tasks.get(&object.key));
    tail.target.container.is_none() && task.is_some_and(|task| task.containers.len() > 1)
}
