//! The screen: pure update and render. No clock, no I/O, no tokio.
//!
//! [`Ui`] takes the newest picture ([`Ui::sync`]), commands the keymap gave ([`Ui::command`]) or, while
//! [`Ui::wants_text`], typed text ([`Ui::text`]), and draws itself into a buffer ([`Ui::render`]); once the terminal has that,
//! it is told ([`Ui::seen`]). What it wants done in the world comes back as [`Effect`]s. What must be polled for what is on screen is [`Ui::interest`].
//!
//! A pane is a file in [`pane`] and a line in [`pane::PANES`]; an overlay is a file in [`overlay`].

pub mod act;
mod ascii;
mod cx;
pub mod detail;
mod header;
mod keyrow;
mod layout;
mod nothing;
mod outcome;
pub mod overlay;
pub mod pane;
mod pending;
mod rights;
mod screen;
mod strip;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod view;
pub mod widget;

pub use cx::{Cx, Narrow, Place, Subject};
pub use outcome::{Go, Outcome};
pub use pane::PaneId;
pub use pending::Pending;
pub use screen::{Ui, UiOptions};
pub use widget::input::TextInput;

use crate::model::Request;
use crate::util::time::Timestamp;

/// What the screen wants done; `app` does it.
#[derive(Debug)]
pub enum Effect {
    /// Send to the engine.
    Request(Request),
    /// Put on the clipboard of the operator's terminal (OSC 52).
    Copy(String),
    /// Draw everything anew, also what did not change.
    Redraw,
    /// Stop like any program on ctrl-z.
    Suspend,
    /// Leave.
    Quit,
}

/// What changes from frame to frame but is not the fleet.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time that ages are counted from.
    pub now: Timestamp,
    /// Offset of local time from UTC in seconds.
    pub utc_offset: i32,
}
