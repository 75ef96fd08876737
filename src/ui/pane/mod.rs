//! The panes. Each is a file, and a line in [`PANES`].

use super::Outcome;
use super::cx::Cx;
use super::detail::About;
use super::widget::input::TextInput;
use crate::input::{Command, Scope};
use crate::model::{ClusterId, Interest, Kind, ObjectRef};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

pub(crate) mod cells;
pub(crate) mod clusters;
mod detail;
mod document;
pub(crate) mod events;
mod fleet;
pub(crate) mod list;
pub(crate) mod logs;
mod metrics;
mod nodes;
mod operations;
pub(crate) mod services;
pub(crate) mod tasks;
#[cfg(test)]
mod tests;

pub use list::ListPane;

/// Which pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "PANES documents each")]
pub enum PaneId {
    Fleet,
    Clusters,
    Nodes,
    Services,
    Tasks,
    Logs,
    Metrics,
    Events,
    Operations,
    Document,
    Detail,
}

/// A row of the panes table.
pub struct PaneSpec {
    /// Which.
    pub id: PaneId,
    /// Its name in the tab row and in its title.
    pub name: &'static str,
    /// The command that goes to it; panes without one are opened for an object only and have no tab.
    pub command: Option<Command>,
    /// Makes it.
    pub make: fn() -> Box<dyn Pane>,
}

/// The panes in the order of the tab row; a pane's number key is its place in it, by the keymap.
pub const PANES: &[PaneSpec] = &[
    tab(PaneId::Fleet, "fleet", Command::PaneFleet, || Box::new(ListPane::<fleet::Fleet>::new())),
    tab(PaneId::Clusters, "clusters", Command::PaneClusters, || Box::new(ListPane::<clusters::Clusters>::new())),
    tab(PaneId::Nodes, "nodes", Command::PaneNodes, || Box::new(ListPane::<nodes::Nodes>::new())),
    tab(PaneId::Services, "services", Command::PaneServices, || Box::new(ListPane::<services::Services>::new())),
    tab(PaneId::Tasks, "tasks", Command::PaneTasks, || Box::new(ListPane::<tasks::Tasks>::new())),
    tab(PaneId::Logs, "logs", Command::PaneLogs, || Box::new(logs::Logs::default())),
    tab(PaneId::Metrics, "metrics", Command::PaneMetrics, || Box::new(metrics::Metrics::default())),
    tab(PaneId::Events, "events", Command::PaneEvents, || Box::new(ListPane::<events::Events>::new())),
    tab(PaneId::Operations, "operations", Command::PaneOperations, || Box::new(operations::Operations::default())),
    PaneSpec { id: PaneId::Document, name: "text", command: None, make: || Box::new(document::DocumentPane::default()) },
    PaneSpec { id: PaneId::Detail, name: "detail", command: None, make: || Box::new(detail::DetailPane::default()) },
];

const fn tab(id: PaneId, name: &'static str, command: Command, make: fn() -> Box<dyn Pane>) -> PaneSpec {
    PaneSpec { id, name, command: Some(command), make }
}

