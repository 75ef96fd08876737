//! Log lines of one task or of all tasks of a service, in bounded memory, with every loss marked where it happened.

use super::{ObjectRef, TailId, Text};
use crate::util::time::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;

/// Which of the two output streams a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, or a terminal (where both are one).
    Out,
    /// Standard error.
    Err,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// When the platform received it.
    pub at: Option<Timestamp>,
    /// Short name of the task (and container, where it has several) it came from.
    pub task: Text,
    /// Stream.
    pub stream: Stream,
    /// The line, without its newline and without escape sequences.
    pub text: Text,
}

/// What stands in a log view, in order of arrival.
#[derive(Clone, Debug, PartialEq)]
pub enum LogItem {
    /// A line.
    Line(LogLine),
    /// Lines are missing here: dropped because they came faster than they could be kept, or lost with a stream.
    Gap {
        /// When it was noticed.
        at: Timestamp,
        /// How many lines, where that is known.
        lines: Option<u64>,
        /// Why, in words.
        reason: Text,
    },
    /// A task's stream begins here.
    Joined {
        /// When.
        at: Timestamp,
        /// Which task.
        task: Text,
    },
    /// A task's stream ended here.
    Left {
        /// When.
        at: Timestamp,
        /// Which task.
        task: Text,
        /// Why, in words.
        reason: Text,
    },
}

impl LogItem {
    /// Roughly what it costs to keep, in bytes.
    fn cost(&self) -> usize {
        96 + match self {
            Self::Line(line) => line.text.len(),
            Self::Gap { reason, .. } | Self::Left { reason, .. } => reason.len(),
            Self::Joined { .. } => 0,
        }
    }
}

/// What a log view reads: a task, or a service (all its tasks, also those that appear later).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTarget {
    /// The task or the service.
    pub object: ObjectRef,
    /// One container of the task; all of them if none is named.
    pub container: Option<Text>,
    /// The run before the present one (Kubernetes `previous`), for tasks that restarted.
    pub previous: bool,
}

/// State of a tail, for its title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TailState {
    /// Streams are being opened.
    Opening,
    /// Following this many tasks.
    Following(u32),
    /// All streams ended; nothing more will come.
    Ended,
    /// It could not be opened at all.
    Failed(Text),
}

/// An open log view's content.
#[derive(Clone, Debug)]
pub struct Tail {
    /// Number of the view.
    pub id: TailId,
    /// What it reads.
    pub target: LogTarget,
    /// State.
    pub state: TailState,
    /// The lines.
    pub buffer: LogBuffer,
}

/// Items kept in chunks that snapshots share, so that publishing costs the newest chunk and not the whole buffer.
#[derive(Clone, Debug)]
pub struct LogBuffer {
    chunks: VecDeque<Arc<Chunk>>,
    /// Sequence number of the first item still held.
    first: u64,
    /// Sequence number the next item will get.
    next: u64,
    bytes: usize,
    limit: usize,
    /// Lines that gaps stood for, also those gaps that are no longer held.
    lost: u64,
}

#[derive(Clone, Debug, Default)]
struct Chunk {
    items: Vec<LogItem>,
    bytes: usize,
}

impl LogBuffer {
    const CHUNK: usize = 256;

    /// A buffer that keeps at most about `limit` bytes, dropping the oldest.
    pub fn new(limit: usize) -> Self {
        Self { chunks: VecDeque::new(), first: 0, next: 0, bytes: 0, limit, lost: 0 }
    }

    /// Adds an item at the end; the oldest chunk goes when the limit is passed.
    pub fn push(&mut self, item: LogItem) {
        let cost = item.cost();
        if let LogItem::Gap { lines: Some(lines), .. } = &item {
            self.lost += lines;
        }
        if self.chunks.back().is_none_or(|c| c.items.len() >= Self::CHUNK) {
            self.chunks.push_back(Arc::new(Chunk::default()));
        }
        if let Some(last) = self.chunks.back_mut() {
            let last = Arc::make_mut(last);
            last.items.push(item);
            last.bytes += cost;
        }
        self.bytes += cost;
        self.next += 1;
        while self.bytes > self.limit && self.chunks.len() > 1 {
            if let Some(gone) = self.chunks.pop_front() {
                self.bytes -= gone.bytes;
                self.first += gone.items.len() as u64;
            }
        }
    }

    /// Sequence numbers held: `start..end`. They never change for an item, so a view can hold its place.
    pub fn range(&self) -> std::ops::Range<u64> {
        self.first..self.next
    }

    /// The item with this sequence number, if it is still held.
    pub fn get(&self, seq: u64) -> Option<&LogItem> {
        let at = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        // every chunk but the last is full
        self.chunks.get(at / Self::CHUNK)?.items.get(at % Self::CHUNK)
    }

    /// Items from sequence number `seq` on.
    pub fn iter_from(&self, seq: u64) -> impl DoubleEndedIterator<Item = (u64, &LogItem)> {
        (seq.max(self.first)..self.next).filter_map(|s| self.get(s).map(|item| (s, item)))
    }

    /// Lines known to be missing since the view was opened.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: u64) -> LogItem {
        LogItem::Line(LogLine { at: None, task: Text::new("t"), stream: Stream::Out, text: Text::from(format!("line {n}")) })
    }

    #[test]
    fn the_buffer_stays_within_its_limit_and_sequence_numbers_hold() {
        let mut buffer = LogBuffer::new(100_000);
        for n in 0..5_000 {
            buffer.push(line(n));
        }
        assert!(buffer.bytes() <= 100_000 + LogBuffer::CHUNK * 110);
        let held = buffer.range();
        assert_eq!(held.end, 5_000);
        assert!(held.start > 0);
        assert_eq!(buffer.get(held.start), Some(&line(held.start)));
        assert_eq!(buffer.get(4_999), Some(&line(4_999)));
        assert_eq!(buffer.get(held.start - 1), None);
        assert_eq!(buffer.iter_from(4_998).count(), 2);
    }

    #[test]
    fn lines_left_out_are_counted_also_when_their_gap_is_no_longer_held() {
        let mut buffer = LogBuffer::new(50_000);
        for lines in [Some(3), None, Some(4)] {
            buffer.push(LogItem::Gap { at: Timestamp(0), lines, reason: Text::new("fast") });
        }
        for n in 0..2_000 {
            buffer.push(line(n));
        }
        assert!(buffer.range().start > 3);
        assert_eq!(buffer.lost(), 7);
    }
}
