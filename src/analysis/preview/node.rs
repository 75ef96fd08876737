//! What an action on a node would do.

use super::{Draft, graceful, manage, marks, prune, service, subject};
use crate::analysis::keeper::{Keeper, keeper};
use crate::analysis::reasons::count;
use crate::analysis::spread;
use crate::model::{Action, Availability, Budget, ClusterKind, ClusterState, Node, NodeState, Service, Text};
use std::collections::BTreeMap;

/// Services named in a list before the rest is only counted.
const NAMED: usize = 4;

pub(super) fn consequences(state: &ClusterState, node: &Node, action: &Action, draft: &mut Draft) -> Result<(), Text> {
    let here = u32::try_from(state.load_of(&node.key)).unwrap_or(u32::MAX);
    match action {
        Action::Pause => draft.fact(format!("no new tasks are placed here; the {} it has stay", count(here, "task"))),
        Action::Activate => {
            draft.fact("new tasks may be placed here again");
            draft.fact("nothing moves back by itself; rebalance a service for that");
        }
        Action::Evacuate | Action::Drain => away(state, node, matches!(action, Action::Drain), draft)?,
        Action::Promote => manage::promote(state, draft),
        Action::Demote => manage::demote(state, node, draft),
        Action::RemoveNode { force } => remove(state, node, *force, draft)?,
        Action::Label { edits } => marks::label(state, node, edits, draft),
        Action::Taint { edits } => marks::taint(state, node, edits, draft),
        Action::Prune { volumes, .. } => prune::consequences(state, node, *volumes, draft),
        Action::RotateToken { managers, .. } => manage::rotate(state, node, *managers, draft),
        _ => {}
    }
    Ok(())
}

/// Taking a node out of its swarm; by force also one that is not down, with what runs there.
fn remove(state: &ClusterState, node: &Node, force: bool, draft: &mut Draft) -> Result<(), Text> {
    manage::remove(node, force, draft)?;
    if force && node.state != NodeState::Down {
        let all = leaving(state, node);
        let tasks: u32 = all.moving.values().map(|(_, n)| n).sum();
        if tasks > 0 {
            let (end, new) = if tasks == 1 { ("ends", "a new one starts") } else { ("end", "new ones start") };
            draft.warn(format!("{} {end} there; {new} where another node may run what it ran", count(tasks, "task")));
        }
        stays(&all, true, draft);
    }
    Ok(())
}

/// The live tasks of a node, by what becomes of them.
#[derive(Default)]
struct Leaving<'a> {
    /// By service key: the service and how many of its tasks are here.
    moving: BTreeMap<&'a str, (&'a Service, u32)>,
    /// Tasks of no service that a controller makes again, and its kind.
    others: Vec<(&'a str, &'a str)>,
    /// Names of services that run on every node.
    everywhere: Vec<&'a str>,
    /// Tasks that the node runs by itself.
    own: Vec<&'a str>,
    /// Tasks that nothing makes again.
    bare: Vec<&'a str>,
}

fn leaving<'a>(state: &'a ClusterState, node: &Node) -> Leaving<'a> {
    let mut all = Leaving::default();
    for task in state.tasks_on(&node.key).filter(|task| task.wanted) {
        match keeper(state, task) {
            Keeper::Service(service) => all.moving.entry(&service.key).or_insert((service, 0)).1 += 1,
            Keeper::Other(kind) => all.others.push((&task.name, kind)),
            Keeper::EveryNode(name) => all.everywhere.push(name),
            Keeper::Node => all.own.push(&task.name),
            Keeper::Nobody => all.bare.push(&task.name),
        }
    }
    all.others.sort_unstable();
    all.own.sort_unstable();
    all.everywhere.sort_unstable();
    all.bare.sort_unstable();
    all
}

