//! A scripted cluster for the engine's tests: it does what the test tells it to, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::backend::*;
use crate::model::*;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

/// What one opened log stream sends.
type LogStream = mpsc::Receiver<Result<Vec<LogLine>, BackendError>>;

/// How the cluster answers connects, pings and requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Mood {
    #[default]
    Well,
    /// Never answers.
    Silent,
    Refusing,
    Unauthorised,
    Panicking,
}

#[derive(Default)]
pub(super) struct Script {
    pub(super) mood: Mutex<Mood>,
    pub(super) connects: AtomicU32,
    pub(super) watches: AtomicU32,
    pub(super) pings: AtomicU32,
    /// When it answered something that sends no delta.
    pub(super) heard: Mutex<Option<Instant>>,
    /// When each connect was tried.
    pub(super) tried: Mutex<Vec<Instant>>,
    /// Ends the session's watch with this error when set.
    pub(super) end: Mutex<Option<BackendError>>,
    pub(super) panic_in_watch: AtomicBool,
    /// What the next watch lists.
    pub(super) rows: Mutex<Vec<Service>>,
    pub(super) tasks: Mutex<Vec<Task>>,
    /// Deltas sent into the present watch.
    pub(super) live: Mutex<Option<mpsc::Sender<Delta>>>,
    pub(super) interest: Mutex<Option<tokio::sync::watch::Receiver<Interest>>>,
    /// What it says when it is asked what it would refuse.
    pub(super) denied: Mutex<Option<Vec<(ActionKind, Text)>>>,
    pub(super) execute_takes: Mutex<Duration>,
    /// What it answers to actions, where it refuses them.
    pub(super) refuses: Mutex<Option<BackendError>>,
    /// It turns out to be a swarm.
    pub(super) swarm: AtomicBool,
    /// What it says when it takes back what was added, and how often it was asked.
    pub(super) added: Mutex<Option<String>>,
    pub(super) took_back: AtomicU32,
    pub(super) executed: Mutex<Vec<(Intent, Instant)>>,
    pub(super) expect: Mutex<Option<Expect>>,
    /// Log streams: what each opened stream of a task sends, in order of opening.
    pub(super) logs: Mutex<HashMap<Key, Vec<LogStream>>>,
    pub(super) opened: Mutex<Vec<LogRequest>>,
}

impl Script {
    pub(super) fn set(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }

    pub(super) async fn send(&self, delta: Delta) {
        let live = self.live.lock().clone();
        live.expect("a watch runs").send(delta).await.expect("the watch takes it");
    }

    /// A log stream of a task, for the next time it is opened.
    pub(super) fn stream(&self, task: &str) -> mpsc::Sender<Result<Vec<LogLine>, BackendError>> {
        let (lines, stream) = mpsc::channel(16_384);
        self.logs.lock().entry(Key::from(task)).or_default().push(stream);
        lines
    }

    async fn answer(&self) -> Result<(), BackendError> {
        let mood = self.mood.lock().clone();
        match mood {
            Mood::Well => Ok(()),
            Mood::Silent => std::future::pending().await,
            Mood::Refusing => Err(BackendError::Unreachable("connection refused".into())),
            Mood::Unauthorised => Err(BackendError::Unauthorised("token expired; log in again".into())),
            Mood::Panicking => panic!("scripted panic"),
        }
    }
}

pub(super) struct Fake {
    pub(super) name: &'static str,
    pub(super) script: Arc<Script>,
}

impl Connector for Fake {
    fn cluster(&self) -> Cluster {
        Cluster {
            id: ClusterId::from(self.name),
            kind: ClusterKind::Kubernetes,
            endpoint: Text::new("https://fake"),
            version: None,
            link: Link::Connecting,
            protected: false,
            read_only: false,
            capabilities: Capabilities::default(),
            engine: None,
        }
    }

    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn Backend>, BackendError>> {
        Box::pin(async {
            self.script.connects.fetch_add(1, SeqCst);
            self.script.tried.lock().push(Instant::now());
            self.script.answer().await?;
            Ok(Arc::new(Session(Arc::clone(&self.script))) as Arc<dyn Backend>)
        })
    }
}

struct Session(Arc<Script>);

