//! Which part of a log is in view: rows from an anchor downwards, or from the end upwards.

use crate::model::{LogBuffer, LogItem};
use crate::ui::view::filter::Query;
use crate::util::time::Timestamp;
use crate::util::width::width;
use std::collections::VecDeque;
use std::ops::Range;

/// A row of the view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Lines before this are no longer kept.
    Begin,
    /// A mark the operator put.
    Mark(Timestamp),
    /// A part of the text of an item; the first part carries its time and task.
    Part {
        /// The item.
        seq: u64,
        /// Bytes of its text; empty for items that are no lines.
        text: Range<usize>,
        /// Whether it is the first part.
        first: bool,
    },
}

/// Which items match a filter, kept up as lines come and go.
#[derive(Debug, Default)]
pub struct Found {
    /// Matching lines and all gaps, ascending: a gap may hide what matches.
    kept: VecDeque<u64>,
    /// Matching lines among them.
    pub lines: usize,
    scanned: u64,
}

impl Found {
    /// Brings it up to the buffer's present content.
    pub fn follow(&mut self, buffer: &LogBuffer, query: &Query) {
        let held = buffer.range();
        while self.kept.front().is_some_and(|seq| *seq < held.start) {
            self.kept.pop_front();
        }
        for (seq, item) in buffer.iter_from(self.scanned.max(held.start)) {
            if is_match(item, query) || matches!(item, LogItem::Gap { .. }) {
                self.kept.push_back(seq);
            }
        }
        self.scanned = held.end;
        self.lines = self.kept.iter().filter(|seq| matches!(buffer.get(**seq), Some(LogItem::Line(_)))).count();
    }
}

/// Whether an item is a line that matches.
pub fn is_match(item: &LogItem, query: &Query) -> bool {
    match item {
        LogItem::Line(line) => query.matches([&*line.task, &*line.text].into_iter()),
        _ => false,
    }
}

/// What decides which rows there are.
pub struct Source<'a> {
    /// The lines.
    pub buffer: &'a LogBuffer,
    /// Nothing before this is shown: the view was cleared.
    pub from: u64,
    /// Only these, while filtering.
    pub only: Option<&'a Found>,
    /// Marks: the item they stand before, and when they were put.
    pub marks: &'a [(u64, Timestamp)],
    /// Columns for the text where lines are wrapped.
    pub wrap: Option<usize>,
}

impl Source<'_> {
    fn start(&self) -> u64 {
        self.buffer.range().start.max(self.from)
    }

    fn end(&self) -> u64 {
        self.buffer.range().end
    }

    /// The first item from `seq` on.
    pub fn at_or_after(&self, seq: u64) -> Option<u64> {
        let seq = seq.max(self.start());
        match self.only {
            Some(found) => found.kept.get(found.kept.partition_point(|held| *held < seq)).copied(),
            None => (seq < self.end()).then_some(seq),
        }
    }

    /// The last item before `seq`.
    pub fn before(&self, seq: u64) -> Option<u64> {
        let seq = seq.min(self.end());
        let found = match self.only {
            Some(found) => found.kept.partition_point(|held| *held < seq).checked_sub(1).and_then(|at| found.kept.get(at)).copied(),
            None => seq.checked_sub(1),
        };
        found.filter(|seq| *seq >= self.start())
    }

    /// The rows of one item, marks before it included.
    fn rows(&self, seq: u64, out: &mut Vec<Row>) {
        let previous = self.before(seq).map_or(0, |previous| previous + 1);
        for (at, when) in self.marks {
            if (previous..=seq).contains(at) {
                out.push(Row::Mark(*when));
            }
        }
        let text = match self.buffer.get(seq) {
            Some(LogItem::Line(line)) => line.text.as_str(),
            _ => "",
        };
        let Some(columns) = self.wrap.filter(|_| !text.is_empty()) else {
            out.push(Row::Part { seq, text: 0..text.len(), first: true });
            return;
        };
        for (n, text) in parts(text, columns).enumerate() {
            out.push(Row::Part { seq, text, first: n == 0 });
        }
    }

    fn begin(&self) -> Option<Row> {
        (self.buffer.range().start > self.from).then_some(Row::Begin)
    }

    /// The last `height` rows.
    pub fn last_rows(&self, height: usize) -> Vec<Row> {
        let mut blocks = Vec::new();
        let last = self.before(u64::MAX).map_or(self.start(), |last| last + 1);
        let tail: Vec<Row> = self.marks.iter().filter(|(at, _)| *at >= last).map(|(_, when)| Row::Mark(*when)).collect();
        let mut count = tail.len();
        blocks.push(tail);
        let mut seq = u64::MAX;
        while count < height {
            let Some(previous) = self.before(seq) else {
                blocks.push(self.begin().into_iter().collect());
                break;
            };
            let mut block = Vec::new();
            self.rows(previous, &mut block);
            count += block.len();
            blocks.push(block);
            seq = previous;
        }
        let mut rows: Vec<Row> = blocks.into_iter().rev().flatten().collect();
        rows.drain(..rows.len().saturating_sub(height));
        rows
    }

    /// Up to `height` rows from the item `top` on; those at the end where there are not enough.
    pub fn rows_at(&self, top: u64, height: usize) -> Vec<Row> {
        let mut rows = Vec::new();
        if self.before(top.max(self.start())).is_none() {
            rows.extend(self.begin());
        }
        let mut next = self.at_or_after(top);
        while let Some(seq) = next.filter(|_| rows.len() < height) {
            self.rows(seq, &mut rows);
            next = self.at_or_after(seq + 1);
        }
        if rows.len() < height {
            return self.last_rows(height);
        }
        rows.truncate(height);
        rows
    }

    /// The item a page of `height` rows above `top` begins with.
    pub fn page_above(&self, top: u64, height: usize) -> Option<u64> {
        let mut rows = Vec::new();
        let mut at = None;
        let mut seq = top;
        while rows.len() + 1 < height.max(2) {
            let Some(previous) = self.before(seq) else { break };
            self.rows(previous, &mut rows);
            (at, seq) = (Some(previous), previous);
        }
        at
    }
}

