//! What a list makes of keys, and what it answers about itself.

use super::words::grouped;
use super::{List, ListPane};
use crate::input::{Command, Scope};
use crate::model::{ClusterId, Interest, ObjectRef};
use crate::theme::Role;
use crate::ui::act;
use crate::ui::cx::{Cx, Subject};
use crate::ui::detail::About;
use crate::ui::outcome::{Go, Outcome};
use crate::ui::pane::{Pane, PaneId};
use crate::ui::view::rows::row;
use crate::ui::widget::input::TextInput;
use crate::ui::widget::title;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

impl<L: List> Pane for ListPane<L> {
    fn sync(&mut self, cx: &Cx<'_>) -> bool {
        self.refresh(cx)
    }

    fn enter(&mut self, cx: &Cx<'_>) -> Outcome {
        if self.subject != cx.place.subject {
            self.turn_to(cx.place.subject.clone());
        }
        if self.narrow != cx.place.narrow {
            // what is not listed any more must not be acted on
            self.marked.clear();
            self.narrow = cx.place.narrow.clone();
        }
        Outcome::Handled
    }

    fn leave(&mut self, _cx: &Cx<'_>) -> Outcome {
        self.typing = false;
        self.index.forget();
        Outcome::Handled
    }

    fn command(&mut self, command: Command, cx: &Cx<'_>) -> Outcome {
        self.resting = false;
        let page = self.table.page.max(2) - 1;
        match command {
            Command::Up => self.go(self.at.saturating_sub(1)),
            Command::Down => self.go(self.at + 1),
            Command::PageUp => self.go(self.at.saturating_sub(page)),
            Command::PageDown => self.go(self.at + page),
            Command::Top => self.go(0),
            Command::Bottom => self.go(usize::MAX),
            Command::Left => {
                self.table.scrolled = self.table.scrolled.saturating_sub(1);
                Outcome::Handled
            }
            Command::Right => {
                self.table.scrolled += 1;
                Outcome::Handled
            }
            Command::Filter => {
                self.typing = true;
                Outcome::Handled
            }
            Command::Back if self.typing || !self.typed.text().is_empty() => {
                self.clear_filter(cx);
                Outcome::Handled
            }
            Command::Back if !self.marked.is_empty() => {
                self.marked.clear();
                Outcome::Handled
            }
            Command::Select => self.mark(cx),
            Command::SelectAll => self.mark_all(cx),
            Command::Sort => {
                let next = self.table.next_column(self.sort.column);
                self.sort_by(next, cx)
            }
            Command::SortReverse => self.sort_by(Some(self.sort.column), cx),
            Command::SortName => self.sort_by(L::SORTS[0], cx),
            Command::SortAge => self.sort_by(L::SORTS[1], cx),
            Command::SortState => self.sort_by(L::SORTS[2], cx),
            Command::Copy => self.copy(cx),
            Command::Open => match self.here(cx) {
                Some((state, row)) => L::open(state, row),
                None => Outcome::Handled,
            },
            Command::Inspect => self.opened(cx, PaneId::Document),
            Command::Logs => self.opened(cx, PaneId::Logs),
            Command::Metrics => self.opened(cx, PaneId::Metrics),
            Command::Events => self.opened(cx, PaneId::Events),
            Command::Tasks => self.opened(cx, PaneId::Tasks),
            Command::LogsPrevious => match self.selection(cx) {
                Some(object) => Outcome::Go(Go::For(PaneId::Logs, Subject { object, previous: true })),
                None => Outcome::say("there is no task under the cursor"),
            },
            _ => match act::kind_of(command) {
                Some(kind) => Outcome::Act(kind, self.targets(cx)),
                None => Outcome::Ignored,
            },
        }
    }

    fn wants_text(&self) -> bool {
        self.typing
    }

    fn text(&mut self, input: TextInput, cx: &Cx<'_>) -> Outcome {
        match input {
            TextInput::Enter | TextInput::Tab => {
                self.typing = false;
                self.take();
            }
            TextInput::Escape => self.clear_filter(cx),
            TextInput::Up => return self.command(Command::Up, cx),
            TextInput::Down => return self.command(Command::Down, cx),
            TextInput::PageUp => return self.command(Command::PageUp, cx),
            TextInput::PageDown => return self.command(Command::PageDown, cx),
            TextInput::Backspace if self.typed.text().is_empty() => self.typing = false,
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
        if self.index.is_empty() {
            return self.say_empty(body, buf, cx);
        }
        self.table(body, buf, cx, focus.then_some(self.at), true);
    }

    fn cursor(&self) -> Option<Position> {
        self.cursor
    }

    fn selection(&self, cx: &Cx<'_>) -> Option<ObjectRef> {
        self.here(cx).and_then(|(state, row)| L::object(state, row))
    }

    fn marked(&self, cx: &Cx<'_>) -> Option<Vec<ObjectRef>> {
        if self.marked.is_empty() {
            return None;
        }
        // also those that the filter hides just now: they were marked one by one, and the preview lists them
        let mut objects: Vec<ObjectRef> =
            self.marked.iter().filter_map(|id| row::<L>(cx, id)).filter_map(|(state, row)| L::object(state, row)).collect();
        objects.sort_unstable();
        objects.dedup();
        Some(objects)
    }

    fn point_at(&mut self, object: &ObjectRef, cx: &Cx<'_>) {
        self.wanted = Some(object.clone());
        self.clear_filter(cx);
    }

    fn cluster(&self, cx: &Cx<'_>) -> Option<ClusterId> {
        self.here(cx).map(|(state, _)| state.cluster.id.clone())
    }

    fn scopes(&self, cx: &Cx<'_>) -> &'static [Scope] {
        self.here(cx).map_or(&[Scope::List], |(state, row)| L::scopes(state, row))
    }

    fn hints(&self, _cx: &Cx<'_>) -> &'static [Command] {
        L::HINTS
    }

    fn interest(&self) -> Interest {
        L::interest()
    }

    fn about(&self, cx: &Cx<'_>) -> Option<About> {
        self.here(cx).and_then(|(state, row)| L::about(state, row))
    }

    fn has_detail(&self) -> bool {
        true
    }

    fn cuts(&self) -> bool {
        self.table.cuts()
    }

    fn cut(&mut self, cx: &Cx<'_>) -> String {
        self.cut_words(cx)
    }

    fn acted(&mut self) {
        self.marked.clear();
    }

    fn rows(&self) -> usize {
        self.index.len()
    }

    fn strip(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let area = area.intersection(buf.area);
        let count = self.index.len();
        let body = title::title(buf, area, cx, L::NAME, false, |pen| title::part(pen, cx, grouped(count), Role::Dim));
        self.table(body, buf, cx, None, false);
    }
}
