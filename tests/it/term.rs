//! The program in a terminal: what it does to it.

use super::pty::Pty;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SECONDS: Duration = Duration::from_secs(10);

fn demo(size: (u16, u16)) -> (Pty, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let pty = Pty::quarterdeck(size, &["--demo"], home.path());
    pty.wait("the demo to be live", SECONDS, |screen| screen.contains("3 live") || screen.contains("2 live"));
    (pty, home)
}

#[test]
fn the_first_frame_comes_before_any_cluster_has_answered() {
    let home = tempfile::tempdir().unwrap();
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let pty = Pty::quarterdeck((80, 24), &["--demo"], home.path());
        // the key row is the last of a frame
        while !pty.screen().contains("? help") {
            assert!(start.elapsed() < SECONDS, "no frame; the screen is\n{}", pty.screen());
            std::thread::sleep(Duration::from_millis(1));
        }
        fastest = fastest.min(start.elapsed());
        // in what was written, for by now a cluster may have answered
        let written = String::from_utf8_lossy(&pty.bytes(0)).into_owned();
        assert!(written.contains("connecting") || written.contains("looking for clusters"), "{written:?}");
    }
    println!("first frame after {fastest:?} (best of 5)");
}

#[test]
fn the_screen_is_drawn_anew_after_a_stop_that_nobody_can_catch() {
    let (mut pty, _home) = demo((100, 30));
    pty.signal("STOP");
    let end = Instant::now() + SECONDS;
    while pty.state() != 'T' {
        assert!(Instant::now() < end, "it does not stop");
        std::thread::sleep(Duration::from_millis(5));
    }
    let before = pty.count();
    pty.signal("CONT");
    pty.wait("the whole screen anew", SECONDS, |_| pty.bytes(before).windows(4).any(|window| window == b"\x1b[2J"));
    pty.send("4");
    pty.wait_for("services ·", SECONDS);
}

/// Asks for whole screens until far more is on its way than a terminal takes that nobody reads from.
pub fn stall(pty: &mut Pty) -> usize {
    pty.hold(true);
    let before = pty.count();
    for _ in 0..60 {
        pty.send("\x0c");
        std::thread::sleep(Duration::from_millis(20));
    }
    before
}

#[test]
fn a_terminal_that_takes_nothing_holds_up_no_key_and_is_right_again_when_it_does() {
    let (mut pty, _home) = demo((200, 50));
    pty.wait_quiet(Duration::from_millis(50), SECONDS);
    let whole = pty.count();
    pty.send("\x0c");
    pty.wait_quiet(Duration::from_millis(50), SECONDS);
    let whole = pty.count() - whole;
    let before = stall(&mut pty);
    pty.send("4");
    std::thread::sleep(Duration::from_millis(300));
    pty.hold(false);
    pty.wait_for("services ·", Duration::from_secs(2));
    pty.wait_quiet(Duration::from_millis(80), Duration::from_secs(2));
    let taken = pty.count() - before;
    println!("sixty whole screens of {whole} bytes asked for while the terminal took nothing: {taken} bytes went to it");
    assert!(taken < 30 * whole, "frames were kept for a terminal that did not take them: {taken} bytes");
    // drawn anew the screen is the same, unless something happened just then
    let same = (0..8).any(|_| {
        let shown = pty.screen();
        pty.send("\x0c");
        pty.wait_quiet(Duration::from_millis(40), Duration::from_secs(1));
        shown == pty.screen()
    });
    assert!(same, "the screen was not what the program drew:\n{}", pty.screen());
}

/// The row the cursor is on.
fn cursor(pty: &Pty) -> Option<usize> {
    pty.screen().lines().position(|line| line.trim_start().starts_with('▸'))
}