fn away(state: &ClusterState, node: &Node, drain: bool, draft: &mut Draft) -> Result<(), Text> {
    let all = leaving(state, node);
    let tasks: u32 = all.moving.values().map(|(_, n)| n).sum();
    let services = u32::try_from(all.moving.len()).unwrap_or(u32::MAX);
    let swarm = state.cluster.kind == ClusterKind::Swarm;
    if tasks == 0 && all.others.is_empty() {
        let already = if drain { Availability::Drained } else { Availability::Paused };
        if node.availability == already {
            return Err(Text::from(format!("it is {} already and has no tasks that would move", already.word())));
        }
        draft.fact("no new tasks are placed here; it has none that would move");
        stays(&all, swarm, draft);
        return Ok(());
    }
    if let Some(why) = unplaced(state, &[node]).filter(|_| !drain) {
        return Err(why);
    }
    if let Some(why) = all.moving.values().find_map(|(s, _)| service::paused(s)).filter(|_| !drain) {
        return Err(why);
    }
    draft.fact(match tasks {
        0 => "no new tasks are placed here".to_owned(),
        n => format!("no new tasks are placed here; moves {} of {}", count(n, "task"), count(services, "service")),
    });
    match (swarm, drain) {
        (true, true) => {
            draft.warn("Swarm moves all at once and stops each before its replacement starts");
            draft.fact("the node stays drained");
        }
        (true, false) => {
            graceful::away(state, node, all.moving.values(), draft);
            draft.fact("when it is empty the node is paused, so that nothing comes back");
            draft.fact("what a roll back of these services would go to is overwritten: Swarm keeps one earlier definition");
        }
        (false, _) => waits(&all, draft),
    }
    others(&all, draft);
    stays(&all, swarm, draft);
    let singles: Vec<_> = all.moving.values().filter(|(s, _)| s.desired == Some(1)).map(|(s, _)| name(s)).collect();
    if !singles.is_empty() && (drain || !swarm) {
        draft.warn(format!("{} one task only and will not serve for a while", listed(&singles, "has", "have")));
    }
    if !state.nodes.iter().any(|other| other.key != node.key && spread::open(other.state, other.availability)) {
        draft.warn("no other node takes tasks: they will wait until one does");
    }
    spread_afterwards(state, node, &all, draft);
    if !swarm {
        draft.fact("what tasks keep on the node's own disk (emptyDir) is lost");
    }
    Ok(())
}

/// Why a swarm cannot start elsewhere first what these run, if no other node takes tasks.
pub(super) fn unplaced(state: &ClusterState, nodes: &[&Node]) -> Option<Text> {
    let leaves = |other: &Node| nodes.iter().any(|node| node.key == other.key);
    let taken = state.nodes.iter().any(|other| spread::open(other.state, other.availability) && !leaves(other));
    (state.cluster.kind == ClusterKind::Swarm && !taken).then(|| {
        let these = if nodes.len() == 1 { "drain it" } else { "leave one of these out" };
        Text::from(format!("no other node takes tasks, so nothing can start elsewhere first: activate one, or {these}"))
    })
}

/// Budgets: who can go now and who waits.
fn waits(all: &Leaving<'_>, draft: &mut Draft) {
    let mut now = 0;
    for (service, n) in all.moving.values() {
        match &service.budget {
            Some(Budget { name: one, beside: Some(other), .. }) => draft.warn(format!(
                "{} never {}: {} has two budgets, {one} and {other}, and the server evicts nothing that two cover",
                count(*n, "task"),
                if *n == 1 { "goes" } else { "go" },
                name(service)
            )),
            Some(budget) if budget.allowed == 0 => {
                draft.warn(format!(
                    "{} {}: {} may lose none now (budget {}: {})",
                    count(*n, "task"),
                    if *n == 1 { "waits" } else { "wait" },
                    name(service),
                    budget.name,
                    budget.rule
                ));
            }
            Some(budget) if budget.allowed < *n => {
                now += budget.allowed;
                let rest = n - budget.allowed;
                draft.fact(format!(
                    "{} of {} later, as its budget allows ({}: {})",
                    count(rest, "task"),
                    name(service),
                    budget.name,
                    budget.rule
                ));
            }
            _ => now += n,
        }
    }
    if !all.moving.is_empty() {
        draft.fact(format!("{now} can move now"));
    }
}

