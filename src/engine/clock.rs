//! Where the engine takes the time from: the system, or a driver that runs a demo or a test at times of its own.

use crate::util::time::Timestamp;
use std::fmt;
use std::sync::Arc;
use tokio::time::Instant;

/// The engine's clock. Waiting times are always tokio's; this says what time of day facts carry.
#[derive(Clone)]
pub enum Clock {
    /// The system's.
    System,
    /// Whatever the function says. It is called often and from several threads.
    Driven(Arc<dyn Fn() -> Timestamp + Send + Sync>),
    /// The same at the pace of the world: where it jumps, the process or its machine stood still.
    Paced(Arc<dyn Fn() -> Timestamp + Send + Sync>),
}

impl Clock {
    /// A clock that stands at `start` now and then keeps pace with tokio's time (also when that is paused and moved by
    /// a test).
    pub fn starting_at(start: Timestamp) -> Self {
        let origin = Instant::now();
        Self::Driven(Arc::new(move || start.plus(origin.elapsed())))
    }

    /// A clock that stands still.
    pub fn fixed(at: Timestamp) -> Self {
        Self::Driven(Arc::new(move || at))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Driven(now) | Self::Paced(now) => now(),
        }
    }

    /// Whether it goes at the pace of the world, so that a jump of it means that the process stood still.
    pub fn keeps_pace(&self) -> bool {
        !matches!(self, Self::Driven(_))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Driven(_) => "Driven",
            Self::Paced(_) => "Paced",
        })
    }
}
