//! How fast the way to the terminal is, learned from how long writes take. Pure; times are handed in.

use std::time::Duration;

/// A write that takes longer waited for the link, also where it was many short ones of late.
const WAITED: f64 = 0.06;

/// Time in which half of what writes took is forgotten.
const RECENT: f64 = 1.0;

/// About what Linux keeps for a pseudo-terminal before a write waits; and then it waits until all of it has been taken.
const KEPT: f64 = 16_384.0;

/// After so long without a write that waited, the link is tried: taken to be [`FASTER`] times as fast as it was. That is
/// so much that it shows soon if it is not.
const HOPE: Duration = Duration::from_secs(180);
const FASTER: f64 = 8.0;

/// Bytes a second above which a link is as good as none, and below which it was stopped rather than slow.
const FAST: f64 = 1e6;
const SLOW: f64 = 1e3;

/// What a link is believed to take.
#[derive(Clone, Copy, Debug)]
struct Rate {
    /// Bytes a second.
    bytes: f64,
    since: Duration,
    /// It was hoped for, not seen.
    tried: bool,
}

/// How fast the link takes bytes, as far as writes that waited for it show, and how long it is busy with what was written.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    /// None while no write has waited.
    rate: Option<Rate>,
    /// When it has taken all that was written.
    free: Duration,
    /// How long it is busy with the last frame.
    frame: Duration,
    /// Seconds that writes took of late, and when the last ended.
    recent: (f64, Duration),
}

impl Link {
    /// A write of `bytes` took from `begun` to `now`.
    pub(super) fn written(&mut self, bytes: usize, begun: Duration, now: Duration) {
        let (bytes, took) = (bytes as f64, now.saturating_sub(begun));
        let (before, last) = self.recent;
        let late = before * (-now.saturating_sub(last).as_secs_f64() / RECENT).exp2() + took.as_secs_f64();
        let waited = late >= WAITED;
        self.recent = (if waited { 0.0 } else { late }, now);
        if waited {
            let seen = bytes.max(KEPT) / took.as_secs_f64();
            let less = |rate: Rate| seen.min(rate.bytes / if rate.tried { FASTER } else { 2.0 });
            self.rate = Some(Rate { bytes: self.rate.map_or(seen, less).max(SLOW), since: now, tried: false });
        } else if let Some(rate) = self.rate
            && now.saturating_sub(rate.since) >= HOPE
        {
            self.rate = Some(Rate { bytes: rate.bytes * FASTER, since: now, tried: true });
        }
        self.rate = self.rate.filter(|rate| rate.bytes < FAST);
        self.frame = self.rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(bytes / rate.bytes));
        self.free = if waited { now + self.frame } else { self.free.max(begun) + self.frame };
    }

    /// When it has taken all that was written.
    pub(super) fn free(&self) -> Duration {
        self.free
    }

    /// How long it is busy with the last frame.
    pub(super) fn frame(&self) -> Duration {
        self.frame
    }
}
