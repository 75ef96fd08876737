//! The whole object as text (YAML), as it was when it was fetched.

use super::Pane;
use crate::input::{Command, Scope};
use crate::model::{Document, ObjectRef, Request, Text};
use crate::theme::Role;
use crate::ui::Effect;
use crate::ui::cx::Cx;
use crate::ui::outcome::Outcome;
use crate::ui::view::clock;
use crate::ui::view::filter::Query;
use crate::ui::widget::input::{LineEdit, TextInput};
use crate::ui::widget::pen::Pen;
use crate::ui::widget::title;
use crate::util::humanize;
use crate::util::time::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::sync::Arc;

/// Columns that one step to the side goes.
const SIDE: usize = 20;

/// See the module's description.
#[derive(Default)]
pub struct DocumentPane {
    object: Option<ObjectRef>,
    /// The moment it was asked for: an older text of the same object is not shown as the answer.
    asked: Timestamp,
    top: usize,
    side: usize,
    page: usize,
    typed: LineEdit,
    typing: bool,
    query: Query,
    /// The line of the match gone to last.
    at: Option<usize>,
    cursor: Option<Position>,
}

impl DocumentPane {
    fn now<'a>(&self, cx: &Cx<'a>) -> Option<&'a Arc<Document>> {
        cx.world.document.as_ref().filter(|document| Some(&document.object) == self.object.as_ref() && document.at >= self.asked)
    }

    fn lines<'a>(&self, cx: &Cx<'a>) -> &'a [Text] {
        self.now(cx).and_then(|document| document.lines.as_ref().ok()).map_or(&[], Vec::as_slice)
    }

    fn fetch(&mut self, cx: &Cx<'_>) -> Outcome {
        match &self.object {
            Some(object) => {
                self.asked = cx.moment.now;
                Outcome::Effects(vec![Effect::Request(Request::Inspect(object.clone()))])
            }
            None => Outcome::Handled,
        }
    }

    fn matches(&self, cx: &Cx<'_>) -> Vec<usize> {
        if self.query.is_empty() {
            return Vec::new();
        }
        let lines = self.lines(cx).iter().enumerate();
        lines.filter(|(_, line)| self.query.matches(std::iter::once(&***line))).map(|(n, _)| n).collect()
    }

    fn search(&mut self, forward: bool, cx: &Cx<'_>) -> Outcome {
        if self.query.is_empty() {
            return Outcome::say("type / and what to look for first");
        }
        let matches = self.matches(cx);
        let here = self.at;
        let next = if forward {
            matches.iter().find(|n| here.is_none_or(|here| **n > here)).or(matches.first())
        } else {
            matches.iter().rev().find(|n| here.is_none_or(|here| **n < here)).or(matches.last())
        };
        match next {
            Some(n) => {
                self.at = Some(*n);
                self.top = n.saturating_sub(self.page / 3);
                Outcome::Handled
            }
            None => Outcome::say(format!("nothing matches /{}", self.typed.text())),
        }
    }

    fn clear(&mut self) {
        self.typed = LineEdit::default();
        self.query = Query::default();
        self.typing = false;
        self.at = None;
    }
}

impl Pane for DocumentPane {
    fn sync(&mut self, _cx: &Cx<'_>) -> bool {
        true
    }

    fn enter(&mut self, cx: &Cx<'_>) -> Outcome {
        let object = cx.place.subject.as_ref().map(|subject| subject.object.clone());
        if object != self.object {
            *self = Self { object, ..Self::default() };
        }
        self.fetch(cx)
    }

    fn command(&mut self, command: Command, cx: &Cx<'_>) -> Outcome {
        let page = self.page.max(1).cast_signed();
        let by = match command {
            Command::Up => -1,
            Command::Down => 1,
            Command::PageUp => -page,
            Command::PageDown => page,
            Command::Top => isize::MIN,
            Command::Bottom => isize::MAX,
            Command::Left => {
                self.side = self.side.saturating_sub(SIDE);
                0
            }
            Command::Right => {
                self.side += SIDE;
                0
            }
            Command::Filter => {
                self.typing = true;
                0
            }
            Command::SearchNext => return self.search(true, cx),
            Command::SearchPrevious => return self.search(false, cx),
            Command::Inspect => return self.fetch(cx),
            Command::Copy => {
                let lines = self.lines(cx);
                if lines.is_empty() {
                    return Outcome::say("nothing to copy here");
                }
                return Outcome::Effects(vec![Effect::Copy(lines.iter().map(Text::as_str).collect::<Vec<_>>().join("\n"))]);
            }
            Command::Back if !self.typed.text().is_empty() => {
                self.clear();
                0
            }
            _ => return Outcome::Ignored,
        };
        self.top = self.top.saturating_add_signed(by);
        Outcome::Handled
    }

