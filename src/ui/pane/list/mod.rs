//! What all list panes have in common: cursor pinned to its object, filter, sort, marks, title. A list pane is a
//! [`List`] and nothing else.

mod keys;
mod rows;
#[cfg(test)]
mod tests;
mod words;

pub use words::grouped;

use super::{Pane, PaneId};
use crate::input::{Command, Scope};
use crate::model::{ClusterState, Interest, Kind, KindSync, Link, ObjectRef, Text};
use crate::ui::Effect;
use crate::ui::cx::{Cx, Narrow, Subject};
use crate::ui::detail::About;
use crate::ui::outcome::{Go, Outcome};
use crate::ui::view::filter::Query;
use crate::ui::view::naming;
use crate::ui::view::rows::{RowId, RowIndex, Sort, Source, row};
use crate::ui::widget::input::LineEdit;
use crate::ui::widget::table::{CellText, Column, TableState};
use ratatui::layout::Position;
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
        let failed = |kind| matches!(state.sync_of(kind), KindSync::Failed { .. });
        !state.cluster.link.is_live() || Self::KIND.is_some_and(failed)
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
    /// Nobody has put the cursor anywhere: it stays at the top while the first rows arrive.
    resting: bool,
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
    /// What it was narrowed to then.
    narrow: Narrow,
    /// Where the operator was in lists of something else, newest last.
    left: Vec<Left>,
}

/// What going back to a list brings back.
struct Left {
    subject: Option<Subject>,
    pinned: Option<RowId>,
    typed: LineEdit,
}

/// Lists of something else that are remembered.
const LEFT: usize = 8;

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
            resting: true,
            marked: HashSet::new(),
            sort: L::SORT,
            typed: LineEdit::default(),
            typing: false,
            query: Query::default(),
            cursor: None,
            wanted: None,
            subject: None,
            narrow: Narrow::default(),
            left: Vec::new(),
        }
    }

    /// Makes it the list of something else: what was marked means nothing there; cursor and filter are as they were when
    /// that list was left.
    fn turn_to(&mut self, subject: Option<Subject>) {
        let mut left = std::mem::take(&mut self.left);
        left.retain(|held| held.subject != self.subject);
        left.push(Left { subject: self.subject.take(), pinned: self.pinned.take(), typed: std::mem::take(&mut self.typed) });
        if left.len() > LEFT {
            left.remove(0);
        }
        let back = left.iter().position(|held| held.subject == subject).map(|at| left.remove(at));
        let (pinned, typed) = back.map(|held| (held.pinned, held.typed)).unwrap_or_default();
        let query = Query::new(typed.text());
        let resting = pinned.is_none();
        *self = Self { sort: self.sort, subject, pinned, resting, typed, query, left, narrow: self.narrow.clone(), ..Self::new() };
    }

    fn refresh(&mut self, cx: &Cx<'_>) -> bool {
        let changed = self.index.sync(cx, &self.query, self.sort);
        if let Some(object) = &self.wanted {
            // a row about an object that has a list of its own has the object's key
            let id = RowId { cluster: object.cluster.clone(), key: object.key.clone() };
            let same = row::<L>(cx, &id).is_some_and(|(state, row)| L::object(state, row).as_ref() == Some(object));
            if same && self.index.position(cx, &id, self.at).is_some() {
                self.pinned = Some(id);
                self.resting = false;
                self.wanted = None;
            }
        }
        if changed {
            self.marked.retain(|id| row::<L>(cx, id).is_some());
        }
        self.settle(cx);
        changed
    }

    /// Puts the cursor back on its object after rows have moved.
    fn settle(&mut self, cx: &Cx<'_>) {
        if self.resting {
            (self.at, self.pinned, self.stand_in) = (0, None, None);
            self.resting = self.index.is_empty() || arriving::<L>(cx);
        }
        let at = self.at;
        let find = |id: &Option<RowId>| id.as_ref().and_then(|id| self.index.position(cx, id, at));
        if let Some(at) = find(&self.pinned) {
            self.at = at;
            self.stand_in = None;
        } else if let Some(at) = find(&self.stand_in) {
            self.at = at;
        } else {
            self.at = at.min(self.index.len().saturating_sub(1));
            self.stand_in = self.index.id(self.at);
            if self.pinned.is_none() {
                self.pinned = self.stand_in.take();
            }
        }
    }

    fn go(&mut self, at: usize) -> Outcome {
        self.at = at.min(self.index.len().saturating_sub(1));
        self.pinned = self.index.id(self.at);
        self.stand_in = None;
        self.wanted = None;
        Outcome::Handled
    }

    /// Whoever ends a filter with enter has found what was looked for: the cursor is there also once the filter is gone.
    fn take(&mut self) {
        if let Some(found) = self.index.id(self.at) {
            (self.pinned, self.stand_in, self.resting) = (Some(found), None, false);
        }
    }

    fn here<'a>(&self, cx: &Cx<'a>) -> Option<(&'a Arc<ClusterState>, &'a L::Row)> {
        row::<L>(cx, &self.index.id(self.at)?)
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
        let Some(id) = self.index.id(self.at) else { return Outcome::Handled };
        if self.here(cx).and_then(|(state, row)| L::object(state, row)).is_none() {
            return Outcome::say("this row is not an object that can be acted on");
        }
        if !self.marked.remove(&id) {
            self.marked.insert(id);
        }
        self.go(self.at + 1)
    }

    fn mark_all(&mut self, cx: &Cx<'_>) -> Outcome {
        let is_object = |at: &usize| self.index.row(cx, *at).is_some_and(|(state, row)| L::object(state, row).is_some());
        let objects: Vec<RowId> = (0..self.index.len()).filter(is_object).filter_map(|at| self.index.id(at)).collect();
        let all = objects.iter().all(|id| self.marked.contains(id));
        for id in objects {
            if all {
                self.marked.remove(&id);
            } else {
                self.marked.insert(id);
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
}

/// The plain name of an object, for lists whose rows are objects.
pub fn plain(state: &ClusterState, object: Option<ObjectRef>) -> Option<Text> {
    object.and_then(|object| naming::plain(state, object.kind, &object.key))
}

/// Whether the first rows of some cluster are still to come.
fn arriving<L: List>(cx: &Cx<'_>) -> bool {
    let Some(kind) = L::KIND else { return false };
    cx.clusters().any(|state| match &state.cluster.link {
        Link::Connecting => true,
        link => link.is_live() && matches!(state.sync_of(kind), KindSync::Waiting | KindSync::Loading(_)),
    })
}
