//! With `--read-only` nothing is changed, whatever is pressed.

use super::platform::{Held, Platform, container};
use super::tour::tour_keys;
use crate::faults::{Bench, Cell, Fault, Phase};
use crate::pty::Pty;
use quarterdeck::app::{Choice, Keyboard, Typed, discover};
use quarterdeck::backend::sim;
use quarterdeck::config::Config;
use quarterdeck::engine::{Engine, Options};
use quarterdeck::input::{Command, KeyPress, Keymap};
use quarterdeck::model::{Kind, KindSync, Request, Text};
use quarterdeck::theme::Theme;
use quarterdeck::ui::{Effect, Moment, PaneId, TextInput, Ui, UiOptions};
use quarterdeck::util::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

fn held(swarm: bool) -> Held {
    Held {
        containers: (0..4).map(|n| container(n, "x", if n % 2 == 0 { "running" } else { "exited" })).collect(),
        swarm,
        refusal: "not here".to_owned(),
        ..Held::default()
    }
}

/// Presses everything everywhere on an engine of these, and goes through with each dialog; how often it pressed.
async fn everything(mut running: Engine, screen: bool) -> usize {
    let read = |running: &Engine| {
        let world = running.world.borrow();
        world
            .clusters
            .iter()
            .all(|state| state.cluster.link.is_live() && Kind::ALL[..3].iter().all(|kind| *state.sync_of(*kind) == KindSync::Live))
    };
    let limit = tokio::time::Instant::now() + Duration::from_secs(10);
    while !read(&running) {
        assert!(tokio::time::Instant::now() < limit, "not read: {:?}", running.world.borrow().clusters[0].sync);
        let _ = tokio::time::timeout(Duration::from_millis(100), running.world.changed()).await;
    }
    let keymap = Keymap::load("default", &[]).0;
    let mut keyboard = Keyboard::new(keymap.clone());
    let mut ui = Ui::new(UiOptions {
        theme: Theme::plain(),
        themes: vec![Theme::plain()],
        keymap,
        ascii: false,
        max_bulk: 20,
        reveals: true,
        read_only: screen,
        local_time: false,
        pane: PaneId::Fleet,
        config: Text::default(),
    });
    let moment = || Moment { now: Timestamp::now(), utc_offset: 0 };
    let mut pressed = 0;
    for doing in tour_keys() {
        ui.sync(Arc::clone(&running.world.borrow_and_update()), moment());
        let mut shown = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, 120, 40));
        // the first key after what may have opened a dialog
        if matches!(doing, Press::Text(TextInput::Up)) && ui.wants_text() {
            ui.render(shown.area, &mut shown, moment());
            ui.seen();
        }
        let effects = match doing {
            Press::Command(command) => ui.command(command, moment()),
            Press::Text(input) if ui.wants_text() => ui.text(input, moment()),
            Press::Text(_) => Vec::new(),
            Press::Key(key) => match keyboard.press(key, ui.wants_text(), &ui.scopes(moment())) {
                Typed::Run(command) => ui.command(command, moment()),
                Typed::Text(input) => ui.text(input, moment()),
                _ => Vec::new(),
            },
            Press::Name => {
                // the word that a destructive action asks for
                let screen: String = shown.content.iter().map(ratatui::buffer::Cell::symbol).collect();
                let word = screen
                    .split_once("│ type ")
                    .and_then(|(_, rest)| rest.split_once(" to go on"))
                    .map(|(word, _)| word.to_owned());
                word.unwrap_or_default().chars().flat_map(|c| ui.text(TextInput::Char(c), moment())).collect()
            }
        };
        pressed += 1;
        for effect in effects {
            if let Effect::Request(request) = effect {
                let acts = matches!(request, Request::Execute { .. });
                running.requests.send(request).await.unwrap();
                if acts {
                    tokio::time::sleep(Duration::from_millis(30)).await;
                }
            }
        }
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    running.shutdown().await;
    pressed
}

/// The same on a Docker engine or a Swarm, and what it was asked to change.
async fn docker(swarm: bool, screen: bool, engine: bool) -> (usize, Vec<String>) {
    let platform = Platform::start(held(swarm));
    let text = format!("[discover]\nkubernetes = false\ndocker = false\n[clusters.c]\ndocker = '{}'\n", platform.host());
    let config = Config::parse(&text, None).unwrap();
    let fleet = discover(&config, &Choice::default(), sim::Options::default()).unwrap();
    let engine = Engine::start(fleet.connectors, Options { read_only: engine, ..Options::default() });
    (everything(engine, screen).await, platform.changes())
}

