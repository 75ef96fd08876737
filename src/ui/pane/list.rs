//! What all list panes have in common: cursor pinned to its object, filter, sort, marks, title. A list pane is a
//! [`List`] and nothing else.

use super::{Pane, PaneId};
use crate::input::{Command, Scope};
use crate::model::{ClusterId, ClusterState, Interest, Kind, KindSync, Link, ObjectRef, Text};
use crate::theme::Role;
use crate::ui::cx::{Cx, Subject};
use crate::ui::detail::About;
use crate::ui::outcome::{Go, Outcome};
use crate::ui::view::filter::Query;
use crate::ui::view::naming;
use crate::ui::view::rows::{RowId, RowIndex, Sort, Source};
use crate::ui::widget::input::{LineEdit, TextInput};
use crate::ui::widget::pen::Pen;
use crate::ui::widget::table::{CellText, Cells, Column, RowLook, TableState, View};
use crate::ui::widget::title;
use crate::ui::{Effect, act};
use crate::util::humanize;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::collections::HashSet;
use std::sync::Arc;

/// What one list pane shows.
pub trait List: Source {
    /// Name in the title.
    const NAME: &'static str;
    /// The kind whose table it reads; none for the list of clusters itself and for findings.
    const KIND: Option<Kind>;
    /// The columns.
    const COLUMNS: &'static [Column];
    /// Position of the column that names the cluster; hidden where there is only one.
    const CLUSTER: Option<usize>;
    /// The order to begin with.
    const SORT: Sort;
    /// Columns that `sort.name`, `sort.age` and `sort.state` mean.
    const SORTS: [Option<usize>; 3];
    /// Commands whose keys belong in the last row.
    const HINTS: &'static [Command];

