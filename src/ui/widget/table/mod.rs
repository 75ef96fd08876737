//! The table: draws only the rows in view, straight into the buffer, in columns that hold still.

mod cell;

pub use cell::CellText;

use super::pen::Pen;
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::util::time::Timestamp;
use crate::util::width::{elide_end, width};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use std::time::Duration;

/// Where the text of a column stands, and what is left out where it does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Left, elided in the middle: names.
    Name,
    /// Left, cut at the end: sentences.
    Words,
    /// Right: numbers.
    Number,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its header.
    pub title: &'static str,
    /// Where its text stands.
    pub fit: Fit,
    /// Columns it has at least where it is shown at all.
    pub min: u16,
    /// Columns it has at most.
    pub max: u16,
    /// 0 is always shown; of the rest, lower comes in first as room allows.
    pub priority: u8,
    /// Comes in at its least, and takes what is left over as far as it needs it.
    pub grow: bool,
}

/// How long a column keeps a width that nothing in view needs any more. It gives it up when the operator moves on: a table
/// does not shift by itself, nor does it cost a screenful of bytes while nobody touches it.
const SHRINK_AFTER: Duration = Duration::from_secs(20);
/// As much of its need a growing column gets before columns that matter much less come in.
const ENOUGH: u16 = 28;
/// Columns between two columns.
const GAP: u16 = 2;
/// Columns for the cursor and the mark before the first column.
const GUTTER: u16 = 3;

/// How a whole row looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowLook {
    /// Marked for an action on many.
    pub marked: bool,
    /// Not known to be current: dim.
    pub stale: bool,
}

/// What the table draws.
pub trait Cells {
    /// Writes the cell of a row and a column.
    fn cell(&self, row: usize, column: usize, out: &mut CellText);
    /// How the row looks.
    fn look(&self, row: usize) -> RowLook;
}

/// What a table looks like apart from its rows.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// All columns.
    pub columns: &'a [Column],
    /// Columns to leave out, as bits by position.
    pub hidden: u32,
    /// Rows there are.
    pub rows: usize,
    /// The row the cursor is on.
    pub cursor: Option<usize>,
    /// The column sorted by, and whether downwards.
    pub sort: (usize, bool),
    /// Whether the column headers are drawn.
    pub header: bool,
}

impl View<'_> {
    /// Which way the rows are sorted by this column, if they are. A mark without a title would be read as a title.
    fn marker(&self, column: usize) -> &'static str {
        match self.sort {
            (sorted, _) if sorted != column || self.columns[column].title.trim().is_empty() => "",
            (_, true) => " ↓",
            (_, false) => " ↑",
        }
    }

    /// Columns that the header of this column takes.
    fn titled(&self, column: usize) -> u16 {
        u16::try_from(width(self.columns[column].title) + width(self.marker(column))).unwrap_or(u16::MAX)
    }
}

/// What a table remembers between frames: its place, and its widths.
#[derive(Debug, Default)]
pub struct TableState {
    /// The first row in view.
    pub offset: usize,
    /// Rows in view at the last frame; how far a page goes.
    pub page: usize,
    /// Columns scrolled away on the left, behind the first.
    pub scrolled: usize,
    held: Vec<(u16, Timestamp)>,
    /// The first row and the order they were last measured at.
    measured: (usize, (usize, bool)),
    /// Columns that the texts in view need, however many that is.
    needed: Vec<usize>,
    /// Columns a name may take at most on this screen.
    longest: u16,
    shown: Vec<(usize, u16)>,
    cuts: bool,
    /// The cells in view, row by row, as they were measured to be drawn.
    cells: Vec<CellText>,
    cell: CellText,
}

