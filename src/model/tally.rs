//! What the store keeps besides rows because it would be long in the counting: the tasks of a node and of a service, and
//! since when a service falls short.

use super::{ClusterState, Key, NodeLoad, Resources, Service, ServiceLoad, Shortfall, Table, Task};
use crate::util::time::Timestamp;
use std::sync::Arc;

/// Keeps the sums per node and per service right when a task changes from `old` to `new`. Most changes of a task change
/// nothing of them.
pub(super) fn tally(state: &mut ClusterState, old: Option<&Task>, new: Option<&Task>) {
    sum_up(state, old, new);
    // what has ended uses nothing, whatever was measured last
    if let Some(task) = old
        && new.is_none_or(|new| new.state.ended())
    {
        state.task_usage.remove(&task.key);
        if let Some(service) = task.service.as_ref().filter(|_| !task.state.ended())
            && state.tasks_of(service).all(|task| task.state.ended())
        {
            state.service_usage.remove(service);
        }
    }
}

fn sum_up(state: &mut ClusterState, old: Option<&Task>, new: Option<&Task>) {
    let on_node = old.map(room) != new.map(room);
    if let Some(task) = old.filter(|_| on_node)
        && let Some(node) = counted_on(task)
    {
        change_node_load(&mut state.node_loads, node, |load| {
            load.tasks.retain(|key| *key != task.key);
            load.reserved = load.reserved.minus(task.requests);
        });
    }
    if let Some(task) = new.filter(|_| on_node)
        && let Some(node) = counted_on(task)
    {
        change_node_load(&mut state.node_loads, node, |load| {
            load.tasks.push(task.key.clone());
            load.reserved = load.reserved.plus(task.requests);
        });
    }
    // a task that stays with its service leaves the list of its tasks as it is, which may be long
    let stays = old.zip(new).is_some_and(|(old, new)| old.service == new.service);
    if stays && old.map(counts) == new.map(counts) {
        return;
    }
    if let Some(task) = old
        && let Some(service) = &task.service
    {
        change_service_load(&mut state.service_loads, service, |load| {
            if !stays {
                Arc::make_mut(&mut load.tasks).retain(|key| *key != task.key);
            }
            let (restarts, coming_back, limited) = counts(task);
            load.restarts -= restarts;
            load.coming_back -= coming_back;
            load.limited -= limited;
        });
    }
    if let Some(task) = new
        && let Some(service) = &task.service
    {
        change_service_load(&mut state.service_loads, service, |load| {
            if !stays {
                Arc::make_mut(&mut load.tasks).push(task.key.clone());
            }
            let (restarts, coming_back, limited) = counts(task);
            load.restarts += restarts;
            load.coming_back += coming_back;
            load.limited += limited;
        });
    }
}

/// Keeps since when a service that changes from `old` to `new` falls short.
pub(super) fn fall_short(shortfalls: &mut Table<Shortfall>, old: Option<&Service>, new: Option<&Service>, now: Timestamp) {
    match (old, new) {
        (Some(old), Some(new)) if new.is_short() && !old.is_short() => {
            shortfalls.insert(Arc::new(Shortfall { key: new.key.clone(), since: now }));
        }
        (Some(old), new) if old.is_short() && !new.is_some_and(Service::is_short) => drop(shortfalls.remove(&old.key)),
        _ => {}
    }
}

/// What it adds to its service's [`ServiceLoad::restarts`], [`ServiceLoad::coming_back`] and [`ServiceLoad::limited`].
fn counts(task: &Task) -> (u32, u32, u32) {
    let live = !task.state.ended();
    (if live { task.restarts } else { 0 }, u32::from(task.comes_back()), u32::from(live && task.limits.mem > 0))
}

/// The room it takes, and where.
fn room(task: &Task) -> Option<(&Key, Resources)> {
    counted_on(task).map(|node| (node, task.requests))
}

/// The node whose room the task takes.
fn counted_on(task: &Task) -> Option<&Key> {
    task.node.as_ref().filter(|_| !task.state.ended())
}

fn change_node_load(loads: &mut Table<NodeLoad>, key: &Key, change: impl FnOnce(&mut NodeLoad)) {
    let mut load = loads.get(key).map_or_else(
        || NodeLoad { key: key.clone(), tasks: Vec::new(), reserved: Resources::default() },
        |held| NodeLoad::clone(held),
    );
    change(&mut load);
    if load.tasks.is_empty() {
        loads.remove(key);
    } else {
        loads.insert(Arc::new(load));
    }
}

fn change_service_load(loads: &mut Table<ServiceLoad>, key: &Key, change: impl FnOnce(&mut ServiceLoad)) {
    let mut load = loads.get(key).map_or_else(
        || ServiceLoad { key: key.clone(), tasks: Arc::default(), restarts: 0, coming_back: 0, limited: 0 },
        |held| ServiceLoad::clone(held),
    );
    change(&mut load);
    if load.tasks.is_empty() {
        loads.remove(key);
    } else {
        loads.insert(Arc::new(load));
    }
}
