//! What pausing, resuming and running a service would do: Deployments, Jobs and CronJobs of Kubernetes.

use crate::analysis::preview::Draft;
use crate::analysis::reasons::count;
use crate::model::{ActionKind, Danger, RolloutState, Service, ServiceKind};

/// Why this service cannot be paused, resumed or run.
pub(super) fn refused(service: &Service, action: ActionKind) -> Option<String> {
    use ServiceKind::{CronJob, Deployment, Job};
    let word = service.kind.word();
    Some(match action {
        ActionKind::Trigger if service.kind != CronJob => format!("a {word} does not run by the clock"),
        ActionKind::Trigger => return None,
        _ if !matches!(service.kind, Deployment | Job | CronJob) => {
            format!("a {word} cannot be held; only a deployment, a job or a cronjob can")
        }
        ActionKind::Hold if service.is_held() => "it is held already".to_owned(),
        ActionKind::Hold if service.kind == Job && service.rollout.state != RolloutState::Progressing => "it has ended".to_owned(),
        ActionKind::Resume if !service.is_held() => "it is not held".to_owned(),
        _ => return None,
    })
}

pub(super) fn hold(service: &Service, draft: &mut Draft) {
    match service.kind {
        ServiceKind::CronJob => {
            draft.fact("the clock starts no job of it any more until it is resumed");
            if service.current > 0 {
                draft.fact(format!("{} of it goes on to its end", count(service.current, "running job")));
            }
        }
        ServiceKind::Job if service.current > 0 => {
            draft.fact(format!("ends its {}; new ones start when it is resumed", count(service.current, "running task")));
            draft.warn("what those tasks did so far is lost unless they keep it themselves");
            draft.at_least(Danger::Disruptive);
        }
        ServiceKind::Job => draft.fact("starts no task until it is resumed"),
        _ => {
            draft.fact("a new definition makes no new tasks until it is resumed; scaling still works");
            let desired = service.desired.unwrap_or(0);
            if service.rollout.state == RolloutState::Progressing && service.updated < desired {
                draft.warn(format!(
                    "a rollout is under way: it stays where it is, {} of {} renewed",
                    service.updated,
                    count(desired, "task")
                ));
            }
        }
    }
}

pub(super) fn resume(service: &Service, draft: &mut Draft) {
    match service.kind {
        ServiceKind::CronJob => {
            draft.fact("the clock starts jobs of it again");
            // Kubernetes docs, "CronJob": suspended executions count as missed
            draft.warn("a run it missed meanwhile may start at once");
        }
        ServiceKind::Job => draft.fact("starts its tasks"),
        _ => {
            let old = service.current.saturating_sub(service.updated);
            draft.fact(match old {
                0 => "its definition did not change meanwhile: nothing is replaced".to_owned(),
                old => format!("replaces {} of an earlier definition, a few at a time", count(old, "task")),
            });
        }
    }
}

pub(super) fn trigger(service: &Service, draft: &mut Draft) {
    draft.fact("starts a job from its template now, beside its schedule");
    if service.suspended {
        draft.fact("it stays suspended: the clock starts none");
    }
    if service.current > 0 {
        draft.warn(format!(
            "{} of it: this one runs beside, whatever its concurrency policy",
            count(service.current, "running job")
        ));
    }
}
