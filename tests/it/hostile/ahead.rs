//! Keys typed ahead: a paste into a terminal that does not mark pastes is typed, too.

use super::platform::{Held, Platform, container};
use crate::pty::Pty;
use std::time::Duration;

const SECONDS: Duration = Duration::from_secs(20);

#[test]
fn what_comes_in_one_piece_with_the_key_that_opens_a_dialog_does_not_answer_it() {
    let platform = Platform::start(Held { containers: vec![container(1, "web", "running")], ..Held::default() });
    let home = tempfile::tempdir().unwrap();
    let host = platform.host();
    let env = [("HOME", home.path().to_str().unwrap()), ("DOCKER_HOST", &host)];
    let mut pty = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (120, 40), &[], &env);
    pty.wait("the container", SECONDS, |screen| screen.contains("1 live"));
    pty.send("5");
    pty.wait_for("tasks ·", SECONDS);
    // longer than what one turn takes, too
    for keys in ["Xy".to_owned(), format!("X{}", "y".repeat(300))] {
        pty.send(&keys);
        pty.wait_for("were dropped", SECONDS);
        pty.wait_quiet(Duration::from_millis(200), SECONDS);
        assert_eq!(platform.changes(), [""; 0], "{}", pty.screen());
        pty.send("\x1b");
        pty.wait("the dialog to close", SECONDS, |screen| !screen.contains("to go on"));
        pty.wait_quiet(Duration::from_millis(200), SECONDS);
    }
    pty.send("X");
    pty.wait_for("to go on", SECONDS);
    pty.send("y");
    let end = std::time::Instant::now() + SECONDS;
    while platform.changes().is_empty() {
        assert!(std::time::Instant::now() < end, "what was on screen can be answered\n{}", pty.screen());
        std::thread::sleep(Duration::from_millis(10));
    }
    pty.send("\x1b\x03");
    pty.end(SECONDS);
}
