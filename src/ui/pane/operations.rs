//! The operations pane: what was asked for, and how it went. Newest first. Below the list stands the note of the one under
//! the cursor, whole, and what became of each task that it moves.

use super::{Pane, wrapped};
use crate::analysis::steps::{self, Fate, Step};
use crate::input::{Command, Scope};
use crate::model::{ClusterId, Interest, ObjectRef, OpId, OpState, Operation, Request, Text};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::outcome::{Go, Outcome};
use crate::ui::overlay::resume::Resume;
use crate::ui::widget::bar;
use crate::ui::widget::pen::Pen;
use crate::ui::widget::table::{CellText, Cells, Column, Fit, RowLook, TableState, View};
use crate::ui::widget::title;
use crate::ui::{Effect, act};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::borrow::Cow;
use std::sync::Arc;

const STATE: usize = 0;
const WHAT: usize = 1;
const PROGRESS: usize = 2;
const NOTE: usize = 3;
const CLUSTER: usize = 4;
const AGO: usize = 5;
const BY: usize = 6;

const COLUMNS: &[Column] = &[
    Column { title: "STATE", fit: Fit::Words, min: 11, max: 11, priority: 0, grow: false },
    Column { title: "WHAT", fit: Fit::Name, min: 18, max: 44, priority: 0, grow: false },
    Column { title: "PROGRESS", fit: Fit::Words, min: 11, max: 16, priority: 1, grow: false },
    Column { title: "NOTE", fit: Fit::Words, min: 16, max: 90, priority: 2, grow: true },
    Column { title: "CLUSTER", fit: Fit::Name, min: 7, max: 16, priority: 3, grow: false },
    Column { title: "AGO", fit: Fit::Number, min: 4, max: 4, priority: 1, grow: false },
    Column { title: "BY", fit: Fit::Name, min: 6, max: 20, priority: 4, grow: false },
];

/// Lines that a note below the list has at most.
const NOTE_LINES: usize = 4;
/// Services whose spread is told before the rest is left out.
const SPREADS: usize = 3;

/// See the module's description.
#[derive(Default)]
pub struct Operations {
    table: TableState,
    /// What became of the tasks of the operation chosen, as of the picture it was made of.
    steps: Vec<Step>,
    /// The same of its services.
    spreads: Vec<Text>,
    /// The operation chosen; the newest if none.
    pinned: Option<OpId>,
    at: usize,
}

impl Operations {
    fn here<'a>(&self, cx: &Cx<'a>) -> Option<&'a Arc<Operation>> {
        nth(cx, self.at)
    }

    fn go(&mut self, at: usize, cx: &Cx<'_>) -> Outcome {
        self.at = at.min(cx.world.operations.len().saturating_sub(1));
        // at the top it stays with the newest
        self.pinned = if self.at == 0 { None } else { self.here(cx).map(|op| op.id) };
        self.look(cx);
        Outcome::Handled
    }

    /// Looks at what became of the tasks of the operation chosen.
    fn look(&mut self, cx: &Cx<'_>) {
        let found = self.here(cx).and_then(|op| Some((cx.world.cluster(&op.intent.object.cluster)?, op)));
        (self.steps, self.spreads) =
            found.map_or_else(Default::default, |(state, op)| (steps::steps(state, op), steps::spreads(state, op)));
    }

    /// What stands below the list, in at most `most` lines.
    fn foot<'a>(&'a self, note: &'a str, failed: bool, wide: usize, most: usize) -> Vec<Line<'a>> {
        let role = if failed { Role::Failing } else { Role::Text };
        let mut lines: Vec<Line<'a>> = wrapped(note, wide).take(NOTE_LINES).map(|line| Line::Words(line.into(), role)).collect();
        if self.steps.is_empty() {
            return lines;
        }
        lines.push(Line::Words(steps::summary(&self.steps).into(), Role::Strong));
        lines.extend(self.spreads.iter().take(SPREADS).map(|words| Line::Words(words.as_str().into(), Role::Dim)));
        let room = most.saturating_sub(lines.len());
        let shown = if self.steps.len() > room { room.saturating_sub(1) } else { room };
        lines.extend(self.steps.iter().take(shown).map(Line::Step));
        if let Some(rest) = self.steps.get(shown..).filter(|rest| !rest.is_empty()) {
            lines.push(Line::Words(format!("and {} more: {}", rest.len(), steps::summary(rest)).into(), Role::Hint));
        }
        lines
    }

    fn pause(&self, cx: &Cx<'_>) -> Outcome {
        match self.here(cx) {
            None => Outcome::say("there is no operation to pause"),
            Some(op) if !pausable(op) => Outcome::say(format!(
                "{} is {}: only what goes step by step can be paused, while it runs",
                op.title,
                op.state.word()
            )),
            Some(op) => Outcome::Effects(vec![Effect::Request(Request::Pause(op.id))]),
        }
    }

    fn resume(&self, cx: &Cx<'_>) -> Outcome {
        match self.here(cx) {
            None => Outcome::say("there is no operation to resume"),
            Some(op) if op.state != OpState::Paused => Outcome::say(format!("{} is not paused ({})", op.title, op.state.word())),
            Some(op) => match Resume::of(op, cx) {
                Some(question) => Outcome::Open(Box::new(question)),
                None => Outcome::Effects(vec![Effect::Request(Request::Resume(op.id))]),
            },
        }
    }

    fn cancel(&self, cx: &Cx<'_>) -> Outcome {
        match self.here(cx) {
            None => Outcome::say("there is no operation to stop"),
            Some(op) if op.state.ended() => Outcome::say(format!("{} is over ({})", op.title, op.state.word())),
            Some(op) => Outcome::Effects(vec![Effect::Request(Request::Cancel(op.id))]),
        }
    }
}

