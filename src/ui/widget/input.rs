//! Text being typed: what the terminal hands over, and a line that is edited with it.

use super::pen::Pen;
use ratatui::style::Style;
use tui_textarea::{CursorMove, TextArea};
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

/// One line under edit: the editing is tui-textarea's, what may be typed and how it is drawn is ours.
#[derive(Clone, Debug, Default)]
pub struct LineEdit(TextArea<'static>);

impl LineEdit {
    /// A line that holds `text`, with the cursor at its end.
    pub fn new(text: &str) -> Self {
        let mut line = Self(TextArea::new(vec![text.to_owned()]));
        line.0.move_cursor(CursorMove::End);
        line
    }

    /// What it holds.
    pub fn text(&self) -> &str {
        self.0.lines().first().map_or("", String::as_str)
    }

    /// Edits; false if the key is not an editing key (enter, escape, up, down, tab).
    pub fn edit(&mut self, input: &TextInput) -> bool {
        match input {
            TextInput::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            TextInput::Paste(text) => self.insert(text),
            TextInput::Backspace => drop(self.0.delete_char()),
            TextInput::Delete => drop(self.0.delete_next_char()),
            TextInput::DeleteWord => drop(self.0.delete_word()),
            TextInput::DeleteLine => drop(self.0.delete_line_by_head()),
            TextInput::Left => self.0.move_cursor(CursorMove::Back),
            TextInput::Right => self.0.move_cursor(CursorMove::Forward),
            TextInput::Home => self.0.move_cursor(CursorMove::Head),
            TextInput::End => self.0.move_cursor(CursorMove::End),
            _ => return false,
        }
        true
    }

    fn insert(&mut self, text: &str) {
        let mut room = LIMIT.saturating_sub(self.text().len());
        let fits = |c: &char| {
            room = room.saturating_sub(c.len_utf8());
            room > 0
        };
        // newlines and tabs are among the hostile: a line stays one line
        let clean: String = text.chars().filter(|c| !crate::util::clean::hostile(*c)).take_while(fits).collect();
        self.0.insert_str(clean);
    }

    /// Byte position of the cursor.
    fn at(&self) -> usize {
        let text = self.text();
        text.char_indices().nth(self.0.cursor().1).map_or(text.len(), |(at, _)| at)
    }

    /// Draws it, scrolled so that the cursor is in view, and returns the column of the cursor.
    pub fn draw(&self, pen: &mut Pen<'_>, style: Style, room: u16) -> u16 {
        let room = usize::from(room.min(pen.room()));
        let (mut before, after) = self.text().split_at(self.at());
        while crate::util::width::width(before) >= room.max(1) {
            before = &before[before.graphemes(true).next().map_or(1, str::len)..];
        }
        pen.put(before, style);
        let x = pen.x();
        pen.put(after, style);
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_and_takes_no_hostile_text() {
        let mut line = LineEdit::default();
        for input in [TextInput::Paste("web ecl\nair".into()), TextInput::DeleteWord, TextInput::Char('é'), TextInput::Left] {
            assert!(line.edit(&input));
        }
        assert_eq!((line.text(), line.at()), ("web é", 4));
        line.edit(&TextInput::Delete);
        line.edit(&TextInput::Char('\u{202e}'));
        line.edit(&TextInput::Backspace);
        assert_eq!(line.text(), "web");
        line.edit(&TextInput::DeleteLine);
        line.edit(&TextInput::Backspace);
        assert_eq!((line.text(), line.at()), ("", 0));
        assert!(!line.edit(&TextInput::Enter));
        line.edit(&TextInput::Paste("x".repeat(5_000)));
        assert!(line.text().len() <= LIMIT && line.text().len() > LIMIT / 2);
    }
}
