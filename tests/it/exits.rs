//! Every way out of the program gives the terminal back as it was, at any size.

use super::pty::Pty;
use super::term::stall;
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SECONDS: Duration = Duration::from_secs(20);

/// Too small to show anything, small, and large.
const SIZES: [(u16, u16); 3] = [(24, 6), (100, 30), (250, 70)];

/// A shell that starts the demo and says how it ended, so that there is someone to give the terminal back to.
struct Shelled {
    pty: Pty,
    home: TempDir,
    before: String,
}

/// Runs `with` at each size, side by side.
fn at_each_size(with: impl Fn((u16, u16)) + Sync) {
    let with = &with;
    thread::scope(|scope| SIZES.map(|size| scope.spawn(move || with(size))).map(|run| run.join().unwrap()));
}

/// The demo, with extra arguments, as a job of an interactive shell.
fn shelled(size: (u16, u16), more: &str) -> Shelled {
    let home = tempfile::tempdir().unwrap();
    let env = [("HOME", home.path().to_str().unwrap()), ("PS1", "$ "), ("ENV", "")];
    let mut pty = Pty::spawn("bash", size, &["--norc", "--noprofile", "--noediting", "-i"], &env);
    pty.send("PS1='ready> '; echo\n");
    pty.wait("a prompt", SECONDS, |screen| screen.trim_end().ends_with("ready>"));
    let before = settings(&mut pty, &home, "before");
    // short lines: on a narrow screen a long one would be read in pieces
    let run =
        format!("{} --demo {more} & echo $! > $HOME/pid; fg > /dev/null; echo $? > $HOME/code", env!("CARGO_BIN_EXE_quarterdeck"));
    std::fs::write(home.path().join("run"), run).unwrap();
    pty.send(". $HOME/run\n");
    Shelled { pty, home, before }
}

/// Waits until a command of the shell has written this file, and gives what it says.
fn written(pty: &Pty, home: &TempDir, name: &str) -> String {
    let file = home.path().join(name);
    let end = Instant::now() + SECONDS;
    while !std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n')) {
        assert!(Instant::now() < end, "there is no {name}; the screen is\n{}", pty.screen());
        thread::sleep(Duration::from_millis(5));
    }
    std::fs::read_to_string(file).unwrap().trim().to_owned()
}

/// The terminal's settings as a command of the shell finds them: every flag, speed and character.
fn settings(pty: &mut Pty, home: &TempDir, name: &str) -> String {
    pty.send(&format!("stty -g > $HOME/{name}\n"));
    written(pty, home, name)
}

/// The private modes that were switched in these bytes, as they were left, and what changed the keyboard or the mouse.
fn modes(bytes: &[u8]) -> BTreeMap<String, bool> {
    let text = String::from_utf8_lossy(bytes);
    let mut modes = BTreeMap::new();
    for sequence in text.split("\x1b[").skip(1) {
        let end = sequence.find(|c: char| c.is_ascii_alphabetic() || c == '~').unwrap_or(0);
        let (params, last) = (&sequence[..end], sequence[end..].chars().next());
        match (params.strip_prefix('?'), last) {
            (Some(numbers), Some('h' | 'l')) => {
                modes.extend(numbers.split(';').map(|number| (number.to_owned(), last == Some('h'))));
            }
            _ if params.starts_with(['>', '=', '<']) => panic!("ESC [ {params}{last:?} changes the keyboard"),
            _ => {}
        }
    }
    modes
}

impl Shelled {
    /// The process of the program itself.
    fn pid(&self) -> String {
        written(&self.pty, &self.home, "pid")
    }

    fn signal(&self, name: &str) {
        assert!(std::process::Command::new("kill").args([&format!("-{name}"), &self.pid()]).status().unwrap().success());
    }

    /// Waits until the program has drawn, on the screen it took.
    fn live(&self) {
        let drawn =
            |screen: &str| self.pty.alternate() && ["3 live", "2 live", "too small"].iter().any(|words| screen.contains(words));
        self.pty.wait("the demo to be live", SECONDS, drawn);
    }

    /// Another page is looked at, and then the program is left by a key.
    fn used_and_left(&mut self, size: (u16, u16)) {
        self.pty.send("4");
        if size.0 > 80 {
            self.pty.wait_for("services ·", SECONDS);
        }
        self.pty.send("\x03");
        self.given_back(0);
    }

