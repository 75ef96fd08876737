//! Writes text from left to right into one row of a buffer, and never past its end or outside the buffer.

use crate::util::width;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use std::fmt::{self, Write};

/// A place in a row, and how far it may write.
pub struct Pen<'a> {
    buf: &'a mut Buffer,
    x: u16,
    y: u16,
    end: u16,
}

impl<'a> Pen<'a> {
    /// At the left of the row `y` of `area`, down to its right edge; writes nothing if the row is not in the buffer.
    pub fn new(buf: &'a mut Buffer, area: Rect, y: u16) -> Self {
        let row = Rect { y, height: 1, ..area }.intersection(buf.area);
        let end = if row.height == 0 || y < area.y || y >= area.bottom() { row.x } else { row.right() };
        Self { buf, x: row.x, y, end }
    }

    /// Columns left.
    pub fn room(&self) -> u16 {
        self.end.saturating_sub(self.x)
    }

    /// The column it stands at.
    pub fn x(&self) -> u16 {
        self.x
    }

    /// Writes as much of `text` as there is room for.
    pub fn put(&mut self, text: &str, style: Style) -> &mut Self {
        if let Some(columns) = width::singles(text) {
            for (cell, letter) in self.cells(columns).iter_mut().zip(text.chars()) {
                cell.set_char(letter).set_style(style);
            }
        } else if self.x < self.end {
            let (x, _) = self.buf.set_stringn(self.x, self.y, text, usize::from(self.end - self.x), style);
            self.x = x;
        }
        self
    }

    /// Writes what can be said, as much as there is room for, without putting it together first.
    pub fn say(&mut self, what: impl fmt::Display, style: Style) -> &mut Self {
        struct Saying<'p, 'b>(&'p mut Pen<'b>, Style);
        impl fmt::Write for Saying<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.put(text, self.1);
                Ok(())
            }
        }
        // a buffer takes everything
        let _ = write!(Saying(self, style), "{what}");
        self
    }

    /// The next cells, as many as there is room for; it stands behind them then.
    fn cells(&mut self, n: usize) -> &mut [Cell] {
        let n = u16::try_from(n).unwrap_or(u16::MAX).min(self.room());
        let at = Position::new(self.x, self.y);
        self.x += n;
        if n == 0 || !self.buf.area.contains(at) {
            return &mut [];
        }
        let from = self.buf.index_of(at.x, at.y);
        self.buf.content.get_mut(from..from + usize::from(n)).unwrap_or_default()
    }

    /// Writes `text`, cut with `…` at `max` columns or at the end of the room.
    pub fn put_elided(&mut self, text: &str, max: usize, style: Style) -> &mut Self {
        let max = max.min(usize::from(self.room()));
        let text = width::elide_end(text, max);
        self.put(&text, style)
    }

    /// Writes `n` spaces.
    pub fn gap(&mut self, n: usize) -> &mut Self {
        self.fill(n, " ", Style::new());
        self
    }

    /// Writes the one-column `symbol` up to the column `x`.
    pub fn fill_to(&mut self, x: u16, symbol: &str, style: Style) -> &mut Self {
        let n = x.min(self.end).saturating_sub(self.x);
        self.fill(usize::from(n), symbol, style);
        self
    }

    fn fill(&mut self, n: usize, symbol: &str, style: Style) {
        for cell in self.cells(n) {
            cell.set_symbol(symbol).set_style(style);
        }
    }

    /// Goes to the column `x` without writing.
    pub fn to(&mut self, x: u16) -> &mut Self {
        self.x = x.min(self.end);
        self
    }

    /// Ends at most at the column `x` from here on.
    pub fn until(&mut self, x: u16) -> &mut Self {
        self.end = self.end.min(x);
        self
    }
}

/// Empties `area`.
pub fn clear(buf: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(buf.area);
    let mut empty = Cell::EMPTY;
    empty.set_style(style);
    for y in area.top()..area.bottom() {
        Pen::new(buf, area, y).cells(usize::from(area.width)).fill(empty.clone());
    }
}
