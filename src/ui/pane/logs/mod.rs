//! The log view: the lines of one task or of all tasks of a service, with every loss shown where it happened.
//!
//! It follows the end, or holds its place by the number of a line while new ones come and old ones go. A filter shows
//! only what matches (and all gaps); going to the next match shows it among its neighbours.

mod draw;
mod line;
mod window;

pub use draw::{last_lines, state};

use super::Pane;
use crate::input::{Command, Scope};
use crate::model::{Interest, Kind, LogItem, LogTarget, ObjectRef, Request, Tail, TailId};
use crate::ui::cx::Cx;
use crate::ui::outcome::Outcome;
use crate::ui::view::filter::Query;
use crate::ui::widget::input::{LineEdit, TextInput};
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
    /// Columns that names of tasks take.
    labels: usize,
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
        self.draw(area, buf, cx, focus);
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
        // the next match is one of those found
        if self.query.is_empty() {
            &[
                Command::LogFollow,
                Command::Filter,
                Command::LogWrap,
                Command::LogTime,
                Command::LogMark,
                Command::LogClear,
                Command::Copy,
            ]
        } else {
            &[
                Command::LogFollow,
                Command::Filter,
                Command::SearchNext,
                Command::SearchPrevious,
                Command::LogWrap,
                Command::LogTime,
                Command::Copy,
            ]
        }
    }

    fn interest(&self) -> Interest {
        Interest { usage: false, tasks: true }
    }
}
