//! What other labels and taints of a node would do.

use super::{Draft, subject};
use crate::analysis::placement::Rule;
use crate::analysis::reasons::count;
use crate::model::{ClusterKind, ClusterState, Danger, Effect, LabelEdit, Node, Service, TaintEdit, Text};
use std::collections::BTreeMap;

/// Labels that a kubelet writes by itself when it starts.
const KUBELETS: [&str; 8] = [
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
];
/// Taints that controllers put on and take away by themselves begin with it.
const CONTROLLERS: &str = "node.kubernetes.io/";
/// Services named before the rest is only counted.
const NAMED: usize = 6;

pub(super) fn label(state: &ClusterState, node: &Node, edits: &[LabelEdit], draft: &mut Draft) {
    if edits.is_empty() {
        let all: Vec<String> = node.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        return draft.fact(if all.is_empty() { "it has no labels".to_owned() } else { format!("it has {}", all.join("  ")) });
    }
    for edit in edits {
        let word = |value: Option<&Text>| match value.map(Text::as_str) {
            None => "none".to_owned(),
            Some("") => "(empty)".to_owned(),
            Some(value) => value.to_owned(),
        };
        let now = node.label(&edit.key);
        draft.fact(match (now, &edit.value) {
            (None, None) => format!("it has no label {}", edit.key),
            (now, to) if now == to.as_ref() => format!("{} is {} already", edit.key, word(now)),
            (now, to) => format!("{}: {} → {}", edit.key, word(now), word(to.as_ref())),
        });
    }
    let changing = || edits.iter().filter(|edit| !edit.holds(node));
    let mut services: Vec<&Service> = state.services.iter().map(|service| &**service).collect();
    services.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    for service in services {
        let Some(placement) = &service.placement else { continue };
        let rules: Vec<Rule<'_>> = Rule::all(placement).collect();
        if rules.iter().any(|rule| changing().any(|edit| edit.key.as_str() == rule.key)) {
            selects(state, node, service, &rules, edits, draft);
        }
    }
    if state.cluster.kind == ClusterKind::Kubernetes {
        for edit in changing().filter(|edit| KUBELETS.contains(&edit.key.as_str())) {
            draft.warn(format!("{} is set by the node's kubelet or its cloud, which may set it back", edit.key));
        }
        draft.fact("rules of affinity are not known here: what they select is not said");
    }
}

/// What becomes of a service that is placed by a label that changes.
fn selects(state: &ClusterState, node: &Node, service: &Service, rules: &[Rule<'_>], edits: &[LabelEdit], draft: &mut Draft) {
    let name = subject(&service.namespace, &service.name);
    let after = |rule: &Rule<'_>| match edits.iter().find(|edit| edit.key.as_str() == rule.key) {
        Some(edit) => rule.holds(edit.value.as_ref()),
        None => rule.holds(node.label(rule.key)),
    };
    let was = rules.iter().all(|rule| rule.holds(node.label(rule.key)));
    let will = rules.iter().all(after);
    let here = state.tasks_on(&node.key).filter(|t| t.wanted && t.service.as_ref() == Some(&service.key)).count();
    let here = u32::try_from(here).unwrap_or(u32::MAX);
    match (was, will) {
        (true, false) => {
            let swarm = state.cluster.kind == ClusterKind::Swarm;
            let words = match here {
                0 => "no new tasks of it come here".to_owned(),
                n if swarm => format!("{} of it here end and start elsewhere", count(n, "task")),
                n if service.kind.one_per_node() => format!("{} of it here end", count(n, "task")),
                n => format!("{} of it here stay, and no new ones come", count(n, "task")),
            };
            draft.warn(format!("{name} no longer fits here: {words}"));
            if here > 0 {
                draft.at_least(Danger::Disruptive);
            }
        }
        (false, true) => draft.fact(format!("{name} fits here then: tasks of it may come")),
        _ => draft.fact(format!("{name} is placed by it, and fits here {}", if was { "as before" } else { "as little as before" })),
    }
}

pub(super) fn taint(state: &ClusterState, node: &Node, edits: &[TaintEdit], draft: &mut Draft) {
    if edits.is_empty() {
        let all: Vec<String> = node.taints.iter().map(|taint| taint.words()).collect();
        return draft.fact(if all.is_empty() { "it has no taints".to_owned() } else { format!("it has {}", all.join("  ")) });
    }
    let mut evicts = false;
    for edit in edits {
        if edit.key().starts_with(CONTROLLERS) {
            draft.warn(format!("{} is set and taken away by the cluster itself, which may undo this", edit.key()));
        }
        let now: Vec<String> = edit.covered(node).map(|taint| taint.words()).collect();
        match edit {
            edit if edit.holds(node) => draft.fact(format!("{}: so already", edit.words())),
            TaintEdit::Remove { .. } => draft.fact(format!("takes away {}: new tasks may be placed here again", now.join(" and "))),
            TaintEdit::Set(taint) => {
                let now = if now.is_empty() { "none".to_owned() } else { now.join(" and ") };
                draft.fact(format!("{now} → {}", taint.words()));
                draft.fact(match taint.effect {
                    Effect::NoSchedule => "new tasks that do not tolerate it are not placed here; those that run stay",
                    Effect::PreferNoSchedule => {
                        "new tasks that do not tolerate it go elsewhere where they can; those that run stay"
                    }
                    Effect::NoExecute => "tasks that do not tolerate it are deleted at once, and not placed here again",
                });
                evicts |= taint.effect == Effect::NoExecute;
            }
        }
    }
    if evicts {
        deleted(state, node, draft);
    }
}

/// What `NoExecute` may delete: everything here, as far as can be known.
fn deleted(state: &ClusterState, node: &Node, draft: &mut Draft) {
    let mut services: BTreeMap<String, u32> = BTreeMap::new();
    let mut tasks = 0;
    for task in state.tasks_on(&node.key).filter(|task| task.wanted) {
        let service = task.service.as_ref().and_then(|key| state.services.get(key));
        let name = service.map_or_else(|| format!("{} (nothing makes it again)", task.name), |s| subject(&s.namespace, &s.name));
        *services.entry(name).or_default() += 1;
        tasks += 1;
    }
    if tasks == 0 {
        return draft.fact("no tasks run here");
    }
    let mut words: Vec<String> = services.iter().take(NAMED).map(|(name, n)| format!("{name} ({n})")).collect();
    if services.len() > NAMED {
        words.push(format!("{} more", services.len() - NAMED));
    }
    draft.warn(format!("up to {} would be deleted: {}", count(tasks, "task"), words.join(", ")));
    draft.warn("which of them tolerate it is not known here: look at their tolerations");
    draft.warn("budgets are not asked; evacuate the node first where they matter");
    draft.at_least(Danger::Destructive);
}
