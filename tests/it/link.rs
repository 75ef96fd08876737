//! The program at the other end of a slow link.

#[path = "../bench/probe/engine.rs"]
#[allow(dead_code, reason = "the bench uses the rest")]
mod engine;

use super::pty::{Link, Pty};
use engine::Engine;
use std::thread::sleep;
use std::time::Duration;

const SECONDS: Duration = Duration::from_secs(20);

/// The screen without the time at the end of its first row, which goes on.
fn clock_apart(screen: &str) -> String {
    let (head, rest) = screen.split_once('\n').unwrap();
    let (head, clock) = head.rsplit_once(' ').unwrap();
    assert!(clock.len() == 5 && clock.as_bytes()[2] == b':', "{clock} is no time");
    format!("{head}\n{rest}")
}

#[test]
fn a_key_waits_for_one_frame_at_most_and_the_picture_is_right_in_the_end() {
    let engine = Engine::start(1, 1_000_000);
    let home = tempfile::tempdir().unwrap();
    let host = format!("tcp://{}", engine.address);
    let env = [("HOME", home.path().to_str().unwrap()), ("DOCKER_HOST", &host), ("COLORTERM", "truecolor")];
    let link = Link { delay: Duration::from_millis(40), rate: 8_000 };
    let mut pty = Pty::spawn_behind(Some(link), env!("CARGO_BIN_EXE_quarterdeck"), (200, 50), &[], &env);
    pty.wait_for("fleet", SECONDS);
    pty.send("4");
    pty.wait("the service", SECONDS, |screen| screen.lines().any(|line| line.contains('▸') && line.contains("yes")));
    // a log that changes the whole screen all the time
    pty.send("l");
    pty.wait("lines", SECONDS, |screen| screen.contains("following") && screen.contains("id="));
    // by then it has found out how slow the link is
    sleep(Duration::from_secs(8));
    let mut ahead: Vec<usize> = (0..11)
        .map(|n| {
            sleep(Duration::from_millis(900 + 97 * (n % 7)));
            let before = pty.count();
            pty.send("f");
            let effect = if n % 2 == 0 { "holding" } else { "following" };
            pty.until(effect, SECONDS, |screen| screen.contains(effect));
            pty.count() - before
        })
        .collect();
    engine.stop();
    pty.wait_quiet(Duration::from_secs(2), SECONDS);
    let (shown, before) = (pty.screen(), pty.count());
    pty.send("\x0c");
    sleep(Duration::from_secs(1));
    pty.wait_quiet(Duration::from_secs(2), SECONDS);
    let whole = pty.count() - before;
    assert_eq!(clock_apart(&shown), clock_apart(&pty.screen()), "the screen was not what the program drew");
    ahead.sort_unstable();
    let (median, most) = (ahead[ahead.len() / 2], ahead[ahead.len() - 1]);
    println!("bytes from a key to its effect: median {median}, most {most}; a whole screen is {whole}");
    // a frame that was on its way, one that was drawn while the key was, and its own
    assert!(most <= 3 * whole, "a key waited for {ahead:?} bytes, and a whole screen is {whole}");
}
