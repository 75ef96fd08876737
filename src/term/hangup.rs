//! Leaving when nobody is there any more.
//!
//! crossterm's reader spins when the terminal hangs up, and a write to a stalled terminal can block for ever: the process
//! must end all the same.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::thread;
use std::time::Duration;

/// How often the terminal is looked at.
const EVERY: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// What is still on its way to the terminal when the process must end gets this long.
const LAST: Duration = Duration::from_millis(200);

/// Calls `gone` once when the terminal hangs up; the process then has a second to end by itself, else it ends with
/// `code`.
pub fn watch_hangup(code: i32, gone: impl FnOnce() + Send + 'static) {
    let watch = move || {
        loop {
            let tty = rustix::stdio::stdin();
            // no events asked for: hangup and errors are reported in any case
            let mut fds = [PollFd::new(&tty, PollFlags::empty())];
            let hung = match poll(&mut fds, Some(&EVERY)) {
                Ok(_) => fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL),
                Err(rustix::io::Errno::INTR) => false,
                Err(_) => true,
            };
            if hung {
                gone();
                leave_by(code, Duration::from_secs(1));
                return;
            }
        }
    };
    // without the thread a hangup still comes as SIGHUP
    let _ = thread::Builder::new().name("hangup".into()).spawn(watch);
}

/// Ends the process with `code` after `grace`, if it has not ended by then; a terminal that takes no more bytes loses
/// what it has not shown yet.
pub fn leave_by(code: i32, grace: Duration) {
    let leave = move || {
        thread::sleep(grace);
        super::session::unblock();
        super::restore();
        // another thread may have begun to give the terminal back and waited behind a frame until now
        thread::sleep(LAST);
        std::process::exit(code);
    };
    if thread::Builder::new().name("leave".into()).spawn(leave).is_err() {
        std::process::exit(code);
    }
}
