//! Workloads as services. What other objects add (budget, autoscaler, earlier definitions) is joined by the session.

use super::super::raw::{Condition, CronJob, DaemonSet, Deployment, Job, Meta, ReplicaSet, StatefulSet, Template, condition};
use super::{Names, image_name};
use crate::model::{Rollout, RolloutState, Service, ServiceKind, Text, UpdateStrategy};

/// What a rollout waits for where the update strategy is OnDelete.
const BY_HAND: &str = "tasks take the new definition when they are deleted (OnDelete)";

/// Row of a Deployment.
pub(in super::super) fn deployment(raw: &Deployment, names: &mut Names) -> Service {
    let (spec, status) = (&raw.spec, &raw.status);
    let desired = spec.replicas.unwrap_or(1);
    let seen = status.observed_generation >= raw.metadata.generation;
    let progressing = condition(&status.conditions, "Progressing");
    let deadline = progressing.is_some_and(|c| c.status == "False" && c.reason == "ProgressDeadlineExceeded");
    // set once all new tasks were available, and kept when some of them fail later: that is no rollout
    let complete = progressing.is_none_or(|c| c.reason == "NewReplicaSetAvailable");
    let replacing = status.updated_replicas < desired || status.replicas > status.updated_replicas;
    let starting = !complete && status.available_replicas < desired;
    let state = if spec.paused {
        RolloutState::Paused
    } else if deadline && seen {
        RolloutState::Failed
    } else if !seen || replacing || starting {
        RolloutState::Progressing
    } else {
        RolloutState::Stable
    };
    let note = match condition(&status.conditions, "ReplicaFailure").filter(|c| c.status == "True") {
        Some(refused) => Some(Text::from(format!("cannot make tasks: {}", refused.message))),
        None if state == RolloutState::Failed => Some(Text::new("new tasks did not become available in time")),
        None => None,
    };
    Service {
        spec_rev: raw.metadata.generation,
        observed_rev: status.observed_generation,
        desired: Some(desired),
        ready: status.ready_replicas,
        updated: status.updated_replicas,
        current: status.replicas,
        rollout: Rollout { state, note },
        revision: raw.metadata.annotations.revision.as_deref().map(|r| names.text(r)),
        ..row(&raw.metadata, ServiceKind::Deployment, &spec.template, names)
    }
}

/// Row of a StatefulSet.
pub(in super::super) fn stateful_set(raw: &StatefulSet, names: &mut Names) -> Service {
    let (spec, status) = (&raw.spec, &raw.status);
    let desired = spec.replicas.unwrap_or(1);
    let seen = status.observed_generation >= raw.metadata.generation;
    let partition = spec.update_strategy.rolling_update.partition;
    let rolling = !status.update_revision.is_empty() && status.update_revision != status.current_revision;
    let by_hand = spec.update_strategy.kind == "OnDelete";
    let held = partition.min(desired);
    let strategy = match (by_hand, partition) {
        (true, _) => UpdateStrategy::OnDelete,
        (false, 0) => UpdateStrategy::Rolling,
        (false, first) => UpdateStrategy::Partition(first),
    };
    let (state, note) = if !seen || status.replicas != desired {
        (RolloutState::Progressing, None)
    } else if rolling && by_hand {
        // without a rolling update the present definition stays the one of the beginning for ever
        match status.updated_replicas >= desired {
            true => (RolloutState::Stable, None),
            false => (RolloutState::Paused, Some(Text::new(BY_HAND))),
        }
    } else if rolling && held > 0 && status.updated_replicas >= desired - held {
        let first = if held == 1 { "the first task keeps".to_owned() } else { format!("the first {held} tasks keep") };
        (RolloutState::Paused, Some(Text::from(format!("{first} the old definition (partition)"))))
    } else if rolling && status.updated_replicas < desired {
        (RolloutState::Progressing, None)
    } else {
        (RolloutState::Stable, None)
    };
    Service {
        spec_rev: raw.metadata.generation,
        observed_rev: status.observed_generation,
        desired: Some(desired),
        ready: status.ready_replicas,
        // without a rollout under way the count of updated tasks may be left out
        updated: if rolling { status.updated_replicas } else { status.replicas },
        current: status.replicas,
        rollout: Rollout { state, note },
        strategy,
        ..row(&raw.metadata, ServiceKind::StatefulSet, &spec.template, names)
    }
}

/// Row of a DaemonSet.
pub(in super::super) fn daemon_set(raw: &DaemonSet, names: &mut Names) -> Service {
    let status = &raw.status;
    let desired = status.desired_number_scheduled;
    let seen = status.observed_generation >= raw.metadata.generation;
    let old = status.updated_number_scheduled < desired;
    let by_hand = raw.spec.update_strategy.kind == "OnDelete";
    let (state, note) = if seen && old && by_hand {
        (RolloutState::Paused, Some(Text::new(BY_HAND)))
    } else if !seen || old || status.current_number_scheduled < desired {
        (RolloutState::Progressing, None)
    } else {
        (RolloutState::Stable, None)
    };
    Service {
        spec_rev: raw.metadata.generation,
        observed_rev: status.observed_generation,
        desired: Some(desired),
        ready: status.number_ready,
        updated: status.updated_number_scheduled,
        current: status.current_number_scheduled,
        rollout: Rollout { state, note },
        strategy: if by_hand { UpdateStrategy::OnDelete } else { UpdateStrategy::Rolling },
        ..row(&raw.metadata, ServiceKind::DaemonSet, &raw.spec.template, names)
    }
}

