//! The built program with hostile names, files and answers: its screen, its other output, and its log.

use super::grammar;
use super::payloads::{payloads, texts};
use super::platform::{Held, Platform, container};
use crate::pty::Pty;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const SECONDS: Duration = Duration::from_secs(20);

/// A kubeconfig with a context for each of these names, on a port that refuses connections.
fn kubeconfig(home: &Path, names: &[String]) {
    let entry = |name: &String| json!({"name": name, "context": {"cluster": "c", "user": "u", "namespace": name}});
    let config = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": names.iter().map(entry).collect::<Vec<_>>(),
    });
    std::fs::create_dir_all(home.join(".kube")).unwrap();
    std::fs::write(home.join(".kube/config"), config.to_string()).unwrap();
}

/// No line of what was written for people has anything in it but text.
fn assert_plain(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{what} is not UTF-8: {:?}", String::from_utf8_lossy(bytes)));
    for line in text.split('\n') {
        assert_eq!(grammar::text_fault(line), None, "{what}");
    }
}

#[test]
fn what_is_printed_is_text_whatever_files_say() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let texts = texts();
    kubeconfig(home, &texts);
    let folder = home.join(".config/quarterdeck");
    std::fs::create_dir_all(folder.join("themes")).unwrap();
    std::fs::create_dir_all(folder.join("keymaps")).unwrap();
    let quoted = |text: &str| serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007F");
    let mut config = "theme = \"light\"\n".to_owned();
    for (n, text) in texts.iter().enumerate() {
        config.push_str(&format!("[clusters.{}]\nprotected = true\n", quoted(text)));
        let name: String = text.chars().filter(|c| !matches!(c, '/' | '\0')).take(40).collect();
        std::fs::write(folder.join(format!("themes/{n}{name}.toml")), "").unwrap();
    }
    std::fs::write(folder.join("config.toml"), &config).unwrap();
    let wrong = home.join("wrong\x1b[2J\u{202e}.toml");
    std::fs::write(&wrong, format!("{} = 1\n", quoted("key\u{1b}]0;t\u{7}"))).unwrap();
    let bad = "bad\x1b[2J\u{200b}";
    let (mut printed, mut hidden) = (0, 0);
    for (args, code) in [
        (&["config"][..], 0),
        (&["themes"], 0),
        (&["keys"], 0),
        (&["keys", "--theme", bad], 0),
        (&["snapshot", "--context", bad], 2),
        (&["snapshot", "--cluster", bad], 2),
        (&["snapshot", "--keys", bad], 2),
        (&["config", "--config", wrong.to_str().unwrap()], 2),
        (&["snapshot", "--pane", "clusters", "--size", "150x900", "--wait", "2s"], 0),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
        command.args(args).env_clear().env("HOME", home).stdin(Stdio::null());
        let out = command.output().unwrap();
        assert_plain(&format!("{args:?}"), &out.stdout);
        assert_plain(&format!("{args:?}, beside"), &out.stderr);
        assert_eq!(out.status.code(), Some(code), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        printed += out.stdout.len() + out.stderr.len();
        hidden += String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).matches("<U+202E>").count();
    }
    println!("{printed} bytes, U+202E shown {hidden} times");
    assert!(hidden >= 3, "hostile names were not shown at all");
}

#[test]
fn a_session_sends_nothing_but_its_own_sequences_and_leaves_a_plain_log() {
    let texts = texts();
    let pick = |n: usize| texts[n * 37 % texts.len()].as_str();
    let engine = Platform::start(Held {
        containers: (0..40).map(|n| container(n, pick(n), if n % 3 == 0 { "exited" } else { "running" })).collect(),
        detail: json!({"Path": pick(50), "Args": [pick(51)], "Config": {"Tty": false, "Env": [pick(52)], "Labels": {"x": pick(53)}}}),
        lines: payloads(),
        refusal: format!("no \x1b]52;c;cm0gLXJm\x07 {}", pick(9)),
        ..Held::default()
    });
    let home = tempfile::tempdir().unwrap();
    kubeconfig(home.path(), &[pick(3).to_owned(), "ctx\x1b[2J\u{202e}\nx".to_owned()]);
    let host = engine.host();
    let env = [("HOME", home.path().to_str().unwrap()), ("DOCKER_HOST", &host)];
    let args = ["--log-level", "trace"];
    let mut pty = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (160, 45), &args, &env);
    pty.send("5");
    pty.wait_for("tasks · 40", SECONDS);
    for keys in [
        "2", "y", "d", "\x1b", "3", "4", "d", "y", "\x1b", "l", "w", "\x1b", "5", "jjj", "y", "\x1b", "c", "l", "G", "\x1b", "S",
        "y", "y",
    ] {
        pty.send(keys);
        pty.wait_quiet(Duration::from_millis(60), Duration::from_millis(400));
    }
    for keys in ["6", "7", "8", "9", "?", "\x1b", ":", "a\x1b[200~\x1b[2Jx\u{202e}\x1b[201~", "\x1b", "1", "\x03"] {
        pty.send(keys);
        pty.wait_quiet(Duration::from_millis(60), Duration::from_millis(400));
    }
    if pty.state() != 'Z' {
        pty.send("\x03");
    }
    assert_eq!(pty.end(SECONDS), 0);
    let bytes = pty.bytes(0);
    println!("{} bytes, {} requests", bytes.len(), engine.asked().len());
    assert_eq!(grammar::fault(&bytes, true), None);
    assert!(bytes.windows(5).any(|window| window == b"\x1b]52;"), "nothing was copied");
    assert!(engine.asked().iter().any(|asked| asked.contains("/logs")), "no log was read: {:#?}", engine.asked());
    let logs = home.path().join(".local/state/quarterdeck");
    for file in std::fs::read_dir(logs).unwrap().flatten() {
        assert_plain(&file.path().display().to_string(), &std::fs::read(file.path()).unwrap());
    }
}

#[test]
fn what_is_said_after_the_end_is_text_too() {
    let engine = Platform::start(Held { containers: vec![container(1, "\x1b[2J\u{202e}", "running")], ..Held::default() });
    let home = tempfile::tempdir().unwrap();
    let meta = home.path().join(".docker/contexts/meta/x");
    std::fs::create_dir_all(&meta).unwrap();
    let context = json!({"Name": "ctx\x1b]0;t\x07\u{2066}\n", "Endpoints": {"docker": {"Host": engine.host()}}});
    std::fs::write(meta.join("meta.json"), context.to_string()).unwrap();
    let env = [("HOME", home.path().to_str().unwrap())];
    let mut pty = Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), (160, 45), &[], &env);
    pty.wait("the container", SECONDS, |screen| screen.contains("1 live"));
    for (keys, then) in [("4", "sv1"), ("r", "enter to go on"), ("\r", "running")] {
        pty.send(keys);
        pty.wait_for(then, SECONDS);
    }
    let end = std::time::Instant::now() + SECONDS;
    while engine.changes().is_empty() {
        assert!(std::time::Instant::now() < end, "nothing was asked for");
        std::thread::sleep(Duration::from_millis(5));
    }
    pty.send("\x03");
    assert_eq!(pty.end(SECONDS), 0);
    let bytes = pty.bytes(0);
    assert_eq!(grammar::fault(&bytes, true), None);
    let said = String::from_utf8_lossy(&bytes).rsplit_once("\x1b[?1049l").map(|(_, said)| said.to_owned()).unwrap();
    assert!(said.contains("Quarterdeck ended while it was being sent") && said.contains("on ctx^[]0;t^G<U+2066>"), "{said:?}");
    assert_eq!(said.trim().lines().count(), 1, "{said:?}");
}