    /// Writes a cell.
    fn cell(cx: &Cx<'_>, state: &ClusterState, row: &Self::Row, column: usize, out: &mut CellText);
    /// The object that a row stands for.
    fn object(state: &ClusterState, row: &Self::Row) -> Option<ObjectRef>;
    /// What the details are about.
    fn about(state: &ClusterState, row: &Self::Row) -> Option<About> {
        Self::object(state, row).map(About::Object)
    }
    /// Where the keymap is looked up for a row.
    fn scopes(state: &ClusterState, row: &Self::Row) -> &'static [Scope];
    /// What `open` does on a row.
    fn open(state: &ClusterState, row: &Self::Row) -> Outcome;
    /// The plain text `copy` takes.
    fn plain(state: &ClusterState, row: &Self::Row) -> Option<Text>;
    /// Why there is nothing in the list though all clusters have answered.
    fn empty(cx: &Cx<'_>) -> Text;
    /// Whether what the row says is not known to be current.
    fn stale(state: &ClusterState, _row: &Self::Row) -> bool {
        !state.cluster.link.is_live()
    }
    /// What must be polled while it is on screen.
    fn interest() -> Interest {
        Interest { usage: true, tasks: false }
    }
}

/// See the module's description.
pub struct ListPane<L: List> {
    index: RowIndex<L>,
    table: TableState,
    /// The row the operator chose. It keeps its place here also while it is filtered out or away.
    pinned: Option<RowId>,
    /// The row the cursor shows on while the pinned one is not in the list.
    stand_in: Option<RowId>,
    /// Position of the cursor.
    at: usize,
    marked: HashSet<RowId>,
    sort: Sort,
    typed: LineEdit,
    typing: bool,
    query: Query,
    cursor: Option<Position>,
    /// Put the cursor on this object once it is there.
    wanted: Option<ObjectRef>,
    /// What the list was of when it was last entered.
    subject: Option<Subject>,
}

impl<L: List> Default for ListPane<L> {
    fn default() -> Self {
        Self::new()
    }
}

impl<L: List> ListPane<L> {
    /// An empty list, sorted as [`List::SORT`] says.
    pub fn new() -> Self {
        Self {
            index: RowIndex::default(),
            table: TableState::default(),
            pinned: None,
            stand_in: None,
            at: 0,
            marked: HashSet::new(),
            sort: L::SORT,
            typed: LineEdit::default(),
            typing: false,
            query: Query::default(),
            cursor: None,
            wanted: None,
            subject: None,
        }
    }

    fn refresh(&mut self, cx: &Cx<'_>) -> bool {
        let changed = self.index.sync(cx, &self.query, self.sort);
        if let Some(object) = &self.wanted {
            let found = self.index.ids().find(|id| {
                id.cluster == object.cluster
                    && row::<L>(cx, id).is_some_and(|(state, row)| L::object(state, row).as_ref() == Some(object))
            });
            if let Some(id) = found.cloned() {
                self.pinned = Some(id);
                self.wanted = None;
            }
        }
        if changed {
            self.marked.retain(|id| row::<L>(cx, id).is_some());
        }
        self.settle();
        changed
    }

    /// Puts the cursor back on its object after rows have moved.
    fn settle(&mut self) {
        let at = self.at;
        let find = |id: &Option<RowId>| id.as_ref().and_then(|id| self.index.position(id, at));
        if let Some(at) = find(&self.pinned) {
            self.at = at;
            self.stand_in = None;
        } else if let Some(at) = find(&self.stand_in) {
            self.at = at;
        } else {
            self.at = at.min(self.index.len().saturating_sub(1));
            self.stand_in = self.index.id(self.at).cloned();
            if self.pinned.is_none() {
                self.pinned = self.stand_in.take();
            }
        }
    }

    fn go(&mut self, at: usize) -> Outcome {
        self.at = at.min(self.index.len().saturating_sub(1));
        self.pinned = self.index.id(self.at).cloned();
        self.stand_in = None;
        self.wanted = None;
        Outcome::Handled
    }

    fn here<'a>(&self, cx: &Cx<'a>) -> Option<(&'a Arc<ClusterState>, &'a L::Row)> {
        row::<L>(cx, self.index.id(self.at)?)
    }

    fn sort_by(&mut self, column: Option<usize>, cx: &Cx<'_>) -> Outcome {
        if let Some(column) = column {
            self.sort = if self.sort.column == column {
                Sort { column, down: !self.sort.down }
            } else {
                Sort { column, down: Some(column) == L::SORTS[2] }
            };
            self.refresh(cx);
        }
        Outcome::Handled
    }

    fn hidden(&self, cx: &Cx<'_>) -> u32 {
        L::CLUSTER.filter(|_| !cx.many_clusters()).map_or(0, |at| 1 << at)
    }

    fn refilter(&mut self, cx: &Cx<'_>) {
        self.query = Query::new(self.typed.text());
        self.refresh(cx);
    }

    fn clear_filter(&mut self, cx: &Cx<'_>) {
        self.typed = LineEdit::default();
        self.typing = false;
        self.refilter(cx);
    }

    fn mark(&mut self, cx: &Cx<'_>) -> Outcome {
        let Some(id) = self.index.id(self.at).cloned() else { return Outcome::Handled };
        if self.here(cx).and_then(|(state, row)| L::object(state, row)).is_none() {
            return Outcome::say("this row is not an object that can be acted on");
        }
        if !self.marked.remove(&id) {
            self.marked.insert(id);
        }
        self.go(self.at + 1)
    }

    fn mark_all(&mut self) -> Outcome {
        let all = self.index.ids().all(|id| self.marked.contains(id));
        for id in self.index.ids() {
            if all {
                self.marked.remove(id);
            } else {
                self.marked.insert(id.clone());
            }
        }
        Outcome::Handled
    }

    fn copy(&self, cx: &Cx<'_>) -> Outcome {
        let names: Vec<Text> = if self.marked.is_empty() {
            self.here(cx).and_then(|(state, row)| L::plain(state, row)).into_iter().collect()
        } else {
            let mut names: Vec<Text> =
                self.marked.iter().filter_map(|id| row::<L>(cx, id)).filter_map(|(state, row)| L::plain(state, row)).collect();
            names.sort_unstable();
            names
        };
        if names.is_empty() {
            return Outcome::say("nothing to copy here");
        }
        let text = names.iter().map(Text::as_str).collect::<Vec<_>>().join("\n");
        Outcome::Effects(vec![Effect::Copy(text)])
    }

    fn opened(&self, cx: &Cx<'_>, pane: PaneId) -> Outcome {
        match self.selection(cx) {
            Some(object) => Outcome::Go(Go::For(pane, Subject::of(object))),
            None => Outcome::say("there is no object under the cursor"),
        }
    }

    fn title(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, focus: bool) -> Rect {
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
                title::part(pen, cx, &format!("{shown} of {admitted}"), Role::Match);
            } else if admitted > 0 {
                title::part(pen, cx, &grouped(admitted), Role::Dim);
            }
            if marked > 0 {
                title::part(pen, cx, &format!("{marked} marked"), Role::Marked);
            }
            freshness::<L>(pen, cx);
        });
        self.cursor = cursor;
        rest
    }

    fn table(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, cursor: Option<usize>, header: bool) {
        let view = View {
            columns: L::COLUMNS,
            hidden: self.hidden(cx),
            rows: self.index.len(),
            cursor,
            sort: (self.sort.column, self.sort.down),
            header,
        };
        let cells = InView { pane: &self.index, marked: &self.marked, cx };
        self.table.render(area, buf, cx, view, &cells);
    }

    fn say_empty(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let words = if self.index.admitted() > 0 {
            Text::from(format!("none of {} matches /{} · esc clears the filter", self.index.admitted(), self.typed.text()))
        } else {
            not_yet::<L>(cx).unwrap_or_else(|| L::empty(cx))
        };
        let width = usize::from(area.width.saturating_sub(4)).max(1);
        for (line, y) in super::wrapped(&words, width).zip(area.y + 1..area.bottom()) {
            Pen::new(buf, area, y).gap(3).put(line, cx.style(Role::Dim));
        }
    }
}