impl TableState {
    /// Draws header and rows into `area`.
    pub fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, view: View<'_>, cells: &dyn Cells) {
        let area = area.intersection(buf.area);
        if area.height == 0 || area.width <= GUTTER {
            return;
        }
        let header = u16::from(view.header);
        self.page = usize::from(area.height - header);
        self.scroll(view);
        let last = (self.offset + self.page).min(view.rows);
        self.measure(view, cells, self.offset..last, cx.moment.now);
        // on a narrow screen a long name is elided before what is said of it is pushed out
        self.longest = (area.width - GUTTER) * 3 / 8;
        self.choose(view, area.width - GUTTER);
        self.cuts = (0..view.columns.len()).any(|at| self.is_cut(view, at, self.needed.get(at).copied().unwrap_or(0)));
        if view.header {
            self.header(area, buf, cx, view);
        }
        for row in self.offset..last {
            let y = area.y + header + u16::try_from(row - self.offset).unwrap_or(0);
            self.row(Rect { y, height: 1, ..area }, buf, cx, view, cells.look(row), row);
        }
    }

    /// Whether the last frame cut a name or a sentence in view.
    pub fn cuts(&self) -> bool {
        self.cuts
    }

    /// The names and sentences of a row that the last frame cut, whole, after the one in the column `name`. Nothing if
    /// none was cut.
    pub fn cut(&mut self, view: View<'_>, name: Option<usize>, cells: &dyn Cells, row: usize) -> String {
        let (mut words, mut any) = (String::new(), false);
        for at in (0..view.columns.len()).filter(|at| row < view.rows && view.hidden & (1 << at) == 0) {
            self.cell.write(cells, row, at);
            let cut = self.is_cut(view, at, self.cell.wide);
            any |= cut;
            if cut || Some(at) == name {
                if self.cell.text.starts_with(words.as_str()) {
                    // a sentence that begins with the name says it already
                    words.clear();
                } else {
                    words.push_str(" · ");
                }
                words.push_str(&self.cell.text);
            }
        }
        if any { words } else { String::new() }
    }

    /// Whether a text of this many columns is one that should be read whole and cannot be: a shown name, or a sentence.
    fn is_cut(&self, view: View<'_>, at: usize, needed: usize) -> bool {
        let shown = self.shown.iter().find(|(shown, _)| *shown == at).map(|(_, wide)| usize::from(*wide));
        let column = &view.columns[at];
        match shown {
            Some(wide) => (column.grow || column.fit == Fit::Name) && needed > wide,
            None => column.grow && needed > 0,
        }
    }

    /// The shown column after `column`, going round.
    pub fn next_column(&self, column: usize) -> Option<usize> {
        let at = self.shown.iter().position(|(shown, _)| *shown == column).map_or(0, |at| at + 1);
        self.shown.get(at).or(self.shown.first()).map(|(shown, _)| *shown)
    }

    fn scroll(&mut self, view: View<'_>) {
        if let Some(cursor) = view.cursor {
            if cursor < self.offset {
                self.offset = cursor;
            } else if self.page > 0 && cursor >= self.offset + self.page {
                self.offset = cursor + 1 - self.page;
            }
        }
        self.offset = self.offset.min(view.rows.saturating_sub(self.page));
    }

    /// Widths grow at once to what the rows in view need, and shrink only when nothing needed them for a while and the view
    /// moves.
    fn measure(&mut self, view: View<'_>, cells: &dyn Cells, rows: std::ops::Range<usize>, now: Timestamp) {
        let place = (rows.start, view.sort);
        let moved = std::mem::replace(&mut self.measured, place) != place;
        self.held.resize(view.columns.len(), (0, now));
        self.needed.clear();
        self.needed.resize(view.columns.len(), 0);
        if self.cells.len() < rows.len() * view.columns.len() {
            self.cells.resize_with(rows.len() * view.columns.len(), CellText::default);
        }
        for (at, column) in view.columns.iter().enumerate() {
            if view.hidden & (1 << at) != 0 {
                continue;
            }
            let mut need = 0;
            let texts = self.cells.iter_mut().skip(at).step_by(view.columns.len());
            for (row, cell) in rows.clone().zip(texts) {
                cell.write(cells, row, at);
                need = need.max(cell.wide);
            }
            if let Some(needed) = self.needed.get_mut(at) {
                *needed = need;
            }
            let need = need.max(width(column.title));
            let need = u16::try_from(need).unwrap_or(u16::MAX).clamp(column.min, column.max);
            if let Some((held, needed)) = self.held.get_mut(at)
                && (need >= *held || moved && now.since(*needed) > SHRINK_AFTER)
            {
                *held = need;
                *needed = now;
            }
        }
    }

    /// Which columns are shown and how wide: those always shown first, then by priority while there is room.
    fn choose(&mut self, view: View<'_>, room: u16) {
        let Self { held, shown, scrolled, longest, .. } = self;
        shown.clear();
        let candidates = |at: usize| view.hidden & (1 << at) == 0;
        let visible = (0..view.columns.len()).filter(|at| candidates(*at)).count();
        *scrolled = (*scrolled).min(visible.saturating_sub(2));
        let mut skip = *scrolled;
        let mut used = 0u16;
        let take = |shown: &mut Vec<(usize, u16)>, used: &mut u16, at: usize, wide: u16, force: bool| {
            let cost = wide + if shown.is_empty() { 0 } else { GAP };
            if force || used.saturating_add(cost) <= room {
                *used = used.saturating_add(cost);
                shown.push((at, wide));
            }
        };
        let first = (0..view.columns.len()).find(|at| candidates(*at));
        let skipped = |at: usize, skip: &mut usize| {
            let gone = Some(at) != first && *skip > 0;
            *skip -= usize::from(gone);
            gone
        };
        let eligible: u32 =
            (0..view.columns.len()).filter(|at| candidates(*at) && !skipped(*at, &mut skip)).fold(0, |bits, at| bits | 1 << at);
        // what is sorted by is shown, with the mark that says so
        let rank = |at: usize| if view.sort.0 == at { 0 } else { view.columns[at].priority };
        for priority in 0..=view.columns.iter().map(|c| c.priority).max().unwrap_or(0) {
            // sentences get what they need before columns two steps less important come in
            for (at, wide) in shown.iter_mut() {
                let column = &view.columns[*at];
                if column.grow && column.priority + 2 == priority {
                    let need = held.get(*at).map_or(0, |(w, _)| *w).min(ENOUGH).max(*wide);
                    let more = (need - *wide).min(room.saturating_sub(used));
                    *wide += more;
                    used += more;
                }
            }
            for (at, column) in view.columns.iter().enumerate() {
                if eligible & (1 << at) != 0 && rank(at) == priority {
                    let natural = held.get(at).map_or(column.min, |(w, _)| *w);
                    let natural = if column.fit == Fit::Name { natural.min((*longest).max(column.min)) } else { natural };
                    // a growing column comes in at its least and gets what is left over
                    let natural = if column.grow { column.min } else { natural };
                    take(shown, &mut used, at, natural.max(view.titled(at)), priority == 0);
                }
            }
        }
        shown.sort_unstable_by_key(|(at, _)| *at);
        if used > room {
            // too narrow even for what must be shown: names give way first
            for (at, wide) in shown.iter_mut() {
                let least = view.columns[*at].min;
                let give = wide.saturating_sub(least).min(used - room);
                *wide -= give;
                used -= give;
                if used <= room {
                    break;
                }
            }
        }
        let mut left = room.saturating_sub(used);
        for (at, wide) in shown.iter_mut().filter(|(at, _)| view.columns[*at].grow) {
            let natural = held.get(*at).map_or(0, |(w, _)| *w);
            let more = natural.saturating_sub(*wide).min(left);
            *wide += more;
            left -= more;
        }
    }

    fn header(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, view: View<'_>) {
        let mut pen = Pen::new(buf, area, area.y);
        pen.gap(usize::from(GUTTER));
        for (n, (at, wide)) in self.shown.iter().enumerate() {
            if n > 0 {
                pen.gap(usize::from(GAP));
            }
            let column = &view.columns[*at];
            let style = cx.style(if view.sort.0 == *at { Role::HeaderSort } else { Role::Header });
            let end = pen.x().saturating_add(*wide);
            let taken = view.titled(*at);
            if column.fit == Fit::Number {
                pen.gap(usize::from(wide.saturating_sub(taken)));
            }
            pen.put(&elide_end(column.title, usize::from(*wide)), style);
            if taken <= *wide {
                pen.put(view.marker(*at), style);
            }
            pen.gap(usize::from(end.saturating_sub(pen.x())));
        }
    }

    fn row(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, view: View<'_>, look: RowLook, row: usize) {
        let here = view.cursor == Some(row);
        let mut pen = Pen::new(buf, area, area.y);
        pen.put(if here { "▸" } else { " " }, cx.style(Role::Strong));
        if look.marked {
            pen.put("● ", cx.style(Role::Marked));
        } else {
            pen.gap(2);
        }
        let cells = self.cells.chunks(view.columns.len()).nth(row - self.offset).unwrap_or_default();
        for (n, (at, wide)) in self.shown.iter().enumerate() {
            if n > 0 {
                pen.gap(usize::from(GAP));
            }
            let end = pen.x().saturating_add(*wide);
            if let Some(cell) = cells.get(*at) {
                cell.draw(&mut pen, cx, view.columns[*at].fit, *wide, look.stale);
            }
            pen.gap(usize::from(end.saturating_sub(pen.x())));
        }
        if look.marked {
            buf.set_style(area, cx.style(Role::Marked));
        }
        if here {
            cursor_row(buf, area, cx.style(Role::Cursor));
        }
    }
}

/// Lays the cursor's style over a row. Where it swaps the colours the row's own must go first, or each coloured word
/// becomes a block of its own.
fn cursor_row(buf: &mut Buffer, area: Rect, style: Style) {
    if style.add_modifier.contains(Modifier::REVERSED) {
        buf.set_style(area, Style::reset());
    }
    buf.set_style(area, style);
}
