//! What stands over the panes: dialogs, palette, help. The topmost gets keys first.

pub mod confirm;
mod frame;
mod number;
#[cfg(test)]
mod tests;

use super::Outcome;
use super::cx::Cx;
use super::widget::input::TextInput;
use crate::input::{Command, Scope};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Something that stands over the panes until it is closed.
pub trait Overlay {
    /// A new picture has come.
    fn sync(&mut self, _cx: &Cx<'_>) {}

    /// Whether typed characters go to [`Overlay::text`] instead of the keymap.
    fn wants_text(&self) -> bool {
        true
    }

    /// A typed character, a paste, an editing key, enter or escape.
    fn text(&mut self, input: TextInput, cx: &Cx<'_>) -> Outcome;

    /// A command the keymap gave. `Back` that is ignored closes the overlay; other commands that are ignored are lost.
    fn command(&mut self, _command: Command, _cx: &Cx<'_>) -> Outcome {
        Outcome::Ignored
    }

    /// Where the keymap is looked up while this is on top and does not want text.
    fn scopes(&self) -> &[Scope] {
        &[]
    }

    /// Draws itself somewhere in `area` (the whole screen). Every cell it takes it must clear.
    fn render(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>);

    /// Where the terminal's cursor stands after the last [`Overlay::render`].
    fn cursor(&self) -> Option<Position> {
        None
    }
}

/// The overlay that a command opens, if it opens one: help, palette, notices.
pub fn opened_by(_command: Command, _cx: &Cx<'_>) -> Option<Box<dyn Overlay>> {
    None
}
