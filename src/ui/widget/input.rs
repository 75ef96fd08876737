//! Text being typed: what the terminal hands over, and a line that is edited with it.

use super::pen::Pen;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;

/// A key or paste that goes to a text input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the key of the same name")]
pub enum TextInput {
    Char(char),
    Paste(String),
    Backspace,
    Delete,
    /// The word before the cursor (ctrl-w).
    DeleteWord,
    /// Everything before the cursor (ctrl-u).
    DeleteLine,
    Left,
    Right,
    Home,
    End,
    Up,
    Down,
    PageUp,
    PageDown,
    Tab,
    BackTab,
    Enter,
    Escape,
}

/// Longest line held, in bytes: a paste of a whole file must not end up in a filter.
const LIMIT: usize = 512;

/// One line under edit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineEdit {
    text: String,
    /// Byte position of the cursor, always at a character boundary.
    at: usize,
}

impl LineEdit {
    /// A line that holds `text`, with the cursor at its end.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), at: text.len() }
    }

    /// What it holds.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Edits; false if the key is not an editing key (enter, escape, up, down, tab).
    pub fn edit(&mut self, input: &TextInput) -> bool {
        match input {
            TextInput::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            TextInput::Paste(text) => self.insert(text),
            TextInput::Backspace => self.cut(self.before()),
            TextInput::Delete => {
                let end = self.after();
                self.text.replace_range(self.at..end, "");
            }
            TextInput::DeleteWord => {
                let head = self.text[..self.at].trim_end();
                self.cut(head.rfind(char::is_whitespace).map_or(0, |at| at + 1));
            }
            TextInput::DeleteLine => self.cut(0),
            TextInput::Left => self.at = self.before(),
            TextInput::Right => self.at = self.after(),
            TextInput::Home => self.at = 0,
            TextInput::End => self.at = self.text.len(),
            _ => return false,
        }
        true
    }

    fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !crate::util::clean::hostile(*c)) {
            if self.text.len() + c.len_utf8() > LIMIT {
                return;
            }
            self.text.insert(self.at, c);
            self.at += c.len_utf8();
        }
    }

    fn cut(&mut self, from: usize) {
        self.text.replace_range(from..self.at, "");
        self.at = from;
    }

    fn before(&self) -> usize {
        self.text[..self.at].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.at + self.text[self.at..].graphemes(true).next().map_or(0, str::len)
    }

    /// Draws it, scrolled so that the cursor is in view, and returns the column of the cursor.
    pub fn draw(&self, pen: &mut Pen<'_>, style: Style, room: u16) -> u16 {
        let room = usize::from(room.min(pen.room()));
        let mut from = 0;
        while crate::util::width::width(&self.text[from..self.at]) >= room.max(1) {
            from += self.text[from..].graphemes(true).next().map_or(1, str::len);
        }
        pen.put(&self.text[from..self.at], style);
        let x = pen.x();
        pen.put(&self.text[self.at..], style);
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_by_characters_as_people_see_them() {
        let mut line = LineEdit::default();
        for input in [TextInput::Paste("web e\u{301}clair".into()), TextInput::DeleteWord, TextInput::Char('é'), TextInput::Left] {
            assert!(line.edit(&input));
        }
        assert_eq!(line, LineEdit { text: "web é".into(), at: 4 });
        line.edit(&TextInput::Delete);
        line.edit(&TextInput::Char('\u{202e}'));
        line.edit(&TextInput::Backspace);
        assert_eq!(line.text(), "web");
        line.edit(&TextInput::DeleteLine);
        line.edit(&TextInput::Backspace);
        assert_eq!(line, LineEdit::default());
        assert!(!line.edit(&TextInput::Enter));
        line.edit(&TextInput::Paste("x".repeat(5_000)));
        assert_eq!(line.text().len(), LIMIT);
    }
}
