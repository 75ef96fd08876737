//! Frames: what changed since the last one, as few bytes as we can, in one write.

mod pen;

use pen::Pen;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use std::io::{self, Write};

/// Synchronized update (private mode 2026): a terminal that knows it shows the frame at once, others ignore it.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// A frame below this length arrives whole in any case.
const WHOLE: usize = 512;

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
        let mut pen = Pen::new(out, width);
        for (y, (old, new)) in self.shown.content.chunks(width).zip(self.next.content.chunks(width)).enumerate() {
            pen.row(y, old, new);
        }
        pen.end();
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
mod tests;
