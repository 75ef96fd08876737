//! Lines of labelled facts, wrapped to a width.

use crate::theme::Role;
use crate::ui::pane::wrapped;
use crate::util::width::width;

/// Columns of the labels.
const LABEL: usize = 9;

/// See the module's description.
#[derive(Debug)]
pub struct Sheet {
    lines: Vec<Vec<(String, Role)>>,
    width: usize,
}

impl Sheet {
    /// A sheet without lines.
    pub const EMPTY: Self = Self { lines: Vec::new(), width: 0 };

    /// A sheet of `width` columns.
    pub fn new(width: usize) -> Self {
        Self { lines: Vec::new(), width: width.max(1) }
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// The pieces of a line.
    pub fn line(&self, n: usize) -> &[(String, Role)] {
        self.lines.get(n).map_or(&[], Vec::as_slice)
    }

    /// A label and pieces of text after it, broken into further lines where they do not fit.
    pub fn field(&mut self, label: &str, label_role: Role, pieces: &[(&str, Role)]) {
        let room = self.width.saturating_sub(LABEL).max(1);
        let mut line = vec![(format!("{label:<LABEL$}"), label_role)];
        let mut used = 0;
        for (text, role) in pieces {
            let mut text = *text;
            loop {
                if used + width(text) <= room {
                    used += width(text);
                    line.push((text.to_owned(), *role));
                    break;
                }
                // a piece that fits on a line of its own begins one; longer ones are broken where they stand
                let words = text.trim_start();
                // the space before a piece is dropped only where the piece begins a line
                let lead = if used > 0 { &text[..text.len() - words.len()] } else { "" };
                let first = wrapped(words, room.saturating_sub(used + lead.len())).next().unwrap_or_default();
                let broken = first.len() < words.len() && !words[first.len()..].starts_with(' ');
                if used > 0 && (width(text) <= room || broken || used == room) {
                    text = text.trim_start_matches([' ', '·']);
                } else {
                    line.push((format!("{lead}{first}"), *role));
                    text = words[first.len()..].trim_start();
                }
                self.lines.push(std::mem::replace(&mut line, vec![(" ".repeat(LABEL), Role::Text)]));
                used = 0;
                if text.is_empty() {
                    break;
                }
            }
        }
        if used > 0 || pieces.is_empty() {
            self.lines.push(line);
        }
    }

    /// A label with plain text, left out when there is none.
    pub fn fact(&mut self, label: &str, text: &str) {
        if !text.is_empty() {
            self.field(label, Role::Dim, &[(text, Role::Text)]);
        }
    }

    /// A heading with an empty line before it.
    pub fn heading(&mut self, words: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        self.lines.push(vec![(words.to_owned(), Role::Header)]);
    }

    /// A line of its own, cut at the edge when drawn.
    pub fn row(&mut self, pieces: Vec<(String, Role)>) {
        self.lines.push(pieces);
    }

    /// A sentence, wrapped.
    pub fn words(&mut self, words: &str, role: Role) {
        self.lines.extend(wrapped(words, self.width).map(|line| vec![(line.to_owned(), role)]));
    }

    /// Columns it has.
    pub fn width(&self) -> usize {
        self.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(sheet: &Sheet) -> Vec<String> {
        sheet
            .lines
            .iter()
            .map(|line| line.iter().map(|(text, _)| text.as_str()).collect::<String>().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn a_field_is_wrapped_under_its_label() {
        let mut sheet = Sheet::new(30);
        sheet.field("why", Role::Dim, &[("image not found: registry.local/checkout:1.3", Role::Text), (" · 3 tasks", Role::Dim)]);
        sheet.fact("none", "");
        sheet.fact("kind", "deployment");
        assert_eq!(
            text(&sheet),
            ["why      image not found:", "         registry.local/checko", "         ut:1.3 · 3 tasks", "kind     deployment"],
        );
    }

    #[test]
    fn a_piece_that_goes_on_in_the_next_line_keeps_its_distance() {
        let mut sheet = Sheet::new(40);
        let note = " update paused due to failure or early termination of task sx67";
        sheet.field("rollout", Role::Dim, &[("paused", Role::Warning), (":", Role::Text), (note, Role::Text)]);
        let want = ["rollout  paused: update paused due to", "         failure or early termination of", "         task sx67"];
        assert_eq!(text(&sheet), want);
    }

    #[test]
    fn no_width_loops_or_panics() {
        for width in 0..40 {
            let mut sheet = Sheet::new(width);
            sheet.field(
                "spread",
                Role::Dim,
                &[("eu-a 1/2", Role::Text), (" · eu-b 0/2", Role::Text), (" · 東京 zone 1/1", Role::Text)],
            );
            assert!(sheet.lines() >= 1);
        }
    }
}
