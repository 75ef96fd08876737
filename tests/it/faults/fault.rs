//! What goes wrong, when, and for how long.

use super::writer::Dice;
use std::fmt;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Connections are reset.
    Reset,
    /// Connections are closed.
    Closed,
    /// Connections fall silent for ever; new ones as well, until the fault is over.
    BlackHole,
    /// Connections fall silent, and go on where they were.
    Stall,
    /// All bytes come one by one.
    Slices,
    /// Bodies end in the middle of an object.
    Truncated,
    /// Watches are told in their stream that their version is too old.
    GoneInStream,
    /// Watches and later pages are told by status that their version is too old.
    GoneByStatus,
    /// Watches are told that their version is newer than what the server has.
    TooLarge,
    /// The server is restored from an older copy of itself.
    Restored,
    /// Too many requests: all but health checks are told to come again later.
    TooMany,
    /// All requests are told that the server is not available.
    Unavailable,
    /// One request is told that its credentials are not known.
    RefusedOnce,
    /// The credentials are not known any more: there are new ones, which come later.
    RefusedForEver,
    /// No bookmarks are sent, and what happened is soon forgotten.
    NoBookmarks,
    /// Changes come twice, and in the wrong order.
    Shuffled,
    /// One stream falls silent for ever, the watch of pods: all else is answered, and so is whoever asks for that one again.
    Silent,
    /// A watch leaves changes out and goes on as if nothing was: only a look at all objects shows it.
    Lost,
}

/// When it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// In the first page of the first list of pods.
    FirstPage,
    /// In a later page of it.
    LaterPage,
    /// While all is listed and followed.
    Steady,
    /// While a node is being evacuated.
    Evacuation,
}

impl Fault {
    /// Those of the matrix.
    pub const MATRIX: [Self; 16] = [
        Self::Reset,
        Self::Closed,
        Self::BlackHole,
        Self::Stall,
        Self::Slices,
        Self::Truncated,
        Self::GoneInStream,
        Self::GoneByStatus,
        Self::TooLarge,
        Self::Restored,
        Self::TooMany,
        Self::Unavailable,
        Self::RefusedOnce,
        Self::RefusedForEver,
        Self::NoBookmarks,
        Self::Shuffled,
    ];

    /// Whether it is the connections that fail, so that it begins in the middle of an answer.
    pub fn of_connections(self) -> bool {
        matches!(self, Self::Reset | Self::Closed | Self::BlackHole | Self::Stall | Self::Slices | Self::Truncated)
    }

    /// Whether watches that are open end as it begins: else nothing would be asked for while it lasts.
    pub fn ends_watches(self) -> bool {
        !matches!(
            self,
            Self::Reset
                | Self::Closed
                | Self::BlackHole
                | Self::Stall
                | Self::Slices
                | Self::NoBookmarks
                | Self::Shuffled
                | Self::Silent
                | Self::Lost
        )
    }

    /// Whether nobody can know of it at once. What a watch leaves out is looked for every ten minutes, and must be found and
    /// said; that a watch falls silent is known when it has been silent for longer than any watch is.
    pub fn is_hidden(self) -> bool {
        matches!(self, Self::Lost | Self::Silent)
    }

    /// How long it lasts: long enough to be seen, and in the long form up to twice that.
    pub fn lasts(self, dice: &mut Dice, long: bool) -> Duration {
        let least = match self {
            Self::Restored | Self::RefusedOnce => 500,
            Self::Reset | Self::Closed | Self::Lost => 3_000,
            Self::Truncated | Self::GoneInStream | Self::GoneByStatus | Self::TooLarge => 5_000,
            Self::Slices | Self::RefusedForEver | Self::NoBookmarks => 6_000,
            Self::Unavailable | Self::Shuffled => 8_000,
            // longer than rows may be shown as live that are not
            Self::TooMany => 18_000,
            Self::BlackHole | Self::Stall => 20_000,
            // with the time there is to be right again, longer than a silent watch is believed
            Self::Silent => 25_000,
        };
        Duration::from_millis(least + if long { dice.next() % (least + 1) } else { 0 })
    }
}

impl Phase {
    pub const ALL: [Self; 4] = [Self::FirstPage, Self::LaterPage, Self::Steady, Self::Evacuation];
}

/// A fault at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub fault: Fault,
    pub phase: Phase,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{:?}", self.fault, self.phase)
    }
}

impl Cell {
    /// What takes longest, all cells of the matrix, and what only a look at all objects finds.
    pub fn all() -> Vec<Self> {
        let cells = Fault::MATRIX.iter().flat_map(|fault| Phase::ALL.map(|phase| Self { fault: *fault, phase }));
        let steady = |fault| Self { fault, phase: Phase::Steady };
        std::iter::once(steady(Fault::Silent)).chain(cells).chain([steady(Fault::Lost)]).collect()
    }
}
