//! Frames: what changed since the last one, as few bytes as we can, in one write.

use super::sgr::{Look, change};
use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::{Position, Rect, Size};
use std::io::{self, Write};

/// Synchronized update (private mode 2026): a terminal that knows it shows the frame at once, others ignore it.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// A frame below this length arrives whole in any case.
const WHOLE: usize = 512;

/// What it costs to erase columns (`CSI n X`), and to step over a gap (`CSI n C`).
const ERASE: usize = 5;
const STEP: usize = 5;

/// The screen as the terminal has it, and the one that is being drawn.
#[derive(Debug)]
pub struct FrameWriter {
    shown: Buffer,
    next: Buffer,
    /// The terminal's content is not known: draw everything.
    whole: bool,
    /// Where the terminal shows its cursor, if it does.
    cursor: Option<Position>,
}

impl FrameWriter {
    /// For a terminal of this size whose content is not known.
    pub fn new(size: Size) -> Self {
        let area = Rect::from((Position::ORIGIN, size));
        Self { shown: Buffer::empty(area), next: Buffer::empty(area), whole: true, cursor: None }
    }

    /// The terminal has another size now, and its content is not known.
    pub fn resize(&mut self, size: Size) {
        *self = Self::new(size);
    }

    /// The next frame draws everything.
    pub fn invalidate(&mut self) {
        self.whole = true;
    }

    /// An empty screen to draw on.
    pub fn canvas(&mut self) -> &mut Buffer {
        self.next.reset();
        &mut self.next
    }

    /// The bytes that bring the terminal from the last frame to the canvas, with its cursor shown at `cursor` or nowhere,
    /// appended to `out`; none if nothing changed.
    pub fn encode(&mut self, out: &mut Vec<u8>, cursor: Option<Position>) {
        let start = out.len();
        if self.whole {
            self.whole = false;
            self.shown.reset();
            self.cursor = None;
            out.extend_from_slice(b"\x1b[?25l\x1b[m\x1b[H\x1b[2J");
        }
        let width = usize::from(self.next.area.width).max(1);
        let mut pen = Pen { out, at: None, look: Look::PLAIN, width };
        for (y, (old, new)) in self.shown.content.chunks(width).zip(self.next.content.chunks(width)).enumerate() {
            pen.row(y, old, new);
        }
        change(pen.out, pen.look, Look::PLAIN);
        self.point(out, start, cursor);
        if out.len() - start >= WHOLE {
            out.splice(start..start, BEGIN.iter().copied());
            out.extend_from_slice(END);
        }
        std::mem::swap(&mut self.shown, &mut self.next);
    }

    /// Puts the terminal's cursor where it belongs, if drawing moved it or it belongs elsewhere now.
    fn point(&mut self, out: &mut Vec<u8>, begun: usize, cursor: Option<Position>) {
        match cursor {
            Some(at) if cursor != self.cursor || out.len() > begun => {
                // writing to a Vec cannot fail
                let _ = write!(out, "\x1b[{};{}H", at.y + 1, at.x + 1);
                if self.cursor.is_none() {
                    out.extend_from_slice(b"\x1b[?25h");
                }
            }
            None if self.cursor.is_some() => out.extend_from_slice(b"\x1b[?25l"),
            _ => {}
        }
        self.cursor = cursor;
    }
}

/// Where the terminal's cursor is (column, row), and what it writes like.
struct Pen<'a> {
    out: &'a mut Vec<u8>,
    at: Option<(usize, usize)>,
    look: Look,
    /// Columns of the screen.
    width: usize,
}

