//! How long keys take from the press to what they do on the screen, and where the time of the slowest went.

use super::measure::{Answer, percentile};
use super::pace::Pace;
use super::pty::Pty;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Keys pressed in each phase.
const KEYS: usize = 500;
/// The thread that reads what comes to the terminal.
const READER: &str = "terminal";

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
    /// Of the threads of a process that a key goes through: the first, and those of this name.
    fn of(pid: u32, name: &str) -> Self {
        let mut all = Self::default();
        for thread in threads(pid, name) {
            let text = std::fs::read_to_string(format!("/proc/{pid}/task/{thread}/schedstat")).unwrap_or_default();
            let times: Vec<u64> = text.split_whitespace().map_while(|n| n.parse().ok()).collect();
            all.run += times.first().unwrap_or(&0);
            all.queue += times.get(1).unwrap_or(&0);
        }
        all
    }

    fn since(self, before: Self) -> Self {
        Self { run: self.run - before.run, queue: self.queue - before.queue }
    }
}

/// The first thread of a process, and those of this name.
fn threads(pid: u32, name: &str) -> Vec<u32> {
    let task = format!("/proc/{pid}/task");
    let all = std::fs::read_dir(&task).unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let named = |thread: u32| std::fs::read_to_string(Path::new(&task).join(format!("{thread}/comm"))).unwrap_or_default();
    all.filter(|thread| *thread == pid || named(*thread).trim_end() == name).collect()
}

/// While it lasts the terminal comes before all else that wants a processor, if the user may have it so: an operator's is
/// on another machine than the cluster. The program has to wait for its turn like everybody.
struct Ahead(Vec<u32>);

impl Ahead {
    fn take() -> Self {
        let mut threads = threads(std::process::id(), READER);
        // what is started meanwhile does not come first
        threads.retain(|thread| schedule(&["--fifo", "--reset-on-fork", "--pid", "1"], *thread));
        Self(threads)
    }

    fn is_taken(&self) -> bool {
        !self.0.is_empty()
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        for thread in &self.0 {
            // one whose program has ended is gone
            schedule(&["--other", "--pid", "0"], *thread);
        }
    }
}

/// Whether `chrt` (sched(7)) did it.
fn schedule(how: &[&str], thread: u32) -> bool {
    let told = Command::new("chrt").args(how).arg(thread.to_string()).stderr(Stdio::null()).status();
    told.is_ok_and(|status| status.success())
}

/// Until nothing has come to the terminal for a while, as between what somebody does.
fn rest(app: &mut Pty) {
    app.wait_quiet(Duration::from_millis(60), Duration::from_millis(200));
}

/// One key and where its time went.
struct Key {
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
    fn press(app: &mut Pty, key: &str, done: impl Fn(&Pty) -> bool) -> Self {
        let pid = app.pid();
        let spent = || (Scheduled::of(pid, "keys"), Scheduled::of(std::process::id(), READER));
        rest(app);
        let before = spent();
        let (wait, cost) = press(app, key, Duration::from_secs(2), done);
        let after = spent();
        Self { wait, cost, app: after.0.since(before.0), probe: after.1.since(before.1) }
    }

    /// What was waited for at the same time counts for each.
    fn words(&self) -> String {
        let ms = |nanoseconds: u64| nanoseconds as f64 / 1e6;
        let (run, queue, probe) = (ms(self.app.run), ms(self.app.queue), ms(self.probe.queue));
        format!("{:.1} (ran {run:.1}, without a processor {queue:.1}, the probe {probe:.1})", self.wait)
    }
}

/// Keys by what they took, the quickest first.
pub struct Keys {
    keys: Vec<Key>,
    /// Whether the terminal came before all else.
    ahead: bool,
    /// What the processor did between them.
    pace: Option<Pace>,
}

impl Keys {
    /// Moves the cursor down and up and waits for it each time; the pace of the processor is taken after each, and like a key
    /// after a rest: a processor that has just worked is another one.
    pub fn of(app: &mut Pty) -> Self {
        let (mut pace, ahead) = (Pace::new(), Ahead::take());
        let moved = |n: usize| {
            let row = cursor(app);
            let key = Key::press(app, if n % 40 < 20 { "j" } else { "k" }, |app| cursor(app) != row);
            rest(app);
            pace.take();
            key
        };
        let keys = (0..KEYS).map(moved).collect();
        Self { pace: Some(pace), ..Self::sorted(keys, &ahead) }
    }

    /// The same with a program that does nothing but give back what it reads: what the machine itself takes at the moment.
    pub fn echoed() -> Self {
        let mut app = Pty::spawn("/bin/sh", (200, 50), &["-c", "stty raw -echo; printf ready; exec cat"], &[]);
        app.wait_for("ready", Duration::from_secs(5));
        let ahead = Ahead::take();
        let keys = Self::sorted((0..KEYS).map(|_| Key::press(&mut app, "k", |_| true)).collect(), &ahead);
        app.signal("TERM");
        app.end(Duration::from_secs(5));
        keys
    }

    fn sorted(mut keys: Vec<Key>, ahead: &Ahead) -> Self {
        keys.sort_by(|a, b| a.wait.total_cmp(&b.wait));
        Self { keys, ahead: ahead.is_taken(), pace: None }
    }

    /// Says what they took and cost.
    pub fn tell(&self, name: &str, answer: &mut Answer) {
        self.tell_waits("key", name, answer);
        let mut costs: Vec<usize> = self.keys.iter().map(|key| key.cost).collect();
        costs.sort_unstable();
        answer.count(&format!("tty_key{name}_bytes"), percentile(&costs, 50));
        answer.say("terminal_ahead", self.ahead);
        if let Some(pace) = &self.pace {
            pace.tell(name, answer);
        }
    }

    /// Says how long what was given back took, as [`Keys::tell`] does.
    pub fn tell_echo(&self, name: &str, answer: &mut Answer) {
        self.tell_waits("echo", name, answer);
    }

    fn tell_waits(&self, of: &str, name: &str, answer: &mut Answer) {
        let each = |time: fn(&Key) -> f64| self.keys.iter().map(time).collect();
        answer.times(of, name, each(|key| key.wait));
        // what the pace can be compared with
        answer.times(&format!("{of}_ran"), name, each(|key| key.app.run as f64 / 1e6));
        let slowest: Vec<String> = self.keys.iter().rev().take(4).map(Key::words).collect();
        answer.say(&format!("{of}_slowest{name}"), slowest);
    }
}
