//! What became of each task that an operation set out to move: it has moved, and where to; it waits, and what for; it stays,
//! and why. From what was there when the operation was asked for and what is there now.

use super::keeper::{Keeper, keeper};
use super::reasons::count;
use super::spread;
use crate::model::{
    Action, Budget, ClusterKind, ClusterState, Intent, Key, OpState, Operation, Plan, Planned, Service, Task, TaskState, Text,
    World,
};
use crate::util::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where a task stands, in the order one wants to read it: what holds the operation up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It cannot go now.
    Waits,
    /// It is gone, and what should take its place does not start.
    Stuck,
    /// It was told to go and ends.
    Leaving,
    /// It is gone, and what takes its place starts.
    Starting,
    /// Its turn has not come.
    Next,
    /// It is gone, and another one is ready in its place; or none is needed.
    Moved,
    /// It is not moved.
    Stays,
}

/// A task of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it stands.
    pub fate: Fate,
    /// Its name.
    pub name: Text,
    /// Where to, what for, or why.
    pub words: Text,
}

/// The tasks that `intent` is about, as they are before it is carried out; nothing for what moves no tasks.
pub fn plan(world: &World, intent: &Intent) -> Option<Plan> {
    let object = &intent.object;
    let state = world.cluster(&object.cluster)?;
    let tasks: Vec<&Arc<Task>> = match intent.action {
        Action::Evacuate | Action::Drain => state.tasks_on(&object.key).filter(|task| task.wanted).collect(),
        // which of them move is seen on the way: the scheduler has its say after each
        Action::Rebalance => state.tasks_of(&object.key).filter(|task| task.wanted && !task.state.ended()).collect(),
        Action::Reschedule => {
            let task = state.tasks.get(&object.key)?;
            let beside = |other: &&Arc<Task>| other.wanted && !other.state.ended() && other.node == task.node;
            match &task.service {
                // a swarm moves them all
                Some(service) if state.cluster.kind == ClusterKind::Swarm => state.tasks_of(service).filter(beside).collect(),
                _ => vec![task],
            }
        }
        _ => return None,
    };
    let services: BTreeSet<&Key> = tasks.iter().filter_map(|task| task.service.as_ref()).filter(|key| moves(state, key)).collect();
    let newest = services.into_iter().flat_map(|key| state.tasks_of(key)).map(|task| task.created).max();
    let planned = |task: &Arc<Task>| Planned {
        key: task.key.clone(),
        name: task.name.clone(),
        service: task.service.clone(),
        node: task.node.clone(),
    };
    Some(Plan { tasks: tasks.into_iter().map(planned).collect(), newest: newest.unwrap_or(Timestamp(0)) })
}

/// Whether tasks of the service can run elsewhere at all.
fn moves(state: &ClusterState, service: &Key) -> bool {
    state.services.get(service).is_some_and(|service| !service.kind.one_per_node())
}

/// Where each of the operation's tasks stands, first those that hold it up.
pub fn steps(state: &ClusterState, op: &Operation) -> Vec<Step> {
    let Some(plan) = &op.plan else { return Vec::new() };
    let mut new = Successors::now(state, plan);
    let uneven = (op.intent.action == Action::Rebalance).then(|| spread::surplus(state, &op.intent.object.key));
    let well = |planned: &Planned| uneven.as_ref().is_some_and(|uneven| !uneven.contains(&planned.key));
    let mut steps: Vec<Step> = plan.tasks.iter().map(|planned| step(state, op, planned, well(planned), &mut new)).collect();
    steps.sort_by(|a, b| (a.fate, &a.name).cmp(&(b.fate, &b.name)));
    steps
}

/// What may have taken the place of tasks that are gone.
struct Successors<'a> {
    /// Live tasks that were made since, by service, the ready ones first.
    of: BTreeMap<&'a Key, Vec<&'a Arc<Task>>>,
    /// The names of the tasks that were there.
    names: BTreeSet<&'a Text>,
}

