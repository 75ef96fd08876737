//! Reads the log of one task: opens it again where it stopped when it is lost or its container was restarted, until the
//! task has ended or is gone.

use super::super::shared::{Shared, contained};
use super::again::Seen;
use crate::backend::{BackendError, LogRequest};
use crate::model::{ClusterId, Key, LogLine, Task, Text};
use crate::util::backoff::Backoff;
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::sleep;

/// Lines asked for when a stream is opened again: what may have been written meanwhile.
const MISSED: u32 = 5_000;
/// Most lines in one piece, so that a bounded number of pieces is a bounded number of lines.
pub(super) const PIECE: usize = 256;

/// What a reader tells its view.
#[derive(Debug)]
pub(super) enum Said {
    /// Lines.
    Lines(Vec<LogLine>),
    /// So many lines were dropped before what comes next: the view was behind.
    Dropped(u64),
    /// The stream was lost; it is opened again.
    Lost(Text),
    /// Nothing more will come, and why.
    Left(Text),
    /// It could not be read at all, and why.
    Refused(Text),
}

/// A task's key and what was said of it.
pub(super) type Piece = (Key, Said);

/// One task's reader.
pub(super) struct Reader {
    pub(super) cluster: ClusterId,
    pub(super) request: LogRequest,
    /// Short name of the task.
    pub(super) label: Text,
    pub(super) shared: Arc<Shared>,
    pub(super) pieces: mpsc::Sender<Piece>,
}

impl Reader {
    /// Reads until the task's log has ended for good.
    pub(super) async fn run(mut self) {
        let mut seen = Seen::default();
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(15), self.request.task.len() as u64);
        let mut dropped = 0;
        let mut troubled = false;
        let ended = loop {
            let mut got = false;
            let outcome = self.read(&mut seen, &mut dropped, &mut got).await;
            if got {
                backoff.healthy(Duration::from_secs(60));
                troubled = false;
            }
            let over = self.request.previous || self.task().is_none_or(|task| task.state.ended());
            match outcome {
                Ok(()) if over => break Said::Left(self.farewell()),
                // a container was restarted: the stream of the next one begins soon
                Ok(()) => {}
                Err(error @ (BackendError::Forbidden(_) | BackendError::Unsupported(_))) => break Said::Refused(words(&error)),
                Err(error) if self.request.previous => break Said::Refused(words(&error)),
                Err(error) if over => break Said::Left(words(&error)),
                Err(error) => {
                    if !std::mem::replace(&mut troubled, true) {
                        self.say(Said::Lost(words(&error))).await;
                    }
                }
            }
            sleep(backoff.next_delay()).await;
            seen.opened_again();
            self.request.since = seen.since();
            if self.request.since.is_some() {
                self.request.tail = MISSED;
            }
        };
        self.flush_dropped(&mut dropped).await;
        self.say(ended).await;
    }

    async fn read(&self, seen: &mut Seen, dropped: &mut u64, got: &mut bool) -> Result<(), BackendError> {
        let Some(backend) = self.shared.backend(&self.cluster) else {
            return Err(BackendError::Unreachable(format!("{} is not connected", self.cluster)));
        };
        let mut lines = backend.logs(self.request.clone());
        loop {
            let next = contained(lines.next()).await;
            let next = next.map_err(|panic| BackendError::Protocol(format!("a fault of Quarterdeck itself in a log: {panic}")))?;
            let Some(batch) = next else { return Ok(()) };
            let mut batch = batch?;
            *got = true;
            batch.iter_mut().for_each(|line| line.task = relabel(&line.task, &self.request.name, &self.label));
            seen.filter(&mut batch);
            while !batch.is_empty() {
                let rest = batch.split_off(batch.len().min(PIECE));
                self.offer(std::mem::replace(&mut batch, rest), dropped);
            }
        }
    }

    /// Hands lines on if the view keeps up; else they are counted and dropped, so that what is shown is now and not
    /// minutes ago.
    fn offer(&self, lines: Vec<LogLine>, dropped: &mut u64) {
        if *dropped > 0 {
            match self.pieces.try_send((self.request.task.clone(), Said::Dropped(*dropped))) {
                Ok(()) => *dropped = 0,
                Err(_) => {
                    *dropped += lines.len() as u64;
                    return;
                }
            }
        }
        if let Err(TrySendError::Full((_, Said::Lines(lines)))) =
            self.pieces.try_send((self.request.task.clone(), Said::Lines(lines)))
        {
            *dropped += lines.len() as u64;
        }
    }

    async fn flush_dropped(&self, dropped: &mut u64) {
        if *dropped > 0 {
            self.say(Said::Dropped(std::mem::take(dropped))).await;
        }
    }

    async fn say(&self, said: Said) {
        // a closed channel means that the view is closed
        let _ = self.pieces.send((self.request.task.clone(), said)).await;
    }

    fn task(&self) -> Option<Arc<Task>> {
        self.shared.picture().cluster(&self.cluster)?.tasks.get(&self.request.task).cloned()
    }

    fn farewell(&self) -> Text {
        match self.task() {
            _ if self.request.previous => Text::new("end of the run before"),
            None => Text::new("the task is gone"),
            Some(task) => match &task.last_end {
                Some(end) => Text::from(format!("{}: {}", task.state.word(), end.reason)),
                None => Text::new(task.state.word()),
            },
        }
    }
}

fn words(error: &BackendError) -> Text {
    Text::from(error.to_string())
}

/// The task's short name in place of its whole one; what the backend adds (a container) stays.
fn relabel(given: &Text, name: &Text, label: &Text) -> Text {
    match given.strip_prefix(name.as_str()) {
        Some("") => label.clone(),
        Some(more) => Text::from(format!("{label}{more}")),
        None => given.clone(),
    }
}