    /// The shell has the terminal again, as it was.
    fn given_back(&mut self, code: i32) {
        let ended = written(&self.pty, &self.home, "code");
        assert_eq!(ended, code.to_string(), "the exit status; the screen is\n{}", self.pty.screen());
        // an interactive shell sets its own modes with a prompt: what is compared is what a command finds
        assert_eq!(settings(&mut self.pty, &self.home, "after"), self.before);
        // what it sent last is on its way
        self.pty.wait("the shell's own screen", SECONDS, |_| !self.pty.alternate());
        let modes = modes(&self.pty.bytes(0));
        assert!(modes.len() >= 4, "{modes:?}");
        for (mode, on) in modes {
            // a terminal begins with its cursor shown and lines that wrap; everything else is off
            assert_eq!(on, ["7", "25"].contains(&mode.as_str()), "private mode {mode} was left wrong");
        }
    }

    /// The report of a panic.
    fn report(&self) -> String {
        let folder = self.home.path().join(".local/state/quarterdeck");
        let reports = std::fs::read_dir(folder).unwrap().flatten();
        let report = reports.into_iter().find(|e| e.file_name().to_string_lossy().starts_with("panic-"));
        std::fs::read_to_string(report.expect("a report").path()).unwrap()
    }
}

#[test]
fn quitting_gives_the_terminal_back() {
    at_each_size(|size| {
        let mut shell = shelled(size, "");
        shell.live();
        shell.used_and_left(size);
    });
}

#[test]
fn signals_give_the_terminal_back() {
    for (name, code) in [("TERM", 143), ("HUP", 129), ("INT", 130), ("QUIT", 131)] {
        at_each_size(|size| {
            let mut shell = shelled(size, "");
            shell.live();
            shell.signal(name);
            shell.given_back(code);
        });
    }
}

#[test]
fn a_panic_gives_the_terminal_back_and_says_where_the_report_is() {
    at_each_size(|size| {
        let mut shell = shelled(size, "--break-off");
        shell.given_back(101);
        let dense: String = shell.pty.screen().split_whitespace().collect();
        assert!(size.0 < 80 || dense.contains("brokeoffbecauseofamistakeinitself"), "{dense}");
        let text = shell.report();
        assert!(text.contains("asked for by --break-off"), "{text}");
    });
}

#[test]
fn a_panic_of_a_part_leaves_a_report_and_the_screen_goes_on() {
    at_each_size(|size| {
        let mut shell = shelled(size, "--break-off task");
        shell.live();
        let log = || {
            let folder = shell.home.path().join(".local/state/quarterdeck");
            let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
            files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect::<String>()
        };
        let end = Instant::now() + SECONDS;
        while !log().contains("a part of the program broke off") {
            assert!(Instant::now() < end, "nothing broke off:\n{}", log());
            thread::sleep(Duration::from_millis(10));
        }
        assert!(shell.pty.alternate());
        let before = shell.pty.count();
        shell.pty.send("\x0c");
        shell.pty.wait("a frame", SECONDS, |_| shell.pty.count() > before);
        assert!(!shell.pty.screen().contains("broke off"), "{}", shell.pty.screen());
        shell.pty.send("\x03");
        shell.given_back(0);
        assert!(shell.report().contains("asked for by --break-off"));
    });
}

/// Stopped like any job and brought back by the shell.
fn stopped(stop: impl Fn(&mut Shelled) + Sync) {
    at_each_size(|size| {
        let mut shell = shelled(size, "");
        shell.live();
        stop(&mut shell);
        // what follows `fg` in the file is done once the job has stopped: by SIGTTIN, as it takes SIGTSTP for itself
        assert_eq!(written(&shell.pty, &shell.home, "code"), (128 + 21).to_string());
        shell.pty.wait("the shell's own screen", SECONDS, |_| !shell.pty.alternate());
        assert_eq!(settings(&mut shell.pty, &shell.home, "stopped"), shell.before);
        std::fs::remove_file(shell.home.path().join("code")).unwrap();
        shell.pty.send("fg > /dev/null; echo $? > $HOME/code\n");
        shell.live();
        shell.used_and_left(size);
    });
}

#[test]
fn ctrl_z_stops_and_fg_draws_the_screen_anew() {
    stopped(|shell| shell.pty.send("\x1a"));
}

