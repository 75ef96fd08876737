//! The record of what was done, written by processes that are killed, that write at once, and that may not write.

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use quarterdeck::backend::{About, Backend, BackendError, Connector, LogRequest, ProgressSink, Sink};
use quarterdeck::engine::audit::{self, Chain, Origin, Record, Stage};
use quarterdeck::engine::{Audit, Engine, Options};
use quarterdeck::model::*;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// What a child of these tests does, and where.
const STEP: &str = "AUDIT_TEST_STEP";
const FOLDER: &str = "AUDIT_TEST_FOLDER";
const SIGKILL: i32 = 9;

fn child(step: &str, folder: &Path) -> Command {
    // by this name also whoever may not look into the folder of the tests can start it
    let own = Path::new("/proc/self/exe");
    let program = if own.exists() { own.to_owned() } else { std::env::current_exe().unwrap() };
    let mut command = Command::new(program);
    command.args(["audit::a_child", "--exact", "--ignored", "--nocapture"]).env(STEP, step).env(FOLDER, folder);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn die() -> ! {
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
    unreachable!("killed")
}

/// A platform that writes down what it is asked to do, and on which the process can be killed.
struct Platform {
    step: String,
    folder: PathBuf,
}

impl Platform {
    fn asked(&self, words: &str) {
        let path = self.folder.join("asked");
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(format!("{words}\n").as_bytes()).unwrap();
    }
}

struct Door(Arc<Platform>);
struct Inside(Arc<Platform>);

impl Connector for Door {
    fn cluster(&self) -> Cluster {
        Cluster {
            id: ClusterId::from("one"),
            kind: ClusterKind::Docker,
            endpoint: Text::new("unix:///one"),
            version: None,
            link: Link::Connecting,
            protected: false,
            read_only: false,
            capabilities: Capabilities::default(),
            engine: None,
        }
    }

    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn Backend>, BackendError>> {
        let inside: Arc<dyn Backend> = Arc::new(Inside(Arc::clone(&self.0)));
        Box::pin(async { Ok(inside) })
    }
}

impl Backend for Inside {
    fn about(&self) -> About {
        let capabilities = Capabilities::of(&[ActionKind::Scale]);
        About { kind: ClusterKind::Docker, version: Text::new("1"), capabilities, engine: None }
    }

    fn watch<'a>(&'a self, _sink: &'a Sink) -> BoxFuture<'a, BackendError> {
        Box::pin(std::future::pending())
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(async { Ok(()) })
    }

    fn execute<'a>(&'a self, intent: &'a Intent, _progress: &'a ProgressSink) -> BoxFuture<'a, Result<Expect, BackendError>> {
        Box::pin(async {
            self.0.asked(&intent.name);
            match self.0.step.as_str() {
                "sending" => die(),
                "refused" => Err(BackendError::Forbidden("no".into())),
                _ => Ok(Expect::Nothing),
            }
        })
    }

    fn logs(&self, _request: LogRequest) -> BoxStream<'static, Result<Vec<LogLine>, BackendError>> {
        Box::pin(futures::stream::pending())
    }

    fn inspect<'a>(&'a self, _object: &'a ObjectRef) -> BoxFuture<'a, Result<String, BackendError>> {
        Box::pin(std::future::pending())
    }
}

fn record(name: &str) -> Record {
    serde_json::from_value(serde_json::json!({
        "at": "2026-03-01T10:15:00.123Z", "stage": "intent", "op": name, "by": "me@here", "version": "0", "cluster": "one",
        "platform": "docker", "endpoint": "unix:///one", "kind": "service", "name": name, "uid": "u", "spec_rev": 7,
        "action": "scale", "parameters": {"to": 5}, "title": "scale web 2→5",
    }))
    .unwrap()
}

