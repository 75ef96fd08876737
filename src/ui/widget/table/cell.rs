//! The text of one cell: written, measured, and drawn into the room that its column has.

use super::{Cells, Fit};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::widget::pen::Pen;
use crate::util::width::{elide_end, elide_middle, width};
use std::fmt;

/// The text of a cell, in pieces of different roles. Reused from frame to frame.
#[derive(Debug, Default)]
pub struct CellText {
    pub(super) text: String,
    pieces: Vec<(usize, Role)>,
    /// Columns it takes.
    pub(super) wide: usize,
}

impl CellText {
    /// Adds `text` in `role`.
    pub fn put(&mut self, text: &str, role: Role) {
        self.with(role, |out| out.push_str(text));
    }

    /// Adds formatted text in `role`.
    pub fn fmt(&mut self, role: Role, args: fmt::Arguments<'_>) {
        // writing to a String cannot fail
        self.with(role, |out| {
            let _ = fmt::Write::write_fmt(out, args);
        });
    }

    /// Adds what `write` writes, in `role`.
    pub fn with(&mut self, role: Role, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
        self.pieces.push((self.text.len(), role));
    }

    /// Writes the text anew, and measures it.
    pub(super) fn write(&mut self, cells: &dyn Cells, row: usize, column: usize) {
        self.text.clear();
        self.pieces.clear();
        cells.cell(row, column, self);
        self.wide = width(&self.text);
    }

    pub(super) fn draw(&self, pen: &mut Pen<'_>, cx: &Cx<'_>, fit: Fit, room: u16, stale: bool) {
        let style = |role| cx.style(if stale { Role::Stale } else { role });
        let mut room = usize::from(room);
        if fit == Fit::Number {
            pen.gap(room.saturating_sub(self.wide));
        }
        let mut from = 0;
        if self.wide <= room {
            for (end, role) in &self.pieces {
                pen.put(&self.text[from..*end], style(*role));
                from = *end;
            }
            return;
        }
        let mut left = self.wide;
        for (end, role) in &self.pieces {
            let piece = &self.text[from..*end];
            let wide = width(piece);
            // a prefix (`shop/`) is whole or not at all; only the last piece of a name is elided
            let shown = if left <= room {
                piece.into()
            } else if fit == Fit::Name {
                if *end < self.text.len() && wide + 4 > room { "".into() } else { elide_middle(piece, room) }
            } else {
                elide_end(piece, room)
            };
            pen.put(&shown, style(*role));
            room = room.saturating_sub(width(&shown));
            // letters of two pieces may be drawn as one
            left = left.saturating_sub(wide);
            from = *end;
        }
    }
}
