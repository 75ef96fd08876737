//! How a service's tasks lie over zones and nodes, and what to move so that they lie evenly.

use super::placement::fits;
use crate::model::{Availability, ClusterState, Effect, Key, Node, NodeState, Text};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tasks in one zone or on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The zone's or the node's name; empty for tasks whose node has no zone or that have no node yet.
    pub name: Text,
    /// Tasks that are ready.
    pub ready: u32,
    /// Live tasks.
    pub tasks: u32,
    /// Whether new tasks can be placed there.
    pub open: bool,
}

/// The live tasks of a service by zone, in the order of the zones' names. Zones of the cluster without a task of it are
/// listed too: an empty zone is what one looks for. Empty if no node has a zone.
pub fn zones(state: &ClusterState, service: &str) -> Vec<Share> {
    shares_by(state, service, |node| node.zone.as_ref())
}

/// The same by node.
pub fn nodes(state: &ClusterState, service: &str) -> Vec<Share> {
    shares_by(state, service, |node| Some(&node.name))
}

fn shares_by(state: &ClusterState, service: &str, part: impl Fn(&Node) -> Option<&Text>) -> Vec<Share> {
    let row = state.services.get(service);
    let empty = |name: Text| Share { name, ready: 0, tasks: 0, open: false };
    let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
    for node in state.nodes.iter() {
        let Some(name) = part(node) else { continue };
        let share = shares.entry(name).or_insert_with(|| empty(name.clone()));
        share.open |= takes(node) && row.is_none_or(|service| fits(service, node));
    }
    if shares.is_empty() {
        return Vec::new();
    }
    for task in state.tasks_of(service).filter(|t| t.wanted && !t.state.ended()) {
        let name = task.node.as_ref().and_then(|key| state.nodes.get(key)).and_then(|node| part(node));
        let share = shares.entry(name.map_or("", |name| name.as_str())).or_insert_with(|| empty(Text::default()));
        share.tasks += 1;
        share.ready += u32::from(task.ready);
    }
    shares.into_values().collect()
}

/// Whether the scheduler may put tasks on this node, and no taint keeps them away. Those that tolerate a taint are not
/// known: they stay where they are, and none is sent there.
pub fn takes(node: &Node) -> bool {
    open(node.state, node.availability) && node.taints.iter().all(|taint| taint.effect == Effect::PreferNoSchedule)
}

/// Whether the scheduler may put tasks on a node like this.
pub fn open(state: NodeState, availability: Availability) -> bool {
    state == NodeState::Ready && availability == Availability::Active
}

/// The zones once `leaving` tasks of the zone `from` have found new places and `more` (or, below zero, fewer) tasks run:
/// each new task goes to the open zone with the fewest, each surplus one goes from the fullest. What schedulers do by
/// default, so a forecast and not a promise. `closed` is a zone that takes none because its last open node goes.
pub fn forecast(zones: &[Share], from: Option<&str>, leaving: u32, more: i64, closed: Option<&str>) -> Vec<Share> {
    let mut after = zones.to_vec();
    if let Some(share) = after.iter_mut().find(|s| from == Some(s.name.as_str())) {
        share.tasks = share.tasks.saturating_sub(leaving);
    }
    let moved = if from.is_some() { i64::from(leaving) } else { 0 };
    for _ in 0..(moved + more.max(0)) {
        let target = after.iter_mut().filter(|s| s.open && closed != Some(s.name.as_str())).min_by_key(|s| s.tasks);
        let Some(share) = target else { break };
        share.tasks += 1;
    }
    for _ in more..0 {
        let Some(share) = after.iter_mut().rev().max_by_key(|s| s.tasks) else { break };
        share.tasks = share.tasks.saturating_sub(1);
    }
    after
}

/// `eu-a 3 · eu-b 0 · eu-c 2`.
pub fn words(zones: &[Share]) -> String {
    let named = zones.iter().filter(|s| !s.name.is_empty());
    named.map(|s| format!("{} {}", s.name, s.tasks)).collect::<Vec<_>>().join(" · ")
}

/// A node as a place for tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The node.
    pub node: Key,
    /// Its zone, where it has one.
    pub zone: Option<Text>,
    /// Whether it takes new tasks now.
    pub available: bool,
}