/// One pane. It draws its own title row (see [`super::widget::title`]) and everything below it.
pub trait Pane {
    /// A new picture has come, or the place has changed. True if what the pane shows may differ.
    fn sync(&mut self, cx: &Cx<'_>) -> bool;

    /// The operator has come here, perhaps for an object ([`super::Place::subject`]). Runs before the first `sync`.
    fn enter(&mut self, _cx: &Cx<'_>) -> Outcome {
        Outcome::Handled
    }

    /// The operator has gone elsewhere.
    fn leave(&mut self, _cx: &Cx<'_>) -> Outcome {
        Outcome::Handled
    }

    /// A command. `Back` must be ignored once there is nothing of this pane's own to step back from.
    fn command(&mut self, command: Command, cx: &Cx<'_>) -> Outcome;

    /// Whether typed characters go to [`Pane::text`] instead of the keymap.
    fn wants_text(&self) -> bool {
        false
    }

    /// A typed character, a paste, an editing key, enter or escape.
    fn text(&mut self, _input: TextInput, _cx: &Cx<'_>) -> Outcome {
        Outcome::Ignored
    }

    /// Draws the pane into `area`, which may be of any size. `focus`: it has the keys.
    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, focus: bool);

    /// Where the terminal's cursor stands after the last render.
    fn cursor(&self) -> Option<Position> {
        None
    }

    /// The object under the cursor.
    fn selection(&self, _cx: &Cx<'_>) -> Option<ObjectRef> {
        None
    }

    /// The cluster of the row under the cursor.
    fn cluster(&self, cx: &Cx<'_>) -> Option<ClusterId> {
        self.selection(cx).map(|object| object.cluster)
    }

    /// What is marked, where anything is: an empty list if all of it is gone, so that nobody acts on the cursor instead.
    fn marked(&self, _cx: &Cx<'_>) -> Option<Vec<ObjectRef>> {
        None
    }

    /// The objects an action is for: the marked ones, else the one under the cursor.
    fn targets(&self, cx: &Cx<'_>) -> Vec<ObjectRef> {
        self.marked(cx).unwrap_or_else(|| self.selection(cx).into_iter().collect())
    }

    /// Puts the cursor on an object, also if it is filtered out or comes only later.
    fn point_at(&mut self, _object: &ObjectRef, _cx: &Cx<'_>) {}

    /// Where the keymap is looked up, besides [`Scope::Global`], most special first.
    fn scopes(&self, _cx: &Cx<'_>) -> &'static [Scope] {
        &[]
    }

    /// Commands whose keys belong in the last row here and now, most useful first.
    fn hints(&self, _cx: &Cx<'_>) -> &'static [Command] {
        &[]
    }

    /// What must be polled while this pane is on screen.
    fn interest(&self) -> Interest {
        Interest::default()
    }

    /// What the details beside it (or in place of it) are about.
    fn about(&self, cx: &Cx<'_>) -> Option<About> {
        self.selection(cx).map(About::Object)
    }

    /// Whether the details of its selection stand beside it where there is room.
    fn has_detail(&self) -> bool {
        false
    }

    /// Whether the last frame cut words of any row in view.
    fn cuts(&self) -> bool {
        false
    }

    /// What the last frame cut of the cursor's row, whole; nothing if it cut none.
    fn cut(&mut self, _cx: &Cx<'_>) -> String {
        String::new()
    }

    /// An action on its targets was confirmed.
    fn acted(&mut self) {}

    /// Rows it has, for pages that give it no more room than it needs.
    fn rows(&self) -> usize {
        0
    }

    /// Draws the pane without column headers, for the top of other pages.
    fn strip(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        self.render(area, buf, cx, false);
    }
}

/// `text` in lines of at most `width` columns, broken at spaces where there are any.
pub fn wrapped(text: &str, width: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let mut used = 0;
        let mut end = rest.len();
        let mut space = None;
        for (at, c) in rest.char_indices() {
            used += crate::util::width::width(c.encode_utf8(&mut [0; 4]));
            if used > width.max(1) && at > 0 {
                end = space.filter(|_| c != ' ').unwrap_or(at);
                break;
            }
            if c == ' ' {
                space = Some(at);
            }
        }
        let (line, left) = rest.split_at(end);
        rest = left;
        Some(line.trim_end())
    })
}

/// [`wrapped`] to at most `most` lines; the last has all the rest, to be cut where it is drawn.
pub fn wrapped_to(text: &str, width: usize, most: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let line = if lines.len() + 1 < most { wrapped(rest, width).next().unwrap_or(rest) } else { rest };
        lines.push(line);
        rest = rest.get(line.len()..).unwrap_or_default().trim_start();
    }
    lines
}

/// Words in place of what there is not, in the middle of nothing else.
fn say(area: Rect, buf: &mut Buffer, cx: &Cx<'_>, words: &str, role: crate::theme::Role) {
    let width = usize::from(area.width.saturating_sub(4)).max(1);
    for (line, y) in wrapped(words, width).zip(area.y.saturating_add(1)..area.bottom()) {
        super::widget::pen::Pen::new(buf, area, y).gap(3).put(line, cx.style(role));
    }
}

/// Where the keymap is looked up for a row about an object of this kind.
fn scopes_of(kind: Option<Kind>) -> &'static [Scope] {
    match kind {
        Some(Kind::Service) => &[Scope::Service, Scope::List],
        Some(Kind::Task) => &[Scope::Task, Scope::List],
        Some(Kind::Node) => &[Scope::Node, Scope::List],
        Some(Kind::Event) | None => &[Scope::List],
    }
}
