//! Rows: what brings the terminal from the old row to the new one, in the fewest bytes.

use crate::term::sgr::{Look, change};
use ratatui::buffer::{Cell, CellWidth};
use std::io::Write;

/// What it costs to erase columns (`CSI n X`), and to step over a gap (`CSI n C`).
const ERASE: usize = 5;
const STEP: usize = 5;

/// Where the terminal's cursor is (column, row), and what it writes like.
pub(super) struct Pen<'a> {
    out: &'a mut Vec<u8>,
    at: Option<(usize, usize)>,
    look: Look,
    /// Columns of the screen.
    width: usize,
}

impl<'a> Pen<'a> {
    /// On a screen of `width` columns; the terminal writes plainly, and where its cursor is nobody knows.
    pub(super) fn new(out: &'a mut Vec<u8>, width: usize) -> Self {
        Self { out, at: None, look: Look::PLAIN, width }
    }

    /// The terminal writes plainly again.
    pub(super) fn end(self) {
        change(self.out, self.look, Look::PLAIN);
    }

    /// What brings row `y` from `old` to `new`.
    pub(super) fn row(&mut self, y: usize, old: &[Cell], new: &[Cell]) {
        // most rows of most frames are as they were
        if old == new {
            return;
        }
        // blank to the end of the row is one sequence, however much stood there
        let end = new.iter().rposition(|cell| !blank(cell)).map_or(0, |last| (last + columns(&new[last])).min(new.len()));
        let mut x = 0;
        // columns before this one hold the rest of a wide character that is no longer there
        let mut torn = 0;
        // columns before this one are blank on the terminal by now, or written anew
        let mut erased = 0;
        // before this one nothing is worth erasing
        let mut spared = 0;
        while x < end {
            let cell = &new[x];
            let wide = columns(cell);
            let stale = if x < erased { !blank(cell) } else { x < torn || !same(&old[x], cell) };
            if stale {
                self.go(x, y, new);
                if blank(cell) && x >= spared {
                    let gaps = Gaps::find(&old[..end], &new[..end], x, torn);
                    if gaps.gain > ERASE {
                        erased = if gaps.end == end { new.len() } else { gaps.last };
                        torn = torn.max(tears(old, x..erased));
                        self.erase(x, erased);
                        continue;
                    }
                    spared = gaps.end;
                }
                torn = torn.max(tears(old, x..x + wide));
                self.put(cell, x, y, wide);
            }
            x += wide;
        }
        if erased < new.len() && (old.iter().skip(end).any(|cell| !blank(cell)) || torn > end) {
            self.go(end, y, new);
            self.erase(end, new.len());
        }
    }

    /// Leaves the columns plain and blank, and the cursor where it is.
    fn erase(&mut self, from: usize, to: usize) {
        self.unpainted();
        if to == self.width {
            self.out.extend_from_slice(b"\x1b[K");
        } else {
            // writing to a Vec cannot fail
            let _ = write!(self.out, "\x1b[{}X", to - from);
        }
    }

    /// Makes sure that what is erased now is left plain.
    fn unpainted(&mut self) {
        if !self.look.same_behind(Look::PLAIN) {
            change(self.out, self.look, Look::PLAIN);
            self.look = Look::PLAIN;
        }
    }

    fn put(&mut self, cell: &Cell, x: usize, y: usize, wide: usize) {
        let look = Look::of(cell);
        if !self.writes(cell) {
            change(self.out, self.look, look);
            self.look = look;
        }
        self.out.extend_from_slice(cell.symbol().as_bytes());
        // terminals agree on how wide a single character is, not on how wide a cluster of several is
        self.at = (cell.symbol().chars().count() == 1).then_some((x + wide, y));
    }

    /// Whether the cell can be written without another style before it.
    fn writes(&self, cell: &Cell) -> bool {
        let look = Look::of(cell);
        look == self.look || cell.symbol() == " " && look.same_behind(self.look)
    }

