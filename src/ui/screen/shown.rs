//! Whether a key can be meant for what it would reach: a dialog is answered only once it was on screen, and where there is no
//! room to show anything, only what leaves is taken.

use super::Ui;
use crate::input::Command;
use crate::ui::widget::input::TextInput;

/// Said of keys that came too early to be an answer.
const UNREAD: &str = "keys typed before this was on screen are no answer to it and were dropped: read it first";
/// Said, once there is room again, of keys that came while there was none.
const SMALL: &str = "keys were dropped while the terminal was too small to show what they do";

/// How far the topmost overlay has come on its way to the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// No frame has it.
    #[default]
    No,
    /// The last frame has it.
    Drawn,
    /// The terminal has taken that frame.
    Yes,
}

impl Ui {
    /// The terminal has taken the last frame, and no key that was typed before it is on its way.
    pub fn seen(&mut self) {
        if self.shown == Shown::Drawn {
            self.shown = Shown::Yes;
        }
    }

    /// Takes note of a frame, which had room for what it shows or not.
    pub(super) fn framed(&mut self, room: bool) {
        self.small = !room;
        self.shown = match (room, self.shown) {
            (false, _) => Shown::No,
            (true, Shown::No) => Shown::Drawn,
            (true, shown) => shown,
        };
    }

    /// Why a command is not taken now, if so.
    pub(super) fn drops_command(&self, command: Command) -> Option<&'static str> {
        match command {
            Command::Back | Command::Quit | Command::Suspend | Command::Redraw => None,
            // no command answers a dialog
            _ => self.small.then_some(SMALL),
        }
    }

    /// The same of what is typed.
    pub(super) fn drops_text(&self, input: &TextInput) -> Option<&'static str> {
        match input {
            TextInput::Escape => None,
            _ if self.small && !self.overlays.is_empty() => Some(SMALL),
            _ if self.shown == Shown::Yes => None,
            _ => self.overlays.last().is_some_and(|overlay| overlay.is_answer(input)).then_some(UNREAD),
        }
    }
}
