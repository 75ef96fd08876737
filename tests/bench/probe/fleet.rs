//! Kubernetes clusters of a given size: what they cost to load, while nothing happens, and under changes.
//!
//! `KUBECONFIG` names a real API server. With `REPLAY` (pods, nodes, deployments) servers of recorded answers stand for it:
//! as many as `CLUSTERS` says, with its share of the pods each.

use super::cluster::Cluster;
use super::keys::{Keys, cursor, press};
use super::measure::{Answer, Used, cpu, grouped, mb, percentile};
use super::proxy::{Proxy, Upstream};
use super::pty::{Link, Pty};
use super::replay::{Replay, Size};
use serde_json::{Map, Value};
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long the program is left alone, and how long it is watched under changes before keys are pressed.
struct Spans {
    settle: Duration,
    idle: Duration,
    busy: Duration,
}

/// How often the load is timed; its figures are the median of these.
const LOADS: u64 = 5;

/// A minute each: within it the measurements come round once.
const WHOLE: Spans = Spans { settle: Duration::from_secs(10), idle: Duration::from_secs(60), busy: Duration::from_secs(60) };
const SHORT: Spans = Spans { settle: Duration::from_secs(5), idle: Duration::from_secs(15), busy: Duration::from_secs(0) };

/// Clusters behind relays, and the kubeconfig that leads there.
pub struct Fleet {
    home: TempDir,
    replays: Vec<Replay>,
    clusters: Vec<Arc<Cluster>>,
    pub proxies: Vec<Proxy>,
    pub pods: usize,
}

