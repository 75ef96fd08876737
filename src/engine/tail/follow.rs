//! One log view: its readers, those that join later, and what they say in one order.

use super::super::shared::Shared;
use super::stream::{Piece, Reader, Said};
use crate::backend::LogRequest;
use crate::model::{
    ClusterState, Fact, Key, Kind, LogItem, LogLine, LogTarget, Service, ServiceKind, TailId, TailState, Task, TaskState, Text,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Streams of one view.
const STREAMS: usize = 60;
/// Pieces that may wait in a view.
const PIECES: usize = 64;
/// Time to collect what was written before the view was opened, to show it in the order of its times.
const COLLECT: Duration = Duration::from_millis(300);
/// Least time between two batches of lines for the store.
const PACE: Duration = Duration::from_millis(50);
/// Lines taken in that time. More than that (40,000 a second) nobody reads, and it must not hold up the fleet's facts.
const LINES: usize = 2_000;
/// Ended tasks that are read where none lives: what a Job or a crashed service said last.
const ENDED: usize = 5;

/// See the module's description.
pub(super) struct Follow {
    id: TailId,
    target: LogTarget,
    shared: Arc<Shared>,
    readers: JoinSet<()>,
    /// The tasks that are or were read.
    known: HashMap<Key, Known>,
    /// Whether any task was read yet.
    begun: bool,
    reading: usize,
    pieces: mpsc::Sender<Piece>,
    items: Vec<LogItem>,
    lines: usize,
    state: TailState,
    /// Whether it was said that not all streams are read.
    limited: bool,
    refused: Option<Text>,
}

/// A task of the view.
struct Known {
    /// Its short name.
    label: Text,
    /// Whether its reader runs.
    reading: bool,
}

/// Runs until all streams ended for good. Dropping it closes them.
pub(super) async fn run(id: TailId, target: LogTarget, shared: Arc<Shared>) {
    let (pieces, incoming) = mpsc::channel(PIECES);
    let follow = Follow {
        id,
        target,
        shared,
        readers: JoinSet::new(),
        known: HashMap::new(),
        begun: false,
        reading: 0,
        pieces,
        items: Vec::new(),
        lines: 0,
        state: TailState::Opening,
        limited: false,
        refused: None,
    };
    follow.run(incoming).await;
}

impl Follow {
    async fn run(mut self, mut incoming: mpsc::Receiver<Piece>) {
        let mut world = self.shared.world.clone();
        self.join(true);
        self.backlog(&mut incoming).await;
        let mut due = Instant::now();
        loop {
            self.flush().await;
            if self.tell_state().await {
                return;
            }
            tokio::select! {
                piece = incoming.recv() => if let Some(piece) = piece {
                    self.take(piece);
                },
                Ok(()) = world.changed() => self.join(false),
            }
            // all that comes until then belongs to the same batch: many tasks make many small pieces
            while self.lines < LINES
                && let Ok(Some(piece)) = timeout_at(due, incoming.recv()).await
            {
                self.take(piece);
            }
            sleep_until(due).await;
            due = Instant::now() + PACE;
        }
    }

    /// Starts readers for tasks that have none; those that were there from the beginning join without a word.
    fn join(&mut self, first: bool) {
        let world = self.shared.picture();
        let Some(state) = world.cluster(&self.target.object.cluster) else { return };
        let wanted = wanted(state, &self.target, !self.begun);
        let service = match self.target.object.kind {
            Kind::Service => state.services.get(&self.target.object.key).map(|s| &**s),
            _ => None,
        };
        let (task, all) = (self.target.object.kind == Kind::Task, wanted.len());
        for row in wanted {
            if self.known.contains_key(&row.key) {
                continue;
            }
            if self.reading >= STREAMS {
                if !std::mem::replace(&mut self.limited, true) {
                    let reason = format!("only {STREAMS} of {all} tasks are read at a time");
                    self.gap(None, Text::from(reason));
                }
                return;
            }
            let label = label(row, service);
            if !first && !task {
                self.items.push(LogItem::Joined { at: self.shared.now(), task: label.clone() });
            }
            self.known.insert(row.key.clone(), Known { label: label.clone(), reading: true });
            self.begun = true;
            self.reading += 1;
            let tail = if first || task { backlog_lines(all) } else { 1_000 };
            let reader = Reader {
                cluster: self.target.object.cluster.clone(),
                request: LogRequest {
                    task: row.key.clone(),
                    name: row.name.clone(),
                    namespace: row.namespace.clone(),
                    container: self.target.container.clone(),
                    tail,
                    since: None,
                    previous: self.target.previous,
                },
                label,
                shared: Arc::clone(&self.shared),
                pieces: self.pieces.clone(),
            };
            self.readers.spawn(reader.run());
        }
        self.known.retain(|key, known| known.reading || state.tasks.get(key).is_some());
        while self.readers.try_join_next().is_some() {}
    }

    /// What was written before, by time and not by who answered first.
    async fn backlog(&mut self, incoming: &mut mpsc::Receiver<Piece>) {
        let end = Instant::now() + COLLECT;
        while let Ok(Some(piece)) = timeout_at(end, incoming.recv()).await {
            self.take(piece);
        }
        // lines without a time keep their place behind the line before them
        let mut last = None;
        let mut timed: Vec<_> = self
            .items
            .drain(..)
            .map(|item| {
                if let LogItem::Line(LogLine { at: Some(at), .. }) = &item {
                    last = Some(*at);
                }
                let at = match &item {
                    LogItem::Line(line) => line.at.or(last),
                    // marks stand at the end of what was before
                    LogItem::Gap { at, .. } | LogItem::Joined { at, .. } | LogItem::Left { at, .. } => Some(*at),
                };
                (at, item)
            })
            .collect();
        timed.sort_by_key(|(at, _)| *at);
        self.items = timed.into_iter().map(|(_, item)| item).collect();
    }

    fn take(&mut self, (key, said): Piece) {
        let Some(known) = self.known.get_mut(&key) else { return };
        let task = known.label.clone();
        known.reading = !matches!(said, Said::Left(_) | Said::Refused(_));
        match said {
            Said::Lines(lines) => {
                self.lines += lines.len();
                self.items.extend(lines.into_iter().map(LogItem::Line));
            }
            Said::Dropped(n) => self.gap(Some(n), Text::from(format!("{task}: lines came faster than they can be shown"))),
            Said::Lost(why) => self.gap(None, Text::from(format!("{task}: the stream was lost and is opened again: {why}"))),
            Said::Left(reason) => self.left(task, reason),
            Said::Refused(reason) => {
                self.refused = Some(reason.clone());
                self.left(task, reason);
            }
        }
    }

    fn gap(&mut self, lines: Option<u64>, reason: Text) {
        self.items.push(LogItem::Gap { at: self.shared.now(), lines, reason });
    }

    fn left(&mut self, task: Text, reason: Text) {
        self.reading = self.reading.saturating_sub(1);
        self.limited = false;
        self.items.push(LogItem::Left { at: self.shared.now(), task, reason });
    }

    async fn flush(&mut self) {
        self.lines = 0;
        if !self.items.is_empty() {
            let items = std::mem::take(&mut self.items);
            self.shared.tell(Fact::Log(self.id, items)).await;
        }
    }

    /// Says how the view stands if that changed. Returns whether it is over.
    async fn tell_state(&mut self) -> bool {
        let state = self.judge();
        let over = matches!(state, TailState::Ended | TailState::Failed(_));
        if state != self.state {
            self.state = state.clone();
            self.shared.tell(Fact::TailState(self.id, state)).await;
        }
        over
    }

    fn judge(&self) -> TailState {
        if self.reading > 0 {
            return TailState::Following(u32::try_from(self.reading).unwrap_or(u32::MAX));
        }
        let world = self.shared.picture();
        let state = world.cluster(&self.target.object.cluster);
        let more_to_come = state.is_some_and(|state| match self.target.object.kind {
            Kind::Service => state.services.get(&self.target.object.key).is_some_and(|s| !over(state, s)),
            _ => !self.begun && state.tasks.get(&self.target.object.key).is_some(),
        });
        match (&self.refused, more_to_come) {
            (Some(why), _) => TailState::Failed(why.clone()),
            (None, true) if !self.begun => TailState::Opening,
            (None, true) => TailState::Following(0),
            (None, false) if !self.begun => {
                TailState::Failed(Text::from(format!("the {} is gone", self.target.object.kind.word())))
            }
            (None, false) => TailState::Ended,
        }
    }
}

/// Whether a service makes no more tasks.
fn over(state: &ClusterState, service: &Service) -> bool {
    service.kind.runs_to_completion() && state.tasks_of(&service.key).all(|task| task.state.ended())
}

/// The tasks to read, oldest first. Where none lives and nothing was read yet: the last that ended.
fn wanted<'a>(state: &'a ClusterState, target: &LogTarget, fresh: bool) -> Vec<&'a Arc<Task>> {
    match target.object.kind {
        Kind::Service => {
            let mut all: Vec<_> = state.tasks_of(&target.object.key).collect();
            all.sort_unstable_by(|a, b| a.created.cmp(&b.created).then_with(|| a.key.cmp(&b.key)));
            let live: Vec<_> = all.iter().copied().filter(|task| has_log(task) && !task.state.ended()).collect();
            if live.is_empty() && fresh {
                all.retain(|task| task.state.ended());
                return all.split_off(all.len().saturating_sub(ENDED));
            }
            live
        }
        _ => state.tasks.get(&target.object.key).filter(|task| has_log(task) || target.previous).into_iter().collect(),
    }
}

/// Whether a container of the task has run, so that there is a log to open.
fn has_log(task: &Task) -> bool {
    match task.state {
        TaskState::Pending => false,
        TaskState::Starting => task.restarts > 0 || task.last_end.is_some(),
        _ => true,
    }
}

/// Lines from before, for each of so many tasks.
fn backlog_lines(tasks: usize) -> u32 {
    (1_000 / u32::try_from(tasks.max(1)).unwrap_or(u32::MAX)).clamp(20, 500)
}

/// The part of the task's name behind its service's: `x2x9k`, `3`.
fn label(task: &Task, service: Option<&Service>) -> Text {
    let Some(service) = service else { return task.name.clone() };
    let rest = task.name.strip_prefix(service.name.as_str()).unwrap_or(&task.name);
    let rest = rest.trim_start_matches(['-', '.', '_']);
    // a Deployment's pods carry the hash of their template between the two
    let rest = if service.kind == ServiceKind::Deployment { rest.rsplit('-').next().unwrap_or(rest) } else { rest };
    if rest.is_empty() { task.name.clone() } else { Text::new(rest) }
}
