//! How quick the processor itself is between the keys: the same arithmetic each time, which uses registers and no memory. What
//! takes longer than a millisecond there takes longer everywhere.

use super::measure::Answer;
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Duration;

/// Steps of the first look at the processor.
const STEPS: u64 = 100_000;

pub struct Pace {
    /// As many as took a millisecond when it was quickest.
    steps: u64,
    took: Vec<f64>,
}

impl Pace {
    pub fn new() -> Self {
        let best = (0..50).map(|_| spent(STEPS)).min_by(f64::total_cmp).unwrap();
        Self { steps: (STEPS as f64 / best) as u64, took: Vec::new() }
    }

    pub fn take(&mut self) {
        self.took.push(spent(self.steps));
    }

    pub fn tell(&self, name: &str, answer: &mut Answer) {
        answer.times("pace", name, self.took.clone());
    }
}

/// Milliseconds of processor time that this thread needs for so many steps of a shift register.
fn spent(steps: u64) -> f64 {
    let before = ran();
    let last = (0..black_box(steps)).fold(1_u64, |mut x, _| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^ (x << 17)
    });
    black_box(last);
    (ran() - before).as_secs_f64() * 1e3
}

/// For how long this thread was on a processor. `schedstat`, which the times of keys are from, does not go on in between.
fn ran() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
