//! What another image would do.

use crate::analysis::preview::Draft;
use crate::model::{ClusterKind, ClusterState, Service, ServiceKind, Text};

pub(super) fn set(state: &ClusterState, service: &Service, container: &Text, image: &Text, draft: &mut Draft) -> Result<(), Text> {
    let present = service.images().find(|(name, _)| *name == container).map(|(_, image)| image);
    let present = present.ok_or_else(|| Text::from(format!("it has no container {container} any more")))?;
    let what = if container.is_empty() { "image" } else { container.as_str() };
    if present == image {
        draft.fact(match container.is_empty() {
            true => format!("nothing changes: its image is {image} already"),
            false => format!("nothing changes: the image of {container} is {image} already"),
        });
        return Ok(());
    }
    draft.fact(format!("{what}: {present} → {image}"));
    // the last part alone: a registry may have a port
    let last = image.rsplit('/').next().unwrap_or_default();
    if !last.contains([':', '@']) || last.ends_with(":latest") {
        draft.warn("without a tag of its own it is whatever `latest` is when a node pulls it");
    }
    match service.kind {
        ServiceKind::CronJob => draft.fact("jobs have it from the next one on; those that run keep theirs"),
        _ => super::replaces(state, service, service.desired.unwrap_or(service.current), "", draft),
    }
    if state.cluster.kind == ClusterKind::Swarm {
        draft.fact("a roll back goes to the present definition then: Swarm keeps one");
    }
    super::alone(state, service, draft);
    Ok(())
}
