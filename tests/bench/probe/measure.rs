//! How a program is measured from outside: its processor time and memory, what it writes, and how long its keys take.

use super::proxy::Proxy;
use super::pty::Pty;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

/// Keys pressed in each phase.
const KEYS: usize = 200;

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

    /// What keys took and cost, the quickest first, and where the time of the slowest went.
    pub fn keys(&mut self, keys: &[Key], name: &str) {
        let waits: Vec<f64> = keys.iter().map(|key| key.wait).collect();
        self.number(&format!("key_p50{name}_ms"), percentile(&waits, 50));
        self.number(&format!("key_p99{name}_ms"), percentile(&waits, 99));
        self.say(&format!("key_slowest{name}"), keys.iter().rev().take(4).map(Key::words).collect::<Vec<_>>());
        let mut costs: Vec<usize> = keys.iter().map(|key| key.cost).collect();
        costs.sort_unstable();
        self.count(&format!("tty_key{name}_bytes"), percentile(&costs, 50));
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

/// Resident memory of a process in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The most memory a process has while it is watched.
pub struct Peak {
    over: Arc<AtomicBool>,
    most: Arc<AtomicU64>,
    watcher: JoinHandle<()>,
}

impl Peak {
    /// Watches from now on.
    pub fn watch(pid: u32) -> Self {
        let (over, most) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stop, peak) = (Arc::clone(&over), Arc::clone(&most));
        let watcher = thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                peak.fetch_max(resident(pid), Ordering::Relaxed);
                sleep(Duration::from_millis(10));
            }
        });
        Self { over, most, watcher }
    }

    /// The most so far, in megabytes.
    pub fn end(self) -> f64 {
        self.over.store(true, Ordering::Relaxed);
        self.watcher.join().unwrap();
        mb(self.most.load(Ordering::Relaxed))
    }
}

/// The row the cursor is on.
pub fn cursor(app: &Pty) -> Option<usize> {
    app.screen().lines().position(|line| line.trim_start().starts_with('▸'))
}

/// Presses a key and waits for what it does: milliseconds, and bytes to the terminal until then. What it does is looked
/// for only when something came: reading the screen takes processor time, too.
pub fn press(app: &mut Pty, key: &str, limit: Duration, done: impl Fn(&Pty) -> bool) -> (f64, usize) {
    let (before, pressed) = (app.count(), Instant::now());
    app.send(key);
    let mut seen = before;
    while pressed.elapsed() < limit {
        let now = app.count();
        if now != std::mem::replace(&mut seen, now) && done(app) {
            break;
        }
        sleep(Duration::from_micros(100));
    }
    (pressed.elapsed().as_secs_f64() * 1_000.0, app.count() - before)
}

/// Time of threads so far, in nanoseconds: on a processor, and ready to run without one (`schedstat`, the kernel's
/// Documentation/scheduler/sched-stats.rst).
#[derive(Clone, Copy, Default)]
struct Scheduled {
    run: u64,
    queue: u64,
}

impl Scheduled {
    /// Of the first thread of a process, and of those of this name.
    fn of(pid: u32, name: &str) -> Self {
        let mut all = Self::default();
        for thread in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten().map(|entry| entry.path()) {
            let read = |file: &str| std::fs::read_to_string(thread.join(file)).unwrap_or_default();
            if thread.ends_with(pid.to_string()) || read("comm").trim_end() == name {
                let times: Vec<u64> = read("schedstat").split_whitespace().map_while(|n| n.parse().ok()).collect();
                all.run += times.first().unwrap_or(&0);
                all.queue += times.get(1).unwrap_or(&0);
            }
        }
        all
    }

    fn since(self, before: Self) -> Self {
        Self { run: self.run - before.run, queue: self.queue - before.queue }
    }
}

/// One key and where its time went.
#[derive(Clone, Copy)]
pub struct Key {
    /// From the press to what it does on the screen, in milliseconds.
    wait: f64,
    /// Bytes to the terminal until then.
    cost: usize,
    /// The threads of the program that a key goes through.
    app: Scheduled,
    /// The threads of the probe that press it and read the screen.
    probe: Scheduled,
}

impl Key {
    /// What was waited for at the same time counts for each.
    fn words(&self) -> String {
        let ms = |nanoseconds: u64| nanoseconds as f64 / 1e6;
        let (run, queue, probe) = (ms(self.app.run), ms(self.app.queue), ms(self.probe.queue));
        format!("{:.1} (ran {run:.1}, without a processor {queue:.1}, the probe {probe:.1})", self.wait)
    }
}

/// Moves the cursor down and up and waits for it each time; the keys by what they took.
pub fn keys(app: &mut Pty) -> Vec<Key> {
    let pid = app.pid();
    let spent = || (Scheduled::of(pid, "keys"), Scheduled::of(std::process::id(), "terminal"));
    let mut keys: Vec<Key> = (0..KEYS)
        .map(|n| {
            app.wait_quiet(Duration::from_millis(60), Duration::from_millis(200));
            let row = cursor(app);
            let key = if n % 40 < 20 { "j" } else { "k" };
            let before = spent();
            let (wait, cost) = press(app, key, Duration::from_secs(2), |app| cursor(app) != row);
            let after = spent();
            Key { wait, cost, app: after.0.since(before.0), probe: after.1.since(before.1) }
        })
        .collect();
    keys.sort_by(|a, b| a.wait.total_cmp(&b.wait));
    keys
}

/// The same with a program that does nothing but give back what it reads: what the machine itself takes at the moment.
pub fn echoes() -> Vec<f64> {
    let mut app = Pty::spawn("/bin/sh", (200, 50), &["-c", "stty raw -echo; printf ready; exec cat"], &[]);
    app.wait_for("ready", Duration::from_secs(5));
    let mut waits = Vec::new();
    for _ in 0..KEYS {
        app.wait_quiet(Duration::from_millis(60), Duration::from_millis(200));
        waits.push(press(&mut app, "k", Duration::from_secs(2), |_| true).0);
    }
    app.signal("TERM");
    app.end(Duration::from_secs(5));
    waits.sort_by(f64::total_cmp);
    waits
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