#[test]
fn a_stop_from_outside_gives_the_terminal_back_too() {
    stopped(|shell| shell.signal("TSTP"));
}

#[test]
fn a_signal_ends_it_also_while_the_terminal_takes_nothing() {
    let mut shell = shelled((100, 30), "");
    shell.live();
    stall(&mut shell.pty);
    let stat = format!("/proc/{}/stat", shell.pid());
    shell.signal("TERM");
    println!("ended {:?} after the signal with a terminal that takes nothing", gone(&stat));
    shell.pty.hold(false);
    shell.given_back(143);
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_ends_the_program_even_if_the_terminal_takes_nothing() {
    let mut shell = shelled((250, 70), "--break-off stalled");
    shell.live();
    let stat = format!("/proc/{}/stat", shell.pid());
    stall(&mut shell.pty);
    // it breaks within two seconds of the first key that it could not answer, and then writes its report
    println!("ended {:?} after the terminal took nothing", gone_within(&stat, SECONDS));
    shell.pty.hold(false);
    // the keys that it took no more are the shell's
    shell.pty.send("\n");
    // what leaves the screen may have had no time to reach the terminal; its settings have
    assert_eq!(written(&shell.pty, &shell.home, "code"), "101");
    assert_eq!(settings(&mut shell.pty, &shell.home, "after"), shell.before);
}

/// How long a process still runs, two seconds at most.
fn gone(stat: &str) -> Duration {
    gone_within(stat, Duration::from_secs(2))
}

fn gone_within(stat: &str, limit: Duration) -> Duration {
    let start = Instant::now();
    while std::fs::read_to_string(stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(start.elapsed() < limit, "it still runs after {:?}", start.elapsed());
        thread::sleep(Duration::from_millis(5));
    }
    start.elapsed()
}

/// The demo in a terminal that another process holds; that process is killed, which hangs the terminal up.
fn hung_up(first: &str, size: (u16, u16)) {
    let home = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_quarterdeck");
    let inside = format!("{first} echo $$ > $HOME/pid; exec {program} --demo");
    let env = [("HOME", home.path().to_str().unwrap()), ("SHELL", "/bin/sh")];
    let pty = Pty::spawn("script", size, &["-qc", &inside, "/dev/null"], &env);
    let drawn = |screen: &str| ["3 live", "2 live", "too small"].iter().any(|words| screen.contains(words));
    pty.wait("the demo to be live", SECONDS, drawn);
    let stat = format!("/proc/{}/stat", written(&pty, &home, "pid"));
    assert!(std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")));
    pty.signal("KILL");
    println!("ended {:?} after the hangup at {size:?}", gone(&stat));
}

#[test]
fn a_hangup_ends_the_program_within_two_seconds() {
    at_each_size(|size| hung_up("", size));
}

#[test]
fn a_hangup_without_a_signal_ends_it_too() {
    at_each_size(|size| hung_up("trap '' HUP;", size));
}

#[test]
fn the_reader_of_modes_sees_what_is_left_on() {
    let left = modes(b"x\x1b[?1049h\x1b[?25l\x1b[1;2H\x1b[?25h\x1b[?2004h");
    assert_eq!(left.into_iter().collect::<Vec<_>>(), [("1049".into(), true), ("2004".into(), true), ("25".into(), true)]);
}

/// A frame that is on its way when the program is left comes before the terminal is given back: after it, it would stand on
/// the shell's screen.
#[test]
fn no_frame_comes_after_the_terminal_was_given_back() {
    for delay in (0..60).map(|n| Duration::from_micros(700 * n)) {
        let home = tempfile::tempdir().unwrap();
        let env = [("HOME", home.path().to_str().unwrap())];
        let mut pty = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (200, 60), &["--demo"], &env);
        pty.wait("the demo to be live", SECONDS, |screen| screen.contains("3 live"));
        pty.send("4");
        thread::sleep(delay);
        pty.send("\x03");
        assert_eq!(pty.end(SECONDS), 0);
        let bytes = pty.bytes(0);
        let text = String::from_utf8_lossy(&bytes);
        let (_, after) = text.rsplit_once("\x1b[?1049l").unwrap();
        assert_eq!(after, "", "with {delay:?} between the keys");
    }
}
