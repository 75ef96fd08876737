//! The platform's own clients, as an operator has them, and the program as the operator starts it.

use crate::pty::Pty;
use std::process::Command;
use std::time::{Duration, Instant};

/// What the testbed promised in the environment; the suite cannot run without it.
pub fn required(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: this suite runs through tests/run, which starts the platform"))
}

/// A platform client (`docker`, `kubectl`) with the environment that points it at the testbed.
pub struct Client {
    program: String,
    env: Vec<(String, String)>,
}

impl Client {
    /// `docker` against the engine at `host`.
    pub fn docker(host: &str) -> Self {
        Self { program: "docker".into(), env: vec![("DOCKER_HOST".into(), host.into())] }
    }

    /// `docker` with a configuration folder of its own, for its contexts.
    pub fn docker_config(folder: &std::path::Path) -> Self {
        Self { program: "docker".into(), env: vec![("DOCKER_CONFIG".into(), folder.to_str().unwrap().into())] }
    }

    /// The testbed's `kubectl` with its administrator's kubeconfig.
    pub fn kubectl() -> Self {
        Self { program: required("KUBECTL"), env: vec![("KUBECONFIG".into(), required("KUBECONFIG"))] }
    }

    /// Runs the client with the words of `line`; its output, trimmed. Fails the test if the client fails.
    pub fn run(&self, line: &str) -> String {
        self.args(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs the client with these arguments.
    pub fn args(&self, args: &[&str]) -> String {
        let (ok, out) = self.attempt(args);
        assert!(ok, "{} {}: {out}", self.program, args.join(" "));
        out
    }

    /// Runs the client; whether it succeeded, and what it printed.
    pub fn attempt(&self, args: &[&str]) -> (bool, String) {
        let done = Command::new(&self.program)
            .args(args)
            .envs(self.env.iter().cloned())
            .output()
            .unwrap_or_else(|e| panic!("{}: {e}", self.program));
        let mut text = String::from_utf8_lossy(&done.stdout).trim().to_string();
        if !done.status.success() {
            text.push_str(String::from_utf8_lossy(&done.stderr).trim());
        }
        (done.status.success(), text)
    }

    /// Asks again until the answer satisfies `accept`; the answer. Fails the test after `limit` with the last answer.
    pub fn until(&self, what: &str, limit: Duration, line: &str, accept: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let (_, answer) = self.attempt(&line.split_whitespace().collect::<Vec<_>>());
            if accept(&answer) {
                return answer;
            }
            assert!(start.elapsed() < limit, "{what}: not within {limit:?}; `{} {line}` says:\n{answer}", self.program);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// The program in a terminal of this size (columns, rows), with a home of its own: it sees nothing of this machine but what
/// `env` points it at.
pub fn quarterdeck(size: (u16, u16), env: &[(&str, &str)]) -> (Pty, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let mut all = vec![("HOME", home.path().to_str().unwrap())];
    all.extend(env);
    (Pty::spawn(env!("CARGO_BIN_EXE_quarterdeck"), size, &[], &all), home)
}

/// Waits until `text` is no longer on the screen.
pub fn wait_gone(app: &Pty, text: &str, limit: Duration) {
    app.wait(&format!("{text} to go away"), limit, |screen| !screen.contains(text));
}

/// Asks for a node to be evacuated, and types its name.
pub fn evacuate(app: &mut Pty, node: &str, limit: Duration) {
    app.send("3");
    app.wait_for(node, limit);
    app.send(&format!("/{node}\r"));
    app.wait_for("1 of ", limit);
    app.send("E");
    app.wait_for(&format!("type {node}"), limit);
    app.send(&format!("{node}\r"));
}