/// Not a test: what the tests below start as processes of their own.
#[test]
#[ignore = "started by the other tests"]
fn a_child() {
    let (Ok(step), Ok(folder)) = (std::env::var(STEP), std::env::var(FOLDER)) else { return };
    let folder = PathBuf::from(folder);
    let at = folder.join("audit");
    if step == "append" {
        let chain = Chain::new(&at);
        (0..100).for_each(|n| chain.append(&record(&format!("{}-{n}", std::process::id()))).unwrap());
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(operate(step, folder, at));
}

async fn operate(step: String, folder: PathBuf, at: PathBuf) {
    let platform = Arc::new(Platform { step: step.clone(), folder });
    let options = Options { audit: Some(Arc::new(Audit::new(&at, Origin::default()))), ..Options::default() };
    let mut engine = Engine::start(vec![Arc::new(Door(platform))], options);
    let limit = Duration::from_secs(20);
    let mut world = engine.world.clone();
    let live = world.wait_for(|w| w.clusters[0].cluster.link.is_live());
    drop(tokio::time::timeout(limit, live).await.unwrap().unwrap());
    let object = ObjectRef { cluster: ClusterId::from("one"), kind: Kind::Service, key: Key::from("web") };
    let bound = Bound { uid: Key::from("web"), spec_rev: 7 };
    let name = Text::from(format!("{}", std::process::id()));
    let intent = Intent { object, name, action: Action::Scale { to: 5 }, bound };
    engine.requests.send(Request::Execute { intent, title: Text::new("scale web") }).await.unwrap();
    let reached = |state: OpState| match step.as_str() {
        "asked" => true,
        "running" => state != OpState::Queued,
        "taken" => state >= OpState::Verifying,
        _ => state.ended(),
    };
    let seen = engine.world.wait_for(|w| w.operations.iter().any(|op| reached(op.state)));
    let seen = tokio::time::timeout(limit, seen).await.unwrap().unwrap().clone();
    if step == "may not write" {
        let op = &seen.operations[0];
        assert_eq!(op.state, OpState::Failed);
        assert!(op.progress.note.contains("nothing was sent, because it cannot be put on record"), "{}", op.progress.note);
        return;
    }
    die();
}

fn asked(folder: &Path) -> Vec<String> {
    fs::read_to_string(folder.join("asked")).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn whatever_the_platform_was_asked_to_do_is_on_record_wherever_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("audit");
    for round in 0..3 {
        for step in ["asked", "running", "sending", "taken", "refused", "ended"] {
            let status = child(step, folder.path()).status().unwrap();
            assert_eq!(status.signal(), Some(SIGKILL), "{step}, round {round}: {status}");
            let seen = audit::verify(&at).unwrap_or_else(|broken| panic!("{step}, round {round}: {broken}"));
            assert!(seen.torn.is_empty(), "{seen:?}");
        }
    }
    let records: Vec<Record> = audit::lines(&at).unwrap().into_iter().map(|line| line.record.unwrap()).collect();
    let asked = asked(folder.path());
    assert!(asked.len() >= 12, "{} of 18 came as far as the platform", asked.len());
    for name in &asked {
        let of: Vec<Stage> = records.iter().filter(|record| record.name == *name).map(|record| record.stage).collect();
        assert_eq!(of.first(), Some(&Stage::Intent), "{name}: {of:?}");
    }
    let count = |stage| records.iter().filter(|record| record.stage == stage).count();
    assert!(count(Stage::Taken) >= 3 && count(Stage::Intent) >= count(Stage::Taken), "{records:#?}");
}

/// How far two processes had come when they were killed.
fn killed(folder: &Path, after: Duration) {
    let start = || child("append", folder).spawn().unwrap();
    let mut both: [Child; 2] = [start(), start()];
    std::thread::sleep(after);
    for child in &mut both {
        let _ = child.kill();
        child.wait().unwrap();
    }
}

#[test]
fn two_processes_write_one_chain_also_when_they_are_killed_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("audit");
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    for round in 0..8_u64 {
        let after = (seed.wrapping_add(round)).wrapping_mul(6_364_136_223_846_793_005) >> 33;
        killed(folder.path(), Duration::from_millis(20 + after % 180));
        audit::verify(&at).unwrap_or_else(|broken| panic!("seed {seed}, round {round}: {broken}"));
    }
    let before = audit::verify(&at).unwrap().records;
    let both = [child("append", folder.path()).spawn().unwrap(), child("append", folder.path()).spawn().unwrap()];
    for mut child in both {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(audit::verify(&at).unwrap().records, before + 200, "every record of both is there");
}

#[test]
fn a_folder_that_may_not_be_written_refuses_actions() {
    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let at = folder.path().join("audit");
    fs::create_dir(&at).unwrap();
    let mut command = child("may not write", folder.path());
    // root may write everywhere
    if rustix::process::getuid().is_root() {
        std::os::unix::fs::chown(&at, Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    fs::set_permissions(&at, fs::Permissions::from_mode(0o500)).unwrap();
    let out = command.stdout(Stdio::piped()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    assert!(String::from_utf8_lossy(&out.stdout).contains("1 passed"), "the child ran nothing");
    assert!(asked(folder.path()).is_empty(), "the platform was asked all the same");
    assert_eq!(fs::read_dir(&at).unwrap().count(), 0);
}

fn quarterdeck(home: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
    let out = command.args(args).env_clear().env("HOME", home).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

#[test]
fn the_command_shows_and_checks_what_was_done() {
    let home = tempfile::tempdir().unwrap();
    let (code, shown, said) = quarterdeck(home.path(), &["audit"]);
    assert!(code == Some(0) && shown.is_empty() && said.contains("nothing is on record"), "{said}");
    assert_eq!(quarterdeck(home.path(), &["audit", "--verify"]).0, Some(0));
    let at = home.path().join(".local/state/quarterdeck/audit");
    let chain = Chain::new(&at);
    for (name, cluster, when) in [("a", "one", "2026-03-01T10:15:00.123Z"), ("b", "two", "2999-01-01T00:00:00Z"), ("c", "two", "")]
    {
        let record = Record { cluster: cluster.into(), at: when.into(), note: "\u{1b}[31mred".into(), ..record(name) };
        chain.append(&record).unwrap();
    }
    let (_, shown, _) = quarterdeck(home.path(), &["audit"]);
    assert_eq!(shown.lines().count(), 3);
    assert!(shown.starts_with("2026-03-01T10:15:00.123Z  intent  one  scale web 2→5  me@here"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "what is in the file must not steer the terminal");
    let (_, shown, _) = quarterdeck(home.path(), &["audit", "--since", "7d", "--json"]);
    let names = |shown: &str| -> Vec<String> {
        let name = |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].as_str().unwrap().to_owned();
        shown.lines().map(name).collect()
    };
    assert_eq!(names(&shown), ["b", "c"]);
    let (_, shown, _) = quarterdeck(home.path(), &["audit", "--cluster", "one", "--json"]);
    assert_eq!(names(&shown), ["a"]);
    let (code, shown, _) = quarterdeck(home.path(), &["audit", "--verify"]);
    assert!(code == Some(0) && shown.starts_with("the chain holds: 3 records in "), "{shown}");
    let file = at.join("audit-000001.jsonl");
    fs::write(&file, fs::read_to_string(&file).unwrap().replacen("\"b\"", "\"d\"", 1)).unwrap();
    let (code, shown, said) = quarterdeck(home.path(), &["audit", "--verify"]);
    assert!(code == Some(1) && shown.is_empty(), "{shown}");
    assert_eq!(
        said,
        format!(
            "quarterdeck: the chain is broken: {}:3: record 3 does not follow record 2 as it stands before it: one of the two was changed\n",
            file.display()
        )
    );
}

#[test]
fn the_demo_writes_nothing_down() {
    let home = tempfile::tempdir().unwrap();
    let args = ["snapshot", "--demo", "--pane", "services", "--size", "120x40", "--keys", "r enter 9", "--wait", "5s"];
    let (code, shown, said) = quarterdeck(home.path(), &args);
    assert!(code == Some(0) && shown.contains("redeploy "), "nothing was done: {said}\n{shown}");
    let left = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert!(left.is_empty(), "{left:?}");
}