/// Row of a ReplicaSet that no Deployment owns.
pub(in super::super) fn replica_set(raw: &ReplicaSet, names: &mut Names) -> Service {
    let status = &raw.status;
    let desired = raw.spec.replicas.unwrap_or(1);
    let seen = status.observed_generation >= raw.metadata.generation;
    let note = condition(&status.conditions, "ReplicaFailure").filter(|c| c.status == "True");
    let state = if seen && status.replicas == desired { RolloutState::Stable } else { RolloutState::Progressing };
    Service {
        spec_rev: raw.metadata.generation,
        observed_rev: status.observed_generation,
        desired: Some(desired),
        ready: status.ready_replicas,
        updated: status.replicas,
        current: status.replicas,
        rollout: Rollout { state, note: note.map(|c| Text::from(format!("cannot make tasks: {}", c.message))) },
        ..row(&raw.metadata, ServiceKind::ReplicaSet, &raw.spec.template, names)
    }
}

/// Row of a Job: the tasks it wants are those that are still to run side by side, none once it has ended.
pub(in super::super) fn job(raw: &Job, names: &mut Names) -> Service {
    let (spec, status) = (&raw.spec, &raw.status);
    let met = |kind| condition(&status.conditions, kind).filter(|c| c.status == "True");
    let parallel = spec.parallelism.unwrap_or(1);
    let of = spec.completions.map_or_else(String::new, |n| format!("/{n}"));
    let (desired, rollout) = if met("Complete").is_some() {
        let note = Text::from(format!("completed {}{of}", status.succeeded));
        (0, Rollout { state: RolloutState::Stable, note: Some(note) })
    } else if let Some(failed) = met("Failed") {
        (0, Rollout { state: RolloutState::Failed, note: Some(Text::from(job_failure(failed, status.failed))) })
    } else if spec.suspend {
        (0, Rollout::STABLE)
    } else {
        let left = spec.completions.map_or(parallel, |n| n.saturating_sub(status.succeeded));
        let note = Text::from(format!("completed {}{of}", status.succeeded));
        (parallel.min(left), Rollout { state: RolloutState::Progressing, note: Some(note) })
    };
    Service {
        spec_rev: raw.metadata.generation,
        observed_rev: raw.metadata.generation,
        desired: Some(desired),
        ready: status.ready,
        updated: status.active,
        current: status.active,
        rollout,
        suspended: spec.suspend,
        ..row(&raw.metadata, ServiceKind::Job, &spec.template, names)
    }
}

fn job_failure(condition: &Condition, failed: u32) -> String {
    match condition.reason.as_str() {
        "BackoffLimitExceeded" => format!("given up after {failed} failed tasks"),
        "DeadlineExceeded" => "it ran longer than its deadline".to_owned(),
        _ => condition.message.to_string(),
    }
}

/// Row of a CronJob.
pub(in super::super) fn cron_job(raw: &CronJob, names: &mut Names) -> Service {
    let active = u32::try_from(raw.status.active.len()).unwrap_or(u32::MAX);
    Service {
        spec_rev: raw.metadata.generation,
        observed_rev: raw.metadata.generation,
        current: active,
        rollout: Rollout { state: RolloutState::Stable, note: Some(Text::from(format!("schedule {}", raw.spec.schedule))) },
        suspended: raw.spec.suspend,
        ..row(&raw.metadata, ServiceKind::CronJob, &raw.spec.job_template.spec.template, names)
    }
}

/// What all kinds have in common; counts are zero.
fn row(meta: &Meta, kind: ServiceKind, template: &Template, names: &mut Names) -> Service {
    let labels = &meta.labels;
    let helm = || {
        labels
            .get("app.kubernetes.io/instance")
            .filter(|_| labels.get("app.kubernetes.io/managed-by").is_some_and(|by| by == "Helm"))
    };
    let stack = labels.get("app.kubernetes.io/part-of").or(meta.annotations.helm_release.as_ref()).or_else(helm);
    let beside = template.spec.containers.iter().skip(1).chain(&template.spec.init_containers);
    let selector: Vec<String> = template.spec.node_selector.iter().map(|(k, v)| format!("{k}={v}")).collect();
    Service {
        key: names.key(&meta.uid),
        spec_rev: 0,
        observed_rev: 0,
        name: names.text(&meta.name),
        namespace: names.text(&meta.namespace),
        kind,
        stack: stack.map(|s| names.text(s)),
        image: names.text(template.spec.containers.first().map_or("", |c| image_name(&c.image))),
        container: names.text(template.spec.containers.first().map_or("", |c| &c.name)),
        beside: beside.map(|c| (names.text(&c.name), names.text(image_name(&c.image)))).collect(),
        desired: None,
        ready: 0,
        updated: 0,
        current: 0,
        rollout: Rollout::STABLE,
        revision: None,
        previous: None,
        earlier: Box::default(),
        budget: None,
        autoscaler: None,
        suspended: false,
        strategy: UpdateStrategy::Rolling,
        placement: (!selector.is_empty()).then(|| Text::from(selector.join(", "))),
        ports: None,
        created: meta.creation_timestamp.0.unwrap_or_default(),
        changed: None,
    }
}
