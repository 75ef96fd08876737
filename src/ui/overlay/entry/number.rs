//! A number under edit: digits, and up and down.

use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::widget::input::{LineEdit, TextInput};
use crate::ui::widget::pen::Pen;

/// Most digits: more tasks than that nobody means.
const DIGITS: usize = 6;

/// See the module's description.
#[derive(Clone, Debug)]
pub struct Number {
    line: LineEdit,
    /// The number it began with; the first digit typed replaces it.
    fresh: bool,
    from: u32,
}

impl Number {
    /// Begins with `from`.
    pub fn new(from: u32) -> Self {
        Self { line: LineEdit::new(&from.to_string()), fresh: true, from }
    }

    /// What it says; none while it is empty.
    pub fn value(&self) -> Option<u32> {
        self.line.text().parse().ok()
    }

    /// Edits; true if the number may have changed.
    pub fn edit(&mut self, input: &TextInput) -> bool {
        let fresh = std::mem::take(&mut self.fresh);
        let value = self.value().unwrap_or(0);
        match input {
            TextInput::Char(c) if c.is_ascii_digit() => {
                if fresh {
                    self.line = LineEdit::default();
                }
                self.line.text().len() < DIGITS && self.line.edit(input)
            }
            TextInput::Up | TextInput::Char('+') => self.set(value.saturating_add(1)),
            TextInput::Down | TextInput::Char('-') => self.set(value.saturating_sub(1)),
            TextInput::Char(_) | TextInput::Paste(_) => {
                self.fresh = fresh;
                false
            }
            input => self.line.edit(input),
        }
    }

    fn set(&mut self, value: u32) -> bool {
        let text = value.to_string();
        if text.len() > DIGITS {
            return false;
        }
        self.line = LineEdit::new(&text);
        true
    }

    /// Draws it, and returns the column of the cursor.
    pub fn draw(&self, pen: &mut Pen<'_>, cx: &Cx<'_>) -> u16 {
        pen.put("tasks  ", cx.style(Role::Dim));
        let x = self.line.draw(pen, cx.style(Role::Input), 8);
        pen.gap(2).put(&format!("was {} · ↑ ↓ or type", self.from), cx.style(Role::Hint));
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_digit_replaces_and_others_add() {
        let typed = |inputs: &[TextInput]| {
            let mut number = Number::new(3);
            inputs.iter().for_each(|input| {
                number.edit(input);
            });
            number.value()
        };
        let c = TextInput::Char;
        assert_eq!(typed(&[]), Some(3));
        assert_eq!(typed(&[c('5')]), Some(5));
        assert_eq!(typed(&[c('1'), c('2')]), Some(12));
        assert_eq!(typed(&[c('x'), c('7')]), Some(7));
        assert_eq!(typed(&[TextInput::Up, TextInput::Up]), Some(5));
        assert_eq!(typed(&[c('-'), c('-'), c('-'), c('-')]), Some(0));
        assert_eq!(typed(&[TextInput::Backspace]), None);
        assert_eq!(typed(&[c('9'), c('9'), c('9'), c('9'), c('9'), c('9'), c('9')]), Some(999_999));
        assert_eq!(typed(&[c('9'), c('9'), c('9'), c('9'), c('9'), c('9'), TextInput::Up]), Some(999_999));
    }
}
