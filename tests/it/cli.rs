//! The built program without a terminal: pictures, lists, and what it says to a wrong call.

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
    command.args(args).env_clear().env("HOME", home).env("TERM", "xterm-256color").stdin(Stdio::null());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_pane_is_drawn_at_both_sizes_in_every_form_and_twice_the_same() {
    let home = tempfile::tempdir().unwrap();
    for size in ["80x24", "200x50"] {
        for spec in quarterdeck::ui::pane::PANES.iter().filter(|spec| spec.command.is_some()) {
            for format in ["text", "ansi", "svg"] {
                let args = ["snapshot", "--demo", "--at", "30s", "--size", size, "--pane", spec.name, "--format", format];
                let first = run(home.path(), &args);
                assert!(first.status.success(), "{args:?}: {}", text(&first.stderr));
                let shown = text(&first.stdout);
                assert!(shown.contains("prod-eu") || shown.contains("live"), "{args:?} shows nothing of the fleet:\n{shown}");
                match format {
                    "svg" => assert!(shown.starts_with("<svg ") && shown.trim_end().ends_with("</svg>")),
                    "text" => {
                        let (columns, rows) = size.split_once('x').unwrap();
                        assert_eq!(shown.lines().count().to_string(), rows);
                        let widest = shown.lines().map(quarterdeck::util::width::width).max().unwrap();
                        assert!(widest <= columns.parse().unwrap(), "{widest} columns");
                        assert!(!shown.contains('\x1b'));
                        assert_eq!(shown, text(&run(home.path(), &args).stdout), "not the same twice");
                    }
                    _ => assert!(shown.contains("\x1b[")),
                }
            }
        }
    }
}

#[test]
fn the_time_and_the_seed_of_the_demo_matter() {
    let home = tempfile::tempdir().unwrap();
    let shot = |more: &[&str]| text(&run(home.path(), &[&["snapshot", "--demo", "--size", "200x50"], more].concat()).stdout);
    assert_ne!(shot(&["--at", "10s"]), shot(&["--at", "4m"]));
    assert_ne!(shot(&["--pane", "tasks", "--seed", "1"]), shot(&["--pane", "tasks", "--seed", "2"]));
}

/// Also after a cluster was away: the simulated swarm is now and then.
#[test]
fn what_was_listed_is_not_said_to_be_loading() {
    let home = tempfile::tempdir().unwrap();
    for at in ["1s", "90s", "5m", "20m"] {
        let shot = text(&run(home.path(), &["snapshot", "--demo", "--pane", "tasks", "--at", at]).stdout);
        assert!(shot.contains("tasks · 1") && !shot.contains("loading"), "{at}\n{shot}");
    }
}

#[test]
fn keys_are_pressed_before_the_picture_is_taken() {
    let home = tempfile::tempdir().unwrap();
    let shot = run(home.path(), &["snapshot", "--demo", "--size", "120x40", "--keys", "3"]);
    assert!(text(&shot.stdout).contains("nodes ·"), "{}", text(&shot.stdout));
    let wrong = run(home.path(), &["snapshot", "--demo", "--keys", "hyper-x"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).starts_with("quarterdeck: --keys: "), "{}", text(&wrong.stderr));
}

#[test]
fn a_wrong_theme_or_keymap_warns_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let shot = run(home.path(), &["snapshot", "--demo", "--at", "1s", "--theme", "ligth", "--keymap", "defualt"]);
    assert!(shot.status.success());
    assert_eq!(
        text(&shot.stderr),
        "quarterdeck: there is no theme `ligth` (did you mean `light`?)\n\
         quarterdeck: there is no keymap `defualt` (did you mean `default`?)\n"
    );
}

