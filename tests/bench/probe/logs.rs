//! A log that is written faster than anybody reads: what following it costs, and how long keys take meanwhile.

use super::engine::Engine;
use super::keys::press;
use super::measure::{Answer, Used, mb, percentile};
use super::pty::{Link, Pty};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Bytes a second.
const RATE: u64 = 50_000_000;
/// How long it is followed before keys are pressed.
const FOLLOW: Duration = Duration::from_secs(30);
/// Keys pressed.
const KEYS: usize = 100;

/// One view of one container, then one view of a hundred.
pub fn run() -> Answer {
    let mut answer = Answer::default();
    one(&mut answer, "one", 1);
    one(&mut answer, "many", 100);
    answer
}

/// The program on an engine, with the cursor on the service whose containers write, at the other end of a link if there is one.
pub fn start(engine: &Engine, home: &Path, link: Option<Link>) -> Pty {
    let host = format!("tcp://{}", engine.address);
    let env = [("HOME", home.to_str().unwrap()), ("DOCKER_HOST", &host), ("COLORTERM", "truecolor")];
    let mut app = Pty::spawn_behind(link, env!("CARGO_BIN_EXE_quarterdeck"), (200, 50), &[], &env);
    app.wait_for("fleet", Duration::from_secs(20));
    app.send("4");
    app.wait("the service", Duration::from_secs(20), |screen| {
        screen.lines().any(|line| line.contains('▸') && line.contains("yes"))
    });
    app
}

/// Opens the log.
pub fn follow(app: &mut Pty) {
    app.send("l");
    app.wait("lines", Duration::from_secs(20), |screen| screen.contains("following") && screen.contains("id="));
}

/// Holds the log or follows it again, `n` counting on: how long that takes in milliseconds, and bytes until then.
pub fn toggle(app: &mut Pty, n: usize) -> (f64, usize) {
    let word = if n.is_multiple_of(2) { "holding" } else { "following" };
    press(app, "f", Duration::from_secs(20), |app| app.screen().contains(word))
}

fn one(answer: &mut Answer, name: &str, containers: u32) {
    let engine = Engine::start(containers, RATE);
    let home = tempfile::tempdir().unwrap();
    let mut app = start(&engine, home.path(), None);
    let quiet = mb(app.resident());
    follow(&mut app);
    sleep(Duration::from_secs(3));
    let (before, taken, from) = (Used::now(&app, &[]), engine.taken.load(Ordering::Relaxed), Instant::now());
    sleep(FOLLOW);
    let used = before.since(&app, &[]);
    let taken = (engine.taken.load(Ordering::Relaxed) - taken) as f64 / from.elapsed().as_secs_f64();
    let mut say = |key: &str, value: f64| answer.number(&format!("{name}_{key}"), value);
    say("taken_mb_per_s", taken / 1e6);
    say("cpu_pct", used.cpu);
    say("tty_bps", used.tty_bps);
    let mut waits = Vec::new();
    for n in 0..KEYS {
        sleep(Duration::from_millis(150 + 37 * (n as u64 % 7)));
        waits.push(toggle(&mut app, n).0);
    }
    waits.sort_by(f64::total_cmp);
    say("key_p50_ms", percentile(&waits, 50));
    say("key_p99_ms", percentile(&waits, 99));
    say("rss_before_mb", quiet);
    say("rss_mb", mb(app.resident()));
    say("rss_peak_mb", mb(app.resident_at_most()));
    let screen = app.screen();
    answer.say(
        &format!("{name}_title"),
        screen.lines().find(|line| line.contains("logs ·")).unwrap_or_default().trim_matches(['─', ' ']),
    );
    toggle(&mut app, 0);
    let gap = (0..120).find_map(|_| {
        let screen = app.screen();
        app.send("\x1b[5~");
        app.wait_quiet(Duration::from_millis(20), Duration::from_millis(200));
        screen.lines().find(|line| line.contains("dropped here")).map(|line| line.trim().to_owned())
    });
    answer.say(&format!("{name}_gap"), gap);
    app.send("\x03");
    app.end(Duration::from_secs(5));
}
