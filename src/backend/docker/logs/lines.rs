//! Bytes of a log to lines. Pure.
//!
//! Without a terminal an engine sends frames: a header of eight bytes (stream, three zeroes, length as big-endian u32) and
//! the payload, which may hold part of a line (moby `pkg/stdcopy`). With a terminal it sends the bytes as they are.

use crate::model::{LogLine, Stream, Text};
use crate::util::clean::strip_sgr;
use crate::util::time::Timestamp;
use std::borrow::Cow;
use std::fmt::Write;

/// Longest line that is kept; the rest of it is dropped and counted.
const LINE: usize = 16 << 10;

/// Puts lines together.
pub struct Lines {
    task: Text,
    framing: Framing,
    out: Line,
    err: Line,
    /// What the engine says of itself, as far as it has come.
    said: Vec<u8>,
}

enum Framing {
    /// A terminal's bytes.
    Raw,
    /// In a frame's header.
    Header(Vec<u8>),
    /// In a frame's payload: which stream, and how many bytes are still to come.
    Payload(u8, usize),
}

#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    /// Bytes of it that were dropped.
    over: usize,
}

impl Lines {
    /// Lines of the task named `task`, from a terminal or from frames.
    pub fn new(task: Text, terminal: bool) -> Self {
        let framing = if terminal { Framing::Raw } else { Framing::Header(Vec::new()) };
        Self { task, framing, out: Line::default(), err: Line::default(), said: Vec::new() }
    }

    /// Adds the lines that `chunk` completes to `done`.
    ///
    /// # Errors
    /// What the engine says in a frame of its own when it cannot read on. The lines before that are in `done`; nothing after
    /// it is to be read.
    pub fn feed(&mut self, mut chunk: &[u8], done: &mut Vec<LogLine>) -> Result<(), String> {
        while !chunk.is_empty() {
            match &mut self.framing {
                Framing::Raw => {
                    self.out.feed(chunk, &self.task, Stream::Out, done);
                    break;
                }
                Framing::Header(header) => {
                    let (taken, rest) = chunk.split_at(chunk.len().min(8 - header.len()));
                    header.extend_from_slice(taken);
                    chunk = rest;
                    if let [stream, _, _, _, a, b, c, d] = header[..] {
                        self.framing = Framing::Payload(stream, u32::from_be_bytes([a, b, c, d]) as usize);
                    }
                }
                Framing::Payload(stream, left) => {
                    let stream = *stream;
                    let (part, rest) = chunk.split_at(chunk.len().min(*left));
                    *left -= part.len();
                    chunk = rest;
                    if *left == 0 {
                        self.framing = Framing::Header(Vec::new());
                    }
                    match stream {
                        0 | 1 => self.out.feed(part, &self.task, Stream::Out, done),
                        2 => self.err.feed(part, &self.task, Stream::Err, done),
                        3 => {
                            // its words may come in pieces like any others
                            self.said.extend_from_slice(part.get(..LINE.saturating_sub(self.said.len())).unwrap_or(part));
                            if matches!(self.framing, Framing::Header(_)) {
                                return Err(String::from_utf8_lossy(&self.said).trim().to_owned());
                            }
                        }
                        other => return Err(format!("a frame of unknown kind {other}")),
                    }
                }
            }
        }
        Ok(())
    }

    /// The unfinished lines at the end.
    pub fn rest(&mut self) -> Vec<LogLine> {
        let (task, mut done) = (self.task.clone(), Vec::new());
        for (line, stream) in [(&mut self.out, Stream::Out), (&mut self.err, Stream::Err)] {
            if !line.bytes.is_empty() {
                done.push(line.end(&[], &task, stream));
            }
        }
        done
    }
}

impl Line {
    fn feed(&mut self, part: &[u8], task: &Text, stream: Stream, done: &mut Vec<LogLine>) {
        let mut pieces = part.split(|byte| *byte == b'\n');
        let begun = pieces.next_back().unwrap_or_default();
        done.extend(pieces.map(|piece| self.end(piece, task, stream)));
        self.keep(begun);
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = LINE.saturating_sub(self.bytes.len());
        let (kept, dropped) = piece.split_at(piece.len().min(room));
        self.bytes.extend_from_slice(kept);
        self.over += dropped.len();
    }

    /// The line that ends with `piece`.
    fn end(&mut self, piece: &[u8], task: &Text, stream: Stream) -> LogLine {
        if self.bytes.is_empty() && piece.len() <= LINE {
            // nearly all lines arrive whole
            return line(piece, 0, task, stream);
        }
        self.keep(piece);
        let line = line(&self.bytes, self.over, task, stream);
        (self.bytes, self.over) = (Vec::new(), 0);
        line
    }
}