/// The same on a Kubernetes, which is asked by POST, too, what may be done.
async fn kubernetes(screen: bool, engine: bool) -> (usize, Vec<String>) {
    let cell = Cell { fault: Fault::Reset, phase: Phase::Steady };
    let bench = Bench::with(cell, 1, Vec::new(), Options { read_only: engine, ..Options::default() }).await;
    let pressed = everything(bench.engine, screen).await;
    let asked = bench.server.state.lock().asked.clone();
    let changes =
        asked.into_iter().map(|(_, line)| line).filter(|line| !line.starts_with("GET ") && !line.contains("/selfsubject"));
    (pressed, changes.collect())
}

/// Something that is done to the screen.
#[derive(Clone, Debug)]
pub enum Press {
    Command(Command),
    Key(KeyPress),
    Text(TextInput),
    /// Types the name that a dialog asks for.
    Name,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_pressed_changes_anything() {
    for swarm in [false, true] {
        let (_, changes) = docker(swarm, true, true).await;
        assert_eq!(changes, [""; 0], "swarm {swarm}, screen and engine read only");
        let (_, changes) = docker(swarm, false, true).await;
        assert_eq!(changes, [""; 0], "swarm {swarm}, engine read only");
        changed(&format!("swarm {swarm}"), docker(swarm, false, false).await);
    }
    let (_, changes) = kubernetes(true, true).await;
    assert_eq!(changes, [""; 0], "kubernetes, screen and engine read only");
    let (_, changes) = kubernetes(false, true).await;
    assert_eq!(changes, [""; 0], "kubernetes, engine read only");
    changed("kubernetes", kubernetes(false, false).await);
}

/// Where nothing is read only, what is pressed does change something.
fn changed(what: &str, (pressed, changes): (usize, Vec<String>)) {
    println!("{what}: {pressed} presses; without read_only {} requests that change something", changes.len());
    assert!(changes.len() > 3, "{what}: what is pressed would change nothing anyway: {changes:?}");
}

/// All keys of a keyboard typed at the program itself, on each pane, and what may confirm what they opened.
fn typed(args: &[&str]) -> Vec<String> {
    let platform = Platform::start(held(false));
    let home = tempfile::tempdir().unwrap();
    let host = platform.host();
    let env = [("HOME", home.path().to_str().unwrap()), ("DOCKER_HOST", &host)];
    let mut pty = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (120, 40), args, &env);
    pty.send("5");
    pty.wait_for("tasks ·", Duration::from_secs(20));
    for pane in ["4", "5", "3", "1"] {
        // ctrl-c leaves and ctrl-z stops, escape and what begins with it come between
        let keys = (0x01..=0x7e_u8).filter(|key| ![3, 0x1a, 0x1b].contains(key)).map(char::from).filter(|key| *key != 'q');
        for key in keys {
            pty.send(&format!("{pane}{key}"));
            // what is opened is answered only once it was on screen
            pty.wait_quiet(Duration::from_millis(12), Duration::from_millis(80));
            pty.send("\ry");
            std::thread::sleep(Duration::from_millis(6));
            pty.send("\x1b");
            std::thread::sleep(Duration::from_millis(6));
        }
    }
    pty.wait_quiet(Duration::from_millis(200), Duration::from_secs(3));
    pty.send("\x1b\x03");
    let _ = pty.end(Duration::from_secs(5));
    platform.changes()
}

#[test]
fn no_key_typed_at_the_program_changes_anything() {
    assert_eq!(typed(&["--read-only"]), [""; 0]);
    let changes = typed(&[]);
    println!("without --read-only: {changes:?}");
    assert!(!changes.is_empty(), "the keys would change nothing anyway");
}

#[test]
fn the_keys_of_a_snapshot_change_nothing_in_a_real_cluster() {
    let platform = Platform::start(held(false));
    let home = tempfile::tempdir().unwrap();
    let args = ["snapshot", "--pane", "tasks", "--size", "120x40", "--keys", "X y enter 9"];
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
    command.args(args).env_clear().env("HOME", home.path()).env("DOCKER_HOST", platform.host());
    let out = command.output().unwrap();
    let shown = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && shown.contains("operations"), "{shown}");
    assert_eq!(platform.changes(), [""; 0], "{shown}");
}