/// A line below the list.
enum Line<'a> {
    Words(Cow<'a, str>, Role),
    Step(&'a Step),
}

impl Line<'_> {
    /// Columns that the name in it takes.
    fn name(&self) -> usize {
        match self {
            Self::Words(..) => 0,
            Self::Step(step) => crate::util::width::width(&step.name),
        }
    }

    fn draw(&self, mut pen: Pen<'_>, cx: &Cx<'_>, name: usize) {
        match self {
            Self::Words(words, role) => {
                let room = usize::from(pen.gap(3).room());
                pen.put_elided(words, room, cx.style(*role));
            }
            Self::Step(step) => {
                let (mark, role) = mark(step.fate);
                let from = pen.gap(3).put(mark, cx.style(role)).x();
                pen.put_elided(&step.name, name, cx.style(Role::Text)).to(from + u16::try_from(name).unwrap_or(0));
                let room = usize::from(pen.gap(2).room());
                let role = if matches!(step.fate, Fate::Waits | Fate::Stuck) { role } else { Role::Dim };
                pen.put_elided(&step.words, room, cx.style(role));
            }
        }
    }
}

fn mark(fate: Fate) -> (&'static str, Role) {
    match fate {
        Fate::Waits => ("‖ ", Role::Warning),
        Fate::Stuck => ("▲ ", Role::Warning),
        Fate::Leaving | Fate::Starting => ("◔ ", Role::Progress),
        Fate::Next | Fate::Stays => ("· ", Role::Dim),
        Fate::Moved => ("✔ ", Role::Ok),
    }
}

fn nth<'a>(cx: &Cx<'a>, row: usize) -> Option<&'a Arc<Operation>> {
    cx.world.operations.iter().rev().nth(row)
}

/// Whether it can be paused now.
fn pausable(op: &Operation) -> bool {
    op.state == OpState::Running && op.intent.action.kind().spec().stepwise
}

struct InView<'a>(&'a Cx<'a>);

impl Cells for InView<'_> {
    fn cell(&self, row: usize, column: usize, out: &mut CellText) {
        let Some(op) = nth(self.0, row) else { return };
        match column {
            STATE => {
                let (sign, role) = sign(op.state);
                out.put(sign, role);
                out.put(op.state.word(), role);
            }
            WHAT => out.put(&op.title, Role::Text),
            PROGRESS if op.progress.total > 0 => {
                let (done, total) = (op.progress.done, op.progress.total);
                let role = if op.state.ended() { Role::Dim } else { Role::Progress };
                out.with(role, |out| bar::bar(out, u64::from(done), u64::from(total), 5));
                out.fmt(Role::Text, format_args!(" {done}/{total}"));
            }
            NOTE => out.put(&op.progress.note, if op.state == OpState::Failed { Role::Text } else { Role::Dim }),
            CLUSTER => out.put(&Text::new(&op.intent.object.cluster), Role::Dim),
            AGO => super::cells::age(out, self.0, op.asked),
            BY => out.put(&op.by, Role::Dim),
            _ => {}
        }
    }

    fn look(&self, _row: usize) -> RowLook {
        RowLook::default()
    }
}

fn sign(state: OpState) -> (&'static str, Role) {
    match state {
        OpState::Queued => ("· ", Role::Dim),
        OpState::Running | OpState::Verifying => ("◔ ", Role::Progress),
        OpState::Done => ("✔ ", Role::Ok),
        OpState::Failed => ("✖ ", Role::Failing),
        OpState::Paused => ("‖ ", Role::Warning),
        OpState::Cancelled => ("▲ ", Role::Warning),
    }
}