/// Which of a service's tasks (task, its node) to move so that zones differ by at most one task, and within each zone
/// nodes do. Never more than needed; none if it is even. Tasks on nodes that take no new ones stay and count for their
/// zone: a rebalance does not empty a paused node. Where the tasks go is the scheduler's choice.
pub fn moves(tasks: &[(Key, Key)], places: &[Place]) -> Vec<Key> {
    let mut zones: BTreeMap<&str, Zone<'_>> = BTreeMap::new();
    for place in places {
        let zone = zones.entry(place.zone.as_ref().map_or("", |z| z.as_str())).or_default();
        if place.available {
            zone.nodes.entry(&place.node).or_default();
        }
    }
    for (task, node) in tasks {
        let Some(place) = places.iter().find(|p| p.node == *node) else { continue };
        let Some(zone) = zones.get_mut(place.zone.as_ref().map_or("", |z| z.as_str())) else { continue };
        match zone.nodes.get_mut(node) {
            Some(held) => held.push(task),
            None => zone.fixed += 1,
        }
    }
    // zones where nothing can be placed keep what they have
    let mut open: Vec<Zone<'_>> = zones.into_values().filter(|zone| !zone.nodes.is_empty()).collect();
    // the fullest first: they keep the odd ones, so that as few as possible move
    open.sort_by_key(|zone| std::cmp::Reverse(zone.count()));
    let targets = shares(open.iter().map(Zone::count).sum(), open.len());
    let mut moved = Vec::new();
    for (zone, target) in open.iter_mut().zip(targets) {
        while zone.count() > target {
            let Some(task) = zone.take_from_fullest() else { break };
            moved.push(task.clone());
        }
        let mut nodes: Vec<&mut Vec<&Key>> = zone.nodes.values_mut().collect();
        nodes.sort_by_key(|held| std::cmp::Reverse(held.len()));
        // what comes in from other zones fills the emptier nodes, so the share is of what the zone will have
        let limits = shares(target.saturating_sub(zone.fixed), nodes.len());
        for (held, limit) in nodes.into_iter().zip(limits) {
            while held.len() > limit {
                let Some(task) = held.pop() else { break };
                moved.push(task.clone());
            }
        }
    }
    moved
}

/// What of a service's tasks to move, as far as the picture tells: see [`moves`].
pub fn surplus(state: &ClusterState, service: &str) -> Vec<Key> {
    let row = state.services.get(service);
    let live = state.tasks_of(service).filter(|task| task.wanted && !task.state.ended());
    let mut tasks: Vec<(Key, Key)> = live.filter_map(|task| Some((task.key.clone(), task.node.clone()?))).collect();
    tasks.sort_unstable();
    let fitting = |node: &Node| takes(node) && row.is_none_or(|service| fits(service, node));
    let place = |node: &Arc<Node>| Place { node: node.key.clone(), zone: node.zone.clone(), available: fitting(node) };
    let places: Vec<Place> = state.nodes.iter().map(place).collect();
    moves(&tasks, &places)
}

/// The shares once so many tasks of each have found new places among them, each where the fewest are.
pub fn evened(shares: &[Share], leaving: &BTreeMap<Text, u32>) -> Vec<Share> {
    let mut after = shares.to_vec();
    for share in &mut after {
        share.tasks = share.tasks.saturating_sub(leaving.get(&share.name).copied().unwrap_or(0));
    }
    for _ in 0..leaving.values().sum::<u32>() {
        let Some(share) = after.iter_mut().filter(|share| share.open).min_by_key(|share| share.tasks) else { break };
        share.tasks += 1;
    }
    after
}

#[derive(Default)]
struct Zone<'a> {
    /// Tasks on nodes that take new ones, by node.
    nodes: BTreeMap<&'a Key, Vec<&'a Key>>,
    /// Tasks on nodes that take none.
    fixed: usize,
}

impl<'a> Zone<'a> {
    fn count(&self) -> usize {
        self.fixed + self.nodes.values().map(Vec::len).sum::<usize>()
    }

