//! One of a few words, chosen with the arrow keys.

use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::widget::input::TextInput;
use crate::ui::widget::pen::Pen;

/// See the module's description.
#[derive(Clone, Debug)]
pub struct Choice {
    label: &'static str,
    words: Vec<&'static str>,
    at: usize,
}

impl Choice {
    /// Begins with the first of `words`.
    pub fn new(label: &'static str, words: Vec<&'static str>) -> Self {
        Self { label, words, at: 0 }
    }

    /// The place of the word chosen.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Edits; true if another word is chosen.
    pub fn edit(&mut self, input: &TextInput) -> bool {
        let last = self.words.len().saturating_sub(1);
        let to = match input {
            TextInput::Down | TextInput::Right | TextInput::Tab => (self.at + 1) % self.words.len().max(1),
            TextInput::Up | TextInput::Left | TextInput::BackTab => self.at.checked_sub(1).unwrap_or(last),
            _ => self.at,
        };
        std::mem::replace(&mut self.at, to) != to
    }

    /// Draws all words in one row, the chosen one marked.
    pub fn draw(&self, pen: &mut Pen<'_>, cx: &Cx<'_>) {
        pen.put(self.label, cx.style(Role::Dim)).gap(2);
        for (n, word) in self.words.iter().enumerate() {
            let (mark, role) = if n == self.at { ("▸", Role::Input) } else { (" ", Role::Hint) };
            pen.put(mark, cx.style(role)).put(word, cx.style(role)).gap(1);
        }
        pen.gap(1).put("↑ ↓", cx.style(Role::Hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_go_round() {
        let mut choice = Choice::new("x", vec!["a", "b", "c"]);
        assert!(!choice.edit(&TextInput::Char('b')));
        for (input, at) in
            [(TextInput::Down, 1), (TextInput::Right, 2), (TextInput::Tab, 0), (TextInput::Up, 2), (TextInput::Left, 1)]
        {
            assert!(choice.edit(&input));
            assert_eq!(choice.at(), at);
        }
    }
}
