//! Taking the terminal and giving it back as it was: one table of what is switched on, one way to switch it all off.

use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{Action, OptionalActions, QueueSelector, Termios, tcflow, tcflush, tcgetattr, tcsetattr};
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Alternate screen, bracketed paste, no automatic wrap (a glyph that is wider than we believe must not push the
/// following rows down), cursor hidden.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?7l\x1b[?25l";

/// Undoes [`ENTER`] and whatever a frame may have left open, in an order that leaves the shell's screen clean.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?25h\x1b[?7h\x1b[?2004l\x1b[?1049l";

/// The terminal's settings from before, while it is ours.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal is ours as long as this lives.
#[derive(Debug)]
pub struct Session(());

impl Session {
    /// Takes the terminal: raw mode and [`ENTER`].
    pub fn enter() -> io::Result<Self> {
        take()?;
        Ok(Self(()))
    }

    /// Takes the terminal again after a stop. The screen must be drawn whole.
    pub fn resume(&self) -> io::Result<()> {
        take()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        restore();
    }
}

fn take() -> io::Result<()> {
    let tty = rustix::stdio::stdin();
    let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    let now = tcgetattr(tty)?;
    let mut raw = now.clone();
    raw.make_raw();
    // in the background this stops us until the shell brings us to the front, as it should
    tcsetattr(tty, OptionalActions::Now, &raw)?;
    before.get_or_insert(now);
    drop(before);
    super::emit(ENTER)
}

/// Gives the terminal back as it was before. Does nothing if it is not ours: may be called from anywhere, at any time,
/// any number of times. Failures are of no interest: there is nothing else to try.
pub fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        // first what cannot be held up by a terminal that takes no bytes
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &before);
        let _ = super::emit(LEAVE);
    }
}

/// Throws away what the terminal has not taken yet and lets it go on if ctrl-s stopped it, so that [`restore`] does not
/// wait for a reader that is not there.
pub(super) fn unblock() {
    let tty = rustix::stdio::stdout();
    let _ = tcflush(tty, QueueSelector::OFlush);
    // Linux wakes who waits to write when output goes on, and not when there is room after a flush
    for action in [Action::OOff, Action::OOn] {
        let _ = tcflow(tty, action);
    }
}

/// Gives the terminal back, stops the whole process group as ctrl-z does, and returns once it goes on. Then
/// [`Session::resume`].
///
/// Not by `SIGTSTP`, which is ours so that the terminal is given back first, and not by `SIGSTOP`: where no shell could
/// ever continue us (an orphaned process group), the kernel ignores `SIGTTIN`, and we go on.
pub async fn stop_for_the_shell(goes_on: &mut tokio::signal::unix::Signal) {
    restore();
    if kill_current_process_group(Signal::TTIN).is_ok() {
        // the stop reaches other threads first: nothing may happen here until it is over. The time limit is for the
        // orphaned group, where no SIGCONT will come
        let _ = tokio::time::timeout(Duration::from_millis(400), goes_on.recv()).await;
    }
}