/// The row of an id, and its cluster.
fn row<'a, L: List>(cx: &Cx<'a>, id: &RowId) -> Option<(&'a Arc<ClusterState>, &'a L::Row)> {
    let state = cx.world.cluster(&id.cluster)?;
    Some((state, L::row(state, &id.key)?))
}

/// What the list is narrowed to, after the name in the title.
fn place_words(pen: &mut Pen<'_>, cx: &Cx<'_>) {
    let narrow = &cx.place.narrow;
    if let Some(cluster) = &narrow.cluster {
        title::part(pen, cx, &Text::new(cluster), Role::Strong);
    }
    if let Some(namespace) = &narrow.namespace {
        title::part(pen, cx, namespace, Role::Strong);
    }
    if let Some(subject) = &cx.place.subject {
        let words = Text::from(format!("of {} {}", subject.object.kind.word(), cx.name_of(&subject.object)));
        title::part(pen, cx, &words, Role::Strong);
    }
}

/// Says in the title what is not current: `edge stale 42s`, `prod-eu loading 2,300…`, `stage forbidden: …`.
fn freshness<L: List>(pen: &mut Pen<'_>, cx: &Cx<'_>) {
    let Some(kind) = L::KIND else { return };
    for state in cx.clusters() {
        let name = |words: String| if cx.many_clusters() { format!("{} {words}", Text::new(&state.cluster.id)) } else { words };
        if let Link::Stale { since, .. } = &state.cluster.link {
            title::part(pen, cx, &name(format!("stale {}", humanize::age_of(cx.since(*since)))), Role::Warning);
        }
        match state.sync_of(kind) {
            KindSync::Loading(n) => title::part(pen, cx, &name(format!("loading {}…", grouped(*n as usize))), Role::Progress),
            KindSync::Failed { reason, .. } => title::part(pen, cx, &name(reason.to_string()), Role::Warning),
            KindSync::Waiting | KindSync::Live => {}
        }
    }
}

