//! What the program costs on a cluster, as its terminal, the kernel and the server see it; one JSON object.
//!
//! Run through `tests/bench/fleet`, which starts a real API server; `KUBECONFIG` names it. With `REPLAY` in the environment
//! (pods, nodes, deployments) a server of recorded answers stands for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::cast_possible_truncation)]

mod cluster;
mod proxy;
#[path = "../../it/pty.rs"]
mod pty;
mod replay;

use cluster::Cluster;
use proxy::Proxy;
use pty::Pty;
use replay::{Replay, Size};
use serde_json::{Map, Value, json};
use std::net::ToSocketAddrs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// How long the program is left alone.
const IDLE: Duration = Duration::from_secs(60);
/// How long it is watched under changes before keys are pressed.
const BUSY: Duration = Duration::from_secs(30);
/// Keys pressed in each phase.
const KEYS: usize = 80;

/// Processor time of a process so far, in seconds.
fn cpu(pid: u32) -> f64 {
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

/// The row the cursor is on.
fn cursor(app: &Pty) -> Option<usize> {
    app.screen().lines().position(|line| line.trim_start().starts_with('▸'))
}

/// Presses keys and waits for the answer of each: milliseconds until the cursor has moved, and bytes, both sorted.
fn keys(app: &mut Pty) -> (Vec<f64>, Vec<usize>) {
    let (mut waits, mut costs) = (Vec::new(), Vec::new());
    for n in 0..KEYS {
        app.wait_quiet(Duration::from_millis(60), Duration::from_millis(200));
        let (before, row) = (app.count(), cursor(app));
        let pressed = Instant::now();
        app.send(if n % 40 < 20 { "j" } else { "k" });
        let mut seen = before;
        // the screen is read only when something came: reading it takes processor time, too
        while pressed.elapsed() < Duration::from_secs(2) {
            let now = app.count();
            if now != std::mem::replace(&mut seen, now) && cursor(app) != row {
                break;
            }
            sleep(Duration::from_micros(100));
        }
        waits.push(pressed.elapsed().as_secs_f64() * 1_000.0);
        costs.push(app.count() - before);
    }
    waits.sort_by(f64::total_cmp);
    costs.sort_unstable();
    (waits, costs)
}

/// The value that `percent` of all are not above.
fn percentile<T: Copy>(sorted: &[T], percent: usize) -> T {
    sorted[(sorted.len() * percent).div_ceil(100).saturating_sub(1)]
}

/// `10,000`, as the screen writes it.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let head = digits.len() % 3;
    let groups = digits.as_bytes()[head..].chunks(3).map(|group| std::str::from_utf8(group).unwrap());
    std::iter::once(&digits[..head]).chain(groups).filter(|group| !group.is_empty()).collect::<Vec<_>>().join(",")
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn mb(kib: u64) -> f64 {
    round(kib as f64 * 1_024.0 / 1e6)
}

/// What the program has used so far.
struct Used {
    at: Instant,
    tty: usize,
    down: u64,
    cpu: f64,
}

impl Used {
    fn now(app: &Pty, proxy: &Proxy) -> Self {
        Self { at: Instant::now(), tty: app.count(), down: proxy.down(), cpu: cpu(app.pid()) }
    }

    /// Bytes to the terminal, bytes a second from the server, percent of a processor, since then.
    fn since(&self, app: &Pty, proxy: &Proxy) -> (usize, f64, f64) {
        let (now, span) = (Self::now(app, proxy), self.at.elapsed().as_secs_f64());
        let share = |before: f64, now: f64| round((now - before) / span);
        (now.tty - self.tty, share(self.down as f64, now.down as f64), share(self.cpu * 100.0, now.cpu * 100.0))
    }
}

/// A cluster of recorded answers, and a kubeconfig for it.
fn replayed(home: &Path) -> Option<(Replay, String)> {
    let size = std::env::var("REPLAY").ok()?;
    let size: Vec<u32> = size.split(',').map(|n| n.parse().expect("REPLAY is pods,nodes,deployments")).collect();
    let replay = Replay::start(Size { pods: size[0], nodes: size[1], deployments: size[2] });
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: replay\nclusters: [{{name: replay, cluster: {{server: 'http://{}'}}}}]\n\
         contexts: [{{name: replay, context: {{cluster: replay, user: me}}}}]\nusers: [{{name: me, user: {{token: t}}}}]\n",
        replay.address
    );
    let file = home.join("replay");
    std::fs::write(&file, text).unwrap();
    Some((replay, file.to_str().unwrap().to_owned()))
}

