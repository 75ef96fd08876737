//! The rows of a list as the table draws them.

use super::{List, ListPane};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::view::rows::{RowId, RowIndex};
use crate::ui::widget::table::{CellText, Cells, RowLook, View};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::HashSet;

impl<L: List> ListPane<L> {
    pub(super) fn table(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, cursor: Option<usize>, header: bool) {
        let view = self.view(cx, cursor, header);
        let cells = InView { pane: &self.index, marked: &self.marked, cx };
        self.table.render(area, buf, cx, view, &cells);
    }

    fn view(&self, cx: &Cx<'_>, cursor: Option<usize>, header: bool) -> View<'static> {
        View {
            columns: L::COLUMNS,
            hidden: self.hidden(cx),
            rows: self.index.len(),
            cursor,
            sort: (self.sort.column, self.sort.down),
            header,
        }
    }

    /// What the last frame cut of the cursor's row, whole.
    pub(super) fn cut_words(&mut self, cx: &Cx<'_>) -> String {
        let view = self.view(cx, Some(self.at), true);
        self.table.cut(view, L::SORTS[0], &InView { pane: &self.index, marked: &self.marked, cx }, self.at)
    }
}

struct InView<'a, 'b, L: List> {
    pane: &'a RowIndex<L>,
    marked: &'a HashSet<RowId>,
    cx: &'a Cx<'b>,
}

impl<L: List> Cells for InView<'_, '_, L> {
    fn cell(&self, at: usize, column: usize, out: &mut CellText) {
        if let Some((state, row)) = self.pane.row(self.cx, at) {
            if L::CLUSTER == Some(column) {
                out.put(&crate::util::clean::clean(&state.cluster.id), Role::Dim);
            } else {
                L::cell(self.cx, state, row, column, out);
            }
        }
    }

    fn look(&self, at: usize) -> RowLook {
        let stale = self.pane.row(self.cx, at).is_some_and(|(state, row)| L::stale(state, row));
        let marked = !self.marked.is_empty() && self.pane.id(at).is_some_and(|id| self.marked.contains(&id));
        RowLook { marked, stale }
    }
}