#[test]
fn a_wrong_theme_or_keymap_of_the_configuration_is_told_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mine.toml");
    std::fs::write(&file, "utc = true\ntheme = \"ligth\"\nkeymap = 'defualt'\n").unwrap();
    let args = ["snapshot", "--demo", "--at", "1s", "--config", file.to_str().unwrap()];
    let shot = run(home.path(), &args);
    assert!(shot.status.success());
    let file = file.display();
    assert_eq!(
        text(&shot.stderr),
        format!(
            "quarterdeck: {file}:2:9: there is no theme `ligth` (did you mean `light`?)\n\
             quarterdeck: {file}:3:10: there is no keymap `defualt` (did you mean `default`?)\n"
        )
    );
    // the command line has the last word, and its own mistake is not the file's
    let shot = run(home.path(), &[&args[..], &["--theme", "drak", "--keymap", "default"]].concat());
    assert!(text(&shot.stderr).starts_with("quarterdeck: there is no theme `drak`"), "{}", text(&shot.stderr));
}

#[test]
fn a_wrong_configuration_ends_with_two_and_its_place() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mine.toml");
    std::fs::write(&file, "theme = \"mono\"\n[clusters.prod]\nprotect = true\n").unwrap();
    for sub in [&["--demo"][..], &["snapshot", "--demo"], &["keys"], &["config"]] {
        let args = [sub, &["--config", file.to_str().unwrap()]].concat();
        let out = run(home.path(), &args);
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        let want = format!("quarterdeck: {}:3:1: unknown key `protect` (did you mean `protected`?)\n", file.display());
        assert_eq!(text(&out.stderr), want);
        assert!(out.stdout.is_empty());
    }
}

#[test]
fn without_a_terminal_it_ends_with_two_and_advice() {
    let home = tempfile::tempdir().unwrap();
    let out = run(home.path(), &["--demo"]);
    assert_eq!(out.status.code(), Some(2));
    let said = text(&out.stderr);
    assert!(said.contains("needs a terminal") && said.contains("ssh -t") && said.contains("quarterdeck snapshot"), "{said}");
}

#[test]
fn a_cluster_that_is_not_there_is_said_with_those_that_are() {
    let home = tempfile::tempdir().unwrap();
    let out = run(home.path(), &["snapshot", "--demo", "--keys", "3", "--cluster", "prod-us"]);
    assert_eq!(out.status.code(), Some(2));
    assert_eq!(text(&out.stderr), "quarterdeck: there is no cluster `prod-us` (did you mean `prod-eu`?)\n");
}

#[test]
fn a_played_picture_checks_its_clusters_too() {
    let home = tempfile::tempdir().unwrap();
    let out = run(home.path(), &["snapshot", "--demo", "--at", "1s", "--cluster", "prod-us"]);
    assert_eq!(out.status.code(), Some(2));
    assert_eq!(text(&out.stderr), "quarterdeck: there is no cluster `prod-us` (did you mean `prod-eu`?)\n");
}

#[test]
fn a_reader_that_has_heard_enough_is_no_failure() {
    let home = tempfile::tempdir().unwrap();
    for sub in ["snapshot", "keys", "themes", "config"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
        command.args([sub, "--demo"]).env_clear().env("HOME", home.path()).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let out = child.wait_with_output().unwrap();
        assert_eq!((out.status.code(), text(&out.stderr)), (Some(0), String::new()), "{sub}");
    }
}

#[test]
fn any_size_is_drawn() {
    let home = tempfile::tempdir().unwrap();
    for size in ["1x1", "2x1", "1x50", "20x4", "40x10", "300x100"] {
        for format in ["text", "ansi", "svg"] {
            let out = run(home.path(), &["snapshot", "--demo", "--at", "5s", "--size", size, "--format", format]);
            assert!(out.status.success(), "{size} {format}: {}", text(&out.stderr));
        }
    }
}

#[test]
fn lists_name_everything() {
    let home = tempfile::tempdir().unwrap();
    let keys = text(&run(home.path(), &["keys"]).stdout);
    for command in quarterdeck::input::Command::ALL {
        assert!(keys.contains(command.name()), "{} is not in the list", command.name());
    }
    assert!(!keys.contains("n, n"), "a key is listed twice:\n{keys}");
    let themes = text(&run(home.path(), &["themes", "--theme", "nord"]).stdout);
    assert!(themes.contains("* nord\n") && themes.contains("  default\n"), "{themes}");
    let config = text(&run(home.path(), &["config", "--read-only"]).stdout);
    assert!(config.contains("read_only = true") && config.contains("config.toml  (not there)"), "{config}");
}