/// Moves the cursor `times` and prints what that costs: from the key to the cursor's new row, and in bytes to there and
/// until the details beside it have followed.
fn moves(pty: &mut Pty, times: usize) -> Duration {
    let (mut latencies, mut costs, mut details) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..times {
        pty.wait_quiet(Duration::from_millis(120), Duration::from_secs(3));
        let (before, row) = (pty.count(), cursor(pty));
        let pressed = Instant::now();
        pty.send("j");
        pty.wait("the cursor to move", Duration::from_secs(2), |_| cursor(pty) != row);
        latencies.push(pressed.elapsed());
        costs.push(pty.count() - before);
        pty.wait_quiet(Duration::from_millis(75), Duration::from_millis(150));
        details.push(pty.count() - before);
    }
    let sorted = |mut figures: Vec<usize>| {
        figures.sort_unstable();
        (figures[times / 2], figures[times - 1])
    };
    latencies.sort_unstable();
    println!("from key to screen: median {:?}, most {:?}", latencies[times / 2], latencies[times - 1]);
    println!("bytes for a cursor move at 200x50: median and most {:?}, with its details {:?}", sorted(costs), sorted(details));
    println!("resident: {} KiB", pty.resident());
    latencies[times / 2]
}

#[test]
fn figures() {
    let (mut pty, _home) = demo((200, 50));
    pty.send("4");
    pty.wait("the cursor among the services", SECONDS, |screen| screen.contains("▸  prod-eu     payments"));
    let latency = moves(&mut pty, 20);
    // a key must not wait for the next thing that happens anyway
    assert!(latency < Duration::from_millis(150), "{latency:?}");

    let empty = tempfile::tempdir().unwrap();
    let config = empty.path().join("config.toml");
    std::fs::write(&config, "[discover]\nkubernetes = false\ndocker = false\n").unwrap();
    let idle = Pty::quarterdeck((200, 50), &["--config", config.to_str().unwrap()], empty.path());
    idle.wait_for("fleet", SECONDS);
    let quiet = || {
        std::thread::sleep(Duration::from_millis(500));
        let (before, clock) = (idle.count(), idle.screen());
        std::thread::sleep(Duration::from_secs(5));
        // the clock in the first row is news
        (idle.screen().lines().next() == clock.lines().next()).then(|| idle.count() - before)
    };
    let bytes = quiet().or_else(quiet).unwrap();
    println!("bytes in 5 s idle: {bytes}");
    assert_eq!(bytes, 0, "an idle screen costs nothing");
}

#[test]
fn figures_of_a_large_fleet() {
    let home = tempfile::tempdir().unwrap();
    let mut pty = Pty::quarterdeck((200, 50), &["--demo", "--demo-size", "1000,500,10000"], home.path());
    pty.send("5");
    pty.wait("all tasks", Duration::from_secs(60), |screen| screen.contains("tasks · 10,0"));
    println!("10,000 tasks on 1,000 nodes are on screen after {:?}", pty.since_start());
    std::thread::sleep(Duration::from_secs(10));
    moves(&mut pty, 10);
}

#[test]
fn a_resize_is_drawn_and_too_small_says_so() {
    let (mut pty, _home) = demo((100, 30));
    pty.resize(30, 8);
    pty.wait_for("terminal too small", SECONDS);
    pty.resize(120, 40);
    pty.wait("the larger screen", SECONDS, |screen| screen.contains("live") && screen.lines().count() >= 40);
    pty.send("\x03");
    assert_eq!(pty.end(SECONDS), 0);
}

#[test]
fn a_terminal_that_places_no_cursor_gets_advice() {
    let home = tempfile::tempdir().unwrap();
    let env = [("HOME", home.path().to_str().unwrap()), ("TERM", "dumb")];
    let mut pty = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (100, 30), &["--demo"], &env);
    assert_eq!(pty.end(SECONDS), 2);
    assert!(pty.screen().contains("TERM=dumb") && pty.screen().contains("quarterdeck snapshot"), "{}", pty.screen());
    assert!(!pty.bytes(0).contains(&0x1b), "an escape sequence was sent");
}