impl Pane for Operations {
    fn sync(&mut self, cx: &Cx<'_>) -> bool {
        let at = self.pinned.and_then(|id| cx.world.operations.iter().rev().position(|op| op.id == id));
        self.at = at.unwrap_or(0);
        self.look(cx);
        true
    }

    fn command(&mut self, command: Command, cx: &Cx<'_>) -> Outcome {
        let page = self.table.page.max(1);
        match command {
            Command::Up => self.go(self.at.saturating_sub(1), cx),
            Command::Down => self.go(self.at + 1, cx),
            Command::PageUp => self.go(self.at.saturating_sub(page), cx),
            Command::PageDown => self.go(self.at + page, cx),
            Command::Top => self.go(0, cx),
            Command::Bottom => self.go(usize::MAX, cx),
            Command::CancelOperation => self.cancel(cx),
            Command::PauseOperation => self.pause(cx),
            Command::ResumeOperation => self.resume(cx),
            Command::UndoOperation => match self.here(cx) {
                Some(op) => act::open_undo(op, cx),
                None => Outcome::say("there is no operation to undo"),
            },
            Command::Open => match self.selection(cx) {
                Some(object) => Outcome::Go(Go::To(object)),
                None => Outcome::Handled,
            },
            Command::Copy => match self.here(cx) {
                Some(op) => {
                    Outcome::Effects(vec![Effect::Copy(format!("{} · {} · {}", op.title, op.state.word(), op.progress.note))])
                }
                None => Outcome::say("nothing to copy here"),
            },
            _ => Outcome::Ignored,
        }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, focus: bool) {
        let area = area.intersection(buf.area);
        let all = cx.world.operations.len();
        let paused = cx.world.operations.iter().filter(|op| op.state == OpState::Paused).count();
        let open = cx.world.operations.iter().filter(|op| !op.state.ended()).count() - paused;
        let body = title::title(buf, area, cx, "operations", focus, |pen| {
            if open > 0 {
                title::part(pen, cx, format_args!("{open} under way"), Role::Progress);
            }
            if paused > 0 {
                title::part(pen, cx, format_args!("{paused} paused"), Role::Warning);
            }
            if all > 0 {
                title::part(pen, cx, format_args!("{all} in all"), Role::Dim);
            }
        });
        let Some(here) = self.here(cx) else {
            return super::say(body, buf, cx, "nothing was asked for since the start of this program", Role::Dim);
        };
        let width = usize::from(body.width.saturating_sub(4)).max(1);
        // the list keeps its head and some rows
        let (high, listed) = (usize::from(body.height), (all + 1).min(usize::from(body.height / 3).max(6)));
        let foot = self.foot(&here.progress.note, here.state == OpState::Failed, width, high.saturating_sub(listed + 1));
        let rows = u16::try_from(foot.len()).unwrap_or(u16::MAX);
        let list = match rows {
            1.. if foot.len() + listed < high => Rect { height: body.height - rows - 1, ..body },
            _ => body,
        };
        let hidden = if cx.world.clusters.len() > 1 { 0 } else { 1 << CLUSTER };
        let view = View { columns: COLUMNS, hidden, rows: all, cursor: focus.then_some(self.at), sort: (AGO, false), header: true };
        let longest = foot.iter().map(Line::name).max().unwrap_or(0);
        for (line, y) in foot.iter().zip(list.bottom() + 1..body.bottom()) {
            line.draw(Pen::new(buf, body, y), cx, longest.min(width * 2 / 5));
        }
        self.table.render(list, buf, cx, view, &InView(cx));
    }

    fn selection(&self, cx: &Cx<'_>) -> Option<ObjectRef> {
        self.here(cx).map(|op| op.intent.object.clone())
    }

    fn cluster(&self, cx: &Cx<'_>) -> Option<ClusterId> {
        self.selection(cx).map(|object| object.cluster)
    }

    fn scopes(&self, _cx: &Cx<'_>) -> &'static [Scope] {
        &[Scope::Operation, Scope::List]
    }

    fn hints(&self, cx: &Cx<'_>) -> &'static [Command] {
        match self.here(cx) {
            Some(op) if op.state == OpState::Paused => {
                &[Command::ResumeOperation, Command::CancelOperation, Command::Open, Command::Copy]
            }
            Some(op) if pausable(op) => &[Command::PauseOperation, Command::CancelOperation, Command::Open, Command::Copy],
            Some(op) if !op.state.ended() => &[Command::CancelOperation, Command::Open, Command::Copy],
            Some(op) if op.undo.as_ref().is_some_and(|undo| undo.bound.is_some()) => {
                &[Command::UndoOperation, Command::Open, Command::Copy]
            }
            Some(_) => &[Command::Open, Command::Copy],
            None => &[],
        }
    }

    fn interest(&self) -> Interest {
        Interest { usage: false, tasks: true }
    }
}
