//! The program in a terminal: what it does to it, and that it always gives it back.

use super::pty::Pty;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SECONDS: Duration = Duration::from_secs(10);

/// A shell that starts the demo and says how it ended, so that there is someone to give the terminal back to.
struct Shelled {
    pty: Pty,
    home: TempDir,
    before: String,
}

fn demo(size: (u16, u16)) -> (Pty, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let pty = Pty::quarterdeck(size, &["--demo"], home.path());
    pty.wait("the demo to be live", SECONDS, |screen| screen.contains("3 live") || screen.contains("2 live"));
    (pty, home)
}

/// The demo, with extra arguments, as a job of an interactive shell.
fn shelled(more: &str) -> Shelled {
    let home = tempfile::tempdir().unwrap();
    let env = [("HOME", home.path().to_str().unwrap()), ("PS1", "$ "), ("ENV", "")];
    let mut pty = Pty::spawn("bash", (100, 30), &["--norc", "--noprofile", "--noediting", "-i"], &env);
    pty.send("PS1='ready> '; echo\n");
    pty.wait("a prompt", SECONDS, |screen| screen.trim_end().ends_with("ready>"));
    let before = settings(&mut pty, &home, "before");
    pty.send(&format!(
        "{} --demo {more} & echo $! > $HOME/pid; fg > /dev/null; echo ended $?\n",
        env!("CARGO_BIN_EXE_quarterdeck")
    ));
    Shelled { pty, home, before }
}

/// The terminal's settings as a command of the shell finds them.
fn settings(pty: &mut Pty, home: &TempDir, name: &str) -> String {
    pty.send(&format!("stty -g > $HOME/{name}.new; mv $HOME/{name}.new $HOME/{name}\n"));
    let file = home.path().join(name);
    let end = Instant::now() + SECONDS;
    while !file.exists() {
        assert!(Instant::now() < end, "the shell does not answer; the screen is\n{}", pty.screen());
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::read_to_string(file).unwrap()
}

impl Shelled {
    /// The process of the program itself.
    fn pid(&self) -> String {
        std::fs::read_to_string(self.home.path().join("pid")).unwrap().trim().to_owned()
    }

    fn signal(&self, name: &str) {
        assert!(std::process::Command::new("kill").args([&format!("-{name}"), &self.pid()]).status().unwrap().success());
    }

    fn live(&self) {
        self.pty.wait("the demo to be live", SECONDS, |screen| screen.contains("3 live") || screen.contains("2 live"));
    }

    /// The shell has the terminal again, as it was.
    fn given_back(&mut self, code: i32) {
        self.pty.wait_for(&format!("ended {code}"), SECONDS);
        assert!(!self.pty.alternate(), "the alternate screen is still on");
        // an interactive shell sets its own modes with a prompt: what is compared is what a command finds
        assert_eq!(settings(&mut self.pty, &self.home, "after"), self.before);
        let bytes = self.pty.bytes(0);
        let last = |sequence: &str| {
            let at = bytes.windows(sequence.len()).rposition(|window| window == sequence.as_bytes());
            at.unwrap_or_else(|| panic!("{sequence:?} was never sent"))
        };
        for (on, off) in
            [("\x1b[?1049h", "\x1b[?1049l"), ("\x1b[?2004h", "\x1b[?2004l"), ("\x1b[?25l", "\x1b[?25h"), ("\x1b[?7l", "\x1b[?7h")]
        {
            assert!(last(off) > last(on), "{on:?} is still on");
        }
    }
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
        pty.wait_for("connecting", SECONDS);
    }
    println!("first frame after {fastest:?} (best of 5)");
}

#[test]
fn keys_go_to_panes_and_the_terminal_is_given_back() {
    let mut shell = shelled("");
    shell.live();
    shell.pty.send("4");
    shell.pty.wait_for("services ·", SECONDS);
    shell.pty.send("3");
    shell.pty.wait_for("nodes ·", SECONDS);
    shell.pty.send("\x03");
    shell.given_back(0);
}

#[test]
fn signals_give_the_terminal_back() {
    for (name, code) in [("TERM", 143), ("HUP", 129), ("INT", 130), ("QUIT", 131)] {
        let mut shell = shelled("");
        shell.live();
        shell.signal(name);
        shell.given_back(code);
    }
}

