//! What the program costs on a real API server, as its terminal, the kernel and the server see it; one JSON object.
//!
//! Run through `tests/bench/fleet`, which starts the cluster. `KUBECONFIG` names it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::cast_possible_truncation)]

mod cluster;
mod proxy;
#[path = "../../it/pty.rs"]
mod pty;

use cluster::Cluster;
use proxy::Proxy;
use pty::Pty;
use serde_json::json;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// How long the program is left alone, and how long it is watched under churn.
const WATCH: Duration = Duration::from_secs(60);
/// Changes a second under churn.
const RATE: u32 = 100;
/// Keys pressed in each phase.
const KEYS: usize = 100;

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

/// Presses keys and waits for the answer of each: milliseconds until the first byte, and bytes, both sorted.
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
        sleep(Duration::from_millis(40));
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

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn main() {
    let config = std::env::var("KUBECONFIG").expect("KUBECONFIG is not set: run tests/bench/fleet");
    let cluster = Arc::new(Cluster::open(&config));
    let (host, port) = (cluster.url.host().unwrap(), cluster.url.port_u16().unwrap());
    let pods = Arc::new(cluster.pods());
    let raws = [cluster.transfer(), cluster.transfer(), cluster.transfer()];
    let (raw, raw_bytes) = raws.into_iter().min().unwrap();

    let proxy = Proxy::start((host, port).to_socket_addrs().unwrap().next().unwrap());
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("kubeconfig");
    let text = std::fs::read_to_string(&config).unwrap().replace(&format!(":{port}"), &format!(":{}", proxy.address.port()));
    std::fs::write(&file, text).unwrap();
    let env = [("HOME", home.path().to_str().unwrap()), ("KUBECONFIG", file.to_str().unwrap()), ("COLORTERM", "truecolor")];
    let begun = Instant::now();
    let mut app = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (200, 50), &[], &env);
    let (pid, over, peak) = (app.pid(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (stop, most) = (Arc::clone(&over), Arc::clone(&peak));
    let watcher = thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            most.fetch_max(resident(pid), Ordering::Relaxed);
            sleep(Duration::from_millis(20));
        }
    });
    app.wait_for("fleet", Duration::from_secs(10));
    app.send("5");
    let all = format!("tasks · {} ", pods.len());
    app.wait("all tasks", Duration::from_secs(180), |screen| screen.contains(&all));
    let rows = begun.elapsed();
    let (loaded, loaded_cpu) = (proxy.down(), cpu(pid));
    sleep(Duration::from_secs(10));
    let peak_loading = peak.load(Ordering::Relaxed);

    let (bytes, down, time) = (app.count(), proxy.down(), cpu(pid));
    sleep(WATCH);
    let idle = WATCH.as_secs_f64();
    let (tty_idle, api_idle, cpu_idle) = (app.count() - bytes, (proxy.down() - down) as f64 / idle, (cpu(pid) - time) / idle);
    let steady = app.resident();
    let (waits, costs) = keys(&mut app);

    let until = Instant::now() + WATCH + Duration::from_secs(30);
    let (writer, list) = (Arc::clone(&cluster), Arc::clone(&pods));
    let churn = thread::spawn(move || writer.churn(&list, RATE, until));
    sleep(Duration::from_secs(5));
    let (bytes, down, time, at) = (app.count(), proxy.down(), cpu(pid), Instant::now());
    sleep(Duration::from_secs(40));
    let busy = at.elapsed().as_secs_f64();
    let (tty_busy, api_busy, cpu_busy) =
        ((app.count() - bytes) as f64 / busy, (proxy.down() - down) as f64 / busy, (cpu(pid) - time) / busy);
    let (waits_busy, _) = keys(&mut app);
    let written = churn.join().unwrap();
    over.store(true, Ordering::Relaxed);
    watcher.join().unwrap();
    let mb = |kib: u64| round(kib as f64 * 1_024.0 / 1e6);
    let answer = json!({
        "pods": pods.len(),
        "first_paint_ms": round(app.first_byte().as_secs_f64() * 1e3),
        "rows_ms": round(rows.as_secs_f64() * 1e3),
        "raw_ms": round(raw.as_secs_f64() * 1e3),
        "raw_mb": round(raw_bytes as f64 / 1e6),
        "load_mb": round(loaded as f64 / 1e6),
        "load_cpu_ms": round(loaded_cpu * 1e3),
        "connections": proxy.counts.connections.load(Ordering::Relaxed),
        "rss_mb": mb(steady),
        "rss_peak_mb": mb(peak_loading),
        "rss_churn_mb": mb(app.resident()),
        "cpu_idle_pct": round(cpu_idle * 100.0),
        "cpu_churn_pct": round(cpu_busy * 100.0),
        "churn_per_s": round(written as f64 / (WATCH.as_secs_f64() + 30.0)),
        "key_p50_ms": round(percentile(&waits, 50)),
        "key_p99_ms": round(percentile(&waits, 99)),
        "key_p50_churn_ms": round(percentile(&waits_busy, 50)),
        "key_p99_churn_ms": round(percentile(&waits_busy, 99)),
        "tty_idle_bytes": tty_idle,
        "tty_key_bytes": percentile(&costs, 50),
        "tty_busy_bps": round(tty_busy),
        "api_idle_bps": round(api_idle),
        "api_busy_bps": round(api_busy),
    });
    println!("{answer:#}");
    app.send("\x03");
    app.end(Duration::from_secs(5));
}