impl<'a> Successors<'a> {
    fn now(state: &'a ClusterState, plan: &'a Plan) -> Self {
        let left: BTreeSet<&Key> = plan.tasks.iter().map(|task| &task.key).collect();
        let mut of: BTreeMap<&Key, Vec<&Arc<Task>>> = BTreeMap::new();
        for service in plan.tasks.iter().filter_map(|task| task.service.as_ref()) {
            of.entry(service).or_insert_with(|| {
                let later = |task: &&Arc<Task>| {
                    task.wanted && !task.state.ended() && task.created > plan.newest && !left.contains(&task.key)
                };
                let mut new: Vec<&Arc<Task>> = state.tasks_of(service).filter(later).collect();
                new.sort_by(|a, b| (!a.ready, a.created, &a.name).cmp(&(!b.ready, b.created, &b.name)));
                new
            });
        }
        Self { of, names: plan.tasks.iter().map(|task| &task.name).collect() }
    }

    /// The successor of a task, which is nobody else's: the one of its name took its very place, of those that have no name
    /// of the others' any did.
    fn take(&mut self, service: &Key, name: &Text) -> Option<&'a Arc<Task>> {
        let held = self.of.get_mut(service)?;
        let same = held.iter().position(|task| task.name == *name);
        let at = same.or_else(|| held.iter().position(|task| !self.names.contains(&task.name)))?;
        Some(held.remove(at))
    }

    /// Why one of them does not start.
    fn stuck(&self, service: &Key) -> Option<&'a Text> {
        self.of.get(service).into_iter().flatten().filter(|task| task.stuck).find_map(|task| task.why.as_ref())
    }
}

fn step(state: &ClusterState, op: &Operation, planned: &Planned, well: bool, new: &mut Successors<'_>) -> Step {
    let service = planned.service.as_ref().and_then(|key| state.services.get(key));
    // one that was told to go is wanted no more
    let lives = |task: &&Arc<Task>| !task.state.ended() && (task.wanted || task.state == TaskState::Stopping);
    let here = state.tasks.get(&planned.key).filter(lives);
    let (fate, words) = match here.map(|task| (task, keeper(state, task))) {
        None => gone(state, planned, service.map(|service| &**service), new),
        Some((_, Keeper::EveryNode(name))) => (Fate::Stays, format!("{name} runs on every node")),
        Some((_, Keeper::Node)) => (Fate::Stays, "belongs to the node itself".to_owned()),
        Some((task, _)) if task.state == TaskState::Stopping => (Fate::Leaving, "was told to go, and ends".to_owned()),
        Some((_, Keeper::Nobody)) => (Fate::Stays, "belongs to no service: nothing would make it again".to_owned()),
        Some(_) if well => (Fate::Stays, "lies well where it is".to_owned()),
        Some(_) if op.state.ended() => (Fate::Stays, format!("is still there: the operation is {}", op.state.word())),
        Some((_, Keeper::Service(service))) => waits(state, op, service, new),
        Some((_, Keeper::Other(_))) => (Fate::Next, not_yet(op)),
    };
    Step { fate, name: planned.name.clone(), words: Text::from(words) }
}

/// What a task that has not gone yet waits for.
fn waits(state: &ClusterState, op: &Operation, service: &Service, new: &Successors<'_>) -> (Fate, String) {
    match &service.budget {
        Some(Budget { name, beside: Some(other), .. }) => {
            return (Fate::Waits, format!("two budgets cover it, {name} and {other}: the server does not evict it"));
        }
        Some(budget) if budget.allowed == 0 => {
            return (Fate::Waits, format!("waits: budget {} allows 0 ({})", budget.name, budget.rule));
        }
        Some(budget) => {
            return (Fate::Next, format!("not yet; budget {} allows {} ({})", budget.name, budget.allowed, budget.rule));
        }
        None => {}
    }
    if let (ClusterKind::Swarm, Some(why)) = (state.cluster.kind, new.stuck(&service.key)) {
        return (Fate::Waits, format!("waits for the one that takes its place: {why}"));
    }
    (Fate::Next, not_yet(op))
}

fn not_yet(op: &Operation) -> String {
    if op.state == OpState::Paused { "not yet: paused" } else { "not yet" }.to_owned()
}