/// Why there are no rows yet, if some cluster has not answered; none if all have.
fn not_yet<L: List>(cx: &Cx<'_>) -> Option<Text> {
    if cx.world.clusters.is_empty() {
        return Some(Text::new(
            "no clusters found: there is no context in KUBECONFIG or ~/.kube/config, no DOCKER_HOST, no docker context, no engine \
             socket, and no [clusters] in the configuration file. `quarterdeck --demo` shows a fleet without any",
        ));
    }
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
                        KindSync::Live => {}
                    }
                }
            }
        }
    }
    (!words.is_empty()).then(|| Text::from(words.join(" · ")))
}

/// `2,300`.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

struct InView<'a, 'b, L: List> {
    pane: &'a RowIndex<L>,
    marked: &'a HashSet<RowId>,
    cx: &'a Cx<'b>,
}

impl<L: List> Cells for InView<'_, '_, L> {
    fn cell(&self, at: usize, column: usize, out: &mut CellText) {
        if let Some((state, row)) = self.pane.id(at).and_then(|id| row::<L>(self.cx, id)) {
            if L::CLUSTER == Some(column) {
                out.put(&crate::util::clean::clean(&state.cluster.id), Role::Dim);
            } else {
                L::cell(self.cx, state, row, column, out);
            }
        }
    }

    fn look(&self, at: usize) -> RowLook {
        let Some(id) = self.pane.id(at) else { return RowLook::default() };
        let stale = row::<L>(self.cx, id).is_some_and(|(state, row)| L::stale(state, row));
        RowLook { marked: self.marked.contains(id), stale }
    }
}

impl<L: List> Pane for ListPane<L> {
    fn sync(&mut self, cx: &Cx<'_>) -> bool {
        self.refresh(cx)
    }

    fn enter(&mut self, cx: &Cx<'_>) -> Outcome {
        if self.subject != cx.place.subject {
            // another list than last time: what was looked for and marked there means nothing here
            *self = Self { sort: self.sort, subject: cx.place.subject.clone(), ..Self::new() };
        }
        Outcome::Handled
    }

    fn leave(&mut self, _cx: &Cx<'_>) -> Outcome {
        self.marked.clear();
        self.typing = false;
        Outcome::Handled
    }

    fn command(&mut self, command: Command, cx: &Cx<'_>) -> Outcome {
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
            Command::SelectAll => self.mark_all(),
            Command::Sort => {
                let hidden = self.hidden(cx);
                let next =
                    (1..=L::COLUMNS.len()).map(|n| (self.sort.column + n) % L::COLUMNS.len()).find(|at| hidden & (1 << at) == 0);
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
            TextInput::Enter | TextInput::Tab => self.typing = false,
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

    fn targets(&self, cx: &Cx<'_>) -> Vec<ObjectRef> {
        if self.marked.is_empty() {
            return self.selection(cx).into_iter().collect();
        }
        // also those that the filter hides just now: they were marked one by one, and the preview lists them
        let mut objects: Vec<ObjectRef> =
            self.marked.iter().filter_map(|id| row::<L>(cx, id)).filter_map(|(state, row)| L::object(state, row)).collect();
        objects.sort_unstable();
        objects.dedup();
        objects
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

    fn rows(&self) -> usize {
        self.index.len()
    }

    fn strip(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let area = area.intersection(buf.area);
        let count = self.index.len();
        let body = title::title(buf, area, cx, L::NAME, false, |pen| title::part(pen, cx, &grouped(count), Role::Dim));
        self.table(body, buf, cx, None, false);
    }
}

/// The plain name of an object, for lists whose rows are objects.
pub fn plain(state: &ClusterState, object: Option<ObjectRef>) -> Option<Text> {
    object.and_then(|object| naming::plain(state, object.kind, &object.key))
}
