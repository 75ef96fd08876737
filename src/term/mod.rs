//! The terminal: taking it and giving it back, events from it, frames to it, and how often.
//!
//! Names neither panes nor clusters. Everything here works on the process's own standard input and output.

mod caps;
mod events;
mod hangup;
mod link;
mod pacer;
mod report;
mod session;
mod sgr;
mod writer;

pub use caps::Caps;
pub use events::{Batch, Events};
pub use hangup::{leave_by, watch_hangup};
pub use pacer::{Frame, Pacer};
pub use report::install_panic_hook;
pub use session::{Session, restore, stop_for_the_shell};
pub use sgr::sgr;
pub use writer::{FrameWriter, emit, osc52};

use ratatui::layout::Size;
use std::io::IsTerminal;

/// Whether both ends of a conversation are there: keys come from a terminal and frames go to one.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Columns and rows of the terminal. A terminal that does not know (serial lines, some containers) is 80 by 24.
pub fn size() -> Size {
    // crossterm's own question may start `tput` when the first way fails; this one only asks the kernel
    match rustix::termios::tcgetwinsize(rustix::stdio::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::new(size.ws_col, size.ws_row),
        _ => Size::new(80, 24),
    }
}
