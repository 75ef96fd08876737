//! One operation from its turn to its end: admitted, written down, sent, verified by observation.

mod sending;

use super::audit::Stage;
use super::batch::Batch;
use super::calloff::{Why, call_off, take_back};
use super::journal::Entry;
use super::shared::{Paused, Shared, Stop};
use crate::analysis::rollout::{self, Verdict};
use crate::analysis::{steps, undo};
use crate::backend::Backend;
use crate::model::{Expect, Fact, Link, OpState, Operation, Progress, Text};
use crate::util::humanize::age_of;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep_until};

/// Longest time from then on until the facts must agree.
const VERIFY: Duration = Duration::from_secs(10 * 60);
/// How often facts are looked at again when no picture came.
const LOOK: Duration = Duration::from_secs(1);

/// An operation under way.
pub(super) struct Run {
    op: Operation,
    /// What it was asked for together with.
    batch: Option<Arc<Batch>>,
    /// What is kept of a stepwise one while it is under way.
    entry: Option<Entry>,
    /// The entry on its way to the disk.
    keeping: Option<JoinHandle<io::Result<Entry>>>,
    /// A stepwise one may have done some of its steps.
    begun: bool,
    /// Its turn at its object, which is over when all is.
    turn: Option<OwnedMutexGuard<()>>,
    stop: Stop,
    paused: Paused,
    shared: Arc<Shared>,
    /// Its intent was handed over to be written down, so its end is too.
    on_record: bool,
}

/// How an operation ended.
type Ended = (OpState, Text);

impl Run {
    pub(super) fn new(
        op: Operation,
        batch: Option<Arc<Batch>>,
        entry: Option<Entry>,
        stop: Stop,
        paused: Paused,
        shared: Arc<Shared>,
    ) -> Self {
        // one that waits for its first turn is queued, and one that goes on was paused
        let begun = op.state == OpState::Paused;
        Self {
            op: Operation { state: OpState::Queued, ..op },
            batch,
            entry,
            keeping: None,
            begun,
            turn: None,
            stop,
            paused,
            shared,
            on_record: false,
        }
    }

