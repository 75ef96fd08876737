//! Waiting times between attempts: doubling, capped, jittered, and reset only by proven health.

use std::time::Duration;

/// Doubling delays with jitter. [`Backoff::healthy`] must be told how long things went well: a success that lasts
/// less than `settle` does not reset the delay, so a server that accepts and fails at once is not hammered.
#[derive(Clone, Debug)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    settle: Duration,
    attempt: u32,
    seed: u64,
}

impl Backoff {
    /// Delays from `base` doubling to `cap`; `seed` spreads several clients apart and makes tests repeatable.
    pub fn new(base: Duration, cap: Duration, seed: u64) -> Self {
        Self { base, cap, settle: Duration::from_secs(30), attempt: 0, seed: seed | 1 }
    }

    /// The next delay: between half and all of the doubled base, never over the cap.
    pub fn next_delay(&mut self) -> Duration {
        let full = self.base.saturating_mul(1u32 << self.attempt.min(16)).min(self.cap);
        self.attempt = self.attempt.saturating_add(1);
        // xorshift64: enough to keep clients from marching in step
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let share = 0.5 + (self.seed % 1_000) as f64 / 2_000.0;
        full.mul_f64(share)
    }

    /// Says that the connection was well for `lasted`; resets the delay if that was long enough to count.
    pub fn healthy(&mut self, lasted: Duration) {
        if lasted >= self.settle {
            self.attempt = 0;
        }
    }

    /// How many delays were handed out since the last reset.
    pub fn attempts(&self) -> u32 {
        self.attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_cap_and_a_short_success_does_not_reset_them() {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30), 7);
        let delays: Vec<_> = (0..10).map(|_| backoff.next_delay()).collect();
        assert!(delays[0] >= Duration::from_millis(250) && delays[0] <= Duration::from_millis(500));
        assert!(delays[9] >= Duration::from_secs(15) && delays[9] <= Duration::from_secs(30));
        backoff.healthy(Duration::from_secs(1));
        assert!(backoff.next_delay() >= Duration::from_secs(15));
        backoff.healthy(Duration::from_secs(31));
        assert!(backoff.next_delay() <= Duration::from_millis(500));
    }
}