    fn take_from_fullest(&mut self) -> Option<&'a Key> {
        self.nodes.values_mut().max_by_key(|held| held.len())?.pop()
    }
}

/// `total` in `parts` parts that differ by at most one, the greater first.
fn shares(total: usize, parts: usize) -> impl Iterator<Item = usize> {
    let (each, odd) = (total / parts.max(1), total % parts.max(1));
    (0..parts).map(move |part| each + usize::from(part < odd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(text: impl ToString) -> Key {
        Key::from(text.to_string().as_str())
    }

    /// Places `a1 a2 b1` (the letter is the zone, `!` behind it is a node that takes none) and tasks by node.
    fn fleet(nodes: &str, tasks: &str) -> (Vec<(Key, Key)>, Vec<Place>) {
        let places = nodes
            .split_whitespace()
            .map(|n| {
                let name = n.trim_end_matches('!');
                let zone = name.chars().next().filter(char::is_ascii_lowercase).map(|z| Text::from(z.to_string()));
                Place { node: key(name), zone, available: name == n }
            })
            .collect();
        let tasks = tasks.split_whitespace().enumerate().map(|(i, n)| (key(format!("t{i}")), key(n))).collect();
        (tasks, places)
    }

    #[test]
    fn only_what_is_needed_moves() {
        for (nodes, tasks, moved) in [
            ("a1 b1 c1", "a1 b1 c1", 0),
            ("a1 b1 c1", "a1 a1 b1", 1),
            ("a1 b1 c1", "a1 a1 a1 a1 a1 a1", 4),
            // uneven by one is even
            ("a1 b1 c1", "a1 a1 b1 c1", 0),
            // even by zone, uneven by node
            ("a1 a2 b1 b2", "a1 a1 b1 b2", 1),
            // a paused node keeps its tasks, and its zone counts them
            ("a1! a2 b1", "a1 a1 b1 b1", 0),
            ("a1! b1", "a1 a1", 0),
            // a zone where nothing can be placed is left alone
            ("a1! b1 c1", "a1 a1 a1 b1 c1", 0),
            // no zones: nodes only
            ("1 2 3", "1 1 1", 2),
            ("", "1 1", 0),
        ] {
            let (tasks, places) = fleet(nodes, tasks);
            assert_eq!(moves(&tasks, &places).len(), moved, "{nodes} with {tasks:?}");
        }
    }

    proptest! {
        /// Placing each moved task in the emptiest zone (of equals the one that had most), there on the emptiest node,
        /// makes it even, and no task moves twice.
        #[test]
        fn what_moves_can_lie_evenly(zones in 1usize..4, per in 1usize..4, on in prop::collection::vec(0usize..12, 0..40)) {
            let names: Vec<String> = (0..zones * per).map(|n| format!("{}{n}", (b'a' + (n / per) as u8) as char)).collect();
            let (_, places) = fleet(&names.join(" "), "");
            let tasks: Vec<_> = on.iter().enumerate().map(|(i, n)| (key(i), key(&names[n % names.len()]))).collect();
            let moved = moves(&tasks, &places);
            let distinct: std::collections::BTreeSet<_> = moved.iter().collect();
            prop_assert_eq!(distinct.len(), moved.len());
            let mut count = vec![0usize; names.len()];
            let mut had = vec![0usize; zones];
            for (task, node) in &tasks {
                let at = names.iter().position(|n| n.as_str() == node.as_str()).unwrap();
                had[at / per] += 1;
                count[at] += usize::from(!moved.contains(task));
            }
            for _ in &moved {
                let zone = (0..zones).min_by_key(|z| (count[z * per..(z + 1) * per].iter().sum::<usize>(), std::cmp::Reverse(had[*z]))).unwrap();
                let node = (zone * per..(zone + 1) * per).min_by_key(|n| count[*n]).unwrap();
                count[node] += 1;
            }
            let sums: Vec<usize> = count.chunks(per).map(|c| c.iter().sum()).collect();
            prop_assert!(sums.iter().max().unwrap() - sums.iter().min().unwrap() <= 1);
            for zone in count.chunks(per) {
                prop_assert!(zone.iter().max().unwrap() - zone.iter().min().unwrap() <= 1);
            }
        }
    }
}
