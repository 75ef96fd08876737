//! Credential plugins (`user.exec` of a kubeconfig): run without our terminal, bounded in time, and once for all who wait
//! for the same one. Protocol: `client.authentication.k8s.io` ExecCredential, Kubernetes docs "client-go credential
//! plugins".
//!
//! The kube crate would run plugins itself, but lets them read our keyboard and write on our screen.

use crate::backend::detached::{self, Group};
use crate::backend::secret;
use crate::util::clean::strip_sgr;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use kube::config::{ExecConfig, ExecInteractiveMode};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::Child;
use tokio::time::{Instant, timeout};

/// Longest a plugin may run. It may open a browser, but it cannot ask on our terminal.
const DEADLINE: Duration = Duration::from_secs(30);
/// Longest that whoever needs credentials waits for a plugin; it runs on, and is asked again what came of it.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long what came of a run is also the answer for who asks next: contexts of one user ask one after the other, and a
/// plugin whose answer is a failure, refused, or over already is not run again so soon.
pub(super) const KEPT: Duration = Duration::from_secs(10);
/// Credentials are renewed this long before they end.
pub(super) const EARLY: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
/// Most a plugin may print.
const OUTPUT: u64 = 1 << 20;

/// What a plugin gave.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Given {
    /// Bearer token.
    pub token: Option<String>,
    /// PEM.
    pub client_certificate_data: Option<String>,
    /// PEM.
    pub client_key_data: Option<String>,
    /// When they end.
    pub expiration_timestamp: Option<jiff::Timestamp>,
}

/// Why there are no credentials, as a sentence.
#[derive(Clone, Debug)]
pub(super) enum Unanswered {
    /// Whoever gives them gave none.
    Failed(String),
    /// It is still at work, or cannot be reached.
    NotYet(String),
}

#[derive(Deserialize)]
struct Answer {
    status: Option<Given>,
}

type Outcome = Result<Arc<Given>, String>;

/// A plugin at work, or what came of it.
#[derive(Clone)]
struct Run {
    began: Instant,
    ended: Arc<OnceLock<Instant>>,
    outcome: Shared<BoxFuture<'static, Outcome>>,
}

/// Plugins at work, by what is run and what it is told: contexts of one user, in whatever file, share a run (and its browser
/// window), unless the plugin asks which cluster it is for. There are no more than kubeconfig files name.
static RUNS: LazyLock<Mutex<HashMap<String, Run>>> = LazyLock::new(Mutex::default);

/// Of each user one plugin runs at a time: two would ask for the same login, or write the same cache at once.
static TURNS: LazyLock<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>> = LazyLock::new(Mutex::default);

impl Run {
    fn is_of_use(&self) -> bool {
        self.ended.get().is_none_or(|ended| ended.elapsed() < KEPT)
    }
}

/// Runs `plugin`, or waits for the run that is under way, or takes what came of the one that ended just now.
pub(super) async fn ask(plugin: &ExecConfig) -> Result<Arc<Given>, Unanswered> {
    let run = {
        let mut runs = RUNS.lock();
        let run = runs.entry(key(plugin)).or_insert_with(|| start(plugin.clone()));
        if !run.is_of_use() {
            *run = start(plugin.clone());
        }
        run.clone()
    };
    let Ok(outcome) = timeout(PATIENCE, run.outcome).await else {
        let since = run.began.elapsed().as_secs();
        let name = plugin.command.as_deref().unwrap_or_default();
        return Err(Unanswered::NotYet(format!("waits for the credential plugin `{name}`, which has run for {since} s")));
    };
    outcome.map_err(Unanswered::Failed)
}

/// What tells users apart.
fn user(plugin: &ExecConfig) -> String {
    // maps that were read anew are in another order
    let env: Vec<_> = plugin.env.iter().flatten().map(|pair| (pair.get("name"), pair.get("value"))).collect();
    format!("{:?} {:?} {env:?} {:?}", plugin.command, plugin.args, plugin.api_version)
}

/// What tells runs apart.
fn key(plugin: &ExecConfig) -> String {
    let of = plugin.cluster.as_ref().filter(|_| plugin.provide_cluster_info);
    format!("{} {of:?}", user(plugin))
}

fn start(plugin: ExecConfig) -> Run {
    // a task of its own: it goes on when those who wait for it have to give up
    let ended: Arc<OnceLock<Instant>> = Arc::default();
    let end = Arc::clone(&ended);
    let turn = Arc::clone(TURNS.lock().entry(user(&plugin)).or_default());
    let task = tokio::spawn(async move {
        let _turn = turn.lock().await;
        let outcome = run(&plugin).await.map(Arc::new);
        end.get_or_init(Instant::now);
        outcome
    });
    let outcome = async move { task.await.unwrap_or_else(|err| Err(format!("the credential plugin could not be run: {err}"))) };
    Run { began: Instant::now(), ended, outcome: outcome.boxed().shared() }
}

