//! The last word before a paused operation goes on where it would be dangerous: it was confirmed before, but perhaps by
//! someone else, and long ago.

use super::Overlay;
use super::frame::frame;
use crate::input::Command;
use crate::model::{Danger, OpId, OpState, Operation, Request, Text};
use crate::theme::Role;
use crate::ui::Effect;
use crate::ui::cx::Cx;
use crate::ui::outcome::Outcome;
use crate::ui::pane::wrapped;
use crate::ui::widget::input::{LineEdit, TextInput};
use crate::ui::widget::pen::Pen;
use crate::util::width::width;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// See the module's description.
pub struct Resume {
    id: OpId,
    cluster: Text,
    protected: bool,
    /// What must be typed where the name must be typed.
    name: Text,
    title: Text,
    by: Text,
    danger: Danger,
    typed: LineEdit,
    /// What stood in the way of the last try.
    hint: Option<String>,
    cursor: Option<Position>,
}

impl Resume {
    /// The question whether this operation may go on; nothing where it need not be asked.
    pub fn of(op: &Operation, cx: &Cx<'_>) -> Option<Self> {
        let cluster = &op.intent.object.cluster;
        let protected = cx.world.cluster(cluster).is_some_and(|state| state.cluster.protected);
        let danger = op.intent.action.kind().spec().danger;
        (protected || danger == Danger::Destructive).then(|| Self {
            id: op.id,
            cluster: Text::new(cluster),
            protected,
            name: op.intent.name.clone(),
            title: op.title.clone(),
            by: op.by.clone(),
            danger: if protected { danger.raised() } else { danger },
            typed: LineEdit::default(),
            hint: None,
            cursor: None,
        })
    }

    fn confirm(&mut self, cx: &Cx<'_>) -> Outcome {
        match cx.world.operations.iter().find(|op| op.id == self.id).map(|op| op.state) {
            Some(OpState::Paused) => Outcome::Close(vec![Effect::Request(Request::Resume(self.id))]),
            state => {
                self.hint = Some(format!("it is {} by now", state.map_or("gone", OpState::word)));
                Outcome::Handled
            }
        }
    }
}

impl Overlay for Resume {
    fn is_answer(&self, _input: &TextInput) -> bool {
        true
    }

    fn text(&mut self, input: TextInput, cx: &Cx<'_>) -> Outcome {
        self.hint = None;
        match (self.danger, &input) {
            (_, TextInput::Escape) => return Outcome::Ignored,
            (_, TextInput::Paste(_)) => self.hint = Some("a paste does not count here: type it".to_owned()),
            (Danger::Destructive, TextInput::Enter) if self.typed.text() == self.name.as_str() => return self.confirm(cx),
            (Danger::Destructive, TextInput::Enter) => {
                self.hint = Some(format!("that is not {}: type it whole, then enter", self.name));
            }
            (Danger::Destructive, _) => {
                self.typed.edit(&input);
            }
            (_, TextInput::Char('y' | 'Y')) => return self.confirm(cx),
            (_, TextInput::Enter) => self.hint = Some("press y to go on".to_owned()),
            _ => {}
        }
        Outcome::Handled
    }

    fn command(&mut self, command: Command, _cx: &Cx<'_>) -> Outcome {
        match command {
            Command::Quit => Outcome::Close(Vec::new()),
            _ => Outcome::Ignored,
        }
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        self.cursor = None;
        let most = usize::from(area.width.saturating_sub(6)).clamp(20, 90);
        let what = format!("{} was paused, or left by a program that ended; {} asked for it", self.title, self.by);
        let typing = self.danger == Danger::Destructive && self.hint.is_none();
        let (ask, role) = match (&self.hint, self.danger) {
            (Some(hint), _) => (hint.clone(), Role::Warning),
            (None, Danger::Destructive) => (format!("type {} to go on: ", self.name), Role::Danger),
            (None, _) => ("y to go on".to_owned(), Role::Key),
        };
        let leave = "esc leaves it paused";
        let words: Vec<&str> = wrapped(&what, most).collect();
        let ask_wide = width(&ask) + if typing { width(&self.name) + 2 } else { 0 };
        let wide = words.iter().map(|line| width(line)).chain([ask_wide, width(leave), 44]).max().unwrap_or(44).min(most);
        let size = (u16::try_from(wide).unwrap_or(u16::MAX), u16::try_from(words.len() + 3).unwrap_or(u16::MAX));
        let mut head = vec![("resume", Role::Strong), (" · ", Role::Rule), (self.cluster.as_str(), Role::Dialog)];
        if self.protected {
            head.push((" (protected)", Role::Danger));
        }
        let inner = frame(area, buf, cx, &head, size);
        let Some(foot) = inner.bottom().checked_sub(2).filter(|foot| *foot > inner.y) else { return };
        for (line, y) in words.iter().zip(inner.y..foot) {
            Pen::new(buf, inner, y).put(line, cx.style(Role::Dialog));
        }
        let mut pen = Pen::new(buf, inner, foot);
        pen.put(&ask, cx.style(role));
        if typing {
            let room = pen.room();
            let x = self.typed.draw(&mut pen, cx.style(Role::Input), room);
            self.cursor = Some(Position { x: x.min(inner.right().saturating_sub(1)), y: foot });
        }
        Pen::new(buf, inner, foot + 1).put(leave, cx.style(Role::Hint));
    }

    fn cursor(&self) -> Option<Position> {
        self.cursor
    }
}