    fn wants_text(&self) -> bool {
        self.typing
    }

    fn text(&mut self, input: TextInput, cx: &Cx<'_>) -> Outcome {
        match input {
            TextInput::Enter | TextInput::Tab => self.typing = false,
            TextInput::Escape => self.clear(),
            TextInput::Backspace if self.typed.text().is_empty() => self.clear(),
            TextInput::Up => return self.command(Command::Up, cx),
            TextInput::Down => return self.command(Command::Down, cx),
            TextInput::PageUp => return self.command(Command::PageUp, cx),
            TextInput::PageDown => return self.command(Command::PageDown, cx),
            input => {
                if self.typed.edit(&input) {
                    self.query = Query::new(self.typed.text());
                    self.at = None;
                    if !self.matches(cx).is_empty() {
                        self.search(true, cx);
                    }
                }
            }
        }
        Outcome::Handled
    }

    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, focus: bool) {
        let area = area.intersection(buf.area);
        let document = self.now(cx);
        let found = self.matches(cx);
        let mut cursor = None;
        let body = title::title(buf, area, cx, "text", focus, |pen| {
            if let Some(object) = &self.object {
                let words = format!("{} {}", object.kind.word(), cx.name_of(object));
                title::part(pen, cx, &words, Role::Strong);
                title::part(pen, cx, Text::new(&object.cluster), Role::Dim);
            }
            match document {
                // it is not followed: what it says was true then
                Some(document) => {
                    let age = humanize::age_of(cx.since(document.at));
                    title::part(pen, cx, format_args!("as of {} ({age} ago)", clock::time(cx, document.at)), Role::Dim);
                }
                None if self.object.is_some() => title::part(pen, cx, "fetching…", Role::Progress),
                None => {}
            }
            if self.typing || !self.typed.text().is_empty() {
                pen.put(" · /", cx.style(Role::Key));
                let room = pen.room().saturating_sub(14).min(40);
                let x = self.typed.draw(pen, cx.style(Role::Input), room);
                cursor = (self.typing && focus).then_some(Position { x, y: area.y });
                title::part(pen, cx, format_args!("{} match", found.len()), Role::Match);
            }
        });
        self.cursor = cursor;
        self.page = usize::from(body.height);
        let lines = match document.map(|document| &document.lines) {
            Some(Ok(lines)) => lines,
            Some(Err(why)) => return super::say(body, buf, cx, why, Role::Failing),
            None if self.object.is_some() => return super::say(body, buf, cx, "fetching the object…", Role::Dim),
            None => return super::say(body, buf, cx, "put the cursor on an object and ask for its text", Role::Dim),
        };
        self.top = self.top.min(lines.len().saturating_sub(self.page));
        for ((n, line), y) in lines.iter().enumerate().skip(self.top).zip(body.y..body.bottom()) {
            let mut pen = Pen::new(buf, body, y);
            pen.put(if self.at == Some(n) { "▸" } else { " " }, cx.style(Role::Key));
            draw(line, self.side, &self.query, &mut pen, cx);
        }
    }

    fn cursor(&self) -> Option<Position> {
        self.cursor
    }

    fn selection(&self, _cx: &Cx<'_>) -> Option<ObjectRef> {
        self.object.clone()
    }

    fn scopes(&self, _cx: &Cx<'_>) -> &'static [Scope] {
        &[Scope::Document, Scope::List]
    }

    fn hints(&self, _cx: &Cx<'_>) -> &'static [Command] {
        // the next place is one of those found
        if self.query.is_empty() {
            &[Command::Back, Command::Filter, Command::Copy]
        } else {
            &[Command::Back, Command::Filter, Command::SearchNext, Command::SearchPrevious, Command::Copy]
        }
    }
}

/// Draws a line of YAML: keys stand out, comments recede, what was looked for is marked.
fn draw(line: &str, side: usize, query: &Query, pen: &mut Pen<'_>, cx: &Cx<'_>) {
    let head = line.trim_start_matches([' ', '-']);
    let key_end = line.len() - head.len() + head.find(": ").or_else(|| head.strip_suffix(':').map(str::len)).unwrap_or(0);
    let comment = head.starts_with('#');
    let spans = query.spans(line);
    let mut skip = side;
    for (at, c) in line.char_indices() {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let role = if spans.iter().any(|span| span.contains(&at)) {
            Role::Match
        } else if comment {
            Role::Dim
        } else if at < key_end {
            Role::Key
        } else {
            Role::Text
        };
        pen.put(c.encode_utf8(&mut [0; 4]), cx.style(role));
        if pen.room() == 0 {
            return;
        }
    }
}