/// How words on a plugin that failed begin.
pub(super) fn title(plugin: &ExecConfig) -> String {
    format!("credential plugin `{}` failed", plugin.command.as_deref().unwrap_or("(no command)"))
}

async fn run(plugin: &ExecConfig) -> Result<Given, String> {
    let title = title(plugin);
    if matches!(plugin.interactive_mode, Some(ExecInteractiveMode::Always)) {
        return Err(format!(
            "{title}: it asks on a terminal (interactiveMode: Always), and cannot here: take credentials that need no question"
        ));
    }
    let (mut child, group) = spawn(plugin, &title)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let (out, err) = tokio::join!(read(out), read(err));
        (out, err, child.wait().await)
    };
    let Ok((out, err, status)) = timeout(DEADLINE, work).await else {
        drop(group);
        return Err(format!(
            "{title}: it did not end within {} s (it cannot ask anything here: log in with kubectl first)",
            DEADLINE.as_secs()
        ));
    };
    let status = status.map_err(|err| format!("{title}: {err}"))?;
    if !status.success() {
        let said = String::from_utf8_lossy(&err);
        let said = strip_sgr(said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing"));
        let said: String = said.trim().chars().filter(|c| !c.is_control()).collect();
        // programs like to repeat how they were called
        let given = plugin.env.iter().flatten().filter_map(|pair| pair.get("value")).map(String::as_str);
        let given = given.chain(secret::secrets_in(plugin.args.as_deref().unwrap_or_default()));
        let said: String = secret::without(&said, given).chars().take(300).collect();
        return Err(format!("{title} ({status}): {said}"));
    }
    // what it printed is never quoted: it may be half a token
    let answer: Answer =
        serde_json::from_slice(&out).map_err(|_| format!("{title}: it did not print an ExecCredential as JSON"))?;
    answer.status.ok_or_else(|| format!("{title}: its ExecCredential has no status"))
}