impl Pen<'_> {
    fn row(&mut self, y: usize, old: &[Cell], new: &[Cell]) {
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

/// Writes `bytes` to the terminal, in one call as far as the kernel takes them in one.
pub fn emit(bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => rest = &rest[n..],
            Err(rustix::io::Errno::INTR) => {}
            // somebody else who shares the terminal made it non-blocking: wait until it takes bytes
            Err(rustix::io::Errno::AGAIN) => {
                let out = rustix::stdio::stdout();
                let mut fds = [rustix::event::PollFd::new(&out, rustix::event::PollFlags::OUT)];
                rustix::event::poll(&mut fds, None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The sequence that puts `text` on the clipboard of the operator's terminal (OSC 52), also through SSH.
pub fn osc52(text: &str) -> Vec<u8> {
    use crossterm::Command;
    let mut sequence = String::new();
    // writing to a String cannot fail
    let _ = crossterm::clipboard::CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence);
    sequence.into_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier, Style};

    /// The terminal's idea of the screen after `bytes`.
    fn assert_shows(parser: &vt100::Parser, want: &Buffer) {
        for y in 0..want.area.height {
            let mut x = 0;
            while x < want.area.width {
                let cell = &want[(x, y)];
                let got = parser.screen().cell(y, x).unwrap();
                let text = if got.has_contents() { got.contents() } else { " " };
                assert_eq!(text, cell.symbol(), "at {x},{y}");
                let bare = !cell.modifier.intersects(Modifier::REVERSED | Modifier::UNDERLINED);
                assert_eq!(got.inverse(), cell.modifier.contains(Modifier::REVERSED), "reverse at {x},{y}");
                assert_eq!(got.underline(), cell.modifier.contains(Modifier::UNDERLINED), "underline at {x},{y}");
                let colour = |c: Color| match c {
                    Color::Indexed(n) => vt100::Color::Idx(n),
                    Color::Red => vt100::Color::Idx(1),
                    _ => vt100::Color::Default,
                };
                assert_eq!(got.bgcolor(), colour(cell.bg), "background at {x},{y}");
                // of a blank nobody sees how heavy and of which colour it is
                if text != " " || !bare {
                    assert_eq!(got.bold(), cell.modifier.contains(Modifier::BOLD), "bold at {x},{y}");
                    assert_eq!(got.dim(), cell.modifier.contains(Modifier::DIM), "dim at {x},{y}");
                    assert_eq!(got.fgcolor(), colour(cell.fg), "foreground at {x},{y}");
                }
                x += cell.cell_width().max(1);
            }
        }
    }

    fn frame(writer: &mut FrameWriter, draw: impl FnOnce(&mut Buffer)) -> Vec<u8> {
        draw(writer.canvas());
        let mut out = Vec::new();
        writer.encode(&mut out, None);
        out
    }

    const SIZE: Size = Size { width: 20, height: 4 };

    #[test]
    fn an_unchanged_frame_is_no_bytes_at_all() {
        let mut writer = FrameWriter::new(SIZE);
        let draw = |buffer: &mut Buffer| buffer.set_string(0, 0, "prod-eu", Style::new().fg(Color::Red));
        assert!(!frame(&mut writer, draw).is_empty());
        assert!(frame(&mut writer, draw).is_empty());
        writer.invalidate();
        assert!(!frame(&mut writer, draw).is_empty());
    }

    #[test]
    fn a_frame_that_may_arrive_in_pieces_is_shown_at_once_and_makes_no_room_for_itself_twice() {
        let size = Size::new(100, 20);
        let mut writer = FrameWriter::new(size);
        let mut out = Vec::new();
        let mut draw = |text: &str, rows: u16, out: &mut Vec<u8>| {
            out.clear();
            let canvas = writer.canvas();
            (0..rows).for_each(|y| canvas.set_string(0, y, text, Style::new()));
            writer.encode(out, None);
        };
        draw(&"a".repeat(90), 20, &mut out);
        assert!(out.starts_with(BEGIN) && out.ends_with(END));
        let marks = |out: &[u8]| out.windows(BEGIN.len()).filter(|window| *window == BEGIN || *window == END).count();
        assert_eq!(marks(&out), 2);
        let room = out.capacity();
        for text in ["b", "c", "d"] {
            draw(&text.repeat(90), 20, &mut out);
            assert_eq!((marks(&out), out.capacity()), (2, room));
        }
        draw("e", 1, &mut out);
        assert_eq!(marks(&out), 0, "what is short arrives whole in any case");
    }

    #[test]
    fn one_changed_word_is_one_move_and_the_word() {
        let mut writer = FrameWriter::new(SIZE);
        frame(&mut writer, |b| b.set_string(2, 1, "ready 2/5", Style::new()));
        let bytes = frame(&mut writer, |b| b.set_string(2, 1, "ready 3/5", Style::new()));
        assert_eq!(String::from_utf8(bytes).unwrap(), "\x1b[2;9H3");
    }

    #[test]
    fn moves_and_styles_are_said_in_the_fewest_bytes() {
        let size = Size::new(120, 12);
        let mut writer = FrameWriter::new(size);
        let draw = |writer: &mut FrameWriter, words: &[(u16, u16, &str, Style)]| {
            let bytes = frame(writer, |b| words.iter().for_each(|(x, y, text, style)| b.set_string(*x, *y, text, *style)));
            String::from_utf8(bytes).unwrap().replace('\x1b', "ESC")
        };
        let (plain, dim) = (Style::new(), Style::new().add_modifier(Modifier::DIM));
        let painted = Style::new().add_modifier(Modifier::REVERSED);
        let line = format!("{:<66}", "name      ready         3d");
        draw(&mut writer, &[(100, 1, "ab", plain)]);
        for (words, want) in [
            // the next row, a little to the left, is reached from where the cursor is
            (&[(100, 1, "xy", plain), (101, 2, "z", plain)][..], "ESC[2;101Hxy\n\x08z"),
            (&[(100, 1, "vw", plain), (50, 2, "q", plain)], "ESC[2;101Hvw\nESC[52DqESC[K"),
            (&[(100, 1, "t", plain), (0, 2, "q", plain)], "ESC[2;101HtESC[K\n\rqESC[K"),
            // a painted row that becomes plain again is erased once, and only its letters are written
            (&[(0, 2, "q", plain), (3, 6, &line, painted)], "ESC[2;1HESC[KESC[7;4HESC[7mLINE"),
            (&[(0, 2, "q", plain), (3, 6, &line, plain), (70, 6, "e", plain)], "ESC[7;4HnameESC[KESC[6CreadyESC[9C3dESC[41Ce"),
            (&[(0, 2, "q", plain)], "ESC[7;1HESC[K"),
            // blanks have no style of their own, and are no reason to change it
            (&[(0, 2, "q", plain), (0, 4, "a", dim), (4, 4, "b", dim)], "ESC[5;1HESC[2ma   bESC[m"),
            (&[(0, 2, "q", plain), (0, 4, "a", dim), (1, 4, "   ", dim), (4, 4, "b", dim)], ""),
        ] {
            assert_eq!(draw(&mut writer, words), want.replace("LINE", &format!("{line}ESC[m")));
        }
    }

    #[test]
    fn the_cursor_is_shown_moved_and_hidden_only_when_it_must_be() {
        let mut writer = FrameWriter::new(SIZE);
        let mut step = |text: &str, cursor| {
            writer.canvas().set_string(0, 0, text, Style::new());
            let mut out = Vec::new();
            writer.encode(&mut out, cursor);
            String::from_utf8(out).unwrap()
        };
        assert!(!step("a", None).contains("?25h"));
        assert_eq!(step("a", Some(Position::new(1, 0))), "\x1b[1;2H\x1b[?25h");
        assert_eq!(step("a", Some(Position::new(1, 0))), "");
        assert_eq!(step("ab", Some(Position::new(1, 0))), "\x1b[1;2Hb\x1b[1;2H");
        assert_eq!(step("ab", None), "\x1b[?25l");
    }

    #[test]
    fn a_row_that_becomes_shorter_is_erased_to_its_end() {
        let mut writer = FrameWriter::new(SIZE);
        frame(&mut writer, |b| b.set_string(0, 0, "a long sentence", Style::new()));
        let bytes = frame(&mut writer, |b| b.set_string(0, 0, "a", Style::new()));
        assert_eq!(String::from_utf8(bytes).unwrap(), "\x1b[1;2H\x1b[K");
    }

    #[test]
    fn a_wide_character_written_over_the_beginning_of_another_leaves_no_half_of_it() {
        let mut writer = FrameWriter::new(SIZE);
        let mut parser = vt100::Parser::new(SIZE.height, SIZE.width, 0);
        for (x, text, style) in [(18, "東", Style::new()), (17, "京", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD))] {
            let mut want = Buffer::empty(Rect::new(0, 0, SIZE.width, SIZE.height));
            want.set_string(x, 2, text, style);
            parser.process(&frame(&mut writer, |b| b.set_string(x, 2, text, style)));
            assert_shows(&parser, &want);
        }
    }

    fn style() -> impl Strategy<Value = Style> {
        prop_oneof![
            4 => Just(Style::new()),
            1 => Just(Style::new().fg(Color::Red).add_modifier(Modifier::BOLD)),
            1 => Just(Style::new().bg(Color::Indexed(200))),
            1 => Just(Style::new().add_modifier(Modifier::REVERSED)),
            2 => Just(Style::new().add_modifier(Modifier::DIM)),
            1 => Just(Style::new().fg(Color::Indexed(44))),
            1 => Just(Style::new().fg(Color::Indexed(44)).add_modifier(Modifier::UNDERLINED)),
        ]
    }

    type Piece = (u16, u16, String, Style);

    fn piece(size: Size) -> impl Strategy<Value = Piece> {
        let text = prop_oneof![3 => "[a-c ]{0,20}", 1 => "[é東京a ]{0,8}", 1 => " {12,40}"];
        (0..size.width, 0..size.height, text, style())
    }

    /// Screens small enough for everything to collide, and one wide and tall enough for every kind of move.
    fn frames() -> impl Strategy<Value = (Size, Vec<Vec<Piece>>)> {
        let size = prop_oneof![3 => Just(SIZE), 1 => Just(Size::new(130, 14)), 1 => Just(Size::new(1, 3))];
        size.prop_flat_map(|size| (Just(size), prop::collection::vec(prop::collection::vec(piece(size), 0..8), 1..5)))
    }

    proptest! {
        /// Whatever is drawn after whatever was there, the terminal shows exactly the canvas.
        #[test]
        fn the_terminal_shows_the_canvas((size, frames) in frames()) {
            let mut writer = FrameWriter::new(size);
            let mut parser = vt100::Parser::new(size.height, size.width, 0);
            parser.process(b"what was there before");
            for pieces in frames {
                let mut want = Buffer::empty(Rect::new(0, 0, size.width, size.height));
                let draw = |buffer: &mut Buffer| {
                    for (x, y, text, style) in &pieces {
                        // vt100 takes a letter to be either bold or dim, so styles replace each other
                        let style = Style::reset().patch(*style);
                        buffer.set_stringn(*x, *y, text, usize::from(size.width - x), style);
                    }
                };
                draw(&mut want);
                let bytes = frame(&mut writer, draw);
                parser.process(&bytes);
                assert_shows(&parser, &want);
            }
        }
    }
}