/// `2026-01-01T00:00:00.123456789Z text`, as `timestamps=1` gives them.
fn line(bytes: &[u8], over: usize, task: &Text, stream: Stream) -> LogLine {
    let space = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let (stamp, rest) = bytes.split_at(space);
    let at = std::str::from_utf8(stamp).ok().and_then(|stamp| stamp.parse::<jiff::Timestamp>().ok());
    let text = readable(if at.is_some() { rest.get(1..).unwrap_or_default() } else { bytes });
    let plain = strip_sgr(text.trim_end_matches('\r'));
    LogLine {
        at: at.map(|at| Timestamp(at.as_millisecond())),
        task: task.clone(),
        stream,
        text: if over > 0 { Text::from(format!("{plain}… ({over} bytes more)")) } else { Text::new(&plain) },
    }
}

/// `bytes` as text, with what is no UTF-8 as `\xNN`.
fn readable(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // writing to a String cannot fail
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn frame(stream: u8, payload: &[u8]) -> Vec<u8> {
        let mut all = vec![stream, 0, 0, 0];
        all.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
        all.extend(payload);
        all
    }

    fn texts(lines: &[LogLine]) -> Vec<(Option<i64>, Stream, &str)> {
        lines.iter().map(|line| (line.at.map(|at| at.0), line.stream, line.text.as_str())).collect()
    }

    #[test]
    fn frames_are_read_the_same_however_the_bytes_arrive() {
        let mut wire = frame(1, b"1970-01-01T00:00:01.5Z one\n");
        wire.extend(frame(2, b"1970-01-01T00:00:02Z \x1b[31mbad\x1b[0m\r\n"));
        wire.extend(frame(1, b"1970-01-01T00:00:03Z ha"));
        wire.extend(frame(1, b"lf \xff\xfe!\n1970-01-01T00:00:04Z\n"));
        let want = [
            (Some(1_500), Stream::Out, "one"),
            (Some(2_000), Stream::Err, "bad"),
            (Some(3_000), Stream::Out, "half \\xff\\xfe!"),
            (Some(4_000), Stream::Out, ""),
        ];
        for step in 1..wire.len() {
            let mut lines = Lines::new(Text::new("t"), false);
            let mut all = Vec::new();
            for chunk in wire.chunks(step) {
                lines.feed(chunk, &mut all).unwrap();
            }
            assert_eq!(texts(&all), want, "in pieces of {step}");
            assert!(lines.rest().is_empty());
        }
    }

    #[test]
    fn a_terminal_has_no_frames_and_its_last_line_may_lack_an_end() {
        let mut lines = Lines::new(Text::new("t"), true);
        let mut all = Vec::new();
        lines.feed(b"1970-01-01T00:00:01Z \x01\x02 $ ls\r\nno stamp\nprompt>", &mut all).unwrap();
        assert_eq!(texts(&all), [(Some(1_000), Stream::Out, "^A^B $ ls"), (None, Stream::Out, "no stamp")]);
        assert_eq!(texts(&lines.rest()), [(None, Stream::Out, "prompt>")]);
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let mut lines = Lines::new(Text::new("t"), true);
        let mut long = vec![b'x'; LINE + 7];
        long.push(b'\n');
        let mut all = Vec::new();
        lines.feed(&long, &mut all).unwrap();
        assert!(all[0].text.ends_with("x… (7 bytes more)"));
    }

    #[test]
    fn the_engines_own_error_comes_after_all_lines_before_it_however_the_bytes_arrive() {
        let mut wire = frame(1, b"1970-01-01T00:00:01Z one\n1970-01-01T00:00:02Z two\n");
        wire.extend(frame(2, b"1970-01-01T00:00:03Z half"));
        wire.extend(frame(3, b"log driver is gone\n"));
        wire.extend(frame(1, b"1970-01-01T00:00:04Z never\n"));
        for step in 1..=wire.len() {
            let mut lines = Lines::new(Text::new("t"), false);
            let mut all = Vec::new();
            let said = wire.chunks(step).find_map(|chunk| lines.feed(chunk, &mut all).err());
            assert_eq!(said.as_deref(), Some("log driver is gone"), "in pieces of {step}");
            all.extend(lines.rest());
            let want = [(Some(1_000), Stream::Out, "one"), (Some(2_000), Stream::Out, "two"), (Some(3_000), Stream::Err, "half")];
            assert_eq!(texts(&all), want, "in pieces of {step}");
        }
    }
}