#[test]
fn a_panic_gives_the_terminal_back_and_says_where_the_report_is() {
    let mut shell = shelled("--break-off");
    shell.given_back(101);
    let screen = shell.pty.screen();
    assert!(screen.contains("broke off because of a mistake in itself"), "{screen}");
    let folder = shell.home.path().join(".local/state/quarterdeck");
    let report = std::fs::read_dir(folder).unwrap().flatten().find(|e| e.file_name().to_string_lossy().starts_with("panic-"));
    let text = std::fs::read_to_string(report.expect("a report").path()).unwrap();
    assert!(text.contains("asked for by --break-off"), "{text}");
}

#[test]
fn ctrl_z_stops_and_fg_draws_the_screen_anew() {
    let mut shell = shelled("");
    shell.live();
    shell.pty.send("\x1a");
    shell.pty.wait_for("Stopped", SECONDS);
    assert!(!shell.pty.alternate());
    assert_eq!(settings(&mut shell.pty, &shell.home, "stopped"), shell.before);
    shell.pty.send("fg > /dev/null; echo ended $?\n");
    shell.live();
    assert!(shell.pty.alternate());
    shell.pty.send("4");
    shell.pty.wait_for("services ·", SECONDS);
    shell.pty.send("\x03");
    shell.given_back(0);
}

/// The demo in a terminal that another process holds; that process is killed, which hangs the terminal up.
fn hung_up(first: &str) {
    let home = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_quarterdeck");
    let inside = format!("{first} echo $$ > $HOME/pid; exec {program} --demo");
    let env = [("HOME", home.path().to_str().unwrap()), ("SHELL", "/bin/sh")];
    let pty = Pty::spawn("script", (80, 24), &["-qc", &inside, "/dev/null"], &env);
    pty.wait("the demo to be live", SECONDS, |screen| screen.contains("3 live") || screen.contains("2 live"));
    let pid = std::fs::read_to_string(home.path().join("pid")).unwrap();
    let stat = format!("/proc/{}/stat", pid.trim());
    let runs = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    assert!(runs());
    pty.signal("KILL");
    let start = Instant::now();
    while runs() {
        assert!(start.elapsed() < Duration::from_secs(2), "it still runs {:?} after the hangup", start.elapsed());
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("ended {:?} after the hangup", start.elapsed());
}

#[test]
fn a_hangup_ends_the_program_within_two_seconds() {
    hung_up("");
}

#[test]
fn a_hangup_without_a_signal_ends_it_too() {
    hung_up("trap '' HUP;");
}

/// The row the cursor is on.
fn cursor(pty: &Pty) -> Option<usize> {
    pty.screen().lines().position(|line| line.trim_start().starts_with('▸'))
}

#[test]
fn figures() {
    let (mut pty, _home) = demo((200, 50));
    pty.send("4");
    pty.wait("the cursor among the services", SECONDS, |screen| screen.contains("▸  prod-eu     payments"));
    let (mut costs, mut latencies) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        pty.wait_quiet(Duration::from_millis(120), Duration::from_secs(3));
        let (before, row) = (pty.count(), cursor(&pty));
        let pressed = Instant::now();
        pty.send("j");
        pty.wait("the cursor to move", Duration::from_secs(2), |_| cursor(&pty) != row);
        latencies.push(pressed.elapsed());
        pty.wait_quiet(Duration::from_millis(30), Duration::from_millis(60));
        costs.push(pty.count() - before);
    }
    costs.sort_unstable();
    latencies.sort_unstable();
    println!("from key to screen: median {:?}, most {:?}", latencies[10], latencies[19]);
    println!("bytes for a cursor move at 200x50: median {}, most {}", costs[10], costs[19]);
    println!("resident: {} KiB", pty.resident());
    // a key must not wait for the next thing that happens anyway
    assert!(latencies[10] < Duration::from_millis(150), "{latencies:?}");

    let empty = tempfile::tempdir().unwrap();
    let config = empty.path().join("config.toml");
    std::fs::write(&config, "[discover]\nkubernetes = false\ndocker = false\n").unwrap();
    let idle = Pty::quarterdeck((200, 50), &["--config", config.to_str().unwrap()], empty.path());
    idle.wait_for("fleet", SECONDS);
    std::thread::sleep(Duration::from_millis(500));
    let before = idle.count();
    std::thread::sleep(Duration::from_secs(5));
    println!("bytes in 5 s idle: {}", idle.count() - before);
    assert_eq!(idle.count(), before, "an idle screen costs nothing");
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
