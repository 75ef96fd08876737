//! What goes to a terminal of few or no colours, and that state is never said by a colour alone.

use super::pty::Pty;
use std::collections::BTreeSet;
use std::time::Duration;

const SECONDS: Duration = Duration::from_secs(10);

/// What kinds of colours the SGR sequences among these bytes ask for.
fn colours(bytes: &[u8]) -> BTreeSet<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = BTreeSet::new();
    for sequence in text.split("\x1b[").skip(1) {
        let end = sequence.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(sequence.len());
        if !sequence[end..].starts_with('m') {
            continue;
        }
        let mut numbers = sequence[..end].split(';').map(|n| n.parse::<u32>().unwrap_or(0));
        while let Some(n) = numbers.next() {
            match n {
                30..=37 | 40..=47 | 90..=97 | 100..=107 => drop(found.insert("sixteen")),
                38 | 48 if numbers.next() == Some(5) => {
                    found.insert("256");
                    numbers.next();
                }
                38 | 48 => {
                    found.insert("24 bits");
                    numbers.by_ref().take(3).for_each(drop);
                }
                _ => {}
            }
        }
    }
    found
}

/// Looks at everything there is, in a terminal of this kind, and gives the screens and all bytes.
fn walk(theme: &str, env: &[(&str, &str)]) -> (Vec<String>, Vec<u8>) {
    let home = tempfile::tempdir().unwrap();
    let env = [env, &[("HOME", home.path().to_str().unwrap())]].concat();
    let mut pty = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (160, 45), &["--demo", "--theme", theme], &env);
    pty.wait("the demo to be live", SECONDS, |screen| screen.contains("3 live") || screen.contains("2 live"));
    pty.wait("what is wrong there", SECONDS, |screen| screen.contains(" failing "));
    let mut screens = Vec::new();
    // the panes; a mark, a dialog, the help, the palette and a filter among the services
    for keys in ["1", "2", "3", "5", "6", "7", "8", "9", "4", " ", "s", "\x1b", "?", "\x1b", ":", "\x1b", "/", "a", "\x1b"] {
        pty.send(keys);
        pty.wait_quiet(Duration::from_millis(120), Duration::from_secs(1));
        screens.push(pty.screen());
    }
    let shown = screens.concat();
    assert!(shown.contains("tasks ·") && shown.contains("operations"), "{shown}");
    (screens, pty.bytes(0))
}

#[test]
fn without_colours_no_colour_is_sent_and_state_is_said_all_the_same() {
    let (screens, bytes) = walk("default", &[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]);
    assert_eq!(colours(&bytes), BTreeSet::new());
    let [fleet, _, nodes] = &screens[..3] else { panic!("{screens:?}") };
    assert!(fleet.lines().any(|line| line.contains("✖") && line.contains("ready")), "{fleet}");
    assert!(nodes.lines().any(|line| line.contains('▸')), "{nodes}");
    assert!(screens[8].lines().any(|line| line.contains("✖ failing")), "{}", screens[8]);
}

#[test]
fn sixteen_colours_are_all_that_a_terminal_of_sixteen_gets() {
    for theme in ["default", "light", "nord", "high-contrast"] {
        let (_, bytes) = walk(theme, &[("TERM", "xterm")]);
        assert_eq!(colours(&bytes), BTreeSet::from(["sixteen"]), "{theme}");
    }
}

#[test]
fn a_terminal_of_256_colours_gets_none_of_24_bits() {
    for theme in ["default", "nord"] {
        let (_, bytes) = walk(theme, &[("TERM", "xterm-256color")]);
        assert!(!colours(&bytes).contains("24 bits"), "{theme}");
    }
    let (_, bytes) = walk("nord", &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]);
    assert!(colours(&bytes).contains("24 bits"), "the test must see them where they are");
}

#[test]
fn the_reader_of_colours_sees_them() {
    for (bytes, want) in [
        ("\x1b[31mx", &["sixteen"][..]),
        ("\x1b[0;1;97mx\x1b[5C", &["sixteen"]),
        ("\x1b[38;5;30mx", &["256"]),
        ("\x1b[1;48;2;31;32;33mx", &["24 bits"]),
        ("\x1b[31C\x1b[?2026h\x1b[0;39;49;7m31", &[]),
    ] {
        assert_eq!(colours(bytes.as_bytes()), want.iter().copied().collect(), "{bytes:?}");
    }
}
