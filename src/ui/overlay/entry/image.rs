//! The image of one container under edit; the arrows go to another container.

use crate::model::Text;
use crate::theme::Role;
use crate::ui::cx::Cx;
use crate::ui::widget::input::{LineEdit, TextInput};
use crate::ui::widget::pen::Pen;

/// Columns the image has at least; a longer one is scrolled.
const WIDE: u16 = 48;

/// See the module's description.
#[derive(Clone, Debug)]
pub struct Image {
    /// Name and present image of each container.
    containers: Vec<(Text, Text)>,
    at: usize,
    line: LineEdit,
}

impl Image {
    /// Begins with this image of this container: its present one, or the one that takes something back.
    pub fn new(containers: Vec<(Text, Text)>, container: &Text, image: &Text) -> Self {
        let at = containers.iter().position(|(name, _)| name == container).unwrap_or(0);
        Self { containers, at, line: LineEdit::new(image) }
    }

    /// The container, and the image it shall have.
    pub fn value(&self) -> (Text, Text) {
        let container = self.containers.get(self.at).map(|(name, _)| name.clone()).unwrap_or_default();
        (container, Text::new(self.line.text().trim()))
    }

    /// Edits; true if its value may have changed.
    pub fn edit(&mut self, input: &TextInput) -> bool {
        let last = self.containers.len().saturating_sub(1);
        match input {
            TextInput::Up | TextInput::Down if last == 0 => return false,
            TextInput::Down => self.at = if self.at < last { self.at + 1 } else { 0 },
            TextInput::Up => self.at = self.at.checked_sub(1).unwrap_or(last),
            input => return self.line.edit(input),
        }
        self.line = LineEdit::new(self.containers.get(self.at).map_or("", |(_, image)| image));
        true
    }

    /// What is wrong with it, if anything is.
    pub fn missing(&self) -> Option<&'static str> {
        let image = self.line.text().trim();
        if image.is_empty() {
            Some("type an image")
        } else if image.contains(char::is_whitespace) {
            Some("an image has no spaces in it")
        } else if self.containers.get(self.at).is_some_and(|(_, present)| present.as_str() == image) {
            Some("it is the present image: nothing would change")
        } else {
            None
        }
    }

    /// Draws it, and returns the column of the cursor.
    pub fn draw(&self, pen: &mut Pen<'_>, cx: &Cx<'_>) -> u16 {
        let name = self.containers.get(self.at).map_or("", |(name, _)| name.as_str());
        let many = self.containers.len() > 1;
        let label = if name.is_empty() { "image" } else { name };
        pen.put(label, cx.style(Role::Dim)).gap(2);
        let x = self.line.draw(pen, cx.style(Role::Input), WIDE);
        if many {
            pen.gap(2).put(&format!("{} of {} ↑ ↓", self.at + 1, self.containers.len()), cx.style(Role::Hint));
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_go_to_another_container_and_its_present_image() {
        let of = |name: &str, image: &str| (Text::new(name), Text::new(image));
        let both = || vec![of("main", "web:1"), of("proxy", "envoy:3")];
        let back = Image::new(both(), &"proxy".into(), &"envoy:2".into());
        assert_eq!((back.value(), back.missing()), (of("proxy", "envoy:2"), None));
        let mut entry = Image::new(both(), &"main".into(), &"web:1".into());
        assert_eq!(entry.missing(), Some("it is the present image: nothing would change"));
        assert!(entry.edit(&TextInput::Backspace) && entry.edit(&TextInput::Char('2')));
        assert_eq!((entry.value(), entry.missing()), (of("main", "web:2"), None));
        assert!(entry.edit(&TextInput::Down));
        assert_eq!(entry.value(), of("proxy", "envoy:3"));
        assert!(entry.edit(&TextInput::Char(' ')) && entry.edit(&TextInput::Char('x')));
        assert_eq!(entry.missing(), Some("an image has no spaces in it"));
        assert!(entry.edit(&TextInput::DeleteLine));
        assert_eq!(entry.missing(), Some("type an image"));
        assert!(!Image::new(vec![of("", "web:1")], &"".into(), &"web:1".into()).edit(&TextInput::Down));
    }
}
