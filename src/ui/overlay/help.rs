//! All keys by where they work, with a search.

use super::{Here, Overlay, frame::frame};
use crate::input::{Command, Scope};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::outcome::Outcome;
use crate::ui::view::filter::Query;
use crate::ui::widget::input::{LineEdit, TextInput};
use crate::ui::widget::pen::Pen;
use crate::util::width::{elide_end, width};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// See the module's description.
pub struct Help {
    /// Where the keymap is looked up here.
    here: Vec<Scope>,
    /// All scopes; what works here comes first.
    scopes: Vec<Scope>,
    typed: LineEdit,
    scroll: usize,
    page: usize,
    cursor: Option<Position>,
}

/// Columns for the keys.
const KEYS: usize = 16;

impl Help {
    /// Help as asked for here.
    pub fn new(here: &Here) -> Self {
        let mut scopes: Vec<Scope> = Vec::new();
        for scope in here.scopes.iter().copied().chain(Scope::ALL) {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        Self { here: here.scopes.clone(), scopes, typed: LineEdit::default(), scroll: 0, page: 1, cursor: None }
    }

    /// The lines: headings (no command) and commands.
    fn lines(&self) -> Vec<(Scope, Option<Command>)> {
        self.scopes
            .iter()
            .flat_map(|scope| {
                let commands = Command::ALL.iter().copied().filter(move |command| command.scope() == *scope);
                std::iter::once((*scope, None)).chain(commands.map(|command| (*scope, Some(command))))
            })
            .collect()
    }

    /// The keys that get to a command: from here if it works here, else where it does.
    fn keys<'a>(&self, cx: &Cx<'a>, command: Command) -> Vec<&'a str> {
        let scope = command.scope();
        if self.here.contains(&scope) {
            return cx.keymap.keys_for(command, &self.here).collect();
        }
        cx.keymap.keys_for(command, &[scope, Scope::List, Scope::Global]).collect()
    }

    fn found(&self, cx: &Cx<'_>) -> Vec<(Scope, Option<Command>)> {
        let query = Query::new(self.typed.text());
        let mut lines = self.lines();
        lines.retain(|(_, command)| {
            command.is_none_or(|command| {
                let keys = self.keys(cx, command);
                query.matches([command.name(), command.doc()].into_iter().chain(keys.iter().map(|key| &**key)))
            })
        });
        // a heading without anything below it says nothing
        let keep: Vec<bool> = (0..lines.len())
            .map(|n| lines.get(n).is_some_and(|l| l.1.is_some()) || lines.get(n + 1).is_some_and(|l| l.1.is_some()))
            .collect();
        lines.into_iter().zip(keep).filter_map(|(line, keep)| keep.then_some(line)).collect()
    }
}

impl Overlay for Help {
    fn text(&mut self, input: TextInput, _cx: &Cx<'_>) -> Outcome {
        let by = match input {
            TextInput::Escape => return Outcome::Ignored,
            TextInput::Enter => return Outcome::Close(Vec::new()),
            TextInput::Up => -1,
            TextInput::Down => 1,
            TextInput::PageUp => -self.page.cast_signed(),
            TextInput::PageDown => self.page.cast_signed(),
            // the key that opened it closes it while nothing is typed
            TextInput::Char('?') if self.typed.text().is_empty() => return Outcome::Close(Vec::new()),
            input => {
                if self.typed.edit(&input) {
                    self.scroll = 0;
                }
                0
            }
        };
        self.scroll = self.scroll.saturating_add_signed(by);
        Outcome::Handled
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        self.cursor = None;
        let size = (area.width.saturating_sub(6).min(100), area.height.saturating_sub(2));
        let inner = frame(area, buf, cx, &[("keys", Role::Strong)], size);
        if inner.height == 0 {
            return;
        }
        let mut pen = Pen::new(buf, inner, inner.y);
        pen.put("search ", cx.style(Role::Hint));
        let room = pen.room().saturating_sub(1);
        let x = self.typed.draw(&mut pen, cx.style(Role::Input), room);
        self.cursor = Some(Position { x: x.min(inner.right().saturating_sub(1)), y: inner.y });
        let rows = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
        let lines = self.found(cx);
        self.page = usize::from(rows.height).max(1);
        self.scroll = self.scroll.min(lines.len().saturating_sub(self.page));
        if lines.is_empty() {
            Pen::new(buf, rows, rows.y).put("no key and no command says that", cx.style(Role::Dim));
        }
        for ((scope, command), y) in lines.iter().skip(self.scroll).zip(rows.y..rows.bottom()) {
            let mut pen = Pen::new(buf, rows, y);
            let Some(command) = command else {
                pen.put(scope.title(), cx.style(Role::Title));
                continue;
            };
            let keys = self.keys(cx, *command).join("  ");
            let (keys, role) = if keys.is_empty() { (": only".to_owned(), Role::Dim) } else { (keys, Role::Key) };
            pen.gap(2).put(&elide_end(&keys, KEYS), cx.style(role));
            pen.to(rows.x + 2 + 1 + u16::try_from(KEYS).unwrap_or(0));
            let name = width(command.name());
            let roomy = usize::from(pen.room()) > width(command.doc()) + name + 2;
            let room = usize::from(pen.room());
            pen.put_elided(command.doc(), room, cx.style(Role::Text));
            if roomy {
                let at = rows.right().saturating_sub(u16::try_from(name).unwrap_or(0));
                pen.to(at).put(command.name(), cx.style(Role::Dim));
            }
        }
    }

    fn cursor(&self) -> Option<Position> {
        self.cursor
    }
}