/// What has a controller that is no row: it moves, and of its budgets nothing is known.
fn others(all: &Leaving<'_>, draft: &mut Draft) {
    let n = u32::try_from(all.others.len()).unwrap_or(u32::MAX);
    if n == 0 {
        return;
    }
    let (whose, them, they) = if n == 1 { ("its", "it", "it is") } else { ("their", "them", "they are") };
    let mut names: Vec<String> = all.others.iter().take(NAMED).map(|(name, kind)| format!("{name} ({kind})")).collect();
    if all.others.len() > NAMED {
        names.push(format!("{} more", all.others.len() - NAMED));
    }
    draft.fact(format!(
        "moves {} of no service here, which {whose} controller makes again: {}; whether a budget holds {them} is seen when {they} told to go",
        count(n, "task"),
        names.join(", ")
    ));
}

fn stay(tasks: u32) -> &'static str {
    if tasks == 1 { "stays" } else { "stay" }
}

fn stays(all: &Leaving<'_>, swarm: bool, draft: &mut Draft) {
    if !all.everywhere.is_empty() {
        let names: Vec<String> = all.everywhere.iter().map(|s| (*s).to_owned()).collect();
        let n = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let fate = match (swarm, n) {
            (true, 1) => "ends here",
            (true, _) => "end here",
            (false, n) => stay(n),
        };
        draft.fact(format!("{} {fate}: {} on every node", count(n, "task"), listed(&names, "runs", "run")));
    }
    if !all.own.is_empty() {
        let names: Vec<String> = all.own.iter().map(|s| (*s).to_owned()).collect();
        let n = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let words = listed(&names, "belongs", "belong");
        draft.fact(format!("{} {}: {words} to the node itself", count(n, "task"), stay(n)));
    }
    if !all.bare.is_empty() {
        let names: Vec<String> = all.bare.iter().map(|s| (*s).to_owned()).collect();
        let n = u32::try_from(names.len()).unwrap_or(u32::MAX);
        draft.warn(format!(
            "{} {}: {} to no service, nothing would make a new one",
            count(n, "task"),
            stay(n),
            listed(&names, "belongs", "belong")
        ));
    }
}

/// How the zones will carry the services that feel it most.
fn spread_afterwards(state: &ClusterState, node: &Node, all: &Leaving<'_>, draft: &mut Draft) {
    let Some(zone) = &node.zone else { return };
    let zone_closes =
        !state.nodes.iter().any(|n| n.key != node.key && n.zone.as_ref() == Some(zone) && spread::open(n.state, n.availability));
    let mut most: Vec<_> = all.moving.values().filter(|(s, _)| s.desired.is_some_and(|d| d > 1)).collect();
    most.sort_by_key(|(s, n)| (std::cmp::Reverse(*n), s.name.clone()));
    for (service, n) in most.into_iter().take(2) {
        let zones = spread::zones(state, &service.key);
        if zones.len() < 2 {
            return;
        }
        let after = spread::forecast(&zones, Some(zone), *n, 0, zone_closes.then_some(zone.as_str()));
        let was = zones.iter().filter(|z| !z.name.is_empty()).map(|z| z.tasks.to_string()).collect::<Vec<_>>().join(" · ");
        draft.fact(format!("spread afterwards: {} {}  (was {was})", service.name, spread::words(&after)));
    }
}

fn name(service: &Service) -> String {
    subject(&service.namespace, &service.name)
}

/// `a, b and 3 more run`: names, and the verb that fits their number.
fn listed(names: &[String], one: &str, many: &str) -> String {
    match names {
        [only] => format!("{only} {one}"),
        _ if names.len() <= NAMED => format!("{} {many}", names.join(", ")),
        _ => format!("{} and {} more {many}", names[..NAMED].join(", "), names.len() - NAMED),
    }
}