fn main() {
    let home = tempfile::tempdir().unwrap();
    let replayed = replayed(home.path());
    let config = match &replayed {
        Some((_, config)) => config.clone(),
        None => std::env::var("KUBECONFIG").expect("KUBECONFIG is not set: run tests/bench/fleet"),
    };
    let cluster = Arc::new(Cluster::open(&config));
    let (host, port) = (cluster.url.host().unwrap(), cluster.url.port_u16().unwrap());
    let pods = Arc::new(cluster.pods());
    let (raw, raw_bytes) = [cluster.transfer(), cluster.transfer(), cluster.transfer()].into_iter().min().unwrap();

    let proxy = Proxy::start((host, port).to_socket_addrs().unwrap().next().unwrap());
    let file = home.path().join("kubeconfig");
    let text = std::fs::read_to_string(&config).unwrap().replace(&format!(":{port}"), &format!(":{}", proxy.address.port()));
    std::fs::write(&file, text).unwrap();
    let env = [("HOME", home.path().to_str().unwrap()), ("KUBECONFIG", file.to_str().unwrap()), ("COLORTERM", "truecolor")];
    let mut app = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (200, 50), &[], &env);
    let (pid, over, peak) = (app.pid(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (stop, most) = (Arc::clone(&over), Arc::clone(&peak));
    let watcher = thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            most.fetch_max(resident(pid), Ordering::Relaxed);
            sleep(Duration::from_millis(10));
        }
    });
    app.wait_for("fleet", Duration::from_secs(10));
    app.send("5");
    let all = format!("tasks · {} ", grouped(pods.len()));
    app.wait("all tasks", Duration::from_secs(180), |screen| screen.contains(&all));
    let rows = app.since_start();
    let (loaded, loaded_cpu) = (proxy.down(), cpu(pid));
    sleep(Duration::from_secs(10));
    over.store(true, Ordering::Relaxed);
    watcher.join().unwrap();

    let mut answer = Map::new();
    let mut say = |key: &str, value: Value| drop(answer.insert(key.to_owned(), value));
    say("pods", json!(pods.len()));
    say("first_paint_ms", json!(round(app.first_byte().as_secs_f64() * 1e3)));
    say("rows_ms", json!(round(rows.as_secs_f64() * 1e3)));
    say("raw_ms", json!(round(raw.as_secs_f64() * 1e3)));
    say("raw_mb", json!(round(raw_bytes as f64 / 1e6)));
    say("load_mb", json!(round(loaded as f64 / 1e6)));
    say("load_cpu_ms", json!(round(loaded_cpu * 1e3)));
    say("rss_peak_mb", json!(mb(peak.load(Ordering::Relaxed))));

    let before = Used::now(&app, &proxy);
    sleep(IDLE);
    let (tty, api, busy) = before.since(&app, &proxy);
    say("rss_mb", json!(mb(app.resident())));
    say("tty_idle_bytes", json!(tty));
    say("api_idle_bps", json!(api));
    say("cpu_idle_pct", json!(busy));
    let (waits, costs) = keys(&mut app);
    say("key_p50_ms", json!(round(percentile(&waits, 50))));
    say("key_p99_ms", json!(round(percentile(&waits, 99))));
    say("tty_key_bytes", json!(percentile(&costs, 50)));

    // more than a real API server beside us can take is asked of recorded answers only
    let rates: &[(u32, &str)] = if replayed.is_some() { &[(100, "churn"), (5_000, "storm")] } else { &[(100, "churn")] };
    for (rate, name) in rates {
        let writer = match &replayed {
            Some((replay, _)) => {
                replay.rate.store(*rate, Ordering::Relaxed);
                None
            }
            None => {
                let (writer, list, until, rate) = (Arc::clone(&cluster), Arc::clone(&pods), Instant::now() + BUSY * 2, *rate);
                Some(thread::spawn(move || writer.churn(&list, rate, until)))
            }
        };
        sleep(Duration::from_secs(3));
        let written = || replayed.as_ref().map_or(0, |(replay, _)| replay.sent.load(Ordering::Relaxed));
        let (before, from) = (Used::now(&app, &proxy), written());
        sleep(BUSY);
        let (tty, api, busy) = before.since(&app, &proxy);
        let mut told = round((written() - from) as f64 / BUSY.as_secs_f64());
        let (waits, _) = keys(&mut app);
        if let Some(writer) = writer {
            told = round(writer.join().unwrap() as f64 / (BUSY * 2).as_secs_f64());
        }
        say(&format!("{name}_per_s"), json!(told));
        say(&format!("cpu_{name}_pct"), json!(busy));
        say(if *name == "churn" { "tty_busy_bps" } else { "tty_storm_bps" }, json!(round(tty as f64 / BUSY.as_secs_f64())));
        say(&format!("api_{name}_bps"), json!(api));
        say(&format!("key_p50_{name}_ms"), json!(round(percentile(&waits, 50))));
        say(&format!("key_p99_{name}_ms"), json!(round(percentile(&waits, 99))));
        say(&format!("rss_{name}_mb"), json!(mb(app.resident())));
    }
    if let Some((replay, _)) = &replayed {
        replay.rate.store(0, Ordering::Relaxed);
    }
    // a letter typed into the filter: until the count of what matches stands there
    app.send("/");
    sleep(Duration::from_millis(300));
    let mut typed = Vec::new();
    for letter in "crowd-17-7".chars() {
        app.wait_quiet(Duration::from_millis(60), Duration::from_millis(500));
        let (before, at) = (app.count(), Instant::now());
        app.send(&letter.to_string());
        while app.count() == before && at.elapsed() < Duration::from_secs(2) {
            sleep(Duration::from_micros(100));
        }
        typed.push(at.elapsed().as_secs_f64() * 1_000.0);
    }
    typed.sort_by(f64::total_cmp);
    say("filter_p50_ms", json!(round(percentile(&typed, 50))));
    say("filter_max_ms", json!(round(percentile(&typed, 100))));
    say("connections", json!(proxy.counts.connections.load(Ordering::Relaxed)));
    println!("{:#}", Value::Object(answer));
    app.send("\x03");
    app.end(Duration::from_secs(5));
}
