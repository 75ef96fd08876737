//! The program at the other end of a slow link: a round trip of 80 ms and 64 kbit/s. How much longer than the link itself a
//! key takes while everything changes, and how many bytes come before its answer.

use super::engine::Engine;
use super::fleet::Fleet;
use super::keys::{cursor, press};
use super::logs;
use super::measure::{Answer, Used, percentile};
use super::pty::{Link, Pty};
use std::thread::sleep;
use std::time::Duration;

const LINK: Link = Link { delay: Duration::from_millis(40), rate: 8_000 };
/// Changes of pods a second.
const CHANGES: u32 = 100;
/// Keys pressed in a list, and in a log.
const KEYS: usize = 60;
const TOGGLES: usize = 40;
/// Bytes a second of the log.
const LOG: u64 = 1_000_000;

/// A list in which nothing and everything changes (`REPLAY` says how long it is), then a log that flows.
pub fn run() -> Answer {
    let mut answer = Answer::default();
    list(&mut answer);
    log(&mut answer);
    answer
}

fn list(answer: &mut Answer) {
    let fleet = Fleet::open();
    let mut app = fleet.start(Some(LINK));
    fleet.loaded(&mut app);
    answer.count("pods", fleet.pods);
    for (name, rate) in [("quiet", 0), ("busy", CHANGES)] {
        fleet.change(rate);
        sleep(Duration::from_secs(5));
        let before = Used::now(&app, &fleet.proxies);
        sleep(Duration::from_secs(10));
        answer.number(&format!("{name}_tty_bps"), before.since(&app, &fleet.proxies).tty_bps);
        let pressed = (0..KEYS).map(|n| {
            sleep(pause(200, n));
            let row = cursor(&app);
            press(&mut app, if n % 40 < 20 { "j" } else { "k" }, Duration::from_secs(20), |app| cursor(app) != row)
        });
        say(answer, name, pressed.collect());
    }
    fleet.change(0);
    end(app, answer, "busy");
}

fn log(answer: &mut Answer) {
    let engine = Engine::start(1, LOG);
    let home = tempfile::tempdir().unwrap();
    let mut app = logs::start(&engine, home.path(), Some(LINK));
    logs::follow(&mut app);
    sleep(Duration::from_secs(10));
    let before = Used::now(&app, &[]);
    sleep(Duration::from_secs(30));
    answer.number("log_tty_bps", before.since(&app, &[]).tty_bps);
    let pressed = (0..TOGGLES).map(|n| {
        sleep(pause(1_000, n));
        logs::toggle(&mut app, n)
    });
    say(answer, "log", pressed.collect());
    // held, so that the picture stays
    logs::toggle(&mut app, TOGGLES);
    engine.stop();
    end(app, answer, "log");
}

/// Never in step with frames.
fn pause(least: u64, n: usize) -> Duration {
    Duration::from_millis(least + 53 * (n as u64 % 11))
}

fn say(answer: &mut Answer, name: &str, pressed: Vec<(f64, usize)>) {
    let (mut waits, mut bytes): (Vec<f64>, Vec<usize>) = pressed.into_iter().unzip();
    waits.iter_mut().for_each(|wait| *wait -= LINK.delay.as_secs_f64() * 2e3);
    waits.sort_by(f64::total_cmp);
    bytes.sort_unstable();
    for percent in [50, 90, 99] {
        answer.number(&format!("{name}_key_p{percent}_ms_above_link"), percentile(&waits, percent));
        answer.count(&format!("{name}_key_p{percent}_bytes"), percentile(&bytes, percent));
    }
}

/// Whether the screen is what the program draws anew, once nothing changes any more.
fn end(mut app: Pty, answer: &mut Answer, name: &str) {
    app.wait_quiet(Duration::from_secs(5), Duration::from_secs(60));
    let shown = app.screen();
    app.send("\x0c");
    sleep(Duration::from_millis(500));
    app.wait_quiet(Duration::from_secs(3), Duration::from_secs(60));
    let screen = app.screen();
    // the clock in the first row goes on
    let differ = |(n, (before, after)): (usize, (&str, &str))| (n > 0 && before != after).then(|| format!("{before} → {after}"));
    let differs: Vec<String> = shown.lines().zip(screen.lines()).enumerate().filter_map(differ).collect();
    answer.say(&format!("{name}_picture_right_in_the_end"), differs.is_empty());
    answer.say(&format!("{name}_picture_differs"), differs.into_iter().next());
    app.send("\x03");
    app.end(Duration::from_secs(20));
}