/// `text` in parts of at most `columns` columns, nothing left out: a log is evidence.
fn parts(text: &str, columns: usize) -> impl Iterator<Item = Range<usize>> {
    let columns = columns.max(2);
    let mut from = 0;
    std::iter::from_fn(move || {
        if from >= text.len() {
            return None;
        }
        let mut used = 0;
        let mut end = text.len();
        for (at, c) in text[from..].char_indices() {
            used += width(c.encode_utf8(&mut [0; 4]));
            if used > columns && at > 0 {
                end = from + at;
                break;
            }
        }
        let part = from..end;
        from = end;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LogLine, Stream, Text};

    fn line(text: &str) -> LogItem {
        LogItem::Line(LogLine { at: None, task: Text::new("t"), stream: Stream::Out, text: Text::new(text) })
    }

    fn shown(rows: &[Row], buffer: &LogBuffer) -> String {
        let word = |row: &Row| match row {
            Row::Begin => "^".to_owned(),
            Row::Mark(_) => "--".to_owned(),
            Row::Part { seq, text, .. } => match buffer.get(*seq) {
                Some(LogItem::Line(line)) => line.text[text.clone()].to_owned(),
                _ => "gap".to_owned(),
            },
        };
        rows.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_view_shows_the_end_or_holds_its_place() {
        let mut buffer = LogBuffer::new(1_000_000);
        for n in 0..10 {
            buffer.push(line(&format!("{n}")));
        }
        let marks = [(8, Timestamp(0)), (10, Timestamp(0))];
        let source = |marks, wrap| Source { buffer: &buffer, from: 0, only: None, marks, wrap };
        assert_eq!(shown(&source(&[], None).last_rows(3), &buffer), "7 8 9");
        assert_eq!(shown(&source(&marks, None).last_rows(5), &buffer), "7 -- 8 9 --");
        assert_eq!(shown(&source(&[], None).rows_at(2, 3), &buffer), "2 3 4");
        assert_eq!(shown(&source(&[], None).rows_at(9, 3), &buffer), "7 8 9", "never less than a full page");
        assert_eq!(source(&[], None).page_above(9, 4), Some(6));
        assert_eq!(source(&[], None).page_above(0, 4), None);
        assert_eq!(shown(&Source { from: 8, ..source(&[], None) }.last_rows(5), &buffer), "8 9", "cleared lines are not shown");
    }

    #[test]
    fn wrapping_leaves_nothing_out_and_a_filter_keeps_the_gaps() {
        let mut buffer = LogBuffer::new(1_000_000);
        buffer.push(line("abcdefgh"));
        buffer.push(LogItem::Gap { at: Timestamp(0), lines: Some(3), reason: Text::new("slow") });
        buffer.push(line("xyz"));
        let source = Source { buffer: &buffer, from: 0, only: None, marks: &[], wrap: Some(3) };
        assert_eq!(shown(&source.last_rows(9), &buffer), "abc def gh gap xyz");
        assert_eq!(shown(&source.last_rows(4), &buffer), "def gh gap xyz");
        let mut found = Found::default();
        found.follow(&buffer, &Query::new("XY"));
        assert_eq!(found.lines, 1);
        let filtered = Source { only: Some(&found), wrap: None, ..source };
        assert_eq!(shown(&filtered.last_rows(9), &buffer), "gap xyz");
        assert_eq!(filtered.before(2), Some(1));
    }
}
