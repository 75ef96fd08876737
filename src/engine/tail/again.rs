//! Which lines of a stream that was opened again have been seen before.

use crate::model::{LogLine, Text};
use crate::util::time::Timestamp;
use std::collections::VecDeque;

/// Lines remembered. Platforms take `since` in whole seconds, so the last second comes twice.
const REMEMBERED: usize = 512;

/// The last lines of one task, by their time.
#[derive(Debug, Default)]
pub(super) struct Seen {
    recent: VecDeque<(Timestamp, Text, Text)>,
    /// The newest line.
    last: Option<Timestamp>,
    /// Lines up to this moment may be repetitions; none while nothing was opened again.
    until: Option<Timestamp>,
}

impl Seen {
    /// Where to open the stream again.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.last
    }

    /// The stream is opened again: what comes first may be repeated.
    pub(super) fn opened_again(&mut self) {
        self.until = self.last;
    }

    /// Drops the lines seen before, and remembers the others. Lines without a time are never taken for repetitions.
    pub(super) fn filter(&mut self, lines: &mut Vec<LogLine>) {
        lines.retain(|line| match line.at {
            Some(at) => !self.repeated(at, line),
            None => true,
        });
        for line in lines.iter() {
            let Some(at) = line.at else { continue };
            if self.recent.len() == REMEMBERED {
                self.recent.pop_front();
            }
            self.recent.push_back((at, line.task.clone(), line.text.clone()));
            self.last = self.last.max(Some(at));
        }
    }

    fn repeated(&mut self, at: Timestamp, line: &LogLine) -> bool {
        if self.until.is_none_or(|until| at > until) {
            return false;
        }
        // a line that is written twice is remembered twice, and dropped twice
        if let Some(found) = self.recent.iter().position(|(t, task, text)| *t == at && *task == line.task && *text == line.text) {
            self.recent.remove(found);
            return true;
        }
        // older than all that is remembered: it was shown and forgotten
        self.recent.len() + 1 >= REMEMBERED && self.recent.front().is_some_and(|(oldest, ..)| at < *oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stream;

    fn line(at: i64, text: &str) -> LogLine {
        LogLine { at: Some(Timestamp(at)), task: Text::new("t"), stream: Stream::Out, text: Text::new(text) }
    }

    #[test]
    fn what_comes_twice_is_shown_once_and_what_was_written_twice_is_shown_twice() {
        let mut seen = Seen::default();
        let mut first = vec![line(1, "a"), line(2, "b"), line(2, "b"), line(3, "c")];
        seen.filter(&mut first);
        assert_eq!((first.len(), seen.since()), (4, Some(Timestamp(3))));
        seen.opened_again();
        let mut again = vec![line(2, "b"), line(2, "b"), line(2, "new at the same time"), line(3, "c"), line(3, "c"), line(4, "a")];
        seen.filter(&mut again);
        let texts: Vec<_> = again.iter().map(|l| l.text.as_str()).collect();
        assert_eq!(texts, ["new at the same time", "c", "a"]);
    }
}