impl Fleet {
    /// The clusters of the environment.
    pub fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let replays = replays();
        let config = match replays.len() {
            0 => std::env::var("KUBECONFIG").expect("KUBECONFIG is not set: run tests/bench/fleet"),
            _ => kubeconfig(home.path(), &replays),
        };
        let clusters: Vec<_> = match replays.len() {
            0 => vec![Arc::new(Cluster::open(&config, None))],
            n => (0..n).map(|n| Arc::new(Cluster::open(&config, Some(&context(n))))).collect(),
        };
        let mut text = std::fs::read_to_string(&config).unwrap();
        let relay = |cluster: &Arc<Cluster>| {
            let (host, port) = (cluster.url.host().unwrap(), cluster.url.port_u16().unwrap());
            let proxy = Proxy::start(Upstream::Tcp((host, port).to_socket_addrs().unwrap().next().unwrap()));
            text = text.replace(&format!(":{port}"), &format!(":{}", proxy.address.port()));
            proxy
        };
        let proxies = clusters.iter().map(relay).collect();
        std::fs::write(home.path().join("kubeconfig"), text).unwrap();
        let pods = clusters.iter().map(|cluster| cluster.pods().len()).sum();
        Self { home, replays, clusters, proxies, pods }
    }

    /// The file that leads there.
    pub fn kubeconfig(&self) -> PathBuf {
        self.home.path().join("kubeconfig")
    }

    /// Starts the program on them, at the other end of a link if there is one.
    pub fn start(&self, link: Option<Link>) -> Pty {
        start(self.home.path(), link)
    }

    /// Waits until everything is there: all kinds of each cluster, as its details say, and the list of all tasks.
    pub fn loaded(&self, app: &mut Pty) {
        app.send("2");
        for left in (0..self.clusters.len()).rev() {
            app.wait("all kinds of a cluster", Duration::from_secs(180), read);
            if left > 0 {
                let row = cursor(app);
                press(app, "j", Duration::from_secs(5), |app| cursor(app) != row);
            }
        }
        app.send("5");
        let all = format!("tasks · {} ", grouped(self.pods));
        app.wait("all tasks", Duration::from_secs(180), |screen| screen.contains(&all));
    }

    /// Changes of pods a second from now on, where answers are recorded.
    pub fn change(&self, rate: u32) {
        for replay in &self.replays {
            replay.rate.store(rate / self.replays.len() as u32, Ordering::Relaxed);
        }
    }

    fn changed(&self) -> u64 {
        self.replays.iter().map(|replay| replay.sent.load(Ordering::Relaxed)).sum()
    }

    /// Reads all lists of all clusters: the time and the bytes.
    fn transfer(&self) -> (Duration, u64) {
        self.clusters.iter().map(|cluster| cluster.transfer()).fold((Duration::ZERO, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    /// Starts some times, by a probe that holds nothing: one that holds what a cluster has forks as long as that is big.
    fn starts(&self, answer: &mut Answer) {
        let mut probe = Command::new(std::env::current_exe().unwrap());
        let told = probe.arg("--bench").env("PROBE", "starts").env("HOME", self.home.path()).output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        answer.0.extend(serde_json::from_slice::<Map<String, Value>>(&told.stdout).unwrap());
    }

    /// Loads some times, and each time reads the same lists with nothing done to them: a server has work of its own, and
    /// what falls into one load says nothing of the next.
    fn loads(&self, answer: &mut Answer) {
        let (mut rows, mut raw, mut bytes) = (Vec::new(), Vec::new(), 0);
        for n in 0..LOADS {
            // so that they do not all meet what the server does every ten seconds
            sleep(Duration::from_millis(500 + 730 * n));
            let (took, read) = self.transfer();
            let mut app = self.start(None);
            self.loaded(&mut app);
            rows.push(app.since_start().as_secs_f64() * 1e3);
            raw.push(took.as_secs_f64() * 1e3);
            bytes = read;
            app.send("\x03");
            app.end(Duration::from_secs(5));
        }
        answer.spread("rows", rows);
        answer.spread("raw", raw);
        answer.number("raw_mb", bytes as f64 / 1e6);
    }
}

/// Starts the program in this home folder, which has a kubeconfig, at the other end of a link if there is one.
fn start(home: &Path, link: Option<Link>) -> Pty {
    let file = home.join("kubeconfig");
    let env = [("HOME", home.to_str().unwrap()), ("KUBECONFIG", file.to_str().unwrap()), ("COLORTERM", "truecolor")];
    let app = Pty::spawn_behind(link, env!("CARGO_BIN_EXE_quarterdeck"), (200, 50), &[], &env);
    app.wait_for("fleet", Duration::from_secs(20));
    app
}

/// How long it takes from the start to the first byte, in the home folder of the environment.
pub fn starts() -> Answer {
    let home = std::env::var("HOME").unwrap();
    let mut first = Vec::new();
    for _ in 0..LOADS {
        sleep(Duration::from_secs(1));
        let mut app = start(Path::new(&home), None);
        first.push(app.first_byte().as_secs_f64() * 1e3);
        app.send("\x03");
        app.end(Duration::from_secs(5));
    }
    let mut answer = Answer::default();
    answer.spread("first_paint", first);
    answer
}

/// Whether the details of a cluster say that all of it was read.
pub fn read(screen: &str) -> bool {
    let missing = ["connecting", "not listed yet", "loading", "still being read"];
    screen.contains("state    live") && !missing.iter().any(|words| screen.contains(words))
}

fn replays() -> Vec<Replay> {
    let Ok(size) = std::env::var("REPLAY") else { return Vec::new() };
    let size: Vec<u32> = size.split(',').map(|n| n.parse().expect("REPLAY is pods,nodes,deployments")).collect();
    let clusters: u32 = std::env::var("CLUSTERS").map_or(1, |n| n.parse().expect("CLUSTERS is a number"));
    let share = |of: u32| (of / clusters).max(1);
    let size = Size { pods: share(size[0]), nodes: share(size[1]), deployments: share(size[2]) };
    (0..clusters).map(|_| Replay::start(size)).collect()
}

/// Name of a cluster of recorded answers.
fn context(n: usize) -> String {
    format!("replay-{n}")
}

fn kubeconfig(home: &Path, replays: &[Replay]) -> String {
    let all = |row: &dyn Fn(usize, &Replay) -> String| {
        let rows: Vec<String> = replays.iter().enumerate().map(|(n, replay)| row(n, replay)).collect();
        rows.join(", ")
    };
    let clusters = all(&|n, replay| format!("{{name: {}, cluster: {{server: 'http://{}'}}}}", context(n), replay.address));
    let contexts = all(&|n, _| format!("{{name: {0}, context: {{cluster: {0}, user: me}}}}", context(n)));
    let file = home.join("replay");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {}\nclusters: [{clusters}]\ncontexts: [{contexts}]\n\
         users: [{{name: me, user: {{token: t}}}}]\n",
        context(0)
    );
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// All phases.
pub fn run() -> Answer {
    let fleet = Fleet::open();
    let mut answer = Answer::default();
    let mut app = load(&fleet, &mut answer, &WHOLE);
    filter(&fleet, &mut app, &mut answer, "");
    // more than a real API server beside us can take is asked of recorded answers only
    let rates: &[(u32, &str)] = if fleet.replays.is_empty() { &[(100, "churn")] } else { &[(100, "churn"), (5_000, "storm")] };
    for (rate, name) in rates {
        busy(&fleet, &mut app, &mut answer, *rate, name);
    }
    let connections = |proxy: &Proxy| proxy.counts.connections.load(Ordering::Relaxed);
    answer.count("connections", fleet.proxies.iter().map(connections).sum::<u64>() as usize);
    app.send("\x03");
    app.end(Duration::from_secs(5));
    answer
}

/// Only what shows how the cost grows: loading, nothing, keys.
pub fn grown() -> Answer {
    let fleet = Fleet::open();
    let mut answer = Answer::default();
    answer.count("clusters", fleet.clusters.len());
    let mut app = load(&fleet, &mut answer, &SHORT);
    app.send("\x03");
    app.end(Duration::from_secs(5));
    answer
}

fn load(fleet: &Fleet, answer: &mut Answer, spans: &Spans) -> Pty {
    fleet.starts(answer);
    fleet.loads(answer);
    let before: u64 = fleet.proxies.iter().map(Proxy::down).sum();
    let mut app = fleet.start(None);
    fleet.loaded(&mut app);
    let down: u64 = fleet.proxies.iter().map(Proxy::down).sum();
    let spent = cpu(app.pid());
    sleep(spans.settle);
    answer.count("pods", fleet.pods);
    answer.number("load_mb", (down - before) as f64 / 1e6);
    answer.number("load_cpu_ms", spent * 1e3);
    answer.number("rss_peak_mb", mb(app.resident_at_most()));

    let (before, from) = (Used::now(&app, &fleet.proxies), app.count());
    sleep(spans.idle);
    let idle = before.since(&app, &fleet.proxies);
    let written = app.bytes(from).escape_ascii().to_string();
    answer.number("rss_mb", mb(app.resident()));
    answer.count("tty_idle_bytes", idle.tty);
    answer.say("tty_idle_text", written.chars().take(300).collect::<String>());
    answer.number("api_idle_bps", idle.down_bps);
    answer.number("api_idle_bps_per_cluster", idle.down_bps / fleet.proxies.len() as f64);
    answer.number("api_idle_requests_per_s_per_cluster", idle.requests_ps / fleet.proxies.len() as f64);
    answer.number("cpu_idle_pct", idle.cpu);
    Keys::of(&mut app).tell("", answer);
    Keys::echoed().tell_echo("", answer);
    app
}

/// So many changes a second.
fn busy(fleet: &Fleet, app: &mut Pty, answer: &mut Answer, rate: u32, name: &str) {
    let (span, began, over) = (WHOLE.busy, Instant::now(), Arc::new(AtomicBool::new(false)));
    let writer = fleet.replays.is_empty().then(|| {
        let (writer, over) = (Arc::clone(&fleet.clusters[0]), Arc::clone(&over));
        thread::spawn(move || writer.churn(&writer.pods(), rate, &over))
    });
    fleet.change(rate);
    sleep(Duration::from_secs(3));
    let (before, from) = (Used::now(app, &fleet.proxies), fleet.changed());
    sleep(span);
    let used = before.since(app, &fleet.proxies);
    let mut told = (fleet.changed() - from) as f64 / span.as_secs_f64();
    let (keys, echoes) = (Keys::of(app), Keys::echoed());
    filter(fleet, app, answer, &format!("_{name}"));
    over.store(true, Ordering::Relaxed);
    if let Some(writer) = writer {
        told = writer.join().unwrap() as f64 / began.elapsed().as_secs_f64();
    }
    answer.number(&format!("{name}_per_s"), told);
    answer.number(&format!("cpu_{name}_pct"), used.cpu);
    answer.number(if name == "churn" { "tty_busy_bps" } else { "tty_storm_bps" }, used.tty_bps);
    answer.number(&format!("api_{name}_bps"), used.down_bps);
    keys.tell(&format!("_{name}"), answer);
    echoes.tell_echo(&format!("_{name}"), answer);
    answer.number(&format!("rss_{name}_mb"), mb(app.resident()));
}

/// Letters typed into the filter, until something is drawn for each. All rows are shown again afterwards.
fn filter(fleet: &Fleet, app: &mut Pty, answer: &mut Answer, name: &str) {
    let word = if fleet.replays.is_empty() { "crowd-17-7" } else { "crowd-0017-7" };
    app.send("/");
    sleep(Duration::from_millis(300));
    let mut typed = Vec::new();
    for letter in word.chars() {
        app.wait_quiet(Duration::from_millis(60), Duration::from_millis(500));
        typed.push(press(app, &letter.to_string(), Duration::from_secs(2), |_| true).0);
    }
    app.send("\x15\r");
    app.wait_quiet(Duration::from_millis(300), Duration::from_secs(2));
    answer.say(&format!("filter{name}_ms"), typed.iter().map(|took| format!("{took:.1}")).collect::<Vec<_>>().join(" "));
    typed.sort_by(f64::total_cmp);
    answer.number(&format!("filter_p50{name}_ms"), percentile(&typed, 50));
    answer.number(&format!("filter_max{name}_ms"), percentile(&typed, 100));
}