fn spawn(plugin: &ExecConfig, title: &str) -> Result<(Child, Group), String> {
    let name = plugin.command.as_deref().ok_or_else(|| format!("{title}: the kubeconfig names no command"))?;
    let own = |wanted: &str| {
        let pair = plugin.env.iter().flatten().find(|pair| pair.get("name").is_some_and(|name| name == wanted));
        pair.and_then(|pair| pair.get("value")).map(std::ffi::OsString::from)
    };
    let path = own("PATH").or_else(|| std::env::var_os("PATH")).unwrap_or_default();
    let Some(program) = detached::find(name, &path) else {
        let hint = plugin.install_hint.as_deref().map(str::trim).filter(|hint| !hint.is_empty());
        return Err(format!("{title}: there is no such program{}", hint.map(|hint| format!("; {hint}")).unwrap_or_default()));
    };
    let version = plugin.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1");
    let mut spec = json!({ "interactive": false });
    if plugin.provide_cluster_info {
        spec["cluster"] = serde_json::to_value(&plugin.cluster).unwrap_or_default();
    }
    let info = json!({ "apiVersion": version, "kind": "ExecCredential", "spec": spec });
    let mut command = detached::command(&program);
    command
        .args(plugin.args.iter().flatten())
        .env("KUBERNETES_EXEC_INFO", info.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for pair in plugin.env.iter().flatten() {
        if let (Some(name), Some(value)) = (pair.get("name"), pair.get("value")) {
            command.env(name, value);
        }
    }
    let child = command.spawn().map_err(|err| format!("{title}: {err}"))?;
    let group = Group::of(&child);
    Ok((child, group))
}

async fn read(from: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(from) = from {
        // what could be read is judged by the caller
        let _ = from.take(OUTPUT).read_to_end(&mut out).await;
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use kube::config::ExecAuthCluster;

    fn plugin(script: &str) -> ExecConfig {
        ExecConfig { command: Some("sh".into()), args: Some(vec!["-c".into(), script.into()]), ..ExecConfig::default() }
    }

    async fn failure(plugin: &ExecConfig) -> String {
        match ask(plugin).await {
            Err(Unanswered::Failed(why)) => why,
            Err(Unanswered::NotYet(why)) => why,
            Ok(_) => "it worked".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_plugin_gets_no_keyboard_and_no_terminal_and_its_complaint_is_passed_on() {
        let keyboard = plugin("read line && echo got \"$line\" >&2 || echo no keyboard >&2; exit 3");
        assert!(failure(&keyboard).await.ends_with("no keyboard"));
        let terminal = plugin("(echo x > /dev/tty) 2>/dev/null && echo wrote >&2 || echo no terminal >&2; exit 3");
        assert!(failure(&terminal).await.ends_with("no terminal"));
        // leader of a session of its own, also with a path of its own on which nothing else is
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/bin/sh", folder.path().join("sh")).unwrap();
        let mut alone = plugin("read -r pid name state parent group session rest < /proc/$$/stat; echo $$ $session >&2; exit 3");
        let path = [("name", "PATH".to_owned()), ("value", folder.path().display().to_string())];
        alone.env = Some(vec![path.map(|(a, b)| (a.to_owned(), b)).into()]);
        let said = failure(&alone).await;
        let mut ids = said.rsplit(' ');
        assert_eq!(ids.next(), ids.next(), "{said}");
        assert!(!failure(&plugin("echo secret-half-token")).await.contains("secret"));
        let mut repeats = plugin("echo called with $PIN \"$@\" >&2; exit 3");
        repeats
            .args
            .get_or_insert_default()
            .extend(["sh", "--token", "hunter2", "--key=hunter3", "--port", "4321"].map(str::to_owned));
        let pin = [("name", "PIN"), ("value", "hunter1")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        repeats.env = Some(vec![pin.into()]);
        assert!(failure(&repeats).await.ends_with("called with (masked) --token (masked) --key=(masked) --port 4321"));
        let asking = ExecConfig { interactive_mode: Some(ExecInteractiveMode::Always), ..plugin("true") };
        assert!(failure(&asking).await.contains("asks on a terminal"));
        let hint = ExecConfig {
            command: Some("no-such-plugin-here".into()),
            install_hint: Some("install it".into()),
            ..ExecConfig::default()
        };
        assert_eq!(failure(&hint).await, "credential plugin `no-such-plugin-here` failed: there is no such program; install it");
    }

    #[tokio::test]
    async fn all_who_wait_for_one_plugin_share_one_run() {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("runs");
        let script = format!(r#"echo run >> {}; sleep 0.3; echo '{{"status":{{"token":"t"}}}}'"#, count.display());
        // each reads its own file
        let read = || {
            let pair = [("name", "PROFILE"), ("value", "ops")].map(|(name, value)| (name.to_owned(), value.to_owned()));
            ExecConfig { env: Some(vec![pair.into()]), ..plugin(&script) }
        };
        let all: Vec<_> = (0..12).map(|_| read()).collect();
        let answers = futures::future::join_all(all.iter().map(ask)).await;
        let slow = read();
        assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|given| given.token.as_deref() == Some("t"))));
        assert_eq!(std::fs::read_to_string(&count).unwrap().lines().count(), 1);
        assert!(ask(&slow).await.is_ok());
        assert_eq!(std::fs::read_to_string(&count).unwrap().lines().count(), 1, "a moment later it is the same answer");
    }

    #[tokio::test]
    async fn a_slow_plugin_runs_on_when_whoever_waited_gives_up_and_its_answer_is_taken_later() {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("runs");
        let slow = plugin(&format!(r#"echo run >> {}; sleep 1; echo '{{"status":{{"token":"t"}}}}'"#, count.display()));
        assert!(timeout(Duration::from_millis(200), ask(&slow)).await.is_err());
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let began = Instant::now();
        assert!(ask(&slow).await.is_ok());
        assert!(began.elapsed() < Duration::from_millis(900), "it was run again");
        assert_eq!(std::fs::read_to_string(&count).unwrap().lines().count(), 1);
    }

    #[tokio::test]
    async fn what_a_plugin_is_told_of_its_cluster_keeps_its_answers_apart_and_its_runs_one_after_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let told = |server: &str| {
            let cluster = ExecAuthCluster { server: Some(server.to_owned()), ..ExecAuthCluster::default() };
            let alone = format!("mkdir {0} || exit 3; sleep 0.2; rmdir {0}; ", dir.path().join("running").display());
            let script = r#"case $KUBERNETES_EXEC_INFO in *"//one"*) t=one;; *"//two"*) t=two;; *) t=none;; esac; echo '{"status":{"token":"'$t'"}}'"#;
            ExecConfig { provide_cluster_info: true, cluster: Some(cluster), ..plugin(&(alone + script)) }
        };
        let (one, two) = (told("https://one"), told("https://two"));
        let (first, second) = tokio::join!(ask(&one), ask(&two));
        assert_eq!(first.unwrap().token.as_deref(), Some("one"));
        assert_eq!(second.unwrap().token.as_deref(), Some("two"));
    }

    #[tokio::test]
    async fn a_plugin_that_never_ends_is_ended_after_thirty_seconds_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let script = "sleep 600 & echo $! > D/child; echo $$ > D/leader.new; mv D/leader.new D/leader; wait";
        let stuck = plugin(&script.replace('D', &dir.path().display().to_string()));
        // one that has ended and was not asked for yet has no command line
        let alive = |name: &str| {
            let pid = std::fs::read_to_string(dir.path().join(name)).unwrap();
            std::fs::read(format!("/proc/{}/cmdline", pid.trim())).is_ok_and(|line| !line.is_empty())
        };
        let run = start(stuck);
        while !dir.path().join("leader").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(24)).await;
        assert!(run.outcome.clone().now_or_never().is_none() && alive("leader") && alive("child"), "it was ended too early");
        tokio::time::advance(Duration::from_secs(7)).await;
        let why = run.outcome.await.err().unwrap();
        assert!(why.contains("did not end within 30 s"), "{why}");
        while alive("leader") || alive("child") {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