/// What came in the place of a task that is gone.
fn gone(state: &ClusterState, planned: &Planned, service: Option<&Service>, new: &mut Successors<'_>) -> (Fate, String) {
    let Some(service) = service else {
        // what a controller of another kind makes in its place cannot be told from its other tasks
        let words = if planned.service.is_some() { "is gone, and so is its service" } else { "is gone" };
        return (Fate::Moved, words.to_owned());
    };
    if service.kind.one_per_node() {
        return (Fate::Moved, format!("ended here; {} runs on every node that takes tasks", service.name));
    }
    match new.take(&service.key, &planned.name) {
        Some(task) => {
            let called = if task.name == planned.name { String::new() } else { format!("{} ", task.name) };
            let place = match &task.node {
                None => "on no node yet".to_owned(),
                Some(key) => {
                    let zone = state.nodes.get(key).and_then(|node| node.zone.as_ref());
                    let zone = zone.map(|zone| format!(" ({zone})")).unwrap_or_default();
                    let again = if planned.node.as_ref() == Some(key) { " again" } else { "" };
                    format!("on {}{zone}{again}", state.node_name(key))
                }
            };
            let why = task.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            match (task.ready, task.stuck) {
                (true, _) => (Fate::Moved, format!("→ {called}{place}, ready")),
                (false, true) => (Fate::Stuck, format!("→ {called}{place}, does not start{why}")),
                (false, false) => (Fate::Starting, format!("→ {called}{place}, starts{why}")),
            }
        }
        None if service.kind.runs_to_completion() => (Fate::Moved, "has ended".to_owned()),
        None if service.is_short() => (Fate::Starting, "is gone; a new one is not there yet".to_owned()),
        None => {
            let wanted = count(service.desired.unwrap_or(service.ready), "task");
            (Fate::Moved, format!("is gone; {} has the {wanted} it wants", service.name))
        }
    }
}

/// `3 of 8 moved · 1 waits · 2 stay`.
pub fn summary(steps: &[Step]) -> String {
    let of = |fates: &[Fate]| u32::try_from(steps.iter().filter(|step| fates.contains(&step.fate)).count()).unwrap_or(u32::MAX);
    let stay = of(&[Fate::Stays]);
    let all = u32::try_from(steps.len()).unwrap_or(u32::MAX) - stay;
    let mut words = format!("{} of {} moved", of(&[Fate::Moved]), count(all, "task"));
    for (n, one, many) in [
        (of(&[Fate::Waits]), "waits", "wait"),
        (of(&[Fate::Stuck]), "does not start", "do not start"),
        (of(&[Fate::Leaving]), "ends", "end"),
        (of(&[Fate::Starting]), "starts elsewhere", "start elsewhere"),
        (stay, "stays", "stay"),
    ] {
        if n > 0 {
            words.push_str(&format!(" · {n} {}", if n == 1 { one } else { many }));
        }
    }
    words
}

/// Where the one task now runs that an operation moved elsewhere: on Kubernetes the scheduler may take the same node again.
pub fn landed(state: &ClusterState, op: &Operation) -> Option<Text> {
    let plan =
        op.plan.as_ref().filter(|_| op.intent.action == Action::Reschedule && state.cluster.kind == ClusterKind::Kubernetes)?;
    let [planned] = &*plan.tasks else { return None };
    let new = Successors::now(state, plan).take(planned.service.as_ref()?, &planned.name)?;
    let node = new.node.as_ref()?;
    let words = format!("{} runs on {}", new.name, state.node_name(node));
    Some(Text::from(match planned.node.as_ref() == Some(node) {
        true => format!("{words}, as before: the scheduler has put it there again"),
        false => words,
    }))
}

/// How each service that is moved lies over the zones now, and how many of it are ready: `shop/web 5 of 6 ready · a 2 · b 4`.
pub fn spreads(state: &ClusterState, op: &Operation) -> Vec<Text> {
    let of = op.plan.iter().flat_map(|plan| plan.tasks.iter()).filter_map(|task| task.service.as_ref());
    let keys: BTreeSet<&Key> = of.filter(|key| moves(state, key)).collect();
    let mut services: Vec<&Arc<Service>> = keys.into_iter().filter_map(|key| state.services.get(key)).collect();
    services.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    let words = |service: &&Arc<Service>| {
        let name = super::preview::subject(&service.namespace, &service.name);
        let zones = spread::words(&spread::zones(state, &service.key));
        let zones = if zones.is_empty() { zones } else { format!(" · {zones}") };
        match service.desired {
            Some(desired) if !service.kind.runs_to_completion() => format!("{name} {} of {desired} ready{zones}", service.ready),
            _ => format!("{name}{zones}"),
        }
    };
    services.iter().map(words).map(Text::from).collect()
}

#[cfg(test)]
#[path = "steps/tests.rs"]
mod tests;
