//! What tasks and nodes use, now and over the last minutes.

use super::{Key, Keyed};
use crate::util::time::Timestamp;

/// An amount of cpu and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Cpu in thousandths of a core.
    pub cpu_m: u64,
    /// Memory in bytes.
    pub mem: u64,
}

impl Resources {
    /// Both amounts added.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { cpu_m: self.cpu_m.saturating_add(other.cpu_m), mem: self.mem.saturating_add(other.mem) }
    }

    /// Both amounts taken away, never below zero.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self { cpu_m: self.cpu_m.saturating_sub(other.cpu_m), mem: self.mem.saturating_sub(other.mem) }
    }
}

/// One measurement of one object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Cpu in thousandths of a core, averaged over the source's window.
    pub cpu_m: u32,
    /// Memory in bytes (working set: without the page cache that can be dropped).
    pub mem: u64,
    /// Bytes per second received and sent, where the source measures the network.
    pub net: Option<(u32, u32)>,
}

impl Usage {
    /// Both measurements added; the network is known if either side knows it.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let net = match (self.net, other.net) {
            (Some(a), Some(b)) => Some((a.0.saturating_add(b.0), a.1.saturating_add(b.1))),
            (one, other) => one.or(other),
        };
        Self { cpu_m: self.cpu_m.saturating_add(other.cpu_m), mem: self.mem.saturating_add(other.mem), net }
    }
}

/// A measurement and when it was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// What.
    pub usage: Usage,
}

/// The measurements of one object, oldest first, at most [`Series::CAPACITY`]: ten minutes at one every ten seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    key: Key,
    samples: Vec<Sample>,
}

impl Series {
    /// Samples kept.
    pub const CAPACITY: usize = 60;

    /// An empty series of the object `key`.
    pub fn new(key: Key) -> Self {
        Self { key, samples: Vec::new() }
    }

    /// Adds a measurement, dropping the oldest past the capacity; one not newer than the last is ignored.
    pub fn push(&mut self, sample: Sample) {
        if self.samples.last().is_some_and(|last| last.at >= sample.at) {
            return;
        }
        if self.samples.len() == Self::CAPACITY {
            self.samples.remove(0);
        }
        self.samples.push(sample);
    }

    /// All measurements, oldest first.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The newest measurement.
    pub fn last(&self) -> Option<Sample> {
        self.samples.last().copied()
    }
}

impl Keyed for Series {
    fn key(&self) -> &Key {
        &self.key
    }
}
