//! The signals that end the program, the one that stops it, and the one that brings it back.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals of the process.
#[derive(Debug)]
pub(super) struct Signals {
    /// Those that end it.
    pub(super) ends: Ends,
    /// `SIGTSTP`: somebody wants it to stop for a while.
    pub(super) stops: Signal,
    /// `SIGCONT`: the terminal may look like anything now.
    pub(super) goes_on: Signal,
}

/// Signals that end the process.
#[derive(Debug)]
pub(super) struct Ends {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Signals {
    /// Takes them over from now on.
    pub(super) fn take() -> io::Result<Self> {
        Ok(Self {
            ends: Ends {
                terminate: signal(SignalKind::terminate())?,
                hangup: signal(SignalKind::hangup())?,
                interrupt: signal(SignalKind::interrupt())?,
                quit: signal(SignalKind::quit())?,
            },
            stops: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            goes_on: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }
}

impl Ends {
    /// Waits for a signal that ends the program, and gives the exit code that shells expect of it: 128 and its number.
    pub(super) async fn recv(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => 128 + 15,
            _ = self.hangup.recv() => 128 + 1,
            _ = self.interrupt.recv() => 128 + 2,
            _ = self.quit.recv() => 128 + 3,
        }
    }
}