    /// Runs to the end, whatever that is.
    pub(super) async fn run(mut self, turn: Arc<Mutex<()>>, room: Arc<Semaphore>) {
        let Stop { cancel, pause } = self.stop.clone();
        let ended = tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            () = pause.cancelled() => Some((OpState::Paused, Text::new("paused: resume it to go on"))),
            ended = self.go(Arc::clone(&turn), room) => Some(ended),
        };
        // also of one that was stopped while it was written: it would be offered again as if nobody had hold of it
        self.kept().await;
        // one that goes on waits for its turn: what it had done before its pause is still there
        let waits = self.begun && self.op.state == OpState::Queued;
        let left = self.shared.stop.is_cancelled() && (waits || self.op.state == OpState::Running) && self.entry.is_some();
        let (state, note) = match ended {
            Some((OpState::Paused, words)) if pause.is_cancelled() => {
                let back = self.back(Why::Pause).await;
                (OpState::Paused, back.map_or_else(|why| why, |back| back.unwrap_or(words)))
            }
            Some(ended) => ended,
            None if left => (OpState::Paused, Text::new("Quarterdeck ended: it can be resumed when it runs again")),
            None if waits => {
                drop(self.turn.take());
                return call_off(self.op, self.entry, turn, self.paused, self.shared).await;
            }
            None => self.cancelled().await,
        };
        self.op.state = state;
        self.op.progress.note = note;
        if state == OpState::Paused {
            self.paused.lock().insert(self.op.id, self.entry.take());
        } else {
            if let Some(entry) = self.entry.take() {
                entry.over();
            }
            self.op.ended = Some(self.shared.now());
        }
        if state == OpState::Done {
            // the last step was not reported by itself
            self.op.progress.done = self.op.progress.total;
        }
        let written = Stage::of(state).filter(|_| self.on_record).map(|stage| self.shared.record(stage, &self.op));
        self.tell().await;
        if let Some(written) = written {
            self.shared.outcome(&self.op, written.await).await;
        }
    }

    async fn go(&mut self, turn: Arc<Mutex<()>>, room: Arc<Semaphore>) -> Ended {
        self.turn = Some(turn.lock_owned().await);
        let batch = self.batch.clone();
        // before the room that all share: what waits for its own batch is in nobody else's way
        let _place = match &batch {
            Some(batch) => match batch.place().await {
                Ok(place) => Some(place),
                Err(why) => return (OpState::Cancelled, why),
            },
            None => None,
        };
        let ended = self.act(room).await;
        if let (OpState::Failed | OpState::Paused, Some(batch)) = (ended.0, &batch) {
            // while it still has its place: the next one must know
            batch.failed(&self.op.title);
        }
        ended
    }

    async fn act(&mut self, room: Arc<Semaphore>) -> Ended {
        let Ok(_room) = room.acquire_owned().await else { return failed("the engine has stopped") };
        let backend = match self.admit() {
            Ok(backend) => backend,
            Err(why) => return (self.not_now(), why),
        };
        self.op.state = OpState::Running;
        self.tell().await;
        // handed over before it is waited for: from here on there is something to tell the end of
        self.on_record = true;
        if let Err(why) = self.shared.record(Stage::Intent, &self.op).await {
            self.on_record = false;
            let why = format!("nothing was sent, because it cannot be put on record: {why}");
            return (self.not_now(), Text::from(why));
        }
        self.keep().await;
        let again = std::mem::replace(&mut self.begun, self.op.intent.action.kind().spec().stepwise);
        match self.send(backend, again).await {
            Ok(expect) => {
                let taken = self.shared.record(Stage::Taken, &self.op).await;
                self.shared.outcome(&self.op, taken).await;
                self.verify(expect).await
            }
            Err((state, why)) => (state, why),
        }
    }

    /// What becomes of the operation where it cannot go on now: what had begun waits.
    fn not_now(&self) -> OpState {
        if self.begun { OpState::Paused } else { OpState::Failed }
    }

    /// Keeps a stepwise operation beyond the end of this program.
    async fn keep(&mut self) {
        let Some(folder) = self.shared.options.journal.clone() else { return };
        if self.entry.is_some() || !self.op.intent.action.kind().spec().stepwise {
            return;
        }
        let op = self.op.clone();
        self.keeping = Some(tokio::task::spawn_blocking(move || Entry::new(&folder, &op)));
        self.kept().await;
    }

    /// Takes hold of the entry that is on its way to the disk, if one is. What is dropped meanwhile can be called again.
    async fn kept(&mut self) {
        let Some(keeping) = &mut self.keeping else { return };
        let kept = keeping.await;
        self.keeping = None;
        match kept {
            Ok(Ok(entry)) => self.entry = Some(entry),
            Ok(Err(error)) => {
                let folder = self.shared.options.journal.as_deref().unwrap_or(Path::new("")).display();
                let words = format!("{} will not go on after the end of this program: {folder}: {error}", self.op.title);
                self.shared.warn(words).await;
            }
            Err(_) => {}
        }
    }

    /// Whether it may be sent now, and through what; else why not.
    fn admit(&self) -> Result<Arc<dyn Backend>, Text> {
        let object = &self.op.intent.object;
        let name = &object.cluster;
        let label = self.op.intent.action.kind().spec().label;
        let world = self.shared.picture();
        let Some(state) = world.cluster(name) else { return Err(Text::from(format!("there is no cluster {name}"))) };
        let cluster = &state.cluster;
        if cluster.read_only {
            return Err(Text::from(format!("{name} is read-only here: nothing was sent")));
        }
        if !cluster.capabilities.can(self.op.intent.action.kind()) {
            return Err(Text::from(format!("{} {name} cannot {label}: nothing was sent", cluster.kind.word())));
        }
        match (&cluster.link, self.shared.backend(name)) {
            (Link::Live, Some(backend)) => Ok(backend),
            (link, _) => {
                let word = if link.is_live() { "connecting anew" } else { link.word() };
                Err(Text::from(format!("{name} is {word}: nothing was sent; try again when it is live")))
            }
        }
    }

    /// Watches the facts until they agree. Tasks are polled quickly meanwhile.
    async fn verify(&mut self, expect: Expect) -> Ended {
        let id = self.op.intent.object.cluster.clone();
        let _tasks = self.shared.handle(&id).map(|handle| handle.wants.watch_tasks());
        let mut world = self.shared.world.clone();
        let taken = self.shared.now();
        let limit = VERIFY + self.grace();
        let deadline = Instant::now() + limit;
        let mut tick = interval(LOOK);
        self.op.state = OpState::Verifying;
        if let Some(undo) = &mut self.op.undo {
            undo::taken(&expect, undo);
        }
        self.tell().await;
        loop {
            let picture = Arc::clone(&world.borrow_and_update());
            if let Some(state) = picture.cluster(&id) {
                if state.cluster.link.is_live() {
                    match rollout::verdict(state, &expect, taken, self.shared.now()) {
                        Verdict::Done(words) => {
                            if let Some(undo) = &mut self.op.undo {
                                undo::complete(state, &expect, undo);
                            }
                            let words = match steps::landed(state, &self.op) {
                                Some(where_to) => Text::from(format!("{words}; {where_to}")),
                                None => words,
                            };
                            return (OpState::Done, words);
                        }
                        Verdict::Failed(words) => return (OpState::Failed, words),
                        Verdict::Pending(progress) => self.progress(progress).await,
                    }
                } else {
                    let note = Text::from(format!("{id} is {}: waiting for it, to see how it went", state.cluster.link.word()));
                    self.progress(Progress { note, ..self.op.progress.clone() }).await;
                }
            }
            drop(picture);
            tokio::select! {
                Ok(()) = world.changed() => {}
                _ = tick.tick() => {}
                () = sleep_until(deadline) => {
                    return failed(&format!(
                        "taken, but not seen to have happened within {}; last: {}",
                        age_of(limit),
                        self.op.progress.note
                    ));
                }
            }
        }
    }

    async fn progress(&mut self, progress: Progress) {
        if self.op.progress != progress {
            self.op.progress = progress;
            self.tell().await;
        }
    }

    async fn tell(&self) {
        self.shared.tell(Fact::Operation(self.op.clone())).await;
    }

    /// The end of one that was cancelled: what it had added for the time being is taken back first. As long as it cannot be, it
    /// is not forgotten.
    async fn cancelled(&mut self) -> Ended {
        let words = self.cancelled_words();
        match self.back(Why::Cancel).await {
            Ok(Some(back)) => (OpState::Cancelled, back),
            Ok(None) => (OpState::Cancelled, words),
            Err(why) => (OpState::Paused, why),
        }
    }

    /// Takes back what it had added, where it was under way.
    async fn back(&mut self, why: Why) -> Result<Option<Text>, Text> {
        if self.op.state != OpState::Running || !self.begun {
            return Ok(None);
        }
        let shared = Arc::clone(&self.shared);
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => Err(Text::new("Quarterdeck ended before what it added was taken back")),
            done = take_back(&mut self.op, why, &shared) => done,
        }
    }

    fn cancelled_words(&self) -> Text {
        let Progress { done, total, note } = &self.op.progress;
        let by = if self.shared.stop.is_cancelled() { "Quarterdeck ended" } else { "cancelled" };
        let so_far = match (*total, note.is_empty()) {
            (0, true) => String::new(),
            (0, false) => format!(" Last: {note}"),
            _ => format!(" {done} of {total} by then."),
        };
        Text::from(match self.op.state {
            OpState::Running => format!("{by} while it was being sent: what the platform had taken by then goes on.{so_far}"),
            OpState::Verifying => format!("{by}: the platform has taken it and goes on; it is no longer followed.{so_far}"),
            _ => format!("{by} before anything was sent"),
        })
    }
}

fn failed(words: &str) -> Ended {
    (OpState::Failed, Text::new(words))
}
