//! One row of a log.

use super::draw::grouped_lines;
use crate::model::{LogItem, LogLine};
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::view::clock;
use crate::ui::view::filter::Query;
use crate::ui::widget::pen::Pen;
use crate::util::width::{elide_middle, width};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::ops::Range;

/// What stands in a row.
pub struct Look<'a> {
    /// Columns for the task it came from; none if it is not shown.
    pub task: usize,
    /// When.
    pub time: bool,
    /// Columns scrolled away on the left.
    pub side: usize,
    /// What to show as found.
    pub query: &'a Query,
}

const TIME: usize = 12;

impl Look<'_> {
    fn task_wide(&self, wide: u16) -> usize {
        self.task.min(if wide < 100 { 10 } else { 22 })
    }

    /// Columns before the text in a row of `wide` columns.
    pub fn prefix(&self, wide: u16) -> usize {
        let task = self.task_wide(wide);
        (if task > 0 { task + 2 } else { 0 }) + if self.time { TIME + 2 } else { 0 } + 1
    }
}

/// How a line reads, by the level it states.
fn level(text: &str) -> Role {
    // the level stands near the beginning; a message that quotes one further on is not of that level
    let head = text.char_indices().nth(80).map_or(text, |(at, _)| text.get(..at).unwrap_or(text));
    let says = |words: &[&str]| words.iter().any(|word| has_word(head, word));
    if says(&["ERROR", "FATAL", "CRITICAL", "PANIC", "EMERG", "ERR"])
        || head.starts_with("panic:")
        || named(head, &["error", "fatal", "critical", "panic", "err"])
    {
        Role::LogError
    } else if says(&["WARN", "WARNING"]) || named(head, &["warn", "warning"]) {
        Role::LogWarning
    } else {
        Role::Text
    }
}

/// Whether an upper-case word stands by itself.
fn has_word(text: &str, word: &str) -> bool {
    let letter = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let bytes = text.as_bytes();
    text.match_indices(word)
        .any(|(at, w)| !letter(at.checked_sub(1).and_then(|b| bytes.get(b))) && !letter(bytes.get(at + w.len())))
}

/// `level=error`, `"level":"error"`, `lvl=err`.
fn named(text: &str, levels: &[&str]) -> bool {
    ["level=", "lvl=", "\"level\":\"", "\"level\": \"", "level=\"", "\"severity\":\""].iter().any(|key| {
        let found = text.split_once(key).map(|(_, rest)| rest.to_ascii_lowercase());
        found.is_some_and(|rest| levels.iter().any(|level| rest.starts_with(level)))
    })
}

/// Draws a part of an item into a row.
pub fn draw(item: &LogItem, part: Range<usize>, first: bool, row: Rect, buf: &mut Buffer, cx: &Cx<'_>, look: &Look<'_>) {
    let mut pen = Pen::new(buf, row, row.y);
    match item {
        LogItem::Line(line) => draw_line(line, part, first, &mut pen, row, cx, look),
        LogItem::Gap { at, lines, reason } => {
            let lost = lines.map_or("lines are missing here".to_owned(), |n| {
                if n == 1 { "1 line dropped here".to_owned() } else { format!("{} lines dropped here", grouped_lines(n)) }
            });
            let room = usize::from(pen.room());
            pen.put_elided(&format!("⋯ {lost}: {reason} ({})", clock::time(cx, *at)), room, cx.style(Role::Gap));
        }
        LogItem::Joined { at, task } => {
            let room = usize::from(pen.room());
            pen.put_elided(&format!("+ {task} begins ({})", clock::time(cx, *at)), room, cx.style(Role::Dim));
        }
        LogItem::Left { at, task, reason } => {
            let room = usize::from(pen.room());
            pen.put_elided(&format!("- {task} ended: {reason} ({})", clock::time(cx, *at)), room, cx.style(Role::Dim));
        }
    }
}

fn draw_line(line: &LogLine, part: Range<usize>, first: bool, pen: &mut Pen<'_>, row: Rect, cx: &Cx<'_>, look: &Look<'_>) {
    let start = row.x.saturating_add(u16::try_from(look.prefix(row.width)).unwrap_or(u16::MAX)).saturating_sub(1);
    if first {
        let task = look.task_wide(row.width);
        if task > 0 {
            let shown = elide_middle(&line.task, task);
            pen.put(&shown, cx.style(Role::LogTask)).gap(task.saturating_sub(width(&shown)) + 2);
        }
        if look.time {
            let time = line.at.map_or_else(|| " ".repeat(TIME), |at| clock::time_ms(cx, at));
            pen.put(&time, cx.style(Role::LogTime));
        }
    }
    pen.to(start);
    let style = cx.style(level(&line.text));
    let found = cx.style(Role::Match);
    let mut from = part.start;
    let mut skip = look.side;
    // text scrolled away to the left is left out a character at a time
    while skip > 0 && from < part.end {
        let Some(c) = line.text.get(from..).and_then(|rest| rest.chars().next()) else { break };
        skip = skip.saturating_sub(width(c.encode_utf8(&mut [0; 4])));
        from += c.len_utf8();
    }
    for span in look.query.spans(&line.text) {
        let (begin, end) = (span.start.max(from), span.end.min(part.end));
        if begin >= end {
            continue;
        }
        pen.put(line.text.get(from..begin).unwrap_or_default(), style);
        pen.put(line.text.get(begin..end).unwrap_or_default(), found);
        from = end;
    }
    pen.put(line.text.get(from..part.end).unwrap_or_default(), style);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_by_the_level_they_state() {
        for (text, want) in [
            ("ERROR pool: connection refused", Role::LogError),
            ("2026-01-01T00:00:00Z [ERROR] x", Role::LogError),
            ("panic: runtime error", Role::LogError),
            ("{\"level\":\"error\",\"msg\":\"x\"}", Role::LogError),
            ("ts=1 level=warn msg=slow", Role::LogWarning),
            ("WARN slow", Role::LogWarning),
            ("INFO ERRORS_TOTAL 0", Role::Text),
            ("INFO no error here", Role::Text),
            ("GET /terrors 200", Role::Text),
        ] {
            assert_eq!(level(text), want, "{text}");
        }
    }
}
