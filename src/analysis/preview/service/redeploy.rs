//! What new tasks of the same definition would do, and with which image they are made.

use crate::analysis::preview::Draft;
use crate::analysis::reasons::count;
use crate::model::{ActionKind, Answer, ClusterKind, ClusterState, Found, Pull, Service, ServiceKind, Text};

pub(super) fn redeploy(state: &ClusterState, service: &Service, pull: bool, draft: &mut Draft) {
    let tasks = service.desired.unwrap_or(service.current);
    if matches!(service.kind, ServiceKind::Compose | ServiceKind::Container) {
        let containers = count(tasks.max(service.current), "container");
        if pull {
            draft.fact(format!("pulls {}, then restarts {containers}, one after the other", service.image));
            draft.warn(
                "a container keeps the image it was made with: where a newer one comes, whoever made it must make it anew \
                 (`docker compose up`)",
            );
        } else {
            draft.fact(format!("restarts {containers}, one after the other; the image stays as it is"));
        }
    } else if service.kind != ServiceKind::SwarmJob {
        super::replaces(state, service, tasks, " by new ones of the same definition", draft);
    }
    match state.cluster.kind {
        ClusterKind::Swarm => {
            if pull {
                draft.fact(format!("the registry is asked what {} stands for by now, and every node pulls that", service.image));
            }
            draft.fact("what a roll back would go to is overwritten: Swarm keeps one earlier definition");
        }
        ClusterKind::Kubernetes => policies(state, service, pull, draft),
        ClusterKind::Docker => {}
    }
    super::alone(state, service, draft);
}

/// Whether nodes pull the image of each container, which is a setting of the container.
fn policies(state: &ClusterState, service: &Service, pull: bool, draft: &mut Draft) {
    match state.survey(&service.key, ActionKind::Redeploy) {
        Answer::Found(Found::Pulls(all)) => all.iter().for_each(|one| draft.fact(policy(one, pull))),
        Answer::Failed(why) => draft.warn(format!("which images are pulled is not known: {why}")),
        // what is set for good is not confirmed unseen
        _ if pull => draft.held = Some(Text::new("asking which images are pulled")),
        _ => draft.fact("asking which images are pulled"),
    }
}

fn policy(of: &Pull, pull: bool) -> String {
    let Pull { container, image, policy } = of;
    match (policy.as_str(), pull) {
        ("Always", _) => format!("{container}: every node pulls {image} (imagePullPolicy Always)"),
        (_, true) => format!("{container}: every node pulls {image}: imagePullPolicy {policy} → Always, from now on"),
        ("Never", false) => format!("{container}: no node pulls {image} (imagePullPolicy Never)"),
        (_, false) => format!("{container}: a node that has {image} keeps it (imagePullPolicy {policy})"),
    }
}