    /// Goes there by the fewest bytes.
    fn go(&mut self, x: usize, y: usize, new: &[Cell]) {
        let start = self.out.len();
        let mut least = usize::MAX;
        if let Some(from) = self.at.filter(|from| from.1 <= y) {
            self.along(from, (x, y));
            least = self.out.len() - start;
            // what stands in between may be shorter than a step over it
            if from.1 == y && from.0 < x {
                let between = &new[from.0..x];
                let length: usize = between.iter().map(|cell| cell.symbol().len()).sum();
                if length <= least && between.iter().all(|cell| columns(cell) == 1 && self.writes(cell)) {
                    self.out.truncate(start);
                    between.iter().for_each(|cell| self.out.extend_from_slice(cell.symbol().as_bytes()));
                    least = length;
                }
            }
        }
        if least > "\x1b[1;1H".len() {
            let relative = self.out.len();
            let _ = write!(self.out, "\x1b[{};{}H", y + 1, x + 1);
            if self.out.len() - relative < least {
                self.out.drain(start..relative);
            } else {
                self.out.truncate(relative);
            }
        }
        self.at = Some((x, y));
    }

    /// Down by line feeds, which keep the column while the terminal is in raw mode, then along the row.
    fn along(&mut self, from: (usize, usize), to: (usize, usize)) {
        self.out.extend(std::iter::repeat_n(b'\n', to.1 - from.1));
        // behind the last column some terminals count on and others do not
        let known = from.0 < self.width;
        let back = from.0.saturating_sub(to.0);
        match to.0 {
            x if x == from.0 && known => {}
            0 => self.out.push(b'\r'),
            x if x > from.0 && known => self.sideways(x - from.0, 'C'),
            _ if known && back <= 3 => self.out.extend(std::iter::repeat_n(b'\x08', back)),
            _ if known => self.sideways(back, 'D'),
            x => {
                self.out.push(b'\r');
                self.sideways(x, 'C');
            }
        }
    }

    fn sideways(&mut self, n: usize, way: char) {
        // one is what it means without a number
        let _ = if n == 1 { write!(self.out, "\x1b[{way}") } else { write!(self.out, "\x1b[{n}{way}") };
    }
}

/// Gaps in a stretch of a row of which all letters are written anew: they may be erased in one sequence beforehand.
struct Gaps {
    /// Where the last gap ends.
    last: usize,
    /// Where the stretch ends.
    end: usize,
    /// Blanks that need not be written then, less the steps over them.
    gain: usize,
}

impl Gaps {
    fn find(old: &[Cell], new: &[Cell], from: usize, torn: usize) -> Self {
        let mut gaps = Self { last: from, end: from, gain: 0 };
        let mut run = 0;
        while let Some(cell) = new.get(gaps.end) {
            let kept = gaps.end >= torn && same(&old[gaps.end], cell);
            if blank(cell) {
                run += usize::from(!kept);
                gaps.end += 1;
                gaps.last = gaps.end;
                continue;
            }
            if kept {
                break;
            }
            gaps.gain += std::mem::take(&mut run).saturating_sub(STEP);
            gaps.end = (gaps.end + columns(cell)).min(new.len());
        }
        gaps.gain += run.saturating_sub(STEP);
        gaps
    }
}

/// Up to which column characters reach that begin in these columns of `old`: what is written over their beginning leaves
/// the rest of them torn.
fn tears(old: &[Cell], columns_written: std::ops::Range<usize>) -> usize {
    columns_written.filter_map(|x| old.get(x).map(|cell| x + columns(cell))).max().unwrap_or(0)
}

fn columns(cell: &Cell) -> usize {
    usize::from(cell.cell_width()).max(1)
}

/// Whether nothing is to be seen of the cell.
fn blank(cell: &Cell) -> bool {
    cell.symbol() == " " && Look::of(cell).same_behind(Look::PLAIN)
}

/// Whether both look the same.
fn same(a: &Cell, b: &Cell) -> bool {
    a == b || a.symbol() == " " && b.symbol() == " " && Look::of(a).same_behind(Look::of(b))
}
