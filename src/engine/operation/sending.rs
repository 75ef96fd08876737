//! Sends what an operation is to do, in the time that its kind may take, and tells how far it is meanwhile.

use super::{Ended, Run, failed};
use crate::backend::{Backend, BackendError, ProgressSink};
use crate::engine::calloff::Why;
use crate::engine::shared::contained;
use crate::model::{Action, ActionKind, ClusterKind, Expect, Intent, OpState, ServiceKind, Text};
use crate::util::humanize::age_of;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Longest time an action may take to be sent.
const SEND: Duration = Duration::from_secs(60);
/// The same for those that go step by step, move many tasks one after another and wait for budgets.
const SEND_MANY: Duration = Duration::from_secs(15 * 60);
/// Seconds that a container gets to start and to be seen to go on, beside its grace period.
const START: u32 = 15;

impl Run {
    /// `again`: it goes on after a pause.
    pub(super) async fn send(&mut self, backend: Arc<dyn Backend>, again: bool) -> Result<Expect, Ended> {
        let kind = self.op.intent.action.kind();
        let pulls = self.op.intent.action == Action::Redeploy { pull: true };
        let many = kind.spec().stepwise || kind == ActionKind::Prune || pulls;
        let limit = if many { SEND_MANY } else { SEND } + self.grace();
        let intent = self.op.intent.clone();
        let (sink, mut reports) = ProgressSink::new();
        let mut sending = Box::pin(contained(backend.execute(&intent, &sink)));
        let deadline = Instant::now() + limit;
        let mut reporting = true;
        loop {
            tokio::select! {
                answer = &mut sending => return match answer {
                    Ok(Ok(expect)) => Ok(expect),
                    // who is not known for now may log in again
                    Ok(Err(error @ (BackendError::Unreachable(_) | BackendError::Unauthorised(_)))) => {
                        Err((self.not_now(), refused(&error)))
                    }
                    Ok(Err(error)) => {
                        let went = if again { self.went(&error) } else { None };
                        went.ok_or_else(|| (OpState::Failed, refused(&error)))
                    }
                    Err(panic) => Err(failed(&format!("a fault of Quarterdeck itself while it was sent; look before you try again: {panic}"))),
                },
                report = reports.changed(), if reporting => match report {
                    Ok(()) => {
                        let progress = reports.borrow_and_update().clone();
                        self.progress(progress).await;
                    }
                    Err(_) => reporting = false,
                },
                () = sleep_until(deadline) => {
                    let note = &self.op.progress.note;
                    let so_far = if note.is_empty() { String::new() } else { format!(" Last: {note}") };
                    let words = format!(
                        "not taken within {}; parts of it may have happened: look before you try again.{so_far}",
                        age_of(limit)
                    );
                    drop(sending);
                    // it waits from here on, as one does that was paused
                    let words = match self.back(Why::Pause).await {
                        Ok(None) => words,
                        Ok(Some(back)) | Err(back) => format!("{words} {back}"),
                    };
                    return Err((self.not_now(), Text::from(words)));
                }
            }
        }
    }

    /// What shows that a task of Kubernetes went when it was told to before a pause, and only the answer was lost.
    fn went(&self, error: &BackendError) -> Option<Expect> {
        let Intent { object, action, .. } = &self.op.intent;
        let gone = matches!(error, BackendError::NotFound(_) | BackendError::Changed(_));
        let world = self.shared.picture();
        let kubernetes = world.cluster(&object.cluster)?.cluster.kind == ClusterKind::Kubernetes;
        if !(gone && kubernetes && *action == Action::Reschedule) {
            return None;
        }
        let task = object.key.clone();
        Some(match self.op.plan.as_ref().and_then(|plan| plan.tasks.first()?.service.clone()) {
            Some(service) => Expect::Replaced { task, service: Some(service) },
            None => Expect::Gone { kind: object.kind, key: task },
        })
    }

    /// How long the tasks that are acted on may take to end.
    pub(super) fn grace(&self) -> Duration {
        let object = &self.op.intent.object;
        let world = self.shared.picture();
        let state = world.cluster(&object.cluster);
        let own = || state?.tasks.get(&object.key)?.grace;
        let seconds = match self.op.intent.action {
            Action::DeleteTask { grace } | Action::ForceDelete { grace } => grace.or_else(own),
            Action::Stop | Action::Restart => own(),
            // its containers are restarted one after another
            Action::Redeploy { .. } if self.is_of_an_engine() => {
                let tasks = state.into_iter().flat_map(|state| state.tasks_of(&object.key));
                Some(tasks.map(|task| task.grace.unwrap_or_default().saturating_add(START)).sum())
            }
            _ => None,
        };
        Duration::from_secs(seconds.unwrap_or(0).into())
    }

    /// Whether it is about containers of a single engine.
    fn is_of_an_engine(&self) -> bool {
        let object = &self.op.intent.object;
        let kind = self.shared.picture().cluster(&object.cluster).and_then(|state| Some(state.services.get(&object.key)?.kind));
        kind.is_some_and(|kind| matches!(kind, ServiceKind::Compose | ServiceKind::Container))
    }
}

fn refused(error: &BackendError) -> Text {
    Text::from(match error {
        BackendError::Unreachable(_) => format!("{error}; it may have been taken all the same: look before you try again"),
        _ => error.to_string(),
    })
}
