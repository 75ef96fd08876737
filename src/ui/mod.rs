//! The screen: pure update and render. No clock, no I/O, no tokio.
//!
//! [`Ui`] takes the newest picture ([`Ui::sync`]), keys resolved to commands and text ([`Ui::input`]), and draws itself
//! into a buffer ([`Ui::render`]). What it wants done in the world comes back as [`Effect`]s.

use crate::model::{Request, World};
use crate::util::time::Timestamp;
use std::sync::Arc;

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

#[allow(dead_code, reason = "contract")]
type Picture = Arc<World>;
