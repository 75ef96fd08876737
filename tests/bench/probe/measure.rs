//! How a program is measured from outside: its processor time and memory, and what it writes and asks for.

use super::proxy::Proxy;
use super::pty::Pty;
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Figures in the order they were taken.
#[derive(Default)]
pub struct Answer(pub Map<String, Value>);

impl Answer {
    /// A number with two decimals.
    pub fn number(&mut self, key: &str, value: f64) {
        self.0.insert(key.to_owned(), json!(round(value)));
    }

    /// A whole number.
    pub fn count(&mut self, key: &str, value: usize) {
        self.0.insert(key.to_owned(), json!(value));
    }

    /// Milliseconds that something took time after time: what half of them, and 99 of 100, are not above, and the most.
    pub fn times(&mut self, of: &str, name: &str, times: Vec<f64>) {
        self.parts(times, [("p50", 50), ("p99", 99), ("max", 100)].map(|(which, part)| (format!("{of}_{which}{name}_ms"), part)));
    }

    /// The median, the least and the most of some times in milliseconds.
    pub fn spread(&mut self, name: &str, times: Vec<f64>) {
        self.parts(times, [("", 50), ("min_", 0), ("max_", 100)].map(|(which, part)| (format!("{name}_{which}ms"), part)));
    }

    fn parts(&mut self, mut times: Vec<f64>, parts: [(String, usize); 3]) {
        times.sort_by(f64::total_cmp);
        for (key, percent) in parts {
            self.number(&key, percentile(&times, percent));
        }
    }

    /// Anything else.
    pub fn say(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }
}

/// Processor time of a process so far, in seconds.
pub fn cpu(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks as f64 / 100.0
}

/// The value that `percent` of all are not above.
pub fn percentile<T: Copy>(sorted: &[T], percent: usize) -> T {
    sorted[(sorted.len() * percent).div_ceil(100).saturating_sub(1)]
}

/// `10,000`, as the screen writes it.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let head = digits.len() % 3;
    let groups = digits.as_bytes()[head..].chunks(3).map(|group| std::str::from_utf8(group).unwrap());
    std::iter::once(&digits[..head]).chain(groups).filter(|group| !group.is_empty()).collect::<Vec<_>>().join(",")
}

/// To two decimals.
pub fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Megabytes of so many KiB.
pub fn mb(kib: u64) -> f64 {
    kib as f64 * 1_024.0 / 1e6
}

/// What the program has used so far.
pub struct Used {
    at: Instant,
    tty: usize,
    down: u64,
    requests: usize,
    cpu: f64,
}

/// What it used in a time: a second each, and percent of a processor.
pub struct Share {
    /// Bytes to the terminal in all.
    pub tty: usize,
    /// Bytes to the terminal a second.
    pub tty_bps: f64,
    /// Bytes from the servers a second.
    pub down_bps: f64,
    /// Requests in all.
    pub requests: usize,
    /// Requests a second.
    pub requests_ps: f64,
    /// Percent of a processor.
    pub cpu: f64,
}

impl Used {
    /// Up to now.
    pub fn now(app: &Pty, proxies: &[Proxy]) -> Self {
        Self {
            at: Instant::now(),
            tty: app.count(),
            down: proxies.iter().map(Proxy::down).sum(),
            requests: proxies.iter().map(|proxy| proxy.requests().len()).sum(),
            cpu: cpu(app.pid()),
        }
    }

    /// From then to now.
    pub fn since(&self, app: &Pty, proxies: &[Proxy]) -> Share {
        let (now, span) = (Self::now(app, proxies), self.at.elapsed().as_secs_f64());
        Share {
            tty: now.tty - self.tty,
            tty_bps: (now.tty - self.tty) as f64 / span,
            down_bps: (now.down - self.down) as f64 / span,
            requests: now.requests - self.requests,
            requests_ps: (now.requests - self.requests) as f64 / span,
            cpu: (now.cpu - self.cpu) * 100.0 / span,
        }
    }
}