impl Backend for Session {
    fn about(&self) -> About {
        About {
            kind: if self.0.swarm.load(SeqCst) { ClusterKind::Swarm } else { ClusterKind::Kubernetes },
            version: Text::new("1.33"),
            capabilities: Capabilities::of(&[
                ActionKind::Scale,
                ActionKind::Redeploy,
                ActionKind::Rebalance,
                ActionKind::Evacuate,
                ActionKind::Reschedule,
                ActionKind::DeleteTask,
                ActionKind::Demote,
            ]),
            engine: None,
        }
    }

    fn watch<'a>(&'a self, sink: &'a Sink) -> BoxFuture<'a, BackendError> {
        Box::pin(async move {
            let script = &self.0;
            script.watches.fetch_add(1, SeqCst);
            let (live, mut deltas) = mpsc::channel(64);
            *script.live.lock() = Some(live);
            *script.interest.lock() = Some(sink.interest());
            sink.send(Delta::Service(Change::Begin)).await;
            let rows = script.rows.lock().clone();
            for row in rows {
                sink.send(Delta::Service(Change::Upsert(row))).await;
            }
            sink.send(Delta::Service(Change::End)).await;
            sink.send(Delta::Task(Change::Begin)).await;
            let tasks = script.tasks.lock().clone();
            for task in tasks {
                sink.send(Delta::Task(Change::Upsert(task))).await;
            }
            sink.send(Delta::Task(Change::End)).await;
            loop {
                tokio::select! {
                    Some(delta) = deltas.recv() => sink.send(delta).await,
                    () = sleep(Duration::from_millis(100)) => {}
                }
                if script.panic_in_watch.swap(false, SeqCst) {
                    panic!("scripted panic");
                }
                if let Some(error) = script.end.lock().take() {
                    return error;
                }
            }
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        self.0.pings.fetch_add(1, SeqCst);
        Box::pin(self.0.answer())
    }

    fn heard(&self) -> Option<Instant> {
        *self.0.heard.lock()
    }

    fn execute<'a>(&'a self, intent: &'a Intent, progress: &'a ProgressSink) -> BoxFuture<'a, Result<Expect, BackendError>> {
        Box::pin(async move {
            self.0.executed.lock().push((intent.clone(), Instant::now()));
            progress.report(Progress { done: 0, total: 1, note: Text::new("sending") });
            let takes = *self.0.execute_takes.lock();
            sleep(takes).await;
            self.0.answer().await?;
            if let Some(error) = self.0.refuses.lock().clone() {
                return Err(error);
            }
            Ok(self.0.expect.lock().clone().unwrap_or(Expect::Nothing))
        })
    }

    fn take_back<'a>(&'a self, _intent: &'a Intent) -> BoxFuture<'a, Result<Option<String>, BackendError>> {
        Box::pin(async move {
            self.0.took_back.fetch_add(1, SeqCst);
            self.0.answer().await?;
            Ok(self.0.added.lock().clone())
        })
    }

    fn denied<'a>(&'a self, _object: &'a ObjectRef, actions: &'a [ActionKind]) -> BoxFuture<'a, Option<Vec<(ActionKind, Text)>>> {
        assert_eq!(actions, [ActionKind::Scale, ActionKind::Redeploy, ActionKind::Rebalance], "what it can do with a service");
        let answer = self.0.denied.lock().clone();
        Box::pin(async move { answer })
    }

    fn survey<'a>(&'a self, _object: &'a ObjectRef, _action: ActionKind) -> BoxFuture<'a, Result<Found, BackendError>> {
        Box::pin(async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok(Found::Swarm(7))
        })
    }

    fn join(&self, _managers: bool) -> BoxFuture<'_, Result<(Secret, Text), BackendError>> {
        Box::pin(std::future::ready(Ok((Secret::new("token"), Text::new("address")))))
    }

    fn logs(&self, request: LogRequest) -> BoxStream<'static, Result<Vec<LogLine>, BackendError>> {
        let mut logs = self.0.logs.lock();
        let streams = logs.entry(request.task.clone()).or_default();
        self.0.opened.lock().push(request);
        if streams.is_empty() {
            return futures::stream::pending().boxed();
        }
        let stream = streams.remove(0);
        futures::stream::unfold(stream, |mut stream| async move { stream.recv().await.map(|item| (item, stream)) }).boxed()
    }

    fn inspect<'a>(&'a self, object: &'a ObjectRef) -> BoxFuture<'a, Result<String, BackendError>> {
        Box::pin(async move {
            self.0.answer().await?;
            Ok(format!("kind: {}\nname: {}\n", object.kind.word(), object.key))
        })
    }
}
