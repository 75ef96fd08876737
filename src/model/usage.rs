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

/// A [`Sample`] in 16 bytes: a fleet of ten thousand tasks keeps more than half a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed {
    /// Milliseconds after the base of the series.
    after: u32,
    cpu_m: u32,
    /// Memory in KiB, up to 4 TiB.
    kib: u32,
    /// Bytes per second received and sent, as [`rate`] packs them; [`UNKNOWN`] both or none.
    net: [u16; 2],
}

/// No rate: the greatest rate of 32 bits packs below this.
const UNKNOWN: u16 = u16::MAX;

/// A rate as 11 leading bits and a shift of 5 bits: less than a thousandth off, exact below 2048.
fn rate(bytes: u32) -> u16 {
    let shift = (u32::BITS - bytes.leading_zeros()).saturating_sub(11);
    ((bytes >> shift) as u16) << 5 | shift as u16
}

fn rate_of(packed: u16) -> u32 {
    u32::from(packed >> 5) << (packed & 31)
}

impl Packed {
    fn new(after: u32, usage: Usage) -> Self {
        let kib = u32::try_from(usage.mem >> 10).unwrap_or(u32::MAX);
        let net = usage.net.map_or([UNKNOWN; 2], |(received, sent)| [rate(received), rate(sent)]);
        Self { after, cpu_m: usage.cpu_m, kib, net }
    }

    fn sample(self, base: Timestamp) -> Sample {
        let net = (self.net != [UNKNOWN; 2]).then(|| (rate_of(self.net[0]), rate_of(self.net[1])));
        let usage = Usage { cpu_m: self.cpu_m, mem: u64::from(self.kib) << 10, net };
        Sample { at: Timestamp(base.0 + i64::from(self.after)), usage }
    }
}

/// The measurements of one object, oldest first, at most [`Series::CAPACITY`]: ten minutes at one every ten seconds.
/// Memory is kept in whole KiB and network rates to a thousandth; times and cpu are exact.
#[derive(Debug, PartialEq)]
pub struct Series {
    key: Key,
    /// What the times of the samples count from.
    base: Timestamp,
    samples: Vec<Packed>,
}

impl Series {
    /// Samples kept.
    pub const CAPACITY: usize = 60;
    /// Room is added for this many at a time; divides the capacity, so that a full series has no room to spare.
    const STEP: usize = 12;

    /// An empty series of the object `key`.
    pub fn new(key: Key) -> Self {
        Self { key, base: Timestamp::default(), samples: Vec::new() }
    }

    /// Adds a measurement, dropping the oldest past the capacity; one not newer than the last is ignored.
    pub fn push(&mut self, sample: Sample) {
        if self.last().is_some_and(|last| last.at >= sample.at) {
            return;
        }
        if self.samples.len() == Self::CAPACITY {
            self.samples.remove(0);
        }
        let after = self.after(sample.at);
        if self.samples.len() == self.samples.capacity() {
            self.samples.reserve_exact(Self::STEP);
        }
        self.samples.push(Packed::new(after, sample.usage));
    }

    /// Milliseconds from the base to `at`. Where 32 bits do not hold them (49 days) the base moves up to the oldest
    /// measurement, and where that is not enough what is kept is forgotten.
    fn after(&mut self, at: Timestamp) -> u32 {
        let from = |base: Timestamp| u32::try_from(at.0.saturating_sub(base.0)).ok();
        let first = self.samples.first().map(|first| first.after);
        if let Some(first) = first {
            if let Some(after) = from(self.base) {
                return after;
            }
            self.base = Timestamp(self.base.0 + i64::from(first));
            self.samples.iter_mut().for_each(|held| held.after -= first);
            if let Some(after) = from(self.base) {
                return after;
            }
            self.samples.clear();
        }
        self.base = at;
        0
    }

    /// All measurements, oldest first.
    pub fn samples(&self) -> impl DoubleEndedIterator<Item = Sample> + ExactSizeIterator + Clone {
        let base = self.base;
        self.samples.iter().map(move |held| held.sample(base))
    }

    /// The newest measurement.
    pub fn last(&self) -> Option<Sample> {
        self.samples().next_back()
    }
}

/// With its room: a series is copied to be added to, while pictures hold the one before.
impl Clone for Series {
    fn clone(&self) -> Self {
        let mut samples = Vec::with_capacity(self.samples.capacity());
        samples.extend_from_slice(&self.samples);
        Self { key: self.key.clone(), base: self.base, samples }
    }
}

impl Keyed for Series {
    fn key(&self) -> &Key {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sample(at: i64, mem: u64, net: Option<(u32, u32)>) -> Sample {
        Sample { at: Timestamp(at), usage: Usage { cpu_m: u32::MAX, mem, net } }
    }

    fn kept(of: Sample) -> Sample {
        let mut series = Series::new(Key::from("a"));
        series.push(of);
        series.last().unwrap()
    }

    #[test]
    fn a_sample_takes_sixteen_bytes_and_a_full_series_has_none_to_spare() {
        assert_eq!(size_of::<Packed>(), 16);
        let mut series = Series::new(Key::from("a"));
        (0..200).for_each(|n| series.push(sample(n * 10_000, 0, None)));
        assert_eq!((series.samples.len(), series.samples.capacity()), (Series::CAPACITY, Series::CAPACITY));
        assert_eq!(series.samples().next().unwrap().at, Timestamp(1_400_000));
    }

    #[test]
    fn times_and_cpu_are_exact_memory_to_a_kib_rates_to_a_thousandth() {
        let of = sample(1_800_000_000_123, (3 << 30) + 1023, Some((0, 2047)));
        assert_eq!(kept(of), sample(1_800_000_000_123, 3 << 30, Some((0, 2047))));
        assert_eq!(kept(sample(1, u64::MAX, None)).usage.mem, u64::from(u32::MAX) << 10);
        for bit in 0..32 {
            for bytes in [1u32 << bit, (1 << bit) - 1, (1 << bit) | 0x5555_5555 >> (31 - bit), u32::MAX] {
                let (received, sent) = kept(sample(1, 0, Some((bytes, 0)))).usage.net.unwrap();
                assert!(received <= bytes && bytes - received <= bytes / 1000, "{bytes} became {received}");
                assert_eq!(sent, 0);
            }
        }
        assert!(kept(sample(1, 0, Some((u32::MAX, u32::MAX)))).usage.net.is_some(), "the greatest rate is not unknown");
    }

    #[test]
    fn samples_far_apart_keep_their_times() {
        const DAY: i64 = 86_400_000;
        let mut series = Series::new(Key::from("a"));
        let ats = |series: &Series| series.samples().map(|s| s.at.0).collect::<Vec<_>>();
        (0..60).for_each(|n| series.push(sample(n * DAY, 0, None)));
        assert_eq!(ats(&series).last(), Some(&(59 * DAY)));
        assert!(ats(&series).is_sorted());
        series.push(sample(59 * DAY, 0, None));
        series.push(sample(500 * DAY, 0, None));
        assert_eq!(ats(&series), [500 * DAY]);
    }
}
